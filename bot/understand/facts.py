"""A fact's value in a customer's answer: a number on paper, an amount, a day, a telephone number, with talk around it. Pure; English."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from bot.understand.codes import first_code, telephone_numbers
from bot.understand.days import find_days
from bot.understand.meant import introduced
from bot.understand.numbers import Figure, figures, spelled_out
from bot.understand.plain import lowered
from bot.understand.wanted import Wanted
from memory.declared import Declared
from memory.personal import emails_in
from memory.values import Type, ValueRefused

CURRENCIES = {"GB": "GBP", "US": "USD", "IE": "EUR", "DE": "EUR", "FR": "EUR", "ES": "EUR", "IT": "EUR", "NL": "EUR", "AT": "EUR"}
"""What an amount without its currency is in, by the country of the assistant (ISO 3166)."""

Hit = tuple[Any, str] | None
"""A value as it is stored, with how it is written in the text; None where there is none."""

_MARKED = {"£": "GBP", "pound": "GBP", "quid": "GBP", "gbp": "GBP", "€": "EUR", "eur": "EUR", "$": "USD", "dollar": "USD", "usd": "USD"}
_SPOKEN_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64} at (?:[\w-]{1,63} dot ){1,4}[a-z]{2,24}\b")


def checked_fact(wanted: Wanted, fact: Declared, raw: object) -> Any:
    """The value as it is stored; None where it is none."""
    try:
        return fact.check(raw, region=wanted.region)
    except ValueRefused:
        return None


def find_fact(wanted: Wanted, fact: Declared, text: str) -> Hit:
    """The one value of ``fact`` in ``text``, where it can be told from the words around it by its form; None where there are several."""
    reader = _READERS.get(fact.type)
    if reader is not None:
        return reader(wanted, fact, text)
    if fact.form is not None:
        return _by_form(wanted, fact, text)
    if fact.code:
        for pattern in fact.patterns:
            if (match := pattern.match.search(text)) is not None and (value := checked_fact(wanted, fact, match[0])) is not None:
                return value, match[0]
    return None


def has_form(fact: Declared) -> bool:
    """Whether an answer that does not look like the fact is none. Other texts are taken as they are."""
    return bool(fact.choices) or fact.form is not None or fact.type in _READERS


def one_figure(wanted: Wanted, text: str) -> Figure | None:
    """The one number that is meant: an amount of money before others, and those that fit before those that do not."""
    low = lowered(text)
    found = figures(low)
    if len(found) > 1 and (days := find_days(low)):
        found = [one for one in found if not any(day.start <= one.start < day.end for day in days)]
    for fits in ([one for one in found if one.money], [one for one in found if not one.period], found):
        inside = [one for one in fits if inside_bounds(wanted, one.value)]
        if len({one.value for one in inside}) == 1:
            return inside[0]
        if fits:
            return None
    return None


def inside_bounds(wanted: Wanted, value: float) -> bool:
    """Whether a number is not too small and not too large."""
    return (wanted.low is None or value >= wanted.low) and (wanted.high is None or value <= wanted.high)


def whole(value: float) -> int | float:
    """A whole number as one."""
    return int(value) if value == int(value) else value


def _by_form(wanted: Wanted, fact: Declared, text: str) -> Hit:
    said = spelled_out(lowered(text)) if fact.code else text
    found = first_code(said, lambda one: checked_fact(wanted, fact, one))
    if found is not None:
        return found
    rest = introduced(text).rstrip(" .!")
    value = checked_fact(wanted, fact, rest)
    return (value, rest) if value is not None else None


def _number(wanted: Wanted, fact: Declared, text: str) -> Hit:
    one = one_figure(wanted, text)
    value = checked_fact(wanted, fact, whole(one.value)) if one is not None else None
    return (value, text[one.start : one.end]) if one is not None and value is not None else None


def _money(wanted: Wanted, fact: Declared, text: str) -> Hit:
    if (value := checked_fact(wanted, fact, text.strip(" .!"))) is not None:
        return value, text
    one = one_figure(wanted, text)
    if one is None:
        return None
    said = lowered(text[one.start : one.end])
    currency = next((code for mark, code in _MARKED.items() if mark in said), CURRENCIES.get(wanted.region or "", ""))
    value = checked_fact(wanted, fact, {"amount": str(whole(one.value)), "currency": currency})
    return (value, text[one.start : one.end]) if value is not None else None


def _date(wanted: Wanted, fact: Declared, text: str) -> Hit:
    """The day. One without its year is none: a fact is kept for years, and nothing says which of them is meant."""
    days = [one for one in find_days(lowered(text)) if not one.is_open and (wanted.today is not None or one.year is not None)]
    found = {one.resolve(wanted.today or date(2000, 1, 1)): one for one in days}
    if len(found) != 1:
        return None
    day, one = found.popitem()
    return (day.isoformat(), text[one.start : one.end]) if day is not None else None


def _phone(wanted: Wanted, fact: Declared, text: str) -> Hit:
    said = spelled_out(lowered(text))
    return _only({value: one for one in telephone_numbers(said) if (value := checked_fact(wanted, fact, one)) is not None})


def _email(wanted: Wanted, fact: Declared, text: str) -> Hit:
    if "@" not in text:
        text = _SPOKEN_EMAIL.sub(lambda match: match[0].replace(" at ", "@").replace(" dot ", "."), lowered(text))
    return _only({value: text[at:end] for at, end in emails_in(text) if (value := checked_fact(wanted, fact, text[at:end])) is not None})


def _only(found: dict[Any, str]) -> Hit:
    return found.popitem() if len(found) == 1 else None


_READERS: Mapping[Type, Callable[[Wanted, Declared, str], Hit]] = {
    Type.NUMBER: _number,
    Type.MONEY: _money,
    Type.DATE: _date,
    Type.PHONE: _phone,
    Type.EMAIL: _email,
}
