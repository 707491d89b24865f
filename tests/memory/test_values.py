"""Values: each type's one stored form, what is refused, how values are compared, shown and masked."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.errors import LegatoError
from memory.values import CURRENCIES, MAX_ITEMS, MAX_NUMBER, MAX_TEXT, Type, ValueRefused, check_value, masked, one_line, same_value, shown

anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.dates() | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
likely: dict[Type, st.SearchStrategy[Any]] = {
    Type.TEXT: st.text(max_size=80),
    Type.NUMBER: st.integers() | st.floats() | st.decimals() | st.integers().map(str) | st.floats(allow_nan=False).map(str),
    Type.DATE: st.dates() | st.datetimes() | st.dates().map(str),
    Type.MONEY: st.fixed_dictionaries(
        {"amount": st.integers() | st.floats() | st.decimals() | st.decimals().map(str), "currency": st.sampled_from(sorted(CURRENCIES))}
    ),
    Type.PLACE: st.fixed_dictionaries(
        {},
        optional={
            **{name: st.text(max_size=30) for name in ("text", "street", "city", "postcode", "country")},
            **{name: st.floats(-200, 200) for name in ("latitude", "longitude")},
        },
    ),
    Type.LIST: st.lists(st.text(max_size=20) | st.integers() | st.floats(), max_size=8),
    Type.PHONE: st.from_regex(r"(\+|00)?[0-9 ()-]{3,18}", fullmatch=True),
    Type.EMAIL: st.emails() | st.from_regex(r"\w{1,5}@\w{1,5}\.\w{1,5}", fullmatch=True),
}


@pytest.mark.parametrize(
    ("type", "raw", "stored"),
    [
        (Type.TEXT, "  Ann\t Lee\n", "Ann Lee"),
        (Type.TEXT, "Ann\x00\u202eLee\u2069\ud800", "AnnLee"),
        (Type.TEXT, "Zoe\u0308", "Zoë"),
        (Type.NUMBER, 12, 12),
        (Type.NUMBER, 12.0, 12),
        (Type.NUMBER, "12.5", 12.5),
        (Type.NUMBER, " -3 ", -3),
        (Type.NUMBER, Decimal("0.25"), 0.25),
        (Type.NUMBER, -0.0, 0),
        (Type.DATE, "2026-01-31", "2026-01-31"),
        (Type.DATE, date(2026, 1, 31), "2026-01-31"),
        (Type.DATE, datetime(2026, 1, 31, 23, 59, tzinfo=UTC), "2026-01-31"),
        (Type.MONEY, {"amount": "12.5", "currency": "gbp"}, {"amount": "12.50", "currency": "GBP"}),
        (Type.MONEY, {"amount": 1200, "currency": "JPY"}, {"amount": "1200", "currency": "JPY"}),
        (Type.MONEY, {"amount": Decimal("1.2500"), "currency": "KWD"}, {"amount": "1.250", "currency": "KWD"}),
        (Type.MONEY, {"amount": "-0", "currency": "EUR"}, {"amount": "0.00", "currency": "EUR"}),
        (Type.MONEY, "12.50 GBP", {"amount": "12.50", "currency": "GBP"}),
        (Type.MONEY, "£12", {"amount": "12.00", "currency": "GBP"}),
        (Type.MONEY, "EUR 0.999", {"amount": "0.999", "currency": "EUR"}),
        (Type.PLACE, " 12 Oak Street,  Springfield", {"text": "12 Oak Street, Springfield"}),
        (Type.PLACE, {"latitude": 51.5, "longitude": -0.0}, {"latitude": 51.5, "longitude": 0.0}),
        (Type.PLACE, {"city": "Leeds", "latitude": 53, "longitude": -1}, {"city": "Leeds", "latitude": 53.0, "longitude": -1.0}),
        (Type.LIST, "golf", ["golf"]),
        (Type.LIST, ("golf", 3, "Golf", 3.0, "tennis"), ["golf", 3, "tennis"]),
        (Type.LIST, [], []),
        (Type.PHONE, "+44 (0)20 7946 0018", "+442079460018"),
        (Type.PHONE, "0044 20 7946 0018", "+442079460018"),
        (Type.PHONE, "+44 20 7946 0018 ext. 12", "+442079460018"),
        (Type.EMAIL, " Ann.Lee@Example.ORG ", "Ann.Lee@example.org"),
        (Type.EMAIL, "ann@MÜNCHEN.example", "ann@münchen.example"),
        (Type.EMAIL, "ann+tag@mail.example.co.uk", "ann+tag@mail.example.co.uk"),
    ],
)
def test_each_type_has_one_stored_form(type: Type, raw: Any, stored: Any) -> None:
    assert check_value(type, raw) == stored
    assert json.loads(json.dumps(stored)) == stored


@pytest.mark.parametrize(
    ("type", "raw", "expected"),
    [
        (Type.TEXT, 5, "a text"),
        (Type.TEXT, " \n\x00 ", "not empty"),
        (Type.TEXT, "x" * (MAX_TEXT + 1), f"at most {MAX_TEXT} characters"),
        (Type.NUMBER, True, "a number"),
        (Type.NUMBER, math.nan, "a number"),
        (Type.NUMBER, math.inf, "a number"),
        (Type.NUMBER, "1,200", "a number"),
        (Type.NUMBER, "1e5", "a number"),
        (Type.NUMBER, "٣", "a number"),
        (Type.NUMBER, MAX_NUMBER * 10, f"at most {MAX_NUMBER}"),
        (Type.DATE, "31/01/2026", "2026-01-31"),
        (Type.DATE, "2026-02-30", "in the calendar"),
        (Type.DATE, "20260131", "2026-01-31"),
        (Type.DATE, 20260131, "2026-01-31"),
        (Type.MONEY, 12.5, "with its currency"),
        (Type.MONEY, "12.50", "three letters"),
        (Type.MONEY, "$12.50", "with its currency"),
        (Type.MONEY, {"amount": "12,50", "currency": "EUR"}, "a point before the decimals"),
        (Type.MONEY, {"amount": True, "currency": "EUR"}, "in digits"),
        (Type.MONEY, {"amount": 1, "currency": "XXX"}, "ISO 4217"),
        (Type.MONEY, {"amount": "0.1234567", "currency": "EUR"}, "at most 6 decimals"),
        (Type.MONEY, {"amount": 10**15, "currency": "EUR"}, "smaller than"),
        (Type.MONEY, {"amount": math.nan, "currency": "EUR"}, "smaller than"),
        (Type.MONEY, {"amount": 1, "currency": "EUR", "vat": 1}, "with its currency"),
        (Type.PLACE, {}, "a place"),
        (Type.PLACE, {"planet": "Mars"}, "a place"),
        (Type.PLACE, {"latitude": 51.5}, "together"),
        (Type.PLACE, {"latitude": 91, "longitude": 0}, "between -90 and 90"),
        (Type.PLACE, {"latitude": 0, "longitude": math.nan}, "between -180 and 180"),
        (Type.PLACE, {"latitude": True, "longitude": 0}, "in degrees"),
        (Type.PLACE, {"city": ""}, "a city that is not empty"),
        (Type.LIST, {"a": 1}, "a list"),
        (Type.LIST, [["nested"]], "a number"),
        (Type.LIST, ["x"] * (MAX_ITEMS + 1), f"at most {MAX_ITEMS}"),
        (Type.PHONE, "020 7946 0018", "with its country code"),
        (Type.PHONE, "+44 20", "as many digits"),
        (Type.PHONE, "+999 123456789", "with its country code"),
        (Type.PHONE, 442079460018, "with its country code"),
        (Type.PHONE, "call me", "with its country code"),
        (Type.EMAIL, "ann", "an e-mail address"),
        (Type.EMAIL, "ann@localhost", "an e-mail address"),
        (Type.EMAIL, "ann lee@example.org", "an e-mail address"),
        (Type.EMAIL, "ann@b@example.org", "an e-mail address"),
        (Type.EMAIL, ".ann@example.org", "an e-mail address"),
        (Type.EMAIL, "ann..lee@example.org", "an e-mail address"),
        (Type.EMAIL, "ann@-example.org", "an e-mail address"),
        (Type.EMAIL, "ann@1.2.3.4", "an e-mail address"),
        (Type.EMAIL, f"{'a' * 65}@example.org", "an e-mail address"),
        (Type.EMAIL, f"ann@{'a.' * 130}org", "an e-mail address"),
    ],
)
def test_what_is_not_of_its_type_is_refused_with_what_is_expected(type: Type, raw: Any, expected: str) -> None:
    with pytest.raises(ValueRefused, match=r"^expected ") as caught:
        check_value(type, raw)

    assert expected in str(caught.value)
    assert isinstance(caught.value, LegatoError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("raw", "region", "stored"),
    [
        ("020 7946 0018", "GB", "+442079460018"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("+49 30 123456", "GB", "+4930123456"),
        ("030 123456", "DE", "+4930123456"),
    ],
)
def test_a_region_reads_numbers_that_name_no_country(raw: str, region: str, stored: str) -> None:
    assert check_value(Type.PHONE, raw, region=region) == stored


@pytest.mark.parametrize("type", Type)
@given(data=st.data())
def test_a_checked_value_is_json_and_checks_to_itself(type: Type, data: st.DataObject) -> None:
    raw = data.draw(likely[type])
    try:
        value = check_value(type, raw)
    except ValueRefused:
        return

    # As a database keeps it, and as it is encoded on the way there.
    again = json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8"))
    assert check_value(type, again) == value == again
    assert same_value(type, value, again)
    assert "\n" not in shown(type, value)
    assert shown(type, value).isprintable() or type in (Type.TEXT, Type.LIST, Type.PLACE, Type.EMAIL)


@pytest.mark.parametrize("type", Type)
@given(raw=anything)
def test_only_one_error_comes_out(type: Type, raw: Any) -> None:
    try:
        value = check_value(type, raw, region="GB")
    except ValueRefused:
        return
    assert check_value(type, value) == value


SECRET = "7f3Qx"


def refusal(type: Type, raw: Any) -> ValueRefused | None:
    try:
        check_value(type, raw)
    except ValueRefused as error:
        return error
    return None


@pytest.mark.parametrize("type", Type)
@given(before=st.text(max_size=10), after=st.text(max_size=10))
def test_no_error_tells_the_value(type: Type, before: str, after: str) -> None:
    text = f"{before}{SECRET}{after}"
    for raw in (
        text,
        {"amount": text, "currency": text},
        {"amount": 1, "currency": text},
        {"city": [text]},
        {text: text},
        [[text]],
        {text},
    ):
        error = refusal(type, raw)
        if error is not None:
            assert SECRET not in str(error)
            # Nor is it told by an error that this one replaced.
            assert error.__suppress_context__ or error.__context__ is None


@given(raw=anything, other=anything)
def test_anything_can_be_shown_and_masked_as_any_type(raw: Any, other: Any) -> None:
    # A designer may change a type while values of the old one are stored.
    for type in Type:
        assert isinstance(shown(type, raw), str)
        assert isinstance(masked(type, raw), str)
        assert isinstance(same_value(type, raw, other), bool)


@given(text=st.text())
def test_one_line_is_stable_and_can_be_stored(text: str) -> None:
    line = one_line(text)

    assert one_line(line) == line
    assert not {"\n", "\r", "\x00", "\u202e"} & set(line)
    line.encode("utf-8")


@pytest.mark.parametrize(
    ("type", "a", "b", "same"),
    [
        (Type.TEXT, "Ann Lee", "ann lee", True),
        (Type.TEXT, "Straße", "STRASSE", True),
        (Type.TEXT, "Ann", "Anna", False),
        (Type.NUMBER, 1, 1.0, True),
        (Type.NUMBER, 1, 2, False),
        (Type.MONEY, {"amount": "1.50", "currency": "GBP"}, {"amount": "1.5", "currency": "GBP"}, True),
        (Type.MONEY, {"amount": "1.50", "currency": "GBP"}, {"amount": "1.50", "currency": "EUR"}, False),
        (Type.PLACE, {"city": "Leeds"}, {"city": "LEEDS"}, True),
        (Type.PLACE, {"city": "Leeds"}, {"city": "Leeds", "country": "UK"}, False),
        (Type.PLACE, {"latitude": 51.50001, "longitude": 0.0}, {"latitude": 51.5, "longitude": 0.00005}, True),
        (Type.PLACE, {"latitude": 51.5, "longitude": 0.0}, {"latitude": 51.6, "longitude": 0.0}, False),
        (Type.PLACE, {"city": "Leeds"}, {"latitude": 51.6, "longitude": 0.0}, False),
        (Type.LIST, ["golf", 3], [3, "Golf"], True),
        (Type.LIST, ["golf"], [], False),
        (Type.EMAIL, "Ann@example.org", "ann@example.org", True),
        (Type.PHONE, "+442079460018", "+442079460019", False),
        (Type.TEXT, "Leeds", {"city": "Leeds"}, False),
    ],
)
def test_values_that_say_the_same_are_the_same(type: Type, a: Any, b: Any, same: bool) -> None:
    assert same_value(type, a, b) is same
    assert same_value(type, b, a) is same


@pytest.mark.parametrize(
    ("type", "value", "expected"),
    [
        (Type.TEXT, "Ann", "Ann"),
        (Type.NUMBER, 12.5, "12.5"),
        (Type.DATE, "2026-01-05", "5 January 2026"),
        (Type.MONEY, {"amount": "12.50", "currency": "GBP"}, "12.50 GBP"),
        (Type.PLACE, {"text": "12 Oak Street"}, "12 Oak Street"),
        (Type.PLACE, {"street": "12 Oak Street", "city": "Leeds", "postcode": "LS1 1AA"}, "12 Oak Street, Leeds, LS1 1AA"),
        (Type.PLACE, {"latitude": 51.5, "longitude": -0.12}, "51.50000, -0.12000"),
        (Type.PLACE, {"city": "Leeds", "latitude": 53.8, "longitude": -1.5}, "Leeds (53.80000, -1.50000)"),
        (Type.LIST, ["golf", 3], "golf, 3"),
        (Type.LIST, [], "none"),
        (Type.PHONE, "+442079460018", "+442079460018"),
        (Type.TEXT, {"latitude": 51.5, "longitude": 0}, "51.50000, 0.00000"),
        (Type.DATE, "soon", "soon"),
        (Type.TEXT, True, "yes"),
        (Type.TEXT, None, "unknown"),
    ],
)
def test_values_are_shown_to_people(type: Type, value: Any, expected: str) -> None:
    assert shown(type, value) == expected


@pytest.mark.parametrize(
    ("type", "value", "expected"),
    [
        (Type.PHONE, "+442079460018", "+44 … 18"),
        (Type.PHONE, "+12025550123", "+1 … 23"),
        (Type.PHONE, "+353861234567", "+353 … 67"),
        (Type.PHONE, "unclear", "…"),
        (Type.EMAIL, "ann@example.org", "a…@example.org"),
        (Type.EMAIL, "a@example.org", "…@example.org"),
        (Type.TEXT, "Ann Lee", "A…"),
        (Type.TEXT, "HP123456", "…56"),
        (Type.TEXT, "4821", "…"),
        (Type.TEXT, "Al", "…"),
        (Type.DATE, "1980-02-03", "…"),
        (Type.NUMBER, 12, "…"),
        (Type.MONEY, {"amount": "12.50", "currency": "GBP"}, "…"),
        (Type.PLACE, {"city": "Leeds"}, "…"),
        (Type.LIST, ["golf"], "…"),
    ],
)
def test_values_are_masked_for_those_who_may_not_see_them(type: Type, value: Any, expected: str) -> None:
    assert masked(type, value) == expected


@given(value=st.text(min_size=1, max_size=30))
def test_a_mask_shows_little_of_any_text(value: str) -> None:
    assert len(masked(Type.TEXT, value)) <= 3
    assert masked(Type.TEXT, value) != value or value.startswith("…")
    assert {masked(type, value) for type in (Type.NUMBER, Type.DATE, Type.MONEY, Type.PLACE, Type.LIST)} == {"…"}


@given(digits=st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True))
def test_a_mask_shows_the_country_and_two_digits_of_a_number(digits: str) -> None:
    hidden = masked(Type.PHONE, f"+{digits}")

    assert hidden.endswith(f" … {digits[-2:]}")
    assert digits.startswith(hidden.split(" ")[0].removeprefix("+"))
    assert sum(character.isdigit() for character in hidden) <= 5


def test_the_short_calling_codes_are_the_ones_that_are_assigned() -> None:
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        assert masked(Type.PHONE, f"+{code}123456789").startswith(f"+{code} ")


def test_currencies_have_three_letters_and_up_to_three_decimals() -> None:
    assert all(code.isalpha() and code.isupper() and len(code) == 3 for code in CURRENCIES)
    assert set(CURRENCIES.values()) == {0, 2, 3}
