"""HTML to text and entities, and Telegram's words for broken markup."""

from typing import Any

import pytest

from bot.simulator.entities import add_found, find_entities, trim
from bot.simulator.errors import ApiError
from bot.simulator.html import parse_html


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("a &lt; b &amp; c &gt; &quot;d&quot; &#33; &#x21; &copy;", 'a < b & c > "d" ! ! &copy;', []),
        ("<b>Hi</b> <i>there</i>", "Hi there", [entity("bold", 0, 2), entity("italic", 3, 5)]),
        ("<b>a<i>b</i></b>", "ab", [entity("bold", 0, 2), entity("italic", 1, 1)]),
        ("\U0001f600<b>x</b>", "\U0001f600x", [entity("bold", 2, 1)]),
        ("<u>u</u><s>s</s>", "us", [entity("underline", 0, 1), entity("strikethrough", 1, 1)]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [entity("spoiler", 0, 1)]),
        ("<span class='tg-spoiler'>x</span>", "x", [entity("spoiler", 0, 1)]),
        ('<a href="https://a.example/?b=1&amp;c">x</a>', "x", [entity("text_link", 0, 1, url="https://a.example/?b=1&c")]),
        ("<a>https://a.example</a>", "https://a.example", [entity("text_link", 0, 17, url="https://a.example")]),
        ("<a href='nowhere'>x</a>", "x", []),
        ("<code>x</code>", "x", [entity("code", 0, 1)]),
        ("<pre><code class=language-py>x</code></pre>", "x", [entity("pre", 0, 1, language="py")]),
        ("<blockquote expandable>q</blockquote>", "q", [entity("expandable_blockquote", 0, 1)]),
        ("<tg-emoji emoji-id='5'>x</tg-emoji>", "x", [entity("custom_emoji", 0, 1, custom_emoji_id="5")]),
        ("<B>x</b>", "x", [entity("bold", 0, 1)]),
        ("<b></b>x", "x", []),
        ("<b>x</>", "x", [entity("bold", 0, 1)]),
    ],
)
def test_markup_becomes_entities(source: str, text: str, entities: list[dict[str, Any]]) -> None:
    assert parse_html(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<br>x", 'Unsupported start tag "br" at byte offset 0'),
        ("é<p>x</p>", 'Unsupported start tag "p" at byte offset 2'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("x<b", 'Unclosed start tag "b" at byte offset 1'),
        ("<a href='x", 'Unclosed start tag "a" at byte offset 0'),
        ("<a ='x'>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=x/y>z</a>", "Unexpected end of name token at byte offset 9"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified"),
    ],
)
def test_broken_markup_is_refused_in_telegrams_words(source: str, complaint: str) -> None:
    with pytest.raises(ApiError) as refusal:
        parse_html(source)

    assert refusal.value.code == 400
    assert refusal.value.description == f"Bad Request: can't parse entities: {complaint}"


def test_telegram_finds_entities_by_itself() -> None:
    text = "😀 /start@bank_bot see https://a.example/x. @ann_lee or me@a.example #tag 1/2"

    found = {
        text.encode("utf-16-le")[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le"): e["type"]
        for e in find_entities(text)
    }

    assert found == {
        "/start@bank_bot": "bot_command",
        "https://a.example/x": "url",
        "@ann_lee": "mention",
        "me@a.example": "email",
        "#tag": "hashtag",
    }


def test_nothing_is_found_in_code() -> None:
    assert add_found("/x /y", [entity("code", 0, 2)]) == [entity("code", 0, 2), entity("bot_command", 3, 2)]


def test_white_space_around_a_text_goes_and_entities_follow() -> None:
    assert trim("  ab \n", [entity("bold", 0, 3), entity("italic", 4, 3)]) == ("ab", [entity("bold", 0, 1)])
