"""One turn of the flow engine under way: the state as it changes, and what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.flows.actions import Uttered
from bot.flows.ask import lacks_consent, title_of, variables_of
from bot.flows.known import Known, known_value
from bot.flows.model import Collect, Flow, Flows, Slot, Step
from bot.flows.stack import at_step, chain, collects, name_of, root_of, touch
from bot.flows.state import Frame, State
from memory.context import Context, KnownFact
from memory.declared import Declarations
from memory.usable import allowed

FAILED_SLOT = "action_failed"
"""The slot in which conditions see how the last action failed; None where it did not."""

REASON_SLOT, PROOF_SLOT = "failed_reason", "proof"
"""Slots that an action may set though no domain has them: why it failed, and the level to which it has just proven who writes."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a turn of the engine is given beside the state and the commands. ``level`` is how well it is known now who writes.

    ``entities`` are what the customer's last words name, by kind.
    """

    turn_id: int
    sender: str
    now: datetime
    context: Context
    level: str = "seen"
    text: str = ""
    intent: str | None = None
    entities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """Something to be said. ``own``: the engine's own, whose buttons stand only where the reply has none. ``slots``: as they are then."""

    uttered: Uttered
    own: bool = True
    slots: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Telling:
    """A fact that the customer told, confirmed, or agreed to have kept: ``consent`` is the purpose that they agreed to by it."""

    name: str
    value: Any = field(repr=False)
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn of the engine came to. ``state`` is what the dialogue keeps of it, empty where nothing is open.

    ``handoff`` is why a person is asked for: ``failed``, ``unsure``, ``asked``, or what an action said; ``notes`` are for that person, and
    ``left`` is where a flow stood that could not go on. ``rule`` is the decision's. ``events`` move journeys. ``trace`` has names, ids and
    numbers, never values.
    """

    rule: str
    lines: tuple[Line, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)
    facts: tuple[Telling, ...] = ()
    events: tuple[str, ...] = ()
    handoff: str | None = None
    left: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    trace: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Work:
    """A turn under way.

    ``asked`` are the slots that the machine has newly asked for, ``used`` the facts that it went by, ``dropped`` what could not go on.
    """

    flows: Flows
    declared: Declarations
    replies: frozenset[str]
    demands: Mapping[str, str]
    still_wanted: timedelta
    state: State
    situation: Situation
    lines: list[Line] = field(default_factory=list)
    facts: list[Telling] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    used: list[list[Any]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    failed: str | None = None
    handoff: str | None = None
    left: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    rule: str = "flow"
    steps: int = 0
    calls: int = 0
    gathered: Mapping[str, KnownFact] | None = None

    # -- what is said -------------------------------------------------------------------------------------------------

    def say(self, name: str | None, buttons: tuple[tuple[str, str], ...] = (), /, **variables: Any) -> None:
        """Say one of the engine's own replies."""
        self.utter(Uttered(name, variables, buttons=buttons))

    def utter(self, uttered: Uttered, *, own: bool = True) -> None:
        """Say what was put together elsewhere."""
        self.lines.append(Line(uttered, own, dict(self.state.slots)))

    @property
    def variables(self) -> dict[str, Any]:
        """What replies may say: the slots, and the facts that may be used."""
        usable = [name for name in self.declared.facts if name in self.facts_allowed]
        known = {name: one.value for name in usable if (one := self.known_fact(name)) is not None and one.sure}
        shown = {name: self.declared.fact(name).shown(value) for name, value in known.items()}
        return {**shown, **variables_of(self.state.slots, self.flows.domain.slots, self.declared)}

    # -- where it stands ----------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        """The frame on top."""
        return self.state.stack[-1]

    def step(self) -> Step | str | None:
        """The step at which the top frame stands."""
        found: Step | str | None = at_step(self.frame, self.flows)
        return found

    def flow_name(self, frame: Frame | None = None) -> str:
        """What customers read of the flow that is under way."""
        one = frame or root_of(self.state)
        return name_of(one.flow, self.flows) if one is not None else ""

    def slot(self, name: str) -> Slot:
        """What is declared of a slot; of an undeclared one, that it is a text."""
        return self.flows.domain.slots.get(name) or Slot(name)

    def title(self, name: str) -> str:
        """What a slot is called towards people."""
        return title_of(self.slot(name), self.declared)

    def collect_of(self, slot: str) -> tuple[int, Flow, Collect] | None:
        """The step of the flow under way that asks for ``slot``, with the frame's place in its chain; the innermost counts."""
        frames = chain(self.state)
        for n in range(len(frames) - 1, -1, -1):
            flow = self.flows.flows.get(frames[n].flow)
            step = collects(flow).get(slot) if flow is not None else None
            if flow is not None and step is not None:
                return n, flow, step
        return None

    def values(self) -> dict[str, Mapping[str, Any]]:
        """What conditions ask about, by namespace."""
        return values_of(
            self.state, self.situation, self.flows, self.declared, failed=self.failed, flow=self.frame.flow if self.state.stack else None
        )

    # -- slots --------------------------------------------------------------------------------------------------------

    def set(self, slot: str, value: Any) -> None:
        """Set a slot in the frame on top."""
        touch(self.state, self.frame, slot, value)

    def give(self, slot: str, value: Any, *, agreed: bool = False) -> None:
        """Set a slot to what the customer told; the step that asks for it has yet to take it."""
        frame = self.frame
        self.set(slot, value)
        for kept in (frame.answered, frame.refused, frame.given, frame.agreed):
            if slot in kept:
                kept.remove(slot)
        frame.given.append(slot)
        if agreed:
            frame.agreed.append(slot)

    def empty(self, slot: str) -> None:
        """Empty a slot, so that it is asked for again."""
        frame = self.frame
        self.set(slot, None)
        for kept in (frame.answered, frame.refused, frame.given, frame.agreed):
            if slot in kept:
                kept.remove(slot)

    def known(self, slot: str) -> Known | None:
        """What the memory has of a slot that is a fact."""
        return self.known_fact(slot) if self.slot(slot).fact else None

    def known_fact(self, name: str) -> Known | None:
        """What the memory has of a fact."""
        at = self.situation
        return known_value(name, at.context, self.declared, at.level, at.now, facts=self.facts_allowed)

    @property
    def facts_allowed(self) -> Mapping[str, KnownFact]:
        """The facts that are gone by and allowed, gathered once."""
        if self.gathered is None:
            self.gathered = allowed(self.situation.context, self.declared)
        return self.gathered

    def named(self, slot: str) -> tuple[str, Any] | None:
        """Something that was named in this conversation and fills this slot: its kind, and what it stands for."""
        about = self.slot(slot)
        if not about.by_customer:
            return None
        for kind in (*about.entities, *((slot,) if about.fact else ())):
            if kind in self.state.said:
                return kind, self.state.said[kind][0]
        return None

    def tell(self, slot: str, *, agreed: bool) -> None:
        """Note a fact that the customer gave. ``agreed``: they were shown what it would be used for."""
        if not self.slot(slot).fact:
            return
        value = self.state.slots.get(slot)
        if value is None:
            return
        purpose = lacks_consent(self.declared.fact(slot), self.situation.context, self.declared)
        if purpose is None or agreed:
            self.facts.append(Telling(slot, value, purpose.name if purpose is not None else None))


def values_of(
    state: State, situation: Situation, flows: Flows, declared: Declarations, *, failed: str | None = None, flow: str | None = None
) -> dict[str, Mapping[str, Any]]:
    """What conditions ask about. ``customer`` are the facts that may be used now, with ``name`` and the ``stage`` of each product."""
    return {
        "slots": {**dict.fromkeys(flows.domain.slots), REASON_SLOT: None, **state.slots, FAILED_SLOT: failed},
        "context": {
            "channel": situation.context.channel,
            "language": situation.context.language,
            "proof": situation.level,
            "flow": flow,
        },
        "customer": _Customer(situation, declared),
    }


class _Customer(Mapping[str, Any]):
    """The facts of the customer for conditions, each looked up only where one asks for it."""

    def __init__(self, situation: Situation, declared: Declarations) -> None:
        self._situation = situation
        self._declared = declared

    def __getitem__(self, name: str) -> Any:
        at = self._situation
        known = known_value(name, at.context, self._declared, at.level, at.now)
        if known is not None and known.sure:
            return known.value
        stage = next((one.stage for one in at.context.journeys if one.product == name and not one.matter), None)
        if stage is not None:
            return stage
        if name == "name" and at.context.name is not None:
            return at.context.name
        raise KeyError(name)

    def __iter__(self) -> Any:
        return iter(self._situation.context.facts)

    def __len__(self) -> int:
        return len(self._situation.context.facts)
