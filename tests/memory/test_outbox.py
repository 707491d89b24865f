"""The outbox: order for each address, one row for each key, and what became of it said once."""

from __future__ import annotations

from typing import Any

from memory.customers import Known, pass_on
from memory.database import Database, Record, Tx
from memory.lanes import next_ready
from memory.outbox import (
    REFUSED,
    SENDING,
    SENT,
    UNCERTAIN,
    WAITING,
    addresses_open,
    exchange_sent_as,
    first_open,
    get_outgoing,
    mark_done,
    mark_postponed,
    mark_sending,
    outbox_row,
    outgoings_of,
    put_out,
    resolve,
    uncertain_before,
)
from tests.memory.people import START, after


async def put(database: Database, *keys: str, address: str = "42", lane: str = "telegram", **more: Any) -> None:
    rows = [outbox_row(key=key, lane=lane, address=address, outgoing={"text": key}, at=START, **more) for key in keys]
    await database.write(lambda tx: put_out(tx, rows))


async def first(database: Database, *addresses: str, lane: str = "telegram") -> list[Record]:
    return await database.read(lambda tx: first_open(tx, lane, addresses or ["42"]))


async def row_of(database: Database, id_: int) -> Record:
    row = await database.read(lambda tx: get_outgoing(tx, id_))
    assert row is not None
    return row


async def test_each_address_gets_its_own_in_order(database: Database) -> None:
    await put(database, "1.0", "1.1")
    await put(database, "2.0", address="43")
    order: list[str] = []
    while rows := await first(database, "42", "43"):
        order += sorted(row.key for row in rows)
        await database.write(lambda tx, rows=rows: mark_done(tx, [(row.id, SENT, None, None) for row in rows], at=START))  # type: ignore[misc]

    assert order == ["1.0", "2.0", "1.1"]


async def test_what_is_being_sent_stays_first(database: Database) -> None:
    await put(database, "1.0", "1.1")
    (row,) = await first(database)
    await database.write(lambda tx: mark_sending(tx, [row.id]))

    (again,) = await first(database)
    assert (again.key, again.state, again.tries) == ("1.0", SENDING, 1)


async def test_a_known_key_changes_nothing(database: Database) -> None:
    await put(database, "1.0")
    (row,) = await first(database)
    await database.write(lambda tx: mark_done(tx, [(row.id, SENT, "7", None)], at=START))

    await put(database, "1.0", address="43")

    assert await first(database, "42", "43") == []
    assert (await row_of(database, row.id)).state == SENT


async def test_several_are_done_in_one_call(database: Database) -> None:
    for n in range(3):
        await put(database, f"{n}", address=str(n))
    ids = sorted(row.id for row in await first(database, "0", "1", "2"))

    def done(tx: Tx) -> None:
        mark_sending(tx, ids)
        mark_done(tx, [(ids[0], SENT, "70", None), (ids[1], REFUSED, None, "blocked"), (ids[2], UNCERTAIN, None, "timed out")], at=after(5))

    await database.write(done)

    rows = [await row_of(database, id_) for id_ in ids]
    assert [(row.state, row.message_id, row.why, row.done_at) for row in rows] == [
        (SENT, "70", None, after(5)),
        (REFUSED, None, "blocked", after(5)),
        (UNCERTAIN, None, "timed out", after(5)),
    ]
    assert await database.read(lambda tx: addresses_open(tx, "telegram", ["0", "1", "2"])) == set()


async def test_several_are_postponed_in_one_call(database: Database) -> None:
    for n in range(2):
        await put(database, f"{n}", address=str(n))
    ids = sorted(row.id for row in await first(database, "0", "1"))
    await database.write(lambda tx: mark_sending(tx, ids))

    await database.write(lambda tx: mark_postponed(tx, [(ids[0], "429"), (ids[1], "5xx")]))

    rows = [await row_of(database, id_) for id_ in ids]
    assert [(row.state, row.why, row.tries) for row in rows] == [(WAITING, "429", 1), (WAITING, "5xx", 1)]
    assert await database.read(lambda tx: addresses_open(tx, "telegram", ["0", "1"])) == {"0", "1"}


async def test_nothing_marked_is_nothing_done(database: Database) -> None:
    def nothing(tx: Tx) -> None:
        put_out(tx, [])
        mark_sending(tx, [])
        mark_done(tx, [], at=START)
        mark_postponed(tx, [])

    await database.write(nothing)

    assert await database.read(lambda tx: next_ready(tx, "telegram")) is None


async def test_a_settled_outgoing_is_not_settled_again(database: Database) -> None:
    """A sender that was taken for dead comes back with its receipt: the first word stands."""
    await put(database, "1.0")
    (row,) = await first(database)
    await database.write(lambda tx: mark_sending(tx, [row.id]))
    await database.write(lambda tx: mark_done(tx, [(row.id, UNCERTAIN, None, "lost track")], at=after(1)))

    await database.write(lambda tx: mark_done(tx, [(row.id, SENT, "7", None)], at=after(2)))
    await database.write(lambda tx: mark_postponed(tx, [(row.id, "429")]))

    settled = await row_of(database, row.id)
    assert (settled.state, settled.why, settled.done_at) == (UNCERTAIN, "lost track", after(1))


async def test_an_uncertain_one_is_resolved_once(database: Database) -> None:
    await put(database, "1.0", "1.1")
    (row,) = await first(database)
    assert not await database.write(lambda tx: resolve(tx, row.id, "again"))
    await database.write(lambda tx: mark_done(tx, [(row.id, UNCERTAIN, None, "timed out")], at=after(5)))

    assert await database.read(lambda tx: uncertain_before(tx, after(4))) == []
    assert [one.id for one in await database.read(lambda tx: uncertain_before(tx, after(5)))] == [row.id]
    assert await database.write(lambda tx: resolve(tx, row.id, "arrived"))
    assert not await database.write(lambda tx: resolve(tx, row.id, "again"))
    assert await database.read(lambda tx: uncertain_before(tx, after(9))) == []
    assert (await row_of(database, row.id)).resolved == "arrived"


async def test_putting_out_opens_the_lanes(database: Database) -> None:
    await put(database, "1.0", lane="handoff")
    await put(database, "1.1")

    for lane in ("handoff", "telegram"):
        assert await database.read(lambda tx, lane=lane: next_ready(tx, lane)) == START  # type: ignore[misc]


async def test_the_first_comes_with_the_present_ownership(database: Database, cora: Known) -> None:
    await put(database, "1.0", customer_id=cora.customer_id, identity_id=cora.identity_id, ownership=0)
    await put(database, "general", address="general")
    await database.write(lambda tx: pass_on(tx, cora.customer_id))

    owned = {row.key: (row.ownership, row.owned_at) for row in await first(database, "42", "general")}
    assert owned == {"1.0": (0, 1), "general": (None, None)}


async def test_an_exchange_is_found_by_what_carried_it(database: Database) -> None:
    await put(database, "1.0", "1.1", exchange_id=256)
    rows = await database.read(lambda tx: outgoings_of(tx, 256))
    await database.write(lambda tx: mark_done(tx, [(rows[1].id, SENT, "71", None)], at=START))

    assert [row.key for row in rows] == ["1.0", "1.1"]
    assert await database.read(lambda tx: exchange_sent_as(tx, "telegram", "42", "71")) == 256
    assert await database.read(lambda tx: exchange_sent_as(tx, "telegram", "43", "71")) is None
    assert await database.read(lambda tx: exchange_sent_as(tx, "handoff", "42", "71")) is None
