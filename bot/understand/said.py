"""What a customer's words do in the middle of a task: answer, correct, cancel, ask why; and which value they name. Pure; English.

A value is read for one slot at a time, so that "yes", "50" and "the blue card" mean what was asked. Nothing here knows of flows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.understand.clauses import Found
from bot.understand.words import words_of
from memory.declared import Declared
from memory.values import Type, ValueRefused

MAX_READ = 1000
"""Characters of a message in which values are looked for."""

MOST = 20
"""Things that are named in one message."""

BESIDE = 4
"""So many words beside a value, and the message still is just that value."""

SHORT = 3
"""A free text of so few words is a name or the like, and what introduces it is no part of it: "it is for Bob"."""

MAX_FREE = 500
"""Characters of a free text that are kept."""


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


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that a message names: of what kind, which value it stands for, and where it stands in the text."""

    name: str
    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer may be. ``type`` is a slot's, ``entities`` are the kinds of things that fill it, ``fact`` is its fact, if any."""

    type: str = "text"
    values: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    fact: Declared | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A value that was read. ``exact``: the message is just that, and hardly anything beside; ``text`` is what was written."""

    value: Any
    exact: bool
    text: str = field(repr=False, default="")


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
    r"|^\W*(?:(?:no|sorry|well|oh|but)\W+){0,2}(?:i )?(?:really )?(?:don'?t|do not|can'?t|cannot|couldn'?t) (?:know|remember"
    r"|recall|find|have)\b"
    r"(?: (?:it|that|one|any|my|the|this)\b.{0,40})?(?: (?:right )?now)?\W*$|^\W*no idea\W*$"
)
_CORRECT = re.compile(
    r"^\W*(?:(?:no|nope|sorry|oh|oops|wait|hold on|actually|pardon|ah|hm+|apologies|i'?m sorry)\b[\s,.;:!-]*){1,4}"
    r"(?:(?:i )?(?:meant?|mean)(?: to (?:say|write))?|it(?:'s| is| should be| was)|that(?:'s| should be| was)|make (?:it|that)"
    r"|not .{1,40}? but|rather|change (?:it|that) to|i said)?[\s,:]*"
    r"|\bi (?:meant?|mean)(?: to (?:say|write))?\b[\s,:]*|\b(?:change|correct) (?:it|that|the [\w ]{1,30}|my [\w ]{1,30}) (?:to"
    r"|into)\b[\s,:]*"
    r"|\bshould (?:be|have been|read)\b[\s,:]*|\b(?:instead of|rather than)\b.{1,40}$|\bnot (?:the )?[\w ]{1,30}?,? but\b[\s,:]*"
    r"|\bactually\b[\s,:]*"
    r"|\b(?:was|were|is) wrong\b[\s,.;:]*"
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
)
_ASKS = re.compile(
    r"\?\s*$|^\W*(?:(?:and|but|so|ok(?:ay)?|hi|hello|sorry|by the way|one question)\W+){0,3}"
    r"(?:what|which|who|where|when|why|how|is|are|do|does|did|can|could|would|will|should|may|am|have|has)\b"
)
_YES = re.compile(
    r"^\W*(?:yes|yep|yeah|yea|yup|ya|sure|ok(?:ay)?|correct|right|exactly|definitely|absolutely|certainly|of course|indeed"
    r"|confirm(?:ed)?|true|please do|go ahead|do it|y|i do|i did|i am|i have"
    r"|that'?s (?:right|correct|it|fine|the one)|it is|it does|still (?:is|the same|there))\b"
)
_NO = re.compile(
    r"^\W*(?:no|nope|nah|not?(?= )|never|n|negative|false|incorrect|wrong|don'?t|do not|i don'?t|i do not|i didn'?t|i did not"
    r"|i haven'?t|i'?m not|i am not"
    r"|it (?:is not|isn'?t|has changed|changed)|that'?s (?:not|wrong)|not really|not any ?more|none|rather not)\b"
)
_UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: value for value, word in enumerate(_UNITS.split())}
_NUMBER_WORDS |= {word: 20 + 10 * value for value, word in enumerate(_TENS.split())}
_NUMBER = re.compile(
    r"(?<![\w.,])[-+]?(?:[£€$] ?)?([-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+]?\d+(?:\.\d+)?)(?: ?(k|thousand|grand|million|m)\b)?(?![\d])",
    re.IGNORECASE,
)
_TIMES = {"k": 1e3, "thousand": 1e3, "grand": 1e3, "million": 1e6, "m": 1e6}
_INTRODUCES = re.compile(
    r"^\W*(?:(?:it(?:'s| is)|that(?:'s| is| would be)|this is|my (?:[\w-]+ ){1,4}is|the (?:[\w-]+ ){0,4}is|i live (?:at|in|on)"
    r"|i(?:'m| am)|i have|i (?:think|believe)(?: it(?:'s| is))?"
    r"|for|to|at|on|just|only|about|around|sure|ok(?:ay)?|yes|well|hm+|please|make it|here(?:'s| is)(?: it"
    r"| my (?:[\w-]+ ){1,4})?|here you (?:go|are)|of course|use|take)\b[\s,:.-]*){1,3}"
)


def read_said(text: str, *, yes: bool | None = None) -> Said:
    """Read what ``text`` does. ``yes``: what small talk made of it as a whole (:mod:`bot.understand.smalltalk`), None for neither."""
    text = text[:MAX_READ].strip()
    low = _plain(text)
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


def read_value(wanted: Wanted, text: str, entities: Sequence[Entity] = (), *, yes: bool | None = None) -> Reading | None:
    """The value that ``text`` gives to what was asked, as the slot keeps it; None where it gives none.

    ``entities`` are what the message names (:func:`named`), ``yes`` as for :func:`read_said`. Of a free text the words themselves are the
    value, and such a reading is never exact: whoever asked has to judge whether it is an answer at all.
    """
    text = text[:MAX_READ].strip()
    if not text:
        return None
    mine = [one for one in entities if one.name in wanted.entities or (wanted.fact is not None and one.name == wanted.fact.name)]
    if mine:
        value = _fitted(wanted, mine[0].value)
        if value is not None:
            return Reading(value, _beside(text, mine) <= BESIDE, text)
    if wanted.fact is not None:
        return _read_fact(wanted, wanted.fact, text)
    match wanted.type:
        case "bool":
            return _read_bool(text, yes)
        case "float":
            return _read_number(wanted, text)
        case "categorical":
            return _read_choice(wanted.values, text)
        case "list":
            parts = [part.strip(" .") for part in re.split(r",|;|\band\b|\n", _introduced(text)) if part.strip(" .")]
            return Reading(parts, False, text) if parts else None
    if wanted.values and (choice := _read_choice(wanted.values, text)) is not None:
        return choice
    if wanted.entities and wanted.type != "any" and len(text) > MAX_FREE:
        return None
    short = _introduced(text)
    return Reading((short if len(words_of(short)) <= SHORT else " ".join(text.split()))[:MAX_FREE], False, text)


def mentioned(wanted: Wanted, text: str, entities: Sequence[Entity] = ()) -> Any:
    """A value that ``text`` names for something that was not asked: only what cannot well be anything else. None where there is none."""
    for one in entities:
        if (one.name in wanted.entities or (wanted.fact is not None and one.name == wanted.fact.name)) and (
            value := _fitted(wanted, one.value)
        ) is not None:
            return value
    if wanted.fact is None and wanted.type == "categorical" and not wanted.entities:
        found = _read_choice(wanted.values, text)
        return found.value if found is not None and str(found.value).casefold() in _plain(text) else None
    return None


def named(
    text: str, lookups: Mapping[str, Mapping[str, str]], patterns: Mapping[str, Sequence[str]], found: Iterable[Found] = ()
) -> tuple[Entity, ...]:
    """What ``text`` names: phrases of the lookups, matches of the patterns, and facts that were found; in its order, without overlaps.

    The longest phrase counts where two begin together. ``lookups`` say for each kind which phrase stands for which value.
    """
    text = text[:MAX_READ]
    low = _plain(text)
    hits = [Entity(one.name, one.value, one.start, one.end) for one in found if ":" not in one.name]
    for name, phrases in lookups.items():
        hits += [Entity(name, value, start, end) for phrase, value in phrases.items() for start, end in _places(low, phrase.casefold())]
    for name, rules in patterns.items():
        for rule in rules:
            hits += [Entity(name, match[0], *match.span()) for match in re.finditer(rule, text, re.IGNORECASE) if match[0]]
    taken: list[Entity] = []
    for one in sorted(hits, key=lambda one: (one.start, one.start - one.end)):
        if not any(one.start < other.end and other.start < one.end and one.name == other.name for other in taken):
            taken.append(one)
    return tuple(taken[:MOST])


def expected(wanted: Wanted) -> str:
    """What an answer has to look like, as a noun phrase for the customer; empty where anything will do."""
    if wanted.fact is not None:
        about = wanted.fact
        if about.choices:
            return _listed(about.choices)
        if about.example is not None:
            return f"something like {about.example}"
        return _FORMS.get(about.type, "")
    if wanted.type == "bool":
        return "yes or no"
    if wanted.type == "float":
        if wanted.low is not None and wanted.high is not None:
            return f"a number from {wanted.low:g} to {wanted.high:g}"
        return "a number, such as 50"
    return _listed(wanted.values) if wanted.values else ""


_FORMS = {
    Type.NUMBER: "a number, such as 12",
    Type.DATE: "a date, such as 2026-01-31",
    Type.MONEY: "an amount with its currency, such as 12.50 GBP",
    Type.PLACE: "an address with its postcode",
    Type.PHONE: "a telephone number, such as 020 7946 0018",
    Type.EMAIL: "an e-mail address, such as ann@example.org",
}


def _listed(values: Sequence[str]) -> str:
    shown = [value.replace("_", " ") for value in values]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _corrected(text: str, low: str) -> tuple[bool, str]:
    """Whether the words correct something, and what is left once the words that do so are gone."""
    if not any(mark in low for mark in _MARKS):
        return False, text
    match = _CORRECT.search(low)
    if match is None or not match[0].strip(" ,.;:!-"):
        return False, text
    rest = (text[: match.start()] + " " + text[match.end() :]).strip(" ,.;:!-")
    return bool(rest), rest or text


def _introduced(text: str) -> str:
    """The text without "it is", "my address is" and the like before it."""
    match = _INTRODUCES.match(_plain(text))
    rest = text[match.end() :] if match is not None else text
    return " ".join(rest.strip(" ,:;").split()) or " ".join(text.split())


def _beside(text: str, found: Sequence[Entity]) -> int:
    at, rest = 0, []
    for one in found:
        rest.append(text[at : one.start])
        at = max(at, one.end)
    return len(words_of(" ".join([*rest, text[at:]])))


def _fitted(wanted: Wanted, value: Any) -> Any:
    """The value as the slot keeps it; None where it is none for it."""
    if wanted.fact is not None:
        return _checked(wanted, wanted.fact, value)
    if wanted.type == "categorical":
        return next((one for one in wanted.values if one.casefold() == str(value).casefold()), None)
    if wanted.type == "float":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value if _inside(wanted, float(value)) else None
        found = _read_number(wanted, str(value.get("amount")) if isinstance(value, Mapping) else str(value))
        return None if found is None else found.value
    return value


def _checked(wanted: Wanted, fact: Declared, raw: object) -> Any:
    try:
        return fact.check(raw, region=wanted.region)
    except ValueRefused:
        return None


def _read_fact(wanted: Wanted, fact: Declared, text: str) -> Reading | None:
    strict = bool(fact.choices) or fact.form is not None or fact.type not in (Type.TEXT, Type.LIST, Type.PLACE)
    rest = _introduced(text)
    for said in dict.fromkeys((text, rest, rest.rstrip(" .!"))):
        if (value := _checked(wanted, fact, said)) is not None and (strict or said == rest.rstrip(" .!") or said == rest):
            return Reading(value, strict, text)
    if fact.choices and (choice := _read_choice(fact.choices, text)) is not None:
        return choice
    if strict:
        for word in text.split():
            if (value := _checked(wanted, fact, word.strip(",.;:!?()"))) is not None and len(word) > 1:
                return Reading(value, len(text.split()) - 1 <= BESIDE, text)
    return None


def _read_bool(text: str, yes: bool | None) -> Reading | None:
    if yes is not None:
        return Reading(yes, True, text)
    low = _plain(text)
    short = len(low.split()) <= 6
    if _YES.match(low):
        return Reading(True, short, text)
    if _NO.match(low):
        return Reading(False, short, text)
    return None


def _read_number(wanted: Wanted, text: str) -> Reading | None:
    values: list[float] = []
    for match in _NUMBER.finditer(text):
        number = float(match[1].replace(",", "")) * _TIMES.get((match[2] or "").lower(), 1.0)
        values.append(number)
    if not values:
        values = [float(_NUMBER_WORDS[word]) for word in words_of(text) if word in _NUMBER_WORDS]
    values = list(dict.fromkeys(values))
    if len(values) != 1 or not _inside(wanted, values[0]):
        return None
    value = int(values[0]) if values[0] == int(values[0]) else values[0]
    return Reading(value, len(words_of(text)) <= 1 + BESIDE, text)


def _inside(wanted: Wanted, value: float) -> bool:
    return (wanted.low is None or value >= wanted.low) and (wanted.high is None or value <= wanted.high)


def _read_choice(values: Sequence[str], text: str) -> Reading | None:
    """The one value that the text names: the longest where one is part of another, the last where it says "not this, that"."""
    low = " ".join(words_of(text))
    places: dict[str, tuple[int, str]] = {}
    for value in values:
        phrase = " ".join(words_of(value.replace("_", " ")))
        if phrase and (match := re.search(rf"(?<!\w){re.escape(phrase)}(?:s|es)?(?!\w)", low)):
            places[value] = (match.start(), phrase)
    best = [one for one, (_, phrase) in places.items() if not any(phrase != other and phrase in other for _, other in places.values())]
    if not places:
        # "the blue one" for "blue card": a word that only one of the values has
        best = [value for value in values if set(low.split()) & _own_words(value, values)]
    elif len(best) > 1 and re.search(r"\bnot\b|\binstead of\b|\brather than\b", low):
        denied = [one for one in best if re.search(rf"\b(?:not|of|than) (?:the |a |my )?{re.escape(places[one][1])}", low)]
        best = [one for one in best if one not in denied]
    if len(best) != 1:
        return None
    return Reading(best[0], len(words_of(text)) <= len(words_of(best[0].replace("_", " "))) + BESIDE, text)


def _own_words(value: str, values: Sequence[str]) -> set[str]:
    mine = {word for word in words_of(value.replace("_", " ")) if len(word) > 2}
    for other in values:
        if other != value:
            mine -= set(words_of(other.replace("_", " ")))
    return mine


def _places(low: str, phrase: str) -> Iterator[tuple[int, int]]:
    start = low.find(phrase)
    while phrase and start >= 0:
        end = start + len(phrase)
        if not (start and low[start - 1].isalnum()) and not (end < len(low) and low[end].isalnum()):
            yield start, end
        start = low.find(phrase, end)


def _plain(text: str) -> str:
    """Lower case with plain apostrophes, and as long as ``text``."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(lower if len(lower := character.lower()) == 1 else character for character in text)
    return low.translate(_APOSTROPHES)


_APOSTROPHES = str.maketrans("’‘‛´`", "'''''")
