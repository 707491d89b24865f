"""Where in a message something stands, and so what is meant by it: stated or asked, denied, one's own or another's.

English. The expressions below look at the words of one clause, right before and right after what was found; each is a choice of plain
phrases, so that the time for a text grows with its length and nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from memory.declared import Declared
from memory.values import ValueRefused

DOUBTED = 0.6
"""The most that is given to what stands in a question, or is told in two ways at once."""

MAX_TEXT = 4000
"""Characters that are looked at; Telegram's messages have 4,096."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a customer told, as it is stored, and where in the text it stands.

    ``name`` is a fact's, or ``consent:`` and a purpose, whose value is True or False.
    """

    name: str
    value: Any
    confidence: float
    start: int
    end: int


PEOPLE = """
wife husband partner spouse son daughter mother father mum mom mam dad brother sister friend boss manager colleague neighbour neighbor
landlord girlfriend boyfriend fiance fiancee flatmate roommate child kid parent aunt uncle cousin nephew niece grandmother grandfather
lawyer solicitor doctor employer tenant accountant assistant carer
"""
"""People whose data is not the customer's own."""

_QUESTION_WORDS = r"""
is isn't isnt was wasn't are aren't were do does doesn't doesnt did didn't didnt has had what what's whats which who who's whose when where
where's why how how's have\syou have\si have\swe is\sit
"""
_BEFORE, _AFTER = 160, 80
"""Characters before and after something that are looked at, so that no clause costs more than another."""

_people = "|".join(PEOPLE.split())
_BREAK = re.compile(r"[,;()\n]|[.!?]+(?=\s|$)|\s(?:but|and|so|because|then|whereas)(?=\s)")
_ENDING = re.compile(r"[.!?]+(?=\s|$)|\n")
_LEAD = r"(?:(?:hi|hello|hey|ok|okay|yes|no|sorry|also|please|well|um|thanks|then|and|so|but)[ ]+){0,3}"
_INQUIRY = re.compile(rf"\s*{_LEAD}(?:{'|'.join(_QUESTION_WORDS.split())})\b")
_REQUEST = re.compile(r"\b(?:can|could|would|will|may|might|shall) (?:you|i|we|someone|somebody|anyone)\b|\bplease\b")
_PAUSE = r"[ :=\"'(]*$"
_DENIED_BEFORE = re.compile(
    rf"\b(?:not|isn't|isnt|wasn't|wasnt|aren't|no longer|never|except|instead of|rather than)(?: \w+)?{_PAUSE}"
    rf"|\b(?:old|former|previous|wrong|outdated)(?: [\w'-]+){{0,3}}{_PAUSE}"
    r"|\b(?:don't|dont|do not|stop|never|can't|cannot) (?:ever )?"
    r"(?:use|using|writ|send|call|ring|contact|email|e-mail|text|messag|phon|repl|reach)"
    r"|\bnot (?:my|mine|our|the right|the correct)\b"
)
_DENIED_AFTER = re.compile(
    r"[ \"')]*(?:is|was|are|has)? ?(?:not|no longer|isn't|isnt|wasn't|wasnt)(?: \w+)? "
    r"(?:my|mine|ours?|right|correct|valid|the|used|in use|me|it)\b"
    r"|[ \"')]*(?:is|was) (?:wrong|old|incorrect|invalid|outdated|no longer)\b"
    r"|[ \"')]*(?:isn't|isnt|is not) *(?:$|[.!?])"
)
_PAST = re.compile(rf"\b(?:was|were|used to be|changed? from|had)(?: \w+)?{_PAUSE}")
_OTHERS_BEFORE = re.compile(
    rf"\b(?:his|her|hers|their|theirs|your|yours|its|someone else's|somebody's)(?: [\w-]+){{0,3}}{_PAUSE}"
    r"|\b(?!it|that|here|there|what|this|name|number|e?-?mail|address|phone|mobile|let|who|where|how|he|she)"
    rf"[\w-]+'s(?: [\w-]+){{1,3}}{_PAUSE}"
    rf"|\b(?:{_people})(?:'?s)?\b"
    r"|\b(?:he|she|they)\b"
)
_OTHERS_AFTER = re.compile(rf"[ \"')]*(?:is|was|belongs to|is for) (?:his|hers?|theirs?|yours?|my (?:{_people})|the (?:{_people}))\b|'s\b")
_SENT_BY = re.compile(
    r"\b(?:from|by|called|calls|calling|ringing|rang|phoned|dialled|dialed|emailed|e-mailed|wrote to|written to|writing to|behind|owner of"
    r"|who is|whose|sent(?: \w+){0,5} to|paid(?: \w+){0,5} to|about|tried|asked to (?:call|ring|text))"
    rf"(?: (?:the|this|a|that))?(?: (?:number|address))?{_PAUSE}"
)
_ACTS = re.compile(
    r"[ \"')]*(?:\w+ )?(?:called|calls|rang|texted|keeps?|kept|is calling|has called|have called|phoned|wrote|sent|emailed|charged)\b"
)


class Text:
    """A message and what its rules ask of it again and again. ``low`` is in lower case, with plain apostrophes, and as long as ``text``."""

    def __init__(self, text: str) -> None:
        self.text = text = text[:MAX_TEXT]
        low = text.lower()
        if len(low) != len(text):  # a few capital letters have lower-case forms of two characters
            low = "".join(lower if len(lower := character.lower()) == 1 else character for character in text)
        self.low = low if low.isascii() else low.translate(_PLAIN)

    @cached_property
    def _breaks(self) -> tuple[list[int], list[int]]:
        spans = [match.span() for match in _BREAK.finditer(self.low)]
        return [start for start, _ in spans], [end for _, end in spans]

    @cached_property
    def _endings(self) -> list[int]:
        return [match.end() for match in _ENDING.finditer(self.low)]

    def clause(self, start: int, end: int, *, since: int = 0) -> Clause:
        """What stands around ``start`` to ``end``: its own clause, not going back before ``since``."""
        starts, ends = self._breaks
        before = bisect_right(ends, start)
        after = bisect_left(starts, end)
        left = ends[before - 1] if before else 0
        right = starts[after] if after < len(starts) else len(self.low)
        ending = bisect_left(self._endings, end)
        sentence = self._endings[ending - 1] if ending else 0, self._endings[ending] if ending < len(self._endings) else len(self.low)
        asks = "?" in self.low[right : right + 2] or self.low[end : end + 1] == "?"
        return Clause(
            before=self.low[max(left, since, start - _BEFORE) : start],
            after=self.low[end : min(right, end + _AFTER)],
            opening=self.low[left : min(start, left + _AFTER)],
            sentence=self.low[max(sentence[0], start - _BEFORE) : min(sentence[1], end + _BEFORE)],
            asks=asks,
        )


@dataclass(frozen=True, slots=True)
class Clause:
    """The words ``before`` and ``after`` something in its clause, ``opening`` the clause from its beginning; all in lower case.

    ``asks``: the clause ends in a question mark.
    """

    before: str
    after: str
    opening: str
    sentence: str
    asks: bool

    @property
    def inquires(self) -> bool:
        """It asks whether, what or who: "is my number ...?", "do you still have ..."."""
        return _INQUIRY.match(self.opening) is not None

    @property
    def doubtful(self) -> bool:
        """It ends in a question mark, and nothing is requested that would explain it: "my name is Ann?"."""
        return self.asks and _REQUEST.search(self.sentence) is None

    def capped(self, confidence: float) -> float:
        """``confidence``, less where the clause is doubtful."""
        return min(confidence, DOUBTED) if self.doubtful else confidence

    @property
    def denied(self) -> bool:
        """It says that this is not so, or not any more."""
        return _DENIED_BEFORE.search(self.before) is not None or _DENIED_AFTER.match(self.after) is not None

    @property
    def past(self) -> bool:
        """It says how things were."""
        return _PAST.search(self.before) is not None

    @property
    def others(self) -> bool:
        """It is about somebody else's: "his number is", "my wife's e-mail is"."""
        return _OTHERS_BEFORE.search(self.before) is not None or _OTHERS_AFTER.match(self.after) is not None

    @property
    def foreign(self) -> bool:
        """An address or number that somebody wrote or called from, or that the customer wrote to or called."""
        return _SENT_BY.search(self.before) is not None or _ACTS.match(self.after) is not None


def checked(declared: Declared, raw: object, *, region: str | None = None) -> Any:
    """The value as it is stored, or None if it is not one."""
    try:
        return declared.check(raw, region=region)
    except ValueRefused:
        return None


_PLAIN = str.maketrans("’‘‛´`", "'''''")
