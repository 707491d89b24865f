"""What the memory holds of one person, however many customers they were met as: a bounded, JSON-ready view. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

import sqlalchemy as sa

from bot.turn.experience import described
from memory.consents import consent_table
from memory.customers import Customer, Identity, person_of
from memory.database import Database, Record, Tx, table
from memory.dialogue import dialogue_table
from memory.exchanges import Exchange
from memory.experiences import Moment, experience_table, near_limit
from memory.facts import OPEN, Fact, Standing
from memory.handoffs import ENDED, handoff_table
from memory.inbox import TURN, inbox_table
from memory.journeys import journey_table, move_table
from memory.lanes import Lane
from memory.outbox import outbox_table
from memory.promises import promise_table
from memory.recaller import Recaller
from memory.summaries import summary_table
from memory.turns import turn_table

LAST_EXCHANGES = 30
LAST_TURNS = 15
LAST_HANDOFFS = 8
LAST_FACTS = 40
"""Open facts and earlier values together: what is gone by, then what is likely or contradicts it, then what held before."""

LAST_WAITING = 20
LAST_CONSENTS, LAST_JOURNEYS, LAST_MOVES, LAST_EXPERIENCES, LAST_PROMISES, LAST_SUMMARIES = 12, 8, 12, 12, 8, 5

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
    proven_at: str | None
    unreachable_since: str | None
    unreachable_why: str | None


class SeenFact(TypedDict):
    """A value with the exchange that it comes from; ``until`` is set for a value that holds no more.

    ``standing`` is current, proposed (likely, not confirmed), contested (contradicts the current one), ended or retracted.
    """

    id: int
    name: str
    value: Any
    source: str
    exchange_id: int | None
    confidence: float
    since: str
    until: str | None
    standing: str
    by: str | None
    purpose: str
    fresh_at: str


class SeenConsent(TypedDict):
    """One answer about a purpose; the first of a purpose is the last word."""

    id: int
    purpose: str
    granted: bool
    version: str
    channel: str
    exchange_id: int | None
    at: str


class SeenMove(TypedDict):
    """One step of a journey; ``from_stage`` None: it began."""

    id: int
    from_stage: str | None
    to_stage: str
    by: str
    why: str
    at: str


class SeenJourney(TypedDict):
    """Where they stand with a product, and how they came there, the newest move first."""

    id: int
    product: str
    matter: str
    stage: str
    moved_at: str
    closed_at: str | None
    moves: list[SeenMove]


class SeenMoment(TypedDict):
    """A good or bad moment in words; ``marks`` that it is one of those that put the customer near the limit."""

    id: int
    good: bool
    kind: str
    words: str
    weight: float
    exchange_id: int | None
    marks: bool
    at: str


class SeenPromise(TypedDict):
    """A promise in whatever state."""

    id: int
    text: str
    by: str
    state: str
    exchange_id: int | None
    made_at: str
    due_at: str | None
    settled_by: str | None


class SeenSummary(TypedDict):
    """A conversation that is over; ``links`` are the exchanges that each part was taken from."""

    id: int
    began_at: str
    ended_at: str
    wanted: str
    done: str
    ending: str
    promised: str
    links: dict[str, Any]


class SeenRelated(TypedDict):
    """A moment of the whole past that belongs to what the customer wrote last: its day and words, and why it was found."""

    id: int
    text: str
    why: str
    at: str


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
    """One entry of the log, with what became of it on its way out; ``intent`` is what it was taken for, ``mood`` from -1 to 1."""

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
    intent: str | None
    mood: float | None
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
    """Everything that the panel shows. Times are ISO 8601. Exchanges, identities and what waits are oldest first, the rest newest first.

    ``members`` are the customers who turned out to be this person.
    """

    customer_id: int
    members: list[int]
    ownership: int
    since: str
    identities: list[SeenIdentity]
    facts: list[SeenFact]
    consents: list[SeenConsent]
    journeys: list[SeenJourney]
    experiences: list[SeenMoment]
    promises: list[SeenPromise]
    summaries: list[SeenSummary]
    related: list[SeenRelated]
    dialogues: list[SeenDialogue]
    exchanges: list[LoggedExchange]
    turns: list[SeenTurn]
    handoffs: list[SeenHandoff]
    outgoings: list[WaitingOutgoing]
    incomings: list[WaitingIncoming]
    lanes: list[SeenLane]


_AN_EVER = datetime.max.replace(tzinfo=UTC)

_customer, _identity, _exchange, _fact, _lane = table(Customer), table(Identity), table(Exchange), table(Fact), table(Lane)
_b = sa.bindparam
_p_customer: sa.BindParameter[int] = _b("p_customer")

_who = (
    sa.select(_customer)
    .join(_identity, _identity.c.customer_id == _customer.c.id)
    .where(_identity.c.channel == _b("p_channel"), _identity.c.address == _b("p_address"))
)
_identities = sa.select(_identity).where(_identity.c.customer_id == _p_customer).order_by(_identity.c.id)
_dialogues = (
    sa.select(_identity.c.channel, dialogue_table.c.state, dialogue_table.c.at)
    .join(_identity, _identity.c.id == dialogue_table.c.identity_id)
    .where(_identity.c.customer_id == _p_customer)
    .order_by(_identity.c.id)
)


def _newest_of(of: sa.Table, limit: int, *where: sa.ColumnElement[bool], by: str = "id") -> sa.Select[Any]:
    return sa.select(of).where(of.c.customer_id == _p_customer, *where).order_by(of.c[by].desc()).limit(limit)


_is_open = _fact.c.standing.in_([sa.literal_column(f"'{one}'") for one in OPEN])
_open_facts = _newest_of(_fact, LAST_FACTS, _is_open)
_past_facts = _newest_of(_fact, LAST_FACTS, sa.not_(_is_open))
_consents = _newest_of(consent_table, LAST_CONSENTS)
_journeys = _newest_of(journey_table, LAST_JOURNEYS, by="id")
_moves = _newest_of(move_table, LAST_MOVES)
_experiences = _newest_of(experience_table, LAST_EXPERIENCES)
_promises = _newest_of(promise_table, LAST_PROMISES)
_summaries = _newest_of(summary_table, LAST_SUMMARIES, by="last_id")
_exchanges = _newest_of(_exchange, LAST_EXCHANGES)
_turns = _newest_of(turn_table, LAST_TURNS)
_handoffs = _newest_of(handoff_table, LAST_HANDOFFS)
_deliveries = sa.select(outbox_table).where(outbox_table.c.exchange_id.in_(_b("p_exchanges", expanding=True))).order_by(outbox_table.c.id)
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


def customer_view(tx: Tx, channel: str, address: str, *, now: datetime | None = None) -> CustomerView | None:
    """What is held of the person with this address; None while the memory has not met them. Costs the same however long the history.

    ``now``: when a bad moment has to have been recent to mark them; without it, when anything was last noted.
    """
    customer = tx.execute(_who, {"p_channel": channel, "p_address": address}).first()
    if customer is None:
        return None
    whose = {"p_customer": customer.id}
    person = person_of(tx, customer.id)
    identities = tx.execute(_identities, whose).all()
    handoffs = _newest(tx, _handoffs, person, LAST_HANDOFFS)
    facts = sorted(_newest(tx, _open_facts, person, LAST_FACTS), key=lambda row: bool(row.standing != Standing.CURRENT))
    facts += _newest(tx, _past_facts, person, LAST_FACTS)[: LAST_FACTS - len(facts)]
    return CustomerView(
        customer_id=customer.id,
        members=person[1:],
        ownership=customer.ownership,
        since=_iso(customer.created_at),
        identities=[_seen_identity(row) for row in identities],
        facts=[_seen_fact(row) for row in facts],
        consents=[_seen_consent(row) for row in _newest(tx, _consents, person, LAST_CONSENTS)],
        journeys=_seen_journeys(tx, person),
        experiences=_seen_moments(_newest(tx, _experiences, person, LAST_EXPERIENCES), now),
        promises=[_seen_promise(row) for row in _newest(tx, _promises, person, LAST_PROMISES)],
        summaries=[_seen_summary(row) for row in _newest(tx, _summaries, person, LAST_SUMMARIES, by="last_id")],
        related=[],
        dialogues=[SeenDialogue(channel=row.channel, state=row.state, at=_iso(row.at)) for row in tx.execute(_dialogues, whose)],
        exchanges=_logged(tx, person),
        turns=[_seen_turn(row) for row in _newest(tx, _turns, person, LAST_TURNS)],
        handoffs=[_seen_handoff(row) for row in handoffs],
        outgoings=[_outgoing(row) for row in _newest(tx, _outgoings, person, LAST_WAITING)[::-1]],
        incomings=[_incoming(row) for row in _newest(tx, _incomings, person, LAST_WAITING)[::-1]],
        lanes=_held_lanes(tx, person, identities, handoffs),
    )


async def full_view(
    database: Database, recaller: Recaller | None, channel: str, address: str, *, now: datetime | None = None
) -> CustomerView | None:
    """:func:`customer_view`, and what ``recaller`` finds in the whole past about what the customer wrote last, as for an agent.

    A screen asks again and again, while little changes: then the search comes from the cache.
    """
    view = await database.read(lambda tx: customer_view(tx, channel, address, now=now))
    if view is None or recaller is None:
        return view
    wrote = (one["text"] for one in reversed(view["exchanges"]) if one["author"] == "customer" and one["kind"] == "text" and one["text"])
    if (last := next(wrote, None)) is not None and (found := await recaller(view["customer_id"], query=last)) is not None:
        view["related"] = [
            SeenRelated(id=item.exchange_id, text=item.text, why=item.why, at=_iso(item.at))
            for item in found.items
            if item.kind == "moment" and item.exchange_id is not None and item.at is not None
        ]
    return view


def _newest(tx: Tx, statement: sa.Select[Any], person: Sequence[int], limit: int, *, by: str = "id") -> list[Record]:
    """The newest rows of a person: of each customer by their index, so that a long history is not sorted."""
    rows = [row for one in person for row in tx.execute(statement, {"p_customer": one})]
    return sorted(rows, key=lambda row: int(row._mapping[by]), reverse=True)[:limit]


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
        proven_at=_maybe_iso(row.proven_at),
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
        standing=row.standing,
        by=row.by,
        purpose=row.purpose,
        fresh_at=_iso(row.fresh_at),
    )


def _seen_consent(row: Record) -> SeenConsent:
    return SeenConsent(
        id=row.id,
        purpose=row.purpose,
        granted=row.granted,
        version=row.version,
        channel=row.channel,
        exchange_id=row.exchange_id,
        at=_iso(row.at),
    )


def _seen_journeys(tx: Tx, person: Sequence[int]) -> list[SeenJourney]:
    moves: dict[int, list[SeenMove]] = {}
    for row in _newest(tx, _moves, person, LAST_MOVES):
        step = SeenMove(id=row.id, from_stage=row.from_stage, to_stage=row.to_stage, by=row.by, why=row.why, at=_iso(row.at))
        moves.setdefault(row.journey_id, []).append(step)
    return [
        SeenJourney(
            id=row.id,
            product=row.product,
            matter=row.matter,
            stage=row.stage,
            moved_at=_iso(row.moved_at),
            closed_at=_maybe_iso(row.closed_at),
            moves=moves.get(row.id, []),
        )
        for row in _newest(tx, _journeys, person, LAST_JOURNEYS)
    ]


def _seen_moments(rows: Sequence[Record], now: datetime | None) -> list[SeenMoment]:
    moments = [Moment(row.good, row.kind, row.weight, row.exchange_id, row.evidence, row.at) for row in rows]
    marks = near_limit(moments, now or max((one.at for one in moments), default=_AN_EVER))
    return [
        SeenMoment(
            id=row.id,
            good=row.good,
            kind=row.kind,
            words=described(moment),
            weight=row.weight,
            exchange_id=row.exchange_id,
            marks=moment in marks,
            at=_iso(row.at),
        )
        for row, moment in zip(rows, moments, strict=True)
    ]


def _seen_promise(row: Record) -> SeenPromise:
    return SeenPromise(
        id=row.id,
        text=row.text,
        by=row.by,
        state=row.state,
        exchange_id=row.exchange_id,
        made_at=_iso(row.made_at),
        due_at=_maybe_iso(row.due_at),
        settled_by=row.settled_by,
    )


def _seen_summary(row: Record) -> SeenSummary:
    return SeenSummary(
        id=row.id,
        began_at=_iso(row.began_at),
        ended_at=_iso(row.ended_at),
        wanted=row.wanted,
        done=row.done,
        ending=row.ending,
        promised=row.promised,
        links=row.links,
    )


def _logged(tx: Tx, person: Sequence[int]) -> list[LoggedExchange]:
    rows = _newest(tx, _exchanges, person, LAST_EXCHANGES)[::-1]
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
            intent=row.intent,
            mood=row.mood,
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


def _held_lanes(tx: Tx, person: Sequence[int], identities: Iterable[Record], handoffs: Iterable[Record]) -> list[SeenLane]:
    """The person's own lanes: their turns, the sends to each address, and the posts of open handoffs."""
    keys = [(TURN, str(one)) for one in person]
    keys += [(identity.channel, identity.address) for identity in identities]
    keys += [(DESK_LANE, str(handoff.id)) for handoff in handoffs if handoff.state != ENDED]
    return [
        SeenLane(kind=row.kind, key=row.key, ready_at=_iso(row.ready_at), worker=row.worker, lease=row.lease, tries=row.tries)
        for row in tx.execute(_lanes, {"p_lanes": keys})
    ]
