"""Summaries: what was said in a finished conversation, in the words that were said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from bot.turn.summarise import OVER_AFTER, SENTENCE, conversations, cut, summary_of
from tests.memory.people import START


@dataclass
class Row:
    """An exchange as the log has it."""

    id: int
    author: str
    text: str
    reply: str | None = None
    at: datetime = START
    kind: str = "text"
    about_id: int | None = None
    customer_id: int = 1
    identity_id: int = 1


@dataclass
class Promised:
    text: str
    exchange_id: int | None


def talk(*lines: tuple[str, str] | tuple[str, str, str]) -> list[Row]:
    return [
        Row(n, line[0], line[1], line[2] if len(line) > 2 else None, START + timedelta(minutes=n)) for n, line in enumerate(lines, start=1)
    ]


def test_a_pause_ends_a_conversation() -> None:
    rows = [Row(n, "customer", "x", at=START + timedelta(hours=hours)) for n, hours in enumerate((0, 1, 8, 9, 30), start=1)]

    parts, over_at = conversations(rows, START + timedelta(hours=31))  # type: ignore[arg-type]

    assert [[row.id for row in part] for part in parts] == [[1, 2], [3, 4]]
    assert over_at == START + timedelta(hours=30) + OVER_AFTER
    assert conversations(rows, START + timedelta(hours=36))[1] is None  # type: ignore[arg-type]
    assert conversations([], START) == ([], None)


def test_a_summary_says_what_was_wanted_done_and_how_it_ended() -> None:
    rows = talk(
        ("customer", "Hi there"),
        ("assistant", "Hello!", "utter_greet"),
        ("customer", "my new card has not arrived"),
        ("assistant", "Cards take five days. They come by post.", "utter_article"),
        ("customer", "thanks"),
        ("assistant", "You are welcome.", "utter_thanks"),
    )

    found = summary_of(rows, [])  # type: ignore[arg-type]

    assert found is not None
    assert (found["wanted"], found["done"], found["ending"]) == (
        "my new card has not arrived",
        "Cards take five days. They come by post.",
        "solved",
    )
    assert found["links"] == {"wanted": [3], "done": [4], "ending": [6], "promised": []}
    assert (found["first_id"], found["last_id"]) == (1, 6)


def test_what_an_agent_said_and_promised_is_in_it() -> None:
    rows = talk(
        ("customer", "I want to talk to a person"),
        ("assistant", "A person comes.", "utter_handoff"),
        ("customer", "somebody used my card in Spain"),
        ("agent", "I have blocked it."),
        ("agent", "A new one is on its way."),
    )

    found = summary_of(rows, [Promised("A new card by Friday", 5)])  # type: ignore[list-item,arg-type]

    assert found is not None
    assert found["wanted"] == "somebody used my card in Spain"
    assert found["done"] == "I have blocked it. / A new one is on its way."
    assert (found["ending"], found["promised"], found["links"]["promised"]) == ("person", "A new card by Friday", [5])


@pytest.mark.parametrize(
    ("reply", "ending"),
    [
        ("utter_not_worked_out", "unsolved"),
        ("utter_worked_out", "solved"),
        ("utter_clarify", "left"),
        ("utter_article", "told"),
    ],
)
def test_the_last_reply_says_how_it_ended(reply: str, ending: str) -> None:
    found = summary_of(talk(("customer", "where is my bill"), ("assistant", "Well.", reply)), [])  # type: ignore[arg-type]

    assert found is not None
    assert found["ending"] == ending


def test_where_only_small_things_were_said_the_longest_stands() -> None:
    found = summary_of(talk(("customer", "hi"), ("customer", "good morning")), [])  # type: ignore[arg-type]

    assert found is not None
    assert found["wanted"] == "good morning"


def test_without_a_word_of_the_customer_there_is_no_summary() -> None:
    assert summary_of(talk(("agent", "Hello?")), []) is None  # type: ignore[arg-type]


def test_long_sentences_are_cut_at_a_word() -> None:
    short = cut("word " * 100)

    assert len(short) <= SENTENCE
    assert short.endswith("word…")
    assert cut("one\n two") == "one two"
