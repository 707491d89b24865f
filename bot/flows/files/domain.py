"""The domain: intents, entities, slots and actions, as Rasa's ``domain.yml`` lists them. Replies are read with the assistant's others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from bot.flows.files.node import QUOTE, Node, meant
from bot.flows.model import Action, Domain, Slot, SlotType
from bot.understand.wanted import shown_number
from memory.declared import PROOFS, Declarations, Declared, Proof
from memory.values import Type

Places = dict[tuple[str, ...], tuple[Path, int]]
"""Where things stand: ``("slot", name)`` and so on."""

TYPES: tuple[SlotType, ...] = get_args(SlotType)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

_KEYS = ("version", "intents", "entities", "slots", "responses", "actions", "session_config", "config")
_REFUSED = {
    "forms": "write a flow with one `collect` step for each slot",
    "e2e_actions": "write the replies in replies.yml",
    "imports": "put the files into this assistant's folder",
    "flows": "flows stand in files of their own in the folder flows",
    "nlu": "examples stand in nlu.yml",
    "rules": "write a flow with an `nlu_trigger`",
    "stories": "write flows",
    "pipeline": "there is nothing to configure",
    "policies": "there is nothing to configure",
}
_SLOT_KEYS = ("type", "initial_value", "values", "min_value", "max_value", "mappings", "influence_conversation", "shared_for_coexistence")
_SLOT_REFUSED = {
    "auto_fill": "write `mappings` with `type: from_entity`",
    "validation": "write `rejections` at the `collect` step",
    "title": "Rasa does not start with it; write it in one of the `mappings`, as in `- {type: from_text, title: amount}`",
}
_MAPPING_KEYS = ("type", "entity", "allow_nlu_correction", "secret", "title")
_MAPPING_REFUSED = {
    "role": "roles are not told apart; use two entities",
    "group": "groups are not told apart; use two entities",
    "intent": "an entity fills its slot whatever the intent is; leave it out",
    "not_intent": "an entity fills its slot whatever the intent is; leave it out",
    "conditions": "a slot is filled while its flow asks for it; leave it out",
    "value": "set the slot with `set_slots` in the flow that the intent starts",
    "action": "write `type: controlled`, and run the action in a step of its own",
    "run_action_every_turn": "write `type: controlled`, and run the action in a step of its own",
    "coexistence_system": "there is one system only; leave it out",
}
_MAPPINGS_REFUSED = {
    "from_intent": "set the slot with `set_slots` in the flow that the intent starts; a `bool` slot understands yes and no by itself",
    "from_trigger_intent": "set the slot with `set_slots` in the flow that the intent starts",
}
_MEANT_TYPES = {"str": "text", "string": "text", "boolean": "bool", "int": "float", "number": "float", "integer": "float"}

_FITS: Mapping[Type, tuple[SlotType, ...]] = {
    Type.TEXT: ("text", "categorical", "any"),
    Type.NUMBER: ("float", "any"),
    Type.DATE: ("text", "any"),
    Type.MONEY: ("any",),
    Type.PLACE: ("any",),
    Type.LIST: ("list", "any"),
    Type.PHONE: ("text", "any"),
    Type.EMAIL: ("text", "any"),
}
"""The slot types that a fact's stored values have, the usual one first."""


@dataclass
class DomainText:
    """What the files of a domain say, put together."""

    intents: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)
    slots: dict[str, Slot] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)

    def done(self, facts: Iterable[Slot]) -> Domain:
        """The domain, with ``facts``: slots of declared facts that need no entry."""
        slots = {slot.name: slot for slot in facts} | self.slots
        return Domain(frozenset(self.intents), frozenset(self.entities), slots, self.actions)


def read_domain_of(file: Node, declared: Declarations | None, into: DomainText, places: Places) -> None:
    """Add what the file lists to ``into``, and where it stands to ``places``. ``declared`` None: it is not known which slots are facts."""
    if file.data is None:
        return
    if not isinstance(file.data, Mapping):
        file.bad(f"expected the keys {', '.join(_KEYS)}, each with a colon after it")
        return
    file.known(_KEYS, _REFUSED)
    for name, node in _listed(file.get("intents"), "- lost_card"):
        node.known(("use_entities", "ignore_entities"), {"triggers": "give the flow an `nlu_trigger` with this intent"})
        _once(into.intents, "intent", name, node, places)
        into.intents.add(name)
    for name, node in _listed(file.get("entities"), "- amount"):
        node.known((), {"roles": "roles are not told apart; use two entities", "groups": "groups are not told apart; use two entities"})
        _once(into.entities, "entity", name, node, places)
        into.entities.add(name)
    for name, node in _listed(file.get("actions"), "- action_block_card"):
        node.known(("proof", "changes", "send_domain"))
        _once(into.actions, "action", name, node, places)
        changes = node.get("changes")
        into.actions[name] = Action(name, _proof(node.get("proof")), True if changes is None else changes.flag(True))
    slots = file.get("slots")
    for name, node in [] if slots is None or slots.data is None else slots.entries("amount:"):
        _once(into.slots, "slot", name, node, places)
        slot = _Slot(name, node, declared).read()
        if slot is not None:
            into.slots[name] = slot


def fact_slot(fact: Declared) -> Slot:
    """The slot of a declared fact."""
    kind: SlotType = "categorical" if fact.choices else _FITS[fact.type][0]
    return Slot(fact.name, kind, values=fact.choices, fact=True)


def _listed(node: Node | None, example: str) -> list[tuple[str, Node]]:
    """The items of a list of names, each of which may have keys of its own."""
    found = []
    for item in [] if node is None or node.data is None else node.items(example):
        if isinstance(item.data, Mapping):
            if len(item.data) != 1:
                item.bad("an item is a name, or one name with keys of its own; indent the keys further")
                continue
            for name, inner in item.entries(example):
                if isinstance(inner.data, Mapping):
                    found.append((name, inner))
                else:
                    inner.bad(f"`{name}` stands alone, as in {example}, or has keys of its own below it")
        elif (text := item.text()) is not None:
            if _NAME.fullmatch(text):
                found.append((text, item))
            else:
                item.bad(f"`{text}` must be letters, digits and underscores")
    return found


def _once(known: Iterable[str], kind: str, name: str, node: Node, places: Places) -> None:
    key = (kind, name)
    if name in known and key in places:
        path, line = places[key]
        node.bad(f"the {kind} `{name}` stands in {path.name}, line {line}, already")
    places.setdefault(key, (node.loaded.path, node.line))


def _proof(node: Node | None) -> Proof:
    if node is None:
        return "seen"
    found: Proof | None = next((proof for proof in PROOFS if proof == node.data), None)
    if found is None:
        node.bad(f"`proof` must be one of {', '.join(PROOFS)}")
        return "seen"
    return found


class _Slot:
    """Makes a ``Slot`` of one entry."""

    def __init__(self, name: str, node: Node, declared: Declarations | None) -> None:
        self._name = name
        self._node = node
        self._declared = declared
        self._fact = declared.facts.get(name) if declared is not None else None

    def read(self) -> Slot | None:
        node, name = self._node, self._name
        if not _NAME.fullmatch(name):
            node.bad(f"`{name}` must be letters, digits and underscores")
            return None
        if not isinstance(node.data, Mapping):
            node.bad(f"the slot `{name}` must have keys of its own: at least `type`")
            return None
        node.known(_SLOT_KEYS, _SLOT_REFUSED)
        for key in ("influence_conversation", "shared_for_coexistence"):
            if (flag := node.get(key)) is not None:
                flag.flag(False)
        kind = self._type()
        if kind is None:
            return None
        values = self._values(kind)
        low, high = self._bound("min_value", kind), self._bound("max_value", kind)
        if low is not None and high is not None and low > high:
            node.bad(f"`{name}`: `min_value` is more than `max_value`")
        entities, by_customer, secret, title = self._mappings()
        slot = Slot(name, kind, None, values, low, high, entities, by_customer, self._fact is not None, secret, title)
        initial = node.get("initial_value")
        if initial is None or initial.data is None:
            return slot
        if slot.fact:
            initial.bad(f"`{name}` is a fact of memory.yml and has the value that is remembered; leave `initial_value` out")
        elif (why := misfit(slot, initial.data)) is not None:
            initial.bad(f"`initial_value` {why}")
        return replace(slot, initial=initial.data)

    def _type(self) -> SlotType | None:
        node, fact = self._node.get("type"), self._fact
        if node is None:
            if fact is not None:
                return fact_slot(fact).type
            if self._declared is None:
                return "any"
            self._node.bad(f"the slot `{self._name}` needs a `type`: one of {', '.join(TYPES)}")
            return None
        text = node.text()
        kind = next((kind for kind in TYPES if kind == text), None)
        if text is None:
            return None
        if kind is None:
            said = _MEANT_TYPES.get(text)
            hint = f"; write `{said}`" if said is not None else f"; write one of {', '.join(TYPES)}"
            node.bad(f"`{text}` is not a type of slots{hint}")
            return None
        if fact is not None and kind not in _FITS[fact.type]:
            fits = " or ".join(f"`{known}`" for known in _FITS[fact.type])
            node.bad(f"`{self._name}` is a fact of memory.yml and is a {fact.type}: write {fits}, or leave `type` out")
        return kind

    def _values(self, kind: SlotType) -> tuple[str, ...]:
        node, fact = self._node.get("values"), self._fact
        if node is None:
            if fact is not None and fact.choices:
                return fact.choices
            if kind == "categorical":
                self._node.bad(f"the slot `{self._name}` is categorical and needs its `values`")
            return ()
        if kind != "categorical":
            node.bad(f"`values` are for the type categorical; `{self._name}` is {kind}")
            return ()
        found: list[str] = []
        for item in node.items("- lost"):
            number = isinstance(item.data, int | float) and not isinstance(item.data, bool)
            value = str(item.data) if number else item.text()
            if value is None:
                continue
            if value.casefold() in (other.casefold() for other in found):
                item.bad(f"`{value}` stands here twice")
            found.append(value)
        if not found and isinstance(node.data, list):
            node.bad("`values` needs at least one")
        if fact is not None and fact.choices and set(found) != set(fact.choices):
            node.bad(f"`{self._name}` is a fact of memory.yml with other choices; leave `values` out")
        return tuple(found)

    def _bound(self, key: str, kind: SlotType) -> float | None:
        node = self._node.get(key)
        if node is None:
            return None
        if kind != "float":
            node.bad(f"`{key}` is for the type float; `{self._name}` is {kind}")
            return None
        return node.number()

    def _mappings(self) -> tuple[tuple[str, ...], bool, bool, str]:
        """The entities that fill it, whether the customer may, whether it is secret, and its title. Without ``mappings`` they may."""
        node = self._node.get("mappings")
        if node is None:
            return (), True, False, ""
        secret = False
        titles: list[Node] = []
        entities: list[str] = []
        by_customer = not node.data
        for item in node.items("- type: from_entity"):
            if not isinstance(item.data, Mapping):
                item.bad("a mapping is written `- type:`, with `entity:` below it where the type is from_entity")
                continue
            item.known(_MAPPING_KEYS, _MAPPING_REFUSED)
            if (flag := item.get("secret")) is not None and flag.flag(False):
                secret = True
                if self._fact is not None:
                    flag.bad(f"`{self._name}` is a fact of memory.yml and is remembered; a secret is not, so give the slot another name")
            if (title := item.get("title")) is not None:
                titles.append(title)
            kind = item.get("type")
            text = kind.text() if kind is not None else None
            if kind is None:
                item.bad("a mapping needs its `type`: from_entity, from_text, from_llm or controlled")
            elif text == "from_entity":
                by_customer = True
                entity = item.get("entity")
                if entity is None:
                    item.bad("`from_entity` needs its `entity`")
                elif (name := entity.text()) is not None:
                    entities.append(name)
            elif text in ("from_text", "from_llm"):
                by_customer = True
            elif text in _MAPPINGS_REFUSED:
                kind.bad(f"`{text}` is not supported; {_MAPPINGS_REFUSED[text]}")
            elif text is not None and text not in ("controlled", "custom"):
                known = ("from_entity", "from_text", "from_llm", "controlled")
                kind.bad(f"`{text}` is not a mapping; write one of {', '.join(known)}{meant(text, known)}")
        return tuple(entities), by_customer, secret, self._title(titles)

    def _title(self, found: Sequence[Node]) -> str:
        """What people read in place of its name. It stands in a mapping, where Rasa passes it over: a slot with a key that Rasa does not
        know stops Rasa's start."""
        for node in found:
            if self._fact is not None:
                node.bad(f"`{self._name}` is a fact of memory.yml, where its `title` stands; leave it out here")
        texts = [text for node in found if (text := node.text()) is not None]
        if len(texts) > 1:
            found[1].bad(f"`{self._name}` has a `title` already; write it in one of its mappings only")
        return texts[0] if texts else ""


def misfit(slot: Slot, value: Any) -> str | None:
    """Why ``value`` cannot be the slot's, as the end of a sentence; None where it can. None fits every slot: it is empty."""
    if value is None or slot.type == "any":
        return None
    if slot.type == "bool":
        return None if isinstance(value, bool) else "must be true or false"
    if slot.type == "float":
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "must be a number"
        if (slot.low is not None and value < slot.low) or (slot.high is not None and value > slot.high):
            low, high = ("any" if bound is None else shown_number(bound) for bound in (slot.low, slot.high))
            return f"must be between {low} and {high}"
        return None
    if slot.type == "list":
        return None if isinstance(value, list) else "must be a list"
    if not isinstance(value, str):
        return f"must be a text; {QUOTE}"
    if slot.type == "categorical" and value not in slot.values:
        return f"must be one of {', '.join(slot.values)}"
    return None
