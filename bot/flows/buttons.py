"""From a button to commands for the flows: our own payloads, and those of Rasa. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from bot.flows.ask import NO, SET, START, YES, wanted_of
from bot.flows.commands import Answer, Command, Correct, Fill, Named, Resume, Start, YesNo
from bot.flows.message import Message
from bot.flows.stack import chain
from bot.understand.said import read_value

_INTENT = re.compile(r"/([a-z][a-z0-9_+-]*)\s*(\{.*\})?\s*$", re.DOTALL)
_SET_ONE = re.compile(r"\s*([a-z_][a-z0-9_]*)\s*=\s*(\"[^\"]*\"|'[^']*'|[^,()]*)\s*(?:,|$)", re.IGNORECASE)


def of_button(message: Message, payload: str) -> list[Command] | None:
    """The commands of the button with this payload; None where it stands for words that are to be read."""
    state = message.state
    if payload.startswith(START):
        return [Start(payload.removeprefix(START).strip())]
    if payload in (YES, NO):
        yes = payload == YES
        if state.waits is None:
            return []
        slot = state.asked
        is_bool = slot is not None and message.slot(slot).type == "bool" and "value" not in state.waits
        return [Answer(slot, yes) if is_bool and slot is not None else YesNo(yes)]
    if payload.startswith(SET):
        return list(_set(message, payload.removeprefix(SET).strip(" ()")))
    if (match := _INTENT.match(payload)) is not None:
        return list(_by_intent(message, match[1], match[2]))
    if payload.startswith("/"):
        return []
    return None


def _set(message: Message, text: str) -> Iterator[Command]:
    for match in _SET_ONE.finditer(text):
        name, raw = match[1], match[2].strip().strip("\"'")
        slot = message.slot(name)
        reading = read_value(wanted_of(slot, message.engine.declared), raw)
        value = None if raw.lower() in ("none", "null") else reading.value if reading is not None else raw
        answered = any(name in frame.answered for frame in chain(message.state))
        if name == message.state.asked:
            yield Answer(name, value)
        elif answered:
            yield Correct(name, value)
        else:
            yield Fill(name, value)


def _by_intent(message: Message, intent: str, more: str | None) -> Iterator[Command]:
    named_ = {}
    with_entities = False
    if more:
        try:
            named_ = {str(key): value for key, value in json.loads(more).items()}
            with_entities = bool(named_)
        except (ValueError, AttributeError):
            named_ = {}
    if with_entities:
        yield Named(named_)
    flows = message.engine.flows.by_intent.get(intent, ())
    if flows:
        yield Start(flows[0].id)
    elif with_entities and message.state.waits is not None:
        yield Resume()
