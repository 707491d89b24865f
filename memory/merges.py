"""Customers who turned out to be one person: proposed, merged, and taken apart again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, table


class Merge(SQLModel, table=True):
    """One merge: ``merged_id`` became part of ``survivor_id``, both people of their own until then.

    Undone, it stays, with when and by whom.
    """

    __table_args__ = (sa.Index("merge_survivor", "survivor_id"), sa.Index("merge_merged", "merged_id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    survivor_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    merged_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    evidence: dict[str, Any] = Field(sa_type=Json)
    by: str
    at: datetime = Field(sa_type=UtcDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_by: str | None = None


class Proposal(SQLModel, table=True):
    """Two customers who may be one person, and what speaks for it. ``state`` is open, merged or refused; a pair is proposed once a kind."""

    __table_args__ = (
        sa.UniqueConstraint("one_id", "other_id", "kind"),
        sa.Index("proposal_other", "other_id"),
        sa.CheckConstraint("one_id < other_id", name="proposal_order"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    one_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    other_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    kind: str
    evidence: dict[str, Any] = Field(sa_type=Json)
    state: str = "open"
    at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: str | None = None


class Handle(SQLModel, table=True):
    """A value that identifies a person (a phone number, an e-mail address, an order number), as a digest, and who told it."""

    kind: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    customer_id: int = Field(primary_key=True, foreign_key="customer.id", index=True, sa_type=BigId)
    fact_id: int | None = Field(default=None, sa_type=BigId)
    at: datetime = Field(sa_type=UtcDateTime)


merge_table: sa.Table = table(Merge)
proposal_table: sa.Table = table(Proposal)
handle_table: sa.Table = table(Handle)
