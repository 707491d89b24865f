"""What is known about customers: when it was true, when we learned it, from whom, how surely, and for what it may be used.

Two times belong to a fact. It held from ``since`` until ``until`` (None: still); we learned it at ``learned_at``, and that it had ended, or
had never been true, at ``closed_at``. So both "where did they live in May" and "where did we think in May that they live" have an answer.

A fact's ``standing``:

    proposed  --confirmed--> (a new current fact)      likely, not yet confirmed by anybody
    current   --a new value--> ended                   what we go by; one a name, kept by a partial unique index
    contested --settled--> ended                       contradicts the current one and is outranked by it; kept and shown
    any open  --never was true--> retracted

Who outranks whom: what a person said (the customer, an agent) stands above what a system sent, that above what a channel says of itself,
and all of it above a guess. A higher or equal rank ends the current value; a lower one becomes contested.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.consents import is_granted
from memory.database import BigId, Json, Record, Row, Tx, table
from memory.declared import Declarations
from memory.errors import ConsentMissing
from memory.proposals import propose_same

CUSTOMER, AGENT, SYSTEM, CHANNEL = "customer", "agent", "system", "channel"
"""Who said it. What is guessed has the source ``customer`` and a confidence below ``SURE``."""

SURE = 0.85
"""From this confidence on a fact is gone by; below, it is only proposed."""

RANK = {AGENT: 3, CUSTOMER: 3, SYSTEM: 2, CHANNEL: 1}


class Standing(StrEnum):
    """Where a fact stands; see the top of the module."""

    CURRENT = "current"
    PROPOSED = "proposed"
    CONTESTED = "contested"
    ENDED = "ended"
    RETRACTED = "retracted"


OPEN = (Standing.CURRENT, Standing.PROPOSED, Standing.CONTESTED)


class Fact(SQLModel, table=True):
    """One value that was told, once. ``fresh_at`` is when somebody last said the same; ``by`` is who, where ``source`` is not enough.

    ``told_as`` is the standing that it was given when it was told, which it kept until it was closed: so it is known how it stood then.
    """

    __table_args__ = (
        sa.Index(
            "fact_current",
            "customer_id",
            "name",
            unique=True,
            sqlite_where=sa.text("standing = 'current'"),
            postgresql_where=sa.text("standing = 'current'"),
        ),
        sa.Index("fact_customer", "customer_id", "name"),
        sa.Index(
            "fact_closed",
            "closed_at",
            sqlite_where=sa.text("closed_at IS NOT NULL"),
            postgresql_where=sa.text("closed_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    name: str
    value: Any = Field(sa_type=Json)
    standing: str = Standing.CURRENT
    told_as: str = Standing.CURRENT
    source: str
    by: str | None = None
    exchange_id: int | None = Field(default=None, sa_type=BigId)
    confidence: float = 1.0
    purpose: str = "service"
    consent_id: int | None = Field(default=None, sa_type=BigId)
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    learned_at: datetime = Field(sa_type=UtcDateTime)
    fresh_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by_id: int | None = Field(default=None, sa_type=BigId)


@dataclass(frozen=True, slots=True)
class Told:
    """Something told about a customer. ``since`` is from when it is true, where that is not the moment of telling."""

    name: str
    value: Any
    source: str
    confidence: float = 1.0
    exchange_id: int | None = None
    by: str | None = None
    since: datetime | None = None
    corrects: bool = False


fact_table: sa.Table = table(Fact)
_fact = fact_table
_b = sa.bindparam
_open = (
    sa.select(_fact)
    .where(
        _fact.c.customer_id.in_(_b("p_ids", expanding=True)),
        _fact.c.name == _b("p_name"),
        _fact.c.standing.in_([sa.literal_column(f"'{one}'") for one in OPEN]),
    )
    .order_by(_fact.c.id)
)
_end = sa.update(_fact).where(_fact.c.id == _b("p_id")).values(standing=_b("p_standing"), until=_b("p_until"), closed_at=_b("p_at"))
_closed_by = sa.update(_fact).where(_fact.c.id == _b("p_id")).values(closed_by_id=_b("p_by"))
_refresh = sa.update(_fact).where(_fact.c.id == _b("p_id")).values(fresh_at=_b("p_at"))
_history = sa.select(_fact).where(_fact.c.customer_id.in_(_b("p_ids", expanding=True))).order_by(_fact.c.id)
_add = sa.insert(_fact).returning(_fact.c.id)
_by_id = sa.select(_fact).where(_fact.c.id == _b("p_id"))


def remember(tx: Tx, declared: Declarations, customer_id: int, told: Told, *, at: datetime, person: Collection[int] = ()) -> Standing:
    """Store what was told and say how it stands now. Told again, it only becomes fresher.

    ``customer_id`` is the home of the identity that it was told through (:class:`memory.customers.Identity`), ``person`` all customers who
    are this one person. Each of them has a record of their own, as if there were no others, so that a merge can be undone; which of their
    values is gone by is said when they are read (:func:`memory.context.facts_of`). Consent given by any of them is given. A value that
    identifies somebody may propose that they are somebody known (:mod:`memory.proposals`). The caller holds the customer
    (:func:`memory.customers.ownership_of`), commits, and brings :mod:`memory.known` up to date. Raises ``ValueRefused`` where the value
    does not fit the declared type, :class:`ConsentMissing` where the customer has not agreed to what it is for.
    """
    about = declared.fact(told.name)
    value = about.check(told.value)
    ids = sorted({customer_id, *person})
    consent_id = None
    if declared.needs_consent(told.name):
        consent_id = is_granted(tx, ids, about.purpose)
        if consent_id is None:
            raise ConsentMissing(f"the fact `{told.name}` is kept for `{about.purpose}`, and the customer has not agreed to that")
    if about.identifies and told.confidence >= SURE:
        propose_same(tx, told.name, value, customer_id, ids, at=at)
    rows = tx.execute(_open, {"p_ids": [customer_id], "p_name": told.name}).all()
    row: Row = {
        "customer_id": customer_id,
        "name": told.name,
        "value": value,
        "source": told.source,
        "by": told.by,
        "exchange_id": told.exchange_id,
        "confidence": told.confidence,
        "purpose": about.purpose,
        "consent_id": consent_id,
        "since": told.since or at,
        "learned_at": at,
        "fresh_at": at,
    }
    current = next((one for one in rows if one.standing == Standing.CURRENT), None)
    same = [one for one in rows if about.same(one.value, value)]
    if current is not None and row["since"] < current.since and not told.corrects and current not in same:
        return _add_row(tx, row, Standing.ENDED, until=current.since, closed_at=at)
    standing = _standing_of(told, current, agrees=current in same)
    again = next((one for one in same if one.standing == standing), None)
    if again is not None and rank_of(told.source, told.confidence) <= rank_of(again.source, again.confidence):
        tx.execute(_refresh, {"p_id": again.id, "p_at": at})
        return standing
    if standing is not Standing.CURRENT:
        return _add_row(tx, row, standing)
    _succeed(tx, row, rows, current if told.corrects else None, at)
    return Standing.CURRENT


def _succeed(tx: Tx, row: Row, rows: Sequence[Record], corrected: Record | None, at: datetime) -> None:
    """Make ``row`` the current one in place of all open ``rows``; ``corrected`` is what it says was never true."""
    if corrected is not None:
        row["since"] = min(corrected.since, row["since"])
    for one in rows:  # before the new one is there: only one may be current
        _close(tx, one, Standing.RETRACTED if one is corrected else Standing.ENDED, until=row["since"], at=at)
    new_id = tx.execute(_add, {**row, "standing": Standing.CURRENT, "told_as": Standing.CURRENT}).scalar_one()
    if rows:
        tx.execute(_closed_by, [{"p_id": one.id, "p_by": new_id} for one in rows])


def confirm(tx: Tx, declared: Declarations, fact_id: int, *, exchange_id: int | None, at: datetime, person: Collection[int] = ()) -> bool:
    """Make a proposed fact current because the customer said that it is right. False if it is not proposed any more."""
    row = tx.execute(_by_id, {"p_id": fact_id}).first()
    if row is None or row.standing != Standing.PROPOSED:
        return False
    remember(
        tx, declared, row.customer_id, Told(row.name, row.value, CUSTOMER, exchange_id=exchange_id, since=row.since), at=at, person=person
    )
    return True


def retract(tx: Tx, fact_id: int, *, at: datetime) -> bool:
    """Close an open fact that was never true, or a proposal that was refused. False if it is closed already."""
    row = tx.execute(_by_id, {"p_id": fact_id}).first()
    if row is None or row.standing not in OPEN:
        return False
    _close(tx, row, Standing.RETRACTED, until=row.since, at=at)
    return True


def end_fact(tx: Tx, person: Collection[int], name: str, *, at: datetime) -> bool:
    """Say that a value holds no more and no other is known in its place. False if none was current."""
    rows = [one for one in tx.execute(_open, {"p_ids": sorted(person), "p_name": name}) if one.standing == Standing.CURRENT]
    for row in rows:
        _close(tx, row, Standing.ENDED, until=at, at=at)
    return bool(rows)


def fact_history(tx: Tx, customer_ids: Iterable[int]) -> list[Record]:
    """Everything that was ever told about these customers, oldest first."""
    return list(tx.execute(_history, {"p_ids": list(customer_ids)}))


def rank_of(source: str, confidence: float) -> int:
    """How much a source's word counts; a guess counts nothing."""
    return RANK.get(source, 0) if confidence >= SURE else 0


def best_of(current: Sequence[Record]) -> Record | None:
    """Which of several current values is gone by: people who were merged may each have told one. The higher rank, then the later."""
    return max(current, key=lambda one: (rank_of(one.source, one.confidence), one.learned_at, one.id), default=None)


def stood_then(rows: Iterable[Record], then: datetime) -> list[Record]:
    """Those of a customer's facts (:func:`fact_history`) that were open at ``then``; ``told_as`` is how each of them stood. Pure.

    What has been learned, ended or corrected after ``then`` does not count. What happened at that very moment does.
    """
    return [row for row in rows if row.told_as in OPEN and row.learned_at <= then and not (row.closed_at and row.closed_at <= then)]


def known_then(rows: Sequence[Record], then: datetime, *, held_at: datetime | None = None) -> dict[str, Record]:
    """Which of a customer's facts (:func:`fact_history`) were gone by at ``then``, by name. Pure.

    With ``held_at``: what was believed at ``then`` about that time, be it before or after: the value whose interval, as it was known then,
    holds that time. Of several the one of the higher rank counts, then the one learned last.
    """
    if held_at is None:
        believed = [row for row in stood_then(rows, then) if row.told_as == Standing.CURRENT]
    else:
        believed = [row for row in rows if _believed(row, then) and _held(row, then, held_at)]
    names = {row.name for row in believed}
    best = {name: best_of([row for row in believed if row.name == name]) for name in sorted(names)}
    return {name: row for name, row in best.items() if row is not None}


def _believed(row: Record, then: datetime) -> bool:
    """Whether the memory went by this value at ``then``, of whatever time it speaks."""
    if row.told_as in (Standing.PROPOSED, Standing.CONTESTED) or row.confidence < SURE or row.learned_at > then:
        return False
    return not (row.standing == Standing.RETRACTED and row.closed_at <= then)


def _held(row: Record, then: datetime, at: datetime) -> bool:
    """Whether, as far as was known at ``then``, the value held at ``at``: an end that was learned later does not count."""
    until = row.until if row.closed_at is not None and row.closed_at <= then else None
    return bool(row.since <= at and (until is None or at < until))


def _standing_of(told: Told, current: Record | None, *, agrees: bool) -> Standing:
    rank = rank_of(told.source, told.confidence)
    if current is not None and agrees:
        return Standing.CURRENT
    if told.confidence < SURE:
        return Standing.PROPOSED
    if current is not None and rank < rank_of(current.source, current.confidence):
        return Standing.CONTESTED
    return Standing.CURRENT


def _add_row(tx: Tx, row: Row, standing: Standing, **closed: datetime) -> Standing:
    tx.execute(_add, {**row, "standing": standing, "told_as": standing, **closed})
    return standing


def _close(tx: Tx, row: Record, standing: Standing, *, until: datetime, at: datetime) -> None:
    # A fact whose end lies before its beginning would hold at no time at all: one that began later than its successor just ends there.
    tx.execute(_end, {"p_id": row.id, "p_standing": standing, "p_until": max(until, row.since), "p_at": at})
