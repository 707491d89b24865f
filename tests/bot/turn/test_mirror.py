"""What a desk shows beside the card."""

from __future__ import annotations

import pytest

from bot.markup import units_of
from bot.turn.mirror import first_name, mirror, refused_notice, settled_notice, shortened, uncertain_notice


@pytest.mark.parametrize(
    ("author", "name", "shown"),
    [
        ("customer", "Cora <3", "👤 <b>Cora &lt;3</b>: a &amp; b"),
        ("customer", None, "👤 <b>Customer</b>: a &amp; b"),
        ("assistant", "ignored", "🤖 <b>Assistant</b>: a &amp; b"),
        ("agent", "Ann", "🎧 <b>Ann</b>: a &amp; b"),
        ("system", None, "💬 <b>system</b>: a &amp; b"),
    ],
)
def test_words_are_shown_with_their_speaker(author: str, name: str | None, shown: str) -> None:
    assert mirror(author, name, "a & b") == shown


def test_no_words_leave_the_speaker_alone() -> None:
    assert mirror("customer", "Cora", "") == "👤 <b>Cora</b>"


def test_an_uncertain_message_is_asked_about_with_its_words() -> None:
    text, ((again, arrived),) = uncertain_notice(12, "<b>Your</b> card &amp; PIN")

    assert text.endswith("<blockquote>Your card &amp; PIN</blockquote>")
    assert (again.payload, arrived.payload) == ("again:12", "arrived:12")


def test_a_notice_repeats_no_more_than_an_excerpt() -> None:
    assert len(uncertain_notice(1, "x" * 4000)[0]) < 400
    assert "blockquote" not in uncertain_notice(1, "")[0]


def test_what_was_settled_names_who_did() -> None:
    assert settled_notice("arrived", "Ann & Co", "hello").startswith("✅ <b>Ann &amp; Co says")
    assert settled_notice("again", None, "hello").startswith("🔁 <b>Agent had")


def test_a_refusal_says_why() -> None:
    assert refused_notice("bot was blocked by <user>.").endswith(": bot was blocked by &lt;user&gt;.".replace(": ", ":</b> ", 1))


@pytest.mark.parametrize(("text", "units"), [("short", 5), ("a  b\nc", 5), ("too long for this", 8), ("😀😀😀😀", 5), ("ab", 1), ("", 3)])
def test_shortened_text_fits(text: str, units: int) -> None:
    short = shortened(text, units)

    assert units_of(short) <= units
    assert "\n" not in short
    assert short.endswith("…") == (units_of(" ".join(text.split())) > units)


@pytest.mark.parametrize(("name", "first"), [("Ann Archer", "Ann"), ("Ann", "Ann"), ("  ", "Agent"), (None, "Agent")])
def test_customers_are_told_an_agents_first_name(name: str | None, first: str) -> None:
    assert first_name(name) == first
