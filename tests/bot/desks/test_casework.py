"""The desk's rules, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from bot.desks import texts
from bot.desks.act import Acted
from bot.messages import Outgoing, read_incoming
from bot.turn.accept import Accept
from bot.turn.packet import read_return_packet
from memory.clock import ManualClock
from memory.database import Database
from memory.exchanges import PER_TURN
from memory.handoffs import ENDED, OWNED, WAITING
from memory.outbox import get_outgoing
from memory.signals import LocalSignals
from tests.bot.desks.cases import ANN, BOB, Case, open_case, photo, put_uncertain


@pytest.fixture
async def case(database: Database, clock: ManualClock) -> Case:
    return await open_case(database, clock)


async def test_the_first_answer_claims_the_case_and_reaches_the_customer(case: Case) -> None:
    assert await case.says(ANN, "Hello <Cora>", message_id="1") is Acted.DONE

    handoff = await case.handoff()
    assert (handoff.state, handoff.owner, handoff.owner_name) == (OWNED, "desk:501", "Ann Archer")
    assert await case.told() == [Outgoing(text="<b>Ann</b>:\nHello &lt;Cora&gt;", html=True)]
    assert [outgoing.kind for outgoing in await case.shown()] == ["card"]
    [said] = await case.exchanges()
    assert (said.author, said.author_name, said.direction, said.text, said.origin) == (
        "agent",
        "Ann Archer",
        "out",
        "Hello <Cora>",
        "desk:1",
    )


async def test_only_the_first_words_carry_the_name(case: Case) -> None:
    await case.presses(ANN, f"claim:{case.id}")
    await case.says(ANN, "one")
    await case.says(ANN, "two <b>")

    assert await case.told() == [Outgoing(text="<b>Ann</b>:\none", html=True), Outgoing(text="two <b>")]


async def test_a_name_that_does_not_fit_is_left_out(case: Case) -> None:
    await case.says(ANN, "x" * 4096)

    assert await case.told() == [Outgoing(text="x" * 4096)]


async def test_words_of_somebody_else_are_not_sent(case: Case) -> None:
    await case.says(ANN, "I am here")

    assert await case.says(BOB, "me too") is Acted.DONE

    assert len(await case.told()) == 1
    assert await case.posts() == ["Not sent: Ann Archer holds this case."]
    assert [one.text for one in await case.exchanges()] == ["I am here"]


async def test_of_two_presses_at_once_one_wins_and_the_other_is_told_who(case: Case) -> None:
    await asyncio.gather(*(case.presses(agent, f"claim:{case.id}") for agent in (ANN, BOB)))

    owner = (await case.handoff()).owner_name
    assert sorted(await case.answers()) == sorted([(texts.YOU_HOLD, False), (f"{owner} holds this case.", True)])
    assert [outgoing.kind for outgoing in await case.shown()].count("card") == 2


async def test_of_two_first_answers_at_once_one_is_sent(case: Case) -> None:
    await asyncio.gather(*(case.says(agent, "hello") for agent in (ANN, BOB)))

    assert len(await case.told()) == 1
    assert await case.posts() == [f"Not sent: {(await case.handoff()).owner_name} holds this case."]


async def test_claiming_twice_is_said_so(case: Case) -> None:
    await case.presses(ANN, f"claim:{case.id}")
    await case.presses(ANN, f"claim:{case.id}")

    assert (texts.YOU_HOLD_ALREADY, True) in await case.answers()


async def test_the_claim_command(case: Case) -> None:
    await case.says(ANN, "/claim@desk_bot")
    await case.says(BOB, "/claim")

    assert await case.posts() == ["Ann Archer holds this case now.", "Ann Archer holds this case."]
    assert await case.told() == []


async def test_a_repeated_update_is_dealt_with_once(case: Case) -> None:
    hello = case.incoming(ANN, text="hello", message_id="1")
    press = case.press(ANN, f"close:{case.id}")

    assert [await case.act(hello), await case.act(hello)] == [Acted.DONE, Acted.SEEN]
    assert [await case.act(press), await case.act(press)] == [Acted.DONE, Acted.SEEN]

    assert len(await case.told()) == 2


async def test_one_update_delivered_to_two_processes_is_dealt_with_once(case: Case) -> None:
    hello = case.incoming(ANN, text="hello", message_id="1")

    assert sorted(await asyncio.gather(case.act(hello), case.act(hello))) == [Acted.DONE, Acted.SEEN]


async def test_returning_with_a_note(case: Case) -> None:
    for n in range(6):
        await case.says(ANN, f"words {n}", message_id=str(n))
    await case.edits(ANN, "5", "words five")

    assert await case.says(ANN, "/return card is unblocked\nask tomorrow") is Acted.DONE

    handoff = await case.handoff()
    assert (handoff.state, handoff.ending) == (ENDED, "returned")
    packet = read_return_packet(handoff.return_packet)
    assert packet.said == ("words 1", "words 2", "words 3", "words 4", "words five")
    assert (packet.agent, packet.note, packet.want) == ("Ann Archer", "card is unblocked\nask tomorrow", "my card was declined <twice>")
    exchanges = await case.exchanges()
    assert packet.first == case.id * PER_TURN
    assert packet.first <= exchanges[0].id
    assert exchanges[-1].id <= packet.last
    assert (exchanges[-1].author, exchanges[-1].reply) == ("assistant", "utter_handoff_returned")
    assert (await case.told())[-1] == Outgoing(text="I am taking over again from Ann.", html=True)
    shown = await case.shown()
    assert [outgoing.kind for outgoing in shown[-3:]] == ["text", "card", "close"]
    assert shown[-3].text == "🤖 <b>Assistant</b>: I am taking over again from Ann."


async def test_closing_by_button_is_answered_first(case: Case) -> None:
    await case.presses(ANN, f"claim:{case.id}")

    await case.presses(ANN, f"close:{case.id}")

    assert (await case.handoff()).ending == "closed"
    assert [(outgoing.kind, outgoing.text) for outgoing in (await case.shown())[2:]] == [
        ("answer", texts.IS_CLOSED_NOW),
        ("text", "🤖 <b>Assistant</b>: This matter has been closed by Ann."),
        ("card", ""),
        ("close", ""),
    ]


@pytest.mark.parametrize("verb", ["return", "close"])
async def test_only_the_owner_ends_a_case(case: Case, verb: str) -> None:
    await case.says(ANN, "hello")

    await case.says(BOB, f"/{verb}")
    await case.presses(BOB, f"{verb}:{case.id}")

    assert (await case.handoff()).state == OWNED
    assert await case.posts() == ["Ann Archer holds this case."]
    assert await case.answers() == [("Ann Archer holds this case.", True)]


async def test_anyone_closes_a_case_that_nobody_has_claimed(case: Case) -> None:
    await case.says(BOB, "/close wrong number")

    handoff = await case.handoff()
    assert (handoff.state, handoff.owner) == (ENDED, None)
    assert read_return_packet(handoff.return_packet).agent == "Bob Baker"


async def test_ending_twice_at_once_ends_once(case: Case) -> None:
    await asyncio.gather(case.presses(ANN, f"close:{case.id}"), case.presses(BOB, f"return:{case.id}"))

    assert len(await case.told()) == 1
    assert (texts.IS_CLOSED, True) in await case.answers()


async def test_words_after_the_end_are_not_sent(case: Case) -> None:
    await case.says(ANN, "/close")
    told = await case.told()

    await case.says(ANN, "one more thing")

    assert await case.told() == told
    assert (await case.posts())[-1] == texts.NOT_SENT_ENDED


async def test_words_in_an_old_topic_point_to_the_newer_case(case: Case) -> None:
    await case.says(ANN, "/close")
    newer = await open_case(case.database, case.clock, topic="78")

    await case.says(ANN, "one more thing")

    assert (await case.posts())[-1] == texts.NOT_SENT_NEWER
    assert (await newer.handoff()).state == WAITING


async def test_notes_among_agents_stay_there(case: Case) -> None:
    assert await case.says(BOB, "// he called yesterday") is Acted.NOTHING
    assert await case.says(BOB, "// see this", kind="photo", attachments=(photo(),)) is Acted.NOTHING

    assert (await case.handoff()).state == WAITING
    assert await case.rows() == []


async def test_a_mistyped_command_is_not_sent(case: Case) -> None:
    await case.says(ANN, "/retrun thanks")
    await case.says(ANN, "/etc/hosts is a file")

    assert await case.posts() == [texts.NOT_SENT_COMMAND.format(command="/retrun")]
    assert [outgoing.text for outgoing in await case.told()] == ["<b>Ann</b>:\n/etc/hosts is a file"]


async def test_an_edit_is_a_version_of_what_was_sent(case: Case) -> None:
    await case.says(ANN, "until Mondy", message_id="1")
    [first] = await case.exchanges()

    assert await case.edits(ANN, "1", "until Monday") is Acted.DONE

    assert (await case.told())[-1] == Outgoing(kind="edit", text="<b>Ann</b>:\nuntil Monday", html=True, about_exchange=first.id)
    version = (await case.exchanges())[-1]
    assert (version.kind, version.about_id, version.text) == ("edit", first.id, "until Monday")


async def test_an_edit_that_changes_nothing_or_was_never_sent_stays_unsent(case: Case) -> None:
    await case.says(ANN, "hello", message_id="1")
    await case.says(BOB, "me too", message_id="2")
    told = await case.told()

    await case.edits(ANN, "1", "hello")
    assert await case.edits(BOB, "2", "me three") is Acted.NOTHING

    assert await case.told() == told


async def test_an_edit_back_to_the_first_wording_is_sent(case: Case) -> None:
    await case.says(ANN, "Monday", message_id="1")
    await case.edits(ANN, "1", "Tuesday")

    await case.edits(ANN, "1", "Monday")

    assert (await case.told())[-1].text == "<b>Ann</b>:\nMonday"


async def test_an_edit_into_a_note_does_not_leak_it(case: Case) -> None:
    await case.says(ANN, "hello", message_id="1")

    await case.edits(ANN, "1", "// oops")

    assert len(await case.told()) == 1
    assert await case.posts() == [texts.NOT_CHANGED]


async def test_edits_reach_the_customer_after_the_end_too(case: Case) -> None:
    await case.says(ANN, "account 12", message_id="1")
    await case.says(ANN, "/close")

    await case.edits(ANN, "1", "account 21")

    assert (await case.told())[-1].kind == "edit"


async def test_a_photo_with_its_caption(case: Case) -> None:
    await case.says(ANN, "like <this>", message_id="1", kind="photo", attachments=(photo(),))
    await case.says(ANN, "", kind="document", attachments=(photo("d1"),))

    assert await case.told() == [
        Outgoing(kind="file", text="<b>Ann</b>:\nlike &lt;this&gt;", html=True, attachments=(photo(),)),
        Outgoing(kind="file", attachments=(photo("d1"),)),
    ]
    assert [one.attachments[0]["unique_id"] for one in await case.exchanges()] == ["p1", "d1"]


async def test_an_exchanged_photo_is_sent_anew(case: Case) -> None:
    await case.says(ANN, "wrong", message_id="1", kind="photo", attachments=(photo("p1"),))

    await case.edits(ANN, "1", "right", kind="photo", attachments=(photo("p2"),))

    assert (await case.told())[-1] == Outgoing(kind="file", text="<b>Ann</b>:\nright", html=True, attachments=(photo("p2"),))


async def test_what_cannot_be_passed_on_is_said_so_and_claims_nothing(case: Case) -> None:
    await case.says(ANN, "", kind="sticker", attachments=(photo(),))
    await case.says(ANN, "", kind="location")
    await case.says(ANN, "", kind="other")
    await case.says(ANN, "", kind="video", attachments=(photo(too_large=True),))

    assert await case.told() == []
    assert (await case.handoff()).state == WAITING
    posts = await case.posts()
    assert [text.split(". ")[0] for text in posts] == [
        "Not sent: a sticker cannot be passed on",
        "Not sent: a location cannot be passed on",
        "Not sent: this kind of message cannot be passed on",
        "Not sent: the file is larger than 20 MB, which a bot cannot fetch",
    ]


async def test_an_agent_without_a_name_does_not_speak_for_us(case: Case) -> None:
    await case.says(ANN, "hello", data={"anonymous": True})

    assert await case.told() == []
    assert await case.posts() == [texts.NOT_SENT_ANONYMOUS]


async def test_what_is_not_in_a_case_is_left_alone(case: Case) -> None:
    assert await case.says(ANN, "lunch?", place=None) is Acted.NOTHING
    assert await case.says(ANN, "lunch?", place="12345") is Acted.NOTHING

    assert await case.rows() == []


@pytest.mark.parametrize("payload", ["claim:999", "claim:", "close:x", "again:999", "arrived:", "nonsense", ""])
async def test_a_press_on_nothing_is_answered_once(case: Case, payload: str) -> None:
    press = case.press(ANN, payload)

    assert [await case.act(press), await case.act(press)] == [Acted.NOTHING, Acted.NOTHING]

    assert await case.answers() == [(texts.UNKNOWN_BUTTON, False)]


async def test_of_two_who_settle_one_does_and_the_other_is_told(case: Case) -> None:
    words = Outgoing(text="your card is on its way")
    id_ = await put_uncertain(case, words)

    await asyncio.gather(case.presses(ANN, f"again:{id_}"), case.presses(BOB, f"arrived:{id_}"))

    settled = await case.database.read(lambda tx: get_outgoing(tx, id_))
    assert settled is not None
    assert (texts.ALREADY_SETTLED, False) in await case.answers()
    again = [row for row in await case.rows() if row.key == f"{settled.key}.again"]
    assert len(again) == (1 if settled.resolved == "again" else 0)
    [notice] = [outgoing for outgoing in await case.shown() if outgoing.kind == "edit"]
    assert notice.about == "900"
    assert "your card is on its way" in notice.text


async def test_sending_again_repeats_the_same_words_whoever_owns_them(case: Case) -> None:
    words = Outgoing(text="<b>Card</b>", html=True)
    id_ = await put_uncertain(case, words)

    await case.presses(ANN, f"again:{id_}")

    row = (await case.rows())[1]
    assert (row.key.endswith(".again"), row.address, row.ownership, row.state) == (True, "42", None, "waiting")
    assert await case.told() == [words, words]


async def test_a_claim_drops_what_the_assistant_was_about_to_say(case: Case) -> None:
    before = await _ownership(case)

    await case.says(ANN, "hello")
    assert await _ownership(case) == before + 1

    await case.says(ANN, "/return")
    assert await _ownership(case) == before + 2


async def test_customers_and_agents_write_at_once_without_a_deadlock(case: Case) -> None:
    accept = Accept(case.database, case.clock, LocalSignals(), album_wait_s=1)
    hello = {"channel": "telegram", "sender": case.address, "text": "hello", "at": case.clock.now()}

    await asyncio.gather(
        *(accept([read_incoming({**hello, "update_id": f"c{n}"})]) for n in range(20)),
        *(case.says(ANN, f"words {n}") for n in range(20)),
    )

    assert len(await case.told()) == 20


async def _ownership(case: Case) -> int:
    from memory.customers import ownership_of

    return (await case.database.read(lambda tx: ownership_of(tx, [case.customer_id])))[case.customer_id]
