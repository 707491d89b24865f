"""What a fact's value may be: types, and each value in the one form in which it is stored, compared, shown and masked.

A stored value is plain JSON. Whatever comes in passes ``check_value`` once; after that, equal things look equal.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from memory.errors import LegatoError

MAX_TEXT = 1000
"""Characters of a text, or of a part of a place. A fact is a line on a card; what is longer belongs to the log."""

MAX_ITEMS = 50
"""Items of a list."""

MAX_ITEM = 200
"""Characters of an item."""

MAX_NUMBER = 2**53
"""Beyond it JavaScript, which reads the same JSON, rounds whole numbers."""

MAX_AMOUNT = Decimal(10) ** 15
"""Amounts are smaller than this, either side of zero."""

MAX_DECIMALS = 6
"""Digits after an amount's point."""

NEAR_DEGREES = 0.0001
"""Positions closer than this, about 11 metres of latitude, are the same: a telephone does not measure more exactly."""

HIDDEN = "…"
"""Stands for what is not shown."""


class Type(StrEnum):
    """What kind of value a fact has."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    MONEY = "money"
    PLACE = "place"
    LIST = "list"
    PHONE = "phone"
    EMAIL = "email"


class ValueRefused(LegatoError, ValueError):
    """A value that is not of its type. The text says what is expected; the value itself is never in it."""


def check_value(type: Type, raw: object, *, region: str | None = None) -> Any:
    """``raw`` in the form in which values of ``type`` are stored; what this returns comes back unchanged when it is checked again.

    text
        one line without control characters; case is kept
    number
        an int or a finite float; a text such as ``"12.5"`` is read
    date
        ``"2026-01-31"``; a date or a datetime is taken too (of a datetime, the day in its own zone)
    money
        ``{"amount": "12.50", "currency": "GBP"}`` with at least the currency's own decimals; ``"12.50 GBP"`` and ``"£12.50"`` are read
    place
        any of text, street, city, postcode, country, and latitude with longitude in degrees; a text alone is ``{"text": ...}``
    list
        texts and numbers, each one once; a single one is a list of one
    phone
        E.164, such as ``"+442079460018"``; ``region`` (ISO 3166, such as ``GB``) is the country of numbers that name none
    email
        with its domain in lower case

    Raises ``ValueRefused``. The first telephone number of a process loads the numbering plans, which takes tens of milliseconds.
    """
    if type is Type.PHONE:
        return _check_phone(raw, region)
    return _CHECKS[type](raw)


def same_value(type: Type, a: Any, b: Any) -> bool:
    """Whether two stored values say the same: letter case, the order of a list and a few metres do not count."""
    return bool(_key(type, a) == _key(type, b)) and (type is not Type.PLACE or _near(a, b))


def shown(type: Type, value: Any) -> str:
    """A stored value for people who may see it, on one line. A value of another type than declared is shown as it is."""
    if type is Type.DATE and isinstance(value, str) and _ISO_DATE.fullmatch(value):
        day = date.fromisoformat(value)
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    if isinstance(value, Mapping):
        return _shown_parts(value)
    if isinstance(value, list | tuple):
        return ", ".join(shown(Type.TEXT, item) for item in value) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "unknown"}[value]
    return str(value)


def masked(type: Type, value: Any) -> str:
    """A stored value for people who may not see it: enough to tell that it is known, and to recognise one's own."""
    if not isinstance(value, str):
        return HIDDEN
    if type is Type.PHONE and value.startswith("+") and len(value) > 8:
        return f"+{_calling_code(value[1:])} {HIDDEN} {value[-2:]}"
    if type is Type.EMAIL and "@" in value:
        local, _, domain = value.rpartition("@")
        return f"{local[:1] if len(local) > 1 else ''}{HIDDEN}@{domain}"
    if type is not Type.TEXT or len(value) < 3:
        return HIDDEN
    if any(character.isdigit() for character in value):
        return HIDDEN + value[-2:] if len(value) >= 6 else HIDDEN
    return value[0] + HIDDEN


def _check_text(raw: object, *, limit: int = MAX_TEXT, what: str = "a text") -> str:
    if not isinstance(raw, str):
        raise ValueRefused(f"expected {what}")
    text = one_line(raw)
    if not text:
        raise ValueRefused(f"expected {what} that is not empty")
    if len(text) > limit:
        raise ValueRefused(f"expected {what} of at most {limit} characters")
    return text


def one_line(text: str) -> str:
    """``text`` on one line, composed (NFC), without what cannot be stored or would hide or reorder what is read beside it."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(character for character in text if character.isspace() or _kept(character))
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def _kept(character: str) -> bool:
    """No control characters, no halves of surrogate pairs, nothing that changes the direction of writing."""
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _DIRECTIONS


def _check_number(raw: object) -> int | float:
    if isinstance(raw, str) and len(raw) <= 32 and (match := _NUMBER.fullmatch(raw.strip())):
        raw = float(raw) if match[1] else int(raw)
    if isinstance(raw, Decimal) and raw.is_finite():
        raw = float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise ValueRefused("expected a number, such as 12 or 12.5")
    if abs(raw) > MAX_NUMBER:
        raise ValueRefused(f"expected a number of at most {MAX_NUMBER}")
    return int(raw) if raw == int(raw) else raw


def _check_date(raw: object) -> str:
    if isinstance(raw, datetime):
        raw = raw.date()
    if isinstance(raw, date):
        return raw.isoformat()
    if isinstance(raw, str) and _ISO_DATE.fullmatch(raw.strip()):
        try:
            return date.fromisoformat(raw.strip()).isoformat()
        except ValueError:
            raise ValueRefused("expected a day that is in the calendar") from None
    raise ValueRefused("expected a date in the form 2026-01-31")


def _check_money(raw: object) -> dict[str, str]:
    if isinstance(raw, str) and len(raw) <= 40 and (match := _MONEY.fullmatch(raw.strip())):
        currency = match["before"] or match["after"] or ""
        raw = {"amount": match["amount"], "currency": _SIGNS.get(currency, currency)}
    if not isinstance(raw, Mapping) or set(raw) != {"amount", "currency"}:
        raise ValueRefused("expected an amount of money with its currency, such as 12.50 GBP")
    currency = raw["currency"]
    if not isinstance(currency, str) or currency.strip().upper() not in CURRENCIES:
        raise ValueRefused("expected a currency by its three letters (ISO 4217), such as GBP or EUR")
    currency = currency.strip().upper()
    return {"amount": _check_amount(raw["amount"], CURRENCIES[currency]), "currency": currency}


def _check_amount(raw: object, decimals: int) -> str:
    expected = "expected an amount in digits, with a point before the decimals, such as 12.50"
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        raise ValueRefused(expected)
    if isinstance(raw, str) and not (len(raw) <= 32 and _NUMBER.fullmatch(raw.strip())):
        raise ValueRefused(expected)
    try:
        amount = Decimal(str(raw).strip())
    except (InvalidOperation, ValueError):
        raise ValueRefused(expected) from None
    if not amount.is_finite() or abs(amount) >= MAX_AMOUNT:
        raise ValueRefused(f"expected an amount smaller than {MAX_AMOUNT:f}")
    whole, _, fraction = f"{abs(amount):f}".partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    if len(fraction) > MAX_DECIMALS:
        raise ValueRefused(f"expected an amount with at most {MAX_DECIMALS} decimals")
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def _check_place(raw: object) -> dict[str, Any]:
    if isinstance(raw, str):
        raw = {"text": raw}
    if not isinstance(raw, Mapping) or not raw or not set(raw) <= {*_PLACE_TEXTS, *_POSITION}:
        raise ValueRefused(f"expected a place: any of {', '.join(_PLACE_TEXTS)}, or latitude with longitude")
    place: dict[str, Any] = {name: _check_text(raw[name], what=f"a {name}") for name in _PLACE_TEXTS if name in raw}
    given = [name for name in _POSITION if name in raw]
    if len(given) == 1:
        raise ValueRefused("expected latitude and longitude together")
    for name in given:
        degrees, limit = raw[name], _POSITION[name]
        if isinstance(degrees, bool) or not isinstance(degrees, int | float) or not math.isfinite(degrees) or abs(degrees) > limit:
            raise ValueRefused(f"expected a {name} in degrees, between -{limit} and {limit}")
        # A ten-millionth of a degree is a centimetre; adding zero turns -0.0 into 0.0.
        place[name] = round(float(degrees), 7) + 0.0
    return place


def _check_list(raw: object) -> list[str | int | float]:
    if isinstance(raw, str | int | float):
        raw = [raw]
    if not isinstance(raw, list | tuple):
        raise ValueRefused("expected a list of texts or numbers")
    if len(raw) > MAX_ITEMS:
        raise ValueRefused(f"expected a list of at most {MAX_ITEMS}")
    items: dict[Any, str | int | float] = {}
    for item in raw:
        known: str | int | float = _check_text(item, limit=MAX_ITEM) if isinstance(item, str) else _check_number(item)
        items.setdefault(_item_key(known), known)
    return list(items.values())


def _check_phone(raw: object, region: str | None) -> str:
    expected = "expected a telephone number with its country code, such as +44 20 7946 0018"
    if not isinstance(raw, str) or len(raw) > 40:
        raise ValueRefused(expected)
    # The plans of all countries take long to load, and most processes that import this never see a number.
    import phonenumbers

    text = raw.strip()
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise ValueRefused(expected) from None
    if not phonenumbers.is_possible_number(number):
        raise ValueRefused("expected a telephone number with as many digits as numbers of its country have")
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _check_email(raw: object) -> str:
    expected = "expected an e-mail address, such as ann@example.org"
    if not isinstance(raw, str) or len(raw) > 254:
        raise ValueRefused(expected)
    local, at, domain = unicodedata.normalize("NFC", raw.strip()).rpartition("@")
    domain = unicodedata.normalize("NFC", domain.lower())
    labels = domain.split(".")
    if not at or not _LOCAL.fullmatch(local) or ".." in local or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueRefused(expected)
    if labels[-1].isdigit() or len(domain) > 253:
        raise ValueRefused(expected)
    return f"{local}@{domain}"


_CHECKS: Mapping[Type, Callable[[object], Any]] = {
    Type.TEXT: _check_text,
    Type.NUMBER: _check_number,
    Type.DATE: _check_date,
    Type.MONEY: _check_money,
    Type.PLACE: _check_place,
    Type.LIST: _check_list,
    Type.EMAIL: _check_email,
}


def _key(type: Type, value: Any) -> Any:
    """What has to be equal in two values that say the same; of a place, all but its position."""
    if isinstance(value, str):
        return value.casefold()
    if type is Type.MONEY and isinstance(value, Mapping) and isinstance(value.get("amount"), str) and _NUMBER.fullmatch(value["amount"]):
        return Decimal(value["amount"]), value.get("currency")
    if type is Type.PLACE and isinstance(value, Mapping):
        return {name: part.casefold() if isinstance(part, str) else name in _POSITION or part for name, part in value.items()}
    if type is Type.LIST and isinstance(value, list | tuple):
        return {_item_key(item) for item in value}
    return value


def _item_key(item: Any) -> Any:
    if isinstance(item, str):
        return item.casefold()
    return item if isinstance(item, int | float) else repr(item)


def _near(a: Any, b: Any) -> bool:
    if not isinstance(a, Mapping) or not isinstance(b, Mapping):
        return True
    pairs = [(a[name], b[name]) for name in _POSITION if name in a and name in b]
    return all(x == y or (_is_number(x) and _is_number(y) and abs(x - y) <= NEAR_DEGREES) for x, y in pairs)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown_parts(value: Mapping[str, Any]) -> str:
    if set(value) == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    texts = [str(value[name]) for name in _PLACE_TEXTS if name in value]
    position = ", ".join(f"{value[name]:.5f}" for name in _POSITION if isinstance(value.get(name), int | float))
    if texts and position:
        return f"{', '.join(texts)} ({position})"
    rest = [f"{name}: {shown(Type.TEXT, part)}" for name, part in value.items() if name not in _PLACE_TEXTS and name not in _POSITION]
    return ", ".join([*texts, *([position] if position else []), *rest]) or "nothing"


def _calling_code(digits: str) -> str:
    """The country code that begins ``digits``. One digit or two where this list has them, else three (ITU-T E.164, list of codes)."""
    return next((digits[:size] for size in (1, 2) if digits[:size] in _CALLING_CODES), digits[:3])


_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_MONEY = re.compile(r"(?P<before>[A-Za-z]{3}|[£€])? ?(?P<amount>-?[0-9]{1,16}(?:\.[0-9]{1,6})?) ?(?P<after>[A-Za-z]{3}|[£€])?")
_SIGNS = {"£": "GBP", "€": "EUR"}
_LOCAL = re.compile(r"[^\s@.,;:<>()\[\]\"\\\x00-\x1f\x7f\ud800-\udfff][^\s@,;:<>()\[\]\"\\\x00-\x1f\x7f\ud800-\udfff]{0,63}(?<!\.)")
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_PLACE_TEXTS = ("text", "street", "city", "postcode", "country")
_POSITION = {"latitude": 90, "longitude": 180}
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_SHORT_CODES = """
    1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98
"""
_CALLING_CODES = frozenset(_SHORT_CODES.split())

_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
_WITH_TWO = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK
    DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR
    LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW
    ZWG
"""

CURRENCIES: Mapping[str, int] = {
    **dict.fromkeys(_WITHOUT_DECIMALS.split(), 0),
    **dict.fromkeys(_WITH_TWO.split(), 2),
    **dict.fromkeys(_WITH_THREE.split(), 3),
}
"""ISO 4217's current codes of money that people pay with, each with the decimals of its minor unit."""
