"""Why a turn did what it did, in plain words, from the trace that it left. Pure; no value of a slot or a fact is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_COMMANDS = {
    "start": "begin {}",
    "offer": "ask which is meant: {}",
    "answer": "take the answer for {}",
    "fill": "note what was said of {} beside",
    "correct": "correct {}",
    "same": "leave {} as it is",
    "yesno": "take it as a {}",
    "named": "keep what was named: {}",
    "cancel": "stop",
    "why": "say why it is asked",
    "repeat": "ask again",
    "refuse": "go on without an answer",
    "resume": "go on where it waited",
    "leadback": "come back to the flow",
    "missed": "nothing fits",
    "wants": "stand still for a person",
}
_SAID = {
    "cancel": "wants to stop",
    "why": "asks why",
    "repeat": "asks for the question again",
    "resume": "wants to go on",
    "refuse": "would rather not say",
    "correct": "corrects something",
    "asks": "asks something",
    "yes": "says yes",
    "no": "says no",
}
_LEARNED = {
    "learned": "kept: {}",
    "likely": "likely, and to be confirmed: {}",
    "no consent": "not kept, as the customer has not agreed to it: {}",
    "not of its type": "not kept, as it is no such value: {}",
    "experience": "noted: {}",
}


def explain(decision: str, trace: Mapping[str, Any]) -> list[str]:
    """The lines, in the order in which things happened. ``decision`` is the turn's rule."""
    lines = [*_understood(trace), *_flow(trace.get("flow") or {}), *_rest(trace)]
    lines.append(f"Rule: {decision}.")
    if trace.get("error"):
        lines.append(f"It failed: {trace['error']}.")
    return lines


def _understood(trace: Mapping[str, Any]) -> Iterator[str]:
    heard = [str(one).replace("_", " ") for one in trace.get("heard", ())]
    if heard:
        yield f"Heard: {', '.join(heard)}."
    understood = trace.get("understood") or {}
    if intents := understood.get("intents"):
        known = "" if understood.get("in_scope", True) else " (taken for none of them)"
        yield f"Intents: {_scored(intents)}{known}."
    if entities := understood.get("entities"):
        yield f"Named: {', '.join(entities)}."
    if said := understood.get("said"):
        yield f"The customer {', '.join(_SAID.get(one, one) for one in said)}."
    if hits := trace.get("hits"):
        yield f"Articles: {_scored(hits)}."


def _flow(flow: Mapping[str, Any]) -> Iterator[str]:
    if not flow:
        return
    if before := flow.get("before"):
        yield f"Before: the flow {before[0]} at {before[1]}."
    if commands := flow.get("commands"):
        yield f"Commands: {'; '.join(_command(one) for one in commands)}."
    for name, fact_id in flow.get("facts", ()):
        yield f"Known already, so not asked: {name} (fact {fact_id})."
    for one in flow.get("actions", ()):
        took = f" in {one['ms']:g} ms" if "ms" in one else ""
        yield f"Action {one['action']}: {'done' if one['outcome'] == 'done' else 'failed, ' + one['outcome']}{took}."
    if asked := flow.get("asked"):
        yield f"Asked for: {', '.join(asked)}."
    if again := flow.get("asked_again"):
        yield f"Asked although it was known: {', '.join(again)}."
    if told := flow.get("told"):
        yield f"Remembered, as the customer told it: {', '.join(told)}."
    if filled := flow.get("filled"):
        yield f"Slots that are filled: {', '.join(filled)}."
    for one in flow.get("events", ()):
        yield f"Event: {one}."
    for one in flow.get("dropped", ()):
        yield f"Could not go on: {one}."
    if handoff := flow.get("handoff"):
        yield f"A person was asked for: {handoff}."
    if after := flow.get("after"):
        yield f"After: the flow {after[0]} at {after[1]}{_waits(flow.get('waits'))}."
    elif before or flow.get("events"):
        yield "After: no flow is open."


def _rest(trace: Mapping[str, Any]) -> Iterator[str]:
    for name, why in (trace.get("withheld") or {}).items():
        yield f"Not said: {name}, as {why}."
    for name, words in _LEARNED.items():
        if listed := trace.get(name):
            yield f"{words.format(', '.join(str(one) for one in listed)).capitalize()}."


def _waits(waits: str | None) -> str:
    if not waits:
        return ""
    kind, _, about = waits.partition(" ")
    words = {"slot": f"the customer's answer about {about}", "proof": f"a proof ({about})", "offer": f"a yes or no ({about})"}
    return f", waiting for {words.get(kind, waits)}"


def _command(one: str) -> str:
    name, _, about = one.partition(" ")
    return _COMMANDS.get(name, name).format(about)


def _scored(pairs: Sequence[Sequence[Any]]) -> str:
    return ", ".join(f"{name} ({score:.2f})" for name, score in pairs)
