"""Promises whose time passes: broken once, felt by the customer, told to the desk."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.turn.promises import Promises
from memory.clock import ManualClock
from memory.context import Context, recall
from memory.customers import Known, Profile, find_or_make, ownership_of
from memory.database import Database, Record, Tx
from memory.handoffs import open_handoff
from memory.known import refresh_known
from memory.outbox import outbox_table
from memory.promises import make_promise, settle_promise
from memory.signals import LocalSignals


async def promised(database: Database, clock: ManualClock, *, hours: float, address: str = "42") -> tuple[Known, int]:
    def make(tx: Tx) -> tuple[Known, int]:
        who = find_or_make(tx, "telegram", [Profile(address, "Cora")], at=clock.now())[address]
        ownership_of(tx, [who.customer_id])
        due = clock.now() + timedelta(hours=hours)
        id_ = make_promise(tx, who.customer_id, "We call <you>", by="Bea Novak", at=clock.now(), due_at=due, exchange_id=None)
        refresh_known(tx, [who.customer_id])
        return who, id_

    return await database.write(make)


async def known(database: Database, who: Known) -> Context:
    return (await database.read(lambda tx: recall(tx, [who.identity_id])))[who.identity_id]


async def posts(database: Database) -> list[Record]:
    return await database.read(lambda tx: list(tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id))))


async def test_it_sleeps_until_the_next_is_due(database: Database, clock: ManualClock, signals: LocalSignals) -> None:
    keeper = Promises(database, clock, signals)

    assert await keeper.look() > 0
    await promised(database, clock, hours=2)
    assert await keeper.look() == 7200
    assert await posts(database) == []


async def test_one_that_is_overdue_is_broken_once(database: Database, clock: ManualClock, signals: LocalSignals) -> None:
    who, id_ = await promised(database, clock, hours=2)
    one, other = Promises(database, clock, signals), Promises(database, clock, signals)
    clock.advance(7200)

    assert await one.look() == 0
    await other.look()
    await one.look()

    context = await known(database, who)
    assert [(promise.id, promise.state) for promise in context.promises] == [(id_, "broken")]
    assert [(moment.good, moment.kind, moment.weight) for moment in context.experiences] == [(False, "promise", 1.0)]
    (post,) = await posts(database)
    assert (post.lane, post.address, post.customer_id) == ("handoff", "general", who.customer_id)
    assert "We call &lt;you&gt;" in post.outgoing["text"]
    assert f"/kept {id_}" in post.outgoing["text"]


async def test_the_topic_of_an_open_case_is_told(database: Database, clock: ManualClock, signals: LocalSignals) -> None:
    who, _ = await promised(database, clock, hours=2)
    await database.write(lambda tx: open_handoff(tx, 9, who.customer_id, who.identity_id, reason="asked", packet={}, at=clock.now()))
    clock.advance(7201)

    await Promises(database, clock, signals).look()

    assert [post.address for post in await posts(database)] == ["9"]


async def test_one_that_was_kept_in_time_is_not_broken(database: Database, clock: ManualClock, signals: LocalSignals) -> None:
    who, id_ = await promised(database, clock, hours=2)
    await database.write(lambda tx: settle_promise(tx, id_, by="Bea Novak", at=clock.now()))
    clock.advance(7201)

    await Promises(database, clock, signals).look()

    assert (await known(database, who)).experiences == ()
    assert await posts(database) == []
