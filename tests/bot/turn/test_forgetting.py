"""Forgetting while the assistant is at work: turns, sends and messages that come at that moment."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa

from bot.desks import texts
from bot.desks.settle import settle
from bot.messages import Event, Incoming, Outgoing, Postponed, Receipt, Refused, Sent, Uncertain
from bot.turn.accept import Accept
from bot.turn.deliver import Deliver, Resend
from bot.turn.digest import Digest
from bot.turn.limits import Limits
from bot.turn.loop import keep_looking
from bot.turn.rights import AskToForget
from bot.turn.worker import TurnWorker
from memory.clock import ManualClock, SystemClock
from memory.context import Context
from memory.customers import Customer, Identity, Known, Profile, find_or_make
from memory.database import Database, Tx, table
from memory.declared import Declarations
from memory.detach import cut
from memory.doctor import examine
from memory.erasure import DONE, ask_to_forget, erasure_table, get_erasure
from memory.forget import Forgetting, forget, resume_erasures
from memory.inbox import inbox_table
from memory.outbox import mark_done, mark_sending, outbox_row, outbox_table, put_out
from memory.signals import LocalSignals
from tests.bot.turn.test_worker import REPLIES, WRITER, Echo, rounds
from tests.memory.test_forget import dump, in_rows

Wrote = Callable[..., Incoming]

_customer, _identity = table(Customer), table(Identity)


TROUBLES: tuple[Receipt, ...] = (
    Postponed(0.01, "too much"),
    Uncertain("broken"),
    Refused("too long"),
    Refused("blocked", unreachable=True),
)


class Channel:
    """Takes everything, after a moment; or says ``receipt`` of it. With ``chance`` a fifth of it meets some trouble or other."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.chance = chance
        self.numbers = itertools.count(1)
        self.taken: list[tuple[str, Outgoing]] = []
        self.receipt: Receipt | None = None

    async def send(self, address: str, outgoing: Outgoing) -> Receipt:
        await asyncio.sleep(0)
        self.taken.append((address, outgoing))
        if self.chance is not None and self.chance.random() < 0.2:
            return self.chance.choice(TROUBLES)
        return self.receipt or Sent(str(next(self.numbers)))


async def test_a_turn_that_thinks_while_its_customer_is_forgotten_leaves_no_trace(
    accept: Accept, database: Database, wrote: Wrote, clock: ManualClock, signals: LocalSignals
) -> None:
    await accept([wrote("1", "unmistakable")])
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_context: Context) -> None:
        thinking.set()
        await go_on.wait()

    worker = TurnWorker(
        database, clock, signals, Echo(slowly), WRITER, Declarations(), name="one", at_once=4, lease_s=15, deadline_s=10, tries=3
    )
    await worker.look()
    await thinking.wait()
    [me] = await database.read(lambda tx: list(tx.execute(sa.select(_customer.c.id)).scalars()))
    assert (await forget(database, clock, me, asked_by="test")).is_done
    go_on.set()
    await worker.finish()

    assert in_rows(await database.read(dump), "unmistakable") == []
    assert [one.name for one in await examine(database, now=clock.now()) if not one.is_fine] == []
    await accept([wrote("2", "hello again")])
    await rounds(worker)
    homes = await database.read(lambda tx: list(tx.execute(sa.select(_identity.c.address).order_by(_identity.c.id)).scalars()))
    assert homes == ["forgotten:1", "42"]


async def test_the_wish_is_noted_with_the_turn_or_not_at_all(
    accept: Accept, database: Database, wrote: Wrote, clock: ManualClock, signals: LocalSignals
) -> None:
    """A turn that is refused leaves no erasure; the one that is committed leaves one, and its answer is the farewell."""
    from dataclasses import replace

    class Wishes(Echo):
        async def think(self, arrived: Any, context: Context) -> Any:
            decision, trace = await super().think(arrived, context)
            return replace(decision, deeds=(AskToForget(),)), trace

    await accept([wrote("1", "forget me")])
    options: dict[str, Any] = {"at_once": 4, "lease_s": 15, "deadline_s": 10, "tries": 3}
    await rounds(TurnWorker(database, clock, signals, Wishes(), WRITER, Declarations(), name="one", **options))

    [wish] = await database.read(lambda tx: list(tx.execute(sa.select(erasure_table))))
    assert (wish.state, wish.asked_by, wish.todo["farewell"]) == ("asked", "customer", 1)
    assert not (await resume_erasures(database, clock))[0].is_done
    waiting = await database.read(lambda tx: list(tx.execute(sa.select(outbox_table).where(outbox_table.c.state == "waiting"))))
    assert [row.outgoing["text"] for row in waiting] == ["utter_echo"]


async def forgotten_all_but_swept(database: Database, clock: ManualClock, customer_id: int) -> None:
    """The cut, and nothing of what follows."""

    def run(tx: Tx) -> None:
        id_ = ask_to_forget(tx, customer_id, asked_by="test", at=clock.now())
        row = get_erasure(tx, id_ or 0)
        assert row is not None
        cut(tx, row, now=clock.now())

    await database.write(run)


async def unsure(database: Database, clock: ManualClock) -> tuple[Known, int]:
    """A customer, and words to them that are sent whoever owns the conversation, of which nobody knows whether they arrived."""

    def make(tx: Tx) -> tuple[Known, int]:
        who = find_or_make(tx, "telegram", [Profile("42")], at=clock.now())["42"]
        ids: dict[str, Any] = {"customer_id": who.customer_id, "identity_id": who.identity_id}
        put_out(tx, [outbox_row(key="77.0", lane="telegram", address="42", outgoing={"text": "unmistakable"}, at=clock.now(), **ids)])
        [row] = tx.execute(sa.select(outbox_table)).all()
        mark_sending(tx, [row.id])
        mark_done(tx, [(row.id, "uncertain", None, "broken")], at=clock.now())
        return who, row.id

    return await database.write(make)


async def test_who_is_forgotten_is_not_written_to_again(database: Database, clock: ManualClock, signals: LocalSignals) -> None:
    """Neither by itself nor by an agent's press, who is told that there is nothing to settle."""
    who, id_ = await unsure(database, clock)
    await forgotten_all_but_swept(database, clock, who.customer_id)
    clock.advance(60)

    await Resend(database, clock, signals, REPLIES, lane="telegram", wait_s=5).look()
    press = Incoming("desk", "9", "77", clock.now(), event=Event.PRESS, data={"callback": "c", "payload": f"again:{id_}"})
    await database.write(lambda tx: settle(tx, press, "again", id_, now=clock.now()))

    rows = await database.read(lambda tx: list(tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id))))
    assert [(row.lane, row.outgoing["text"]) for row in rows] == [("telegram", "unmistakable"), ("handoff", texts.ALREADY_SETTLED)]
    assert (await forget(database, clock, who.customer_id, asked_by="test")).is_done
    assert in_rows(await database.read(dump), "unmistakable") == []


async def test_who_has_blocked_the_bot_is_forgotten_without_a_trace(
    accept: Accept, database: Database, wrote: Wrote, clock: ManualClock, signals: LocalSignals
) -> None:
    """What was sent to them cannot be deleted, and that is said; that it was refused is noted of nobody."""
    await accept([wrote("1", "unmistakable")])
    options: dict[str, Any] = {"at_once": 4, "lease_s": 15, "deadline_s": 10, "tries": 3}
    await rounds(TurnWorker(database, clock, signals, Echo(), WRITER, Declarations(), name="one", **options))
    limits = Limits(clock, overall_per_s=0, burst=0, address_per_s=0)
    channel = Channel()
    sending = Deliver(database, clock, signals, channel, limits, lane="telegram", name="one", at_once=8, lease_s=30)
    await sending.look()
    await sending.finish()
    [me] = await database.read(lambda tx: list(tx.execute(sa.select(_customer.c.id)).scalars()))
    assert not (await forget(database, clock, me, asked_by="test")).is_done

    channel.receipt = Refused("bot was blocked by the user", unreachable=True)
    await sending.look()
    await sending.finish()
    clock.advance(60)
    receipt = await forget(database, clock, me, asked_by="test")

    assert receipt.is_done
    assert [one.what for one in receipt.left if one.what.startswith("rows of")] == []
    assert [one.name for one in await examine(database, now=clock.now()) if not one.is_fine] == []


PEOPLE, MESSAGES = 4, 60


async def test_people_come_and_are_forgotten_while_everything_is_busy(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever meets: nothing of anybody is left in the end, nothing is broken, and nothing hangs."""
    clock, signals, channel, chance = SystemClock(), LocalSignals(), Channel(random.Random(8)), random.Random(7)
    accept = Accept(database, clock, signals, album_wait_s=0)
    options: dict[str, Any] = {"at_once": 4, "lease_s": 15, "deadline_s": 10, "tries": 3}
    limits = Limits(clock, overall_per_s=0, burst=0, address_per_s=0)
    looks: list[Any] = [
        *(TurnWorker(database, clock, signals, Echo(), WRITER, Declarations(), name=f"w{n}", **options) for n in range(2)),
        *(Deliver(database, clock, signals, channel, limits, lane="telegram", name=f"d{n}", at_once=8, lease_s=30) for n in range(2)),
        *(Forgetting(database, clock, signals, name=f"f{n}") for n in range(2)),
        Digest(database, clock, signals, name="digest"),
    ]
    monkeypatch.setattr("memory.forget.AWAIT_S", 0.02)
    tasks = [asyncio.create_task(keep_looking(str(n), one.look, wake=one.wake, clock=clock)) for n, one in enumerate(looks)]

    def wish(tx: Tx, address: str) -> None:
        found = tx.execute(sa.select(_identity.c.customer_id).where(_identity.c.address == address)).scalar()
        if found is not None:
            ask_to_forget(tx, found, asked_by="test", at=clock.now())

    try:
        async with asyncio.timeout(120):
            for n in range(MESSAGES):
                who = f"who4242x{n % PEOPLE}"
                await accept([Incoming("telegram", str(n), who, clock.now(), text=f"unmistakable {n}", name="Cora Unmistakable")])
                if chance.random() < 0.4:
                    await database.write(lambda tx, who=who: wish(tx, who))  # type: ignore[misc]
                await asyncio.sleep(0)
            for n in range(PEOPLE):
                await database.write(lambda tx, who=f"who4242x{n}": wish(tx, who))  # type: ignore[misc]
            while await database.read(is_busy):  # noqa: ASYNC110 - what is waited for is in the database
                await asyncio.sleep(0)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        for one in looks:
            if isinstance(one, TurnWorker | Deliver):
                await one.finish()

    rows = await database.read(dump)
    for word in ("unmistakable", "Unmistakable", "who4242x"):
        assert in_rows(rows, word) == []
    assert {one.name: one.breaches for one in await examine(database, now=clock.now()) if not one.is_fine} == {}
    kept = await database.read(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(inbox_table)).scalar_one())
    assert kept == MESSAGES


def is_busy(tx: Tx) -> bool:
    """Whether an erasure is not done, or a message of anybody waits."""
    undone = tx.execute(sa.select(erasure_table.c.id).where(erasure_table.c.state != DONE).limit(1)).first()
    waits = tx.execute(sa.select(inbox_table.c.id).where(inbox_table.c.turn_id.is_(None)).limit(1)).first()
    return undone is not None or waits is not None
