"""Recalling people for agents and actions: from the cache where nothing has changed since, and by a query's meaning where that is known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter

from memory.cache import Cache, Key
from memory.clock import Clock
from memory.customers import Customer
from memory.database import Database, Tx, table
from memory.declared import Declarations
from memory.exchanges import Exchange
from memory.known import known_table
from memory.recall import BUDGET, For, Recalled, recall

KEPT_S = 60.0
"""How long a recall may be given again although nothing has changed: it speaks of time (stale, overdue)."""


class Encoder(Protocol):
    """Turns texts into vectors that are near each other where they mean alike. ``name`` tells the vectors of two encoders apart."""

    name: str

    def encode(self, texts: Sequence[str]) -> Any:
        """One row a text."""


_customer, _exchange = table(Customer), table(Exchange)
_b = sa.bindparam
_self = _customer.alias("self")
_root_id = sa.select(sa.func.coalesce(_self.c.merged_into_id, _self.c.id)).where(_self.c.id == _b("p_id")).scalar_subquery()
_stamp = (
    sa.select(_customer.c.id, _customer.c.created_at, _customer.c.ownership, _customer.c.members, known_table.c.version)
    .select_from(_customer.outerjoin(known_table, known_table.c.customer_id == _customer.c.id))
    .where(_customer.c.id == _root_id)
)
_latest = sa.select(sa.func.max(_exchange.c.id)).where(_exchange.c.customer_id == _b("p_id"))
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
        vector = self._encoder.encode([query])[0] if self._encoder is not None and query else None

        def work_out(tx: Tx) -> tuple[Recalled | None, tuple[int, str] | None]:
            found = recall(
                tx,
                customer_id,
                declared=self._declared,
                now=now,
                for_=for_,
                query=query,
                budget=budget,
                level=level,
                vector=vector,
                encoder=self._encoder.name if self._encoder is not None else None,
            )
            return found, stamp_of(tx, customer_id)

        found, stamp = await self._database.read(work_out)
        if found is not None and stamp is not None:
            self._cache.put(Key(stamp[0], asked, stamp[1]), orjson.dumps(asdict(found)), ttl_s=KEPT_S)
        return found


def stamp_of(tx: Tx, customer_id: int) -> tuple[int, str] | None:
    """The person's number and what a recall of them rests on: another stamp, another recall. None for a number that nobody has."""
    row = tx.execute(_stamp, {"p_id": customer_id}).first()
    if row is None:
        return None
    latest = [tx.execute(_latest, {"p_id": id_}).scalar() or 0 for id_ in (row.id, *(row.members or ()))]
    return row.id, f"{row.created_at.timestamp():.0f}.{row.version or 0}.{row.ownership}.{'-'.join(str(one) for one in latest)}"
