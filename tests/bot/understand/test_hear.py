"""Small talk, and what is left of a message beside it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.assistants import load_assistant
from bot.understand.hear import Heard, hear

BANKING = load_assistant("banking").knowledge
FLAGS = ("greeting", "thanks", "goodbye", "affirm", "deny", "help", "asks_person")


def flags_of(heard: Heard) -> set[str]:
    return {flag for flag in FLAGS if getattr(heard, flag)}


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("hi", "greeting"),
        ("hii good morning", "greeting"),
        ("Hiiiii!!!", "greeting"),
        ("hello Sam", "greeting"),
        ("gud mrng sir", "greeting"),
        ("👋", "greeting"),
        ("good moring", "greeting"),
        ("thank you so much", "thanks"),
        ("ok thanks bye", "thanks goodbye"),
        ("thnaks a lot", "thanks"),
        ("ok thank you for your help", "thanks"),
        ("thank you, have a nice day", "thanks goodbye"),
        ("byee", "goodbye"),
        ("you too", "goodbye"),
        ("yes please", "affirm"),
        ("ok", "affirm"),
        ("👍🏽", "affirm"),
        ("yes it worked", "affirm"),
        ("all sorted, thanks", "affirm thanks"),
        ("no", "deny"),
        ("nope that's all", "deny"),
        ("no thank you", "deny thanks"),
        ("not yet", "deny"),
        ("it didn’t work", "deny"),
        ("nothing else, bye", "deny goodbye"),
        ("help", "help"),
        ("hi, can you help me please", "greeting help"),
        ("hello, agent please", "asks_person"),
        ("please", ""),
        ("", ""),
        ("   ", ""),
        ("😀😀😀", ""),
        ("42", ""),
    ],
)
def test_small_talk(text: str, flags: str) -> None:
    heard = hear(text, BANKING)

    assert flags_of(heard) == set(flags.split())
    assert heard.text == text


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("hi, I lost my card", "lost-card"),
        ("good morning sam i need a new cheque book please thanks", "order-cheques"),
        ("no, i want to close my account", "close-account"),
        ("yes my card was declined", "card-declined"),
        ("thanks, and what is your routing number?", "routing-number"),
    ],
)
def test_a_question_beside_small_talk_is_searched_without_it(text: str, slug: str) -> None:
    heard = hear(text, BANKING)

    assert not flags_of(heard)
    assert heard.hits[0].article.slug == slug
    assert heard.sure


def test_small_talk_is_not_searched() -> None:
    assert hear("good morning", BANKING).hits == ()


def test_a_word_of_the_knowledge_is_not_taken_for_a_name() -> None:
    heard = hear("hi card", BANKING)

    assert not heard.greeting
    assert heard.hits


@given(st.text(max_size=4096))
@settings(max_examples=60, deadline=None)
def test_any_text_is_heard(text: str) -> None:
    assert hear(text, BANKING).text == text


def test_a_hostile_text_costs_no_more_than_a_long_one() -> None:
    hear("agent " * 700, BANKING)
    started = time.process_time()
    for text in ("agent " * 680, "a" * 4096, "no no " * 680, "i want to speak to " * 215, "?" * 4096, "a.b" * 1365):
        hear(text, BANKING)
    assert time.process_time() - started < 1.0
