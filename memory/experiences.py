"""Good and bad moments with their evidence, and whether a customer is near the limit.

Three bad experiences are what most people bear before they leave (62 % in the survey that this product was made from, see README), so a
customer is marked when two weigh on them: the next one may be the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, Record, Row, Tx, insert_into, per_dialect, table

NEAR_LIMIT = 2.0
"""The weight of bad experiences from which on a customer is marked: one whole bad moment weighs 1."""

WEIGHS_FOR = timedelta(days=365)
"""Older experiences are kept and weigh nothing."""

GOOD_WEIGHS = 0.5
"""How much of a bad moment a good one of the same weight makes up for: people remember the bad ones better."""


class Experience(SQLModel, table=True):
    """One moment. ``key`` (``turn.kind`` or the like) is unique, so that a repeated turn notes it once.

    ``kind`` is mood, repeated, waited, failed, rating, promise, thanks or solved; ``weight`` is 0 to 1; ``evidence`` says what was seen,
    in numbers and ids, not in the customer's words: those are in the exchange.
    """

    __table_args__ = (sa.Index("experience_customer", "customer_id", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    key: str = Field(unique=True)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    good: bool
    kind: str
    weight: float
    exchange_id: int | None = Field(default=None, sa_type=BigId)
    evidence: dict[str, Any] | None = Field(default=None, sa_type=Json)
    at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Moment:
    """An experience as recalled."""

    good: bool
    kind: str
    weight: float
    exchange_id: int | None
    evidence: dict[str, Any] | None
    at: datetime


experience_table: sa.Table = table(Experience)
_experience = experience_table


@per_dialect
def _add(dialect: str) -> Any:
    return insert_into(Experience, dialect).on_conflict_do_nothing(index_elements=["key"])


def experience_row(
    *,
    key: str,
    customer_id: int,
    good: bool,
    kind: str,
    weight: float,
    at: datetime,
    exchange_id: int | None = None,
    evidence: dict[str, Any] | None = None,
) -> Row:
    """A row for :func:`keep_experiences`."""
    return {
        "key": key,
        "customer_id": customer_id,
        "good": good,
        "kind": kind,
        "weight": weight,
        "exchange_id": exchange_id,
        "evidence": evidence,
        "at": at,
    }


def keep_experiences(tx: Tx, rows: list[Row]) -> None:
    """Note moments; a known key changes nothing. The caller commits and brings :mod:`memory.known` up to date."""
    if rows:
        tx.execute(_add(tx), rows)


def weight_of(moments: Iterable[Moment], now: datetime) -> float:
    """How much bad experience weighs on a customer now; never below zero. Pure."""
    recent = [one for one in moments if now - one.at <= WEIGHS_FOR]
    bad = sum(one.weight for one in recent if not one.good)
    good = sum(one.weight for one in recent if one.good and any(not other.good and other.at <= one.at for other in recent))
    return max(0.0, bad - GOOD_WEIGHS * good)


def near_limit(moments: Sequence[Moment], now: datetime) -> tuple[Moment, ...]:
    """The bad moments that put a customer near the limit, newest first; empty if they are not. Pure."""
    if weight_of(moments, now) < NEAR_LIMIT:
        return ()
    return tuple(sorted((one for one in moments if not one.good and now - one.at <= WEIGHS_FOR), key=lambda one: one.at, reverse=True))


def experience_history(tx: Tx, customer_ids: Iterable[int]) -> list[Record]:
    """Every noted moment of these customers, oldest first."""
    statement = sa.select(_experience).where(_experience.c.customer_id.in_(list(customer_ids))).order_by(_experience.c.id)
    return list(tx.execute(statement))
