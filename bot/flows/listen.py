"""From a customer's words, or a button, to commands for the flows: an answer, a correction, another matter, or nothing for them. Pure.

In the middle of a flow what fits the question that stands is its answer, unless it is clearly something else. A command is made only where
the flows are to act; whatever else was said is left to the assistant's other rules, which lead back to the flow afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bot.flows.answers import answers
from bot.flows.beginnings import CLEAR, beginnings
from bot.flows.buttons import of_button
from bot.flows.commands import Answer, Cancel, Command, LeadBack, Missed, Named, Repeat, Resume, Why, YesNo
from bot.flows.corrections import by_edit
from bot.flows.engine import Engine
from bot.flows.message import Message
from bot.flows.plan import NO_PLAN, Judge, Plan
from bot.flows.state import State, is_old
from bot.flows.work import Situation
from bot.understand.hear import Heard
from bot.understand.said import named, read_said

__all__ = ["NO_PLAN", "Judge", "Listener", "Plan"]

SURE, UNSURE = 0.7, 0.35
"""From the first confidence on an intent starts its flow, where its trigger says nothing else; from the second on it is asked about."""


class Listener:
    """Understands messages for one assistant's flows. ``judge`` None: nothing is known of intents, and flows begin by buttons only."""

    def __init__(self, engine: Engine, judge: Judge | None = None, *, sure: float = SURE, unsure: float = UNSURE) -> None:
        self._engine = engine
        self._judge = judge
        self._sure = sure
        self._unsure = unsure

    def listen(
        self, state: State, situation: Situation, heard: Heard, found: Sequence[Any] = (), *, payload: str = "", edited: bool = False
    ) -> Plan:
        """What ``situation.text``, or the button with this ``payload``, asks the flows to do.

        ``found`` are facts that the words tell (:func:`bot.understand.extract.extract`); ``edited``: the words replace those that were
        answered last.
        """
        message = Message(self._engine, self._judge, self._sure, self._unsure, state, situation, heard)
        if not payload:
            return message.plan(list(_of_words(message, found, edited=edited)))
        commands = of_button(message, payload)
        if commands is None:
            message.situation = replace(situation, text=payload)
            commands = list(_of_words(message, (), edited=False))
        return message.plan(commands)


def _of_words(message: Message, found: Sequence[Any], *, edited: bool) -> Iterator[Command]:
    text, state, heard = message.situation.text, message.state, message.heard
    if text.startswith("/"):
        if text.split(maxsplit=1)[0] == "/cancel" and state.stack:
            yield Cancel()
        return
    yes = True if heard.affirm else False if heard.deny else None
    message.said = read_said(text, yes=yes)
    examples = message.engine.flows.examples
    message.facts = bool(found)
    message.entities = named(text, examples.entities, examples.patterns, found)
    if edited:
        yield from by_edit(message)
    elif not state.stack:
        yield from _outside(message)
    elif state.paused or is_old(state, message.situation.now, message.engine.still_wanted):
        yield from _after_long(message)
    else:
        yield from _inside(message)


def _outside(message: Message) -> Iterator[Command]:
    """Nothing is under way: something may begin."""
    if message.state.offer == "start" and message.said.yes is not None:
        yield YesNo(message.said.yes)
        return
    if message.is_talk():
        return
    begun = list(beginnings(message))
    if begun or message.entities:
        yield Named(message.things()) if message.entities else Named({})
        yield from begun


def _after_long(message: Message) -> Iterator[Command]:
    """A flow was left long ago, or a person had the case meanwhile: something new goes first, else it is asked whether to go on."""
    said = message.said
    if message.state.offer == "still" and said.yes is not None:
        yield YesNo(said.yes)
    elif said.cancel:
        yield Cancel()
    elif said.resume:
        yield Resume()
    elif said.yes is not None:
        yield LeadBack()  # an "ok" to what was said last: nothing that it could answer has been asked for long
    elif message.is_talk() or message.heard.sure:
        return
    else:
        begun = list(beginnings(message))
        if message.entities:
            yield Named(message.things())
        if begun:
            yield from begun
        elif (answer := _answer_alone(message)) is not None:
            yield answer
            yield LeadBack()
        elif message.state.offer == "still":
            yield Missed()
        elif not message.state.paused or message.entities:
            yield LeadBack()


def _answer_alone(message: Message) -> Answer | None:
    """An answer to the question that stands, where the message is just that and it is more than a yes."""
    slot = message.state.asked
    if slot is None or message.slot(slot).type == "bool" or message.said.yes is not None:
        return None
    reading = message.read(slot, message.situation.text)
    return Answer(slot, reading.value) if reading is not None and reading.exact else None


def _inside(message: Message) -> Iterator[Command]:
    """A flow is under way."""
    state, said = message.state, message.said
    if said.cancel and state.offer != "cancel":
        yield Cancel()
        return
    if state.offer is not None and state.offer != "start":
        yield from _to_offer(message)
        return
    if state.offer == "start" and said.yes is not None:
        yield YesNo(said.yes)
        return
    for is_it, command in ((said.why, Why()), (said.repeat, Repeat()), (said.resume, Resume())):
        if is_it:
            yield command
            return
    slot = state.asked
    if slot is None:
        yield from _while_waiting(message)
        return
    yield from answers(message, slot)


def _to_offer(message: Message) -> Iterator[Command]:
    """A yes or no about the flows themselves is open."""
    said = message.said
    if said.yes is not None:
        yield YesNo(said.yes)
    elif said.cancel:
        yield YesNo(True)
    elif said.resume:
        yield YesNo(message.state.offer != "cancel")
    elif message.is_talk() or message.heard.sure:
        return
    else:
        begun = list(beginnings(message, at_least=CLEAR))
        yield from begun or [Missed()]


def _while_waiting(message: Message) -> Iterator[Command]:
    """It waits for a proof, or for nothing that could be said."""
    if message.is_talk() or message.heard.sure:
        return
    begun = list(beginnings(message, but=message.flow_id()))
    if message.entities:
        yield Named(message.things())
    if begun:
        yield from begun
    elif message.state.waits is not None and message.state.waits.get("for") == "proof":
        yield Missed()
