"""Handoffs: at most one open for a customer, one owner, one end."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from memory.customers import Customer, Known, ownership_of
from memory.database import Database, Record, Tx, table
from memory.handoffs import (
    claim_handoff,
    end_handoff,
    get_handoff,
    handoff_in_topic,
    open_handoff,
    open_handoff_of,
    place_handoff,
)
from tests.memory.people import START, after, meet, pause, someone_blocked


async def opened(database: Database, who: Known, id_: int = 1) -> Record:
    await database.write(lambda tx: open_handoff(tx, id_, who.customer_id, who.identity_id, reason="asked", packet={"want": "x"}, at=START))
    return await row_of(database, id_)


async def row_of(database: Database, id_: int = 1) -> Record:
    row = await database.read(lambda tx: get_handoff(tx, id_))
    assert row is not None
    return row


async def ownership(database: Database, who: Known) -> int:
    return (await database.write(lambda tx: ownership_of(tx, [who.customer_id])))[who.customer_id]


async def claim(database: Database, row: Record, owner: str = "Ann") -> bool:
    return await database.write(lambda tx: claim_handoff(tx, row, owner=owner, name=owner, at=after(5)))


async def end(database: Database, row: Record, ending: str = "returned") -> bool:
    return await database.write(lambda tx: end_handoff(tx, row, ending=ending, return_packet={"note": "done"}, at=after(9)))


async def test_a_customer_has_at_most_one_open(database: Database, cora: Known) -> None:
    await opened(database, cora)

    with pytest.raises(sa.exc.IntegrityError):
        await opened(database, cora, 2)

    dora = await meet(database, "43")
    await opened(database, dora, 2)
    assert (await row_of(database, 2)).customer_id == dora.customer_id


async def test_after_the_end_another_may_open(database: Database, cora: Known) -> None:
    await end(database, await opened(database, cora))
    assert await database.read(lambda tx: open_handoff_of(tx, cora.customer_id)) is None
    await opened(database, cora, 2)

    def latest(tx: Tx) -> int | None:
        return tx.execute(sa.select(table(Customer).c.handoff_id)).scalar()

    assert await database.read(latest) == 2


async def test_claiming_and_ending_count_the_ownership_up_once(database: Database, cora: Known) -> None:
    row = await opened(database, cora)
    assert await ownership(database, cora) == 0
    assert (await claim(database, row), await claim(database, row, "Bea")) == (True, False)
    assert await ownership(database, cora) == 1
    assert (await end(database, row), await end(database, row, "closed")) == (True, False)
    assert await ownership(database, cora) == 2

    row = await row_of(database)
    assert (row.state, row.owner, row.ending, row.return_packet) == ("ended", "Ann", "returned", {"note": "done"})
    assert (row.claimed_at, row.ended_at) == (after(5), after(9))


async def test_an_ended_one_is_not_claimed(database: Database, cora: Known) -> None:
    row = await opened(database, cora)
    await end(database, row)

    assert not await claim(database, row)
    assert (await row_of(database)).owner is None


async def test_the_place_is_noted_only_from_where_it_stood(database: Database, cora: Known) -> None:
    await opened(database, cora)

    async def place(old: str | None, topic: str | None) -> bool:
        return await database.write(lambda tx: place_handoff(tx, 1, old=old, topic=topic, card="9"))

    assert await place(None, "77")
    assert not await place(None, "78")
    assert await place("77", "78")
    assert await database.read(lambda tx: handoff_in_topic(tx, "77")) is None
    assert (await row_of(database)).topic == "78"


async def test_of_two_claims_at_once_one_wins(two: tuple[Database, Database]) -> None:
    first, second = two
    cora = await meet(first)
    row = await opened(first, cora)
    claimed, go_on = asyncio.Event(), asyncio.Event()

    def slowly(tx: Tx) -> bool:
        won = claim_handoff(tx, row, owner="Ann", name="Ann", at=START)
        claimed.set()
        pause(go_on.wait())
        return won

    ann = asyncio.create_task(first.write(slowly))
    await claimed.wait()
    bea = asyncio.create_task(claim(second, row, "Bea"))
    await someone_blocked(first)
    go_on.set()

    assert (await ann, await bea) == (True, False)
    assert (await row_of(first)).owner == "Ann"
    assert await ownership(first, cora) == 1


async def test_of_two_openings_at_once_one_stands(two: tuple[Database, Database]) -> None:
    cora = await meet(two[0])

    outcomes = await asyncio.gather(*(opened(two[n], cora, n + 1) for n in range(2)), return_exceptions=True)

    assert sorted(isinstance(outcome, sa.exc.IntegrityError) for outcome in outcomes) == [False, True]
