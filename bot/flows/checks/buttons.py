"""What the buttons under replies do to flows: they start one, or set slots. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.content import Mistake
from bot.flows.ask import SET, START
from bot.flows.files.domain import misfit
from bot.flows.files.node import meant
from bot.flows.model import Flows, Slot

_ALL = re.compile(r"\((?P<pairs>[^()]*)\)")
_PAIR = re.compile(r"\s*(?P<slot>[A-Za-z_][A-Za-z0-9_-]*)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^,\"'=]*?)\s*")
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_NOTHING = ("none", "null")


@dataclass(frozen=True, slots=True)
class ButtonAt:
    """A button's payload, and where it stands."""

    payload: str
    path: Path
    line: int


def check_buttons(flows: Flows, buttons: Sequence[ButtonAt]) -> list[Mistake]:
    """Mistakes in the payloads that are for flows."""
    return [Mistake(button.path, button.line, text) for button in buttons for text in _wrong(flows, button.payload)]


def started(buttons: Sequence[ButtonAt]) -> frozenset[str]:
    """The flows that buttons start."""
    return frozenset(button.payload.removeprefix(START).strip() for button in buttons if button.payload.startswith(START))


def _wrong(flows: Flows, payload: str) -> Iterator[str]:
    if payload.startswith(START):
        name = payload.removeprefix(START).strip()
        if name not in flows.flows:
            yield f"there is no flow `{name}`{meant(name, flows.flows)}"
    elif payload.startswith(SET):
        inside = _ALL.fullmatch(payload.removeprefix(SET).strip())
        pairs = [_PAIR.fullmatch(part) for part in inside["pairs"].split(",")] if inside is not None else []
        if not pairs or None in pairs:
            yield f"`{payload}` cannot be read; write {SET}(slot=value), with a comma between several"
        for pair in pairs:
            if pair is None:
                continue
            slot = flows.domain.slots.get(pair["slot"])
            if slot is None:
                yield f"there is no slot `{pair['slot']}`{meant(pair['slot'], flows.domain.slots)}"
            elif (why := _misfit(slot, pair["value"].strip("\"'"))) is not None:
                yield f"`{slot.name}` {why}"


def _misfit(slot: Slot, text: str) -> str | None:
    """Why a slot cannot have the value that a button gives it as a text; upper and lower case do not count there."""
    if text.lower() in _NOTHING or slot.fact:
        return None
    value: object = text
    if slot.type == "bool":
        value = _TRUTHS.get(text.lower(), text)
    elif slot.type == "float":
        try:
            value = float(text)
        except ValueError:
            value = text
    elif slot.type == "categorical":
        value = next((known for known in slot.values if known.casefold() == text.casefold()), text)
    elif slot.type == "list":
        return None
    return misfit(slot, value)
