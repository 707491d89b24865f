"""Who the memory's tests speak of, and how two transactions are made to overlap."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.util import await_only

from memory.customers import Known, Profile, find_or_make
from memory.database import Database, Tx
from memory.declared import Declarations
from memory.facts import Standing, Told, remember
from memory.known import refresh_known

T = TypeVar("T")

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

_blocked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def after(seconds: float) -> datetime:
    """So many seconds after the start."""
    return START + timedelta(seconds=seconds)


async def meet(database: Database, address: str = "42", **profile: str) -> Known:
    """A customer whom the channel has brought."""
    return (await database.write(lambda tx: find_or_make(tx, "telegram", [Profile(address, **profile)], at=START)))[address]


def pause(wait: Awaitable[T]) -> T:
    """Wait in the middle of a transaction, on PostgreSQL only: what a slow network between two statements does."""
    return await_only(wait)


async def someone_blocked(database: Database) -> None:
    """Return when a transaction waits for another one's lock."""

    def blocked(tx: Tx) -> bool:
        return bool(tx.execute(_blocked).scalar())

    while not await database.read(blocked):
        pass


def tell(tx: Tx, customer_id: int, name: str, value: Any, *, at: datetime, source: str = "customer", **rest: Any) -> Standing:
    """Tell a fact as a turn does: stored, and gathered for the next recall; ``rest`` as in ``Told``."""
    standing = remember(tx, Declarations(), customer_id, Told(name, value, source, **rest), at=at)
    refresh_known(tx, [customer_id])
    return standing
