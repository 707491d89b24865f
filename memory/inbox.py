"""The near end of the ledger: every update that a channel has accepted, until a turn has dealt with it.

A row waits while ``turn_id`` is empty. The unique key (channel, update_id) makes N deliveries one row.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, Record, Row, Tx, insert_into, per_dialect, table
from memory.lanes import open_lanes

TURN = "turn"
"""The kind of lane that a customer's turns run in; its key is the customer's id."""


class Inbox(SQLModel, table=True):
    """One accepted update. ``incoming`` is emptied when a turn has logged it; the row itself stays, to know the update again.

    ``due_at`` is later than ``received_at`` for a part of an album, so that the other parts can arrive.
    """

    __table_args__ = (
        sa.UniqueConstraint("channel", "update_id"),
        sa.Index(
            "inbox_waiting",
            "customer_id",
            "id",
            sqlite_where=sa.text("turn_id IS NULL"),
            postgresql_where=sa.text("turn_id IS NULL"),
        ),
        sa.Index(
            "inbox_album",
            "identity_id",
            "album",
            sqlite_where=sa.text("album IS NOT NULL"),
            postgresql_where=sa.text("album IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},  # a turn is named by its first row's id: an id is never used again
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    channel: str
    update_id: str
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int = Field(foreign_key="identity.id", sa_type=BigId)
    album: str | None = None
    incoming: dict[str, Any] | None = Field(default=None, sa_type=Json)
    received_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    turn_id: int | None = Field(default=None, sa_type=BigId)


class Quarantine(SQLModel, table=True):
    """An update that could not be understood, kept as it came, so that those behind it go on."""

    __table_args__ = (sa.UniqueConstraint("channel", "update_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    channel: str
    update_id: str
    raw: str = Field(sa_type=sa.Text)
    why: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_type=UtcDateTime)


inbox_table: sa.Table = table(Inbox)
_inbox = inbox_table
_quarantine = table(Quarantine)
_b = sa.bindparam
_waiting = sa.and_(
    _inbox.c.turn_id.is_(None),
    _inbox.c.customer_id.in_(_b("p_customers", expanding=True)),
)
_first_ids = sa.select(sa.func.min(_inbox.c.id)).where(_waiting).group_by(_inbox.c.customer_id)
_firsts = sa.select(_inbox).where(_inbox.c.id.in_(_first_ids))
_next_due = sa.select(_inbox.c.customer_id, _inbox.c.due_at).where(_inbox.c.id.in_(_first_ids))
_album = sa.select(_inbox).where(_inbox.c.identity_id == _b("p_identity"), _inbox.c.album == _b("p_album")).order_by(_inbox.c.id)
_finish = sa.update(_inbox).where(_inbox.c.id == _b("p_id"), _inbox.c.turn_id.is_(None)).values(turn_id=_b("p_turn"), incoming=None)


@per_dialect
def _keep(dialect: str) -> Any:
    return insert_into(Inbox, dialect).on_conflict_do_nothing().returning(_inbox.c.update_id)


@per_dialect
def _keep_one(dialect: str) -> Any:
    return insert_into(Inbox, dialect).on_conflict_do_nothing().returning(_inbox.c.id)


@per_dialect
def _put_away(dialect: str) -> Any:
    return insert_into(Quarantine, dialect).on_conflict_do_nothing()


def keep(tx: Tx, rows: list[Row]) -> set[str]:
    """Store incomings and open their lanes; returns the update ids that were new. A known update changes nothing."""
    if not rows:
        return set()
    new = set(tx.execute(_keep(tx), rows).scalars())
    open_lanes(tx, TURN, {str(row["customer_id"]): row["due_at"] for row in rows if row["update_id"] in new})
    return new


def keep_finished(tx: Tx, row: Row) -> int | None:
    """Store an incoming that the caller deals with in this same transaction; returns the turn's id, or None if it was known."""
    turn_id: int | None = tx.execute(_keep_one(tx), row).scalar()
    if turn_id is not None:
        finish(tx, {turn_id: turn_id})
    return turn_id


def inbox_row(
    *,
    channel: str,
    update_id: str,
    customer_id: int,
    identity_id: int,
    incoming: Any,
    received_at: datetime,
    due_at: datetime | None = None,
    album: str | None = None,
) -> Row:
    """A row for :func:`keep`."""
    return {
        "channel": channel,
        "update_id": update_id,
        "customer_id": customer_id,
        "identity_id": identity_id,
        "album": album,
        "incoming": incoming,
        "received_at": received_at,
        "due_at": due_at or received_at,
    }


def first_waiting(tx: Tx, customers: Collection[int]) -> dict[int, list[Record]]:
    """What stands first in each customer's lane: one row, or every waiting part of one album."""
    if not customers:
        return {}
    rows = tx.execute(_firsts, {"p_customers": list(customers)}).all()
    first: dict[int, list[Record]] = {}
    for row in rows:
        parts = [row]
        if row.album is not None:
            album = tx.execute(_album, {"p_identity": row.identity_id, "p_album": row.album})
            parts = [part for part in album if part.turn_id is None]
        first[row.customer_id] = parts
    return first


def album_begun(tx: Tx, identity_id: int, album: str) -> bool:
    """Whether an earlier turn has already dealt with a part of this album."""
    return any(part.turn_id is not None for part in tx.execute(_album, {"p_identity": identity_id, "p_album": album}))


def next_due(tx: Tx, customers: Collection[int]) -> dict[int, datetime]:
    """When the next waiting incoming of each customer is due; a customer with none is missing."""
    rows = tx.execute(_next_due, {"p_customers": list(customers)})
    return {row.customer_id: row.due_at for row in rows}


def finish(tx: Tx, turn_of: dict[int, int]) -> None:
    """Mark inbox rows (by id) as dealt with by a turn (its id)."""
    if turn_of:
        tx.execute(_finish, [{"p_id": row, "p_turn": turn} for row, turn in turn_of.items()])


def put_in_quarantine(tx: Tx, rows: list[Row]) -> None:
    """Keep updates (channel, update_id, raw, why, at) that nothing of ours can read. A known one changes nothing."""
    if rows:
        tx.execute(_put_away(tx), rows)


def quarantined(tx: Tx, *, limit: int = 100) -> list[Record]:
    """The newest updates in quarantine."""
    return list(tx.execute(sa.select(_quarantine).order_by(_quarantine.c.id.desc()).limit(limit)))
