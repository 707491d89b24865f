"""What goes with a handoff: all that is known that may be used, with what the turn itself has learned."""

from __future__ import annotations

from typing import Any

import orjson

from bot.turn.deeds import Deed, MoveJourney, NoteExperience, Remember
from bot.turn.packet import VERSION, Packet, PacketRelated, build_packet, read_packet, renew_packet, stored
from memory.context import Context
from tests.bot.turn.gathered import DECLARED, NOW, ago, consent, context, fact, journey, moment, promise

SMITH, JONES = "+442079460018", "+442079460099"


def built(known: Context, *deeds: Deed) -> Packet:
    packet = build_packet(known, DECLARED, reason="asked", want="", tried=(), now_lines=(), now=NOW, deeds=deeds, told_in=512)
    assert read_packet(orjson.loads(orjson.dumps(stored(packet)))) == packet
    return packet


def facts(packet: Packet) -> dict[str, Any]:
    return {one.name: one.shown for one in packet.facts}


def test_what_is_told_with_the_request_is_in_the_packet() -> None:
    known = context(facts=[fact("phone", JONES)], journeys=[journey("lost")], experiences=[moment("waited", minutes=26)])

    packet = built(
        known,
        Remember("phone", SMITH),
        Remember("name", "Ann Lee"),
        Remember("email", "a@b.example", 0.7),
        MoveJourney("card", "with us", "handoff opened"),
        NoteExperience(False, "rating", 1.0, {}),
    )

    assert packet.version == VERSION
    assert facts(packet) == {"phone": SMITH, "name": "Ann Lee"}
    assert (packet.name, packet.facts[0].exchange_id) == ("Ann Lee", 512)
    assert [(one.name, one.shown) for one in packet.likely] == [("email", "a@b.example")]
    assert [(one.title, one.stage, one.open) for one in packet.journeys] == [("Card", "With a person", False)]
    assert [one.words for one in packet.careful] == ["said it did not work", "waited 26 min"]


def test_what_the_consent_no_longer_covers_is_left_out() -> None:
    rows = [fact("interests", ["loans"], purpose="offers"), fact("phone", SMITH, id=2)]

    assert facts(built(context(facts=rows, consents=[consent("offers", True)]))) == {"interests": "loans", "phone": SMITH}
    withdrawn = built(context(facts=rows, consents=[consent("offers", False)]))
    assert facts(withdrawn) == {"phone": SMITH}
    assert [(one.title, one.granted) for one in withdrawn.consents] == [("Offers", False)]


def test_sensitive_values_are_masked_and_old_ones_marked() -> None:
    packet = built(context(facts=[fact("account_number", "12345678"), fact("phone", SMITH, id=2, fresh_at=ago(days=800))]))

    account, phone = packet.facts
    assert (account.shown, account.value) == ("…78", "…78")
    assert "12345678" not in orjson.dumps(stored(packet)).decode()
    assert (account.stale, phone.stale) == (False, True)


def test_contradictions_stand_beside_what_is_gone_by() -> None:
    rows = [fact("phone", SMITH), fact("phone", JONES, id=2, standing="contested", source="system", since=ago(days=1))]

    (phone,) = built(context(facts=rows)).facts
    assert (phone.shown, [one.shown for one in phone.others]) == (SMITH, [JONES])


def test_a_renewed_packet_keeps_what_was_wanted() -> None:
    packet = built(context(facts=[fact("phone", JONES)]))
    later = renew_packet(packet, context(facts=[fact("phone", SMITH)], promises=[promise(3, due=ago(days=-1))]), DECLARED, NOW)

    assert (later.want, later.reason, facts(later)) == (packet.want, "asked", {"phone": SMITH})
    assert [(one.id, one.state) for one in later.promises] == [(3, "open")]


def test_what_the_past_has_is_kept_when_the_rest_is_renewed() -> None:
    moment = PacketRelated("05 Jan 2026 customer: the card again", "words: card", 256, NOW)
    packet = build_packet(context(), DECLARED, reason="asked", want="my card", tried=(), now_lines=(), now=NOW, related=[moment])

    assert read_packet(orjson.loads(orjson.dumps(stored(packet)))).related == (moment,)
    assert renew_packet(packet, context(), DECLARED, NOW).related == (moment,)


def test_packets_of_older_versions_are_read() -> None:
    older = {name: value for name, value in stored(built(context())).items() if name != "related"} | {"version": 2}

    assert read_packet(orjson.loads(orjson.dumps(older))).related == ()


def test_a_stage_that_is_declared_no_more_is_called_by_its_name() -> None:
    packet = built(context(journeys=[journey("gone"), journey("paid", "boat")]))

    assert [(one.title, one.stage, one.next) for one in packet.journeys] == [("Card", "gone", None), ("boat", "paid", None)]
