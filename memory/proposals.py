"""Values that identify a person, and the customers who may be one person because they told the same one. Nothing here merges anybody."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import Customer, ownership_of, person_of
from memory.database import BigId, Json, Tx, insert_into, per_dialect, table
from memory.keys import HANDLES, install_key

OPEN, MERGED, REFUSED = "open", "merged", "refused"

MOST_MATCHES = 5
"""A value that more customers share (a company's switchboard, an example from a form) identifies nobody, and nothing is proposed."""

SHOWN = 5
"""How many proposals are shown of one person."""


class Proposal(SQLModel, table=True):
    """Two customers who may be one person, and what speaks for it. ``state`` is open, merged or refused; a pair is proposed once a kind.

    ``kind`` is the name of the fact that both told; ``evidence`` holds the ids of the facts, not their value.
    """

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
    state: str = OPEN
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


@dataclass(frozen=True, slots=True)
class Maybe:
    """Somebody who may be the same person as the one who was asked about. ``kinds`` are the facts that both told; ``ids`` the proposals."""

    customer_id: int
    kinds: tuple[str, ...]
    ids: tuple[int, ...]
    at: datetime


proposal_table: sa.Table = table(Proposal)
handle_table: sa.Table = table(Handle)
_proposal, _handle, _customer = proposal_table, handle_table, table(Customer)
_fact = sa.table(
    "fact", sa.column("id", BigId), sa.column("customer_id", BigId), sa.column("name"), sa.column("value", Json), sa.column("standing")
)
"""Of :mod:`memory.facts`, which itself needs this module."""
_b = sa.bindparam
_same = (
    sa.select(_handle.c.customer_id)
    .where(
        _handle.c.kind == _b("p_kind"),
        _handle.c.digest == _b("p_digest"),
        _handle.c.customer_id.not_in(_b("p_person", expanding=True)),
    )
    .order_by(_handle.c.customer_id)
    .limit(MOST_MATCHES + 1)
)
_still = sa.select(_fact.c.id, _fact.c.value).where(
    _fact.c.customer_id == _b("p_id"),
    _fact.c.name == _b("p_kind"),
    _fact.c.standing.in_([sa.literal_column("'current'"), sa.literal_column("'contested'")]),
)
_has_value = sa.cast(_fact.c.value, sa.Text) != "null"
_identifying = sa.select(_fact.c.name, _fact.c.value, _fact.c.customer_id).where(
    _fact.c.id.in_(_b("p_ids", expanding=True)),
    _has_value,
    sa.exists().where(_handle.c.customer_id == _fact.c.customer_id, _handle.c.kind == _fact.c.name),
)
_handles = sa.select(_handle.c.kind, _handle.c.digest, _handle.c.customer_id).where(_handle.c.customer_id.in_(_b("p_ids", expanding=True)))
_others = sa.select(_fact.c.name, _fact.c.value, _fact.c.customer_id).where(
    _fact.c.customer_id.in_(_b("p_customers", expanding=True)),
    _fact.c.name.in_(_b("p_kinds", expanding=True)),
    _fact.c.id.not_in(_b("p_ids", expanding=True)),
    _has_value,
)
_drop_handle = sa.delete(_handle).where(
    _handle.c.kind == _b("p_kind"), _handle.c.digest == _b("p_digest"), _handle.c.customer_id == _b("p_customer")
)
_mine = sa.or_(_proposal.c.one_id.in_(_b("p_ids", expanding=True)), _proposal.c.other_id.in_(_b("p_ids", expanding=True)))
_between = sa.or_(
    sa.and_(_proposal.c.one_id.in_(_b("p_ids", expanding=True)), _proposal.c.other_id.in_(_b("p_others", expanding=True))),
    sa.and_(_proposal.c.one_id.in_(_b("p_others", expanding=True)), _proposal.c.other_id.in_(_b("p_ids", expanding=True))),
)
_refused = sa.select(_proposal.c.id).where(_between, _proposal.c.kind == _b("p_kind"), _proposal.c.state == REFUSED).limit(1)
_open = (
    sa.select(_proposal)
    .where(_mine, _proposal.c.state.in_([sa.literal_column("'open'"), sa.literal_column("'refused'")]))
    .order_by(_proposal.c.id.desc())
    .limit(SHOWN * 8)
)
_all_open = sa.select(_proposal).where(_proposal.c.state == OPEN).order_by(_proposal.c.id.desc()).limit(_b("p_limit"))
_roots = sa.select(_customer.c.id, _customer.c.merged_into_id).where(_customer.c.id.in_(_b("p_ids", expanding=True)))
_settle = (
    sa.update(_proposal)
    .where(_between, _proposal.c.state.in_(_b("p_states", expanding=True)))
    .values(state=_b("p_state"), settled_at=_b("p_at"), settled_by=_b("p_by"))
)


@per_dialect
def _keep_handle(dialect: str) -> Any:
    return insert_into(Handle, dialect).on_conflict_do_nothing()


@per_dialect
def _propose(dialect: str) -> Any:
    return insert_into(Proposal, dialect).on_conflict_do_nothing(index_elements=["one_id", "other_id", "kind"])


def digest_of(key: bytes, kind: str, value: Any) -> str:
    """The digest by which a value is found again, whatever its letters' case; the value cannot be read from it without the key. Pure."""
    plain = value.casefold() if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return hmac.new(key, f"{kind}\0{plain}".encode(), hashlib.sha256).hexdigest()


def propose_same(tx: Tx, kind: str, value: Any, customer_id: int, person: Collection[int], *, at: datetime) -> list[int]:
    """Note a value that identifies its teller, and propose everybody else who holds the same one; returns who was proposed anew.

    ``kind`` is the fact's name. A pair that was refused for this kind is not proposed for it again, nor one whose other side has meanwhile
    told another value: telephone numbers are given to new people.
    """
    key = install_key(tx, HANDLES, at=at)
    digest = digest_of(key, kind, value)
    tx.execute(_keep_handle(tx), {"kind": kind, "digest": digest, "customer_id": customer_id, "at": at})
    mine = sorted({customer_id, *person})
    others = list(tx.execute(_same, {"p_kind": kind, "p_digest": digest, "p_person": mine}).scalars())
    if len(others) > MOST_MATCHES:
        return []
    return [other for other in others if _propose_one(tx, key, kind, digest, customer_id, mine, other, at)]


def _propose_one(tx: Tx, key: bytes, kind: str, digest: str, customer_id: int, mine: list[int], other: int, at: datetime) -> bool:
    held = [row.id for row in tx.execute(_still, {"p_id": other, "p_kind": kind}) if digest_of(key, kind, row.value) == digest]
    if not held or tx.execute(_refused, {"p_ids": mine, "p_others": person_of(tx, other), "p_kind": kind}).first() is not None:
        return False
    row = {
        "one_id": min(customer_id, other),
        "other_id": max(customer_id, other),
        "kind": kind,
        "evidence": {"fact": kind, "told_before": held[-1]},
        "state": OPEN,
        "at": at,
    }
    return bool(tx.execute(_propose(tx), row).rowcount == 1)


def drop_handles(tx: Tx, fact_ids: Collection[int], *, at: datetime) -> int:
    """Drop the digests of what these facts say, as they are kept no longer; returns how many. The caller commits.

    One stays where another fact of the same customer says the same. Customers who lose one are held, so that it is not told at this moment.
    """
    told = tx.execute(_identifying, {"p_ids": sorted(fact_ids)}).all()
    if not told:
        return 0
    key = install_key(tx, HANDLES, at=at)
    gone = {(row.name, digest_of(key, row.name, row.value), row.customer_id) for row in told}
    handles = [row for row in tx.execute(_handles, {"p_ids": sorted({row.customer_id for row in told})}) if tuple(row) in gone]
    if not handles:
        return 0
    ownership_of(tx, {one for row in handles for one in person_of(tx, row.customer_id)})
    whose = {"p_customers": sorted({row.customer_id for row in handles}), "p_kinds": sorted({row.kind for row in handles})}
    rest = tx.execute(_others, {**whose, "p_ids": sorted(fact_ids)})
    still = {(row.name, digest_of(key, row.name, row.value), row.customer_id) for row in rest}
    dropped = [{"p_kind": row.kind, "p_digest": row.digest, "p_customer": row.customer_id} for row in handles if tuple(row) not in still]
    if dropped:
        tx.execute(_drop_handle, dropped)
    return len(dropped)


def open_proposals(tx: Tx, person: Collection[int]) -> list[Maybe]:
    """Who may be the same person as this one (all customer ids that are them), the latest first; nobody twice.

    What was refused of one of the customers who are one person by now is refused of them all.
    """
    mine = set(person)
    rows = tx.execute(_open, {"p_ids": sorted(mine)}).all()
    roots = _roots_of(tx, {one for row in rows for one in (row.one_id, row.other_id)})
    pairs = [(roots[row.other_id if row.one_id in mine else row.one_id], row) for row in rows]
    refused = {(other, row.kind) for other, row in pairs if row.state == REFUSED}
    found: dict[int, list[Any]] = {}
    for other, row in pairs:
        if other not in mine and (other, row.kind) not in refused:
            found.setdefault(other, []).append(row)
    return [
        Maybe(other, tuple(dict.fromkeys(row.kind for row in some)), tuple(row.id for row in some), some[0].at)
        for other, some in list(found.items())[:SHOWN]
    ]


def all_proposals(tx: Tx, *, limit: int = 100) -> list[tuple[int, int, str, datetime]]:
    """The newest open proposals: the two people's numbers as they are now, what speaks for it, and since when."""
    rows = tx.execute(_all_open, {"p_limit": limit}).all()
    roots = _roots_of(tx, {one for row in rows for one in (row.one_id, row.other_id)})
    pairs = [(roots[row.one_id], roots[row.other_id], row.kind, row.at) for row in rows]
    return [(min(one, other), max(one, other), kind, at) for one, other, kind, at in pairs if one != other]


def settle_proposals(
    tx: Tx, person: Collection[int], others: Collection[int], state: str, *, by: str, at: datetime, was: Collection[str] = (OPEN,)
) -> int:
    """Settle what is proposed between two people as merged or refused; returns how many proposals that were."""
    parameters = {"p_ids": sorted(person), "p_others": sorted(others), "p_states": list(was), "p_state": state, "p_at": at, "p_by": by}
    return int(tx.execute(_settle, parameters).rowcount)


def _roots_of(tx: Tx, ids: Collection[int]) -> dict[int, int]:
    return {row.id: row.merged_into_id or row.id for row in tx.execute(_roots, {"p_ids": sorted(ids)})} if ids else {}
