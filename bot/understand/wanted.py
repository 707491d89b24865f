"""What an answer may be, what was read of it, and in which words a customer is told what is expected. Pure; English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from memory.declared import Declared
from memory.values import Type

DAY = "day"
"""An entity of this name is found without an example: any day (:mod:`bot.understand.days`)."""


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that a message names: of what kind, which value it stands for, and where it stands in the text."""

    name: str
    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer may be. ``type`` is a slot's, ``entities`` are the kinds of things that fill it, ``fact`` is its fact, if any.

    ``values`` stand in the order in which they are shown, so that "the second one" means one of them. ``today`` None: a day that is told
    from today on, such as "next tuesday", is not read for a fact.
    """

    type: str = "text"
    values: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    fact: Declared | None = None
    region: str | None = None
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A value that was read. ``exact``: the message is just that, and hardly anything beside; ``text`` is what was written."""

    value: Any
    exact: bool
    text: str = field(repr=False, default="")


def expected(wanted: Wanted) -> str:
    """What an answer has to look like, as a noun phrase for the customer; empty where anything will do."""
    if wanted.fact is not None:
        about = wanted.fact
        if about.choices:
            return _listed(about.choices)
        if about.example is not None:
            return f"something like {about.example}"
        return _FORMS.get(about.type, "")
    if wanted.type == "bool":
        return "yes or no"
    if wanted.type == "float":
        return _bounds(wanted.low, wanted.high)
    if wanted.values:
        return _listed(wanted.values)
    return _FORMS[Type.DATE] if DAY in wanted.entities else ""


def shown_number(value: float) -> str:
    """A number for people: ``1,000,000`` and ``0.01``."""
    return f"{int(value):,}" if value == int(value) else f"{value:,.6f}".rstrip("0")


_FORMS = {
    Type.NUMBER: "a number, such as 12",
    Type.DATE: "a date, such as 31 January 2026",
    Type.MONEY: "an amount with its currency, such as 12.50 GBP",
    Type.PLACE: "an address with its postcode",
    Type.PHONE: "a telephone number, such as 020 7946 0018",
    Type.EMAIL: "an e-mail address, such as ann@example.org",
}


def _bounds(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"a number from {shown_number(low)} to {shown_number(high)}"
    if low is not None and low > 0:
        return f"a number, {shown_number(low)} or more"
    return f"a number, {shown_number(high)} or less" if high is not None else "a number, such as 50"


def _listed(values: Sequence[str]) -> str:
    shown = [value.replace("_", " ") for value in values]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
