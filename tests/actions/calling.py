"""Calling actions as whoever runs them does: rasa-sdk's own executor with the whole package registered, JSON in and JSON out.

Each call is held against the tables in actions/README.md: who writes assistants works from them.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rasa_sdk.executor import ActionExecutor

import actions
from actions.base import FAILED, REASON

README = Path(actions.__file__).parent / "README.md"


@dataclass(frozen=True, slots=True)
class Promised:
    """An action's row in the tables."""

    name: str
    proof: str
    reads: frozenset[str]
    sets: frozenset[str]
    says: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call: slots by name, replies with their variables, custom messages."""

    slots: Mapping[str, Any]
    says: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    custom: tuple[Any, ...] = ()
    text: str = field(default="", repr=False)

    @property
    def failed(self) -> tuple[Any, Any]:
        return self.slots.get(FAILED), self.slots.get(REASON)


@functools.cache
def executor() -> ActionExecutor:
    """rasa-sdk's, with every action of the package, as its server makes it."""
    made = ActionExecutor()
    made.register_package("actions")
    return made


@functools.cache
def promised() -> dict[str, Promised]:
    """The tables' rows by the action's name."""
    found: dict[str, Promised] = {}
    last: Promised | None = None
    for cells in _rows():
        name, proof, reads, sets, says = (cell.strip() for cell in cells[:5])
        last = Promised(
            _names(name)[0],
            "seen" if proof == "–" else proof,
            _slots(reads, last.reads if last else None),
            _slots(sets, last.sets if last else None),
            _said(says),
        )
        found[last.name] = last
    return found


def _rows() -> Iterator[list[str]]:
    for line in README.read_text(encoding="utf-8").splitlines():
        cells = line.strip().strip("|").split("|")
        if line.startswith("| `action_") and len(cells) == 6:
            yield cells


def _names(cell: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", cell)


def _slots(cell: str, before: frozenset[str] | None) -> frozenset[str]:
    own = frozenset(_names(re.sub(r"\([^)]*\)", "", cell)))
    return own | (before or frozenset()) if cell.startswith("the same") else own


def _said(cell: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    before: frozenset[str] = frozenset()
    for name, rest in re.findall(r"`(utter_[a-z_]+)`([^`]*)", cell):
        variables = frozenset(re.findall(r"\{([a-z_]+)\}", rest))
        before = before | variables if "the same" in rest or "(with" in rest else variables
        found[name] = before
    return found


async def call(
    action: str,
    sender: str,
    slots: Mapping[str, Any] | None = None,
    *,
    turn: int = 1,
    n: int = 1,
    domain: Mapping[str, Any] | None = None,
    latest: Mapping[str, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
) -> Came:
    """Call an action. The domain has every slot of its row; ``latest`` and ``events`` stand in for what our bot says of the turn."""
    row = promised().get(action)
    names = set(slots or {}) | {FAILED, REASON} | (set(row.sets) if row is not None else set())
    message = {"text": "", "metadata": {"turn_id": turn, "call": n}} if latest is None else dict(latest)
    asked = {
        "next_action": action,
        "sender_id": sender,
        "tracker": {"sender_id": sender, "slots": dict(slots or {}), "latest_message": message, "events": events or []},
        "domain": {"slots": {name: {"type": "any"} for name in sorted(names)}, **(domain or {})},
    }
    result = await executor().run(json.loads(json.dumps(asked)))
    assert result is not None
    said = json.loads(json.dumps({"events": result.events, "responses": result.responses}, allow_nan=False))
    assert {event["event"] for event in said["events"]} <= {"slot"}
    keys = {"text", "buttons", "elements", "custom", "template", "response", "image", "attachment"}
    replies = [one for one in said["responses"] if one.get("response")]
    came = Came(
        {event["name"]: event["value"] for event in said["events"]},
        tuple((one["response"], {key: value for key, value in one.items() if key not in keys}) for one in replies),
        tuple(one["custom"] for one in said["responses"] if one.get("custom")),
        json.dumps(said, ensure_ascii=False),
    )
    assert not any(one.get("text") or one.get("buttons") for one in said["responses"])  # an action has no words of its own
    if row is not None:
        _keeps_its_promise(row, came)
    return came


def _keeps_its_promise(row: Promised, came: Came) -> None:
    for reply, variables in came.says:
        assert reply in row.says, f"{row.name} says {reply}, which its row does not have"
        assert frozenset(variables) == row.says[reply], f"{row.name} gives {reply} {sorted(variables)}"
        assert all(value not in (None, "") for name, value in variables.items()), (reply, variables)
    if came.failed != (None, None):
        assert came.says == ()
        assert row.name == "action_check_code" or set(came.slots) == {FAILED, REASON}
    elif FAILED in came.slots and row.name != "action_recall":
        optional = {"card_ending", "policy_number", "service_kind"}
        missing = set(row.sets) - set(came.slots) - (optional if "_list_" in row.name else set())
        assert not missing, f"{row.name} does not set {sorted(missing)}"
