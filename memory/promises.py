"""What a bot or an agent said would happen: who, until when, and whether it was kept.

open --kept--> kept
open --its time passes--> broken --kept after all--> kept late
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Record, Tx, table

OPEN, KEPT, BROKEN, LATE = "open", "kept", "broken", "kept late"


class Promise(SQLModel, table=True):
    """One promise. ``by`` names who made it; ``exchange_id`` is where it was said to the customer. ``due_at`` None: no time was named."""

    __table_args__ = (
        sa.Index("promise_customer", "customer_id", "id"),
        sa.Index("promise_due", "due_at", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int | None = Field(default=None, sa_type=BigId)
    handoff_id: int | None = Field(default=None, sa_type=BigId)
    text: str = Field(sa_type=sa.Text)
    by: str
    exchange_id: int | None = Field(default=None, sa_type=BigId)
    state: str = OPEN
    made_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: str | None = None


promise_table: sa.Table = table(Promise)
_promise = promise_table
_b = sa.bindparam
_overdue = (
    sa.select(_promise).where(sa.text("state = 'open'"), _promise.c.due_at <= _b("p_now")).order_by(_promise.c.due_at).limit(_b("p_limit"))
)
_next = sa.select(sa.func.min(_promise.c.due_at)).where(sa.text("state = 'open'"))
_between = (
    sa.select(_promise)
    .where(
        _promise.c.customer_id == _b("p_customer"),
        _promise.c.exchange_id >= _b("p_first"),
        _promise.c.exchange_id <= _b("p_last"),
    )
    .order_by(_promise.c.id)
)
_by_id = sa.select(_promise).where(_promise.c.id == _b("p_id"))
_settle = (
    sa.update(_promise)
    .where(_promise.c.id == _b("p_id"), _promise.c.state == _b("p_from"))
    .values(state=_b("p_state"), settled_at=_b("p_at"), settled_by=_b("p_by"))
)


def make_promise(
    tx: Tx,
    customer_id: int,
    text: str,
    *,
    by: str,
    at: datetime,
    due_at: datetime | None,
    exchange_id: int | None,
    identity_id: int | None = None,
    handoff_id: int | None = None,
) -> int:
    """Keep a promise and return its id. The caller commits and brings :mod:`memory.known` up to date."""
    row = {
        "customer_id": customer_id,
        "identity_id": identity_id,
        "handoff_id": handoff_id,
        "text": text,
        "by": by,
        "exchange_id": exchange_id,
        "state": OPEN,
        "made_at": at,
        "due_at": due_at,
    }
    id_: int = tx.execute(sa.insert(_promise).returning(_promise.c.id), row).scalar_one()
    return id_


def settle_promise(tx: Tx, promise_id: int, *, by: str, at: datetime) -> str | None:
    """Say that a promise was kept: the new state, ``kept`` or ``kept late``; None if it was settled before."""
    found = tx.execute(_by_id, {"p_id": promise_id}).first()
    if found is None or found.state not in (OPEN, BROKEN):
        return None
    late = found.state == BROKEN or (found.due_at is not None and found.due_at < at)
    state = LATE if late else KEPT
    won = tx.execute(_settle, {"p_id": promise_id, "p_from": found.state, "p_state": state, "p_at": at, "p_by": by}).rowcount == 1
    return state if won else None


def break_promise(tx: Tx, promise_id: int, *, at: datetime) -> bool:
    """Note that the time of an open promise has passed. False if it was settled before."""
    return tx.execute(_settle, {"p_id": promise_id, "p_from": OPEN, "p_state": BROKEN, "p_at": at, "p_by": None}).rowcount == 1


def overdue_promises(tx: Tx, now: datetime, *, limit: int = 50) -> list[Record]:
    """Open promises whose time has passed, the oldest first."""
    return list(tx.execute(_overdue, {"p_now": now, "p_limit": limit}))


def next_due_promise(tx: Tx) -> datetime | None:
    """When the next open promise is due."""
    return tx.execute(_next).scalar()


def promise_history(tx: Tx, customer_ids: Iterable[int]) -> list[Record]:
    """Every promise made to these customers, oldest first."""
    return list(tx.execute(sa.select(_promise).where(_promise.c.customer_id.in_(list(customer_ids))).order_by(_promise.c.id)))


def promises_between(tx: Tx, customer_id: int, first_id: int, last_id: int) -> list[Record]:
    """The promises that were made to a customer in their exchanges from ``first_id`` to ``last_id``."""
    return list(tx.execute(_between, {"p_customer": customer_id, "p_first": first_id, "p_last": last_id}))
