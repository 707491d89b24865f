"""Markdown as Telegram HTML."""

from __future__ import annotations

import pytest

from bot.markup import html_of, plain_of, units_of


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a **b** *c* `d<e`", "a <b>b</b> <i>c</i> <code>d&lt;e</code>"),
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        ("- a\n- b\n\nc", "• a\n• b\n\nc"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- a\n  - b\n- c", "• a\n  • b\n• c"),
        ("[x & y](https://e.example/?a=1&b=2)", '<a href="https://e.example/?a=1&amp;b=2">x &amp; y</a>'),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
        ("# no <u>heading</u>", "# no &lt;u&gt;heading&lt;/u&gt;"),
        ("1 < 2 && 3 > 2", "1 &lt; 2 &amp;&amp; 3 &gt; 2"),
        ("{name} stays", "{name} stays"),
        ("", ""),
    ],
)
def test_html_of(markdown: str, html: str) -> None:
    assert html_of(markdown) == html


def test_plain_is_what_the_reader_sees() -> None:
    assert plain_of(html_of("**1 < 2** [x](https://e.example)")) == "1 < 2 x"


def test_units_are_utf16() -> None:
    assert units_of("a😀é") == 4
