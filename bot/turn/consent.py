"""What a customer agrees to and takes back in the chat. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from bot.markup import Html
from bot.messages import Button, Event
from bot.turn.decision import Arrived, Decision, Say
from bot.turn.deeds import Deed, GiveConsent, WithdrawConsent
from bot.understand.clauses import Found
from memory.context import Context
from memory.declared import Declarations, Purpose
from memory.facts import SURE

AGREE, WITHDRAW, CONSENTS, STOP = "/agree ", "/withdraw ", "/consents", "/stop"
"""Payloads and commands. After the first stand the purpose's name and the version of the text that was shown, after the second its name."""

CONSENT = "consent:"
"""What the name of something found begins with where it is an answer about a purpose (:class:`bot.understand.clauses.Found`)."""

_MINE = r"(?:my|the|all|all my) (?:consents?|permissions?)"
_ASKS = re.compile(
    r"\b(?:what|which)\b[^.?!]{0,40}\b(?:did|have|do|had) i (?:ever )?(?:agreed?|consent(?:ed)?|allow(?:ed)?|permit(?:ted)?)\b"
    rf"|\b(?:show|list|see|change|manage|review|check)\b[^.?!]{{0,20}}\b{_MINE}\b|^ *my consents? *[?.!]*$"
)
_STOPS = re.compile(
    rf"^\W*(?:please )?(?:stop|unsubscribe(?: me)?|opt out|opt me out|withdraw(?: {_MINE})?"
    rf"|(?:i )?(?:want to |would like to |hereby )?(?:withdraw|revoke|take back|cancel) {_MINE})(?: please)?\W*$"
)


_CUES = ("consent", "permi", "agree", "allow", "stop", "unsubscribe", "opt ", "withdraw")
"""What stands in every text that one of the expressions above fits."""


def answer_consent(arrived: Arrived, found: Sequence[Found], context: Context, declared: Declarations) -> Decision | None:
    """What to do about a message or a press that is about consent; None where it is not, or where no purpose needs any."""
    asked = {name: purpose for name, purpose in declared.purposes.items() if purpose.needs_consent}
    if not asked:
        return None
    first = arrived.first
    if first.event is Event.PRESS:
        return _pressed(str(first.data.get("payload", "")), asked, context)
    if first.event is not Event.MESSAGE:
        return None
    low = first.text.lower()
    if any(cue in low for cue in _CUES):
        command, _, rest = low.strip().partition(" ")
        if command == CONSENTS or _ASKS.search(low):
            return Decision("consents", says=(_listed(asked, context),))
        if command == STOP:
            return _withdraw([rest] if rest in asked else _granted(asked, context), asked)
        if _STOPS.match(low) and (granted := _granted(asked, context)):
            return _withdraw(granted, asked)
    if not found:
        return None
    answers = {name: one for one in found if one.name.startswith(CONSENT) and (name := one.name.removeprefix(CONSENT)) in asked}
    if refused := [name for name, one in answers.items() if one.value is False and one.confidence >= SURE]:
        return _withdraw(refused, asked)
    if wanted := [name for name, one in answers.items() if one.value is True or one.confidence < SURE]:
        # What somebody agrees to is what they have read: the text is shown, and the button under it is the consent.
        return Decision("consents", says=(_listed({name: asked[name] for name in wanted}, context),))
    return None


def ask_consent(purpose: Purpose, title: str, benefit: str | None) -> Say:
    """The question whether data may be used for ``purpose``, asked because the fact called ``title`` cannot be kept without."""
    return Say(
        "utter_consent_needed",
        {"title": title, "text": " ".join(part for part in (purpose.text, benefit) if part)},
        (Button("I agree", agree_payload(purpose)),),
    )


def agree_payload(purpose: Purpose) -> str:
    """What the button says that agrees to this version of a purpose's text, cut to what Telegram takes."""
    return f"{AGREE}{purpose.name[:40]} {purpose.version[:12]}"


def withdraw_payload(name: str) -> str:
    """What the button says that takes a consent back."""
    return f"{WITHDRAW}{name[:50]}"


def _pressed(payload: str, asked: dict[str, Purpose], context: Context) -> Decision | None:
    if payload.startswith(WITHDRAW):
        name = next((name for name in asked if withdraw_payload(name) == payload), None)
        return _withdraw([name], asked) if name is not None else None
    if not payload.startswith(AGREE):
        return None
    purpose = next((purpose for purpose in asked.values() if agree_payload(purpose) == payload), None)
    if purpose is None:  # the text is another by now: what was read is not what would be agreed to
        return Decision("consents", says=(_listed(asked, context),))
    return Decision("agreed", says=(Say("utter_consent_given", {"what": purpose.title}),), deeds=(GiveConsent(purpose.name),))


def _withdraw(names: Iterable[str], asked: dict[str, Purpose]) -> Decision:
    names = list(names)
    if not names:
        return Decision("nothing to withdraw", says=(Say("utter_consent_nothing"),))
    deeds: list[Deed] = [WithdrawConsent(name) for name in names]
    what = ", ".join(asked[name].title for name in names)
    return Decision("withdrawn", says=(Say("utter_consent_withdrawn", {"what": what}),), deeds=tuple(deeds))


def _granted(asked: dict[str, Purpose], context: Context) -> list[str]:
    answers = context.consents
    return [name for name in asked if (answer := answers.get(name)) is not None and answer.granted]


def _listed(asked: dict[str, Purpose], context: Context) -> Say:
    """Each purpose with its text, where the customer stands with it, and the button that changes it."""
    answers = context.consents
    lines: list[str] = []
    buttons: list[Button] = []
    for name, purpose in asked.items():
        answer = answers.get(name)
        if answer is None:
            stands = "you have not been asked"
        else:
            stands = f"you {'agreed' if answer.granted else 'said no'} on {answer.at.day} {answer.at:%b %Y}"
        if answer is not None and answer.granted and answer.version != purpose.version:
            stands += ", to an earlier text"
        lines.append(f"• <b>{escape(purpose.title, quote=False)}</b>: {escape(purpose.text, quote=False)} ({stands})")
        if answer is not None and answer.granted:
            buttons.append(Button(f"Withdraw: {purpose.title}", withdraw_payload(name)))
        if answer is None or not answer.granted or answer.version != purpose.version:
            buttons.append(Button(f"Agree: {purpose.title}", agree_payload(purpose)))
    return Say("utter_consents", {"list": Html("\n".join(lines))}, tuple(buttons))
