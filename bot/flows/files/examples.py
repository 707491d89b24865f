"""How customers say things: intents' examples, synonyms, lookups and patterns, as Rasa's ``nlu.yml`` has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from bot.flows.files.domain import Places
from bot.flows.files.node import Node
from bot.flows.model import Examples, Slot
from memory.patterns import PatternRefused, make_pattern

MAX_EXAMPLE = 500
"""Characters of an example; what customers write about one matter is shorter."""

_KINDS = ("intent", "synonym", "lookup", "regex")
_MARK = re.compile(r"\[(?P<text>[^\[\]]+)\](?:\((?P<entity>[^()]*)\)|(?P<keys>\{[^{}]*\}))")
_ITEM = re.compile(r"\s*-\s+(?P<text>.*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass
class ExamplesText:
    """What the files say, put together. ``synonyms`` are phrases and what they stand for, whatever the entity is."""

    intents: dict[str, list[str]] = field(default_factory=dict)
    entities: dict[str, dict[str, str]] = field(default_factory=dict)
    patterns: dict[str, list[str]] = field(default_factory=dict)
    synonyms: dict[str, tuple[str, Node]] = field(default_factory=dict)

    def done(self, slots: Iterable[Slot], *, whole: bool) -> Examples:
        """The examples, with each synonym at the entities that have the value it stands for, or that fill one of ``slots`` that has it.

        ``whole``: nothing had to be left out, so that a value that no entity has is a mistake.
        """
        filled: dict[str, set[str]] = {}
        for slot in slots:
            for entity in slot.entities:
                filled.setdefault(entity, set()).update(slot.values)
        lost: set[str] = set()
        for phrase, (value, node) in self.synonyms.items():
            owners = [name for name, phrases in self.entities.items() if value in phrases.values()]
            owners += [name for name, values in filled.items() if value in values and name not in owners]
            if whole and not owners and value not in lost:
                lost.add(value)
                node.bad(f"no entity has the value `{value}`; mark one in an example, or list it in a `lookup`")
            for name in owners:
                self.entities.setdefault(name, {})[phrase] = value
        return Examples(
            {name: tuple(dict.fromkeys(sentences)) for name, sentences in self.intents.items()},
            {name: dict(phrases) for name, phrases in self.entities.items()},
            {name: tuple(patterns) for name, patterns in self.patterns.items()},
        )


def read_examples_of(file: Node, into: ExamplesText, places: Places) -> None:
    """Add the file's examples to ``into``, and where they stand to ``places``."""
    if file.data is None:
        return
    if not isinstance(file.data, Mapping):
        file.bad("expected the key `nlu`, with a list of intents below it")
        return
    file.known(
        ("version", "nlu"),
        {
            "responses": "replies stand in replies.yml",
            "rules": "write a flow with an `nlu_trigger`",
            "stories": "write flows",
            "flows": "flows stand in files of their own in the folder flows",
            "intents": "intents are listed in domain.yml",
        },
    )
    section = file.get("nlu")
    for item in [] if section is None or section.data is None else section.items("- intent: lost_card"):
        if not isinstance(item.data, Mapping):
            item.bad("an item of `nlu` is written `- intent:` with `examples:` below it")
            continue
        kind = next((kind for kind in _KINDS if kind in item.data), None)
        if kind is None:
            item.bad(f"an item of `nlu` needs one of {', '.join(f'`{known}`' for known in _KINDS)}")
            continue
        item.known((kind, "examples", "metadata"))
        name_node = item.get(kind)
        name = name_node.text() if name_node is not None else None
        if name_node is None or name is None:
            continue
        if kind == "intent" and "/" in name:
            name_node.bad(f"`{name}`: groups of intents and their replies are not supported; write an article for each question")
            continue
        if kind != "synonym" and not _NAME.fullmatch(name):
            name_node.bad(f"`{name}` must be letters, digits and underscores")
            continue
        _KIND_READERS[kind](name, item, into, places)


def _intent(name: str, item: Node, into: ExamplesText, places: Places) -> None:
    places.setdefault(("intent of examples", name), (item.loaded.path, item.line))
    sentences = into.intents.setdefault(name, [])
    for text, node, line in _texts(item):
        sentence = _sentence(text, node, line, into, places)
        if sentence is None:
            continue
        if len(sentence) > MAX_EXAMPLE:
            node.bad_at(line, f"the example has {len(sentence)} characters; at most {MAX_EXAMPLE} are allowed")
        places.setdefault(("example", name, sentence), (node.loaded.path, line))
        sentences.append(sentence)


def _synonym(name: str, item: Node, into: ExamplesText, places: Places) -> None:
    for text, node, line in _texts(item):
        phrase = _one_space(text)
        known = into.synonyms.get(phrase)
        if known is not None and known[0] != name:
            node.bad_at(line, f"`{phrase}` stands for `{known[0]}` already")
        into.synonyms.setdefault(phrase, (name, item))


def _lookup(name: str, item: Node, into: ExamplesText, places: Places) -> None:
    places.setdefault(("entity of examples", name), (item.loaded.path, item.line))
    phrases = into.entities.setdefault(name, {})
    for text, _, _ in _texts(item):
        phrase = _one_space(text)
        phrases.setdefault(phrase, phrase)


def _regex(name: str, item: Node, into: ExamplesText, places: Places) -> None:
    places.setdefault(("entity of examples", name), (item.loaded.path, item.line))
    for text, node, line in _texts(item):
        source = text.removeprefix("^").removesuffix("$")
        try:
            make_pattern(source)
        except PatternRefused as refused:
            node.bad_at(line, f"this pattern cannot be used: {refused}")
        else:
            into.patterns.setdefault(name, []).append(source)


_KIND_READERS = {"intent": _intent, "synonym": _synonym, "lookup": _lookup, "regex": _regex}


def _texts(item: Node) -> Iterator[tuple[str, Node, int]]:
    """The examples of an item with their lines: Rasa's text of lines that begin with a hyphen, or a list."""
    node = item.get("examples")
    if node is None:
        item.bad("`examples` are missing")
        return
    if isinstance(node.data, list):
        for inner in node.items("- i lost my card"):
            text = inner.get("text") if isinstance(inner.data, Mapping) else inner
            if text is None:
                inner.bad("an example is a text, or has the key `text`")
            elif (found := text.text()) is not None:
                yield found, text, inner.line
        return
    block = node.text()
    if block is None or not isinstance(node.data, str):
        return
    # Of a text that begins on the line below its key, YAML's mark is at the key.
    for offset, line in enumerate(node.data.splitlines(), start=node.line + 1):
        if not line.strip():
            continue
        match = _ITEM.fullmatch(line)
        if match is None or not match["text"].strip():
            node.bad_at(offset, "each example stands on a line of its own that begins with a hyphen and a space")
            continue
        yield match["text"].strip(), node, offset


def _sentence(text: str, node: Node, line: int, into: ExamplesText, places: Places) -> str | None:
    """The example without its marks; what is marked is added to ``into``."""
    parts: list[str] = []
    at = 0
    for mark in _MARK.finditer(text):
        parts += [text[at : mark.start()], mark["text"]]
        at = mark.end()
        found = _marked(mark, node, line)
        if found is None:
            return None
        entity, value = found
        places.setdefault(("entity of examples", entity), (node.loaded.path, line))
        phrase = _one_space(mark["text"])
        phrases = into.entities.setdefault(entity, {})
        if phrases.setdefault(phrase, value) != value:
            if phrases[phrase] != phrase:
                node.bad_at(line, f"`{phrase}` stands for `{phrases[phrase]}` already; one phrase has one value")
            else:
                phrases[phrase] = value
    return _one_space("".join([*parts, text[at:]]))


def _marked(mark: re.Match[str], node: Node, line: int) -> tuple[str, str] | None:
    """The entity that a mark names, and the value that its text stands for."""
    text = _one_space(mark["text"])
    if mark["keys"] is None:
        entity = mark["entity"].strip()
        if not _NAME.fullmatch(entity):
            node.bad_at(line, f'`({entity})` is not the name of an entity; with a value write [{text}]{{"entity": "...", "value": "..."}}')
            return None
        return entity, text
    try:
        keys: Any = yaml.safe_load(mark["keys"])
    except yaml.YAMLError:
        keys = None
    if not isinstance(keys, Mapping) or not isinstance(keys.get("entity"), str):
        node.bad_at(line, f'write the mark as [{text}]{{"entity": "...", "value": "..."}}')
        return None
    for key in keys:
        if key in ("role", "group"):
            node.bad_at(line, f"`{key}` is not told apart; use two entities")
            return None
        if key not in ("entity", "value"):
            node.bad_at(line, f"unknown key `{key}` in a mark; it has `entity` and `value`")
            return None
    value = keys.get("value", text)
    return keys["entity"], text if value is None else str(value)


def _one_space(text: str) -> str:
    return " ".join(text.split())
