"""Text into numbers: the words of an exchange as the index keeps them, and a question as the search understands it. Pure."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Lock
from zlib import crc32

from snowballstemmer.english_stemmer import EnglishStemmer

VERSION = 1
"""Counted up with every change of what numbers a text gives, the stemmer's included: an index of another version is made anew."""

LONGEST_WORD = 40
LONGEST_TEXT = 100_000
"""Characters of one exchange that are looked at; channels carry at most a few thousand."""

MONTHS = {name.casefold(): n for n, name in enumerate(calendar.month_name) if name}
_SHORT_MONTHS = {name.casefold(): n for n, name in enumerate(calendar.month_abbr) if name and name != "May"} | {"sept": 9}
WEEKDAYS = {name.casefold(): n for n, name in enumerate(calendar.day_name)}

_STOP = """
    a about again all also am an and any anybody anyone anything are aren as at be because been before being both but by can cannot
    could couldn d did didn do does doesn doing don done down each either else ever every few for from further get gets getting go
    goes going gonna got had hadn has hasn have haven having he hello her here hers herself hey hi him himself his how however i if
    in into is isn it its itself just kind kinds know let lets ll m ma many me might mightn more most much must mustn my myself need
    needn no nor not now of off oh ok okay on once one only or other our ours ourselves out over own please quite re really s said
    same say says shall shan she should shouldn so some somebody someone something still such t tell than thank thanks that the
    their theirs them themselves then there these they thing things this those though through to told too under until up upon us use
    used ve very via want wants was wasn way we well were weren what whatever when where whether which while who whom whose why will
    with within without won would wouldn yeah yes yet you your yours yourself yourselves
"""
STOP = frozenset(_STOP.split())
"""Words that tell one exchange from another too little to be kept; a question word is among them, as the answer seldom repeats it."""

_word = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|\w", re.UNICODE)
_joined = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[\w-]{3,40}\b", re.UNICODE)
_thousands = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_no_cents = re.compile(r"[.,]0+$")
_ordinal = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_digit = re.compile(r"\d")
_month_may = re.compile(
    r"(?:\b(?:in|of|since|until|till|by|before|after|last|this|next|early|late|mid|during|and|to)\s+|\d(?:st|nd|rd|th)?\s+)May\b|\bMay\s+\d"
)
_sentence = re.compile(r"[^.!?\n…]+[.!?…]*")
_stem = EnglishStemmer()
_one_at_a_time = Lock()


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of a word that was folded; English endings only, anything else stays as it is."""
    if not word.isascii():
        return word
    with _one_at_a_time:  # the stemmer keeps the word inside itself, and a wrong stem would stay in the cache
        return str(_stem.stemWord(word))


@lru_cache(maxsize=65536)
def number(term: str) -> int:
    """A term's number, of 32 bits. A dictionary turns it back into the word, so it is no less private than the text."""
    return crc32(term.encode())


def folded(text: str) -> str:
    """Lower case without accents, in one form of each character."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """The words of a text in order, folded, stop words included: figures in one form, references as a whole, Chinese and the like by
    pairs."""
    text = text[:LONGEST_TEXT]
    has_may = _month_may.search(text) is not None
    low = folded(text)
    figures = _digit.search(low) is not None
    if figures:
        low = _ordinal.sub("", low)
    found: list[str] = []
    for match in _word.finditer(low):
        word = match.group()
        if word[0].isdigit():
            found.append(_figure(word))
        elif word.isascii():
            head = word.replace("’", "'").partition("'")[0]
            if head == "may" and not has_may:
                continue
            found.append(_SHORT_MONTH_NAMES.get(head, head)[:LONGEST_WORD])
        else:
            found.extend(_other_script(word))
    if figures:
        found.extend(_reference(match.group()) for match in _joined.finditer(low))
    return found


def _figure(figure: str) -> str:
    """``1,250.00`` and ``1250`` are one figure, and so are ``07`` and ``7``."""
    if _thousands.fullmatch(figure):
        figure = figure.replace(",", "")
    figure = _no_cents.sub("", figure)
    return (figure.lstrip("0") or "0")[:LONGEST_WORD]


def _reference(reference: str) -> str:
    """``AB-1234`` and ``ab1234`` are one reference."""
    return reference.replace("-", "").replace("_", "")


def _other_script(word: str) -> list[str]:
    word = re.split("['’]", word)[0] if word[0] < "\u2e80" else word
    if word[0] < "\u0e00" or len(word) < 3:  # scripts that put spaces between words
        return [word[:LONGEST_WORD]]
    return [word[n : n + 2] for n in range(min(len(word), 1000) - 1)]


_SHORT_MONTH_NAMES = {short: calendar.month_name[n].casefold() for short, n in _SHORT_MONTHS.items()}


def is_term(word: str) -> bool:
    """Whether a word is kept: no stop word, and no single letter."""
    return word not in STOP and (len(word) > 1 or word.isdigit() or not word.isascii())


def terms_of(text: str) -> Counter[str]:
    """How often each stem is in a text, without stop words."""
    return Counter(stem(word) for word in words(text) if is_term(word))


def date_terms(at: datetime) -> tuple[str, ...]:
    """The words by which somebody would name the day: ``friday``, ``may``, ``8``, ``2026``."""
    at = at.astimezone(UTC)
    return (
        stem(calendar.day_name[at.weekday()].casefold()),
        stem(calendar.month_name[at.month].casefold()),
        str(at.day),
        str(at.year),
    )


def only_asks(text: str) -> bool:
    """Whether a text ends with a question and states nothing of length before it: who asks seldom says what is looked for."""
    if not text.rstrip().endswith("?"):
        return False
    sentences = [sentence.strip() for sentence in _sentence.findall(text[:LONGEST_TEXT])]
    return not any(not sentence.endswith("?") and len(sentence.split()) > STATEMENT_WORDS for sentence in sentences)


STATEMENT_WORDS = 8
"""A sentence of more words than this says something, even if a question follows it; shorter ones greet, thank and wonder."""


_asks_figure = re.compile(
    r"\b(?:when|how (?:much|many|long|old|often|far|fast|big|large|soon|high|expensive|late|early)"
    r"|(?:what|which) (?:\w+ )?(?:time|date|day|month|year|number|amount|sum|price|cost|rate|age|size|reference|code))\b",
    re.IGNORECASE,
)
_figure_word = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half"
    r"|yesterday|today|tonight|tomorrow|week|month|year|weekend|"
    + "|".join([*WEEKDAYS, *(name for name in MONTHS if name not in ("may", "march"))])
    + r")\b",
    re.IGNORECASE,
)


def has_figure(text: str) -> bool:
    """Whether a text has a number, an amount or a time."""
    return _figure_word.search(text[:LONGEST_TEXT]) is not None


def name_number(name: str | None) -> int:
    """The number of somebody's first name, by which a question may call them; 0 for nobody."""
    found = words(name or "")
    return number(found[0]) if found else 0


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for.

    ``terms`` are the question's words by their stems' numbers, ``names`` those written like a name, by their own numbers, with their
    stems'. ``plain`` is the text without the names of those who take part, for the encoder of meanings. ``of_customer`` and ``of_us`` say
    whose words it asks for, where it says so; ``wants_figure``, whether a number
    or a time would answer it. ``since`` and ``until`` bound a time that is meant.
    """

    text: str
    plain: str
    terms: dict[int, str]
    names: dict[int, int]
    of_customer: bool = False
    of_us: bool = False
    wants_figure: bool = False
    since: datetime | None = None
    until: datetime | None = None


QUESTION_CHARACTERS = 2000
"""How much of a question is looked at: a customer's whole message may be one."""

_capital = re.compile(r"\b[^\W\d_]+", re.UNICODE)
_FIRST = frozenset({"i", "my", "me", "mine"})
_SECOND = frozenset({"you", "your", "yours"})


def ask(text: str, *, names: Iterable[str] = (), now: datetime | None = None) -> Question:
    """Understand a question. ``names`` are the first names of those who take part (customer, agents); ``now`` lets ``last week`` be a time.

    A name counts where it is written with a capital: ``Bill`` is somebody, a ``bill`` is not.
    """
    text = text[:QUESTION_CHARACTERS]
    said = words(text)
    capitals = {folded(match.group()) for match in _capital.finditer(text) if match.group()[0].isupper()} - STOP
    takes_part = {word for name in names for word in words(name)[:1]} & capitals
    terms: dict[int, str] = {}
    for word in said:
        if is_term(word) and word not in takes_part:
            terms.setdefault(number(stem(word)), word)
    since, until = meant_time(text, now) if now is not None else (None, None)
    pronouns = set(said)
    return Question(
        text=text,
        plain=_without(text, takes_part),
        terms=terms,
        names={number(word): number(stem(word)) for word in capitals},
        of_customer=bool(pronouns & _FIRST) and not pronouns & _SECOND,
        of_us=bool(pronouns & _SECOND) and not pronouns & _FIRST,
        wants_figure=_asks_figure.search(text) is not None,
        since=since,
        until=until,
    )


def _without(text: str, names: Collection[str]) -> str:
    """The text without these names and their possessive endings."""
    if not names:
        return text
    kept = re.sub(
        r"\b([^\W\d_]+)(?:['’]s)?\b", lambda match: " " if match[1][0].isupper() and folded(match[1]) in names else match[0], text
    )
    return " ".join(kept.split()) or text


_ago = re.compile(r"\b(\d{1,3}|a|an|one|two|three|four|five|six) (day|week|month|year)s? ago\b")
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_last = re.compile(r"\b(last|this|past|previous) (week|month|year|" + "|".join(WEEKDAYS) + r")\b")
_in_month = re.compile(
    r"\b(?:(\d{1,2})(?:st|nd|rd|th)? (?:of )?)?("
    + "|".join(MONTHS)
    + r")\b(?: (\d{1,2})(?:st|nd|rd|th)?\b)?,?(?: (?:of )?((?:19|20)\d\d)\b)?"
)
_year = re.compile(r"\bin ((?:19|20)\d\d)\b")


def meant_time(text: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """From when (inclusive) until when (exclusive) a question speaks of, as seen from ``now``, in UTC days; (None, None) if of no time."""
    low = folded(text)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    if re.search(r"\byesterday\b", low):
        return today - day, today
    if re.search(r"\b(today|this morning|this afternoon)\b", low):
        return today, today + day
    if match := _ago.search(low):
        count = _NUMBERS.get(match[1]) or int(match[1])
        return _around(today, count, match[2])
    if match := _last.search(low):
        return _last_span(today, match[1], match[2])
    if (match := _in_month.search(low)) and (match[2] != "may" or _month_may.search(text)):
        return _month_span(today, MONTHS[match[2]], match[1] or match[3], match[4])
    if match := _year.search(low):
        year = int(match[1])
        return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    return None, None


def _around(today: datetime, count: int, unit: str) -> tuple[datetime, datetime]:
    """So many days ago, or so many larger units, give or take half a one: people round."""
    days = {"day": 1, "week": 7, "month": 30.4, "year": 365.25}[unit]
    then = today - timedelta(days=min(count * days, 36_500))
    if unit == "day":
        return then, then + timedelta(days=1)
    return then - timedelta(days=days / 2), then + timedelta(days=days / 2)


def _last_span(today: datetime, which: str, unit: str) -> tuple[datetime, datetime]:
    day = timedelta(days=1)
    if unit in WEEKDAYS:
        back = (today.weekday() - WEEKDAYS[unit]) % 7 or 7
        return today - back * day, today - (back - 1) * day
    if unit == "week":
        monday = today - today.weekday() * day
        return (monday, today + day) if which == "this" else (monday - 7 * day, monday)
    if unit == "month":
        first = today.replace(day=1)
        return (first, today + day) if which == "this" else ((first - day).replace(day=1), first)
    new_year = today.replace(month=1, day=1)
    return (new_year, today + day) if which == "this" else (new_year.replace(year=new_year.year - 1), new_year)


def _month_span(today: datetime, month: int, day: str | None, year: str | None) -> tuple[datetime | None, datetime | None]:
    """A month, or a day of it; without a year, the latest one that has begun."""
    chosen = int(year) if year else today.year - (month > today.month)
    if day:
        try:
            start = datetime(chosen, month, int(day), tzinfo=UTC)
        except ValueError:
            return None, None
        return start, start + timedelta(days=1)
    start = datetime(chosen, month, 1, tzinfo=UTC)
    return start, (start + timedelta(days=32)).replace(day=1)
