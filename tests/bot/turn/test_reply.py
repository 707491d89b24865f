"""Replies: which variant is said, and how variables go in."""

from __future__ import annotations

import pytest

from bot.markup import Html
from bot.messages import Button
from bot.turn.reply import Manner, Replies, Variant

YES = ((Button("Yes", "/affirm"),),)
REPLIES = Replies(
    {
        "utter_greet": [
            Variant.from_markdown("Hello."),
            Variant.from_markdown("Hello, **{name}**."),
            Variant.from_markdown("Hello again.", YES),
        ],
        "utter_article": [Variant.from_markdown("**{title}**\n\n{body}")],
    }
)


def test_the_same_seed_says_the_same() -> None:
    assert [REPLIES.say("utter_greet", seed=seed).text for seed in (0, 1, 2, 3)] == ["Hello.", "Hello again.", "Hello.", "Hello again."]


def test_a_variant_with_a_known_variable_takes_part() -> None:
    said = REPLIES.say("utter_greet", seed=1, name="Ann & <Bo>")

    assert said.html == "Hello, <b>Ann &amp; &lt;Bo&gt;</b>."
    assert said.text == "Hello, Ann & <Bo>."


@pytest.mark.parametrize("name", [None, ""])
def test_an_empty_variable_is_unknown(name: str | None) -> None:
    assert all("," not in REPLIES.say("utter_greet", seed=seed, name=name).text for seed in range(6))


def test_html_goes_in_as_it_is_and_plain_into_the_log() -> None:
    said = REPLIES.say("utter_article", seed=7, title="A {b}", body=Html("<b>one</b> &amp; two"))

    assert said.html == "<b>A {b}</b>\n\n<b>one</b> &amp; two"
    assert said.text == "A {b}\n\none & two"


def test_zero_is_a_value() -> None:
    assert Replies({"x": [Variant.from_markdown("{count} left")]}).say("x", seed=0, count=0).text == "0 left"


def test_buttons_come_with_their_variant() -> None:
    assert REPLIES.say("utter_greet", seed=1).buttons == YES


def test_an_unknown_name_is_a_key_error() -> None:
    assert "utter_gret" not in REPLIES.names
    with pytest.raises(KeyError):
        REPLIES.say("utter_gret", seed=0)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValueError, match="utter_article cannot be said"):
        REPLIES.say("utter_article", seed=0, title="A")


MANNERS = Replies(
    {
        "utter_greet": [
            Variant.from_markdown("Good day."),
            Variant.from_markdown("Hi!", conditions=(("tone", "friendly"),)),
            Variant.from_markdown("Welcome to Telegram.", channel="telegram"),
            Variant.from_markdown("Guten Tag.", language="de"),
        ],
        "utter_card": [
            Variant.from_markdown("Your card is blocked."),
            Variant.from_markdown("Your gold card is blocked.", conditions=(("card_kind", "gold"),)),
            Variant.from_markdown("Ihre Karte ist gesperrt.", language="de"),
        ],
    }
)


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        (Manner(), "Good day."),
        (Manner("web"), "Good day."),
        (Manner("telegram"), "Welcome to Telegram."),
        (Manner("web", "", "friendly"), "Hi!"),
        (Manner("web", "", "formal"), "Good day."),
        (Manner("telegram", "de"), "Guten Tag."),
        (Manner("web", "fr"), "Good day."),
    ],
)
def test_a_reply_is_said_in_the_customers_manner(manner: Manner, said: str) -> None:
    assert {MANNERS.say("utter_greet", seed=seed, manner=manner).text for seed in range(5)} == {said}


@pytest.mark.parametrize(("kind", "said"), [("gold", "Your gold card is blocked."), ("blue", "Your card is blocked.")])
def test_a_condition_on_a_slot_goes_before_no_condition(kind: str, said: str) -> None:
    assert {MANNERS.say("utter_card", seed=seed, card_kind=kind).text for seed in range(5)} == {said}


def test_a_language_is_spoken_where_every_reply_has_it() -> None:
    assert MANNERS.languages == {"de"}
    assert REPLIES.languages == frozenset()
