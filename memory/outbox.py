"""The far end of the ledger: every message on its way out, and what became of it.

    waiting --claim--> sending --receipt--> sent | refused | uncertain
       ^                  |
       +----postponed-----+            waiting --ownership moved on--> dropped

A row is marked ``sending`` in a commit before the send, so that after a crash it is known which ones may have gone out: they become
``uncertain`` and are shown, not blindly sent again. ``resolved`` says what became of an uncertain one: ``arrived`` or ``again``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import Customer
from memory.database import BigId, Json, Record, Row, Tx, insert_into, per_dialect, table
from memory.lanes import lock_lanes, open_lanes

WAITING, SENDING, SENT, REFUSED, UNCERTAIN, DROPPED = "waiting", "sending", "sent", "refused", "uncertain", "dropped"


class Outbox(SQLModel, table=True):
    """One outgoing. ``lane`` and ``address`` name the order in which it must be sent; ``key`` comes from its turn and is unique.

    ``ownership`` is the customer's number when the assistant spoke; None for words that are sent whoever owns the conversation now.
    ``purpose`` is the consent that it rests on; None for what answers the customer.
    """

    __table_args__ = (
        sa.Index(
            "outbox_open",
            "lane",
            "address",
            "id",
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        ),
        sa.Index(
            "outbox_uncertain",
            "done_at",
            sqlite_where=sa.text("state = 'uncertain' AND resolved IS NULL"),
            postgresql_where=sa.text("state = 'uncertain' AND resolved IS NULL"),
        ),
        sa.Index("outbox_exchange", "exchange_id"),
        sa.Index("outbox_customer", "customer_id", "id"),
        sa.Index(
            "outbox_message",
            "address",
            "message_id",
            sqlite_where=sa.text("message_id IS NOT NULL"),
            postgresql_where=sa.text("message_id IS NOT NULL"),
        ),
        sa.Index(
            "outbox_purpose",
            "customer_id",
            "purpose",
            sqlite_where=sa.text("state = 'waiting' AND purpose IS NOT NULL"),
            postgresql_where=sa.text("state = 'waiting' AND purpose IS NOT NULL"),
        ),
        sa.Index(
            "outbox_unasked",
            "customer_id",
            "id",
            sqlite_where=sa.text("purpose IS NOT NULL"),
            postgresql_where=sa.text("purpose IS NOT NULL"),
        ),
        sa.Index(
            "outbox_done",
            "done_at",
            sqlite_where=sa.text("done_at IS NOT NULL"),
            postgresql_where=sa.text("done_at IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    key: str = Field(unique=True)
    lane: str
    address: str
    customer_id: int | None = Field(default=None, sa_type=BigId)
    identity_id: int | None = Field(default=None, sa_type=BigId)
    exchange_id: int | None = Field(default=None, sa_type=BigId)
    ownership: int | None = None
    outgoing: dict[str, Any] = Field(sa_type=Json)
    state: str = WAITING
    tries: int = 0
    message_id: str | None = None
    why: str | None = None
    resolved: str | None = None
    purpose: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


outbox_table: sa.Table = table(Outbox)
_outbox = outbox_table
_customer = table(Customer)
_b = sa.bindparam
_is_open = sa.and_(
    _outbox.c.lane == _b("p_lane"),
    _outbox.c.address.in_(_b("p_addresses", expanding=True)),
    _outbox.c.state.in_([sa.literal_column("'waiting'"), sa.literal_column("'sending'")]),
)
_first_ids = sa.select(sa.func.min(_outbox.c.id)).where(_is_open).group_by(_outbox.c.address)
_firsts = (
    sa.select(_outbox, _customer.c.ownership.label("owned_at"))
    .select_from(_outbox.outerjoin(_customer, _customer.c.id == _outbox.c.customer_id))
    .where(_outbox.c.id.in_(_first_ids))
)
_any_open = sa.select(_outbox.c.address).where(_is_open).distinct()
_sending = sa.update(_outbox).where(_outbox.c.id == _b("p_id")).values(state=SENDING, tries=_outbox.c.tries + 1)
_done = (
    sa.update(_outbox)
    .where(_outbox.c.id == _b("p_id"), sa.text("state IN ('waiting', 'sending')"))  # spelled out: many rows at once take no list
    .values(state=_b("p_state"), message_id=_b("p_message"), why=_b("p_why"), done_at=_b("p_at"))
)
_back = sa.update(_outbox).where(_outbox.c.id == _b("p_id"), _outbox.c.state == SENDING).values(state=WAITING, why=_b("p_why"))
_resolve = (
    sa.update(_outbox)
    .where(_outbox.c.id == _b("p_id"), _outbox.c.state == UNCERTAIN, _outbox.c.resolved.is_(None))
    .values(resolved=_b("p_how"))
)
_unsure = (
    sa.select(_outbox)
    .where(sa.text("state = 'uncertain' AND resolved IS NULL"), _outbox.c.done_at <= _b("p_before"))
    .order_by(_outbox.c.done_at)
    .limit(_b("p_limit"))
)
_of_exchange = sa.select(_outbox).where(_outbox.c.exchange_id == _b("p_exchange")).order_by(_outbox.c.id)
_sent_as = sa.select(_outbox.c.exchange_id).where(
    _outbox.c.lane == _b("p_lane"),
    _outbox.c.address == _b("p_address"),
    _outbox.c.message_id == _b("p_message"),
    _outbox.c.exchange_id.is_not(None),
)
_by_id = sa.select(_outbox).where(_outbox.c.id == _b("p_id"))
_for_purpose = sa.and_(
    sa.text("state = 'waiting' AND purpose IS NOT NULL"),
    _outbox.c.customer_id.in_(_b("p_customers", expanding=True)),
    _outbox.c.purpose == _b("p_purpose"),
)
_purpose_lanes = sa.select(_outbox.c.lane, _outbox.c.address).where(_for_purpose).distinct()
_drop_purpose = (
    sa.update(_outbox).where(_for_purpose).values(state=DROPPED, why="the consent that it rested on was taken back", done_at=_b("p_at"))
)
_unasked = (
    sa.select(_outbox.c.created_at)
    .where(
        sa.text("purpose IS NOT NULL"),
        _outbox.c.customer_id == _b("p_customer"),
        _outbox.c.purpose != _b("p_service"),
        _outbox.c.state.not_in([DROPPED, REFUSED]),
    )
    .order_by(_outbox.c.id.desc())
    .limit(1)
)


def outbox_row(
    *,
    key: str,
    lane: str,
    address: str,
    outgoing: Any,
    at: datetime,
    customer_id: int | None = None,
    identity_id: int | None = None,
    exchange_id: int | None = None,
    ownership: int | None = None,
    purpose: str | None = None,
) -> Row:
    """A row for :func:`put_out`."""
    return {
        "key": key,
        "lane": lane,
        "address": address,
        "customer_id": customer_id,
        "identity_id": identity_id,
        "exchange_id": exchange_id,
        "ownership": ownership,
        "outgoing": outgoing,
        "state": WAITING,
        "tries": 0,
        "purpose": purpose,
        "created_at": at,
    }


@per_dialect
def _put_out(dialect: str) -> Any:
    return insert_into(Outbox, dialect).on_conflict_do_nothing(index_elements=["key"])


def put_out(tx: Tx, rows: list[Row]) -> None:
    """Store outgoings in the order in which each address shall get them, and open their lanes. A known key changes nothing."""
    if not rows:
        return
    tx.execute(_put_out(tx), rows)
    lanes: dict[str, dict[str, datetime]] = {}
    for row in rows:
        lanes.setdefault(row["lane"], {})[row["address"]] = row["created_at"]
    for kind in sorted(lanes, reverse=True):  # one order everywhere: a delivery that holds a "telegram" lane may open a "handoff" one
        open_lanes(tx, kind, lanes[kind])


def first_open(tx: Tx, lane: str, addresses: Collection[str]) -> list[Record]:
    """The first unsent outgoing of each address, with the customer's present ownership number as ``owned_at``."""
    return list(tx.execute(_firsts, {"p_lane": lane, "p_addresses": list(addresses)}))


def addresses_open(tx: Tx, lane: str, addresses: Collection[str]) -> set[str]:
    """Those of the addresses for which something still waits."""
    return set(tx.execute(_any_open, {"p_lane": lane, "p_addresses": list(addresses)}).scalars())


def mark_sending(tx: Tx, ids: Collection[int]) -> None:
    """Say, before it is tried, that these are about to be sent."""
    if ids:
        tx.execute(_sending, [{"p_id": id_} for id_ in ids])


def mark_done(tx: Tx, done: list[tuple[int, str, str | None, str | None]], *, at: datetime) -> None:
    """Record what became of outgoings: (id, state, the channel's message id, why)."""
    if done:
        tx.execute(_done, [{"p_id": i, "p_state": s, "p_message": m, "p_why": w, "p_at": at} for i, s, m, w in done])


def mark_postponed(tx: Tx, postponed: list[tuple[int, str]]) -> None:
    """Put outgoings (id, why) that certainly did not go out back in their place."""
    if postponed:
        tx.execute(_back, [{"p_id": i, "p_why": w} for i, w in postponed])


def resolve(tx: Tx, outgoing_id: int, how: str) -> bool:
    """Settle an uncertain outgoing (``arrived``, ``again``); False if it was settled before."""
    return tx.execute(_resolve, {"p_id": outgoing_id, "p_how": how}).rowcount == 1


def uncertain_before(tx: Tx, before: datetime, *, limit: int = 50) -> list[Record]:
    """Unsettled uncertain outgoings that became so by ``before``, oldest first."""
    return list(tx.execute(_unsure, {"p_before": before, "p_limit": limit}))


def outgoings_of(tx: Tx, exchange_id: int) -> list[Record]:
    """The outgoings that carry an exchange: several where a long text was split."""
    return list(tx.execute(_of_exchange, {"p_exchange": exchange_id}))


def exchange_sent_as(tx: Tx, lane: str, address: str, message_id: str) -> int | None:
    """The exchange that the channel knows, at this address, as ``message_id``."""
    return tx.execute(_sent_as, {"p_lane": lane, "p_address": address, "p_message": message_id}).scalar()


def get_outgoing(tx: Tx, outgoing_id: int) -> Record | None:
    """One outgoing, or None."""
    return tx.execute(_by_id, {"p_id": outgoing_id}).first()


def drop_purpose(tx: Tx, customer_ids: Collection[int], purpose: str, *, at: datetime) -> int:
    """Drop what waits to be sent to these customers for ``purpose``; how many. What is being sent already cannot be called back."""
    whose = {"p_customers": sorted(customer_ids), "p_purpose": purpose}
    lanes: dict[str, list[str]] = {}
    for lane, address in tx.execute(_purpose_lanes, whose):
        lanes.setdefault(lane, []).append(address)
    for kind in sorted(lanes, reverse=True):  # before the rows: whoever delivers holds the lane and then wants the row
        lock_lanes(tx, kind, lanes[kind])
    return int(tx.execute(_drop_purpose, whose | {"p_at": at}).rowcount) if lanes else 0


def last_unasked(tx: Tx, customer_ids: Collection[int], *, service: str) -> datetime | None:
    """When these customers were last written to for a purpose other than ``service`` without having asked; None: never that is known."""
    found = [tx.execute(_unasked, {"p_customer": one, "p_service": service}).scalar() for one in sorted(customer_ids)]
    return max((at for at in found if at is not None), default=None)
