"""Asking whether what seems likely is so, and what the answer means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson

from bot.messages import Button
from bot.turn.decision import Decision, Say
from bot.turn.deeds import Confirm, Reject
from memory.context import Context
from memory.declared import Declarations

KEEP, DROP = "/keep ", "/drop "
"""Payloads of the two answers; the proposal's mark follows."""

ASKED = "confirm"
"""What the dialogue's ``asked`` is while the question stands; ``asked_fact`` is then the mark of what was asked about."""

KEPT_ASKED = 20
"""How many marks of earlier questions a conversation remembers, so that none is asked twice."""


def mark_of(name: str, value: Any) -> str:
    """Eight letters that stand for a value in payloads and in the dialogue's state, which need not repeat it."""
    return f"{crc32(name.encode() + orjson.dumps(value, option=orjson.OPT_SORT_KEYS)):08x}"


def was_asked(state: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether the conversation has asked about this value before."""
    return mark_of(name, value) in state.get("asked_facts", ())


def ask(context: Context, declared: Declarations, state: Mapping[str, Any], name: str, value: Any) -> tuple[Say, dict[str, Any]]:
    """The question about a likely value, and the dialogue's state once it has been asked."""
    mark, about = mark_of(name, value), declared.fact(name)
    reply = "utter_confirm_fact_instead" if name in context.facts else "utter_confirm_fact"
    buttons = (Button("Yes", KEEP + mark), Button("No", DROP + mark))
    say = Say(reply, {"title": about.title or name.replace("_", " "), "value": about.shown(value)}, buttons)
    asked = [*dict.fromkeys([*state.get("asked_facts", ()), mark])][-KEPT_ASKED:]
    return say, {**state, "asked": ASKED, "asked_fact": mark, "asked_facts": asked}


def answer_question(payload: str, yes: bool | None, context: Context) -> Decision | None:
    """What a press, or a yes or no in words, means for a question that was asked; None where it means nothing to it.

    ``yes`` is None where the words are neither. A press counts as long as the proposal stands; words only for the last question.
    """
    state = context.dialogue
    if payload.startswith((KEEP, DROP)):
        mark, yes = payload.partition(" ")[2], payload.startswith(KEEP)
    elif state.get("asked") == ASKED and yes is not None:
        mark = str(state.get("asked_fact"))
    else:
        return None
    new = {**state, "asked": None, "asked_fact": None, "unsure": 0}
    proposal = next((one for one in context.proposed if mark_of(one.name, one.value) == mark), None)
    if proposal is None:
        return Decision("settled already", says=(Say("utter_fact_settled"),), dialogue=new)
    if yes:
        return Decision("confirmed", says=(Say("utter_fact_kept"),), dialogue=new, deeds=(Confirm(proposal.id),))
    return Decision("rejected", says=(Say("utter_fact_dropped"),), dialogue=new, deeds=(Reject(proposal.id),))


def without_question(state: dict[str, Any]) -> dict[str, Any]:
    """The state after something else was said than an answer: the question stands no more."""
    return {**state, "asked": None, "asked_fact": None} if state.get("asked") == ASKED else state
