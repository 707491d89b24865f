"""The mood of words: what they say of us, not what has happened to the customer."""

from __future__ import annotations

import pytest

from bot.turn.experience import BAD_MOOD
from bot.understand.mood import MAX_TEXT, Mood

MOOD = Mood()


@pytest.mark.parametrize(
    "text",
    ["This is ridiculous, you are useless!", "I am furious. Worst service ever", "I hate this stupid bank", "I'm so angry right now :("],
)
def test_anger_is_heard(text: str) -> None:
    assert MOOD.of(text) <= BAD_MOOD


@pytest.mark.parametrize(
    "text",
    [
        "My card was stolen and somebody committed fraud with it",
        "I had an accident, my car is damaged and I am injured",
        "how do I report a death in the family",
        "I want to make a complaint about a wrong charge",
        "my payment was declined, there is an error",
        "stop the direct debit please",
        "",
    ],
)
def test_misfortune_is_not_anger(text: str) -> None:
    assert MOOD.of(text) > -0.3


def test_praise_is_good() -> None:
    assert MOOD.of("That is wonderful, I love it") > 0.5


def test_only_the_beginning_of_a_long_text_counts() -> None:
    assert MOOD.of("card " * MAX_TEXT + " I hate you, you are awful") == 0.0


def test_signs_alone_are_heard() -> None:
    assert MOOD.of("😠😠") < 0
    assert MOOD.of(":(") < 0
