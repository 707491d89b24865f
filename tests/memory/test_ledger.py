"""Exchanges, facts, turns and people: what is kept, and that it is kept once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from memory.customers import Customer, Identity, Known, Profile, find_or_make, get_identity, ownership_of, pass_on, set_reachable
from memory.database import Database, Row, Tx, table
from memory.exchanges import PER_TURN, edits_of, exchange_id, exchange_row, exchanges_after, find_origin, last_said, log
from memory.facts import Fact, fact_history
from memory.turns import keep_turns
from tests.memory.people import START, after, meet, pause, someone_blocked, tell


def said(who: Known, id_: int, text: str = "Hello", **more: Any) -> Row:
    row: Row = {"direction": "in", "author": "customer", "kind": "text", "at": START, "text": text, **more}
    return exchange_row(id=id_, customer_id=who.customer_id, identity_id=who.identity_id, turn_id=id_ // PER_TURN, **row)


async def logged(database: Database, *rows: Row) -> None:
    await database.write(lambda tx: log(tx, list(rows)))


async def texts(database: Database, who: Known, after_id: int = 0) -> list[str]:
    return [row.text for row in await database.read(lambda tx: exchanges_after(tx, who.customer_id, after_id))]


async def count(database: Database, of: sa.Table) -> int:
    return int(await database.read(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(of)).scalar_one()))


# -- exchanges --------------------------------------------------------------------------------------------------------


async def test_a_repeated_turn_cannot_be_logged_again(database: Database, cora: Known) -> None:
    await logged(database, said(cora, 256), said(cora, 257, "Hi"))

    with pytest.raises(sa.exc.IntegrityError):
        await logged(database, said(cora, 512, "new"), said(cora, 257, "changed"))

    assert await texts(database, cora) == ["Hello", "Hi"]


def test_a_turn_has_room_for_so_many_exchanges_and_no_more() -> None:
    assert exchange_id(3, PER_TURN - 1) + 1 == exchange_id(4, 0)
    with pytest.raises(ValueError, match=str(PER_TURN)):
        exchange_id(3, PER_TURN)


async def test_exchanges_come_in_order_from_where_one_was(database: Database, cora: Known) -> None:
    dora = await meet(database, "43")
    await logged(database, said(cora, 512, "two"), said(cora, 256, "one"), said(dora, 300, "hers"))

    assert await texts(database, cora) == ["one", "two"]
    assert await texts(database, cora, 256) == ["two"]


async def test_words_are_found_by_where_they_came_from(database: Database, cora: Known) -> None:
    dora = await meet(database, "43")
    await logged(database, said(cora, 256, origin="telegram:7"), said(cora, 512, kind="edit", origin="telegram:7", about_id=256))

    found = await database.read(lambda tx: find_origin(tx, cora.identity_id, "telegram:7"))
    assert found is not None
    assert found.id == 256
    assert await database.read(lambda tx: find_origin(tx, cora.identity_id, "telegram:8")) is None
    assert await database.read(lambda tx: find_origin(tx, dora.identity_id, "telegram:7")) is None


async def test_the_last_words_of_one_author_are_as_first_written(database: Database, cora: Known) -> None:
    await logged(
        database,
        *(said(cora, 256 * n, f"c{n}") for n in range(1, 5)),
        said(cora, 1025, "bot", author="assistant"),
        said(cora, 1280, "c4 edited", kind="edit", about_id=1024),
    )

    rows = await database.read(lambda tx: last_said(tx, cora.customer_id, "customer", since_id=512, limit=2))
    edits = await database.read(lambda tx: edits_of(tx, cora.customer_id, [row.id for row in rows]))
    assert [row.text for row in rows] == ["c3", "c4"]
    assert [(row.about_id, row.text) for row in edits] == [(1024, "c4 edited")]
    assert await database.read(lambda tx: edits_of(tx, cora.customer_id, [])) == []


async def test_what_an_exchange_holds_comes_back(database: Database, cora: Known) -> None:
    await logged(database, said(cora, 256, "😀 & <b>", attachments=[{"kind": "photo"}], data={"n": 1.5, "t": "ü"}), said(cora, 257))

    first, second = await database.read(lambda tx: exchanges_after(tx, cora.customer_id))
    assert (first.text, first.attachments, first.data, first.at) == ("😀 & <b>", [{"kind": "photo"}], {"n": 1.5, "t": "ü"}, START)
    assert (second.attachments, second.data) == (None, None)


async def test_a_turn_is_kept_once(database: Database, cora: Known) -> None:
    row: Row = {"id": 1, "customer_id": cora.customer_id, "lane": "turn", "decision": "greet", "trace": {}, "started_at": START}
    await database.write(lambda tx: keep_turns(tx, [{**row, "finished_at": START}]))

    with pytest.raises(sa.exc.IntegrityError):
        await database.write(lambda tx: keep_turns(tx, [{**row, "finished_at": after(9)}]))
    await database.write(lambda tx: keep_turns(tx, []))


# -- facts ------------------------------------------------------------------------------------------------------------


async def told(database: Database, who: Known, value: Any, *, at: float, name: str = "phone") -> None:
    await database.write(lambda tx: tell(tx, who.customer_id, name, value, at=after(at), exchange_id=256))


async def test_a_new_value_ends_the_old_one(database: Database, cora: Known) -> None:
    await told(database, cora, "1", at=0)
    await told(database, cora, "2", at=10)
    await told(database, cora, "Cora", at=20, name="name")

    rows = await database.read(lambda tx: fact_history(tx, [cora.customer_id]))
    assert [(row.name, row.value, row.since, row.until) for row in rows] == [
        ("phone", "1", after(0), after(10)),
        ("phone", "2", after(10), None),
        ("name", "Cora", after(20), None),
    ]


async def test_one_value_is_current_whoever_writes_it(database: Database, cora: Known) -> None:
    await told(database, cora, "1", at=0)
    second: Row = {
        "customer_id": cora.customer_id,
        "name": "phone",
        "value": "2",
        "standing": "current",
        "source": "agent",
        "confidence": 1.0,
    }
    second |= {"purpose": "service", "since": START, "learned_at": START, "fresh_at": START}

    with pytest.raises(sa.exc.IntegrityError):
        await database.write(lambda tx: tx.execute(sa.insert(table(Fact)), second))


# -- people -----------------------------------------------------------------------------------------------------------


async def test_somebody_known_is_the_same_again(database: Database, cora: Known) -> None:
    assert await meet(database, "42", name="Cora") == cora
    assert await count(database, table(Customer)) == 1


async def test_a_new_name_is_taken_over_and_no_name_takes_none_away(database: Database, cora: Known) -> None:
    await meet(database, "42", name="Cora Lee", username="cora", language="de")
    await meet(database, "42")

    row = await database.read(lambda tx: get_identity(tx, cora.identity_id))
    assert row is not None
    assert (row.name, row.username, row.language) == ("Cora Lee", "cora", "de")


async def test_the_same_address_on_another_channel_is_somebody_else(database: Database, cora: Known) -> None:
    other = await database.write(lambda tx: find_or_make(tx, "desk", [Profile("42")], at=START))

    assert other["42"].customer_id != cora.customer_id


async def test_several_people_are_met_at_once(database: Database, cora: Known) -> None:
    people = await database.write(lambda tx: find_or_make(tx, "telegram", [Profile(a) for a in ("44", "42", "43", "44")], at=START))

    assert people["42"] == cora
    assert await count(database, table(Identity)) == await count(database, table(Customer)) == 3


async def test_two_processes_that_meet_a_person_at_once_make_one_customer(two: tuple[Database, Database]) -> None:
    first, second = two
    made, go_on = asyncio.Event(), asyncio.Event()

    def slowly(tx: Tx) -> Known:
        known = find_or_make(tx, "telegram", [Profile("42")], at=START)["42"]
        made.set()
        pause(go_on.wait())
        return known

    one = asyncio.create_task(first.write(slowly))
    await made.wait()
    other = asyncio.create_task(meet(second, "42"))
    await someone_blocked(first)
    go_on.set()

    assert await one == await other
    assert await count(first, table(Customer)) == await count(first, table(Identity)) == 1


async def test_many_meetings_at_once_leave_no_orphan(two: tuple[Database, Database]) -> None:
    known = await asyncio.gather(*(meet(two[n % 2], str(n % 3)) for n in range(18)))

    assert len(set(known)) == 3
    assert await count(two[0], table(Customer)) == await count(two[0], table(Identity)) == 3


async def test_whoever_refuses_messages_is_unreachable_until_they_do_not(database: Database, cora: Known) -> None:
    await database.write(lambda tx: set_reachable(tx, cora.identity_id, since=after(3), why="blocked"))
    row = await database.read(lambda tx: get_identity(tx, cora.identity_id))
    assert row is not None
    assert (row.unreachable_since, row.unreachable_why) == (after(3), "blocked")

    await database.write(lambda tx: set_reachable(tx, cora.identity_id, since=None, why=None))
    row = await database.read(lambda tx: get_identity(tx, cora.identity_id))
    assert row is not None
    assert row.unreachable_since is None


async def test_ownership_counts_up(database: Database, cora: Known) -> None:
    dora = await meet(database, "43")

    assert await database.write(lambda tx: (pass_on(tx, cora.customer_id), pass_on(tx, cora.customer_id))) == (1, 2)
    both = [dora.customer_id, cora.customer_id, dora.customer_id]
    assert await database.write(lambda tx: ownership_of(tx, both)) == {cora.customer_id: 2, dora.customer_id: 0}
