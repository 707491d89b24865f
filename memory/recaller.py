"""Recalling people for agents and actions, with no transaction open: by a query's meaning where that is known, and from the cache where
nothing has changed since the same was asked."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from memory.cache import Cache, Key
from memory.clock import Clock
from memory.context import look_at_person
from memory.customers import Customer, Identity
from memory.database import Database, Tx, table
from memory.declared import Declarations
from memory.exchanges import Exchange
from memory.known import known_table
from memory.quick import Quick
from memory.recall import BUDGET, For, Recalled, recall, told
from memory.retention import mark_table

if TYPE_CHECKING:
    from memory.search.cells import Embedded
    from memory.search.meaning import Encoder

KEPT_S = 60.0
"""How long a recall may be given again although nothing has changed: it speaks of time (stale, overdue)."""

FORM = 2
"""Counts the forms of :class:`Recalled`: what another program version kept is not read."""


class Stamped(NamedTuple):
    """What was recalled, and on what it rests: while :func:`stamp_of` gives this stamp, it is the present."""

    recalled: Recalled
    stamp: str


class _Stamp(NamedTuple):
    """The person's number, the stamp, and their names on the channels."""

    customer_id: int
    text: str
    names: tuple[str, ...]


_customer, _identity, _exchange = table(Customer), table(Identity), table(Exchange)
_b = sa.bindparam
_root, _part = _customer.alias("root"), _customer.alias("part")
_root_id = sa.func.coalesce(sa.select(_part.c.merged_into_id).where(_part.c.id == _b("p_id")).scalar_subquery(), _b("p_id"))
_latest = sa.select(sa.func.max(_exchange.c.id)).where(_exchange.c.customer_id == _part.c.id).correlate(_part).scalar_subquery()
_faces = (_identity.c.id, _identity.c.channel, _identity.c.name, _identity.c.username, _identity.c.proof, _identity.c.proven_at)
_masked = sa.select(sa.func.sum(mark_table.c.done_to)).where(mark_table.c.rule.startswith("text ")).scalar_subquery()


def _stamped_by(array: str, row: str) -> Quick:
    """All that can change what a recall gives, in one statement: the lists as texts, in the order in which the database comes to them."""
    each, all_of = getattr(sa.func, row), getattr(sa.func, array)
    # A member is a row by its number or one that points to the root: each way has an index of its own.
    parts = [
        sa.select(sa.cast(all_of(each(_part.c.id, _part.c.created_at, _part.c.ownership, _latest)), sa.Text))
        .where(where)
        .correlate(_root)
        .scalar_subquery()
        for where in (_part.c.id == _root.c.id, _part.c.merged_into_id == _root.c.id)
    ]
    faces = sa.select(sa.cast(all_of(each(*_faces)), sa.Text)).where(_identity.c.customer_id == _root.c.id).correlate(_root)
    columns = (
        _root.c.id,
        parts[0].label("itself"),
        parts[1].label("members"),
        faces.scalar_subquery().label("faces"),
        _root.c.forgotten_at,
        known_table.c.version,
        sa.cast(_masked, sa.Text).label("masked"),
    )
    known = _root.outerjoin(known_table, known_table.c.customer_id == _root.c.id)
    return Quick(sa.select(*columns).select_from(known).where(_root.c.id == _root_id))


_stamps = {"sqlite": _stamped_by("json_group_array", "json_array"), "postgresql": _stamped_by("json_agg", "json_build_array")}
_recalled: TypeAdapter[Recalled] = TypeAdapter(Recalled)


class Recaller:
    """Recalls people. Correct whatever becomes of the cache: an entry is used only under the stamp that the database gives now.

    What is asked without a query is not kept: to read the stamp takes as long as to recall it. By a query nobody is recalled whom we are to
    forget, so that nothing of them is kept while it is being removed.
    """

    def __init__(self, database: Database, declared: Declarations, clock: Clock, cache: Cache, *, encoder: Encoder | None = None) -> None:
        self._database = database
        self._has_encoder = encoder is not None
        self.use(declared)
        self._clock = clock
        self._cache = cache
        self._encoder = encoder
        # Processes that share a cache may have been started with other files, or without the encoder.

    def use(self, declared: Declarations) -> None:
        """Recall by these declarations from now on; what was recalled by others is not taken from the cache."""
        self._declared = declared
        self._with = [FORM, hashlib.blake2b(repr(declared).encode(), digest_size=8).hexdigest(), self._has_encoder]

    async def __call__(
        self, customer_id: int, *, for_: For = "agent", query: str | None = None, budget: int = BUDGET, level: str | None = None
    ) -> Recalled | None:
        """As :func:`memory.recall.recall`. ``query``'s meaning is sought too where there is an encoder."""
        if query:
            found = await self.stamped(customer_id, query, for_=for_, budget=budget, level=level)
            return found.recalled if found is not None else None
        contexts = await look_at_person(self._database, customer_id)
        return told(contexts, declared=self._declared, now=self._clock.now(), for_=for_, budget=budget, level=level)

    async def stamped(
        self, customer_id: int, query: str, *, for_: For = "agent", budget: int = BUDGET, level: str | None = None
    ) -> Stamped | None:
        """The same, for who has to know in a later transaction whether it is the present still."""
        asked = hashlib.sha256(orjson.dumps([*self._with, for_, query, budget, level])).hexdigest()[:32]
        now = self._clock.now()
        before = _read(await self._database.ask(_stamps[self._database.dialect], {"p_id": customer_id}))
        if before is None:
            return None
        kept = await self._cache.get(Key(before.customer_id, asked, before.text))
        if kept is not None and (again := _decoded(kept)) is not None:
            return Stamped(again, before.text)
        meaning = await self._meaning_of(query, before.names, now)

        def work_out(tx: Tx) -> tuple[Recalled | None, _Stamp | None]:
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
            return found, _stamp(tx, customer_id)

        found, stamp = await self._database.read(work_out)
        if found is None or stamp is None:
            return None
        self._cache.put(Key(stamp.customer_id, asked, stamp.text), orjson.dumps(asdict(found)), ttl_s=KEPT_S)
        return Stamped(found, stamp.text)

    async def _meaning_of(self, query: str, names: tuple[str, ...], now: datetime) -> Embedded | None:
        """The query as the encoder sees it, without the names of those who take part: they are near everything that was said."""
        if self._encoder is None:
            return None
        from memory.search.meaning import embed
        from memory.search.words import ask

        return await asyncio.to_thread(embed, self._encoder, ask(query, names=names, now=now).plain)


def stamp_of(tx: Tx, customer_id: int) -> str | None:
    """On what a recall of this person rests now: another stamp, another recall. None for a number that nobody has, or no more.

    It holds who the person is, the ownership numbers, the last exchanges, the version of what is known, the identities and how well they
    are proven, and how far words are masked for their age.
    """
    stamp = _stamp(tx, customer_id)
    return None if stamp is None else stamp.text


def _stamp(tx: Tx, customer_id: int) -> _Stamp | None:
    return _read(_stamps[tx.dialect.name].rows(tx, {"p_id": customer_id}))


def _read(rows: list[Any]) -> _Stamp | None:
    if not rows:
        return None
    row = rows[0]
    if row.forgotten_at is not None:
        return None
    itself, members, faces = (sorted(orjson.loads(text or "[]")) for text in (row.itself, row.members, row.faces))
    rests_on = orjson.dumps([itself, members, faces, row.version, row.masked])
    names = tuple(name for _, _, name, *_ in faces if name)
    return _Stamp(row.id, hashlib.blake2b(rests_on, digest_size=16).hexdigest(), names)


def _decoded(kept: bytes) -> Recalled | None:
    """None where it cannot be read: then it is worked out again."""
    try:
        return _recalled.validate_json(kept)
    except ValidationError:
        return None
