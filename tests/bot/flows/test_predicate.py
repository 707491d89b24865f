"""Conditions: every operator as Rasa reads it, refusals that say what to write, and no value that raises."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.flows.predicate import MAX_DEPTH, MAX_LENGTH, Predicate, PredicateRefused, parse

SLOTS: dict[str, Any] = {
    "amount": 120,
    "half": 0.5,
    "reason": "lost",
    "confirmed": True,
    "declined": False,
    "nothing": None,
    "blank": "",
    "cards": ["gold", "basic", 7],
    "none_of_them": [],
    "day": "2026-03-01",
    "digits": "4821",
    "price": {"amount": "12.50", "currency": "GBP"},
    "address": {"city": "Leeds"},
}
VALUES = {"slots": SLOTS, "context": {"canceled_name": "transfer money"}, "customer": {"name": "Ann"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slots.amount > 100", True),
        ("slots.amount >= 120 and slots.amount <= 120", True),
        ("slots.amount < 120", False),
        ("slots.amount = 120.0", True),
        ("slots.half = 0.5", True),
        ("slots.amount > -1", True),
        ("slots.reason == 'lost'", True),
        ('slots.reason is "lost"', True),
        ('slots.reason is not "lost"', False),
        ('slots.reason != "Lost"', True),
        ("slots.confirmed", True),
        ("not slots.confirmed", False),
        ("not not slots.confirmed", True),
        ("slots.declined is false", True),
        ("slots.confirmed = True", True),
        ("slots.confirmed = 1", False),
        ("slots.nothing", False),
        ("not slots.nothing", True),
        ("slots.nothing is null", True),
        ("slots.amount is not null", True),
        ("slots.unheard_of is undefined", True),
        ("slots.nothing is empty", True),
        ("slots.blank is empty", True),
        ("slots.none_of_them is empty", True),
        ("slots.cards is empty", False),
        ("empty = empty", True),
        ("slots.amount is not empty", True),
        ("null is null", True),
        ("slots.nothing > 0", False),
        ("slots.nothing <= 0", False),
        ("slots.nothing != 'a'", True),
        ("slots.reason > 3", False),
        ("slots.confirmed >= true", False),
        ("slots.cards contains 'gold'", True),
        ("slots.cards contains 7", True),
        ("slots.cards contains 'silver'", False),
        ("slots.reason contains 'os'", True),
        ("slots.nothing contains 'a'", False),
        ('{"lost" "stolen"} contains slots.reason', True),
        ("{'a', 'b'} contains slots.reason", False),
        ("{} contains slots.reason", False),
        ("{slots.reason 120} contains slots.amount", True),
        ("slots.address contains 'city'", True),
        ("slots.address.city = 'Leeds'", True),
        ("slots.address.street.number is null", True),
        ("slots.price > 12 and slots.price <= 12.5", True),
        ("slots.price = 12.5", True),
        ("slots.day < '2026-04-01'", True),
        ('slots.digits matches "^[0-9]{4}$"', True),
        ("slots.digits matches /82/", True),
        ('slots.digits matches "^82"', False),
        ('slots.digits matches "48$"', False),
        ('slots.reason matches "LOST"', False),
        ("slots.amount matches '120'", False),
        ("slots.nothing matches 'a'", False),
        ("context.canceled_name = 'transfer money'", True),
        ("customer.name is 'Ann'", True),
        ("(slots.amount > 100) = true", True),
        ("slots.nothing or slots.confirmed", True),
        ("slots.confirmed or slots.nothing and slots.declined", True),
        ("(slots.declined and slots.confirmed) or slots.amount > 100", True),
        ("slots.declined and (slots.confirmed or slots.amount > 100)", False),
        ("not slots.declined and slots.confirmed", True),
        ("NOT slots.declined AND slots.amount IS NOT 5", True),
        ("  true  ", True),
        ("False", False),
        ("slots.reason =\n  'lost'", True),
    ],
)
def test_what_a_condition_says(text: str, expected: bool) -> None:
    assert parse(text).holds(VALUES) is expected


def test_nothing_is_known_where_a_namespace_is_missing() -> None:
    assert not parse("slots.a = 1").holds({})
    assert parse("slots.a is null").holds({})


def test_a_condition_says_what_it_asks_about() -> None:
    found = parse("slots.amount > 100 and (context.x or not customer.address.city = slots.amount)")

    assert found.reads == {"slots.amount", "context.x", "customer.address"}
    assert parse("true").reads == frozenset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slots.a = 'x'", {("slots.a", "x")}),
        ("'x' is not slots.a or slots.b == 5", {("slots.a", "x"), ("slots.b", 5)}),
        ("{'a' 'b'} contains slots.c", {("slots.c", "a"), ("slots.c", "b")}),
        ("slots.c is true", {("slots.c", True)}),
        ("slots.c contains 'a'", set()),
        ("(slots.a > 1) = true", set()),
        ("slots.a.b = 'x' and slots.a > 5", set()),
    ],
)
def test_a_condition_says_what_it_compares_with(text: str, expected: set[tuple[str, object]]) -> None:
    assert parse(text).compares == expected


def test_equal_conditions_are_equal() -> None:
    assert parse("slots.a = 1") == parse(" slots.a = 1 ") == Predicate("slots.a = 1", frozenset({"slots.a"}), lambda values: 1)
    assert parse("slots.a = 1") != parse("slots.a = 2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a condition is empty; write one such as slots.amount > 100"),
        ("amount > 100", 'write slots.amount for the slot, or "amount" for the text (at character 1 of amount > 100)'),
        ("slot.amount > 100", "`slot.amount` is not known; names begin with slots., context., customer."),
        ("slots > 100", "`slots` is not known; names begin with slots."),
        ("slots.a = lost", 'write slots.lost for the slot, or "lost" for the text (at character 11'),
        ("slots.a && slots.b", "`&&` is not known here; write `and` (at character 9"),
        ("!slots.a", "write `not`"),
        ("slots.a => 3", "write `>=`"),
        ("slots.a in ['x']", 'write the set first: {"one" "other"} contains slots.name'),
        ("slots.a is None", "write `null`"),
        ("slots.a = ['x']", 'a set stands in braces: {"one" "other"}'),
        ("slots.a = 'x", "a quotation mark is not closed (at character 11"),
        ("slots.a = “x”", 'write straight quotation marks: "text"'),
        ("slots.a =", "the condition ends too early; a name, a text or a number is missing (at its end"),
        ("slots.a = = 3", "after `=` there is another comparison"),
        ("slots.a and", "ends too early"),
        ("and slots.a", "`and` stands where a name, a text or a number is expected (at character 1"),
        ("(slots.a", "a ( is not closed (at its end"),
        ("(slots.a slots.b)", "`slots.b` stands where `and`, `or` or a comparison is expected (at character 10"),
        ("slots.a)", "there is a ) without its ("),
        ("{'a' (1)} contains slots.a", "a set has texts, numbers and names in it, nothing else"),
        ("{'a' contains slots.a", "`contains` stands where a name"),
        ("{'a'", "a { is not closed"),
        ("slots.a > 1 > 2", "`>` stands where `and`, `or` or a comparison is expected"),
        ("slots.a and slots.b or slots.c", "`or` after `and` can be read in two ways; put parentheses"),
        ("slots.a matches slots.b", "`matches` needs a pattern in quotation marks"),
        ("slots.a matches '.*'", "this pattern cannot be used: * may go on without end; say how often at most, such as {0,20}"),
        ("slots.a matches '(a'", "a ( is not closed"),
        ("slots.a = /a/", "a pattern between / and / stands only after `matches`"),
        ("slots.a = 5.", "stands where a name, a text or a number is expected"),
        ("slots.a = %", "`%` stands where"),
        ("slots.a > 0 and" + " " * MAX_LENGTH + "true", f"at most {MAX_LENGTH} are allowed"),
        ("(" * (MAX_DEPTH + 1) + "true" + ")" * (MAX_DEPTH + 1), "parentheses stand in each other"),
        ("not " * (MAX_DEPTH + 1) + "true", "make two steps of it"),
    ],
)
def test_a_mistake_says_where_and_what_to_write(text: str, expected: str) -> None:
    with pytest.raises(PredicateRefused) as caught:
        parse(text)
    assert expected in str(caught.value)


def test_an_escaped_dollar_is_one() -> None:
    assert parse(r"slots.a matches '5\$'").holds({"slots": {"a": "cost 5$ each"}})
    assert not parse(r"slots.a matches '5\\$'").holds({"slots": {"a": "5$"}})
    assert parse(r"slots.a matches '5\\$'").holds({"slots": {"a": "5\\"}})


def test_an_end_is_the_end_of_the_text() -> None:
    assert not parse('slots.a matches "^[0-9]{4}$"').holds({"slots": {"a": "4821\n"}})


def test_a_pattern_takes_no_time_on_a_hostile_text() -> None:
    condition = parse('slots.a matches "^[a-z0-9]{1,10}@[a-z0-9]{1,10}$"')
    begun = time.perf_counter()

    assert not condition.holds({"slots": {"a": "a" * 100_000}})
    assert time.perf_counter() - begun < 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["amount", "city"]), inner, max_size=2),
    max_leaves=5,
)
literals = st.sampled_from(
    ["slots.a", "slots.b", "slots.a.amount", "true", "false", "null", "empty", "0", "-3", "1.5", "'x'", '""', "{1 'x'}"]
)
comparisons = st.builds(
    "{} {} {}".format,
    literals,
    st.sampled_from(["=", "==", "is", "!=", "is not", "<", "<=", ">", ">=", "contains"]),
    literals,
) | st.builds("{} matches '[a-z]{{1,3}}'".format, literals)
conditions = st.recursive(
    comparisons | literals,
    lambda inner: (
        st.builds("not ({})".format, inner)
        | st.builds("({}) and ({})".format, inner, inner)
        | st.builds("({}) or ({})".format, inner, inner)
    ),
    max_leaves=6,
)


@given(conditions, json_values, json_values)
def test_no_value_raises_and_nothing_is_changed(text: str, a: Any, b: Any) -> None:
    values = {"slots": {"a": a, "b": b}}
    condition = parse(text)

    assert condition.holds(values) is condition.holds(values)
    assert parse(f"not ({text})").holds(values) is not condition.holds(values)


@given(conditions, conditions, json_values, json_values)
def test_and_and_or_are_what_they_are_in_python(left: str, right: str, a: Any, b: Any) -> None:
    values = {"slots": {"a": a, "b": b}}
    x, y = parse(left).holds(values), parse(right).holds(values)

    assert parse(f"({left}) and ({right})").holds(values) is (x and y)
    assert parse(f"({left}) or ({right})").holds(values) is (x or y)


def both(text: str, a: Any, b: Any) -> bool:
    return parse(text).holds({"slots": {"a": a, "b": b}})


@given(json_values, json_values)
def test_how_comparisons_belong_together(a: Any, b: Any) -> None:
    assert both("slots.a != slots.b", a, b) is not both("slots.a = slots.b", a, b)
    assert both("slots.a = slots.b", a, b) is both("slots.b = slots.a", a, b)
    assert both("slots.a < slots.b", a, b) is both("slots.b > slots.a", a, b)
    assert both("slots.a <= slots.b", a, b) is both("slots.b >= slots.a", a, b)
    assert not (both("slots.a < slots.b", a, b) and both("slots.a >= slots.b", a, b))
    if both("slots.a < slots.b", a, b):
        assert both("slots.a <= slots.b", a, b)
        assert not both("slots.a = slots.b", a, b)
    if a is None:
        assert not any(both(f"slots.a {sign} slots.b", a, b) for sign in ("<", "<=", ">", ">=", "contains"))
    assert both("slots.a", a, b) is bool(a)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_numbers_compare_as_numbers(a: int, b: int) -> None:
    for sign, expected in (("=", a == b), ("!=", a != b), ("<", a < b), ("<=", a <= b), (">", a > b), (">=", a >= b)):
        assert both(f"slots.a {sign} slots.b", a, b) is expected
        assert parse(f"{a} {sign} {b}.0").holds({}) is expected


any_text = st.text(max_size=40) | st.text(alphabet="slots.ab='\" (){}<>!=andortcis0123/", max_size=40)


@given(any_text)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(PredicateRefused):
        assert parse(text).text == text.strip()
