"""People and their identities: one customer row however many channels they use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, Record, Tx, insert_into, per_dialect, table


class Customer(SQLModel, table=True):
    """The person served. ``ownership`` counts every change of who speaks: the assistant's words carry it and are dropped when it moved on.

    ``handoff_id`` is the latest handoff, open or ended, so that a recall need not look for it. A customer who turned out to be the same
    person as another has ``merged_into_id``, which is never itself merged; that one's ``members`` are the ids of all who were merged into
    it. What was recorded about a customer stays recorded about them: a merge only says that several are one person.
    """

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    ownership: int = 0
    handoff_id: int | None = Field(default=None, sa_type=BigId)
    created_at: datetime = Field(sa_type=UtcDateTime)
    merged_into_id: int | None = Field(default=None, index=True, sa_type=BigId)
    merged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    members: list[int] | None = Field(default=None, sa_type=Json)
    forgotten_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Identity(SQLModel, table=True):
    """A customer's address on one channel. ``unreachable_since`` is set when the channel refuses our messages.

    ``customer_id`` is who it belongs to now, ``home_id`` the customer that it was made with: what is logged through it belongs there for
    good, so that a merge can be undone. ``proof`` is the best level that was reached, at ``proven_at``. ``wrong_codes`` were entered since
    ``wrong_since`` (:mod:`memory.links`).
    """

    __table_args__ = (sa.UniqueConstraint("channel", "address"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customer_id: int = Field(foreign_key="customer.id", index=True, sa_type=BigId)
    home_id: int = Field(sa_type=BigId, sa_column_kwargs={"server_default": "0"})
    channel: str
    address: str
    name: str | None = None
    username: str | None = None
    language: str | None = None
    proof: str = "seen"
    proven_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unreachable_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unreachable_why: str | None = None
    wrong_codes: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    wrong_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


FORGOTTEN = "forgotten"
"""What the masked address of somebody who was forgotten begins with; a colon and the identity's number follow (:mod:`memory.detach`)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a channel says of a sender."""

    address: str
    name: str | None = None
    username: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Where a sender stands in the memory."""

    identity_id: int
    customer_id: int


_customer, _identity = table(Customer), table(Identity)
_b = sa.bindparam
_by_address = sa.select(
    _identity.c.address,
    _identity.c.id,
    _identity.c.customer_id,
    _identity.c.name,
    _identity.c.username,
    _identity.c.language,
    _identity.c.unreachable_since,
).where(_identity.c.channel == _b("p_channel"), _identity.c.address.in_(_b("p_addresses", expanding=True)))
_by_address = _by_address.with_for_update(read=True, key_share=True)  # until we commit, nobody takes the address away (memory.detach)
_rename = (
    sa.update(_identity).where(_identity.c.id == _b("p_id")).values(name=_b("p_name"), username=_b("p_username"), language=_b("p_language"))
)
_reach = (
    sa.update(_identity)
    .where(_identity.c.id == _b("p_id"), _identity.c.address.not_like(f"{FORGOTTEN}:%"))  # the address is a stranger's by now
    .values(unreachable_since=_b("p_since"), unreachable_why=_b("p_why"))
)
_by_id = sa.select(_identity).where(_identity.c.id == _b("p_id"))
_customer_by_id = sa.select(_customer).where(_customer.c.id == _b("p_id"))
_of_customers = sa.select(_identity).where(_identity.c.customer_id.in_(_b("p_ids", expanding=True))).order_by(_identity.c.id)
_members = sa.select(_customer.c.id).where(_customer.c.merged_into_id == _b("p_id")).order_by(_customer.c.id)
_root = sa.select(_customer.c.merged_into_id).where(_customer.c.id == _b("p_id"))
_ownership = (
    sa.select(_customer.c.id, _customer.c.ownership)
    .where(_customer.c.id.in_(_b("p_ids", expanding=True)))
    .order_by(_customer.c.id)
    .with_for_update(key_share=True)  # a row that refers to the customer may be added meanwhile; a full lock would meet it in a deadlock
)
_gone = sa.select(_customer.c.id).where(_customer.c.id.in_(_b("p_ids", expanding=True)), _customer.c.forgotten_at.is_not(None))
_pass_on = (
    sa.update(_customer).where(_customer.c.id == _b("p_id")).values(ownership=_customer.c.ownership + 1).returning(_customer.c.ownership)
)


def find_or_make(tx: Tx, channel: str, profiles: Iterable[Profile], *, at: datetime) -> dict[str, Known]:
    """The identity of each sender on this channel, by address; new ones get a customer of their own.

    The unique key (channel, address) decides between two processes that meet a person at the same moment. A changed name is taken over.
    """
    wanted = {profile.address: profile for profile in profiles}
    rows = tx.execute(_by_address, {"p_channel": channel, "p_addresses": list(wanted)}).all()
    known = {row.address: Known(row.id, row.customer_id) for row in rows}
    changed = [
        {"p_id": row.id, "p_name": new.name, "p_username": new.username, "p_language": new.language}
        for row in rows
        if (new := wanted[row.address]).name is not None
        and (new.name, new.username, new.language) != (row.name, row.username, row.language)
    ]
    if changed:
        tx.execute(_rename, changed)
    for address in sorted(wanted.keys() - known.keys()):
        known[address] = _make(tx, channel, wanted[address], at)
    return known


@per_dialect
def _add_identity(dialect: str) -> Any:
    return insert_into(Identity, dialect).on_conflict_do_nothing().returning(_identity.c.id)


def _make(tx: Tx, channel: str, profile: Profile, at: datetime) -> Known:
    customer_id = tx.execute(sa.insert(_customer).values(ownership=0, created_at=at).returning(_customer.c.id)).scalar_one()
    row = {
        "customer_id": customer_id,
        "home_id": customer_id,
        "channel": channel,
        "address": profile.address,
        "name": profile.name,
        "username": profile.username,
        "language": profile.language,
        "proof": "seen",
        "created_at": at,
    }
    identity_id = tx.execute(_add_identity(tx), row).scalar()
    if identity_id is not None:
        return Known(identity_id, customer_id)
    tx.execute(sa.delete(_customer).where(_customer.c.id == customer_id))
    found = tx.execute(_by_address, {"p_channel": channel, "p_addresses": [profile.address]}).one()
    return Known(found.id, found.customer_id)


def get_identity(tx: Tx, identity_id: int) -> Record | None:
    """One identity, or None."""
    return tx.execute(_by_id, {"p_id": identity_id}).first()


def get_customer(tx: Tx, customer_id: int) -> Record | None:
    """One customer, or None."""
    return tx.execute(_customer_by_id, {"p_id": customer_id}).first()


def identities_of(tx: Tx, customer_ids: Iterable[int]) -> list[Record]:
    """The identities that belong to these customers now, oldest first; a person's are those of the first of :func:`person_of`."""
    return list(tx.execute(_of_customers, {"p_ids": sorted(set(customer_ids))}))


def set_reachable(tx: Tx, identity_id: int, *, since: datetime | None, why: str | None) -> None:
    """Note that a channel refuses our messages to this identity (``since`` given) or takes them again (None).

    Nothing is noted of somebody who was forgotten: what they had been sent may still be refused, and so may its deletion.
    """
    tx.execute(_reach, {"p_id": identity_id, "p_since": since, "p_why": why})


def members_of(tx: Tx, customer_id: int) -> list[int]:
    """The customers who were merged into this one; empty for most."""
    return list(tx.execute(_members, {"p_id": customer_id}).scalars())


def person_of(tx: Tx, customer_id: int) -> list[int]:
    """All customers who are the same person as this one: first the one that the others are merged into."""
    root = tx.execute(_root, {"p_id": customer_id}).scalar() or customer_id
    return [root, *members_of(tx, root)]


def ownership_of(tx: Tx, customer_ids: Iterable[int]) -> dict[int, int]:
    """Lock the customers' rows, in order, and return their ownership numbers."""
    rows = tx.execute(_ownership, {"p_ids": sorted(set(customer_ids))})
    return {row.id: row.ownership for row in rows}


def forgotten_among(tx: Tx, customer_ids: Iterable[int]) -> set[int]:
    """Those of the customers who were forgotten. Holds until the commit where the caller holds them (:func:`ownership_of`)."""
    return set(tx.execute(_gone, {"p_ids": sorted(set(customer_ids))}).scalars())


def pass_on(tx: Tx, customer_id: int) -> int:
    """Count the ownership number up: whoever spoke for us until now no longer does. Returns the new number."""
    number: int = tx.execute(_pass_on, {"p_id": customer_id}).scalar_one()
    return number
