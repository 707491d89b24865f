"""What each command does to the flows before they go on: answers, corrections, interruptions, changes of mind. Pure."""

from __future__ import annotations

from bot.flows.ask import START, YES_NO, help_with, reason, shown_value
from bot.flows.commands import (
    Answer,
    Cancel,
    Command,
    Correct,
    Fill,
    LeadBack,
    Missed,
    Named,
    Offer,
    Refuse,
    Repeat,
    Resume,
    Same,
    Start,
    Wants,
    Why,
    YesNo,
)
from bot.flows.model import Call, Collect
from bot.flows.stack import asked_in, chain, collects, drop_lowest, find_root, name_of, raise_root, root_index, root_of
from bot.flows.state import State, is_old
from bot.flows.steps import ask, ask_proof, begin, confirm, end_chain, offer_person
from bot.flows.work import Work, values_of
from memory.declared import at_least

SECOND, THIRD = 2, 3
"""At the second answer in a row that fits nothing a person is offered, at the third one is asked for."""


def apply(work: Work, command: Command) -> None:
    """Do what a command says to the state; the machine goes on afterwards, unless the state waits."""
    match command:
        case Named():
            work.state.name(command.things, work.situation.now)
        case Start():
            _start(work, command.flow)
        case Offer():
            _offer(work, command)
        case Answer() | Fill():
            _fill(work, command)
        case Correct():
            _correct(work, command)
        case Same():
            _same(work, command.slot)
        case YesNo():
            _yes_no(work, command.yes)
        case Cancel():
            _cancel(work)
        case Why():
            _why(work)
        case Refuse():
            _refuse(work)
        case Repeat():
            _again(work)
        case Resume():
            _resume(work)
        case LeadBack():
            _lead_back(work)
        case Missed():
            _missed(work)
        case Wants():
            work.state.paused = bool(work.state.stack)


def take_named(work: Work) -> None:
    """Fill what is named and no step of an open flow asks for: an action of the flow under way may read it."""
    if not work.state.stack or not work.state.said:
        return
    asked = {slot for frame in work.state.stack if (flow := work.flows.flows.get(frame.flow)) is not None for slot in collects(flow)}
    kept = {kind for slot in asked for kind in work.slot(slot).entities}  # two slots may be of one kind, such as two days
    for slot in work.flows.domain.slots.values():
        if slot.fact or not slot.entities or slot.name in asked or work.state.slots.get(slot.name) is not None:
            continue
        if (found := work.named(slot.name)) is not None and found[0] not in kept and (not slot.values or found[1] in slot.values):
            del work.state.said[found[0]]
            work.set(slot.name, found[1])


# -- beginning and ending -----------------------------------------------------------------------------------------------


def _start(work: Work, flow_id: str) -> None:
    state = work.state
    flow = work.flows.flows.get(flow_id)
    if flow is None:
        work.say("utter_flow_changed", flow=name_of(flow_id, work.flows))
        work.rule = "flow changed"
        return
    if state.offer in ("start", "still"):
        state.waits = None
    at = find_root(state, flow_id)
    if at is not None:
        is_on_top = at == root_index(state)
        if not is_on_top:
            raise_root(state, at)
            work.say("utter_flow_back", flow=work.flow_name())
        state.paused = False
        work.rule = "flow resumed"
        if is_on_top and state.waits is not None:
            _again(work)
        else:
            state.waits = None
        return
    if flow.guard is not None and not flow.guard.holds(values_of(state, work.situation, work.flows, work.declared)):
        work.say("utter_flow_not_now", flow=flow.name)
        work.rule = "flow not now"
        return
    if state.stack and not state.paused:
        work.say("utter_flow_switch", flow=flow.name, other=work.flow_name())
    if state.paused:
        while state.stack:
            end_chain(work)
        state.paused = False
    state.waits = None
    begin(work, flow_id)
    if (dropped := drop_lowest(state)) is not None:
        work.dropped.append(f"{dropped}: too many flows wait")
    work.rule = "flow started"


def _offer(work: Work, offer: Offer) -> None:
    """Ask which flow is meant; a question of the flow under way stands behind it, and is asked again afterwards."""
    buttons = [(_headed(name_of(one, work.flows)), START + one) for one in offer.flows]
    buttons += list(offer.articles)
    buttons.append(("Talk to a person", "/person"))
    if len(offer.flows) == 1 and not offer.articles:
        work.say(
            "utter_flow_offer_one",
            (("Yes", START + offer.flows[0]), ("No", "/deny"), buttons[-1]),
            flow=name_of(offer.flows[0], work.flows),
        )
    else:
        work.say("utter_flow_offer", tuple(buttons))
    work.state.waits = {"for": "offer", "offer": "start", "flows": list(offer.flows)}
    work.rule = "flow offered"


def _cancel(work: Work, *, sure: bool = False) -> None:
    state = work.state
    root = root_of(state)
    if root is None:
        state.waits = None
        return
    name = work.flow_name()
    if not sure and any(one.done for one in chain(state)):
        work.say("utter_flow_cancel_confirm", YES_NO, flow=name)
        state.waits = {"for": "offer", "offer": "cancel"}
        work.rule = "flow cancel asked"
        return
    end_chain(work)
    work.say("utter_flow_cancelled", flow=name)
    work.rule = "flow cancelled"
    if state.stack:
        work.say("utter_flow_back", flow=work.flow_name())


# -- answers --------------------------------------------------------------------------------------------------------------


def _fill(work: Work, command: Answer | Fill) -> None:
    state = work.state
    if not state.stack:
        return
    is_answer = isinstance(command, Answer) and state.asked == command.slot
    place = work.collect_of(command.slot)
    if not is_answer:
        frames = chain(state)
        if place is None or command.slot in frames[place[0]].answered or not work.slot(command.slot).by_customer:
            return
        if place[0] != len(frames) - 1:
            return
    work.give(command.slot, command.value, agreed=is_answer and _was_shown(state))
    if is_answer or state.asked == command.slot:
        state.waits = None
        work.rule = "flow answered"


def _was_shown(state: State) -> bool:
    """Whether the question that stands said what the answer is used for."""
    return state.waits is not None and bool(state.waits.get("consent"))


def _correct(work: Work, command: Correct) -> None:
    """Put right what was answered, and go back to where it was asked: what was decided by it is decided anew."""
    state = work.state
    place = work.collect_of(command.slot)
    n, step = (place[0], place[2].id) if place is not None else _called_for(work, command.slot)
    root = root_index(state)
    while len(state.stack) - 1 > root + n:  # what was called since was called for the old value
        end_frame_quietly(work)
    frame = work.frame
    later = frame.answered[frame.answered.index(command.slot) + 1 :] if command.slot in frame.answered else []
    for slot in later:
        if work.slot(slot).type == "bool":  # a yes to the old value is no yes to the new one
            work.empty(slot)
    agreed = state.asked == command.slot and _was_shown(state)
    work.give(command.slot, command.value, agreed=agreed)
    frame.misses = 0
    shown = shown_value(work.slot(command.slot), command.value, work.declared)
    work.say("utter_slot_corrected", title=work.title(command.slot), value=shown)
    work.rule = "flow corrected"
    if step is None:  # there is nowhere to go back to: it is taken as it is
        frame.given.remove(command.slot)
        frame.answered.append(command.slot)
        work.tell(command.slot, agreed=agreed)
        _again(work, short=True)
        return
    frame.step = step
    state.waits = None


def _called_for(work: Work, slot: str) -> tuple[int, str | None]:
    """Where to go back for a slot that no flow under way asks for by itself: the place in the chain and the step that called the flow
    which did, and which is over. No step where there is none, as where a flow has gone on as another one."""
    frames = chain(work.state)
    for n in range(len(frames) - 1, -1, -1):
        flow = work.flows.flows.get(frames[n].flow)
        if slot in frames[n].answered and flow is not None:
            steps = [one for one in flow.steps.values() if isinstance(one, Call) and slot in asked_in(work.flows, one.flow)]
            return n, steps[0].id if steps else None
    return len(frames) - 1, None


def _same(work: Work, slot: str) -> None:
    """Say that what was answered stands, and ask the open question again: a "no" before it was not its answer."""
    value = work.state.slots.get(slot)
    if value is None:
        _missed(work)
        return
    work.frame.misses = 0
    work.say("utter_slot_unchanged", title=work.title(slot), value=shown_value(work.slot(slot), value, work.declared))
    work.rule = "flow unchanged"
    _again(work, short=True)


def end_frame_quietly(work: Work) -> None:
    """Take a called flow off whose caller begins anew."""
    frame = work.state.stack.pop()
    for slot in frame.touched:
        if slot in frame.saved:
            work.set(slot, frame.saved[slot])
        else:
            work.state.slots.pop(slot, None)


def _yes_no(work: Work, yes: bool) -> None:
    state = work.state
    match state.offer:
        case "start":
            flows = [str(one) for one in (state.waits or {}).get("flows", ())]
            state.waits = None
            if yes and len(flows) == 1:
                _start(work, flows[0])
                return
            work.say("utter_flow_offer_declined")
            work.rule = "flow offer declined"
            if state.stack:
                _lead_back(work)
            return
        case "still":
            state.waits = None
            if yes:
                state.paused = False
                work.rule = "flow resumed"
                return
            _drop_all(work)
            return
        case "cancel":
            state.waits = None
            if yes:
                _cancel(work, sure=True)
                return
            work.rule = "flow kept"
            return
    if state.asked is None:
        _missed(work)
        return
    _yes_no_to_question(work, yes)


def _yes_no_to_question(work: Work, yes: bool) -> None:
    waits, frame = work.state.waits or {}, work.frame
    slot = str(waits["slot"])
    step = work.step()
    if not isinstance(step, Collect):
        work.state.waits = None
        return
    if "value" in waits:
        if yes:
            work.give(slot, waits["value"])
            work.state.waits = None
            work.rule = "flow confirmed"
            return
        frame.wrong.append(slot)
        work.empty(slot)
        work.rule = "flow denied"
        ask(work, step, again=True)
        return
    if yes and waits.get("consent"):
        ask(work, step, short=True, again=True, consent=True)
        work.rule = "flow repeated"
        return
    if yes:
        _missed(work)
    elif work.slot(slot).type == "text" and not work.slot(slot).fact and not _can_do_without(work, step):
        work.give(slot, work.situation.text)  # "no" says something where anything may be said
        work.state.waits = None
        work.rule = "flow answered"
    else:
        _refuse(work)


def _refuse(work: Work) -> None:
    """They would rather not say: the slot stays empty where the flow can do without, else they are told that it cannot."""
    step, state = work.step(), work.state
    if state.asked is None or not isinstance(step, Collect):
        _missed(work)
        return
    if _can_do_without(work, step):
        work.empty(step.slot)
        work.frame.refused.append(step.slot)
        work.frame.misses = 0
        state.waits = None
        work.rule = "flow refused"
        return
    work.frame.misses += 1
    work.say("utter_slot_needed", flow=work.flow_name())
    work.rule = "flow needs it"
    if work.frame.misses >= SECOND:
        offer_person(work)
    _ask_same(work, step, short=True)


def _can_do_without(work: Work, step: Collect) -> bool:
    """Whether the designer says what comes of an empty slot, or it is a fact that the customer is offered something for."""
    if any(branch.when is not None and f"slots.{step.slot}" in branch.when.reads for branch in step.next):
        return True
    if not work.slot(step.slot).fact:
        return False
    fact = work.declared.fact(step.slot)
    return fact.benefit is not None or work.declared.needs_consent(step.slot)


# -- the question again -----------------------------------------------------------------------------------------------------


def _ask_same(work: Work, step: Collect, *, short: bool) -> None:
    """The question that stands, once more."""
    waits = work.state.waits or {}
    if "value" in waits:
        confirm(work, step, waits["value"], fact_id=waits.get("fact"))
        return
    ask(work, step, short=short, again=True, consent=bool(waits.get("consent")))


def _again(work: Work, *, short: bool = False) -> None:
    """Say again what is waited for."""
    state = work.state
    if state.waits is None or not state.stack:
        return
    if state.waits.get("for") == "proof":
        if not at_least(work.situation.level, str(state.waits.get("level"))):
            ask_proof(work, str(state.waits.get("level")))
            return
        state.waits = None
        return
    if state.offer == "cancel":
        work.say("utter_flow_cancel_confirm", YES_NO, flow=work.flow_name())
        return
    if state.offer == "still":
        work.say("utter_flow_still_wanted", YES_NO, flow=work.flow_name())
        return
    step = work.step()
    if not isinstance(step, Collect) or step.slot != state.asked:
        state.waits = None  # the flow was edited meanwhile
        return
    _ask_same(work, step, short=short)


def _why(work: Work) -> None:
    step = work.step() if work.state.stack else None
    work.rule = "flow why"
    if isinstance(step, Collect):
        work.utter(reason(step, work.slot(step.slot), work.declared))
    _again(work, short=True)


def _resume(work: Work) -> None:
    """Go on where it waits; what it waited for may be there by now."""
    state = work.state
    work.rule = "flow resumed"
    state.paused = False
    if state.offer in ("still", "start", "cancel"):
        state.waits = None
    if state.waits is not None and state.waits.get("for") == "proof":
        _again(work)
        return
    if state.waits is not None and state.stack:
        _again(work)


def _lead_back(work: Work) -> None:
    """Come back to the flow after something else was answered; where that was long ago, ask whether it is still wanted."""
    state = work.state
    work.rule = "flow led back"
    if not state.stack:
        return
    if is_old(state, work.situation.now, work.still_wanted) or state.paused:
        still_wanted(work)
        return
    if state.waits is not None and state.waits.get("for") == "proof":
        if at_least(work.situation.level, str(state.waits.get("level"))):
            state.waits = None
        return
    if state.offer is not None:
        if state.offer == "start":  # it was not about what was offered
            state.waits = None
        else:
            _again(work)
            return
    work.say("utter_flow_back", flow=work.flow_name())
    if state.waits is not None:
        _again(work, short=True)


def still_wanted(work: Work) -> None:
    """Ask whether to go on with what was left."""
    work.say("utter_flow_still_wanted", YES_NO, flow=work.flow_name())
    work.state.waits = {"for": "offer", "offer": "still"}
    work.rule = "flow still wanted"


def _drop_all(work: Work) -> None:
    name = work.flow_name()
    while work.state.stack:
        end_chain(work)
    work.state.paused = False
    work.say("utter_flow_cancelled", flow=name)
    work.rule = "flow cancelled"


def _missed(work: Work) -> None:
    """Nothing fits: first the question with what form is expected, then a person is offered, then asked for."""
    state = work.state
    work.rule = "flow not understood"
    if not state.stack:
        return
    frame = work.frame
    frame.misses += 1
    if frame.misses >= THIRD:
        work.say("utter_handoff_unsure")
        work.handoff, work.rule = "unsure", "flow unsure"
        return
    step = work.step()
    if isinstance(step, Collect) and state.asked == step.slot:
        if frame.misses >= SECOND:
            offer_person(work)
        elif "value" in (state.waits or {}):
            work.say("utter_slot_help", form="yes or no")
        else:
            work.utter(help_with(work.slot(step.slot), work.declared))
    elif frame.misses >= SECOND:
        offer_person(work)
    _again(work, short=True)


def _headed(text: str) -> str:
    return text[:1].upper() + text[1:]
