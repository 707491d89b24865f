"""Personal data in free text, told by its own shape: what must not stand in a log, a trace or a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Personal:
    """A stretch of a text, from ``start`` up to ``end``. ``kind`` is a key of ``SHOWN_AS``."""

    kind: str
    start: int
    end: int


SHOWN_AS = {
    "card": "[card number]",
    "iban": "[account number]",
    "email": "[e-mail address]",
    "phone": "[telephone number]",
    "number": "[long number]",
}
"""What stands in a masked text in place of each kind. A long number has more digits than a telephone number, such as a mistyped card's."""

MAX_LOCAL, MAX_DOMAIN = 64, 253
"""Characters before and after the @ of an e-mail address (RFC 5321, 4.5.3.1)."""

CARD_DIGITS = range(13, 20)
"""How many digits card numbers have (ISO/IEC 7812)."""

PHONE_DIGITS = range(7, 16)
"""How many digits a telephone number may have; the upper end is E.164's."""

IBAN_LENGTHS = range(15, 35)
"""How long account numbers are (ISO 13616)."""

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_DIGITS = re.compile(r"(?<![A-Za-z0-9])[0-9](?:[ -]?[0-9]){12,18}(?![A-Za-z0-9])")
_PHONE = re.compile(r"(?<![A-Za-z0-9])(?:\+ ?|\()?[0-9](?:[ ().\-/]{0,3}[0-9]){6,99}(?![A-Za-z0-9])")
_CARD = re.compile(r"4[0-9]{12}(?:[0-9]{3}){0,2}|[25][0-9]{15}|3[47][0-9]{13}|35[0-9]{14}|3[068][0-9]{12}|6[0-9]{15,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})(?![0-9])")
_TIME_DIGITS = 14
_TAKEN = "\0"
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+\Z")
_DOMAIN = re.compile(r"[^\W_][\w-]*(?:\.[\w-]*[^\W_])+")


def personal_data(text: str) -> list[Personal]:
    """Where personal data stands in ``text``: in order, without overlaps.

    Cards are checked by their last digit (Luhn), IBANs by their check digits. Of telephone numbers only the shape is known, so another
    number of ten digits and more counts as one. The time grows with the length of the text and nothing else.
    """
    found: list[Personal] = []
    readers: list[Callable[[str], Iterator[Personal]]] = []
    if "@" in text:
        readers.append(_emails)
    if sum(map(text.count, "0123456789")) >= PHONE_DIGITS.start:
        readers += (_ibans, _cards, _phones)
    for read in readers:  # the surest first: what one takes, the next ones do not see
        for one in read(text):
            found.append(one)
            text = text[: one.start] + _TAKEN * (one.end - one.start) + text[one.end :]
    return sorted(found, key=lambda one: one.start)


def mask(text: str) -> str:
    """``text`` with a note of its kind in place of each piece of personal data. Masking twice changes nothing more."""
    parts: list[str] = []
    at = 0
    for one in personal_data(text):
        parts += (text[at : one.start], SHOWN_AS[one.kind])
        at = one.end
    return "".join((*parts, text[at:])) if parts else text


def is_card(digits: str) -> bool:
    """Whether these digits can be a payment card's number: issuers' first digits with their lengths, and the check digit."""
    if not _CARD.fullmatch(digits) or len(set(digits)) == 1:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Whether this text without spaces can be an IBAN: its shape, and its remainder modulo 97."""
    if len(text) not in IBAN_LENGTHS or not text.isascii() or not text.isalnum() or not (text[:2].isalpha() and text[2:4].isdigit()):
        return False
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1


def emails_in(text: str) -> Iterator[tuple[int, int]]:
    """Where something stands that looks like an e-mail address."""
    at = text.find("@")
    end = 0
    while at >= 0:
        local = _LOCAL.search(text, max(end, at - MAX_LOCAL), at)
        domain = _DOMAIN.match(text, at + 1, at + 1 + MAX_DOMAIN)
        if local is not None and domain is not None:
            start = local.start()
            while start < at and text[start] in ".'`":
                start += 1
            if start < at:
                end = domain.end()
                yield start, end
        at = text.find("@", at + 1)


def _emails(text: str) -> Iterator[Personal]:
    for start, end in emails_in(text):
        yield Personal("email", start, end)


def _ibans(text: str) -> Iterator[Personal]:
    for match in _IBAN.finditer(text):
        # Words may follow an IBAN that is written in groups; the longest beginning that is right is it.
        end = match.end()
        while end > match.start():
            if is_iban(text[match.start() : end].replace(" ", "").upper()):
                yield Personal("iban", match.start(), end)
                break
            end = text.rfind(" ", match.start(), end)


def _cards(text: str) -> Iterator[Personal]:
    for match in _DIGITS.finditer(text):
        if is_card(match[0].replace(" ", "").replace("-", "")):
            yield Personal("card", match.start(), match.end())


def _phones(text: str) -> Iterator[Personal]:
    for match in _PHONE.finditer(text):
        digits = sum(map(match[0].count, "0123456789"))
        fewest = 7 if match[0][0] == "+" else 9 if match[0].lstrip("(").startswith("0") else 10
        is_time = digits <= _TIME_DIGITS and _DAY.match(text, match.start(), match.end()) is not None
        if digits >= fewest and not is_time:
            yield Personal("phone" if digits in PHONE_DIGITS else "number", match.start(), match.end())
