"""Lanes: work that must happen one piece at a time and in order, shared among any number of worker processes.

A lane exists while something waits or runs in it: a customer's turns (kind ``turn``), the sends to one address (``telegram``,
``handoff``). Its row is the lock. ``ready_at`` is when it may be claimed; claiming moves it to the end of the lease, so that a dead
worker's lane becomes ready by itself, and counts ``lease`` up, so that the dead worker, should it wake, is told that it lost the lane.

Locks are taken in one order everywhere (lanes sorted by key, ``turn`` before sends), so PostgreSQL sees no deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import Tx, insert_into, per_dialect, table


class Lane(SQLModel, table=True):
    """One row for each lane in which something waits or runs."""

    __table_args__ = (sa.Index("lane_ready", "kind", "ready_at"),)

    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    ready_at: datetime = Field(sa_type=UtcDateTime)
    lease: int = 0
    worker: str | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A lane that this worker holds until its lease ends. ``tries`` counts failed attempts at what stands first in it."""

    kind: str
    key: str
    lease: int
    tries: int


_lane = table(Lane)
_b = sa.bindparam

_due = (
    sa.select(_lane.c.key)
    .where(_lane.c.kind == _b("p_kind"), _lane.c.ready_at <= _b("p_now"))
    .order_by(_lane.c.ready_at)
    .limit(_b("p_limit"))
    .with_for_update(skip_locked=True)
    .cte("due")  # run once: PostgreSQL may run a plain subquery again for each lane, and the limit then holds for each run
)
_claim = (
    sa.update(_lane)
    .where(_lane.c.kind == _b("p_kind"), _lane.c.key.in_(sa.select(_due.c.key)))
    .values(worker=_b("p_worker"), lease=_lane.c.lease + 1, ready_at=_b("p_until"))
    .returning(_lane.c.key, _lane.c.lease, _lane.c.tries)
)
_held = (
    sa.select(_lane.c.key, _lane.c.lease)
    .where(_lane.c.kind == _b("p_kind"), _lane.c.key.in_(_b("p_keys", expanding=True)))
    .order_by(_lane.c.key)
    .with_for_update()
)
_next_due = sa.select(sa.func.min(_lane.c.ready_at)).where(_lane.c.kind == _b("p_kind"))
_delete = sa.delete(_lane).where(_lane.c.kind == _b("p_kind"), _lane.c.key == _b("p_key"))
_release = (
    sa.update(_lane)
    .where(_lane.c.kind == _b("p_kind"), _lane.c.key == _b("p_key"))
    .values(worker=None, ready_at=_b("p_at"), tries=_b("p_tries"))
)


@per_dialect
def _open(dialect: str) -> Any:
    new = insert_into(Lane, dialect)
    free = sa.and_(_lane.c.worker.is_(None), _lane.c.tries == 0)
    ready_at = sa.case((free, new.excluded.ready_at), else_=_lane.c.ready_at)
    return new.on_conflict_do_update(index_elements=["kind", "key"], set_={"ready_at": ready_at})


def open_lanes(tx: Tx, kind: str, ready: Mapping[str, datetime]) -> None:
    """Say that something waits in these lanes, each ready at its time.

    A lane that a worker holds, or that pauses after a failure, keeps its own time: the worker looks again before it lets go.
    """
    if not ready:
        return
    rows = [{"kind": kind, "key": key, "ready_at": at, "lease": 0, "tries": 0} for key, at in sorted(ready.items())]
    tx.execute(_open(tx), rows)


@per_dialect
def _mark(dialect: str) -> Any:
    new = insert_into(Lane, dialect)
    # Its time stays as it is; writing it takes the row's lock, so that whoever is just leaving the lane has left or sees what came.
    return new.on_conflict_do_update(index_elements=["kind", "key"], set_={"ready_at": _lane.c.ready_at})


def mark_lanes(tx: Tx, kind: str, keys: Iterable[str], *, ready_at: datetime) -> None:
    """Say that something is to be done in these lanes by and by; one that waits for it already keeps its time."""
    rows = [{"kind": kind, "key": key, "ready_at": ready_at, "lease": 0, "tries": 0} for key in sorted(set(keys))]
    if rows:
        tx.execute(_mark(tx), rows)


@per_dialect
def _restart(dialect: str) -> Any:
    new = insert_into(Lane, dialect)
    values = {"ready_at": new.excluded.ready_at, "lease": _lane.c.lease + 1, "worker": None, "tries": 0}
    return new.on_conflict_do_update(index_elements=["kind", "key"], set_=values)


def restart_lanes(tx: Tx, kind: str, keys: Iterable[str], *, ready_at: datetime) -> None:
    """Say that what is to be done in these lanes is to be begun anew: whoever is at it loses the lane and stores nothing."""
    rows = [{"kind": kind, "key": key, "ready_at": ready_at, "lease": 0, "tries": 0} for key in sorted(set(keys))]
    if rows:
        tx.execute(_restart(tx), rows)


def claim_lanes(tx: Tx, kind: str, *, worker: str, now: datetime, until: datetime, limit: int) -> list[Claimed]:
    """Take up to ``limit`` ready lanes until the lease ends; no other worker has any of them meanwhile."""
    rows = tx.execute(_claim, {"p_kind": kind, "p_now": now, "p_until": until, "p_worker": worker, "p_limit": limit}).all()
    return [Claimed(kind, key, lease, tries) for key, lease, tries in rows]


def still_held(tx: Tx, claimed: Iterable[Claimed]) -> set[str]:
    """Lock the rows and return the keys of those whose lease is still ours. All of one kind."""
    leases = {lane.key: lane for lane in claimed}
    if not leases:
        return set()
    kind = next(iter(leases.values())).kind
    rows = tx.execute(_held, {"p_kind": kind, "p_keys": list(leases)})
    return {key for key, lease in rows if leases[key].lease == lease}


def lock_lanes(tx: Tx, kind: str, keys: Iterable[str]) -> None:
    """Lock those of the lanes that are there, so that nobody claims, leaves or records anything in them before the caller commits."""
    if wanted := sorted(set(keys)):
        tx.execute(_held, {"p_kind": kind, "p_keys": wanted}).all()


def leave_lanes(tx: Tx, kind: str, then: Mapping[str, datetime | None]) -> None:
    """Let go of lanes that :func:`still_held` has locked: ready again at the time given, or gone where nothing waits any more."""
    gone = [{"p_kind": kind, "p_key": key} for key, at in sorted(then.items()) if at is None]
    kept = [{"p_kind": kind, "p_key": key, "p_at": at, "p_tries": 0} for key, at in sorted(then.items()) if at is not None]
    if gone:
        tx.execute(_delete, gone)
    if kept:
        tx.execute(_release, kept)


def pause_lane(tx: Tx, claimed: Claimed, *, until: datetime, tries: int) -> None:
    """Let go of a lane after a failure; nothing in it happens before ``until``. Harmless if the lease was lost."""
    if claimed.key in still_held(tx, [claimed]):
        tx.execute(_release, {"p_kind": claimed.kind, "p_key": claimed.key, "p_at": until, "p_tries": tries})


def next_ready(tx: Tx, kind: str) -> datetime | None:
    """When the next lane of this kind can be claimed; None if nothing waits."""
    return tx.execute(_next_due, {"p_kind": kind}).scalar()
