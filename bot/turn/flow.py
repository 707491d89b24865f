"""Flows in a turn: what the engine said becomes part of the decision, what it yielded is run, and other rules' answers lead back.

Nothing here holds a transaction: the engine is pure, and actions are waited for before the commit. A turn that is run again makes the same
calls with the same numbers.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.flows.actions import Called, Done, RunAction, Uttered
from bot.flows.ask import shown_value, title_of
from bot.flows.commands import Answer, Command, Correct, Fill, LeadBack, Missed, Named, Resume, Start, Wants
from bot.flows.engine import Engine
from bot.flows.listen import NO_PLAN, Judge, Listener, Plan
from bot.flows.model import Slot
from bot.flows.stack import chain, find_root, name_of, only_speaks, root_of
from bot.flows.state import FLOWS, State, kept_state, read_state, with_flows
from bot.flows.work import Line, Outcome, Situation
from bot.messages import Button, Event
from bot.turn.decision import FLOW, Arrived, Decision, Reason, Say
from bot.turn.deeds import Deed, Doing, GiveConsent, Remember
from bot.turn.experience import careful
from bot.turn.learn import Lessons, moves, stated
from bot.turn.linking import GREETINGS, START, Gate, Linked
from bot.understand.clauses import Found
from bot.understand.hear import Heard
from memory.context import Context
from memory.database import Database, Tx
from memory.dialogue import dialogue_elsewhere, dialogues_of, keep_dialogues
from memory.links import Redeemed
from memory.proofs import CONFIRMED, level_now
from memory.values import ValueRefused

logger = logging.getLogger(__name__)

SILENT = ("relay", "noted", "edit noted", "membership", "forgotten", "ask to forget", "prove", "still waiting")
"""After these rules nothing leads back to the flow: nothing was said, or something else was asked."""

NUMBERS = re.compile(r"(?<!\w)[^\W\d]{0,8}\d\w{0,40}(?:[ -]\d\w{0,40}){0,8}")
FEWEST_DIGITS = 3
"""What may be a code: so many digits or more, with letters, spaces or hyphens between them."""

PERSONS = ("utter_handoff", "utter_action_")
"""Beginnings of replies that say that a person takes over."""


@dataclass(frozen=True, slots=True)
class LeaveFlows:
    """The flows of another of the person's conversations have been carried over from it: it keeps none."""

    identity_id: int

    def do(self, tx: Tx, doing: Doing) -> None:
        rows = dialogues_of(tx, [self.identity_id])
        keep_dialogues(tx, [{"identity_id": row.identity_id, "state": with_flows(row.state, {}), "at": row.at} for row in rows])


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Flows that wait in another conversation of the same person, which goes by the identity ``there``."""

    there: int
    state: State


class FlowTurns:
    """Flows of one assistant in its turns. ``run_action`` None: there is nobody who runs actions, and each of them is unavailable."""

    def __init__(
        self, engine: Engine, *, judge: Judge | None = None, run_action: RunAction | None = None, database: Database | None = None
    ) -> None:
        self._engine = engine
        self._listener = Listener(engine, judge)
        self._run_action = run_action
        self._database = database
        examples = engine.flows.examples
        self._kinds = {*examples.entities, *examples.patterns, *(one.name for one in engine.flows.domain.slots.values() if one.fact)}

    def plan(self, arrived: Arrived, heard: Heard, context: Context, found: Sequence[Found], gate: Gate) -> Plan:
        """What a message is to the flows; nothing where a person has the conversation, or a link was used."""
        first = arrived.first
        if context.handoff is not None or arrived.continued or first.event in (Event.REACTION, Event.MEMBERSHIP):
            return NO_PLAN
        state = read_state(_standing(context))
        payload = str(first.data.get("payload", "")) if first.event is Event.PRESS else ""
        text = arrived.text if first.event is not Event.PRESS else ""
        if not payload and (answer := self._shared(arrived, state)) is not None:
            return replace(NO_PLAN, active=True, commands=(answer,))
        if gate.links is not None or (not payload and not text) or (text.startswith(START)):
            return replace(NO_PLAN, active=bool(state.stack))
        if context.dialogue.get("asked") == "worked_out" and (heard.affirm or heard.deny) and state.waits is None:
            return replace(NO_PLAN, active=bool(state.stack))
        situation = self._situation(arrived, context, gate)
        return self._listener.listen(state, situation, heard, found, payload=payload, edited=first.event is Event.EDIT)

    async def elsewhere(self, plan: Plan, heard: Heard, arrived: Arrived, context: Context, gate: Gate) -> Elsewhere | None:
        """Flows that wait in the person's other conversation, where this message may be about them. Looked up only then."""
        if plan.active or context.handoff is not None:
            return None
        if isinstance(gate.links, Linked):
            state = read_state({FLOWS: gate.links.elsewhere.get(FLOWS)})
            return Elsewhere(gate.links.there, state) if state.stack else None
        if len(context.person) == 1 or self._database is None:
            return None
        resumes = "resume" in plan.trace.get("said", ())
        if not (resumes or heard.greeting or arrived.text.startswith(START) or any(isinstance(one, Start) for one in plan.commands)):
            return None
        found = await self._database.read(lambda tx: dialogue_elsewhere(tx, context.customer_id, context.identity_id))
        if found is None or not (state := read_state(found[1])).stack:
            return None
        return Elsewhere(found[0], state)

    async def finish(
        self, decision: Decision, plan: Plan, arrived: Arrived, context: Context, gate: Gate, waiting: Elsewhere | None
    ) -> tuple[Decision, dict[str, Any]]:
        """The decision with what the flows do in this turn, and what the trace says of it."""
        secrets = self._secrets(plan, arrived, read_state(context.dialogue))
        decision, trace = await self._finish(decision, plan, arrived, context, gate, waiting)
        return (replace(decision, secrets=secrets) if secrets else decision), trace

    def _secrets(self, plan: Plan, arrived: Arrived, state: State) -> tuple[str, ...]:
        """What the customer wrote in answer to a question for a secret, so far as it can be one: words with digits, and a lone word."""
        slots = self._engine.flows.domain.slots
        told = [one for one in plan.commands if isinstance(one, Answer | Correct | Fill)]
        if not any(slots[name].secret for name in (state.asked or "", *(one.slot for one in told)) if name in slots):
            return ()
        found = [match[0] for match in NUMBERS.finditer(arrived.text) if sum(map(str.isdigit, match[0])) >= FEWEST_DIGITS]
        alone = [one.value for one in told if one.slot in slots and slots[one.slot].secret and " " not in str(one.value)]
        return tuple(sorted({*found, *(one for one in alone if isinstance(one, str))}, key=len, reverse=True))

    async def _finish(
        self, decision: Decision, plan: Plan, arrived: Arrived, context: Context, gate: Gate, waiting: Elsewhere | None
    ) -> tuple[Decision, dict[str, Any]]:
        if _standing(context) is not context.dialogue:  # a person has brought to an end what was under way
            decision = replace(decision, dialogue=with_flows(decision.dialogue if decision.dialogue is not None else context.dialogue, {}))
        if not (plan.commands or plan.active or waiting is not None or plan.entities):
            return decision, {}
        situation = self._situation(arrived, context, gate, plan)
        dialogue = decision.dialogue if decision.dialogue is not None else context.dialogue
        if any(isinstance(one, Missed) for one in plan.commands) and decision.rule == FLOW and careful(context, arrived.first.at):
            # Being asked back is one more effort, and this customer has had two bad moments too many.
            new = {**dialogue, "unsure": 0, "asked": None}
            decision = Decision("handoff careful", says=(Say("utter_handoff_careful"),), handoff=Reason.CAREFUL, dialogue=new)
        commands, elsewhere = self._commands(decision, plan, situation, waiting)
        if not commands:
            return self._remembered(decision, plan, dialogue, arrived), _traced(plan, None, decision)
        outcome = await self._drive(dialogue, commands, situation, elsewhere)
        return self._merged(decision, outcome, dialogue, context, elsewhere), _traced(plan, outcome, decision)

    def _shared(self, arrived: Arrived, state: State) -> Answer | None:
        """A contact or a position that was sent in answer to the question that stands."""
        told = next((one for one in stated(arrived) if one.name == state.asked), None)
        if told is None:
            return None
        declared = self._engine.declared
        try:
            return Answer(told.name, declared.fact(told.name).check(told.value, region=declared.region))
        except ValueRefused:
            return None

    # -- which commands -----------------------------------------------------------------------------------------------

    def _commands(
        self, decision: Decision, plan: Plan, situation: Situation, waiting: Elsewhere | None
    ) -> tuple[Sequence[Command], Elsewhere | None]:
        """What the engine is to do after another rule, or this plan, decided; and the conversation that it takes the flows from."""
        if decision.rule == FLOW:
            starts = [one.flow for one in plan.commands if isinstance(one, Start)]
            known = waiting is not None and any(find_root(waiting.state, one) is not None for one in starts)
            return plan.commands, waiting if known else None
        if waiting is not None and decision.handoff is None:
            if "resume" in plan.trace.get("said", ()):
                return [Resume()], waiting
            if decision.rule.startswith(GREETINGS) or decision.rule == "linked":
                waiting.state.paused = True  # it is asked whether that is still wanted
                return [LeadBack()], waiting
        if not plan.active:
            return (), None
        if decision.handoff is not None:
            return [Wants()], None
        if decision.rule in SILENT or not (decision.says or decision.rule == "told"):  # what is likely is not asked about in a flow
            return (), None
        facts = {name: value for name, value in plan.entities.items() if name in self._engine.declared.facts}
        return [*([Named(facts)] if facts else []), Resume() if decision.rule == "linked" else LeadBack()], None

    # -- what comes of them -------------------------------------------------------------------------------------------

    async def _drive(
        self, dialogue: Mapping[str, Any], commands: Sequence[Command], situation: Situation, waiting: Elsewhere | None
    ) -> Outcome:
        state = None
        if waiting is not None:
            state = waiting.state
            state.source = waiting.there
        running = self._engine.run(dialogue, commands, situation, elsewhere=state)
        took: list[float] = []
        try:
            called = next(running)
            while True:
                started = time.perf_counter()
                done = await self._done(called)
                took.append(round((time.perf_counter() - started) * 1000, 1))
                called = running.send(done)
        except StopIteration as end:
            outcome: Outcome = end.value
        if took:
            actions = [{**one, "ms": ms} for one, ms in zip(outcome.trace["actions"], took, strict=True)]
            outcome = replace(outcome, trace={**outcome.trace, "actions": actions})
        return outcome

    async def _done(self, called: Called) -> Done:
        if self._run_action is None:
            return Done(failed="unavailable")
        return await self._run_action(called)

    def _merged(
        self, decision: Decision, outcome: Outcome, dialogue: Mapping[str, Any], context: Context, waiting: Elsewhere | None
    ) -> Decision:
        says = [say_of(one) for one in outcome.lines]
        own = decision.rule == FLOW
        before: tuple[Say, ...] = decision.says
        if decision.rule == "linked" and outcome.lines:
            before = (Say("utter_linked_no_matter"),)
        new = with_flows(dialogue, outcome.state)
        if own:
            new |= {"unsure": 0, "asked": None}
        if (matter := self._finished(outcome)) is not None:
            new |= {"matter": matter, "matter_asked": False}
        if own or decision.rule == "linked":
            new = {name: value for name, value in new.items() if name not in ("asked", "asked_matter") or value is not None}
        handoff = decision.handoff
        if outcome.handoff is not None:
            handoff = {"failed": Reason.FAILED, "unsure": Reason.UNSURE}.get(outcome.handoff, Reason.ASKED)
            if not any(one.name.startswith(PERSONS) for one in says):
                says.append(Say("utter_handoff"))
        deeds: list[Deed] = []
        for fact in outcome.facts:
            if fact.consent is not None:
                deeds.append(GiveConsent(fact.consent))
            deeds.append(Remember(fact.name, fact.value))
        for event in outcome.events:
            deeds += moves(event, context, self._engine.declared)
        if waiting is not None:
            deeds.append(LeaveFlows(waiting.there))
        return replace(
            decision,
            rule=outcome.rule if own else decision.rule,
            says=(*before, *says),
            dialogue=new,
            deeds=(*decision.deeds, *deeds),
            handoff=handoff,
            tried=self._tried(outcome) if handoff is not None else (),
            want=_begun_with(outcome) if handoff is not None else "",
        )

    def _finished(self, outcome: Outcome) -> str | None:
        """What the customer reads of the flow that ended in this turn: it is what was spoken about last, if it did more than speak."""
        flows = self._engine.flows
        ended = [one.removeprefix("flow ").removesuffix(" finished") for one in outcome.events if one.endswith(" finished")]
        matters = [one for one in ended if one not in flows.flows or not only_speaks(flows.flows[one])]
        return name_of(matters[-1], flows) if matters else None

    def _remembered(self, decision: Decision, plan: Plan, dialogue: Mapping[str, Any], arrived: Arrived) -> Decision:
        """What was named beside, kept for a flow that may come to need it."""
        things = {name: value for name, value in plan.entities.items() if name in self._kinds}
        if not things or decision.handoff is not None or decision.relay or not decision.says:
            return decision
        state = read_state(dialogue)
        state.forget_old(arrived.first.at)
        state.name(things, arrived.first.at)
        if state.at is None:
            state.at = arrived.first.at
        return replace(decision, dialogue=with_flows(dialogue, kept_state(state)))

    def _tried(self, outcome: Outcome) -> tuple[str, ...]:
        """What the person is told of the flow: how far it came, what was asked and answered."""
        flows, declared = self._engine.flows, self._engine.declared
        lines: list[str] = []
        state = read_state({FLOWS: outcome.left or outcome.state})
        if (root := root_of(state)) is not None:
            slots = {name: state.slots[name] for frame in chain(state) for name in frame.touched if state.slots.get(name) is not None}
            told = []
            for name, value in slots.items():
                slot = flows.domain.slots.get(name) or Slot(name)
                if not slot.by_customer:  # what actions note down for the flow's own use tells a person nothing
                    continue
                about = declared.fact(name) if slot.fact else None
                hidden = about is not None and about.sensitivity == "sensitive"
                shown = about.masked(value) if about is not None and hidden else shown_value(slot, value, declared)
                told.append(f"{title_of(slot, declared)}: {shown}")
            asked = state.asked
            if asked is not None and asked not in slots:
                told.append(f"asked for {title_of(flows.domain.slots.get(asked) or Slot(asked), declared)}, not answered")
            lines.append(f"{name_of(root.flow, flows)} ({'; '.join(told)})" if told else name_of(root.flow, flows))
        failed = [one["action"] for one in outcome.trace.get("actions", ()) if one["outcome"] != "done"]
        lines += [*(f"{one} failed" for one in failed), *outcome.notes]
        return tuple(lines)

    def _situation(self, arrived: Arrived, context: Context, gate: Gate, plan: Plan = NO_PLAN) -> Situation:
        first = arrived.first
        level = level_now(context.proof, context.proven_at, first.at, gate.fresh_for)
        if isinstance(gate.links, Linked) and gate.links.outcome is Redeemed.DONE and level != "verified":
            level = CONFIRMED
        return Situation(
            arrived.turn_id,
            f"{context.channel}:{context.address}",
            first.at,
            context,
            level,
            arrived.text,
            plan.intent,
            plan.entities,
        )


def _standing(context: Context) -> dict[str, Any]:
    """The dialogue, without the flows that a person took over and brought to an end."""
    kept = context.dialogue.get(FLOWS) or {}
    episode = context.last_episode
    if kept.get("paused") and episode is not None and episode.ending == "closed":
        return with_flows(context.dialogue, {})
    return context.dialogue


def _begun_with(outcome: Outcome) -> str:
    """What the customer said when the flow began."""
    root = root_of(read_state({FLOWS: outcome.left or outcome.state}))
    return root.words if root is not None else ""


def say_of(line: Line) -> Say:
    """Something that the engine or an action says, as the turn says it."""
    one: Uttered = line.uttered
    buttons = tuple(Button(title, payload) for title, payload in one.buttons)
    own, beside = (buttons, ()) if line.own else ((), buttons)
    return Say(one.name or "", dict(one.variables), beside, text=one.text, spare=own, lenient=True, slots=line.slots)


def without_told(lessons: Lessons, deeds: Iterable[Deed]) -> Lessons:
    """The lessons without facts that the flow keeps itself: what was asked for is told, not only likely."""
    told = {one.name for one in deeds if isinstance(one, Remember)}
    if not told or not lessons.facts:
        return lessons
    return replace(lessons, facts=tuple(one for one in lessons.facts if one.name not in told))


def _traced(plan: Plan, outcome: Outcome | None, decision: Decision) -> dict[str, Any]:
    trace: dict[str, Any] = {}
    if plan.trace:
        trace["understood"] = dict(plan.trace)
    if outcome is not None:
        trace["flow"] = {**outcome.trace, "rule": outcome.rule}
    return trace
