"""Recalling people for agents and actions: from the cache where nothing has changed since, and by a query's meaning where that is known."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter

from memory.cache import Cache, Key
from memory.clock import Clock
from memory.customers import Customer, Identity
from memory.database import Database, Tx, table
from memory.declared import Declarations
from memory.exchanges import Exchange
from memory.known import known_table
from memory.recall import BUDGET, For, Recalled, recall

if TYPE_CHECKING:
    from memory.search.cells import Embedded
    from memory.search.meaning import Encoder

KEPT_S = 60.0
"""How long a recall may be given again although nothing has changed: it speaks of time (stale, overdue)."""


_customer, _identity, _exchange = table(Customer), table(Identity), table(Exchange)
_b = sa.bindparam
_self = _customer.alias("self")
_root_id = sa.select(sa.func.coalesce(_self.c.merged_into_id, _self.c.id)).where(_self.c.id == _b("p_id")).scalar_subquery()
_stamp = (
    sa.select(_customer.c.id, _customer.c.created_at, _customer.c.ownership, _customer.c.members, known_table.c.version)
    .select_from(_customer.outerjoin(known_table, known_table.c.customer_id == _customer.c.id))
    .where(_customer.c.id == _root_id)
)
_latest = sa.select(sa.func.max(_exchange.c.id)).where(_exchange.c.customer_id == _b("p_id"))
_names = sa.select(_identity.c.name).where(_identity.c.customer_id == _b("p_id")).order_by(_identity.c.id)
_recalled: TypeAdapter[Recalled] = TypeAdapter(Recalled)


class Recaller:
    """Recalls people. Correct whatever becomes of the cache: an entry is used only under the stamp that the database gives now."""

    def __init__(self, database: Database, declared: Declarations, clock: Clock, cache: Cache, *, encoder: Encoder | None = None) -> None:
        self._database = database
        self._declared = declared
        self._clock = clock
        self._cache = cache
        self._encoder = encoder

    async def __call__(
        self, customer_id: int, *, for_: For = "agent", query: str | None = None, budget: int = BUDGET, level: str | None = None
    ) -> Recalled | None:
        """As :func:`memory.recall.recall`. ``query``'s meaning is sought too where there is an encoder."""
        asked = hashlib.sha256(orjson.dumps([for_, query, budget, level])).hexdigest()[:16]
        now = self._clock.now()
        before = await self._database.read(lambda tx: stamp_of(tx, customer_id))
        if before is None:
            return None
        kept = await self._cache.get(Key(before[0], asked, before[1]))
        if kept is not None:
            return _recalled.validate_json(kept)
        meaning = await self._meaning_of(query, before[2], now) if query else None

        def work_out(tx: Tx) -> tuple[Recalled | None, tuple[int, str, tuple[str, ...]] | None]:
            found = recall(
                tx,
                customer_id,
                declared=self._declared,
                now=now,
                for_=for_,
                query=query,
                budget=budget,
                level=level,
                meaning=meaning,
            )
            return found, stamp_of(tx, customer_id)

        found, stamp = await self._database.read(work_out)
        if found is not None and stamp is not None:
            self._cache.put(Key(stamp[0], asked, stamp[1]), orjson.dumps(asdict(found)), ttl_s=KEPT_S)
        return found

    async def _meaning_of(self, query: str, names: tuple[str, ...], now: datetime) -> Embedded | None:
        """The query as the encoder sees it, without the names of those who take part: they are near everything that was said."""
        if self._encoder is None:
            return None
        from memory.search.meaning import embed
        from memory.search.words import ask

        return await asyncio.to_thread(embed, self._encoder, ask(query, names=names, now=now).plain)


def stamp_of(tx: Tx, customer_id: int) -> tuple[int, str, tuple[str, ...]] | None:
    """The person's number, what a recall of them rests on (another stamp, another recall), and their names on the channels.

    None for a number that nobody has.
    """
    row = tx.execute(_stamp, {"p_id": customer_id}).first()
    if row is None:
        return None
    latest = [tx.execute(_latest, {"p_id": id_}).scalar() or 0 for id_ in (row.id, *(row.members or ()))]
    names = tuple(name for name in tx.execute(_names, {"p_id": row.id}).scalars() if name)
    return row.id, f"{row.created_at.timestamp():.0f}.{row.version or 0}.{row.ownership}.{'-'.join(str(one) for one in latest)}", names
