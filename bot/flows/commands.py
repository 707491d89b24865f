"""Commands: what understanding asks the flow engine to do. Each is one thing; a turn may bring several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Start:
    """Begin this flow, on top of what is under way. ``named`` are the things that the same message names, by their kind."""

    flow: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Ask which of these flows is meant, or which of these articles; pairs are titles and the payloads of their buttons."""

    flows: tuple[str, ...]
    articles: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The question that stands is answered with this value."""

    slot: str
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fill:
    """Another slot was told at the same time."""

    slot: str
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Correct:
    """What was answered before was another value."""

    slot: str
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Same:
    """What was answered before was put right by the value that it has: it stands, and the question that is open does too."""

    slot: str


@dataclass(frozen=True, slots=True)
class YesNo:
    """Yes or no to what was read back or offered."""

    yes: bool


@dataclass(frozen=True, slots=True)
class Named:
    """Things were named, by their kind; slots take them when they come to it."""

    things: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cancel:
    """The customer does not want to go on."""


@dataclass(frozen=True, slots=True)
class Why:
    """They ask what it is needed for."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """They ask for the question again."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """They would rather not answer."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on where it waits: they say so, or what it waited for is there."""


@dataclass(frozen=True, slots=True)
class LeadBack:
    """Something else was answered in this turn; come back to the flow in the same message."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Nothing of what was said fits."""


@dataclass(frozen=True, slots=True)
class Wants:
    """A person is asked for, in the middle of the flow: it stands still until they are done."""


Command: TypeAlias = (
    Start | Offer | Answer | Fill | Correct | Same | YesNo | Named | Cancel | Why | Repeat | Refuse | Resume | LeadBack | Missed | Wants
)


def names_of(commands: tuple[Command, ...]) -> list[str]:
    """The commands for a trace: what, and of which flow or slot, never a value."""
    told = []
    for one in commands:
        about = getattr(one, "flow", None) or getattr(one, "slot", None) or ""
        if isinstance(one, Offer):
            about = ", ".join(one.flows)
        if isinstance(one, YesNo):
            about = "yes" if one.yes else "no"
        if isinstance(one, Named):
            about = ", ".join(sorted(one.things))
        told.append(f"{type(one).__name__.lower()} {about}".strip())
    return told
