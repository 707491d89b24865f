"""What words do in the middle of a task, and which values they give."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.understand.said import Entity, Wanted, expected, mentioned, named, read_said, read_value
from memory.declared import Declared
from memory.values import Type

CARDS = Wanted("categorical", ("blue card", "red card", "gold_card"))
AMOUNT = Wanted("float", low=1, high=1000)
TEXT = Wanted("text")
NUMBER = Wanted(fact=Declared("customer_number", code=True, form=re.compile(r"NB\d{4}"), example="NB1234"))
PLACE = Wanted("any", fact=Declared("address", type=Type.PLACE))


@pytest.mark.parametrize(
    ("flag", "texts"),
    [
        (
            "cancel",
            [
                "never mind",
                "never mind, forget it",
                "Forget it.",
                "cancel",
                "cancel that please",
                "stop",
                "I don't want to any more",
                "no wait, cancel that",
            ],
        ),
        ("why", ["why?", "why do you need that?", "what is that for", "But why do you have to know it?", "is that necessary?"]),
        ("repeat", ["what was the question?", "say that again", "sorry, what did you ask", "pardon?"]),
        ("resume", ["go on", "ok let's continue", "back to my transfer", "please continue with it"]),
        ("refuse", ["I'd rather not say", "that's private", "skip", "I don't know", "i can't remember my policy number", "no idea"]),
        (
            "correct",
            ["no, the blue card", "sorry, I meant 50", "actually 60", "not 50 but 60", "it should be 60", "change it to 70"],
        ),
        ("asks", ["what does it cost", "is it free?", "you there?"]),
    ],
)
def test_what_words_do(flag: str, texts: list[str]) -> None:
    for text in texts:
        assert getattr(read_said(text), flag), text


@pytest.mark.parametrize(
    "text", ["50", "the blue one", "12 Oak Street", "I want to cancel my contract", "my card was stolen at the stop", "it stopped working"]
)
def test_an_answer_does_none_of_it(text: str) -> None:
    said = read_said(text)

    assert not {"cancel", "why", "repeat", "resume", "refuse"} & {*said.flags}


@pytest.mark.parametrize(
    ("text", "rest"),
    [("no, the blue card", "the blue card"), ("sorry, I meant 50", "50"), ("make it 60", "make it 60"), ("I mean Bob", "Bob")],
)
def test_what_is_meant_is_left(text: str, rest: str) -> None:
    assert read_said(text).rest == rest


@pytest.mark.parametrize(
    ("wanted", "text", "value", "exact"),
    [
        (CARDS, "the blue card", "blue card", True),
        (CARDS, "the red one please", "red card", True),
        (CARDS, "gold", "gold_card", True),
        (CARDS, "not the blue card, the red card", "red card", False),
        (AMOUNT, "50", 50, True),
        (AMOUNT, "£1,000.00", 1000, True),
        (AMOUNT, "about 12.50 pounds", 12.5, True),
        (AMOUNT, "fifty", 50, True),
        (Wanted("bool"), "yes please", True, True),
        (Wanted("bool"), "no, not yet", False, True),
        (Wanted("list"), "books, travel and cars", ["books", "travel", "cars"], False),
        (NUMBER, "it is nb 1234", "NB1234", True),
        (NUMBER, "my customer number is NB-1234", "NB1234", True),
        (PLACE, "I live at 12 Oak Street, London", {"text": "12 Oak Street, London"}, False),
        (TEXT, "it is for Bob", "Bob", False),
        (TEXT, "it is too expensive for me", "it is too expensive for me", False),
    ],
)
def test_a_value_is_read(wanted: Wanted, text: str, value: Any, exact: bool) -> None:
    reading = read_value(wanted, text)

    assert reading is not None
    assert (reading.value, reading.exact, reading.text) == (value, exact, text)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [(CARDS, "the card"), (CARDS, "blue card or red card"), (AMOUNT, "5000"), (AMOUNT, "50 or 60"), (NUMBER, "NB12"), (TEXT, "  ")],
)
def test_what_is_no_value_is_none(wanted: Wanted, text: str) -> None:
    assert read_value(wanted, text) is None


def test_things_are_named_by_lookups_and_patterns() -> None:
    found = named("Pay Bob Smith for order AB12, not bob", {"who": {"bob": "Bob", "Bob Smith": "Robert"}}, {"order": [r"[A-Z]{2}\d{2}"]})

    assert [(one.name, one.value) for one in found] == [("who", "Robert"), ("order", "AB12"), ("who", "Bob")]


def test_a_named_thing_fills_what_wants_it() -> None:
    entity = Entity("colour", "blue card", 9, 13)

    assert mentioned(Wanted("categorical", CARDS.values, ("colour",)), "I lost my blue one", [entity]) == "blue card"
    assert mentioned(Wanted("categorical", ("small",), ("colour",)), "I lost my blue one", [entity]) is None
    assert mentioned(TEXT, "I lost my blue one", [entity]) is None


def test_what_is_expected_is_said() -> None:
    assert expected(CARDS) == "blue card, red card or gold card"
    assert expected(AMOUNT) == "a number from 1 to 1,000"
    assert expected(Wanted("bool")) == "yes or no"
    assert expected(NUMBER) == "something like NB1234"
    assert expected(TEXT) == ""


def test_a_hostile_text_costs_no_more_than_a_long_one() -> None:
    for text in ("no " * 5000, "not " * 5000 + "but", "why " * 4000, "a" * 100_000, "1," * 20_000):
        read_said(text)
        read_value(TEXT, text)
        read_value(AMOUNT, text)
        named(text, {"a": {"no": "x"}}, {})
