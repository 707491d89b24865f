"""How long things are kept: what is old is masked or removed step by step, what is not stays, and nothing is passed over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from memory.attachments import blob_table, keep_blob, note_unkept, uses_of
from memory.context import recall
from memory.customers import Known, Profile, find_or_make
from memory.database import Database, Record, Row, Tx, table
from memory.declared import RETAINED, Retention
from memory.exchanges import DIGEST, FILES, PER_TURN, exchange_row, exchanges_after, is_masked, log
from memory.facts import fact_history, retract
from memory.handoffs import claim_handoff, end_handoff, get_handoff, open_handoff
from memory.inbox import finish, inbox_row, inbox_table, keep, put_in_quarantine, quarantined
from memory.known import gather, refresh_known
from memory.lanes import claim_lanes, leave_lanes, mark_lanes, next_ready
from memory.merges import merge
from memory.outbox import SENT, UNCERTAIN, get_outgoing, mark_done, outbox_row, outbox_table, put_out, resolve
from memory.retention import (
    KEPT_NO_LONGER,
    MOST_SUMMARIES,
    REINDEX_AT_LEAST,
    REMAKE,
    Place,
    RetentionMark,
    due,
    gone_to,
    step,
    without_words,
)
from memory.summaries import keep_summaries
from memory.turns import keep_turns, turn_table
from tests.memory.people import START, meet, pause, tell

NOW = START + timedelta(days=100)


def rule(what: str, do: Any, days: float = 30) -> Retention:
    assert do in RETAINED[what]
    return Retention(what, days, do)


def days(n: float) -> datetime:
    return START + timedelta(days=n)


async def run(database: Database, one: Retention, *, now: datetime = NOW, limit: int = 200) -> list[int]:
    """Step until nothing is left; how many rows each step dealt with."""
    steps = []
    while found := await database.write(lambda tx: step(tx, one, now, limit)):
        steps.append(found)
        assert len(steps) < 100, "it does not come to an end"
    return steps


async def would(database: Database, one: Retention, *, now: datetime = NOW, limit: int = 3) -> int:
    places: dict[str, Place] = {}
    count = 0
    while found := await database.read(lambda tx: due(tx, one, now, places, limit)):
        count += found
        assert count < 1000, "it does not come to an end"
    return count


def said(who: Known, turn_id: int, text: str = "my secret", *, at: datetime, n: int = 0, **more: Any) -> Row:
    row: Row = {"direction": "in", "author": "customer", "author_name": "Cora", "kind": "text", "text": text, "at": at, **more}
    id_ = turn_id * PER_TURN + n
    return exchange_row(id=id_, customer_id=who.customer_id, identity_id=who.identity_id, turn_id=turn_id, **row)


async def count(database: Database, of: sa.Table) -> int:
    return int(await database.read(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(of)).scalar_one()))


async def history(database: Database, who: Known) -> list[Record]:
    return await database.read(lambda tx: exchanges_after(tx, who.customer_id))


# -- text -------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def talked(database: Database, cora: Known) -> Known:
    """One exchange a day for a hundred days; photos on every tenth."""
    photo = {"source": "telegram", "kind": "photo", "file_id": "f", "unique_id": "u", "name": "my passport.jpg"}
    rows = [said(cora, n, f"secret {n}", at=days(n), attachments=[photo] if n % 10 == 0 else None) for n in range(1, 101)]
    await database.write(lambda tx: log(tx, rows))
    await database.write(lambda tx: tx.execute(sa.text("DELETE FROM lane WHERE kind = 'files'")))
    return cora


async def test_old_words_are_masked_and_the_rest_stays(database: Database, talked: Known) -> None:
    one = rule("text", "mask")
    assert await would(database, one) == 70
    assert await run(database, one, limit=20) == [20, 20, 20, 10]

    rows = await history(database, talked)
    assert len(rows) == 100
    assert [row.id // PER_TURN for row in rows if is_masked(row)] == list(range(1, 71))
    old, new = rows[9], rows[79]
    assert (old.text, old.attachments, old.author_name, old.data) == ("", None, None, {"masked": NOW.isoformat()})
    assert (old.at, old.author, old.kind) == (days(10), "customer", "text")
    assert (new.text, new.author_name) == ("secret 80", "Cora")
    assert new.attachments[0]["name"] == "my passport.jpg"
    assert await would(database, one) == 0


async def test_it_goes_on_from_where_it_stands(database: Database, talked: Known) -> None:
    await run(database, rule("text", "mask", 90))
    assert await run(database, rule("text", "mask", 90)) == []
    assert await run(database, rule("text", "mask", 60)) == [30]
    assert await run(database, rule("text", "mask", 60), now=NOW + timedelta(days=1)) == [1]


async def test_removing_comes_after_masking(database: Database, talked: Known) -> None:
    await database.write(lambda tx: keep_blob(tx, 10 * PER_TURN, 0, talked.customer_id, b"passport", START))
    await run(database, rule("text", "mask", 30))
    assert sum(await run(database, rule("text", "remove", 60))) == 40

    rows = await history(database, talked)
    assert [row.id // PER_TURN for row in rows] == list(range(41, 101))
    assert await count(database, blob_table) == 0
    assert await database.read(gone_to) == {"exchange": 40 * PER_TURN, "turn": 0}


async def test_an_agents_name_stays_with_masked_words(database: Database, cora: Known) -> None:
    await database.write(lambda tx: log(tx, [said(cora, 1, "call me", at=START, author="agent", author_name="Bea", direction="out")]))
    await run(database, rule("text", "mask"))

    row = (await history(database, cora))[0]
    assert (row.text, row.author_name) == ("", "Bea")


def summary(who: Known, first: int, last: int, at: datetime) -> Row:
    return {
        "customer_id": who.customer_id,
        "identity_id": who.identity_id,
        "first_id": first * PER_TURN,
        "last_id": last * PER_TURN,
        "began_at": at,
        "ended_at": at,
        "wanted": "my secret",
        "done": "an answer",
        "ending": "solved",
        "promised": "a call",
        "links": {"wanted": [first * PER_TURN]},
    }


async def test_summaries_go_with_the_last_words_that_they_speak_of(database: Database, talked: Known) -> None:
    rows = [summary(talked, n, n + 4, days(n + 4)) for n in range(1, 96, 5)]

    def digest(tx: Tx) -> None:
        keep_summaries(tx, rows)
        refresh_known(tx, [talked.customer_id])

    await database.write(digest)
    steps = await run(database, rule("text", "mask", 8))
    assert max(steps) <= 5 * MOST_SUMMARIES
    assert sum(steps) == 92

    context = (await database.read(lambda tx: recall(tx, [talked.identity_id])))[talked.identity_id]
    assert [(one.wanted, one.done, one.promised, one.ending) for one in context.summaries] == [
        ("my secret", "an answer", "a call", "solved"),
        *[("", "", "", "solved")] * 4,
    ]
    assert [one.links for one in context.summaries][1:] == [{}] * 4
    assert context.known == await database.read(lambda tx: gather(tx, [talked.customer_id]))


async def test_the_summaries_of_a_part_of_a_person_are_recalled_masked(database: Database, talked: Known) -> None:
    """What recall gives is gathered with the one whom they were merged into."""
    root = await meet(database, "first")

    def digest(tx: Tx) -> None:
        keep_summaries(tx, [summary(talked, 1, 5, days(5))])
        merge(tx, root.customer_id, talked.customer_id, evidence={}, by="Bea", at=days(6))

    await database.write(digest)
    await run(database, rule("text", "mask"))

    context = (await database.read(lambda tx: recall(tx, [root.identity_id])))[root.identity_id]
    assert set(context.person) == {root.customer_id, talked.customer_id}
    assert [(one.wanted, one.ending) for one in context.summaries] == [("", "solved")]


async def test_packets_of_handoffs_that_are_over_lose_their_words(database: Database, cora: Known) -> None:
    packet = {"version": 2, "customer_id": 1, "name": "Cora", "reason": "asked", "want": "my secret", "lines": [{"text": "secret"}]}

    def happen(tx: Tx) -> None:
        for n, (opened, ended) in enumerate([(1, 80), (2, 20), (3, None)], start=1):
            who = cora if n == 1 else find_or_make(tx, "telegram", [Profile(str(n))], at=START)[str(n)]
            open_handoff(tx, n, who.customer_id, who.identity_id, reason="asked", packet=packet, at=days(opened))
            row = get_handoff(tx, n)
            assert row is not None
            claim_handoff(tx, row, owner="desk:1", name="Bea", at=days(opened))
            if ended is not None:
                back = {"version": 2, "agent": "Bea", "said": ["secret"], "note": "secret"}
                end_handoff(tx, row, ending="returned", return_packet=back, at=days(ended))

    await database.write(happen)
    one = rule("text", "remove")
    assert await would(database, one) == 1
    assert await run(database, one) == [1]

    rows = [await database.read(lambda tx, n=n: get_handoff(tx, n)) for n in (1, 2, 3)]  # type: ignore[misc]
    assert [row is not None and row.packet["want"] for row in rows] == ["my secret", "", "my secret"]
    masked = rows[1]
    assert masked is not None
    assert masked.packet == {
        "version": 2,
        "customer_id": 1,
        "name": "",
        "reason": "asked",
        "want": "",
        "lines": [],
        "masked": NOW.isoformat(),
    }
    assert masked.return_packet == {"version": 2, "agent": "Bea", "said": [], "note": "", "masked": NOW.isoformat()}
    assert await run(database, one, now=NOW + timedelta(days=15)) == [1]


def test_a_packet_without_words_can_still_be_read() -> None:
    from bot.turn.packet import VERSION, ReturnPacket, read_packet, read_return_packet, stored

    words = "secret"
    packet: Row = {
        "version": VERSION,
        "customer_id": 7,
        "name": words,
        "username": words,
        "channel": "telegram",
        "language": "en",
        "reason": "asked",
        "want": words,
        "facts": [{"name": "address", "value": words, "source": "customer", "exchange_id": 1, "since": START}],
        "tried": [words],
        "lines": [{"author": "customer", "author_name": words, "kind": "text", "text": words, "at": START}],
        "customer_since": START.isoformat(),
        "earlier": words,
    }
    read = read_packet(without_words(packet))
    assert (read.customer_id, read.reason, read.want, read.lines) == (7, "asked", "", ())
    back = ReturnPacket(version=VERSION, agent="Bea", first=1, last=2, said=(words,), note=words, want=words)
    assert words not in str(without_words(stored(back)))
    assert read_return_packet(without_words(stored(back))).agent == "Bea"


async def test_the_search_index_is_made_anew_by_and_by(database: Database, talked: Known) -> None:
    from memory.search.find import find
    from memory.search.index import index_exchanges, states, waiting

    def index(tx: Tx) -> None:
        index_exchanges(tx, talked.customer_id, waiting(tx, talked.customer_id, settled=NOW))

    def documents(tx: Tx) -> int:
        found = states(tx, [talked.customer_id])
        return found[talked.customer_id].documents if found else 0

    await database.write(index)
    one = rule("text", "mask", 5)
    assert sum(await run(database, one)) == 95
    assert await database.read(documents) == 100
    assert await database.read(lambda tx: next_ready(tx, REMAKE)) == NOW + REINDEX_AT_LEAST

    before = NOW + REINDEX_AT_LEAST / 2
    digesting = await database.write(lambda tx: claim_lanes(tx, DIGEST, worker="x", now=before, until=before, limit=9))
    assert await run(database, one, now=before) == []
    assert await run(database, one, now=NOW + REINDEX_AT_LEAST) == [1, 1]  # an exchange has become old enough, then the index
    assert await database.read(documents) == 0
    assert await database.read(lambda tx: next_ready(tx, REMAKE)) is None
    again = await database.write(
        lambda tx: claim_lanes(tx, DIGEST, worker="y", now=NOW + REINDEX_AT_LEAST, until=NOW + timedelta(days=3), limit=9)
    )
    assert again[0].lease > digesting[0].lease  # who was at it has lost it
    await database.write(index)
    assert await database.read(documents) == 4
    moments = await database.read(lambda tx: find(tx, [talked.customer_id], "secret"))
    assert {moment.exchange_id // PER_TURN for moment in moments} <= {97, 98, 99, 100}


async def test_what_waits_for_its_turn_or_its_files_is_not_passed_over(database: Database, talked: Known) -> None:
    waits = inbox_row(
        channel="telegram",
        update_id="9",
        customer_id=talked.customer_id,
        identity_id=talked.identity_id,
        incoming={},
        received_at=days(1),
    )
    await database.write(lambda tx: tx.execute(sa.insert(inbox_table), [{**waits, "id": 40}]))
    await database.write(lambda tx: mark_lanes(tx, FILES, ["30"], ready_at=START))

    assert sum(await run(database, rule("text", "mask"))) == 29
    await database.write(lambda tx: leave_lanes(tx, FILES, {"30": None}))
    assert sum(await run(database, rule("text", "mask"))) == 10
    await database.write(lambda tx: finish(tx, {40: 40}))
    assert sum(await run(database, rule("text", "mask"))) == 31


# -- files ------------------------------------------------------------------------------------------------------------


async def test_old_files_go_and_leave_a_note(database: Database, cora: Known) -> None:
    def fill(tx: Tx) -> None:
        for n in range(1, 11):
            keep_blob(tx, n * PER_TURN, 0, cora.customer_id, b"%d" % n, days(n * 10))
        keep_blob(tx, 2 * PER_TURN, 1, cora.customer_id, b"10", days(20))
        note_unkept(tx, 3 * PER_TURN, 1, cora.customer_id, "too large", days(30))

    await database.write(fill)
    one = rule("files", "remove")
    assert await would(database, one) == 9
    assert await run(database, one, limit=3) == [3, 3, 3]

    uses = await database.read(lambda tx: uses_of(tx, [n * PER_TURN for n in range(1, 11)]))
    assert [use.why for use in uses] == [KEPT_NO_LONGER] * 4 + ["too large"] + [KEPT_NO_LONGER] * 4 + [None] * 3
    assert await count(database, blob_table) == 3  # the tenth exchange carries what the second had


# -- facts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("do", "left"), [("mask", [None, "b", "c", None, "e"]), ("remove", ["b", "c", "e"])])
async def test_facts_that_hold_no_longer(database: Database, cora: Known, do: str, left: list[str | None]) -> None:
    def live(tx: Tx) -> None:
        tell(tx, cora.customer_id, "address", "a", at=days(1))
        tell(tx, cora.customer_id, "address", "b", at=days(50))
        tell(tx, cora.customer_id, "address", "c", at=days(90))
        tell(tx, cora.customer_id, "phone", "d", at=days(2), confidence=0.5)
        tell(tx, cora.customer_id, "email", "e", at=days(3))
        retract(tx, fact_history(tx, [cora.customer_id])[3].id, at=days(60))

    await database.write(live)
    was = await database.read(lambda tx: gather(tx, [cora.customer_id]))
    one = rule("facts", do)
    assert await would(database, one) == 2
    assert sum(await run(database, one, limit=1)) == 2

    rows = await database.read(lambda tx: fact_history(tx, [cora.customer_id]))
    assert [row.value for row in rows] == left
    assert await database.read(lambda tx: gather(tx, [cora.customer_id])) == was
    assert sum(await run(database, one, now=NOW + timedelta(days=30))) == 1


async def test_many_facts_of_one_moment(database: Database, cora: Known) -> None:
    def live(tx: Tx) -> None:
        for n in range(25):
            tell(tx, cora.customer_id, f"fact {n}", "a", at=days(1))
            tell(tx, cora.customer_id, f"fact {n}", "b", at=days(2))

    await database.write(live)
    assert await would(database, rule("facts", "mask")) == 25
    assert await run(database, rule("facts", "mask"), limit=10) == [10, 10, 5]
    assert await run(database, rule("facts", "remove"), limit=10) == []  # they were masked, and a removal looks for values


# -- turns, outbox, quarantine ------------------------------------------------------------------------------------------


async def test_turns_go_with_the_updates_that_they_dealt_with(database: Database, cora: Known) -> None:
    def fill(tx: Tx) -> None:
        for n in range(1, 11):
            at = days(n * 10)
            row = inbox_row(
                channel="telegram",
                update_id=str(n),
                customer_id=cora.customer_id,
                identity_id=cora.identity_id,
                incoming={},
                received_at=at,
            )
            keep(tx, [row])
            turn: Row = {"id": n, "customer_id": cora.customer_id, "lane": "turn", "decision": "x", "trace": {}, "started_at": at}
            keep_turns(tx, [{**turn, "finished_at": at}] if n != 8 else [])
            finish(tx, {n: n} if n != 8 else {})

    await database.write(fill)
    assert await would(database, rule("turns", "remove", 50)) == 5
    assert await run(database, rule("turns", "remove", 50), limit=2) == [2, 2, 1]
    assert (await count(database, turn_table), await count(database, inbox_table)) == (4, 5)
    assert await database.read(gone_to) == {"exchange": 0, "turn": 5}
    assert sum(await run(database, rule("turns", "remove", 1), now=days(300))) == 2  # the eighth still waits
    assert await run(database, rule("turns", "remove", 1), now=days(300)) == []


async def test_an_update_is_known_for_as_long_as_it_may_come_again(database: Database, cora: Known) -> None:
    turn: Row = {"id": 1, "customer_id": cora.customer_id, "lane": "turn", "decision": "x", "trace": {}, "started_at": START}
    await database.write(lambda tx: keep_turns(tx, [{**turn, "finished_at": START}]))

    assert await run(database, rule("turns", "remove", 1), now=days(1.5)) == []
    assert await run(database, rule("turns", "remove", 1), now=days(2)) == [1]


@pytest.mark.parametrize("do", ["mask", "remove"])
async def test_what_went_out_long_ago(database: Database, cora: Known, do: str) -> None:
    def fill(tx: Tx) -> None:
        outgoing = {"kind": "text", "text": "my secret", "html": True}
        rows = [outbox_row(key=str(n), lane="telegram", address="42", outgoing=outgoing, at=START, exchange_id=n) for n in range(1, 7)]
        put_out(tx, rows)
        mark_done(tx, [(1, SENT, "71", None), (2, SENT, "72", None)], at=days(1))
        mark_done(tx, [(3, UNCERTAIN, None, "timed out")], at=days(2))
        mark_done(tx, [(4, SENT, "74", None)], at=days(69))
        mark_done(tx, [(5, SENT, "75", None)], at=days(71))

    await database.write(fill)
    one = rule("outbox", do)
    assert await would(database, one) == 4
    assert await run(database, one, limit=2) == [2, 2]

    rows = [await database.read(lambda tx, n=n: get_outgoing(tx, n)) for n in range(1, 7)]  # type: ignore[misc]
    kept = [row is not None and row.outgoing.get("text") for row in rows]
    gone = False if do == "remove" else None
    assert kept == [gone, gone, gone, gone, "my secret", "my secret"]
    if do == "mask":
        assert rows[0] is not None
        assert rows[2] is not None
        assert (rows[0].outgoing, rows[0].state, rows[0].message_id) == ({"kind": "text"}, "sent", "71")
        assert rows[2].resolved == KEPT_NO_LONGER
        assert not await database.write(lambda tx: resolve(tx, 3, "again"))
    await database.write(lambda tx: mark_done(tx, [(6, SENT, "76", None)], at=NOW))
    assert await run(database, one, now=NOW + timedelta(days=31)) == [2]
    assert (await count(database, outbox_table)) == (6 if do == "mask" else 0)


async def test_the_quarantine_empties(database: Database) -> None:
    rows = [{"channel": "telegram", "update_id": str(n), "raw": "{}", "why": "x", "at": days(n)} for n in range(1, 11)]
    await database.write(lambda tx: put_in_quarantine(tx, rows))

    one = rule("quarantine", "remove", 95)
    assert await would(database, one) == 5
    assert await run(database, one, limit=2) == [2, 2, 1]
    assert [row.update_id for row in await database.read(quarantined)] == ["10", "9", "8", "7", "6"]


# -- steps ------------------------------------------------------------------------------------------------------------


async def test_a_step_that_is_rolled_back_is_done_again(database: Database, talked: Known) -> None:
    def die(tx: Tx) -> None:
        step(tx, rule("text", "mask"), NOW, 20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await database.write(die)
    assert not any(is_masked(row) for row in await history(database, talked))
    assert sum(await run(database, rule("text", "mask"))) == 70


async def test_nothing_to_do_costs_no_row(database: Database, cora: Known) -> None:
    for what, ways in RETAINED.items():
        for do in ways:
            assert await run(database, rule(what, do)) == []
            assert await would(database, rule(what, do)) == 0
    assert await count(database, table(RetentionMark)) == 0


async def test_two_processes_do_not_wait_for_each_other(two: tuple[Database, Database]) -> None:
    first, second = two
    cora = await meet(first, "42")
    await first.write(lambda tx: log(tx, [said(cora, n, at=days(n)) for n in range(1, 61)]))
    one = rule("text", "mask")
    await first.write(lambda tx: step(tx, one, NOW, 10))
    stepped, go_on = asyncio.Event(), asyncio.Event()

    def slowly(tx: Tx) -> int:
        found = step(tx, one, NOW, 10)
        stepped.set()
        pause(go_on.wait())
        return found

    slow = asyncio.create_task(first.write(slowly))
    await stepped.wait()
    assert await second.write(lambda tx: step(tx, one, NOW, 10)) == 0
    go_on.set()
    assert await slow == 10
    assert await second.write(lambda tx: step(tx, one, NOW, 100)) == 40
