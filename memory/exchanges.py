"""The append-only log: every message in or out, and every edit, deletion and reaction as an event about one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, Record, Row, Tx, table
from memory.lanes import mark_lanes

DIGEST = "digest"
"""The kind of lane in which a customer's new exchanges wait to be indexed and summarised; its key is the customer's id."""

DIGEST_AFTER = timedelta(minutes=15)
"""How long they wait, so that a conversation is dealt with in few pieces and what was logged has settled."""

FILES = "files"
"""The kind of lane in which a turn's attachments wait to be fetched and kept (:mod:`memory.attachments`); its key is the turn's id."""

FILES_AFTER = timedelta(minutes=1)
"""How long they wait, so that the desk, which shows them at once, comes first."""

MASKED = "masked"
"""What ``data`` of an exchange has, and nothing else, once its words were masked: since when, in ISO 8601."""

PER_TURN = 256
"""How many exchanges one turn can log: an exchange's id is its turn's id times this, plus its place, and so the same in a repeated turn."""


class Exchange(SQLModel, table=True):
    """One message, or one event about a message (``about_id``); rows are added, and changed only by being masked when they are old.

    ``origin`` is where the words came from, as ``channel:message id``, and finds the exchange that an edit or a reaction speaks of.
    ``mood`` is from -1 (bad) to 1 (good), ``intent`` what the assistant took the message for; both None where nobody judged.
    """

    __table_args__ = (
        sa.Index("exchange_customer", "customer_id", "id"),
        sa.Index("exchange_origin", "identity_id", "origin"),
        sa.Index(
            "exchange_about",
            "about_id",
            "id",
            sqlite_where=sa.text("about_id IS NOT NULL"),
            postgresql_where=sa.text("about_id IS NOT NULL"),
        ),
    )

    id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int = Field(foreign_key="identity.id", sa_type=BigId)
    turn_id: int = Field(sa_type=BigId)
    direction: str
    author: str
    author_name: str | None = None
    kind: str
    text: str = Field(default="", sa_type=sa.Text)
    attachments: list[dict[str, Any]] | None = Field(default=None, sa_type=Json)
    data: dict[str, Any] | None = Field(default=None, sa_type=Json)
    origin: str | None = None
    about_id: int | None = Field(default=None, sa_type=BigId)
    reply: str | None = None
    language: str | None = None
    mood: float | None = None
    intent: str | None = None
    at: datetime = Field(sa_type=UtcDateTime)


_exchange = table(Exchange)
_b = sa.bindparam
_about = (
    sa.select(_exchange)
    .where(
        _exchange.c.identity_id == _b("p_identity"),
        _exchange.c.origin == _b("p_origin"),
        _exchange.c.about_id.is_(None),
    )
    .limit(1)
)
_after = (
    sa.select(_exchange)
    .where(_exchange.c.customer_id == _b("p_customer"), _exchange.c.id > _b("p_after"))
    .order_by(_exchange.c.id)
    .limit(_b("p_limit"))
)
_said = (
    sa.select(_exchange)
    .where(
        _exchange.c.customer_id == _b("p_customer"),
        _exchange.c.id >= _b("p_since"),
        _exchange.c.author == _b("p_author"),
        _exchange.c.about_id.is_(None),
    )
    .order_by(_exchange.c.id.desc())
    .limit(_b("p_limit"))
)
_edits = (
    sa.select(_exchange)
    .where(
        _exchange.c.customer_id == _b("p_customer"),
        _exchange.c.id >= _b("p_since"),
        _exchange.c.kind == "edit",
        _exchange.c.about_id.in_(_b("p_about", expanding=True)),
    )
    .order_by(_exchange.c.id)
)


def exchange_id(turn_id: int, n: int) -> int:
    """The id of a turn's exchange number ``n``."""
    if n >= PER_TURN:
        raise ValueError(f"a turn logs at most {PER_TURN} exchanges")
    return turn_id * PER_TURN + n


def exchange_row(
    *,
    id: int,
    customer_id: int,
    identity_id: int,
    turn_id: int,
    direction: str,
    author: str,
    kind: str,
    at: datetime,
    text: str = "",
    author_name: str | None = None,
    attachments: Sequence[Any] | None = None,
    data: Any | None = None,
    origin: str | None = None,
    about_id: int | None = None,
    reply: str | None = None,
    language: str | None = None,
    mood: float | None = None,
    intent: str | None = None,
) -> Row:
    """A row for :func:`log`; ``attachments`` and ``data`` may be anything that orjson writes."""
    return {
        "id": id,
        "customer_id": customer_id,
        "identity_id": identity_id,
        "turn_id": turn_id,
        "direction": direction,
        "author": author,
        "author_name": author_name,
        "kind": kind,
        "text": text,
        "attachments": attachments or None,
        "data": data,
        "origin": origin,
        "about_id": about_id,
        "reply": reply,
        "language": language,
        "mood": mood,
        "intent": intent,
        "at": at,
    }


def log(tx: Tx, rows: list[Row]) -> None:
    """Append exchanges, to be digested by and by. A turn that was already logged breaks the primary key: nothing is ever logged twice."""
    if rows:
        tx.execute(sa.insert(_exchange), rows)
        latest = max(row["at"] for row in rows)
        mark_lanes(tx, DIGEST, (str(row["customer_id"]) for row in rows), ready_at=latest + DIGEST_AFTER)
        mark_lanes(tx, FILES, (str(row["turn_id"]) for row in rows if row["attachments"]), ready_at=latest + FILES_AFTER)


def is_masked(row: Record) -> bool:
    """Whether the exchange's words were masked because they had been kept for long enough (:mod:`memory.retention`)."""
    return bool(row.data) and MASKED in row.data


def find_origin(tx: Tx, identity_id: int, origin: str) -> Record | None:
    """The exchange whose words came from ``origin`` (``channel:message id``), or None if it was never logged."""
    return tx.execute(_about, {"p_identity": identity_id, "p_origin": origin}).first()


def exchanges_after(tx: Tx, customer_id: int, after_id: int = 0, *, limit: int = 200) -> list[Record]:
    """A customer's exchanges in order, from just after ``after_id``."""
    return list(tx.execute(_after, {"p_customer": customer_id, "p_after": after_id, "p_limit": limit}))


def last_said(tx: Tx, customer_id: int, author: str, *, since_id: int, limit: int) -> list[Record]:
    """The newest messages of one author from exchange ``since_id`` on, as first written, oldest first."""
    rows = tx.execute(_said, {"p_customer": customer_id, "p_since": since_id, "p_author": author, "p_limit": limit})
    return list(rows)[::-1]


def edits_of(tx: Tx, customer_id: int, ids: Sequence[int]) -> list[Record]:
    """The edits of these exchanges, in order: the last one about an exchange holds its present text."""
    if not ids:
        return []
    return list(tx.execute(_edits, {"p_customer": customer_id, "p_since": min(ids), "p_about": list(ids)}))
