"""What makes a moment good or bad, how much it weighs, and how it is said to people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from bot.turn.deeds import NoteExperience
from bot.understand.knowledge import STOP_WORDS
from bot.understand.words import words_of
from memory.context import Context
from memory.experiences import Moment, near_limit

MOOD, REPEATED, WAITED, FAILED, RATING, PROMISE, THANKS = "mood", "repeated", "waited", "failed", "rating", "promise", "thanks"


@dataclass(frozen=True, slots=True)
class Weight:
    """How much one moment weighs, from 0 to 1, and why so much."""

    weight: float
    why: str


BAD = MappingProxyType(
    {
        RATING: Weight(1.0, "they said themselves that it did not work"),
        PROMISE: Weight(1.0, "we said that something would happen, and it did not"),
        FAILED: Weight(1.0, "a fault of ours kept them from an answer"),
        WAITED: Weight(1.0, "they waited longer than this company finds bearable, by its own setting"),
        REPEATED: Weight(0.5, "they said the same again, so the answer before was none; it may have been a slip of the hand"),
        MOOD: Weight(0.5, "their words are angry; a machine judges that, and is wrong at times"),
    }
)
GOOD = MappingProxyType(
    {
        RATING: Weight(1.0, "they said themselves that it worked out"),
        THANKS: Weight(0.0, "they thanked, which is noted and makes up for nothing: most people do it by habit"),
    }
)

BAD_MOOD = -0.5
"""A mood from here down is a bad moment. Of the questions in BANKING77's training part, 0.5 % are so."""

AGAIN_WITHIN = timedelta(hours=1)
"""One bad mood, wait or repetition makes one bad moment, however often it shows while it lasts."""

THANKS_AGAIN = timedelta(days=1)

SAME = 0.75
"""Share of two messages' words, of those that say for what, from which on they say the same."""

LOOKS_BACK = 3
"""Among so many of the customer's last messages: a question that comes up again later is a new one."""

FEWEST_WORDS = 2
"""Messages of fewer such words are said again for many reasons."""

_STOP = frozenset(STOP_WORDS.split())


def bad(kind: str, **evidence: Any) -> NoteExperience:
    """A bad moment of this kind; ``evidence`` are numbers and ids, never the customer's words."""
    return NoteExperience(False, kind, BAD[kind].weight, evidence)


def good(kind: str, **evidence: Any) -> NoteExperience:
    """A good moment of this kind."""
    return NoteExperience(True, kind, GOOD[kind].weight, evidence)


def moments_of(context: Context, rule: str, text: str, mood: float | None, at: datetime) -> list[NoteExperience]:
    """What this turn says of how the customer fares: at most one bad moment, the one that weighs most, as it is one moment.

    ``rule`` is the decision's; ``text`` is empty where the customer wrote nothing new; ``at`` is when they wrote.
    """
    if rule == "worked out":
        return [good(RATING)]
    if rule == "thanks":
        recent = _recently(context.experiences, THANKS, at, THANKS_AGAIN, good=True)
        return [] if recent else [good(THANKS)]
    found: list[NoteExperience] = []
    if rule == "not worked out":
        found.append(bad(RATING))
    if text and (earlier := said_before(context, text, at)) is not None and not _recently(context.experiences, REPEATED, at, AGAIN_WITHIN):
        found.append(bad(REPEATED, earlier=earlier))
    if mood is not None and mood <= BAD_MOOD and not _recently(context.experiences, MOOD, at, AGAIN_WITHIN):
        found.append(bad(MOOD, mood=round(mood, 2)))
    return [max(found, key=lambda one: one.weight)] if found else []


def said_before(context: Context, text: str, at: datetime) -> int | None:
    """The exchange in which the customer has just said nearly the same and got an answer; None if there is none."""
    answered = False
    roughly = {*text.lower().split()}
    left = LOOKS_BACK
    for past in reversed(context.exchanges):
        if left == 0 or at - past.at > AGAIN_WITHIN:
            return None
        if past.direction == "out":
            answered = True
            continue
        left -= 1
        if answered and past.kind == "text":
            before = {*past.text.lower().split()}
            if 3 * len(roughly & before) >= len(roughly | before) and _says_the_same(text, past.text):
                return past.id
    return None


def _says_the_same(text: str, other: str) -> bool:
    words, before = _content(text), _content(other)
    return len(words) >= FEWEST_WORDS and len(words & before) >= SAME * len(words | before)


def late_answer(context: Context, waited: timedelta, limit: timedelta, at: datetime) -> NoteExperience | None:
    """That an answer came later than ``limit`` after the question, if so."""
    if waited <= limit or _recently(context.experiences, WAITED, at, AGAIN_WITHIN):
        return None
    return bad(WAITED, minutes=round(waited.total_seconds() / 60), until="answered")


def careful(context: Context, now: datetime) -> tuple[Moment, ...]:
    """The bad moments that put the customer near the limit, newest first; empty if they are not."""
    return near_limit(context.experiences, now)


def described(moment: Moment) -> str:
    """A moment in a few words, as in "waited 26 min"."""
    evidence = moment.evidence or {}
    if moment.kind == WAITED:
        return f"waited {_minutes(evidence.get('minutes'))}"
    if moment.kind == FAILED:
        return {"undelivered": "did not get a message of ours", "overdue": "got no answer in time"}.get(
            str(evidence.get("what")), "met a fault of ours"
        )
    words = _GOOD_WORDS if moment.good else _BAD_WORDS
    return words.get(moment.kind, moment.kind)


_BAD_WORDS = MappingProxyType(
    {
        RATING: "said it did not work",
        PROMISE: "was promised something that did not happen",
        REPEATED: "had to say the same again",
        MOOD: "wrote angrily",
    }
)
_GOOD_WORDS = MappingProxyType({RATING: "said it worked out", THANKS: "said thanks"})


def _minutes(minutes: object) -> str:
    if not isinstance(minutes, int | float):
        return "too long"
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 2880 else f"{minutes / 1440:.0f} days"


def _recently(moments: Sequence[Moment], kind: str, at: datetime, within: timedelta, *, good: bool = False) -> bool:
    return any(one.kind == kind and one.good is good and at - one.at <= within for one in moments)


def _content(text: str) -> frozenset[str]:
    return frozenset(words_of(text)) - _STOP
