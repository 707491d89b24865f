"""What a customer's words do in the middle of a task: answer, correct, cancel, ask why. Pure; English.

Which value they name is read by :mod:`bot.understand.answers`, whose functions stand here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.understand.answers import mentioned, named, read_value
from bot.understand.plain import MAX_READ, lowered
from bot.understand.wanted import Entity, Reading, Wanted, expected

__all__ = ["Entity", "Reading", "Said", "Wanted", "expected", "mentioned", "named", "read_said", "read_value"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a message does beside what it says. ``rest`` is the text without the words that correct, for the value that is meant.

    ``yes`` is None where it is neither yes nor no. ``asks``: it is a question, whatever it is about.
    """

    text: str
    cancel: bool = False
    why: bool = False
    repeat: bool = False
    resume: bool = False
    refuse: bool = False
    correct: bool = False
    asks: bool = False
    yes: bool | None = None
    rest: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        """What it does, by name, for the trace."""
        named = ("cancel", "why", "repeat", "resume", "refuse", "correct", "asks")
        answer = () if self.yes is None else ("yes",) if self.yes else ("no",)
        return (*(name for name in named if getattr(self, name)), *answer)


_IT = r"(?:it|that|this|the (?:whole )?(?:thing|matter|request|order))"
_POLITE = (
    r"(?:ok(?:ay)?|oh|sorry|please|no|well|actually|hm+|thanks|thank you|then|i(?:'d)? (?:would )?(?:like|want) to"
    r"|can (?:you|we|i)|let'?s|just|so|and|but|wait)"
)
_LEAD = rf"^\W*(?:{_POLITE}\W+){{0,4}}"
_END = r"(?:\W+(?:please|thanks|thank you|for now|now|then|instead|after all|any ?more|sorry|it))*\W*$"
_STOPS = (
    rf"(?:never ?mind|forget (?:about )?{_IT}|forget it|cancel(?: {_IT})?|abort|stop {_IT}|drop {_IT}|scrap {_IT}|leave {_IT}"
    rf"|(?:i )?(?:don'?t|do not) want (?:to|{_IT})(?: (?:do|continue|go on)(?: with)?(?: {_IT})?)?|i(?:'ve| have)? changed my mind"
    rf"|call {_IT} off|quit|exit|stop|not any ?more|i(?:'d)? rather not (?:do|continue|go on)(?: with)?(?: {_IT})?)"
)
_CANCEL = re.compile(rf"{_LEAD}{_STOPS}(?:\W+{_STOPS})?{_END}")
_WHY = re.compile(
    r"^\W*(?:(?:but|and|ok(?:ay)?|hm+|wait|sorry)\W+){0,2}(?:why(?:\W*$| (?:do|would|should|are|is|must|does|did"
    r"|on earth) ?(?:you|i|we|that|it|this)?\b.{0,40}"
    r"\b(?:need|ask|asking|know|want|necessary|matter|have to|required?|important|say|tell|give)\b)"
    r"|what(?:'s| is| do you)?\b.{0,20}\b(?:for|need (?:it|that|this) for|purpose)\W*$|what for\W*$|is (?:that|this"
    r"|it) (?:really )?(?:necessary|needed|required))"
)
_REPEAT = re.compile(
    r"^\W*(?:sorry\W+|please\W+|can you |could you )*(?:what was (?:the|your) (?:last )?question|(?:repeat|say) (?:the question"
    r"|that|it)(?: again)?|what did you (?:ask|say|want)"
    r"|(?:ask|say) (?:me |that |it )?again|come again|pardon(?: me)?|what do you (?:need|want)(?: (?:to know|from me))?"
    r"|what was that|where were we|again|what\?+|huh)"
    r"(?: please)?\W*$"
)
_RESUME = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|yes|please|so|let'?s|let us|can we|could we|i want to|i'd like to)\W+){0,4}(?:go on|continue|carry on"
    r"|resume|proceed|go ahead|next|"
    r"back to (?:it|that|my .{1,40}|the .{1,40})|where were we|pick up where)(?: (?:with|from)? ?(?:it|that|there|my .{1,40}"
    r"|the .{1,40}|we .{1,20}))?(?: please)?\W*$"
)
_REFUSE = re.compile(
    r"\b(?:rather|prefer(?: to)?) not\b|\bdo(?:n'?t| not) (?:want|wish|like) to (?:say|tell|share|give|answer|disclose"
    r"|provide)\b|\bnone of your business\b"
    r"|\bnot (?:telling|saying|giving|sharing)\b|\bwon'?t (?:say|tell|give|share)\b|\b(?:that'?s|it'?s|this is) (?:private"
    r"|personal|confidential)\b"
    r"|\bprefer not\b|^\W*(?:skip|pass)(?: (?:it|this|that)(?: (?:one|question))?)?\W*$"
    r"|^\W*(?:(?:no|sorry|well|oh|but|um+|hm+)\W+){0,2}(?:i )?(?:really |honestly |actually )?(?:don'?t|do not|can'?t|cannot|couldn'?t)"
    r" (?:know|remember|recall|find|have)\b"
    r"(?: (?:it|that|one|any|my|the|this)\b.{0,40})?(?: (?:right )?now)?\W*$"
    r"|^\W*(?:(?:no|sorry|well|oh|but|um+|hm+|i'?m|i am|i have|i'?ve)\W+){0,3}(?:no (?:idea|clue)|not (?:too |really )?sure|dunno|idk"
    r"|(?:i )?dont know|haven'?t a clue)\W*$"
)
_CORRECT = re.compile(
    r"^\W*(?:(?:no|nope|sorry|oh|oops|wait|hold on|hang on|actually|pardon|ah|hm+|apologies|i'?m sorry"
    r"|scratch that|my mistake|my bad|typo|correction|whoops)\b[\s,.;:!-]*){1,4}"
    r"(?:(?:i )?(?:meant?|mean)(?: to (?:say|write))?|it(?:'s| is| should be| was)|that(?:'s| should be| was)|make (?:it|that)"
    r"|not .{1,40}? but|rather|change (?:it|that) to|i said)?[\s,:]*"
    r"|\bi (?:meant?|mean)(?: to (?:say|write))?\b[\s,:]*|\b(?:change|correct) (?:it|that|the [\w ]{1,30}|my [\w ]{1,30}) (?:to"
    r"|into)\b[\s,:]*"
    r"|\bshould (?:be|have been|read)\b[\s,:]*|\b(?:instead of|rather than)\b.{1,40}$|\bnot (?:the )?[\w ]{1,30}?,? but\b[\s,:]*"
    r"|\bactually\b[\s,:]*"
    r"|\b(?:was|were|is) wrong\b[\s,.;:]*|^\W*i said\b[\s,:]*|\bscratch that\b[\s,.;:]*|,? ?\bnot (?:the )?[£€$]?\d[\d.,]*\W*$"
)
_MARKS = (
    "no",
    "sorry",
    "oops",
    "wait",
    "mean",
    "actually",
    "change",
    "correct",
    "should",
    "instead",
    "rather",
    "not",
    "wrong",
    "pardon",
    "oh",
    "hold",
    "hang",
    "scratch",
    "said",
    "mistake",
    "my bad",
    "typo",
    "apolog",
    "ah",
    "hm",
)
_ASKS = re.compile(
    r"\?\s*$|^\W*(?:(?:and|but|so|ok(?:ay)?|hi|hello|sorry|by the way|one question)\W+){0,3}"
    r"(?:what|which|who|where|when|why|how|is|are|do|does|did|can|could|would|will|should|may|am|have|has)\b"
)


def read_said(text: str, *, yes: bool | None = None) -> Said:
    """Read what ``text`` does. ``yes``: what small talk made of it as a whole (:mod:`bot.understand.smalltalk`), None for neither."""
    text = text[:MAX_READ].strip()
    low = lowered(text)
    if not low:
        return Said(text, yes=yes)
    correct, rest = _corrected(text, low)
    return Said(
        text,
        cancel=_CANCEL.match(low) is not None,
        why=_WHY.match(low) is not None,
        repeat=_REPEAT.match(low) is not None,
        resume=_RESUME.match(low) is not None,
        refuse=_REFUSE.search(low) is not None,
        correct=correct,
        asks=_ASKS.search(low) is not None,
        yes=yes,
        rest=rest,
    )


def _corrected(text: str, low: str) -> tuple[bool, str]:
    """Whether the words correct something, and what is left once the words that do so are gone."""
    if not any(mark in low for mark in _MARKS):
        return False, text
    match = _CORRECT.search(low)
    if match is None or not match[0].strip(" ,.;:!-"):
        return False, text
    rest = (text[: match.start()] + " " + text[match.end() :]).strip(" ,.;:!-")
    return bool(rest), rest or text
