"""The flow engine: one call a turn, from commands and a state to what is said, what changed, and the actions to be run between. Pure.

``run`` is a generator: it yields each action that is to be run and is sent what came of it, so that whoever drives it can wait with no
transaction open. The same state, commands and answers give the same outcome, and the same action has the same turn and call number.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.flows.actions import Called, Done
from bot.flows.commands import Command, names_of
from bot.flows.model import Flows
from bot.flows.repair import apply, take_named
from bot.flows.state import State, kept_state, read_state
from bot.flows.steps import advance
from bot.flows.work import Outcome, Situation, Work
from memory.declared import Declarations

STILL_WANTED = timedelta(hours=24)
"""After so long it is asked whether a flow is still wanted, where nothing else is set."""


@dataclass(frozen=True)
class Engine:
    """Runs an assistant's flows. ``replies`` are the names of what can be said, ``demands`` the levels that replies need by their names."""

    flows: Flows
    declared: Declarations
    replies: frozenset[str] = frozenset()
    demands: Mapping[str, str] = field(default_factory=dict)
    still_wanted: timedelta = STILL_WANTED

    def run(
        self, dialogue: Mapping[str, Any], commands: Sequence[Command], situation: Situation, *, elsewhere: State | None = None
    ) -> Generator[Called, Done, Outcome]:
        """One turn. ``dialogue`` is the conversation's state, of which ``Outcome.state`` is the new part that is about flows.

        ``elsewhere``: go on from this state instead, which is that of another conversation of the same person.
        """
        state = elsewhere if elsewhere is not None else read_state(dialogue)
        state.forget_old(situation.now)
        before = _place(state)
        work = Work(self.flows, self.declared, self.replies, self.demands, self.still_wanted, state, situation)
        for command in commands:
            apply(work, command)
        take_named(work)
        if work.handoff is None:
            yield from advance(work)
        again = asked_again(work)
        state.asked_again += len(again)
        if work.handoff is not None:
            state.paused = bool(state.stack)
        state.at = situation.now
        if not work.lines and not state.stack and work.handoff is None and any(one.endswith(" finished") for one in work.events):
            work.say("utter_flow_done")
        trace = _trace(work, commands, before, again)
        said, told, events = tuple(work.lines), tuple(work.facts), tuple(work.events)
        return Outcome(work.rule, said, kept_state(state), told, events, work.handoff, work.left, tuple(work.notes), trace)


def asked_again(work: Work) -> Collection[str]:
    """The slots that were asked for in this turn although their value is known or was said. There should be none; a script fails on any.

    What the customer denied, what was rejected, and a question repeated on purpose do not count.
    """
    found: list[str] = []
    for slot in work.asked:
        frame = work.state.active
        if frame is None or slot in frame.wrong:
            continue
        known = work.known(slot)
        if (
            work.state.slots.get(slot) is not None
            or slot in frame.answered
            or work.named(slot) is not None
            or (known is not None and known.sure)
        ):
            found.append(slot)
    return found


def _place(state: State) -> list[str] | None:
    frame = state.active
    return [frame.flow, frame.step] if frame is not None else None


def _trace(work: Work, commands: Sequence[Command], before: list[str] | None, again: Collection[str]) -> dict[str, Any]:
    """What happened, by names and numbers; what did not happen is left out."""
    waits = work.state.waits or {}
    told: dict[str, Any] = {
        "commands": names_of(tuple(commands)),
        "before": before,
        "after": _place(work.state),
        "waits": " ".join(str(waits[key]) for key in ("for", "slot", "offer", "level") if key in waits) or None,
        "steps": work.steps,
        "filled": sorted({slot for frame in work.state.stack for slot in frame.touched}),
        "facts": work.used,
        "told": [one.name for one in work.facts],
        "actions": work.actions,
        "events": work.events,
        "dropped": work.dropped,
        "asked": work.asked,
        "asked_again": list(again),
        "handoff": work.handoff,
    }
    return {name: value for name, value in told.items() if value}
