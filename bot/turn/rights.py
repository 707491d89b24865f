"""What customers ask about their own data in the chat: what is known about them, and that it be forgotten. Pure, save for the deed.

English; the patterns below are all there is to edit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any

from bot.markup import Html
from bot.messages import Button, Event
from bot.turn.decision import Arrived, Decision, Say
from bot.turn.deeds import Doing
from bot.understand.hear import Heard
from memory.context import Context
from memory.database import Tx
from memory.declared import Declarations, at_least
from memory.erasure import ask_to_forget
from memory.proofs import FRESH_FOR, level_now
from memory.usable import allowed

MY_DATA, FORGET, FORGET_YES, FORGET_NO = "/mydata", "/forget", "/forget yes", "/forget no"
"""Commands, and payloads of the buttons."""

CONFIRM = "utter_forget_confirm"
"""The reply that asks; the dialogue's ``asked`` is ``ASKED`` while it stands."""

ASKED = "forget"

MOST_LINES = 30
"""How many lines a list has at most: one message is read, and what is left out is counted."""

_ABOUT_ME = r"(?:about|on|of|concerning|regarding) (?:me|us|myself)\b"
_DATA = r"(?:data|details|information|info|history|records?|conversations?|chats?|messages)"
_MINE = rf"(?:all |any |every |the |of )*my (?:personal |private |own |whole |entire )*{_DATA}\b"
_WHAT = re.compile(
    rf"\bwhat\b[^.?!]{{0,40}}\b(?:know|have|hold|store|keep|kept|stored|saved|got|remember|recorded?|collected?)\b[^.?!]{{0,20}}\b{_ABOUT_ME}"
    rf"|\b(?:show|tell|give|send|list|see|view|get|access)\b[^.?!]{{0,20}}\b(?:everything|all|what)\b[^.?!]{{0,30}}\b{_ABOUT_ME}"
    rf"|\b(?:show|list|see|view|access)\b(?: me)? (?:all |the )*(?:personal )?{_DATA} (?:you |that |which )*(?:have|hold|keep|store)"
    rf"|\bwhat (?:personal )?{_DATA}\b[^.?!]{{0,40}}\b{_ABOUT_ME}"
    rf"|^\W*(?:please )?(?:show|see|view|list) (?:me )?(?:all )?my (?:personal )?data\W*$|^\W*my (?:personal )?data\W*$",
    re.IGNORECASE,
)
_REMOVE = r"(?:delete|erase|remove|wipe|destroy|clear|purge)"
_FORGET = re.compile(
    rf"\bforget (?:me|(?:all |everything )(?:of |that )?(?:you know )?{_ABOUT_ME})(?! (?:to|that|if|when|about|how|what|why|it)\b)"
    rf"|\b{_REMOVE} {_MINE}"
    rf"|\b{_REMOVE} (?:everything|all)\b[^.?!]{{0,40}}\b{_ABOUT_ME}"
    rf"|\b{_REMOVE} (?:me|myself)\b(?: from\b|\W*$| (?:please|completely|entirely|now)\b)"
    rf"|\b(?:want|like|wish|right|ask) to be (?:forgotten|deleted|erased)\b",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:don'?t|do not|never|not|won'?t|cannot|can'?t|didn'?t|without|did you|have you|you(?:'ve| have)?|why do|how long)\b[^.?!]{0,25}$",
    re.IGNORECASE,
)
_ASKING = re.compile(r"\b(?:can|could|would|will|may|must|should|do|want|need|wish) (?:you|i)\b[^.?!]{0,20}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AskToForget:
    """The customer wants to be forgotten: it is noted here and carried out by itself, beginning a moment later."""

    def do(self, tx: Tx, doing: Doing) -> None:
        ask_to_forget(tx, doing.context.customer_id, asked_by="customer", at=doing.now, farewell=doing.turn_id)


def forgotten_post(handoff_id: int) -> dict[str, Any]:
    """What the desk is told, in the general topic, when the topic of a handoff is deleted: agents would look for it."""
    return {"kind": "text", "text": f"Case {handoff_id} is gone: its customer has been forgotten, and its topic is deleted."}


def answer_rights(
    arrived: Arrived, heard: Heard, context: Context, declared: Declarations, *, fresh_for: timedelta = FRESH_FOR
) -> Decision | None:
    """What to do about a message or a press that is about the customer's own data; None where it is not.

    It is the same while a person has the conversation; the desk is shown it.
    """
    first, state = arrived.first, context.dialogue
    if first.event not in (Event.MESSAGE, Event.PRESS) or arrived.continued:
        return None
    text = first.text.strip() if first.event is Event.MESSAGE else str(first.data.get("payload", ""))
    if text in (FORGET_YES, FORGET_NO):
        answer: bool | None = text == FORGET_YES
    else:
        answer = _in_words(heard) if _has_just_been_asked(context) else None
    relay, settled = context.handoff is not None, {**state, "asked": None, "unsure": 0}
    if answer is not None and state.get("asked") == ASKED:
        if answer:
            return Decision("forgotten", says=(Say("utter_forgotten"),), relay=relay, dialogue=settled, deeds=(AskToForget(),))
        return Decision("not forgotten", says=(Say("utter_forget_declined"),), relay=relay, dialogue=settled)
    if answer is False:
        return Decision("not forgotten", says=(Say("utter_forget_declined"),), relay=relay)
    if answer or text == FORGET or (first.event is Event.MESSAGE and asks_to_be_forgotten(text)):
        buttons = (Button("Yes, delete everything", FORGET_YES), Button("No, keep it", FORGET_NO))
        asked = {**state, "asked": ASKED, "unsure": 0}
        return Decision("ask to forget", says=(Say(CONFIRM, buttons=buttons),), relay=relay, dialogue=asked)

    if text == MY_DATA or (first.event is Event.MESSAGE and asks_what_is_known(text)):
        return Decision("my data", says=(_told(arrived, context, declared, fresh_for),), relay=relay, dialogue={**state, "unsure": 0})
    return None


def asks_what_is_known(text: str) -> bool:
    """Whether somebody asks what is known about them."""
    return _WHAT.search(text) is not None


def asks_to_be_forgotten(text: str) -> bool:
    """Whether somebody asks to be forgotten; ``do not forget me`` and ``have you forgotten me`` are no such wish."""
    for match in _FORGET.finditer(text):
        before = text[: match.start()]
        if not _REFUSED.search(before) or _ASKING.search(before):
            return True
    return False


def _in_words(heard: Heard) -> bool | None:
    return True if heard.affirm else False if heard.deny else None


def _has_just_been_asked(context: Context) -> bool:
    """Only the very next words can be the answer: a yes to something else must not delete anything."""
    return bool(context.exchanges) and CONFIRM in (context.exchanges[-1].reply or "").split("+")


def _told(arrived: Arrived, context: Context, declared: Declarations, fresh_for: timedelta) -> Say:
    """What is known, as far as the identity's proof allows; what is withheld is named, not told."""
    level = level_now(context.proof, context.proven_at, arrived.first.at, fresh_for)
    facts = allowed(context, declared)
    told = {name: fact for name, fact in facts.items() if at_least(level, declared.fact(name).proof)}
    lines = [f"• <b>{_title(declared, name)}</b>: {_shown(declared, name, fact.value)}" for name, fact in told.items()]
    lines += _others(context, declared)
    withheld = [_title(declared, name) for name in facts if name not in told]
    buttons = (Button("Delete my data", FORGET),)
    if not lines and not withheld:
        return Say("utter_my_data_nothing", buttons=buttons)
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"• and {len(lines) - MOST_LINES} more"]
    listed = Html("\n".join(lines) or "• (nothing that I may show here)")
    if withheld:
        return Say("utter_my_data_withheld", {"list": listed, "withheld": Html(", ".join(withheld))}, buttons)
    return Say("utter_my_data", {"list": listed}, buttons)


def _others(context: Context, declared: Declarations) -> Iterator[str]:
    if context.profile_name:
        yield f"• <b>name in your profile</b>: {_safe(context.profile_name)}"
    for name, consent in context.consents.items():
        purpose = declared.purposes.get(name)
        said = "you agreed" if consent.granted else "you said no"
        yield f"• <b>{_safe(purpose.title if purpose is not None else name)}</b>: {said} on {_day(consent.at)}"
    for journey in context.journeys:
        product = declared.products.get(journey.product)
        stage = product.stage(journey.stage) if product is not None else None
        where = stage.title if stage is not None else journey.stage
        yield f"• <b>{_safe(product.title if product is not None else journey.product)}</b>: {_safe(where)} since {_day(journey.moved_at)}"
    for promise in context.promises:
        yield f"• <b>promised to you</b>: {_safe(promise.text)}"


def _title(declared: Declarations, name: str) -> str:
    return _safe(declared.fact(name).title or name.replace("_", " "))


def _shown(declared: Declarations, name: str, value: object) -> str:
    return _safe(str(declared.fact(name).shown(value)))


def _safe(text: str) -> str:
    return escape(text, quote=False)


def _day(at: object) -> str:
    return f"{at:%d %b %Y}".lstrip("0")
