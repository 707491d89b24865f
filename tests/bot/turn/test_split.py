"""Splitting long HTML: nothing is lost, nothing is broken."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.markup import plain_of, units_of
from bot.turn.split import split_html

TAG = re.compile(r"<(/?)([a-z]+)[^<>]*>")
texts = st.text(alphabet=st.sampled_from("ab. !?\n😀é&<>"), max_size=40).map(
    lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
)
pieces = st.recursive(
    texts,
    lambda inner: st.builds(
        lambda tag, body: f"<{tag}>{''.join(body)}</{tag.split()[0]}>",
        st.sampled_from(["b", "i", "code", 'a href="https://x.example/?a=1&amp;b=2"']),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)
htmls = st.lists(pieces, max_size=6).map("".join)


def is_valid(html: str) -> bool:
    open_tags: list[str] = []
    for found in TAG.finditer(html):
        if not found[1]:
            open_tags.append(found[2])
        elif not open_tags or open_tags.pop() != found[2]:
            return False
    outside = TAG.sub("", html)
    return not open_tags and "<" not in outside and not re.search(r"&(?!(amp|lt|gt);)", outside)


@given(htmls, st.integers(min_value=2, max_value=60))
def test_parts_are_valid_within_the_limit_and_complete(html: str, limit: int) -> None:
    parts = split_html(html, limit)

    assert all(is_valid(part) for part in parts)
    assert all(0 < units_of(plain_of(part)) <= limit for part in parts)
    assert all(plain_of(part).strip() for part in parts)
    shown = "".join(plain_of(part) for part in parts)
    # Only parts of nothing but white space are left out.
    assert shown.split() == plain_of(html).split() or "".join(shown.split()) == "".join(plain_of(html).split())


def test_a_short_text_stays_whole() -> None:
    assert split_html("<b>Hello</b>") == ["<b>Hello</b>"]


def test_nothing_is_no_part() -> None:
    assert split_html("") == split_html(" \n ") == []


def test_paragraphs_come_before_sentences_and_words() -> None:
    assert split_html("One two. Three.\n\nFour five.", 22) == ["One two. Three.\n\n", "Four five."]
    assert split_html("One two three. Four five six", 20) == ["One two three. ", "Four five six"]
    assert split_html("one two three four", 10) == ["one two ", "three four"]
    assert split_html("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_an_open_tag_is_closed_and_opened_again() -> None:
    assert split_html('<b>one <a href="x">two three</a></b>', 9) == ['<b>one <a href="x">two </a></b>', '<b><a href="x">three</a></b>']


def test_length_is_counted_in_utf16_units() -> None:
    assert split_html("😀😀😀", 4) == ["😀😀", "😀"]
