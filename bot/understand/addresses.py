"""Where a customer says that they live. English sentences; streets in English, and the plainer German, Dutch, French and Spanish ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.understand.clauses import Found, Text, checked
from memory.declared import Declared

TOLD = 0.7
"""An address is confirmed before anything is sent to it."""

MAX_ADDRESS = 150
"""Characters of an address."""

CUES = ("moved", "address", "adress", "live at", "living at")
"""One of these stands in every text that the rules can match."""

_CUE = re.compile(
    r"\b(?:i|we)(?:'ve| have)?(?: just| recently| now)? moved (?:house |home |flat )?(?:from [^.?!\n]{3,60}? )?to "
    r"|\b(?:my|our) (?:new |current |home |postal |correct |billing |delivery )?add?ress (?:is|:)(?: now)?:? "
    r"|\b(?:i|we) (?:now |currently )?live at |\b(?:i'm|i am|we're|we are) (?:now )?living at "
)
_WAYS = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|dr|way|close|court|ct|square|sq|place|pl|boulevard|blvd|terrace|crescent|gardens?|grove|hill"
    r"|park|row|walk|mews|parade|green|quay|wharf|highway|hwy|parkway|allee|platz|weg|ring|\w{2,30}(?:straße|strasse|str|weg|platz|gasse)"
)
_FLAT = r"(?:(?:flat|apartment|apt|unit|no|number|house)\b\.? ?[\w/]{1,6},? )?"
_STREET = re.compile(
    rf"{_FLAT}\d{{1,5}}[a-z]?(?:[-/]\d{{1,4}}[a-z]?)?,? (?:[\w'’.-]{{1,30}} ){{0,3}}?(?:{_WAYS})\b\.?"
    r"|[\w'’-]{1,30}(?:straße|strasse|str\.|weg|platz|gasse|straat|allee) ?\d{1,4} ?[a-z]?\b"
    r"|\d{1,4},? (?:rue|via|calle|avenue|place|boulevard) (?:[\w'’-]{1,30} ?){1,4}",
    re.IGNORECASE,
)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DAYS = r"the|mon|tues|wednes|thurs|fri|satur|sun|\d"
_STOP = re.compile(
    r"[.!?](?=\s|$)|[\n;()]"
    rf"|,? (?:last|since|yesterday|today|on (?:{_DAYS})|and|but|so|please|can you|could you|will|which|where|because|then|recently|now"
    rf"|a (?:week|month|few)|two|three|this|next|my|i|we|from|in (?:{_MONTHS}))\b"
)


def addresses(text: Text, declared: Declared) -> Iterator[Found]:
    """Every place with a street and a number that the customer says they live at or have moved to."""
    for match in _CUE.finditer(text.low):
        start = match.end()
        street = _STREET.match(text.text, start)
        clause = text.clause(match.start(), start)
        if street is None or clause.inquires or clause.others or clause.denied:
            continue
        end = _end(text, start, street.end())
        value = checked(declared, text.text[start:end])
        if value is not None:
            yield Found(declared.name, value, text.clause(match.start(), end).capped(TOLD), start, end)


def _end(text: Text, start: int, least: int) -> int:
    """Where the address ends that begins at ``start`` and goes on to ``least``: with its sentence, or before words of another."""
    limit = min(len(text.low), start + MAX_ADDRESS)
    stop = _STOP.search(text.low, least, limit)
    end = stop.start() if stop is not None else limit
    while end > least and text.low[end - 1] in " ,.;:!?)\"'\n":
        end -= 1
    return end
