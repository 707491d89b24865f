"""What became of each conversation that is over: what was wanted, what was done, how it ended, what was promised, and where that stands.

Extractive: every sentence was said by somebody, and its exchange is named.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, Row, Tx, insert_into, per_dialect, table


class Summary(SQLModel, table=True):
    """One conversation, from exchange ``first_id`` to ``last_id`` of one customer.

    ``ending`` is solved, unsolved, person, left or told. ``links`` are the exchanges that each part was taken from:
    ``{"wanted": [id], "done": [id, ...], "ending": [id], "promised": [id, ...]}``.
    """

    __table_args__ = (
        sa.UniqueConstraint("customer_id", "first_id"),
        sa.Index("summary_customer", "customer_id", "last_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int = Field(sa_type=BigId)
    first_id: int = Field(sa_type=BigId)
    last_id: int = Field(sa_type=BigId)
    began_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    wanted: str = Field(default="", sa_type=sa.Text)
    done: str = Field(default="", sa_type=sa.Text)
    ending: str = ""
    promised: str = Field(default="", sa_type=sa.Text)
    links: dict[str, Any] = Field(sa_type=Json)


summary_table: sa.Table = table(Summary)
_summary = summary_table
_last = sa.select(sa.func.max(_summary.c.last_id)).where(_summary.c.customer_id == sa.bindparam("p_customer"))


@per_dialect
def _keep(dialect: str) -> Any:
    return insert_into(Summary, dialect).on_conflict_do_nothing(index_elements=["customer_id", "first_id"])


def keep_summaries(tx: Tx, rows: list[Row]) -> None:
    """Store summaries; a conversation that has one keeps it. The caller commits and brings :mod:`memory.known` up to date."""
    if rows:
        tx.execute(_keep(tx), rows)


def summarised_to(tx: Tx, customer_id: int) -> int:
    """The last exchange that a summary speaks of; 0 if there is none."""
    return int(tx.execute(_last, {"p_customer": customer_id}).scalar() or 0)
