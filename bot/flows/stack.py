"""The stack of flows: what is on top, what it came from, and what comes back when it ends. Pure; it changes the state that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.flows.model import END, Act, Call, Collect, Flow, Flows, Link, Noop
from bot.flows.state import Frame, State

MOST_OPEN = 5
"""So many flows may wait below each other; the one that has waited longest is dropped for another."""

DEEPEST = 8
"""So deep may flows call each other."""


def root_index(state: State, index: int | None = None) -> int:
    """Where the flow begins that the frame at ``index`` (default: on top) was called for."""
    at = len(state.stack) - 1 if index is None else index
    while at > 0 and state.stack[at].called:
        at -= 1
    return at


def chain(state: State) -> list[Frame]:
    """The flow that is under way with those that it has called, the outermost first."""
    return state.stack[root_index(state) :] if state.stack else []


def root_of(state: State) -> Frame | None:
    """The frame of the flow that the customer knows of: not one that another has called."""
    return state.stack[root_index(state)] if state.stack else None


def find_root(state: State, flow: str) -> int | None:
    """Where this flow is open, as one that the customer knows of."""
    return next((n for n, one in enumerate(state.stack) if one.flow == flow and not one.called), None)


def raise_root(state: State, index: int) -> None:
    """Bring the flow that begins at ``index``, with those that it has called, to the top."""
    end = index + 1
    while end < len(state.stack) and state.stack[end].called:
        end += 1
    state.stack = [*state.stack[:index], *state.stack[end:], *state.stack[index:end]]


def drop_lowest(state: State) -> str | None:
    """Drop the flow that has waited longest where there are too many; returns its id."""
    roots = [n for n, one in enumerate(state.stack) if not one.called]
    if len(roots) <= MOST_OPEN:
        return None
    gone, state.stack = state.stack[: roots[1]], state.stack[roots[1] :]
    for slot in {slot for one in gone for slot in one.touched}:
        for one in state.stack:
            one.saved.pop(slot, None)
        if not any(slot in one.touched for one in state.stack):
            state.slots.pop(slot, None)
    return gone[0].flow


def name_of(flow_id: str, flows: Flows) -> str:
    """What customers read of a flow, even of one that is no more."""
    flow = flows.flows.get(flow_id)
    return flow.name if flow is not None else flow_id.replace("_", " ")


def collects(flow: Flow) -> dict[str, Collect]:
    """The first step of a flow that asks for each slot, by the slot."""
    found: dict[str, Collect] = {}
    for step in flow.steps.values():
        if isinstance(step, Collect):
            found.setdefault(step.slot, step)
    return found


def only_speaks(flow: Flow) -> bool:
    """Whether a flow asks for nothing and does nothing: what it says is all that there is to it."""
    return all(isinstance(one, Noop) or (isinstance(one, Act) and one.action.startswith("utter_")) for one in flow.steps.values())


def asked_in(flows: Flows, flow_id: str) -> set[str]:
    """The slots that a flow asks for, itself or in flows that it calls."""
    found: set[str] = set()
    seen: set[str] = set()
    ahead = [flow_id]
    while ahead:
        name = ahead.pop()
        flow = flows.flows.get(name)
        if flow is None or name in seen:
            continue
        seen.add(name)
        found |= collects(flow).keys()
        ahead += [step.flow for step in flow.steps.values() if isinstance(step, Call | Link)]
    return found


def touch(state: State, frame: Frame, slot: str, value: Any) -> None:
    """Set a slot in ``frame``; a value of a flow further down that it covers is put by."""
    if slot not in frame.touched:
        mine = [*chain(state)]
        below = [one for one in state.stack if one not in mine]
        if any(slot in one.touched for one in below) and not any(slot in one.saved for one in mine):
            frame.saved[slot] = state.slots.get(slot)
        frame.touched.append(slot)
    if value is None:
        state.slots.pop(slot, None)
    else:
        state.slots[slot] = value


def end_frame(state: State, flows: Flows, keeps: frozenset[str], initial: Mapping[str, Any]) -> Frame:
    """Take the top frame off. One that was called leaves its slots to its caller; else they end with it, save what is kept."""
    frame = state.stack.pop()
    if frame.called and state.stack:
        caller = state.stack[-1]
        caller.touched += [one for one in frame.touched if one not in caller.touched and one not in keeps]
        caller.answered += [one for one in frame.answered if one not in caller.answered]
        caller.given += [one for one in frame.given if one not in caller.given]
        caller.saved = {**frame.saved, **caller.saved}
        caller.done = caller.done or frame.done
        return frame
    for slot in frame.touched:
        if frame.saved.get(slot) is not None:
            state.slots[slot] = frame.saved[slot]
        elif slot in keeps:
            continue
        elif initial.get(slot) is not None:
            state.slots[slot] = initial[slot]
        else:
            state.slots.pop(slot, None)
    return frame


def kept_slots(flow: Flow | None) -> frozenset[str]:
    """The slots that outlive a flow."""
    if flow is None:
        return frozenset()
    return flow.keeps | {step.slot for step in flow.steps.values() if isinstance(step, Collect) and step.keep}


def at_step(frame: Frame, flows: Flows) -> Any:
    """The step at which a frame stands; None if the flow or the step is no more, END's own name at the end."""
    flow = flows.flows.get(frame.flow)
    if flow is None:
        return None
    return END if frame.step == END else flow.steps.get(frame.step)
