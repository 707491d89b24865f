"""Days as customers write them: "next tuesday", "12/3", "the day after tomorrow", "end of March". Pure; English, the day before the month.

Which year or week is meant depends on what the day is for, so a day that was found says itself only once it is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MOST = 10
"""Days that are found in one text."""

AHEAD_YEARS = 10
"""A year of two digits is in the future by at most so many; "12/3/58" is in 1958."""

PIVOT = 70
"""In words a year of two digits below this is of this century."""

_ORDINAL_WORDS = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth
seventeenth eighteenth nineteenth twentieth
"""
_ORDINALS = _ORDINAL_WORDS.split()
_COUNTS = {
    word: n for n, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1)
} | {
    "a": 1,
    "an": 1,
}
_month = "|".join([*MONTHS, "sept", *(one[:3] for one in MONTHS)])
_weekday = "|".join([*WEEKDAYS, "wendesday", "wensday", "wednsday", "tuseday", "thrusday", "thurday", "firday", "saterday"])
_short = "mon|tues?|weds?|thurs?|thu|thur|fri|sat|sun"
_count = rf"(?:\d{{1,3}}|{'|'.join(_COUNTS)})"
_nth = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{'|'.join(_ORDINALS)}|twenty[ -](?:{'|'.join(_ORDINALS[:9])})|thirt(?:ieth|y[ -]first))"
_DAY = re.compile(
    r"(?<![\w/.-])(?:"
    r"(?P<iso>\d{4}-\d{1,2}-\d{1,2})"
    r"|(?P<slashed>\d{1,2}(?P<mark>[/.-])\d{1,2}(?P=mark)(?:\d{4}|\d{2})|\d{1,2}/\d{1,2})"
    r"|(?P<near>(?:the )?day (?:after tomorrow|before yesterday)|today|tonight|tom+or+ow|tmrw|tmr|2moro|yesterday|last night)"
    rf"|(?P<edge>(?:the )?(?:end|beginning|start|last day|first day) of (?:(?:the|this|next|last) month|(?P<edge_month>{_month})))"
    rf"|(?:(?:{_weekday}|{_short})[ ,]{{1,2}})?(?:the )?(?P<day>{_nth})(?: of)?[ -](?P<month>{_month})\b\.?,?"
    r"(?:[ -](?P<year>\d{4}|\d{2}(?![\d:])))?"
    rf"|(?P<month_first>{_month})\.? (?:the )?(?P<day_last>\d{{1,2}}(?:st|nd|rd|th)?)(?![\d:])(?:,? (?P<year_last>\d{{4}}))?"
    rf"|in (?P<ahead>{_count}) (?P<ahead_unit>day|week|month|fortnight)s?(?:'? time)?"
    rf"|(?P<ago>{_count}) (?P<ago_unit>day|week|month|fortnight)s? ago"
    rf"|(?P<which>(?:next|this|last|this coming|on)[ ])?(?P<weekday>{_weekday})(?P<weeks>[ ]week\b)?"
    rf"|(?P<which_short>(?:next|this|last|on) )(?P<weekday_short>{_short})\b(?! \w+day)"
    rf"|a week on (?P<week_on>{_weekday})"
    r"|(?:on )?the (?P<nth>\d{1,2}(?:st|nd|rd|th))"
    r")(?![\w/])"
)
_ALONE = re.compile(rf"\W*({_short})\W*$")
_MAYBE = re.compile(
    rf"\d|^\W*(?:{_short})\W*$|day|night|mor|tmr|{'|'.join(one[:3] for one in MONTHS)}"
    rf"|(?:on|next|this|last) (?:{_short})|fortnight|week|month"
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day in a text, from ``start`` up to ``end``. ``words`` say it briefly, for those who know what it is for.

    Either ``offset`` days from today (``months`` from today), or a ``weekday`` (0 is Monday; ``weeks`` later than the next one; ``which``
    the word before it), or a ``day`` of a ``month`` and ``year``, those that are None being left open. Day 0 is the last of its month.
    """

    start: int
    end: int
    words: str
    offset: int | None = None
    months: int | None = None
    weekday: int | None = None
    weeks: int = 0
    which: str = ""
    day: int | None = None
    month: int | None = None
    year: int | None = None

    @property
    def is_open(self) -> bool:
        """It could be in another year or week, and only what it is for tells in which."""
        return self.day is not None and self.year is None and self.months is None

    def resolve(self, today: date, *, past: bool = False) -> date | None:
        """The day itself. Where its year or week is open it is the next one, today's weekday excepted; with ``past`` the last one."""
        if self.offset is not None:
            return _shifted(today, self.offset)
        if self.weekday is not None:
            ahead = (self.weekday - today.weekday()) % 7
            if past or self.which == "last":
                back = (7 - ahead) % 7
                return today - timedelta(days=back or (7 if self.which == "last" else 0))
            return today + timedelta(days=(ahead or 7) + 7 * self.weeks)
        year, month = today.year, today.month
        if self.months is not None:
            year, month = divmod(year * 12 + month - 1 + self.months, 12)
            return _made(year, month + 1, self.day if self.day is not None else today.day)
        if self.day is None:
            return None
        if self.year is not None:
            wide = self.year if self.year >= 100 else today.year // 100 * 100 + self.year
            wide -= 100 if self.year < 100 and wide > today.year + AHEAD_YEARS else 0
            return _made(wide, self.month or month, self.day)
        if self.month is not None:
            return _nearest([_made(today.year + n, self.month, self.day) for n in range(-8, 9)], today, past)
        near = [divmod(year * 12 + month - 1 + n, 12) for n in range(-3, 4)]
        return _nearest([_made(y, m + 1, self.day) for y, m in near], today, past)


def find_days(low: str) -> list[Day]:
    """The days in ``low``, a text in lower case, in its order, at most ``MOST``."""
    if not _MAYBE.search(low):
        return []
    found: list[Day] = []
    if alone := _ALONE.match(low):
        weekday = _weekday_of(alone[1])
        return [Day(*alone.span(1), WEEKDAYS[weekday], weekday=weekday)]
    for match in _DAY.finditer(low):
        if (day := _read(match)) is not None:
            found.append(day)
            if len(found) == MOST:
                break
    return found


def _read(match: re.Match[str]) -> Day | None:
    start, end = match.span()
    words = " ".join(match[0].split())
    if match["iso"]:
        year, month, day = (int(part) for part in match["iso"].split("-"))
        return Day(start, end, words, day=day, month=month, year=year) if _made(year, month, day) else None
    if match["slashed"]:
        return _slashed(match["slashed"], start, end)
    if match["near"]:
        near = {"tod": 0, "ton": 0, "yes": -1, "las": -1}
        offset = (2 if "after" in words else -2) if " day " in f" {words} " else near.get(words[:3], 1)
        return Day(start, end, words if offset != 1 else "tomorrow", offset=offset)
    if match["edge"]:
        return _edge(match, words, start, end)
    if match["day"]:
        return _dated(_nth_of(match["day"]), _month_of(match["month"]), match["year"], start, end)
    if match["month_first"]:
        return _dated(_nth_of(match["day_last"]), _month_of(match["month_first"]), match["year_last"], start, end)
    if match["ahead"] or match["ago"]:
        count = _COUNTS.get(match["ahead"] or match["ago"]) or int(match["ahead"] or match["ago"])
        count = count if match["ahead"] else -count
        unit = match["ahead_unit"] or match["ago_unit"]
        if unit == "month":
            return Day(start, end, words, months=count)
        days = count * {"day": 1, "week": 7, "fortnight": 14}[unit]
        return Day(start, end, f"in {days} days" if days > 0 else f"{-days} days ago", offset=days)
    name = match["weekday"] or match["weekday_short"] or match["week_on"]
    if name:
        which = (match["which"] or match["which_short"] or "").strip()
        later = 1 if match["weeks"] or match["week_on"] else 0
        full = WEEKDAYS[_weekday_of(name)]
        said = words if later else f"{which} {full}".strip() if which not in ("on", "this coming") else full
        return Day(start, end, said, weekday=_weekday_of(name), weeks=later, which=which)
    day = _nth_of(match["nth"])
    return Day(start, end, words.removeprefix("on "), day=day) if 1 <= day <= 31 else None


def _slashed(text: str, start: int, end: int) -> Day | None:
    parts = [int(part) for part in re.split("[/.-]", text)]
    day, month = parts[0], parts[1]
    if month > 12 >= day:  # nobody's month is the 25th: it was written month first
        day, month = month, day
    return _dated(day, month, str(parts[2]) if len(parts) > 2 else None, start, end)


def _dated(day: int, month: int, year: str | None, start: int, end: int) -> Day | None:
    if not 1 <= month <= 12 or _made(2000 if year is None else int(year) or 2000, month, day) is None:
        return None
    words = f"{day} {MONTHS[month - 1].capitalize()}"
    full = int(year) if year is not None else None
    wide = full if full is None or full >= 100 else full + (2000 if full < PIVOT else 1900)
    return Day(start, end, words if wide is None else f"{words} {wide}", day=day, month=month, year=full)


def _edge(match: re.Match[str], words: str, start: int, end: int) -> Day:
    last = " end of" in f" {words}" or "last day" in words
    if match["edge_month"]:
        month = _month_of(match["edge_month"])
        made = _made(2001, month, 0 if last else 1)
        shown = f"{made.day if made is not None else 1} {MONTHS[month - 1].capitalize()}"
        return Day(start, end, shown if month != 2 or not last else words, day=0 if last else 1, month=month)
    ahead = 1 if "next month" in words else -1 if "last month" in words else 0
    return Day(start, end, words, months=ahead, day=0 if last else 1)


def _nth_of(text: str) -> int:
    digits = "".join(character for character in text if character.isdigit())
    if digits:
        return int(digits)
    tens, _, ones = text.replace("-", " ").partition(" ")
    if ones:
        return {"twenty": 20, "thirty": 30}[tens] + _ORDINALS.index(ones) + 1
    return 30 if text == "thirtieth" else _ORDINALS.index(text) + 1


def _month_of(text: str) -> int:
    return next(n for n, name in enumerate(MONTHS, 1) if name[:3] == text[:3])


def _weekday_of(text: str) -> int:
    found = {"mo": 0, "tu": 1, "we": 2, "th": 3, "fr": 4, "fi": 4, "sa": 5, "su": 6}
    return found[text[:2]]


def _shifted(today: date, days: int) -> date | None:
    try:
        return today + timedelta(days=days)
    except OverflowError:
        return None


def _made(year: int, month: int, day: int) -> date | None:
    """The day; day 0 is the month's last, and a day that a month does not have is none."""
    try:
        if day == 0:
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
            return date(year, month, 1) - timedelta(days=1)
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def _nearest(days: list[date | None], today: date, past: bool) -> date | None:
    there: Iterator[date] = (day for day in days if day is not None)
    if past:
        return max((day for day in there if day <= today), default=None)
    return min((day for day in there if day >= today), default=None)
