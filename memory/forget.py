"""Carrying erasures out: from one step to the next, each in transactions of its own, by whoever holds the erasure's lane."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from memory.clock import Clock
from memory.database import Database, Record, Row, Tx, table
from memory.detach import Busy, cut, subject_in
from memory.erasure import (
    ASKED,
    CLEAN,
    CUT,
    DONE,
    ERASURE,
    Left,
    Receipt,
    add_left,
    ask_to_forget,
    erasure_table,
    get_erasure,
    keep_receipt,
    receipt_of,
    unfinished_erasures,
    update_erasure,
)
from memory.errors import LegatoError
from memory.lanes import Claimed, Lane, claim_lanes, leave_lanes, next_ready, pause_lane, still_held
from memory.scrub import scrub
from memory.signals import LocalSignals, Signals
from memory.sweep import drop_lanes, remains, sweep
from memory.whose import DESK_LANE

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
"""How long nobody else goes on with an erasure that a process has begun to work on; every step renews it."""

AWAIT_S, MOST_AWAIT_S = 1.0, 30.0
"""How long until the next look at what is still to be deleted on a channel; longer, the longer it takes."""

BUSY_S = 0.05
MOST_LOOKS = 20
IDLE_S = 60.0

_lane = table(Lane)


class NobodyThere(LegatoError):
    """There is no customer with this number."""


class Cache(Protocol):
    """What may hold something of a customer outside the database (:class:`memory.cache.Cache`)."""

    def drop_customers(self, customer_ids: Iterable[int]) -> Awaitable[bool]:
        """Drop everything about them; False where that is not certain."""


class _Lost(Exception):
    """Another process has the lane now."""


class Forgetting:
    """Carries erasures out. ``look`` is one round; the caller repeats it.

    ``receipts`` is the file that each receipt is appended to. ``notice`` makes the post (an outgoing) that tells the desk that a case's
    topic is deleted. ``full``: database files are written anew whatever their size (:func:`memory.scrub.scrub`).
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signals: Signals,
        *,
        name: str,
        receipts: Path | None = None,
        cache: Cache | None = None,
        notice: Callable[[int], Row] | None = None,
        full: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self._name = name
        self._receipts = receipts
        self._cache = cache
        self._notice = notice
        self._full = full
        self.wake = signals.listen(ERASURE)

    async def look(self) -> float:
        """Go on with the erasure that waits longest; returns the seconds until there may be more."""
        now = self._clock.now()

        def claim(tx: Tx) -> tuple[list[Claimed], datetime | None]:
            lanes = claim_lanes(tx, ERASURE, worker=self._name, now=now, until=now + LEASE, limit=1)
            return lanes, next_ready(tx, ERASURE)

        lanes, ready_at = await self._database.write(claim)
        for lane in lanes:
            await self.carry_on(lane)
        if lanes:
            return 0.0
        return IDLE_S if ready_at is None else max(0.0, (ready_at - self._clock.now()).total_seconds())

    async def carry_on(self, lane: Claimed) -> Receipt | None:
        """Go as far as it goes now; the receipt as it stands then. What fails is logged and tried again later."""
        erasure_id = int(lane.key)
        try:
            return await self._carry_on(lane, erasure_id)
        except _Lost:
            return None
        except Exception as error:
            logger.exception("erasure %d stopped (%s); it is taken up again", erasure_id, type(error).__name__)
            tries = lane.tries + 1
            until = self._clock.now() + timedelta(seconds=min(MOST_AWAIT_S, 2.0**tries))
            await self._database.write(lambda tx: pause_lane(tx, lane, until=until, tries=tries))
            return None

    async def _carry_on(self, lane: Claimed, erasure_id: int) -> Receipt | None:
        row = await self._database.read(lambda tx: get_erasure(tx, erasure_id))
        if row is None or row.state == DONE:
            await self._leave(lane, None)
            return None if row is None else receipt_of(row)
        if row.state == ASKED:
            await self._cut(lane, erasure_id)
        if row.state in (ASKED, CUT):
            pending = await self._sweep(lane, erasure_id)
            if pending:
                return await self._wait(lane, erasure_id, pending)
            await self._clean(lane, erasure_id)
        return await self._finish(lane, erasure_id)

    async def _cut(self, lane: Claimed, erasure_id: int) -> None:
        """Try until nobody is in the way; a turn's commit or a delivery's record takes milliseconds."""
        for left in reversed(range(MOST_LOOKS)):
            try:
                subject = await self._step(lane, lambda tx, row: cut(tx, row, now=self._clock.now()))
            except Busy:
                if left == 0:
                    raise
                await asyncio.sleep(BUSY_S)  # real time: others are at work, whatever clock the rest runs by
            else:
                logger.info("erasure %d: customers %s are detached", erasure_id, ", ".join(str(one) for one in subject.customers))
                await self._drop_cached(subject.customers)
                return

    async def _sweep(self, lane: Claimed, erasure_id: int) -> int:
        """Remove until nothing is found any more; how many sends are awaited then."""
        more, pending, empty = True, 0, set[str]()

        def look(tx: Tx, row: Record) -> tuple[bool, int]:
            return sweep(tx, row, now=self._clock.now(), notice=self._notice, empty=empty)

        while more:
            more, pending = await self._step(lane, look)
            if not more and empty:  # one look at everything, before it is said that nothing is left
                empty.clear()
                more, pending = await self._step(lane, look)
            await asyncio.sleep(0)  # turns go first
        await self._tell_deliveries(erasure_id)
        return pending

    async def _tell_deliveries(self, erasure_id: int) -> None:
        row = await self._database.read(lambda tx: get_erasure(tx, erasure_id))
        channels = {channel for channel, _ in (row.todo or {}).get("addresses", ())} if row is not None else set()
        for lane in sorted({DESK_LANE, *channels}):
            self._signals.notify(lane)

    async def _wait(self, lane: Claimed, erasure_id: int, pending: int) -> Receipt:
        """Let go of the lane until something may have been sent."""
        row = await self._row(erasure_id)
        now = self._clock.now()
        waited = (now - row.asked_at).total_seconds()
        await self._leave(lane, now + timedelta(seconds=min(MOST_AWAIT_S, max(AWAIT_S, waited / 4))))
        what = "1 message or topic" if pending == 1 else f"{pending} messages and topics"
        return receipt_of(row, waits_for=f"{what} on the channels; the running assistant (legato run) settles them")

    async def _clean(self, lane: Claimed, erasure_id: int) -> None:
        """Look once more at everything, let go of the addresses, and note that only files are left to clean."""
        row = await self._row(erasure_id)
        todo = row.todo or {}
        subject = subject_in(todo)
        found = await self._database.long_read(lambda tx: remains(tx, subject, erasure_table.metadata))
        why = "they came while the rest was removed"
        left = [Left(f"rows of {name}", why, "forget this customer again", count) for name, count in found.items()]

        def finish(tx: Tx, row: Record) -> list[int]:
            drop_lanes(tx, [(channel, address) for channel, address in todo.get("addresses", ())])
            update_erasure(tx, row.id, state=CLEAN, todo=None, left=add_left(row.left, left))
            return list(subject.customers)

        customers = await self._step(lane, finish)
        if not await self._drop_cached(customers):
            cached = Left("the cache in Redis", "it did not answer", "nothing: it drops what is old by itself within minutes")
            await self._step(lane, lambda tx, row: update_erasure(tx, row.id, left=add_left(row.left, [cached])))

    async def _finish(self, lane: Claimed, erasure_id: int) -> Receipt:
        """Clean the files, keep the receipt, be done. After a crash it is done again: a receipt may then stand in the file twice."""
        row = await self._row(erasure_id)
        left = await scrub(self._database, _tables(row), full=self._full)
        now = self._clock.now()
        await self._step(lane, lambda tx, row: update_erasure(tx, row.id, left=add_left(row.left, left)))
        row = await self._row(erasure_id)
        if self._receipts is not None:
            await asyncio.to_thread(keep_receipt, self._receipts, row, now)

        def done(tx: Tx, row: Record) -> None:
            update_erasure(tx, row.id, state=DONE, done_at=now)
            leave_lanes(tx, ERASURE, {lane.key: None})

        await self._step(lane, done)
        logger.info("erasure %d is done", erasure_id)
        row = await self._row(erasure_id)
        return receipt_of(row)

    async def _step(self, lane: Claimed, fn: Callable[[Tx, Record], Any]) -> Any:
        """One transaction under the lane, whose lease it renews. Raises :class:`_Lost` where somebody else goes on with it."""
        now = self._clock.now()

        def run(tx: Tx) -> Any:
            if not still_held(tx, [lane]):
                raise _Lost
            tx.execute(sa.update(_lane).where(_lane.c.kind == ERASURE, _lane.c.key == lane.key).values(ready_at=now + LEASE))
            row = get_erasure(tx, int(lane.key))
            assert row is not None
            return fn(tx, row)

        return await self._database.write(run)

    async def _row(self, erasure_id: int) -> Record:
        row = await self._database.read(lambda tx: get_erasure(tx, erasure_id))
        assert row is not None  # erasures are never deleted
        return row

    async def _leave(self, lane: Claimed, at: datetime | None) -> None:
        def leave(tx: Tx) -> None:
            if still_held(tx, [lane]):
                leave_lanes(tx, ERASURE, {lane.key: at})

        await self._database.write(leave)

    async def _drop_cached(self, customers: Iterable[int]) -> bool:
        return True if self._cache is None else await self._cache.drop_customers(list(customers))


async def forget(
    database: Database,
    clock: Clock,
    customer_id: int,
    *,
    asked_by: str,
    receipts: Path | None = None,
    cache: Cache | None = None,
    notice: Callable[[int], Row] | None = None,
    signals: Signals | None = None,
    full: bool = False,
    name: str = "forget",
) -> Receipt:
    """Forget a customer and everybody who is the same person, as far as it goes now; see :class:`Forgetting` for the arguments.

    Where messages or topics are to be deleted on a channel, that is left to the running assistant, and the receipt says so. Another process
    may be quicker: then its receipt is returned. Raises :class:`NobodyThere`. After a crash the running assistant goes on, or
    :func:`resume_erasures`; asked again, the same erasure is meant.
    """
    erasure_id = await database.write(lambda tx: ask_to_forget(tx, customer_id, asked_by=asked_by, at=clock.now()))
    if erasure_id is None:
        raise NobodyThere(f"there is no customer {customer_id}")
    worker = Forgetting(database, clock, signals or LocalSignals(), name=name, receipts=receipts, cache=cache, notice=notice, full=full)
    return await _carried_on(worker, database, clock, erasure_id, name)


async def resume_erasures(database: Database, clock: Clock, **options: Any) -> list[Receipt]:
    """Go on with every erasure that nobody works on, each as far as it goes now; ``options`` as in :func:`forget`."""
    signals = options.pop("signals", None) or LocalSignals()
    name = options.pop("name", "resume")
    worker = Forgetting(database, clock, signals, name=name, **options)
    rows = await database.read(unfinished_erasures)
    return [await _carried_on(worker, database, clock, row.id, name) for row in rows]


async def _carried_on(worker: Forgetting, database: Database, clock: Clock, erasure_id: int, name: str) -> Receipt:
    """Carry one erasure on if nobody else does; its receipt as it stands then."""
    now = clock.now()

    def take(tx: Tx) -> Claimed | None:
        free = sa.and_(_lane.c.kind == ERASURE, _lane.c.key == str(erasure_id), sa.or_(_lane.c.worker.is_(None), _lane.c.ready_at <= now))
        taken = sa.update(_lane).where(free).values(worker=name, lease=_lane.c.lease + 1, ready_at=now + LEASE)
        row = tx.execute(taken.returning(_lane.c.lease, _lane.c.tries)).first()
        return None if row is None else Claimed(ERASURE, str(erasure_id), row.lease, row.tries)

    lane = await database.write(take)
    receipt = await worker.carry_on(lane) if lane is not None else None
    if receipt is not None:
        return receipt
    row = await database.read(lambda tx: get_erasure(tx, erasure_id))
    assert row is not None  # erasures are never deleted
    return receipt_of(row, waits_for="" if row.state == DONE else "another process, which is carrying it out")


_ALWAYS = ("identity", "customer", "known", "dialogue", "link", "handle", "proposal", "erasure", "inbox", "lane")
"""What the cut changes without counting it."""


def _tables(row: Record) -> list[str]:
    """The tables in which rows were removed or masked."""
    return [*(name for name in row.counts if name in erasure_table.metadata.tables), *_ALWAYS]
