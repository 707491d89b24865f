"""The card, as text."""

from __future__ import annotations

from dataclasses import MISSING, replace
from datetime import timedelta

import orjson
import pytest

from bot.desks.card import MAX_TITLE, Standing, render_buttons, render_card, render_title
from bot.markup import units_of
from bot.messages import MAX_TEXT
from bot.turn.packet import (
    Packet,
    PacketConsent,
    PacketFact,
    PacketJourney,
    PacketLine,
    PacketMoment,
    PacketPromise,
    PacketRelated,
    PacketSummary,
    read_packet,
    stored,
)
from memory.clock import ManualClock
from memory.proposals import Maybe
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


def test_what_the_past_has_about_the_matter_is_shown_and_its_words_are_no_markup(clock: ManualClock) -> None:
    related = tuple(PacketRelated(f"0{n} Jan 2026 Cora: <b>parcel {n}</b>", "words: parcel", n, clock.now()) for n in range(1, 6))

    card = render_card(standing(clock), packet_of(clock, related=related), clock.now())

    assert "<b>From the past, about this</b>\n• 01 Jan 2026 Cora: &lt;b&gt;parcel 1&lt;/b&gt;" in card
    assert "parcel 3" in card
    assert "parcel 4" not in card
    assert "From the past" not in render_card(standing(clock), packet_of(clock), clock.now())


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
        related=(PacketRelated(much, much, 1, now),) * 6,
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


def fact(name: str, value: str, clock: ManualClock, **more: object) -> PacketFact:
    return PacketFact(name, value, "customer", 1, clock.now() - timedelta(days=40), shown=value, **more)  # type: ignore[arg-type]


def test_a_proof_that_is_over_is_not_shown(clock: ManualClock) -> None:
    packet = packet_of(clock, proof="verified", proven_at=clock.now() - timedelta(days=31))

    assert "verified" not in render_card(standing(clock), packet, clock.now())
    assert "verified" in render_card(standing(clock), packet, clock.now(), timedelta(days=60))
    just_now = replace(packet, proven_at=clock.now())
    assert "verified" not in render_card(standing(clock), just_now, clock.now() + timedelta(seconds=2), timedelta(seconds=1))


def test_those_who_may_be_the_same_person_are_named_with_what_to_write(clock: ManualClock) -> None:
    maybe = (Maybe(12, ("phone", "order_number"), (1, 2), clock.now()), Maybe(9, ("email",), (3,), clock.now()))

    card = render_card(replace(standing(clock), maybe=maybe), packet_of(clock), clock.now())

    lines = "• as customer 12: same phone and order number; /merge 12 or /notsame 12\n• as customer 9: same email;"
    assert f"<b>May be the same person</b>\n{lines}" in card


def test_what_makes_an_agent_careful_comes_first(clock: ManualClock) -> None:
    now = clock.now()
    moments = (PacketMoment(False, "said it did not work", 1, now), PacketMoment(False, "waited 26 min", 1, now - timedelta(days=2)))
    promises = (
        PacketPromise(12, "We call <you>", "Bea", "open", now + timedelta(hours=2)),
        PacketPromise(11, "A card", "Bea", "broken", now - timedelta(days=1)),
        PacketPromise(13, "A letter", "Bea", "open", None),
    )
    packet = packet_of(clock, careful=moments, promises=promises, facts=(fact("phone", "+44", clock),), proof="verified", proven_at=now)

    card = render_card(standing(clock), packet, now).split("\n\n")

    assert "· ✅ verified ·" in card[0]
    assert card[2] == "<b>⚠️ Careful: 2 bad moments: said it did not work on 5 Jan; waited 26 min on 3 Jan</b>"
    assert card[3].splitlines() == [
        "<b>Promised</b>",
        "• № 12 “We call &lt;you&gt;” – Bea, by 11:00",
        "• № 11 “A card” – Bea, ❗ not kept by 4 Jan 09:00",
        "• № 13 “A letter” – Bea",
    ]
    assert card[4].startswith("<b>What we know</b>")


def test_what_contradicts_is_beside_what_is_gone_by(clock: ManualClock) -> None:
    other = PacketFact("phone", "+45", "system", None, clock.now() - timedelta(days=2), shown="+45")
    facts = (fact("phone", "+44", clock, title="telephone number", stale=True, others=(other,)),)
    likely = (fact("email", "a@b.example", clock, title="e-mail address"),)
    consents = (PacketConsent("offers", "Offers", False, clock.now()), PacketConsent("calls", "Calls", True, clock.now()))

    card = render_card(standing(clock), packet_of(clock, facts=facts, likely=likely, consents=consents), clock.now())

    assert card.split("\n\n")[2].splitlines() == [
        "<b>What we know</b>",
        "• Telephone number: <b>+44</b> – said by the customer, 26 Nov 2025; perhaps out of date; "
        "otherwise +45 (from our systems, 3 Jan 09:00)",
        "• E-mail address: perhaps <b>a@b.example</b>, not confirmed",
        "• Consents: Offers no, Calls yes",
    ]


def test_where_they_stand_and_what_was_before(clock: ManualClock) -> None:
    now = clock.now()
    journeys = (
        PacketJourney("card", "Card", "", "Lost", "A new one is sent.", True, now),
        PacketJourney("loan", "Loan", "car", "Paid back", None, False, now),
    )
    summaries = (PacketSummary(now - timedelta(days=3), "a new <pin>", "Sent.", "solved", ""),)

    card = render_card(standing(clock), packet_of(clock, journeys=journeys, summaries=summaries, tried=()), now)

    assert "<b>Where they stand</b>\n• Card: <b>Lost</b> – A new one is sent.\n• Loan car: <b>Paid back</b>\n" in card
    assert "<b>Earlier conversations</b>\n• 2 Jan 09:00: a new &lt;pin&gt; – solved\n" in card


@pytest.mark.parametrize("character", ["x", "&", "😀"])
def test_the_fullest_card_fits(clock: ManualClock, character: str) -> None:
    now, much = clock.now(), character * 400
    one = PacketFact("fact", much, "agent", 1, now, title=much, shown=much, by=much, stale=True)
    packet = packet_of(
        clock,
        name=much,
        want=much,
        earlier=much,
        facts=tuple(replace(one, name=f"f{n}", title=f"Fact {n}", others=(one, one, one)) for n in range(30)),
        likely=(one,) * 9,
        tried=(much,) * 8,
        lines=tuple(PacketLine("customer", much, "text", much, now) for _ in range(12)),
        careful=tuple(PacketMoment(False, much, 1, now) for _ in range(9)),
        promises=tuple(PacketPromise(n, much, much, "broken", now) for n in range(20)),
        journeys=tuple(PacketJourney(much, much, much, much, much, True, now) for _ in range(20)),
        summaries=tuple(PacketSummary(now, much, much, much, much) for _ in range(5)),
        consents=tuple(PacketConsent(much, much, True, now) for _ in range(20)),
    )

    card = render_card(standing(clock), packet, now)

    assert units_of(card) <= MAX_TEXT
    for part in ("What they want", "Careful: 9 bad moments", "№ 0", "Fact 0", "Waiting since"):
        assert part in card


def test_a_packet_of_the_first_version_is_read(clock: ManualClock) -> None:
    new = ("title", "shown", "by", "fresh_at", "stale", "others")
    value = stored(packet_of(clock))
    parts = {name for name in value if name in Packet.__dataclass_fields__ and Packet.__dataclass_fields__[name].default is not MISSING}
    old = {name: part for name, part in value.items() if name not in parts} | {"version": 1}
    old["facts"] = [{name: part for name, part in fact.items() if name not in new} for fact in value["facts"]]

    packet = read_packet(orjson.loads(orjson.dumps(old)))

    assert (packet.version, packet.promises, packet.careful, packet.proof) == (1, (), (), "seen")
    assert "• Account number: <b>12-34</b> – said by the customer" in render_card(standing(clock), packet, clock.now())
