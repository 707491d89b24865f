"""What flows speak of and nobody has: slots that nobody sets, values that a slot never has, actions, intents and entities. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from bot.content import Mistake
from bot.flows.checks.buttons import ButtonAt
from bot.flows.files.domain import misfit
from bot.flows.files.node import meant
from bot.flows.model import Collect, Flow, Flows, SetSlots, Slot
from bot.flows.predicate import Predicate
from bot.flows.read import FAILED, asked_about, conditions_of, replies_of
from memory.declared import Declarations

CONTEXT = ("channel", "language", "proof", "flow")
"""What conditions can ask about the conversation."""


@dataclass(frozen=True, slots=True)
class ActionNames:
    """What is known of actions without running them: their ``names``, and every word that their code has in quotation marks."""

    names: frozenset[str]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReplyNames:
    """What is known of an assistant's replies.

    ``needs`` are the variables that each of their variants needs; ``given`` those that are given to the replies that all assistants have,
    ``always`` those that are given to every reply of a flow. ``places`` says where the assistant's own stand, ``buttons`` what the buttons
    under them do. ``instead`` are said in place of replies that do not concern a customer.
    """

    needs: Mapping[str, Sequence[frozenset[str]]]
    given: Mapping[str, frozenset[str]]
    always: frozenset[str] = frozenset()
    places: Mapping[str, tuple[Path, int]] = field(default_factory=dict)
    buttons: tuple[ButtonAt, ...] = ()
    instead: frozenset[str] = frozenset()


def check_names(flows: Flows, declared: Declarations, replies: ReplyNames, actions: ActionNames | None) -> list[Mistake]:
    """Mistakes and warnings about names. ``actions`` None: they run elsewhere, and nothing is known of them."""
    set_by_somebody = _set_slots(flows, actions)
    found: list[Mistake] = []
    for flow in flows.flows.values():
        for line, condition in conditions_of(flow):
            found += _check_condition(flow, line, condition, flows, declared, set_by_somebody)
        found += _check_replies(flow, declared, replies, set_by_somebody)
        found += _check_triggers(flow, flows)
    found += _check_actions(flows, actions)
    found += _check_entities(flows, declared)
    if actions is not None:
        found += _never_said(flows, replies, actions)
    return found


def _set_slots(flows: Flows, actions: ActionNames | None) -> set[str]:
    """The slots that are set by something: a question, a step, an action, what is said or known, or their initial value."""
    slots = flows.domain.slots.values()
    found = {slot.name for slot in slots if slot.fact or slot.initial is not None or slot.entities or not slot.by_customer}
    if actions is None:
        found |= {slot.name for slot in slots}
    else:
        found |= actions.words & flows.domain.slots.keys()
    for flow in flows.flows.values():
        for step in flow.steps.values():
            if isinstance(step, Collect):
                found.add(step.slot)
            elif isinstance(step, SetSlots):
                found |= {name for name, value in step.values.items() if value is not None}
    return found


def _check_condition(
    flow: Flow, line: int, condition: Predicate, flows: Flows, declared: Declarations, is_set: Collection[str]
) -> Iterator[Mistake]:
    for name in asked_about(condition):
        if name not in is_set and name != FAILED and name in flows.domain.slots:
            text = f"nobody sets the slot `{name}`; collect it, or give it the mapping `type: controlled` if an action sets it"
            yield Mistake(flow.path, line, text, "warning")
    for name in sorted(condition.reads):
        namespace, _, rest = name.partition(".")
        if namespace == "context" and rest not in CONTEXT:
            yield Mistake(flow.path, line, f"there is no `{name}`; there are {', '.join(f'context.{known}' for known in CONTEXT)}")
        customer = {"name", *declared.facts, *declared.products}
        if namespace == "customer" and rest not in customer:
            text = f"there is no `{name}`{meant(rest, customer)}; after `customer.` comes a fact, or a product, whose stage it is"
            yield Mistake(flow.path, line, text)
    for name, value in sorted(condition.compares, key=str):
        slot = flows.domain.slots.get(name.removeprefix("slots."))
        why = None if slot is None or not name.startswith("slots.") else _never_is(slot, value)
        if why is not None:
            yield Mistake(flow.path, line, f"`{name}` is never {value!r}: it {why}")


def _never_is(slot: Slot, value: str | float | bool) -> str | None:
    """Why a slot never has this value; None where it can have it."""
    if value == "" or slot.type not in ("bool", "categorical", "float"):
        return None
    return misfit(Slot(slot.name, slot.type, values=slot.values), value)


def _check_replies(flow: Flow, declared: Declarations, replies: ReplyNames, is_set: Set[str]) -> Iterator[Mistake]:
    for line, name in dict.fromkeys(replies_of(flow)):
        variants = replies.needs.get(name)
        if not variants:
            continue
        lacking = [sorted(needs - replies.always - is_set - declared.facts.keys()) for needs in variants]
        if name in replies.given:
            extra = sorted(replies.given[name] - replies.always)
            if extra:
                shown = ", ".join(f"{{{variable}}}" for variable in extra)
                yield Mistake(flow.path, line, f"a flow cannot say `{name}`, which has {shown}; write a reply of its own")
            continue
        if all(lacking):
            shown = " and ".join(f"{{{variable}}}" for variable in dict.fromkeys(one[0] for one in lacking))
            text = (
                f"`{name}` can never be said: nobody sets {shown}; collect it, or give it the mapping `type: controlled` if an action does"
            )
            yield Mistake(flow.path, line, text, "warning")


def _check_triggers(flow: Flow, flows: Flows) -> Iterator[Mistake]:
    for trigger in flow.triggers:
        name = trigger.intent
        if name not in flows.domain.intents:
            text = f"there is no intent `{name}`{meant(name, flows.domain.intents)}; list it under `intents` in domain.yml"
            yield Mistake(flow.path, flow.line, text)
        elif not flows.examples.intents.get(name):
            text = f"the intent `{name}` is never understood: it has no examples; write some in nlu.yml"
            yield Mistake(flow.path, flow.line, text)
        elif len(flows.by_intent[name]) > 1 and flows.by_intent[name][0] is not flow:
            first = flows.by_intent[name][0]
            if first.guard is None:
                text = f"`{first.id}` is started by `{name}` too, and always first; give it an `if`, or each its own intent"
                yield Mistake(flow.path, flow.line, text, "warning")


def _check_actions(flows: Flows, actions: ActionNames | None) -> Iterator[Mistake]:
    asked = {step.slot for flow in flows.flows.values() for step in flow.steps.values() if isinstance(step, Collect)}
    for name in flows.domain.actions:
        path, line = _place(flows, "action", name)
        slot = name.removeprefix("action_ask_")
        if slot != name and slot in asked:
            yield Mistake(
                path, line, f"an action cannot ask for `{slot}`: a question is the reply `utter_ask_{slot}`; run it in a step before"
            )
        elif name.startswith("validate_"):
            yield Mistake(path, line, f"`{name}` is not run by itself; write `rejections` at the `collect` steps")
        elif actions is not None and name not in actions.names:
            yield Mistake(path, line, f"no action is called `{name}`{meant(name, actions.names)}; write it in Python in the folder actions")


def _check_entities(flows: Flows, declared: Declarations) -> Iterator[Mistake]:
    known = flows.domain.entities | declared.facts.keys()
    for slot in flows.domain.slots.values():
        for name in slot.entities:
            if name not in known:
                text = f"there is no entity `{name}`{meant(name, known)}; list it under `entities` in domain.yml"
                yield Mistake(*_place(flows, "slot", slot.name), text)
    for name in {*flows.examples.entities, *flows.examples.patterns} - known:
        text = f"there is no entity `{name}`{meant(name, known)}; list it under `entities` in domain.yml"
        yield Mistake(*_place(flows, "entity of examples", name), text)
    for name in flows.examples.intents.keys() - flows.domain.intents:
        text = f"there is no intent `{name}`{meant(name, flows.domain.intents)}; list it under `intents` in domain.yml"
        yield Mistake(*_place(flows, "intent of examples", name), text)


def _never_said(flows: Flows, replies: ReplyNames, actions: ActionNames) -> Iterator[Mistake]:
    said = {name for flow in flows.flows.values() for _, name in replies_of(flow)} | replies.given.keys() | replies.instead | actions.words
    for name in replies.needs.keys() - said:
        if name in replies.places:
            yield Mistake(*replies.places[name], f"no flow and no action says `{name}`", "warning")


def _place(flows: Flows, kind: str, name: str) -> tuple[Path, int]:
    return flows.places.get((kind, name)) or next(iter(flows.places.values()), (Path(), 1))
