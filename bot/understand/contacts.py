"""E-mail addresses and telephone numbers that a customer gives as their own. The words around them are English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.understand.clauses import Found, Text, checked
from memory.declared import Declared
from memory.personal import emails_in

CALLED_MINE = 0.95
"""An address or a number that the customer calls their own."""

WRITTEN = 0.9
"""An e-mail address without a word about whose it is."""

SEEN = 0.7
"""A telephone number without a word about what it is."""

MOST = 5
"""Of one kind in one message; who sends more sends a list, not their own."""

FULL = 9
"""Digits from which on a number that is called one is taken for a telephone number, though its range is not in use."""

_MY_EMAIL = re.compile(
    r"\bmy (?:[\w-]+ ){0,2}(?:e-?mail|mail)(?: address)?\b|\b(?:e-?mail|write to|reach|contact) (?:me|us)\b|^ *e-?mail(?: address)? ?:"
)
_DIGITS = re.compile(r"(?<![A-Za-z0-9@_])(?:\+ ?|\()?[0-9](?:[ ().\-/–]{0,3}[0-9]){6,16}(?![A-Za-z0-9@_])")
_DAY = re.compile(r"[0-9]{1,4}([./-])[0-9]{1,2}\1[0-9]{1,4}(?![0-9])")
_WORDS = r"(?:phone|mobile|telephone|cell|cellphone|tel|ph|landline|contact|daytime|home|work|whatsapp)"
_MY_PHONE = re.compile(
    rf"\bmy (?:new |own |uk |current |correct |other )?(?:{_WORDS} )?(?:{_WORDS}|number|no|nr)\b"
    r"|\b(?:call|ring|phone|reach|text|contact|message|whatsapp)(?: (?:me|us))(?: back)?(?: (?:on|at|via))?\b"
    r"|\b(?:i am|i'm|we are|we're|i can be|we can be) (?:available |reached |contacted )?(?:on|at|by)(?: the)? *$"
    rf"|^ *(?:my )?{_WORDS} ?(?:number|no|nr)? *[:.=]? *$|^ *number ?[:=]"
)
_IS_MY_PHONE = re.compile(rf" (?:is|=) my (?:new |own |current )?(?:{_WORDS} )?(?:{_WORDS}|number)\b")
_OTHER_NUMBER = re.compile(
    r"\b(?:account|order|policy|claim|card|customer|reference|ref|contract|case|ticket|tracking|serial|invoice|membership|booking|imei|iban"
    r"|ssn|social security|insurance|routing|sort code|passport|licen[cs]e|registration|bill|payment|transaction|parcel|id|code|pin|amount)"
    r"(?: (?:number|no|nr|id|code))?\b"
)


def emails(text: Text, declared: Declared) -> Iterator[Found]:
    """The customer's e-mail addresses."""
    since = 0
    for count, (start, end) in enumerate(emails_in(text.text)):
        if count == MOST:
            return
        clause = text.clause(start, end, since=since)
        since = end
        if clause.inquires or clause.denied or clause.past or clause.others or clause.foreign:
            continue
        value = checked(declared, text.text[start:end])
        if value is not None:
            mine = _MY_EMAIL.search(clause.before) is not None
            yield Found(declared.name, value, clause.capped(CALLED_MINE if mine else WRITTEN), start, end)


def phones(text: Text, declared: Declared, region: str | None, taken: Sequence[Found]) -> Iterator[Found]:
    """The customer's telephone numbers, where nothing was ``taken`` for something else before."""
    since = count = 0
    for match in _DIGITS.finditer(text.text):
        start, end = match.span()
        if any(start < one.end and one.start < end for one in taken):
            continue
        clause = text.clause(start, end, since=since)
        since, count = end, count + 1
        if count > MOST:
            return
        if clause.inquires or clause.denied or clause.past or clause.others:
            continue
        mine = _MY_PHONE.search(clause.before) is not None or _IS_MY_PHONE.match(clause.after) is not None
        if _OTHER_NUMBER.search(clause.before) or (clause.foreign and not mine):
            continue
        number = _number(text.text, start, end, region, mine=mine)
        value = None if number is None else checked(declared, number[0])
        if number is not None and value is not None:
            yield Found(declared.name, value, clause.capped(CALLED_MINE if mine else SEEN), number[1], number[2])


def _number(text: str, start: int, end: int, region: str | None, *, mine: bool) -> tuple[str, int, int] | None:
    """The number that the library finds there, and where. One with its country code, and
    one that is called the customer's own, need not belong to a range that is in use."""
    # Loading the numbering plans of all countries is slow, and few messages have enough digits.
    import phonenumbers

    for match in phonenumbers.PhoneNumberMatcher(text[start:end], region, phonenumbers.Leniency.VALID, max_tries=3):
        number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        return number, start + match.start, start + match.end
    digits = sum(map(text[start:end].count, "0123456789"))
    if not (text[start] == "+" or (mine and digits >= FULL)) or _DAY.match(text, start, end):
        return None
    try:
        parsed = phonenumbers.parse(text[start:end], region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), start, end
