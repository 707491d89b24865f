"""What a customer tells about themselves, found by rules that err on the side of silence. Pure; English.

What is ``SURE`` is stored, what is ``LIKELY`` is confirmed at the next natural moment, and what is below is not returned. What is asked
("is my number ...?"), denied ("my name is not Ann") or another person's ("my wife's e-mail is ...") is left out.

A message without digits, an @ or one of the rules' cues costs a few dozen substring tests. No expression repeats what it repeats, texts are
cut at ``MAX_TEXT``, and designers' patterns are limited by :mod:`memory.patterns`, so a hostile text costs no more than a long one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.understand import addresses, contacts, names
from bot.understand.clauses import DOUBTED, Found, Text, checked
from bot.understand.wishes import wishes
from memory.declared import Declarations, Declared, Pattern
from memory.facts import SURE
from memory.personal import CARD_DIGITS, PHONE_DIGITS, personal_data

LIKELY = 0.5
"""From this confidence on something is worth asking about; below, it is dropped."""

NEAR = 40
"""The phrase that a pattern needs stands at most this many characters before its match."""

MOST = 5
"""Of one fact in one message; who sends more sends a list, not their own."""

__all__ = ["LIKELY", "SURE", "Found", "extract"]

_LONG_NUMBER = re.compile(r"[0-9]{4,}")
_MORE_AFTER = re.compile(r"[ -][0-9]{3}")
_MORE_BEFORE = re.compile(r"[0-9]{3}[ -]\Z")
_IS_MY = re.compile(r" (?:is|=|was) (?:my|the|our) ")
_IS_IT = re.compile(r"\s*(?:(?:so|and|hi|hello|sorry|ok) )?(?:is|was|isn't|isnt) (?:my|the|this|that|it|our)\b")


def extract(text: str, declarations: Declarations, *, region: str | None = None) -> tuple[Found, ...]:
    """What ``text`` tells, in its order and without overlaps; only facts that are declared, as they are stored.

    ``region`` (default: the declarations' own) is the country of telephone numbers that name none. The first text of a process with a
    telephone number in it loads the numbering plans, which takes tens of milliseconds.
    """
    said, facts = Text(text), declarations.facts
    digits = sum(map(said.text.count, "0123456789"))
    found: list[Found] = []
    _add(found, _patterned(said, declarations, has_digits=digits > 0))
    if "@" in said.text and "email" in facts:
        _add(found, contacts.emails(said, facts["email"]))
    if digits >= PHONE_DIGITS.start and "phone" in facts:
        _add(found, contacts.phones(said, facts["phone"], region or declarations.region, tuple(found)))
    if digits and "address" in facts and _has(said, addresses.CUES):
        _add(found, addresses.addresses(said, facts["address"]))
    if "name" in facts and _has(said, names.CUES):
        _add(found, names.names(said))
    _add(found, wishes(said, declarations))
    if digits >= CARD_DIGITS.start:
        # A card number is nobody's phone or account number, and it is never kept.
        cards = [one for one in personal_data(said.text) if one.kind == "card"]
        found = [one for one in found if not any(one.start < card.end and card.start < one.end for card in cards)]
    return tuple(sorted(_settled(found), key=lambda one: (one.start, one.end)))


def _has(text: Text, cues: Iterable[str]) -> bool:
    return any(map(text.low.__contains__, cues))


def _add(found: list[Found], more: Iterator[Found]) -> None:
    """Add what is likely enough and stands where nothing was found before: the rules that know more come first."""
    for one in more:
        if one.confidence >= LIKELY and not any(one.start < other.end and other.start < one.end for other in found):
            found.append(one)


def _settled(found: list[Found]) -> Iterator[Found]:
    """Each thing told once; what is told in two ways at once has to be asked about."""
    told: dict[str, dict[str, Found]] = {}
    for one in found:
        values = told.setdefault(one.name, {})
        key = repr(one.value)
        if key not in values or values[key].confidence < one.confidence:
            values[key] = one
    for values in told.values():
        for one in list(values.values())[:MOST]:
            yield replace(one, confidence=min(one.confidence, DOUBTED)) if len(values) > 1 else one


def _patterned(text: Text, declarations: Declarations, *, has_digits: bool) -> Iterator[Found]:
    for declared in declarations.patterned:
        for pattern in declared.patterns:
            if (has_digits or not pattern.digits) and (not pattern.near or _has(text, pattern.near)):
                yield from _matches(text, declared, pattern)


def _matches(text: Text, declared: Declared, pattern: Pattern) -> Iterator[Found]:
    since = count = 0
    for match in pattern.match.finditer(text.text):
        start, end = match.span()
        if _goes_on(text.text, start, end) or (pattern.near and not _is_near(text, pattern, start, end)):
            continue
        clause = text.clause(start, end, since=since)
        since, count = end, count + 1
        if count > MOST:
            return
        value = None if clause.denied or clause.others else checked(declared, match[0])
        if value is not None:
            # "What about claim 12?" tells the number all the same; "is my policy 12?" does not.
            confidence = min(pattern.confidence, DOUBTED) if _IS_IT.match(clause.opening) else pattern.confidence
            yield Found(declared.name, value, confidence, start, end)


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether digits are only a part of a longer number that is written in groups."""
    after = text[end - 1].isdigit() and _MORE_AFTER.match(text, end) is not None
    return after or (text[start].isdigit() and _MORE_BEFORE.search(text, max(0, start - 5), start) is not None)


def _is_near(text: Text, pattern: Pattern, start: int, end: int) -> bool:
    before = text.low[max(0, start - NEAR) : start]
    # A number in between has taken the phrase for itself.
    cut = max((place.end() for place in _LONG_NUMBER.finditer(before)), default=0)
    after = text.low[end : end + NEAR]
    is_mine = _IS_MY.match(after)
    return any(phrase in before[cut:] or (is_mine is not None and after.startswith(phrase, is_mine.end())) for phrase in pattern.near)
