"""Handoffs: episodes in which a person owns the conversation. Rows and the legal moves between their states.

    waiting --claim--> owned --end--> ended
    waiting --------------end------> ended

A partial unique index keeps at most one open handoff a customer; a claim is a compare-and-set on the state. Claiming and ending each count
the customer's ownership number up, so words decided before are dropped when they are about to be sent. Opening does not: what the assistant
said until then still holds, and goes out before the acknowledgement.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import Customer, pass_on
from memory.database import BigId, Json, Record, Tx, table

WAITING, OWNED, ENDED = "waiting", "owned", "ended"


class Handoff(SQLModel, table=True):
    """One episode; its id is the id of the turn that asked for a person, so a repeated turn opens the same one.

    ``packet`` is what the agent is given, ``return_packet`` what the assistant is given back. ``topic`` and ``card`` are the desk's ids of
    the place and of the posted packet; None until the desk has made them.
    """

    __table_args__ = (
        sa.Index(
            "handoff_open",
            "customer_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index("handoff_topic", "topic"),
        sa.Index("handoff_customer", "customer_id", "id"),
        sa.Index(
            "handoff_ended",
            "ended_at",
            sqlite_where=sa.text("ended_at IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NOT NULL"),
        ),
    )

    id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int = Field(foreign_key="identity.id", sa_type=BigId)
    state: str = WAITING
    reason: str
    packet: dict[str, Any] = Field(sa_type=Json)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    owner: str | None = None
    owner_name: str | None = None
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ending: str | None = None
    return_packet: dict[str, Any] | None = Field(default=None, sa_type=Json)
    topic: str | None = None
    card: str | None = None


handoff_table: sa.Table = table(Handoff)
_handoff = handoff_table
_customer = table(Customer)
_b = sa.bindparam
_point = sa.update(_customer).where(_customer.c.id == _b("p_customer")).values(handoff_id=_b("p_handoff"))
_claim = (
    sa.update(_handoff)
    .where(_handoff.c.id == _b("p_id"), _handoff.c.state == WAITING)
    .values(state=OWNED, owner=_b("p_owner"), owner_name=_b("p_name"), claimed_at=_b("p_at"))
)
_end = (
    sa.update(_handoff)
    .where(_handoff.c.id == _b("p_id"), _handoff.c.ended_at.is_(None))
    .values(state=ENDED, ended_at=_b("p_at"), ending=_b("p_ending"), return_packet=_b("p_packet"))
)
_place = (
    sa.update(_handoff)
    .where(_handoff.c.id == _b("p_id"), _handoff.c.topic.is_not_distinct_from(_b("p_old")))
    .values(topic=_b("p_topic"), card=_b("p_card"))
)
_renew = sa.update(_handoff).where(_handoff.c.id == _b("p_id")).values(packet=_b("p_packet", type_=_handoff.c.packet.type))
_by_id = sa.select(_handoff).where(_handoff.c.id == _b("p_id"))
_by_topic = sa.select(_handoff).where(_handoff.c.topic == _b("p_topic")).order_by(_handoff.c.id.desc()).limit(1)
_open = sa.select(_handoff).where(_handoff.c.customer_id == _b("p_customer"), _handoff.c.ended_at.is_(None))


def open_handoff(tx: Tx, handoff_id: int, customer_id: int, identity_id: int, *, reason: str, packet: dict[str, Any], at: datetime) -> None:
    """Open the episode. A customer with an open one breaks the unique index and with it the caller's transaction."""
    tx.execute(
        sa.insert(_handoff),
        {
            "id": handoff_id,
            "customer_id": customer_id,
            "identity_id": identity_id,
            "state": WAITING,
            "reason": reason,
            "packet": packet,
            "opened_at": at,
        },
    )
    tx.execute(_point, {"p_customer": customer_id, "p_handoff": handoff_id})


def claim_handoff(tx: Tx, handoff: Record, *, owner: str, name: str, at: datetime) -> bool:
    """Make ``owner`` (``channel:address``) the one who speaks. False if someone was faster; then nothing has changed."""
    won = tx.execute(_claim, {"p_id": handoff.id, "p_owner": owner, "p_name": name, "p_at": at}).rowcount == 1
    if won:
        pass_on(tx, handoff.customer_id)
    return won


def end_handoff(tx: Tx, handoff: Record, *, ending: str, return_packet: dict[str, Any], at: datetime) -> bool:
    """End the episode (``ending``: returned, closed). False if it had ended before."""
    won = tx.execute(_end, {"p_id": handoff.id, "p_at": at, "p_ending": ending, "p_packet": return_packet}).rowcount == 1
    if won:
        pass_on(tx, handoff.customer_id)
    return won


def place_handoff(tx: Tx, handoff_id: int, *, old: str | None, topic: str | None, card: str | None) -> bool:
    """Note where the desk has put the episode, if it still stood at ``old``."""
    return tx.execute(_place, {"p_id": handoff_id, "p_old": old, "p_topic": topic, "p_card": card}).rowcount == 1


def renew_packet(tx: Tx, handoff_id: int, packet: dict[str, Any]) -> None:
    """Give the episode the packet as it stands after something in it has changed. The caller holds the customer."""
    tx.execute(_renew, {"p_id": handoff_id, "p_packet": packet})


def get_handoff(tx: Tx, handoff_id: int) -> Record | None:
    """The episode, or None."""
    return tx.execute(_by_id, {"p_id": handoff_id}).first()


def handoff_in_topic(tx: Tx, topic: str) -> Record | None:
    """The episode that the desk has put into this topic."""
    return tx.execute(_by_topic, {"p_topic": topic}).first()


def open_handoff_of(tx: Tx, customer_id: int) -> Record | None:
    """The customer's open episode, or None."""
    return tx.execute(_open, {"p_customer": customer_id}).first()
