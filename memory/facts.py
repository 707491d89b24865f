"""What is known about customers: each fact with its source, how sure it is, and from when until when it held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, Record, Row, Tx, table


class Fact(SQLModel, table=True):
    """One value that held from ``since`` until ``until`` (None: still). The partial unique index keeps one current value a name."""

    __table_args__ = (
        sa.Index(
            "fact_current",
            "customer_id",
            "name",
            unique=True,
            sqlite_where=sa.text("until IS NULL"),
            postgresql_where=sa.text("until IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    name: str
    value: Any = Field(sa_type=Json)
    source: str
    exchange_id: int | None = Field(default=None, sa_type=BigId)
    confidence: float = 1.0
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)


_fact = table(Fact)
_b = sa.bindparam
_end = (
    sa.update(_fact)
    .where(_fact.c.customer_id == _b("p_customer"), _fact.c.name == _b("p_name"), _fact.c.until.is_(None))
    .values(until=_b("p_at"))
)
_history = sa.select(_fact).where(_fact.c.customer_id == _b("p_customer")).order_by(_fact.c.id)


def remember(
    tx: Tx,
    customer_id: int,
    name: str,
    value: Any,
    *,
    source: str,
    at: datetime,
    exchange_id: int | None,
    confidence: float = 1.0,
) -> None:
    """Store a fact as current from ``at``; an older value of the same name ends then.

    ``source`` is who said so: ``customer``, ``channel`` or ``agent``; ``exchange_id`` is the exchange that it was learned from.
    """
    tx.execute(_end, {"p_customer": customer_id, "p_name": name, "p_at": at})
    row: Row = {
        "customer_id": customer_id,
        "name": name,
        "value": value,
        "source": source,
        "exchange_id": exchange_id,
        "confidence": confidence,
        "since": at,
        "until": None,
    }
    tx.execute(sa.insert(_fact), row)


def fact_history(tx: Tx, customer_id: int) -> list[Record]:
    """Every value that was ever current, oldest first."""
    return list(tx.execute(_history, {"p_customer": customer_id}))
