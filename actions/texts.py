"""Amounts, days and choices: as customers say them, and as they are told them. Pure; English.

What is read comes from slots, so it may be a text, a number, or what a fact's value looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}
WORDS = {"pound": "GBP", "pounds": "GBP", "quid": "GBP", "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD"}
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MOST = Decimal(10) ** 12
MOST_AROUND = 8
"""Words of a text in which a month is looked for."""


_AMOUNT = re.compile(
    r"(?P<sign>[£€$])?\s*(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?|[0-9]{1,12}(?:\.[0-9]{1,2})?)\s*(?P<word>[A-Za-z]{3,7})?"
)
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:T.*)?")
_SLASHED = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})")
_DAY_MONTH = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]{3,9})\.?,?(?: ([0-9]{4}))?")
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.? ([0-9]{1,2})(?:st|nd|rd|th)?,?(?: ([0-9]{4}))?")
_IN_DAYS = re.compile(rf"in ([0-9]{{1,3}}|an?|{'|'.join(COUNTS)}) (day|week)s?(?:'? time)?")
_NTH = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)")
_AGO = re.compile(rf"([0-9]{{1,3}}|an?|{'|'.join(COUNTS)}) (day|week)s? ago")
_HOURS = re.compile(r" (?:early |late )?(?:morning|noon|lunchtime|afternoon|evening|night)")
_MONTH_NAMED = re.compile(rf"\b(?:(?:{'|'.join(MONTHS)})(?: [0-9]{{4}})?|last month)\b")
_MONTH = re.compile(r"([a-z]{3,9})\.?(?: ([0-9]{4}))?")


def money(amount: int, currency: str = "GBP") -> str:
    """An amount of minor units (hundredths) for people: ``£1,204.50``, ``-£8.75``."""
    sign = SIGNS.get(currency)
    text = f"{abs(amount) // 100:,}.{abs(amount) % 100:02d}"
    return f"{'-' if amount < 0 else ''}{sign}{text}" if sign else f"{'-' if amount < 0 else ''}{text} {currency}"


def fee(amount: int, currency: str = "GBP") -> str:
    """A fee for people: ``free`` or an amount."""
    return "free" if amount == 0 else money(amount, currency)


def day_text(iso: str | None) -> str:
    """A day (``2026-11-28``) or the day of a moment for people: ``28 November 2026``; what is no day stays as it is."""
    try:
        day = date.fromisoformat((iso or "")[:10])
    except ValueError:
        return iso or ""
    return f"{day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"


def month_text(iso: str) -> str:
    """A month (``2026-11``) for people: ``November 2026``."""
    year, _, month = iso.partition("-")
    return f"{MONTHS[int(month) - 1].capitalize()} {year}" if month.isdecimal() and 1 <= int(month) <= 12 else iso


def lines(items: Iterable[str], *, numbered: bool = False) -> str:
    """One item a line, with a dash or its number before it."""
    return "\n".join(f"{n}. {item}" if numbered else f"- {item}" for n, item in enumerate(items, 1))


def read_amount(raw: Any, currency: str = "GBP") -> int | None:
    """Minor units of an amount of ``currency``; None for what is no such amount, or one of another currency, or below zero."""
    if isinstance(raw, dict):
        if str(raw.get("currency", currency)).upper() != currency:
            return None
        raw = raw.get("amount")
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    if isinstance(raw, str):
        match = _AMOUNT.fullmatch(raw.strip())
        if match is None:
            return None
        named = {SIGNS[one]: one for one in SIGNS}.get(match["sign"] or "", currency)
        word = (match["word"] or "").lower()
        if named != currency or WORDS.get(word, word.upper() or currency) != currency:
            return None
        raw = match["number"].replace(",", "")
    try:
        amount = Decimal(str(raw)) * 100
    except InvalidOperation:
        return None
    return int(amount) if amount.is_finite() and amount == amount.to_integral_value() and 0 <= amount < MOST else None


def read_day(raw: Any, today: date, *, past: bool = False) -> date | None:
    """The day that is meant: ``2026-12-01``, ``01/12/2026`` (day first), ``1 December``, ``Friday``, ``in 5 days``, ``a week ago``.

    A day without its year, and a weekday, is the next one; with ``past`` the last one, today included. The time of day does not count:
    ``this morning``, ``last night``, ``Friday evening``. None for anything else.
    """
    if not isinstance(raw, str):
        return None
    text = " ".join(raw.lower().replace(",", " ").split()).removeprefix("from ").removeprefix("on ").removeprefix("the ")
    text = {"tonight": "today", "last night": "yesterday"}.get(text, _HOURS.sub("", text).removeprefix("this ") or text)
    near = {"today": 0, "this": 0, "now": 0, "just now": 0, "tomorrow": 1, "day after tomorrow": 2}
    near |= {"yesterday": -1, "day before yesterday": -2}
    if text in near:
        return today + timedelta(days=near[text])
    if match := _ISO.fullmatch(text.upper()):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := _SLASHED.fullmatch(text):
        return _date(int(match[3]), int(match[2]), int(match[1]))
    if match := _IN_DAYS.fullmatch(text):
        return today + timedelta(days=_count(match[1]) * (7 if match[2] == "week" else 1))
    if match := _AGO.fullmatch(text):
        return today - timedelta(days=_count(match[1]) * (7 if match[2] == "week" else 1))
    if match := _NTH.fullmatch(text):
        return _nth(int(match[1]), today, past)
    weekday = text.removeprefix("next ").removeprefix("last ").removeprefix("this ")
    if weekday in WEEKDAYS:
        ahead = (WEEKDAYS.index(weekday) - today.weekday()) % 7
        return today - timedelta(days=(7 - ahead) % 7) if past else today + timedelta(days=ahead or 7)
    if match := _DAY_MONTH.fullmatch(text):
        return _near_year(match[3], _month(match[2]), int(match[1]), today, past)
    if match := _MONTH_DAY.fullmatch(text):
        return _near_year(match[3], _month(match[1]), int(match[2]), today, past)
    return None


def read_month(raw: Any, today: date) -> str | None:
    """The month that is meant, as ``2026-10``: ``October``, ``October 2025``, ``last month``. Without its year, the last one.

    A few words around a month's whole name do not count: ``the bill for October``.
    """
    if not isinstance(raw, str):
        return None
    text = " ".join(raw.lower().replace(",", " ").split())
    if len(text.split()) <= MOST_AROUND and (named := _MONTH_NAMED.search(text)) is not None:
        text = named[0]
    if text in ("this month", "last month"):
        first = today.replace(day=1)
        return (first if text == "this month" else first - timedelta(days=1)).isoformat()[:7]
    if match := re.fullmatch(r"([0-9]{4})-([0-9]{1,2})", text):
        month, year = int(match[2]), int(match[1])
    elif match := _MONTH.fullmatch(text):
        month = _month(match[1])
        year = int(match[2]) if match[2] else today.year - (month > today.month)
    else:
        return None
    return f"{year}-{month:02d}" if 1 <= month <= 12 else None


def read_choice(raw: Any, choices: Sequence[str]) -> str | None:
    """Which choice is meant; upper case, underscores, hyphens and spaces do not count."""
    if not isinstance(raw, str):
        return None
    wanted = _folded(raw)
    return next((one for one in choices if _folded(one) == wanted), None)


def read_flag(raw: Any) -> bool:
    """Whether a slot says yes; an empty one says no."""
    return raw is True or (isinstance(raw, str) and raw.strip().lower() in ("true", "yes", "y", "1"))


def digits(raw: Any) -> str:
    """The digits of a number on paper; spaces and hyphens do not count. "" where there is anything else in it."""
    text = re.sub(r"[\s\-‐‑–]", "", str(raw)) if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    return text if text.isascii() and text.isdecimal() else ""


def same_words(a: str, b: str) -> bool:
    """Whether two names say the same; letter case and spaces do not count."""
    return " ".join(a.casefold().split()) == " ".join(b.casefold().split())


def _folded(text: str) -> str:
    return re.sub(r"[\s_\-]+", " ", text.strip().casefold())


def _month(name: str) -> int:
    """A month's number by its name or the name's first three letters or more; 0 for none."""
    return next((n for n, month in enumerate(MONTHS, 1) if len(name) >= 3 and month.startswith(name)), 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _count(raw: str) -> int:
    """A count in digits or as a word; one where it is neither."""
    return int(raw) if raw.isdecimal() else COUNTS.index(raw) + 1 if raw in COUNTS else 1


def _nth(day: int, today: date, past: bool) -> date | None:
    """The next day of this number, or with ``past`` the last one, today included."""
    month = today.replace(day=1)
    for _ in range(3):  # of three months in a row at least one has 31 days
        found = _date(month.year, month.month, day)
        if found is not None and (found <= today if past else found >= today):
            return found
        month = (month - timedelta(days=1)).replace(day=1) if past else (month + timedelta(days=32)).replace(day=1)
    return None


def _near_year(year: str | None, month: int, day: int, today: date, past: bool) -> date | None:
    if year is not None:
        return _date(int(year), month, day)
    years = (today.year, today.year - 1) if past else (today.year, today.year + 1)
    for one in years:
        found = _date(one, month, day)
        if found is not None and (found <= today if past else found >= today):
            return found
    return None
