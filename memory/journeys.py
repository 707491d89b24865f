"""Where customers stand, product by product: a stage, how they came there, and what comes next."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Record, Tx, table


class Journey(SQLModel, table=True):
    """One matter with one product, end to end.

    ``matter`` tells two of a kind apart (two cards); one is open for a customer, a product and a matter.
    """

    __table_args__ = (
        sa.Index(
            "journey_open",
            "customer_id",
            "product",
            "matter",
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index("journey_customer", "customer_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    product: str
    matter: str = ""
    stage: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    moved_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class JourneyMove(SQLModel, table=True):
    """One step of a journey: from where (None: it began) to where, moved by whom and why. Rows are only added."""

    __tablename__ = "journey_move"
    __table_args__ = (sa.Index("journey_move_journey", "journey_id", "id"), sa.Index("journey_move_customer", "customer_id", "id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    journey_id: int = Field(foreign_key="journey.id", sa_type=BigId)
    customer_id: int = Field(sa_type=BigId)
    from_stage: str | None = None
    to_stage: str
    by: str
    why: str = ""
    turn_id: int | None = Field(default=None, sa_type=BigId)
    at: datetime = Field(sa_type=UtcDateTime)


journey_table: sa.Table = table(Journey)
move_table: sa.Table = table(JourneyMove)
_journey, _move = journey_table, move_table
_b = sa.bindparam
_open = (
    sa.select(_journey)
    .where(
        _journey.c.customer_id.in_(_b("p_ids", expanding=True)),
        _journey.c.product == _b("p_product"),
        _journey.c.matter == _b("p_matter"),
        _journey.c.closed_at.is_(None),
    )
    .order_by(_journey.c.moved_at.desc(), _journey.c.id.desc())
    .limit(1)
)
_history = sa.select(_move).where(_move.c.customer_id.in_(_b("p_ids", expanding=True))).order_by(_move.c.id)


def move_journey(
    tx: Tx,
    customer_id: int,
    product: str,
    to_stage: str,
    *,
    by: str,
    at: datetime,
    matter: str = "",
    why: str = "",
    turn_id: int | None = None,
    closes: bool = False,
    person: Collection[int] = (),
) -> bool:
    """Move a journey to a stage, beginning it where there is none; ``closes`` ends it there. False if it stands there already.

    ``person`` are all customers who are this one person: a journey that any of them began is moved on. ``by`` is customer, agent, action or
    event. Which moves are legal is the caller's business (:class:`memory.declared.Product`). The caller holds the customer, commits, and
    brings :mod:`memory.known` up to date.
    """
    found = tx.execute(_open, {"p_ids": sorted({customer_id, *person}), "p_product": product, "p_matter": matter}).first()
    if found is not None and found.stage == to_stage:
        return False
    closed_at = at if closes else None
    if found is None:
        row = {
            "customer_id": customer_id,
            "product": product,
            "matter": matter,
            "stage": to_stage,
            "opened_at": at,
            "moved_at": at,
            "closed_at": closed_at,
        }
        journey_id = tx.execute(sa.insert(_journey).returning(_journey.c.id), row).scalar_one()
    else:
        journey_id = found.id
        tx.execute(sa.update(_journey).where(_journey.c.id == journey_id).values(stage=to_stage, moved_at=at, closed_at=closed_at))
    step = {
        "journey_id": journey_id,
        "customer_id": found.customer_id if found is not None else customer_id,
        "from_stage": found.stage if found is not None else None,
        "to_stage": to_stage,
        "by": by,
        "why": why,
        "turn_id": turn_id,
        "at": at,
    }
    tx.execute(sa.insert(_move), step)
    return True


def journey_history(tx: Tx, customer_ids: Iterable[int]) -> list[Record]:
    """Every move of these customers' journeys, oldest first."""
    return list(tx.execute(_history, {"p_ids": list(customer_ids)}))
