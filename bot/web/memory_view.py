"""What the memory holds of one customer, for somebody who looks: a bounded, JSON-ready view. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypedDict

import sqlalchemy as sa

from memory.customers import Customer, Identity
from memory.database import Record, Tx, table
from memory.dialogue import dialogue_table
from memory.exchanges import Exchange
from memory.facts import Fact
from memory.handoffs import ENDED, handoff_table
from memory.inbox import TURN, inbox_table
from memory.lanes import Lane
from memory.outbox import outbox_table
from memory.turns import turn_table

LAST_EXCHANGES = 30
LAST_TURNS = 15
LAST_HANDOFFS = 8
LAST_FACTS = 40
"""Current facts and earlier values together."""

LAST_WAITING = 20

DESK_LANE = "handoff"
"""The lane of what the desk is shown; its keys are handoff ids."""


class SeenIdentity(TypedDict):
    """An address on a channel."""

    channel: str
    address: str
    name: str | None
    username: str | None
    language: str | None
    proof: str
    unreachable_since: str | None
    unreachable_why: str | None


class SeenFact(TypedDict):
    """A value with the exchange that it comes from; ``until`` is set for a value that holds no more."""

    id: int
    name: str
    value: Any
    source: str
    exchange_id: int | None
    confidence: float
    since: str
    until: str | None


class SeenDialogue(TypedDict):
    """Where the conversation on one channel stands."""

    channel: str
    state: dict[str, Any]
    at: str


class Delivery(TypedDict):
    """One outgoing that carries an exchange."""

    id: int
    lane: str
    state: str
    tries: int
    why: str | None
    resolved: str | None


class LoggedExchange(TypedDict):
    """One entry of the log, with what became of it on its way out."""

    id: int
    turn_id: int
    direction: str
    author: str
    author_name: str | None
    kind: str
    text: str
    files: list[str]
    data: dict[str, Any] | None
    reply: str | None
    about_id: int | None
    origin: str | None
    at: str
    deliveries: list[Delivery]


class SeenTurn(TypedDict):
    """One pass of the assistant or the desk, with why it did what it did."""

    id: int
    lane: str
    decision: str
    trace: dict[str, Any]
    started_at: str
    took_ms: int


class SeenHandoff(TypedDict):
    """One episode in human hands. ``want`` is the packet's, ``note`` what the agent left for the assistant."""

    id: int
    state: str
    reason: str
    owner_name: str | None
    opened_at: str
    claimed_at: str | None
    ended_at: str | None
    ending: str | None
    want: str
    note: str


class WaitingOutgoing(TypedDict):
    """One outgoing that has not gone out yet."""

    id: int
    key: str
    lane: str
    kind: str
    text: str
    state: str
    tries: int
    why: str | None
    created_at: str


class WaitingIncoming(TypedDict):
    """One accepted update that no turn has dealt with yet; ``message_id`` is the channel's."""

    id: int
    update_id: str
    message_id: str | None
    received_at: str
    due_at: str


class SeenLane(TypedDict):
    """Work in progress: who has it, and when it may be claimed."""

    kind: str
    key: str
    ready_at: str
    worker: str | None
    lease: int
    tries: int


class CustomerView(TypedDict):
    """Everything that the panel shows. Times are ISO 8601; facts, turns and handoffs are newest first, the rest oldest first."""

    customer_id: int
    ownership: int
    since: str
    identities: list[SeenIdentity]
    facts: list[SeenFact]
    dialogues: list[SeenDialogue]
    exchanges: list[LoggedExchange]
    turns: list[SeenTurn]
    handoffs: list[SeenHandoff]
    outgoings: list[WaitingOutgoing]
    incomings: list[WaitingIncoming]
    lanes: list[SeenLane]


_customer, _identity, _exchange, _fact, _lane = table(Customer), table(Identity), table(Exchange), table(Fact), table(Lane)
_b = sa.bindparam
_p_customer: sa.BindParameter[int] = _b("p_customer")

_who = (
    sa.select(_customer)
    .join(_identity, _identity.c.customer_id == _customer.c.id)
    .where(_identity.c.channel == _b("p_channel"), _identity.c.address == _b("p_address"))
)
_identities = sa.select(_identity).where(_identity.c.customer_id == _p_customer).order_by(_identity.c.id)
_facts = sa.select(_fact).where(_fact.c.customer_id == _p_customer).order_by(_fact.c.id.desc()).limit(LAST_FACTS)
_dialogues = (
    sa.select(_identity.c.channel, dialogue_table.c.state, dialogue_table.c.at)
    .join(_identity, _identity.c.id == dialogue_table.c.identity_id)
    .where(_identity.c.customer_id == _p_customer)
    .order_by(_identity.c.id)
)
_exchanges = sa.select(_exchange).where(_exchange.c.customer_id == _p_customer).order_by(_exchange.c.id.desc()).limit(LAST_EXCHANGES)
_deliveries = sa.select(outbox_table).where(outbox_table.c.exchange_id.in_(_b("p_exchanges", expanding=True))).order_by(outbox_table.c.id)
_turns = sa.select(turn_table).where(turn_table.c.customer_id == _p_customer).order_by(turn_table.c.id.desc()).limit(LAST_TURNS)
_handoffs = (
    sa.select(handoff_table).where(handoff_table.c.customer_id == _p_customer).order_by(handoff_table.c.id.desc()).limit(LAST_HANDOFFS)
)
_outgoings = (
    sa.select(outbox_table)
    .where(sa.text("state IN ('waiting', 'sending')"), outbox_table.c.customer_id == _p_customer)
    .order_by(outbox_table.c.id)
    .limit(LAST_WAITING)
)
_incomings = (
    sa.select(inbox_table)
    .where(inbox_table.c.turn_id.is_(None), inbox_table.c.customer_id == _p_customer)
    .order_by(inbox_table.c.id)
    .limit(LAST_WAITING)
)
_lanes = sa.select(_lane).where(sa.tuple_(_lane.c.kind, _lane.c.key).in_(_b("p_lanes", expanding=True))).order_by(_lane.c.kind, _lane.c.key)


def customer_view(tx: Tx, channel: str, address: str) -> CustomerView | None:
    """What is held of the customer with this address; None while the memory has not met them. Costs the same however long the history."""
    customer = tx.execute(_who, {"p_channel": channel, "p_address": address}).first()
    if customer is None:
        return None
    whose = {"p_customer": customer.id}
    identities = tx.execute(_identities, whose).all()
    handoffs = tx.execute(_handoffs, whose).all()
    return CustomerView(
        customer_id=customer.id,
        ownership=customer.ownership,
        since=_iso(customer.created_at),
        identities=[_seen_identity(row) for row in identities],
        facts=[_seen_fact(row) for row in tx.execute(_facts, whose)],
        dialogues=[SeenDialogue(channel=row.channel, state=row.state, at=_iso(row.at)) for row in tx.execute(_dialogues, whose)],
        exchanges=_logged(tx, customer.id),
        turns=[_seen_turn(row) for row in tx.execute(_turns, whose)],
        handoffs=[_seen_handoff(row) for row in handoffs],
        outgoings=[_outgoing(row) for row in tx.execute(_outgoings, whose)],
        incomings=[_incoming(row) for row in tx.execute(_incomings, whose)],
        lanes=_held_lanes(tx, customer.id, identities, handoffs),
    )


def _iso(at: datetime) -> str:
    return at.isoformat()


def _maybe_iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _seen_identity(row: Record) -> SeenIdentity:
    return SeenIdentity(
        channel=row.channel,
        address=row.address,
        name=row.name,
        username=row.username,
        language=row.language,
        proof=row.proof,
        unreachable_since=_maybe_iso(row.unreachable_since),
        unreachable_why=row.unreachable_why,
    )


def _seen_fact(row: Record) -> SeenFact:
    return SeenFact(
        id=row.id,
        name=row.name,
        value=row.value,
        source=row.source,
        exchange_id=row.exchange_id,
        confidence=row.confidence,
        since=_iso(row.since),
        until=_maybe_iso(row.until),
    )


def _logged(tx: Tx, customer_id: int) -> list[LoggedExchange]:
    rows = tx.execute(_exchanges, {"p_customer": customer_id}).all()[::-1]
    carried: dict[int, list[Delivery]] = {}
    for row in tx.execute(_deliveries, {"p_exchanges": [row.id for row in rows]}):
        delivery = Delivery(id=row.id, lane=row.lane, state=row.state, tries=row.tries, why=row.why, resolved=row.resolved)
        carried.setdefault(row.exchange_id, []).append(delivery)
    return [
        LoggedExchange(
            id=row.id,
            turn_id=row.turn_id,
            direction=row.direction,
            author=row.author,
            author_name=row.author_name,
            kind=row.kind,
            text=row.text,
            data=row.data,
            files=[_file_words(attachment) for attachment in row.attachments or ()],
            reply=row.reply,
            about_id=row.about_id,
            origin=row.origin,
            at=_iso(row.at),
            deliveries=carried.get(row.id, []),
        )
        for row in rows
    ]


def _file_words(attachment: Mapping[str, Any]) -> str:
    return str(attachment.get("name") or attachment.get("kind") or "file")


def _seen_turn(row: Record) -> SeenTurn:
    took = row.finished_at - row.started_at
    return SeenTurn(
        id=row.id,
        lane=row.lane,
        decision=row.decision,
        trace=row.trace,
        started_at=_iso(row.started_at),
        took_ms=round(took.total_seconds() * 1000),
    )


def _seen_handoff(row: Record) -> SeenHandoff:
    return SeenHandoff(
        id=row.id,
        state=row.state,
        reason=row.reason,
        owner_name=row.owner_name,
        opened_at=_iso(row.opened_at),
        claimed_at=_maybe_iso(row.claimed_at),
        ended_at=_maybe_iso(row.ended_at),
        ending=row.ending,
        want=str(row.packet.get("want") or ""),
        note=str((row.return_packet or {}).get("note") or ""),
    )


def _outgoing(row: Record) -> WaitingOutgoing:
    return WaitingOutgoing(
        id=row.id,
        key=row.key,
        lane=row.lane,
        kind=str(row.outgoing.get("kind") or "text"),
        text=str(row.outgoing.get("text") or ""),
        state=row.state,
        tries=row.tries,
        why=row.why,
        created_at=_iso(row.created_at),
    )


def _incoming(row: Record) -> WaitingIncoming:
    return WaitingIncoming(
        id=row.id,
        update_id=row.update_id,
        message_id=(row.incoming or {}).get("message_id"),
        received_at=_iso(row.received_at),
        due_at=_iso(row.due_at),
    )


def _held_lanes(tx: Tx, customer_id: int, identities: Iterable[Record], handoffs: Iterable[Record]) -> list[SeenLane]:
    """The customer's own lanes: their turns, the sends to each address, and the posts of open handoffs."""
    keys = [(TURN, str(customer_id))]
    keys += [(identity.channel, identity.address) for identity in identities]
    keys += [(DESK_LANE, str(handoff.id)) for handoff in handoffs if handoff.state != ENDED]
    return [
        SeenLane(kind=row.kind, key=row.key, ready_at=_iso(row.ready_at), worker=row.worker, lease=row.lease, tries=row.tries)
        for row in tx.execute(_lanes, {"p_lanes": keys})
    ]
