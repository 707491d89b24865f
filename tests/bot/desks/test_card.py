"""The card, as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desks.card import MAX_TITLE, Standing, render_buttons, render_card, render_title
from bot.markup import units_of
from bot.messages import MAX_TEXT
from bot.turn.packet import PacketFact, PacketLine
from memory.clock import ManualClock
from tests.bot.desks.cases import packet_of


def standing(clock: ManualClock, state: str = "waiting", **changes: object) -> Standing:
    now = clock.now()
    known: dict[str, object] = {
        "owner": "Ann" if state != "waiting" else None,
        "claimed_at": now if state != "waiting" else None,
        "ended_at": now if state == "ended" else None,
        "ending": "returned" if state == "ended" else None,
        "ended_by": "Ann" if state == "ended" else None,
    }
    return replace(Standing(7, state, now, None, None, None, None, None), **(known | changes))  # type: ignore[arg-type]


def test_the_whole_card(clock: ManualClock) -> None:
    card = render_card(standing(clock), packet_of(clock, earlier="4 Jan 2026: with Bob, closed"), clock.now())

    assert (
        card
        == """<b>Cora Cole</b> · @cora · telegram · en · known since 7 Oct 2025
Asked for a person
Before: 4 Jan 2026: with Bob, closed

<b>What they want</b>
<blockquote>my card was declined &lt;twice&gt;</blockquote>

<b>What we know</b>
• Account number: <b>12-34</b> – said by the customer, 26 Nov 2025

<b>Tried</b>
• Declined card

<b>Last exchanges</b>
08:58 👤 Cora Cole: my card was declined &lt;twice&gt;
08:59 🤖 Assistant: Please check the limit.
09:00 👤 Cora Cole: agent please

⏳ Waiting since 09:00 UTC. Claim it, or simply answer here."""
    )


def test_a_card_with_nothing_known(clock: ManualClock) -> None:
    packet = packet_of(
        clock, name=None, username=None, language=None, reason="odd_thing", want="", facts=(), tried=(), lines=(), customer_since=None
    )

    card = render_card(standing(clock), packet, clock.now())

    assert card.splitlines()[:2] == ["<b>Customer 1</b> · telegram · first contact", "Odd thing"]
    assert "They have not said" in card
    assert "What we know" not in card
    assert render_title(packet) == "Customer 1"


@pytest.mark.parametrize(
    ("state", "changes", "last"),
    [
        ("owned", {}, "Ann holds this case since 09:00 UTC"),
        ("ended", {}, "Returned to the assistant by Ann, 09:00 UTC"),
        ("ended", {"ending": "closed", "ended_by": None}, "Closed by an agent, 09:00 UTC"),
        ("ended", {"ending": "other"}, "Ended 09:00 UTC"),
    ],
)
def test_the_last_line_says_how_it_stands(clock: ManualClock, state: str, changes: dict[str, object], last: str) -> None:
    assert last in render_card(standing(clock, state, **changes), packet_of(clock), clock.now()).splitlines()[-1]


def test_buttons_by_state(clock: ManualClock) -> None:
    def payloads(state: str) -> list[str]:
        return [button.payload for row in render_buttons(standing(clock, state)) for button in row]

    assert payloads("waiting") == ["claim:7"]
    assert payloads("owned") == ["return:7", "close:7"]
    assert payloads("ended") == []


@pytest.mark.parametrize("character", ["x", "&", "😀", "<"])
def test_a_full_card_fits_and_keeps_what_matters(clock: ManualClock, character: str) -> None:
    now, much = clock.now(), character * 3000
    packet = packet_of(
        clock,
        name=much,
        want=much,
        earlier=much,
        facts=tuple(PacketFact(f"fact_{n}", much, "customer", 1, now) for n in range(30)),
        tried=(much,) * 8,
        lines=tuple(PacketLine("customer", much, "text", f"{n} {much}", now) for n in range(12)),
    )

    card = render_card(standing(clock), packet, now)

    assert units_of(card) <= MAX_TEXT
    for part in ("What they want", "Fact 0", "Waiting since"):
        assert part in card
    assert units_of(render_title(packet)) <= MAX_TITLE


def test_the_oldest_lines_go_first(clock: ManualClock) -> None:
    now = clock.now()
    lines = tuple(PacketLine("customer", "Cora", "text", f"line {n} " + "x" * 400, now - timedelta(days=n)) for n in range(12, 0, -1))

    card = render_card(standing(clock), packet_of(clock, lines=lines, facts=(PacketFact("note", "y" * 900, "x", 1, now),) * 12), now)

    assert "line 1 " in card
    assert "line 12 " not in card
    assert "\n…\n" in card


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "yes"), ("a", "a"), ([1, 2], "1, 2"), ({"latitude": 1.5, "longitude": 2}, "latitude 1.5, longitude 2"), (None, "None")],
)
def test_values_of_facts(clock: ManualClock, value: object, shown: str) -> None:
    packet = packet_of(clock, facts=(PacketFact("thing", value, "agent", 1, clock.now()),))

    assert f"• Thing: <b>{shown}</b> – noted by an agent, 09:00" in render_card(standing(clock), packet, clock.now())


def test_a_line_that_is_not_text_says_what_it_is(clock: ManualClock) -> None:
    packet = packet_of(clock, lines=(PacketLine("agent", "Ann", "photo", "look", clock.now()),))

    assert "09:00 🎧 Ann: (photo) look" in render_card(standing(clock), packet, clock.now())
