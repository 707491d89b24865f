"""A piece of a YAML file that is being read: its data, where it stands, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from bot.content import Loaded, Mistake, Place
from bot.flows.predicate import Predicate, PredicateRefused, parse

QUOTE = "write it in quotation marks: without them YAML reads a number, a date or a truth value"


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a file. What reads it adds to ``mistakes`` and goes on, so that a designer sees all of them at once."""

    data: Any
    place: Place
    loaded: Loaded
    mistakes: list[Mistake]

    @classmethod
    def of(cls, loaded: Loaded, mistakes: list[Mistake]) -> Node:
        """The whole file."""
        return cls(loaded.data, (), loaded, mistakes)

    @property
    def line(self) -> int:
        return self.loaded.line_of(self.place)

    @property
    def key(self) -> str:
        """What it is called in the file; of an item of a list, the list's name."""
        return next((part for part in reversed(self.place) if isinstance(part, str)), "the file")

    def bad(self, text: str) -> None:
        """Note that this is to be put right."""
        self.mistakes.append(self.loaded.mistake(self.place, text))

    def bad_at(self, line: int, text: str) -> None:
        """Note that a line inside of a text is to be put right."""
        self.mistakes.append(Mistake(self.loaded.path, line, text))

    def doubtful(self, text: str) -> None:
        """Note a warning."""
        self.mistakes.append(self.loaded.warning(self.place, text))

    def child(self, key: str | int, data: Any) -> Node:
        return Node(data, (*self.place, key), self.loaded, self.mistakes)

    def get(self, key: str) -> Node | None:
        """What stands under ``key``; None if there is no such key."""
        if isinstance(self.data, Mapping) and key in self.data:
            return self.child(key, self.data[key])
        return None

    def entries(self, example: str) -> Iterator[tuple[str, Node]]:
        """Its keys and what stands under them. ``example`` shows what a reader who finds something else should write."""
        if not isinstance(self.data, Mapping):
            self.bad(f"`{self.key}` must have keys of its own, such as {example}")
            return
        for key, data in self.data.items():
            if isinstance(key, str):
                yield key, self.child(key, data)
            else:
                self.child(str(key), data).bad(f"`{key}` is not a name; {QUOTE}")

    def items(self, example: str) -> Iterator[Node]:
        """The items of the list that it must be."""
        if not isinstance(self.data, list):
            self.bad(f"`{self.key}` must be a list, one item a line, each beginning with a hyphen, such as {example}")
            return
        for index, data in enumerate(self.data):
            yield self.child(index, data)

    def known(self, allowed: Collection[str], refused: Mapping[str, str] | None = None) -> None:
        """Refuse every key but those in ``allowed``; ``refused`` says of some of Rasa's what to write instead."""
        if not isinstance(self.data, Mapping):
            return
        for key, data in self.data.items():
            if key in allowed:
                continue
            child = self.child(str(key), data)
            if refused and key in refused:
                child.bad(f"`{key}` is not supported; {refused[key]}")
            else:
                child.bad(f"unknown key `{key}`{meant(str(key), allowed)}")

    def text(self) -> str | None:
        """The text that it must be, without space around it; None after noting the mistake."""
        if isinstance(self.data, str) and self.data.strip():
            return self.data.strip()
        if self.data is None or isinstance(self.data, str):
            self.bad(f"`{self.key}` is empty")
        elif isinstance(self.data, list | Mapping):
            self.bad(f"`{self.key}` must be a text")
        else:
            self.bad(f"`{self.key}` must be a text; {QUOTE}")
        return None

    def flag(self, default: bool) -> bool:
        """The truth value that it must be."""
        if isinstance(self.data, bool):
            return self.data
        self.bad(f"`{self.key}` must be true or false")
        return default

    def number(self) -> float | None:
        """The number that it must be; None after noting the mistake."""
        if isinstance(self.data, int | float) and not isinstance(self.data, bool):
            return float(self.data)
        self.bad(f"`{self.key}` must be a number")
        return None

    def condition(self) -> Predicate | None:
        """The condition that it must be; None after noting the mistake."""
        if isinstance(self.data, bool):
            return parse(str(self.data))
        text = self.text()
        if text is None:
            return None
        try:
            return parse(text)
        except PredicateRefused as refused:
            self.bad(str(refused))
            return None


def meant(name: str, known: Collection[str]) -> str:
    """The known name that ``name`` was probably meant to be, as the end of a sentence; empty where none is near."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
