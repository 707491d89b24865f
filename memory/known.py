"""What recall gives of a person beside the log, gathered into one row, so that a turn looks once instead of in seven tables.

The row holds nothing of its own: it is made anew from facts, consents, journeys, experiences, promises and summaries in the transaction
that changes one of them, by whoever holds the customer (:func:`memory.customers.ownership_of`), so that two writers cannot overwrite each
other's. ``legato doctor`` compares it with its sources.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.consents import consent_table
from memory.customers import Customer, members_of
from memory.database import BigId, Json, Row, Tx, insert_into, per_dialect, table
from memory.experiences import experience_table
from memory.facts import OPEN, fact_table
from memory.journeys import journey_table
from memory.promises import promise_table
from memory.summaries import summary_table

MOST_FACTS, MOST_CONSENTS, MOST_JOURNEYS, MOST_EXPERIENCES, MOST_PROMISES, MOST_SUMMARIES = 300, 200, 20, 30, 20, 5
"""How many of each are gathered, the newest first: a row must stay small however much a customer has told."""


class Known(SQLModel, table=True):
    """One row a person, by the id of the customer that the others are merged into. ``version`` counts the changes."""

    customer_id: int = Field(primary_key=True, foreign_key="customer.id", sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    version: int = 1
    content: dict[str, Any] = Field(sa_type=Json)


known_table: sa.Table = table(Known)
_known = known_table
_customer = table(Customer)
_b = sa.bindparam


def _columns(of: sa.Table, *names: str) -> list[sa.Column[Any]]:
    return [of.c[name] for name in names]


def _newest(of: sa.Table, names: tuple[str, ...], most: int, *where: sa.ColumnElement[bool], by: str = "id") -> sa.Select[Any]:
    mine = of.c.customer_id.in_(_b("p_ids", expanding=True))
    return sa.select(*_columns(of, *names)).where(mine, *where).order_by(of.c[by].desc(), of.c.id.desc()).limit(most)


_FACT = (
    "id",
    "customer_id",
    "name",
    "value",
    "standing",
    "source",
    "by",
    "exchange_id",
    "confidence",
    "purpose",
    "since",
    "learned_at",
    "fresh_at",
)
_sources = {
    "facts": _newest(fact_table, _FACT, MOST_FACTS, fact_table.c.standing.in_([sa.literal_column(f"'{one}'") for one in OPEN])),
    "consents": _newest(consent_table, ("id", "purpose", "granted", "version", "channel", "at"), MOST_CONSENTS, by="at"),
    "journeys": _newest(
        journey_table,
        ("id", "product", "matter", "stage", "opened_at", "moved_at"),
        MOST_JOURNEYS,
        journey_table.c.closed_at.is_(None),
        by="moved_at",
    ),
    "experiences": _newest(experience_table, ("good", "kind", "weight", "exchange_id", "evidence", "at"), MOST_EXPERIENCES, by="at"),
    "promises": _newest(
        promise_table,
        ("id", "text", "by", "state", "exchange_id", "made_at", "due_at"),
        MOST_PROMISES,
        promise_table.c.state.in_([sa.literal_column("'open'"), sa.literal_column("'broken'")]),
        by="made_at",
    ),
    "summaries": _newest(
        summary_table,
        ("id", "identity_id", "first_id", "last_id", "began_at", "ended_at", "wanted", "done", "ending", "promised", "links"),
        MOST_SUMMARIES,
        by="last_id",
    ),
}
_root = sa.select(_customer.c.id, _customer.c.merged_into_id).where(_customer.c.id.in_(_b("p_ids", expanding=True)))


@per_dialect
def _keep(dialect: str) -> Any:
    new = insert_into(Known, dialect)
    return new.on_conflict_do_update(
        index_elements=["customer_id"], set_={"content": new.excluded.content, "version": _known.c.version + 1}
    )


def gather(tx: Tx, person: Collection[int]) -> dict[str, Any]:
    """What the row of this person (all customer ids that are them) has to hold: lists of rows, newest first, times as ISO 8601 text."""
    ids = {"p_ids": sorted(person)}
    found = {name: [_plain(row._mapping) for row in tx.execute(statement, ids)] for name, statement in _sources.items()}
    latest: dict[str, Row] = {}
    for consent in found["consents"]:
        latest.setdefault(consent["purpose"], consent)
    return {**found, "consents": list(latest.values())}


def refresh_known(tx: Tx, customer_ids: Iterable[int]) -> None:
    """Make the rows of the people that these customers are part of anew. The caller holds them and commits."""
    wanted = sorted(set(customer_ids))
    if not wanted:
        return
    roots = {row.merged_into_id or row.id for row in tx.execute(_root, {"p_ids": wanted})}
    for root in sorted(roots):
        person = [root, *members_of(tx, root)]
        tx.execute(_keep(tx), {"customer_id": root, "version": 1, "content": gather(tx, person)})


def drop_known(tx: Tx, customer_ids: Collection[int]) -> None:
    """Remove the rows of customers who are forgotten, or who became part of another."""
    tx.execute(sa.delete(_known).where(_known.c.customer_id.in_(list(customer_ids))))


def _plain(row: Any) -> Row:
    """A row as JSON keeps it, without what is empty: the row is read far more often than written."""
    return {
        key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items() if value is not None and value != ""
    }
