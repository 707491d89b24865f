"""Amounts, days and choices, as they are read and told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.texts import day_text, digits, fee, lines, money, month_text, read_amount, read_choice, read_day, read_flag, read_month

TODAY = date(2026, 1, 7)  # a Wednesday


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        ("50", 50_00),
        ("£50", 50_00),
        ("£ 1,250.50", 1_250_50),
        ("12.5", 12_50),
        ("50 pounds", 50_00),
        ("50 GBP", 50_00),
        (50, 50_00),
        (0.1 + 0.2, None),
        (12.34, 12_34),
        ("0", 0),
        ({"amount": "12.50", "currency": "GBP"}, 12_50),
        ({"amount": "12.50", "currency": "EUR"}, None),
        ("€50", None),
        ("50 euros", None),
        ("-5", None),
        (-5, None),
        ("1.234", None),
        ("1,25", None),
        ("fifty", None),
        ("", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        ("9" * 40, None),
        (["50"], None),
    ],
)
def test_amounts_are_read(raw: Any, amount: int | None) -> None:
    assert read_amount(raw) == amount


@given(st.integers(0, 10**12 - 1))
def test_what_is_told_is_read_again(amount: int) -> None:
    assert read_amount(money(amount)) == amount


@pytest.mark.parametrize(("amount", "text"), [(0, "£0.00"), (5, "£0.05"), (1_204_50, "£1,204.50"), (-8_75, "-£8.75")])
def test_amounts_are_told(amount: int, text: str) -> None:
    assert money(amount) == text


def test_other_currencies_and_fees_are_told() -> None:
    assert (money(1_00, "EUR"), money(1_00, "SEK"), fee(0), fee(10_00)) == ("€1.00", "1.00 SEK", "free", "£10.00")


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("2026-02-01", date(2026, 2, 1)),
        ("2026-02-01T10:00:00", date(2026, 2, 1)),
        ("01/02/2026", date(2026, 2, 1)),
        ("1.2.2026", date(2026, 2, 1)),
        ("today", TODAY),
        ("Tomorrow", date(2026, 1, 8)),
        ("the day after tomorrow", date(2026, 1, 9)),
        ("in 5 days", date(2026, 1, 12)),
        ("in a week", date(2026, 1, 14)),
        ("in two weeks", date(2026, 1, 21)),
        ("in three days' time", date(2026, 1, 10)),
        ("the 12th", date(2026, 1, 12)),
        ("2nd", date(2026, 2, 2)),
        ("32nd", None),
        ("Friday", date(2026, 1, 9)),
        ("on friday", date(2026, 1, 9)),
        ("next Wednesday", date(2026, 1, 14)),
        ("1 February", date(2026, 2, 1)),
        ("from 1 February", date(2026, 2, 1)),
        ("the 1st of February", date(2026, 2, 1)),
        ("Feb 1", date(2026, 2, 1)),
        ("February 1st, 2027", date(2027, 2, 1)),
        ("1 January", date(2027, 1, 1)),
        ("7 January", TODAY),
        ("31 February", None),
        ("2026-13-01", None),
        ("29 Feb 2027", None),
        ("1 Fe", None),
        ("soon", None),
        ("", None),
        (None, None),
        (20260201, None),
    ],
)
def test_days_are_read(raw: Any, day: date | None) -> None:
    assert read_day(raw, TODAY) == day


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("yesterday", date(2026, 1, 6)),
        ("Wednesday", TODAY),
        ("Thursday", date(2026, 1, 1)),
        ("last monday", date(2026, 1, 5)),
        ("this morning", TODAY),
        ("last night", date(2026, 1, 6)),
        ("yesterday, late afternoon", date(2026, 1, 6)),
        ("on Monday evening", date(2026, 1, 5)),
        ("the day before yesterday", date(2026, 1, 5)),
        ("two days ago", date(2026, 1, 5)),
        ("10 days ago", date(2025, 12, 28)),
        ("a week ago", date(2025, 12, 31)),
        ("24 December", date(2025, 12, 24)),
        ("1 January", date(2026, 1, 1)),
    ],
)
def test_days_that_have_been_are_read(raw: str, day: date) -> None:
    assert read_day(raw, TODAY, past=True) == day


@given(st.dates(date(2025, 1, 1), date(2099, 12, 31)))
def test_a_day_that_is_told_is_read_again(day: date) -> None:
    assert read_day(day_text(day.isoformat()), TODAY) == day


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading(raw: str) -> None:
    assert read_day(raw, TODAY) is None or isinstance(read_day(raw, TODAY), date)
    read_amount(raw)
    read_month(raw, TODAY)
    assert digits(raw) == "" or digits(raw).isdecimal()


@pytest.mark.parametrize(
    ("raw", "month"),
    [
        ("December", "2025-12"),
        ("january", "2026-01"),
        ("Oct 2024", "2024-10"),
        ("2025-3", "2025-03"),
        ("last month", "2025-12"),
        ("the bill for October, please", "2025-10"),
        ("my december 2024 bill", "2024-12"),
        ("last month's bill", "2025-12"),
        ("this month", "2026-01"),
        ("2025-13", None),
        ("the big one", None),
        (12, None),
    ],
)
def test_months_are_read(raw: Any, month: str | None) -> None:
    assert read_month(raw, TODAY) == month


def test_the_rest() -> None:
    assert month_text("2025-10") == "October 2025"
    assert month_text("some time") == "some time"
    assert day_text(None) == ""
    assert day_text("2026-01-05T09:00:00+00:00") == "5 January 2026"
    assert read_choice("Home-Phone", ("home phone",)) == "home phone"
    assert read_choice(7, ("home phone",)) is None
    assert [read_flag(one) for one in (True, "Yes", "true", False, None, "no", 1)] == [True, True, True, False, False, False, False]
    assert (digits("1234 5678"), digits(4821), digits("12a"), digits("١٢"), digits(True)) == ("12345678", "4821", "", "", "")
    assert lines(["a", "b"], numbered=True) == "1. a\n2. b"
