"""The machine: step after step, until a question, the end, or something that has to be waited for. Pure: actions are yielded, not run."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from bot.flows.actions import Called, Done
from bot.flows.ask import lacks_consent, question, read_back
from bot.flows.model import END, Act, Call, Collect, Link, SetSlots, Step
from bot.flows.stack import DEEPEST, chain, end_frame, kept_slots, name_of
from bot.flows.state import MOST_WORDS, Frame, kept_state
from bot.flows.work import FAILED_SLOT, PROOF_SLOT, REASON_SLOT, Work
from memory.declared import PROOFS, at_least
from memory.proofs import VERIFIED

MOST_STEPS, MOST_CALLS = 60, 10
"""Steps and actions of one turn; a flow that takes more goes round in circles."""

UTTER = "utter_"

REASONS = ("asked", "failed", "unsure", "careful")
"""Why a person is asked for, where that says no more than the handoff itself does."""

Calls = Generator[Called, Done, None]


def advance(work: Work) -> Calls:
    """Go on from where the top frame stands. Afterwards the state waits for something, or no flow is open, or a person is asked for."""
    state = work.state
    while state.stack and state.waits is None and work.handoff is None:
        step = work.step()
        if step is None:
            _drop_changed(work)
        elif step == END:
            _finish(work)
        elif work.steps >= MOST_STEPS or work.calls >= MOST_CALLS:
            work.dropped.append(f"{work.frame.flow}: too many steps")
            give_up(work, "error")
        else:
            assert isinstance(step, Step)
            work.steps += 1
            yield from _take(work, step)


def begin(work: Work, flow: str, *, called: bool = False) -> None:
    """Put a flow on the stack."""
    words = "" if called else work.situation.text[:MOST_WORDS]
    work.state.stack.append(Frame(flow, work.flows.flows[flow].first, called=called, words=words))
    if not called:
        work.events.append(f"flow {flow} started")


def go_on(work: Work, step: Step) -> None:
    """Move the top frame past ``step``, by the first way out whose condition holds; where none does, the flow ends."""
    values: Mapping[str, Mapping[str, Any]] | None = None
    for branch in step.next:
        if branch.when is not None and values is None:
            values = work.values()
        if branch.when is None or (values is not None and branch.when.holds(values)):
            work.frame.step = branch.to
            return
    work.frame.step = END


def ask(work: Work, step: Collect, *, short: bool = False, again: bool = False, consent: bool | None = None) -> None:
    """Ask for a slot and wait. ``again``: the same question as before, on purpose, as the customer asked or has not answered it."""
    slot = work.slot(step.slot)
    if not again:
        work.asked.append(step.slot)
    for one in question(step, slot, work.situation.context, work.declared, work.replies, work.variables, short=short):
        work.utter(one)
    if consent is None:
        needs = slot.fact and lacks_consent(work.declared.fact(slot.name), work.situation.context, work.declared) is not None
        consent = needs and not short
    work.state.waits = {"for": "slot", "slot": step.slot, **({"consent": True} if consent else {})}


def confirm(work: Work, step: Collect, value: Any, *, fact_id: int | None = None) -> None:
    """Read back what is known and wait for a yes, a no, or another value."""
    work.utter(read_back(work.slot(step.slot), value, work.declared))
    work.state.waits = {"for": "slot", "slot": step.slot, "value": value, **({"fact": fact_id} if fact_id is not None else {})}


def give_up(work: Work, failed: str) -> None:
    """Say honestly that it did not work, and pass it on: the flow that is under way ends here, with those that wait below it kept."""
    frames = chain(work.state)
    work.left = kept_state(work.state)
    work.say("utter_action_unavailable" if failed in ("timeout", "unavailable") else "utter_action_failed")
    for _ in frames:
        _end(work)
    work.handoff, work.rule = "failed", "flow failed"


def end_chain(work: Work) -> None:
    """Take the flow under way off the stack, with those that it has called."""
    for _ in chain(work.state):
        _end(work)


def _take(work: Work, step: Step) -> Calls:
    match step:
        case Collect():
            _collect(work, step)
        case Act():
            yield from _act(work, step)
        case SetSlots():
            for name, value in step.values.items():
                if value is None:
                    work.empty(name)
                    if name not in work.frame.wrong:  # it is asked for anew, so what the memory has of it does not count either
                        work.frame.wrong.append(name)
                else:
                    work.set(name, value)
                    for kind in work.slot(name).entities:  # what was named before is decided by this
                        work.state.said.pop(kind, None)
            go_on(work, step)
        case Link():
            _link(work, step)
        case Call():
            _call(work, step)
        case _:
            go_on(work, step)


def _collect(work: Work, step: Collect) -> None:
    """Fill a slot from what was said, from what is known, and only then by asking."""
    name, state, frame = step.slot, work.state, work.frame
    if name in frame.refused:
        go_on(work, step)
        return
    value = state.slots.get(name)
    if value is not None and _was_guessed(work, name):
        value = None
    if value is not None:
        if name in frame.answered:
            go_on(work, step)
        elif name in frame.touched or not _is_anothers(work, name):
            if step.confirm and name not in frame.touched:
                confirm(work, step, value)
            else:
                accept(work, step)
        else:
            confirm(work, step, value)
        return
    if (named := work.named(name)) is not None:
        kind, value = named
        del state.said[kind]
        work.give(name, value)
        accept(work, step)
        return
    if name not in frame.wrong:
        if (known := work.known(name)) is not None:
            work.used.append([name, known.fact_id])
            if step.confirm or not known.sure:
                confirm(work, step, known.value, fact_id=known.fact_id)
            else:
                work.set(name, known.value)
                accept(work, step, silently=True)
            return
        recent = state.recent.get(name)
        if recent is not None and recent[1] != frame.flow and work.slot(name).type != "bool":
            confirm(work, step, recent[0])
            return
    ask(work, step)


def _was_guessed(work: Work, slot: str) -> bool:
    """Whether an action has filled the slot, as with the only thing that there is, while the customer has named another one."""
    frames = chain(work.state)
    named = work.named(slot)
    return (
        named is not None
        and named[1] != work.state.slots.get(slot)
        and any(slot in one.touched for one in frames)
        and not any(slot in one.answered or slot in one.given for one in frames)
    )


def _is_anothers(work: Work, slot: str) -> bool:
    """Whether the value belongs to a flow that waits below."""
    mine = chain(work.state)
    return any(slot in one.touched for one in work.state.stack if not any(one is other for other in mine)) and not any(
        slot in one.touched for one in mine
    )


def accept(work: Work, step: Collect, *, silently: bool = False) -> None:
    """Take the value that the slot has, unless the flow rejects it: then why is said, and it is asked for."""
    name, frame = step.slot, work.frame
    values = work.values() if step.rejections else {}
    for rejection in step.rejections:
        if rejection.when.holds(values):
            if silently:
                frame.wrong.append(name)
            elif rejection.utter in work.replies:
                work.say(rejection.utter, **work.variables)
            work.empty(name)
            frame.misses += 1
            if frame.misses >= 3:
                offer_person(work)
            ask(work, step, short=True, again=True)
            return
    if name not in frame.answered:
        frame.answered.append(name)
    for one in chain(work.state):
        if name in one.given:  # by the flow that called this one, perhaps
            frame.misses = 0
            work.tell(name, agreed=name in one.agreed)
            one.given.remove(name)
    go_on(work, step)


def ask_proof(work: Work, needed: str) -> None:
    """Ask the customer to prove who they are, in more words the first time."""
    first = not work.frame.asked_proof
    work.say("utter_prove_act_person" if needed == VERIFIED else "utter_prove_act" if first else "utter_prove_act_again")
    work.frame.asked_proof = True


def offer_person(work: Work) -> None:
    """Offer a person beside the question that stands."""
    work.say("utter_flow_person", flow=work.flow_name())


def _act(work: Work, step: Act) -> Calls:
    state, frame = work.state, work.frame
    needed = work.demands.get(step.action, "seen")
    if step.action in work.flows.domain.actions:
        needed = max(needed, work.flows.domain.actions[step.action].proof, key=_proof_order)
    if not at_least(work.situation.level, needed):
        ask_proof(work, needed)
        state.waits = {"for": "proof", "level": needed}
        return
    if step.action.startswith(UTTER):
        work.say(step.action, **work.variables)
        go_on(work, step)
        return
    at = work.situation
    done = yield Called(
        step.action,
        at.turn_id,
        work.calls,
        at.sender,
        {**dict.fromkeys(work.flows.domain.slots), **state.slots},
        at.text,
        at.intent,
        at.entities,
        frame.flow,
        at.level,
    )
    work.calls += 1
    work.actions.append({"action": step.action, "outcome": failure_of(done) or "done"})
    _take_result(work, step, done)


def _take_result(work: Work, step: Act, done: Done) -> None:
    frame = work.frame
    failed = work.failed = failure_of(done)
    if done.failed is not None and REASON_SLOT in work.state.slots:  # why an earlier action failed says nothing of this one
        work.empty(REASON_SLOT)
    if done.slots.get(PROOF_SLOT) in PROOFS:  # what an action has just proven holds from here on, and not only from the next turn
        work.situation = replace(work.situation, level=max(work.situation.level, done.slots[PROOF_SLOT], key=_proof_order))
    for name, value in done.slots.items():
        if name in work.flows.domain.slots:
            if value is None:
                work.empty(name)
            else:
                work.set(name, value)
        elif name not in (FAILED_SLOT, REASON_SLOT, PROOF_SLOT):
            work.dropped.append(f"slot {name} of {step.action}")
    for one in done.says:
        work.utter(replace(one, variables={**work.variables, **one.variables}) if one.name is not None else one, own=False)
    about = work.flows.domain.actions.get(step.action)
    if failed is None and (about is None or about.changes):
        frame.done = True
    if done.handoff is not None:
        work.handoff, work.rule = done.handoff, "flow handoff"
        wanted = () if done.handoff in REASONS else (done.handoff,)
        work.notes += [one for one in (*wanted, done.note, f"for {done.queue}" if done.queue else None) if one]
    if failed is not None and not _is_handled(work, step):
        give_up(work, failed)
        return
    go_on(work, step)
    if work.handoff is not None and work.frame.step == END:
        work.left = kept_state(work.state)
        _end(work, finished=True)


def failure_of(done: Done) -> str | None:
    """How an action failed: as whoever ran it saw, or as it says itself in a slot; None where it did not."""
    said = done.slots.get(FAILED_SLOT)
    return done.failed or (str(said) if said else None)


def _is_handled(work: Work, step: Act) -> bool:
    """Whether the flow itself says what comes of a failure: at this step, or at the one to which it leads."""
    if _reads_failure(step):
        return True
    flow = work.flows.flows[work.frame.flow]
    ahead = [flow.steps[branch.to] for branch in step.next if branch.to in flow.steps]
    return bool(ahead) and all(_reads_failure(one) and not isinstance(one, Act | Collect) for one in ahead)


def _reads_failure(step: Step) -> bool:
    slots = {f"slots.{FAILED_SLOT}", f"slots.{REASON_SLOT}"}
    return any(branch.when is not None and slots & branch.when.reads for branch in step.next)


def _link(work: Work, step: Link) -> None:
    if step.flow not in work.flows.flows:
        work.frame.step = "(no such flow)"
        return
    frame = work.frame
    work.events += [f"flow {frame.flow} finished", f"flow {step.flow} started"]
    flow = work.flows.flows[step.flow]
    frame.flow, frame.step = flow.id, flow.first
    frame.refused, frame.wrong, frame.misses = [], [], 0


def _call(work: Work, step: Call) -> None:
    if step.flow not in work.flows.flows or len(chain(work.state)) >= DEEPEST:
        work.dropped.append(f"{work.frame.flow}: call of {step.flow}")
        work.frame.step = "(no such flow)"
        return
    go_on(work, step)
    begin(work, step.flow, called=True)


def _drop_changed(work: Work) -> None:
    """A flow or a step that is no more, as after an edit: say so, and go on with what waits below."""
    name = name_of(work.state.stack[-len(chain(work.state))].flow, work.flows)
    work.dropped.append(f"{work.frame.flow} at {work.frame.step}")
    end_chain(work)
    work.say("utter_flow_changed", flow=name)
    work.rule = "flow changed"


def _finish(work: Work) -> None:
    """The end of a flow: back to its caller, or to what waits below, or nothing."""
    was_called = work.frame.called
    _end(work, finished=True)
    if was_called or not work.state.stack:
        return
    if work.state.stack:
        work.say("utter_flow_back", flow=work.flow_name())


def _end(work: Work, *, finished: bool = False) -> None:
    state, frame = work.state, work.frame
    flow = work.flows.flows.get(frame.flow)
    if not frame.called:
        if finished:
            work.events.append(f"flow {frame.flow} finished")
        at = work.situation.now.isoformat()
        for slot in frame.answered:
            if (value := state.slots.get(slot)) is not None and not work.slot(slot).fact and not work.slot(slot).secret:
                state.recent.pop(slot, None)
                state.recent[slot] = (value, frame.flow, at)
    initial = {name: slot.initial for name, slot in work.flows.domain.slots.items() if slot.initial is not None}
    end_frame(state, work.flows, kept_slots(flow), initial)
    state.waits = None


def _proof_order(level: Any) -> int:
    return PROOFS.index(level)
