"""Where a conversation's flows stand between two turns: small, JSON, and readable whatever became of the YAML meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

FLOWS = "flows"
"""Where a dialogue's state has it."""

MOST_FRAMES, MOST_SLOTS, MOST_SAID, MOST_TEXT = 12, 120, 20, 2000
"""Bounds of what is kept; what is said first goes first, and a longer text is cut."""

MOST_WORDS = 200
"""Characters of what a flow was begun with."""

NAMED_FOR = timedelta(hours=1)
"""For so long what was named, or answered in another flow, need not be said again."""

HIDDEN = "(not kept)"
"""Stands in traces for a value."""


@dataclass(slots=True)
class Frame:
    """A flow that is under way. ``step`` is where it waits, or what it does next once it is on top again.

    ``called``: by the flow below it, to which it returns. ``touched`` are the slots that it has filled, which end with it; ``saved`` are
    values of a flow further down that it has covered, which come back then. ``given`` are slots that the customer has told and no step
    has taken yet, ``agreed`` those of them of which they were shown what they are used for; ``answered`` are those that a step has taken,
    ``refused`` those they would not answer, ``wrong`` those of which what was known was denied. ``done``: an action has been run, so
    that more than words would have to be taken back. ``misses`` counts answers in a row that fit nothing, ``asked_proof``: a proof was
    asked for. ``words`` are those that it was begun with: what the customer wants, as they said it.
    """

    flow: str
    step: str
    called: bool = False
    touched: list[str] = field(default_factory=list)
    saved: dict[str, Any] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    done: bool = False
    misses: int = 0
    asked_proof: bool = False
    words: str = ""


@dataclass(slots=True)
class State:
    """The flows of a conversation: the last frame is on top.

    ``waits`` is what the customer was asked: ``{"for": "slot", "slot": ...}``, with ``value`` where something known was read back;
    ``{"for": "proof", "level": ...}``; ``{"for": "offer", "offer": ..., ...}`` for a yes or no about the flows themselves.
    ``said`` are things named in this conversation that no slot has taken yet, each with the time; ``recent`` are answers of flows that are
    over, each with its flow and the time. ``at`` is when the flows last went on. ``source`` is the identity whose conversation they were
    carried over from, for as long as anything is kept that may be of it: if the two people are parted, all of it goes. ``paused``: a
    person was asked for. ``asked_again`` counts questions for something known or answered.
    """

    stack: list[Frame] = field(default_factory=list)
    slots: dict[str, Any] = field(default_factory=dict)
    said: dict[str, tuple[Any, str]] = field(default_factory=dict)
    recent: dict[str, tuple[Any, str, str]] = field(default_factory=dict)
    waits: dict[str, Any] | None = None
    at: datetime | None = None
    source: int | None = None
    paused: bool = False
    asked_again: int = 0

    @property
    def active(self) -> Frame | None:
        """The frame on top."""
        return self.stack[-1] if self.stack else None

    @property
    def asked(self) -> str | None:
        """The slot that was asked for last and not answered yet."""
        return str(self.waits["slot"]) if self.waits is not None and self.waits.get("for") == "slot" else None

    @property
    def offer(self) -> str | None:
        """What was offered and not answered yet: start, still, cancel or person."""
        return str(self.waits["offer"]) if self.waits is not None and self.waits.get("for") == "offer" else None

    def forget_old(self, now: datetime) -> None:
        """Let go of what was said too long ago to be meant now; what was said with a flow that is open stays as long as it."""
        if self.stack:
            return
        since = (now - NAMED_FOR).isoformat()
        self.said = {name: one for name, one in self.said.items() if one[1] >= since}
        self.recent = {name: one for name, one in self.recent.items() if one[2] >= since}

    def name(self, things: Mapping[str, Any], at: datetime) -> None:
        """Keep what was named."""
        for name, value in things.items():
            self.said.pop(name, None)
            self.said[name] = (value, at.isoformat())
        for name in list(self.said)[: max(0, len(self.said) - MOST_SAID)]:
            del self.said[name]


def read_state(dialogue: Mapping[str, Any]) -> State:
    """The state in a dialogue's, whoever wrote it; what cannot be understood is left out."""
    kept = dialogue.get(FLOWS)
    if not isinstance(kept, Mapping):
        return State()
    at = kept.get("at")
    return State(
        stack=[_frame(one) for one in kept.get("stack", ()) if isinstance(one, Mapping) and one.get("flow") and one.get("step")],
        slots=dict(kept.get("slots") or {}),
        said={name: (one[0], one[1]) for name, one in (kept.get("said") or {}).items()},
        recent={name: (one[0], one[1], one[2]) for name, one in (kept.get("recent") or {}).items()},
        waits=dict(kept["waits"]) if kept.get("waits") else None,
        at=datetime.fromisoformat(at) if at else None,
        source=kept.get("from"),
        paused=bool(kept.get("paused")),
        asked_again=int(kept.get("asked_again", 0)),
    )


def _frame(kept: Mapping[str, Any]) -> Frame:
    return Frame(**{name: kept[name] for name in Frame.__slots__ if name in kept})


def kept_state(state: State) -> dict[str, Any]:
    """The state as JSON, without what is empty; an empty dict where there is nothing to keep."""
    kept: dict[str, Any] = {}
    if state.stack:
        kept["stack"] = [{k: v for k in Frame.__slots__ if (v := getattr(one, k))} for one in state.stack[-MOST_FRAMES:]]
    slots = {name: _cut(value) for name, value in list(state.slots.items())[-MOST_SLOTS:] if value is not None}
    more = {
        "slots": slots,
        "said": {name: [_cut(value), at] for name, (value, at) in state.said.items()},
        "recent": {name: [_cut(value), flow, at] for name, (value, flow, at) in list(state.recent.items())[-MOST_SAID:]},
        "waits": state.waits,
        "from": state.source if state.stack or slots or state.said or state.recent else None,
        "paused": state.paused and bool(state.stack),
        "asked_again": state.asked_again,
    }
    kept.update({name: value for name, value in more.items() if value})
    if kept and state.at is not None:
        kept["at"] = state.at.isoformat()
    return kept


def _cut(value: Any) -> Any:
    return value[:MOST_TEXT] if isinstance(value, str) else value


def with_flows(dialogue: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """A dialogue's state with that of its flows, None of which stays where there is nothing to keep."""
    new = {name: value for name, value in dialogue.items() if name != FLOWS}
    return {**new, FLOWS: dict(kept)} if kept else new


def without_values(dialogue: Mapping[str, Any]) -> dict[str, Any]:
    """A dialogue's state for a trace: which slots are filled, not with what. A trace outlives the right to know a value."""
    kept = dialogue.get(FLOWS)
    if not isinstance(kept, Mapping):
        return dict(dialogue)
    hidden: dict[str, Any] = dict(kept)
    for name in ("slots", "said", "recent"):
        if name in hidden:
            hidden[name] = dict.fromkeys(hidden[name], HIDDEN)
    if isinstance(hidden.get("waits"), Mapping) and "value" in hidden["waits"]:
        hidden["waits"] = {**hidden["waits"], "value": HIDDEN}
    if "stack" in hidden:
        hidden["stack"] = [{**one, "saved": dict.fromkeys(one["saved"], HIDDEN)} if one.get("saved") else one for one in hidden["stack"]]
    return {**dialogue, FLOWS: hidden}


def is_old(state: State, now: datetime, after: timedelta) -> bool:
    """Whether so long has passed that it is not certain the customer still wants to go on."""
    return bool(state.stack) and state.at is not None and now - state.at >= after
