"""The value that an answer gives to what was asked, and what a message names beside. Pure; English.

A value is read for one slot at a time, so that "yes", "50" and "the blue card" mean what was asked. Nothing here knows of flows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bot.understand.choices import find_choice
from bot.understand.clauses import Found
from bot.understand.codes import without_cards
from bot.understand.days import find_days
from bot.understand.facts import checked_fact, find_fact, has_form, inside_bounds, one_figure, whole
from bot.understand.meant import introduced, parts_meant, thing_meant, words_beside
from bot.understand.plain import MAX_READ, lowered, tidy
from bot.understand.roles import ROLES, in_role
from bot.understand.wanted import DAY, Entity, Reading, Wanted
from bot.understand.words import words_of
from bot.understand.yes_no import find_yes_no
from memory.declared import Declared
from memory.personal import CARD_DIGITS, personal_data
from memory.values import Type

MOST = 20
"""Things that are named in one message."""

BESIDE = 4
"""So many words beside a value, and the message still is just that value."""

SHORT = 3
"""A free text of so few words is a name or the like, and what introduces it is no part of it: "it is for Bob"."""

MAX_FREE = 500
"""Characters of a free text that are kept."""

LONG = 6
"""A number of so many digits is an answer by itself, and what is said after it another one."""

_LONG_NUMBER = re.compile(r"([A-Za-z]{0,3}[ -]?\d[\d -]{2,24}\d)(?=$|\s*[,;.!]|\s+(?:and|but|for|i|thanks|please|is|it)\b)")
_LISTED = re.compile(r",|;|\band\b|&|\n")
_DENYING = frozenset(["not", "no", "never", "none", "nothing"])


def read_value(wanted: Wanted, text: str, entities: Sequence[Entity] = (), *, yes: bool | None = None) -> Reading | None:
    """The value that ``text`` gives to what was asked, as the slot keeps it; None where it gives none.

    ``entities`` are what the message names (:func:`named`), ``yes`` what small talk made of it as a whole, None for neither. Of a free text
    the words themselves are the value, and such a reading is never exact: whoever asked has to judge whether it is an answer at all.
    Of a payment card's number no more than the last four digits are read.
    """
    said, text = text[:MAX_READ].strip(), without_cards(tidy(text))
    if not text:
        return None
    mine = [one for one in entities if one.name in wanted.entities or (wanted.fact is not None and one.name == wanted.fact.name)]
    if mine:
        value = _fitted(wanted, thing_meant(mine, said).value)
        if value is not None:
            return Reading(value, _beside(said, mine) <= BESIDE, text)
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
            parts = _parts(text)
            return Reading(parts, False, text) if parts else None
    if wanted.values and (choice := _read_choice(wanted.values, text)) is not None:
        return choice
    if DAY in wanted.entities and (day := _read_day(text)) is not None:
        return day
    if wanted.entities and wanted.type != "any" and len(text) > MAX_FREE:
        return None
    return _read_free(text)


def mentioned(wanted: Wanted, text: str, entities: Sequence[Entity] = ()) -> Any:
    """A value that ``text`` names for something that was not asked: only what cannot well be anything else. None where there is none."""
    for one in entities:
        if (one.name in wanted.entities or (wanted.fact is not None and one.name == wanted.fact.name)) and (
            value := _fitted(wanted, one.value)
        ) is not None:
            return value
    if wanted.fact is not None:
        return None
    text = tidy(text)
    if wanted.type == "categorical" and not wanted.entities:
        found = find_choice(wanted.values, _not_denied(wanted.values, lowered(text)))
        return found.value if found is not None and found.named else None
    if wanted.type == "text" and (role := next((ROLES[one] for one in wanted.entities if one in ROLES), None)) is not None:
        return in_role(text, role)
    return None


def named(
    text: str, lookups: Mapping[str, Mapping[str, str]], patterns: Mapping[str, Sequence[str]], found: Iterable[Found] = ()
) -> tuple[Entity, ...]:
    """What ``text`` names: phrases of the lookups, matches of the patterns, and facts that were found; in its order, without overlaps.

    The longest phrase counts where two begin together. ``lookups`` say for each kind which phrase stands for which value. Days are found
    wherever there are examples of any. What is a part of a payment card's number names nothing.
    """
    text = text[:MAX_READ]
    low = lowered(text)
    hits = [Entity(one.name, one.value, one.start, one.end) for one in found if ":" not in one.name]
    for name, phrases in lookups.items():
        hits += [Entity(name, value, start, end) for phrase, value in phrases.items() for start, end in _places(low, phrase.casefold())]
    for name, rules in patterns.items():
        for rule in rules:
            hits += [Entity(name, match[0], *match.span()) for match in re.finditer(rule, text, re.IGNORECASE) if match[0]]
    if DAY in lookups or DAY in patterns:
        hits += [Entity(DAY, one.words, one.start, one.end) for one in find_days(low)]
    if hits and sum(map(text.count, "0123456789")) >= CARD_DIGITS.start:
        cards = [one for one in personal_data(text) if one.kind == "card"]
        hits = [one for one in hits if not any(one.start < card.end and card.start < one.end for card in cards)]
    taken: list[Entity] = []
    for one in sorted(hits, key=lambda one: (one.start, one.start - one.end)):
        if not any(one.start < other.end and other.start < one.end and one.name == other.name for other in taken):
            taken.append(one)
    return tuple(taken[:MOST])


def _beside(text: str, found: Sequence[Entity]) -> int:
    at, rest = 0, []
    for one in found:
        rest.append(text[at : one.start])
        at = max(at, one.end)
    return len(words_of(" ".join([*rest, text[at:]])))


def _fitted(wanted: Wanted, value: Any) -> Any:
    """The value as the slot keeps it; None where it is none for it."""
    if wanted.fact is not None:
        return checked_fact(wanted, wanted.fact, value)
    if wanted.type == "categorical":
        return next((one for one in wanted.values if one.casefold() == str(value).casefold()), None)
    if wanted.type == "float":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value if inside_bounds(wanted, float(value)) else None
        found = _read_number(wanted, str(value.get("amount")) if isinstance(value, Mapping) else str(value))
        return None if found is None else found.value
    return value


def _read_fact(wanted: Wanted, fact: Declared, text: str) -> Reading | None:
    if fact.choices:
        value = checked_fact(wanted, fact, introduced(text).rstrip(" .!"))
        return Reading(value, True, text) if value is not None else _read_choice(fact.choices, text)
    for part in parts_meant(text):
        if (found := find_fact(wanted, fact, part)) is not None:
            return Reading(found[0], len(words_of(text)) - len(words_of(found[1])) <= BESIDE, text)
    if has_form(fact):
        return None
    value = checked_fact(wanted, fact, _parts(text) if fact.type is Type.LIST else introduced(text))
    return Reading(value, False, text) if value is not None else None


def _read_bool(text: str, yes: bool | None) -> Reading | None:
    if yes is not None:
        return Reading(yes, True, text)
    found = find_yes_no(lowered(text))
    return Reading(found, len(text.split()) <= 2 + BESIDE, text) if found is not None else None


def _read_number(wanted: Wanted, text: str) -> Reading | None:
    for part in parts_meant(text):
        if (one := one_figure(wanted, part)) is not None:
            return Reading(whole(one.value), words_beside(part, one.start, one.end) <= BESIDE, text)
    return None


def _read_choice(values: Sequence[str], text: str) -> Reading | None:
    found = find_choice(values, _not_denied(values, lowered(text)))
    return Reading(found.value, len(words_of(text)) <= found.words + BESIDE, text) if found is not None else None


def _not_denied(values: Sequence[str], low: str) -> str:
    """The part of the text that names a choice, unless there are choices that say "not" themselves."""
    if any(_DENYING & {*words_of(value.replace("_", " "))} for value in values):
        return low
    after, *more = parts_meant(low)
    return after if not more or find_choice(values, after) is not None else more[-1]


def _read_day(text: str) -> Reading | None:
    """A day in the words that whoever knows what it is for reads it from."""
    for part in parts_meant(text):
        if days := find_days(lowered(part)):
            return Reading(days[-1].words, words_beside(part, days[-1].start, days[-1].end) <= BESIDE, text)
    return None


def _read_free(text: str) -> Reading:
    short = introduced(text)
    if (number := _LONG_NUMBER.match(short)) is not None and sum(map(str.isdigit, number[1])) >= LONG:
        return Reading(number[1], False, text)
    return Reading((short if len(words_of(short)) <= SHORT else " ".join(text.split()))[:MAX_FREE], False, text)


def _parts(text: str) -> list[str]:
    return [part.strip(" .!") for part in _LISTED.split(introduced(text)) if part.strip(" .!")]


def _places(low: str, phrase: str) -> Iterator[tuple[int, int]]:
    start = low.find(phrase)
    while phrase and start >= 0:
        end = start + len(phrase)
        if not (start and low[start - 1].isalnum()) and not (end < len(low) and low[end].isalnum()):
            yield start, end
        start = low.find(phrase, end)
