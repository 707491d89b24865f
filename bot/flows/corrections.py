"""What was answered before and is put right: by words such as "no, 60", or by an edit of the message. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.flows.ask import title_of, wanted_of
from bot.flows.commands import Answer, Command, Correct, Same, YesNo
from bot.flows.message import Message
from bot.flows.model import Slot
from bot.flows.stack import chain
from bot.understand.said import mentioned, read_value
from bot.understand.words import words_of

_DENIED = re.compile(r"\b(?:not|wrong|incorrect|never|instead|rather|isnt|wasnt|\w+n['’]t)\b")

_SENTENCE = re.compile(r"^\W*(?:i|we|you|he|she|they)\b|\b(?:that|this|it)(?: i|['’])s (?:it|all)\b|\bthank")
"""What tells something instead of giving a value: "I was at home", "that is it", "thanks"."""


def corrections(message: Message, asked: str) -> list[Command]:
    """What was answered before and is put right now; the slot that the words name, else the one answered last that the value fits."""
    text = message.said.rest
    told = [(slot, value) for slot in _answered(message, asked) if (value := _value_in(message, slot, text)) is not None]
    found = [(slot, value) for slot, value in told if value != message.state.slots.get(slot)]
    denied = _DENIED.search(message.situation.text.lower()) is not None  # "no, 50 is wrong" does not say that it is 50
    same = [slot for slot, value in told if not denied and value == message.state.slots.get(slot)]
    # any words fit a free text: what fits more than that, such as a thing of the slot's kind, comes first
    kinds = {one.name for one in message.entities if message.situation.text[one.start : one.end] in text}
    found.sort(key=lambda one: message.is_free(message.slot(one[0])) and not kinds & {*message.slot(one[0]).entities})
    words = set(words_of(message.situation.text))
    by_name = [one for one in found if words & {word for word in words_of(one[0].replace("_", " ")) if len(word) > 2}]
    by_title = [one for one in found if words & set(words_of(title_of(message.slot(one[0]), message.engine.declared))[-1:])]
    if same and not by_name and not by_title and all(message.is_free(message.slot(slot)) for slot, _ in found):
        return [YesNo(True) if same[0] == asked else Same(same[0])]  # "no, 50" where it is 50: any words would fit the others
    for slot, value in [*by_name, *by_title, *found]:
        if slot == asked and message.unmistakable():
            return []  # "my bill is wrong" corrects nothing that was said here
        return [Answer(slot, value)] if slot == asked else [Correct(slot, value)]
    return []


def _answered(message: Message, asked: str) -> list[str]:
    """The slots that a correction may be about, the likeliest first."""
    answered = [slot for frame in reversed(chain(message.state)) for slot in reversed([*frame.answered, *frame.given])]
    ordered = list(dict.fromkeys(slot for slot in answered if message.slot(slot).by_customer))
    return [asked, *ordered] if "value" in (message.state.waits or {}) else [*ordered, asked]


def _value_in(message: Message, slot: str, text: str) -> Any:
    """The value that ``text`` gives to a slot, be it the one that it has; None where it gives none."""
    about = message.slot(slot)
    if about.type == "bool":
        return None
    inside = [one for one in message.entities if str(one.value) and message.situation.text[one.start : one.end] in text]
    wanted = wanted_of(about, message.engine.declared, message.situation.now.date())
    value = mentioned(wanted, text, inside)
    if value is None:
        reading = read_value(wanted, text, inside)
        is_short = len(words_of(text)) <= 6 and not message.said.asks
        any_words = message.is_free(about) or about.fact
        if reading is not None and (reading.exact or (any_words and is_short and _may_be_value(message, about, text))):
            value = reading.value
    return value


def _may_be_value(message: Message, about: Slot, text: str) -> bool:
    """Whether words that any words would fit are more than talk: no sentence of their own, and for a place with a number in them."""
    if _SENTENCE.search(text.lower()) is not None:
        return False
    declared = message.engine.declared
    is_place = bool(about.fact) and about.name in declared.facts and declared.fact(about.name).type == "place"
    return not is_place or any(sign.isdigit() for sign in text)


def by_edit(message: Message) -> Iterator[Command]:
    """The words of the last answer were changed: what they answered is put right."""
    for frame in reversed(chain(message.state)):
        for slot in reversed(frame.answered):
            reading = message.read(slot, message.situation.text)
            if reading is not None and reading.value != message.state.slots.get(slot):
                yield Correct(slot, reading.value)
            return
