"""Text into words, and a question as it is understood."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.search.words import STOP, ask, date_terms, meant_time, only_asks, stem, terms_of, words

NOW = datetime(2026, 5, 20, 15, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("£1,250.00", "1250"),
        ("the 7th", "the 07"),
        ("ref AB-1234", "ref ab 1234 AB1234"),
        ("Café", "cafe"),
        ("on Sept 3", "on September 3"),
        ("Ｆｕｌｌ width", "full width"),
        ("card’s", "card's"),
    ],
)
def test_the_same_thing_written_in_two_ways(one: str, other: str) -> None:
    assert set(words(one)) <= set(words(other))


def test_endings_are_taken_off_and_stop_words_left_out() -> None:
    assert terms_of("We were refunding refunds for the refunded") == {"refund": 3}


def test_the_month_of_may_is_a_word_and_what_may_be_is_not() -> None:
    assert "may" in terms_of("It came on 3 May")
    assert "may" in terms_of("I paid in May, I think")
    assert "may" not in terms_of("I may go. May I?")


def test_writing_without_spaces_goes_by_pairs() -> None:
    assert terms_of("銀行口座") == {"銀行": 1, "行口": 1, "口座": 1}
    assert terms_of("Где моя карта") == {"где": 1, "моя": 1, "карта": 1}


@given(st.text(max_size=300))
def test_any_text_gives_words_of_bounded_length(text: str) -> None:
    assert all(0 < len(word) <= 42 for word in words(text))
    assert STOP.isdisjoint(terms_of(text)) or any(stem(word) in STOP for word in words(text))
    ask(text, names=[text[:20]], now=NOW)
    only_asks(text)


def test_a_day_has_its_words() -> None:
    assert date_terms(NOW) == ("wednesday", "may", "20", "2026")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Where is my card?", True),
        ("Hi there! Thanks a lot. When will it come?", True),
        ("I have waited for my new card since the first of March. Where is it?", False),
        ("It came.", False),
        ("", False),
    ],
)
def test_who_only_asks(text: str, asks: bool) -> None:
    assert only_asks(text) is asks


def test_names_of_those_who_take_part_are_not_what_is_asked_about() -> None:
    question = ask("What did Bea say about Cora's bill?", names=["Bea Miller", "Cora"])

    assert question.plain == "What did say about bill?"
    assert set(question.terms.values()) == {"bill"}


def test_a_name_in_small_letters_is_a_word() -> None:
    assert ask("my bill is wrong", names=["Bill"]).plain == "my bill is wrong"
    assert set(ask("my bill is wrong", names=["Bill"]).terms.values()) == {"bill", "wrong"}


def test_a_question_of_nothing_but_a_name_keeps_it() -> None:
    assert ask("Bea", names=["Bea"]).plain == "Bea"


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("what was it in May?", (2026, 5, 1), (2026, 6, 1)),
        ("what was it in March 2025?", (2025, 3, 1), (2025, 4, 1)),
        ("in September", (2025, 9, 1), (2025, 10, 1)),
        ("on 3 March", (2026, 3, 3), (2026, 3, 4)),
        ("on March 3rd, 2024", (2024, 3, 3), (2024, 3, 4)),
        ("yesterday", (2026, 5, 19), (2026, 5, 20)),
        ("last week", (2026, 5, 11), (2026, 5, 18)),
        ("last Friday", (2026, 5, 15), (2026, 5, 16)),
        ("last Wednesday", (2026, 5, 13), (2026, 5, 14)),
        ("two days ago", (2026, 5, 18), (2026, 5, 19)),
        ("last year", (2025, 1, 1), (2026, 1, 1)),
        ("in 2024", (2024, 1, 1), (2025, 1, 1)),
        ("last month", (2026, 4, 1), (2026, 5, 1)),
    ],
)
def test_a_time_that_is_meant(text: str, since: tuple[int, int, int], until: tuple[int, int, int]) -> None:
    assert meant_time(text, NOW) == (datetime(*since, tzinfo=UTC), datetime(*until, tzinfo=UTC))


@pytest.mark.parametrize("text", ["may I ask?", "31 February", "I marched on", "", "in 20245", "99999999 days ago"])
def test_no_time_is_meant(text: str) -> None:
    assert meant_time(text, NOW) == (None, None)
