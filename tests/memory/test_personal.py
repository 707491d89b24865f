"""Personal data in free text: what has its shape is masked, what only looks a little like it is left."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.personal import MAX_LOCAL, is_card, is_iban, mask, personal_data


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to ann.lee+tag@example.org.", "Write to [e-mail address]."),
        ("(ann@example.org, bob@example.co.uk)", "([e-mail address], [e-mail address])"),
        ("ann@münchen.example", "[e-mail address]"),
        ("'ann@example.org'", "'[e-mail address]'"),
        ("Call +44 (0)20 7946 0018 now", "Call [telephone number] now"),
        ("07700 900123", "[telephone number]"),
        ("(202) 555-0123", "[telephone number]"),
        ("+1-202-555-0123 or 2025550123", "[telephone number] or [telephone number]"),
        ("my card 4111 1111 1111 1111 exp 12/27", "my card [card number] exp 12/27"),
        ("4111-1111-1111-1111", "[card number]"),
        ("378282246310005", "[card number]"),
        ("4111 1111 1111 1112", "[long number]"),
        ("041111111111111111", "[long number]"),
        ("IBAN GB82 WEST 1234 5698 7654 32 please", "IBAN [account number] please"),
        ("gb82west12345698765432", "[account number]"),
        ("DE89370400440532013000.", "[account number]."),
        ("pay GB82 WEST 1234 5698 7654 32, call 07700 900123", "pay [account number], call [telephone number]"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I lost my card on 05/01/2026 at 10:30",
        "2026-01-05 10:30:22",
        "05.01.2026 1234",
        "I paid 1,234.50 for 3 items",
        "@everyone see you @ 5",
        "a@b",
        "order 123456",
        "postcode SW1A 1AA",
        "version 1.2.3.4",
        "abc4111111111111111",
        "GB00 WEST",
    ],
)
def test_what_only_looks_a_little_like_it_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "number", ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000", "2223003122003222"]
)
def test_card_numbers_are_checked_by_issuer_and_last_digit(number: str) -> None:
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)

    assert is_card(number)
    assert not is_card(wrong)
    assert not is_card(number[:-1])


@pytest.mark.parametrize("number", ["490154203237518", "0000000000000000", "1234567812345670", "", "4"])
def test_other_numbers_are_no_card(number: str) -> None:
    assert not is_card(number)


@pytest.mark.parametrize("number", ["GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947"])
def test_an_iban_is_checked_by_its_remainder(number: str) -> None:
    assert is_iban(number)
    assert not is_iban(number[:-1] + ("1" if number[-1] != "1" else "2"))
    assert not is_iban(number[:10])


words = st.sampled_from(
    [
        "ann@example.org",
        "@",
        "a@b",
        "+44 20 7946 0018",
        "4111 1111 1111 1111",
        "GB82 WEST 1234 5698 7654 32",
        "2026-01-05",
        "12345",
        "and",
        "x@y.z@w.v",
    ]
)


@given(text=st.text(max_size=80) | st.lists(words | st.text(max_size=6), max_size=8).map(" ".join))
def test_spans_are_in_order_and_nothing_is_left_after_masking(text: str) -> None:
    found = personal_data(text)

    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= following.start for one, following in itertools.pairwise(found))
    assert mask(mask(text)) == mask(text)
    assert "ann@example.org" not in mask(text)
    assert "4111 1111 1111 1111" not in mask(text)


def test_an_address_is_looked_for_in_a_bounded_stretch() -> None:
    # Otherwise a long run of letters would be read again for each @ in it.
    assert mask("x" * 100 + "@example.org") == "x" * (100 - MAX_LOCAL) + "[e-mail address]"
