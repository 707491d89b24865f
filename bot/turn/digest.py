"""Off a turn's path: what was said is put into the search index, and conversations that are over get their summaries.

A customer's lane of kind ``digest`` is marked where exchanges are logged; the loop comes by and by. Nothing waits for it: what is not in
the index yet is read as it stands, and what has no summary yet is among the last exchanges.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.turn.summarise import conversations, summary_of
from memory.clock import Clock
from memory.customers import ownership_of, person_of
from memory.database import Database, Row, Tx
from memory.exchanges import DIGEST, DIGEST_AFTER, exchanges_after
from memory.known import refresh_known
from memory.lanes import Claimed, claim_lanes, leave_lanes, next_ready, pause_lane, still_held
from memory.promises import promises_between
from memory.signals import Signals
from memory.summaries import keep_summaries, summarised_to

if TYPE_CHECKING:
    from memory.search.meaning import Encoder

logger = logging.getLogger(__name__)

AT_ONCE = 4
LEASE = timedelta(minutes=2)
AGAIN_S = 30.0
MOST_ROWS = 64
"""How many exchanges are indexed in one transaction: a few milliseconds, so that no turn waits for it longer."""

MOST_ENCODED = 32
"""How many exchanges get their vectors at a time."""

MOST_READ = 512
"""How many exchanges are read for summaries at a time; a longer conversation gets one for each such part."""


@dataclass(frozen=True, slots=True)
class Read:
    """What there is to do for one customer. ``over_at`` is when the conversation that goes on will be over."""

    summaries: list[Row]
    over_at: datetime | None
    more: bool


class Digest:
    """Digests what was logged. ``look`` is one round; the caller repeats it (:func:`bot.turn.loop.keep_looking`)."""

    def __init__(self, database: Database, clock: Clock, signals: Signals, *, name: str, encoder: Encoder | None = None) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._encoder = encoder
        self.wake = signals.listen(DIGEST)

    async def look(self) -> float:
        """Deal with some customers whose time has come; returns the seconds until there may be more."""
        now = self._clock.now()

        def claim(tx: Tx) -> tuple[list[Claimed], datetime | None]:
            lanes = claim_lanes(tx, DIGEST, worker=self._name, now=now, until=now + LEASE, limit=AT_ONCE)
            return lanes, next_ready(tx, DIGEST)

        lanes, ready_at = await self._database.write(claim)
        for lane in lanes:
            try:
                more = True
                while more:
                    more = await self._digest(lane)
                    await asyncio.sleep(0)  # turns go first
            except Exception:
                logger.exception("customer %s could not be digested; it is tried again", lane.key)
                until = self._clock.now() + timedelta(seconds=AGAIN_S * (lane.tries + 1))
                await self._database.write(lambda tx, lane=lane, until=until: pause_lane(tx, lane, until=until, tries=lane.tries + 1))  # type: ignore[misc]
        if lanes:
            return 0.0
        return AGAIN_S if ready_at is None else max(0.0, (ready_at - self._clock.now()).total_seconds())

    async def _digest(self, lane: Claimed) -> bool:
        """One step for one customer; True if there is more to do at once."""
        from memory.search.index import SETTLE, index_exchanges, waiting  # it brings numpy, which a start does not need

        customer_id = int(lane.key)
        now = self._clock.now()

        def read(tx: Tx) -> Read:
            rows = exchanges_after(tx, customer_id, summarised_to(tx, customer_id), limit=MOST_READ)
            over, over_at = conversations(rows, now)
            if not over and len(rows) == MOST_READ:  # a conversation that never pauses
                over, over_at = [rows], None
            found = [summary_of(part, promises_between(tx, customer_id, part[0].id, part[-1].id)) for part in over]
            summaries = [one for one in found if one is not None]
            return Read(summaries, over_at, len(rows) == MOST_READ and bool(summaries))

        todo = await self._database.read(read)

        def write(tx: Tx) -> bool:
            if not still_held(tx, [lane]):
                return False
            # Read where it is written: what is erased in between must not come back.
            indexable = waiting(tx, customer_id, settled=now - SETTLE, limit=MOST_ROWS)
            index_exchanges(tx, customer_id, indexable)
            more = todo.more or len(indexable) >= MOST_ROWS
            if todo.summaries:
                ownership_of(tx, person_of(tx, customer_id)[:1])
                keep_summaries(tx, todo.summaries)
                refresh_known(tx, [customer_id])
            if not more:
                leave_lanes(tx, DIGEST, {lane.key: self._next(tx, customer_id, todo, now)})
            return more

        if not await self._database.write(write):
            while self._encoder is not None and await self._see_meaning(customer_id, self._encoder):
                pass
            return False
        return True

    async def _see_meaning(self, customer_id: int, encoder: Encoder) -> bool:
        """Give some of a customer's documents their vectors; False if all have them. A search by meaning finds those that do."""
        from memory.search.meaning import index_meaning, without_vectors

        work = await self._database.read(lambda tx: without_vectors(tx, customer_id, encoder.name, limit=MOST_ENCODED))
        if work is None:
            return False
        vectors = await asyncio.to_thread(encoder.encode, work.texts)
        return await self._database.write(lambda tx: index_meaning(tx, customer_id, encoder.name, work, vectors)) > 0

    @staticmethod
    def _next(tx: Tx, customer_id: int, todo: Read, now: datetime) -> datetime | None:
        """When there will be something to do again: what is too new for the index, or the end of the conversation that goes on."""
        from memory.search.index import SETTLE, waiting

        newer = waiting(tx, customer_id, settled=now + SETTLE, limit=1)
        times = [todo.over_at] if todo.over_at is not None else []
        if newer:
            times.append(max(now, newer[-1].at) + DIGEST_AFTER)
        return min(times, default=None)
