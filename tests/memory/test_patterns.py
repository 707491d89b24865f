"""Patterns: what can be written is found as whole words, what could take long or match nothing is refused with a remedy."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.patterns import MAX_STEPS, PatternRefused, make_pattern


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        (r"HC ?\d{6}", "about hc 123456, please", ["hc 123456"]),
        (r"HC ?\d{6}", "HC1234567 and XHC123456", []),
        (r"\d{4}", "2026 12345 é2026 (1999)", ["2026", "2026", "1999"]),
        (r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", "to SW1A 1AA or m11ae", ["SW1A 1AA", "m11ae"]),
        (r"(?:red|green) box", "a red box, a green box, a blue box", ["red box", "green box"]),
        (r"a(-\d{4})?", "a a-1234", ["a", "a-1234"]),
        (r"\d{4}( \d{4}){2}", "1111 2222 3333 4444", ["1111 2222 3333"]),
        (r"\[[^\]x]\]", "[y] [x]", ["[y]", "[x]"][:1]),
        (r"a.c\.d", "abc.d abcxd", ["abc.d"]),
        (r"x\b.y", "x-y xay", ["x-y"]),
        (r"\d{2}", "٣٤", []),
    ],
)
def test_a_pattern_finds_whole_words_in_any_case(source: str, text: str, found: list[str]) -> None:
    assert [match[0] for match in make_pattern(source).match.finditer(text)] == found


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("(a+)+", "+ may go on without end; say how often at most, such as {1,20} (at character 3)"),
        ("a*", "* may go on without end; say how often at most, such as {0,20}"),
        (r"(\d{1,3}){2}", "a repeated group repeats something itself"),
        (r"(a|b){2,3}", "or has a choice in it; write it out"),
        (r"((a?)b){2}", "a repeated group repeats something itself"),
        ("a?", "matches the empty text"),
        ("a|", "matches the empty text"),
        ("", "matches the empty text"),
        (r"\b", "matches the empty text"),
        (r"(\b){3}a", "matches nothing"),
        (r"\d{2,1}", "from 2 to 1 times"),
        (r"\d{0}", "from 0 to 0 times"),
        (r"\d{65}", "at most 64"),
        (r"\d{2}{3}", "repeated twice"),
        (r"\d{2}?", "repeated twice"),
        (r"a{,3}", "such as {6} or {2,20}"),
        ("{2}", "nothing that { could repeat"),
        ("+1", "nothing that + could repeat"),
        ("(?=a)a", "after (? only : is allowed"),
        ("(?P<x>a)", "after (? only : is allowed"),
        ("(?i)a", "after (? only : is allowed"),
        (r"(a)\1", r"\1 is not known here"),
        (r"\pL", r"\p is not known here"),
        ("^a", "^ is not needed"),
        ("a$", "$ is not needed"),
        ("(a", "a ( is not closed"),
        ("a)", "there is a ) without its ("),
        ("[a", "a [ is not closed"),
        ("[]a]", "a class is empty"),
        ("[[:alpha:]]", r"write \[ for the character itself"),
        ("[a--b]", r"write \- for the character itself"),
        ("[z-a]", "bad character range"),
        ("a\\", "it ends in a"),
        ("a" * 201, "has 201 characters"),
        ("(" * 11 + "a" + ")" * 11, "groups in each other"),
        ("[a-z]{1,60}[a-z]{1,60}", "steps at each place of a text"),
        ("((a{64}){64}){64}", "steps at each place of a text"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(source: str, why: str) -> None:
    with pytest.raises(PatternRefused) as caught:
        make_pattern(source)

    assert why in str(caught.value)


atoms = st.sampled_from(["a", "7", r"\d", r"\w", r"[a-c]", r"[0-9]", "-", " ", r"\.", "."])
times = st.sampled_from(["", "", "?", "{2}", "{1,3}", "{0,2}"])
parts = st.recursive(
    st.tuples(atoms, times).map("".join),
    lambda inner: (
        st.tuples(st.lists(inner, min_size=1, max_size=3).map("".join).map("({})".format), times).map("".join)
        | st.lists(inner, min_size=2, max_size=3).map("|".join).map("(?:{})".format)
        | st.lists(inner, min_size=1, max_size=3).map("".join)
    ),
    max_leaves=6,
)


@given(source=parts, text=st.text(alphabet="abc7x-. ", max_size=30))
def test_what_is_known_of_a_pattern_holds_for_every_match(source: str, text: str) -> None:
    try:
        made = make_pattern(source)
    except PatternRefused:
        return

    assert made.shape.ways * made.shape.longest <= MAX_STEPS
    for match in made.match.finditer(text):
        assert 0 < made.shape.shortest <= len(match[0]) <= made.shape.longest
        assert not made.shape.digits or any(character.isdigit() for character in match[0])


@given(source=st.text(alphabet=string.ascii_letters + r"\()[]{}|?*+.,-^$0123456789 ", max_size=20))
def test_a_pattern_is_made_or_refused_and_nothing_else(source: str) -> None:
    try:
        made = make_pattern(source)
    except PatternRefused:
        return

    assert made.match.fullmatch("") is None
    # It is complete in itself, so that what is put around it does not change what it means.
    re.compile(source)
