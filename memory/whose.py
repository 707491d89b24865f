"""Whose rows are whose: for every table, the columns that say whom a row is about.

Export, erasure and the doctor go by this one list, so that none of them passes over a table; a table that is neither listed nor told by
its columns is an error where it is first used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from memory.customers import Customer, Identity, person_of
from memory.database import Tx, table
from memory.handoffs import handoff_table
from memory.inbox import inbox_table
from memory.merges import merge_table
from memory.outbox import outbox_table

DESK_LANE, GENERAL = "handoff", "general"
"""The lane of what the desk is shown, whose addresses are handoff ids, and the address of what belongs to no handoff."""

NOBODYS: Mapping[str, str] = MappingProxyType(
    {
        "alembic_version": "the schema's revision",
        "blob": "a file's bytes, reached through blob_use, and removed with its last use",
        "erasure": "numbers and counts; what an unfinished one needs beside is emptied at its end",
        "install_key": "this installation's own secret",
        "lane": "what waits, by keys; a row goes when nothing waits",
        "quarantine": "updates that nothing could read, reached by the addresses in them",
        "retention_mark": "how far a rule has come",
    }
)
"""Tables without a column that names a customer or an identity, and why that is so."""

KEPT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "customer": frozenset({"id", "ownership", "created_at", "forgotten_at"}),
        "identity": frozenset({"id", "customer_id", "home_id", "channel", "address", "proof", "wrong_codes", "created_at"}),
        "turn": frozenset({"id", "customer_id", "lane", "started_at", "finished_at"}),
        "inbox": frozenset({"id", "channel", "update_id", "customer_id", "identity_id", "received_at", "due_at", "turn_id"}),
        "outbox": frozenset(
            {
                *("id", "key", "lane", "address", "customer_id", "identity_id", "ownership", "state", "tries", "resolved", "purpose"),
                *("created_at", "done_at"),
            }
        ),
        "handoff": frozenset(
            {
                *("id", "customer_id", "identity_id", "state", "reason", "opened_at", "owner", "owner_name", "claimed_at", "ended_at"),
                "ending",
            }
        ),
    }
)
"""The columns of masked tables that keep their value: numbers of this store, times and states, and an agent's name. An address is kept
masked. Every other column of these tables is emptied."""

_PAIRS = {"merge": ("survivor_id", "merged_id"), "proposal": ("one_id", "other_id")}
_WORK = ("inbox", "outbox", "handoff")
"""Tables whose rows carry the customer that the person was at that time: after a merge was undone that may be somebody else, and the
identity decides."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as the tables know them. ``customers`` are all numbers, the one that the others are merged into first.

    ``former`` are customers of whom these were once a part, before a merge was undone; ``handoffs`` are the person's, ``others`` those
    of somebody else that stand under the same numbers.
    """

    customers: tuple[int, ...]
    identities: tuple[int, ...]
    former: tuple[int, ...] = ()
    handoffs: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every customer under whose number a row about this person may stand."""
        return (*self.customers, *self.former)


_identity, _customer = table(Identity), table(Customer)


def subject_of(tx: Tx, customer_id: int) -> Subject:
    """The person that this customer is, or is a part of."""
    return subject_among(tx, person_of(tx, customer_id))


def subject_among(tx: Tx, customers: Sequence[int]) -> Subject:
    """These customers as one person, whatever they are merged with."""
    ids = list(customers)
    identities = list(tx.execute(sa.select(_identity.c.id).where(_identity.c.home_id.in_(ids)).order_by(_identity.c.id)).scalars())
    former = tx.execute(sa.select(merge_table.c.survivor_id).where(merge_table.c.merged_id.in_(ids))).scalars()
    numbers = sorted({*ids, *former})
    rows = tx.execute(sa.select(handoff_table.c.id, handoff_table.c.identity_id).where(handoff_table.c.customer_id.in_(numbers))).all()
    mine = tuple(row.id for row in rows if row.identity_id in identities)
    return Subject(
        tuple(ids),
        tuple(identities),
        tuple(one for one in numbers if one not in ids),
        mine,
        tuple(row.id for row in rows if row.id not in mine),
    )


def rows_about(of: sa.Table, subject: Subject) -> sa.ColumnElement[bool] | None:
    """The condition under which a row of this table is about this person; None for a table in :data:`NOBODYS`.

    Raises ``LookupError`` for a table of which nothing is known: it has to be listed here.
    """
    columns = of.c
    if of.name in _PAIRS:
        return sa.or_(*(columns[name].in_(subject.customers) for name in _PAIRS[of.name]))
    if of.name == "customer":
        return columns.id.in_(subject.customers)
    if of.name == "identity":
        return columns.id.in_(subject.identities)
    if of.name == "link":
        by_identity = [columns[name].in_(subject.identities) for name in ("identity_id", "used_by_id")]
        return sa.or_(columns.customer_id.in_(subject.customers), *by_identity)
    if of.name in _WORK:
        return sa.and_(columns.customer_id.in_(subject.numbers), _is_mine(of, subject))
    if "customer_id" in columns:
        return columns.customer_id.in_(subject.customers)
    if "identity_id" in columns:
        return columns.identity_id.in_(subject.identities)
    if of.name in NOBODYS:
        return None
    raise LookupError(f"nothing says whom the rows of the table {of.name} are about; name it in memory.whose")


def _is_mine(of: sa.Table, subject: Subject) -> sa.ColumnElement[bool]:
    own = of.c.identity_id.in_(subject.identities)
    if of is not outbox_table:
        return own
    addresses = [str(one) for one in subject.handoffs]
    others = [str(one) for one in subject.others]
    shown = sa.or_(of.c.address.in_(addresses), sa.and_(of.c.customer_id.in_(subject.customers), of.c.address.not_in(others)))
    return sa.or_(own, sa.and_(of.c.identity_id.is_(None), shown))


def emptied_columns(of: sa.Table) -> list[sa.Column[Any]]:
    """The columns of a masked table that lose their value."""
    return [column for column in of.c if column.name not in KEPT[of.name]]


def is_inbox(of: sa.Table) -> bool:
    """Whether this is the one table that has no index by which a person's finished rows are found: they have the ids of their turns."""
    return of is inbox_table
