"""What was known when a turn began, long after: the same :class:`memory.context.Context` that the turn was given, made from what is kept.

Nothing is stored for it. Facts know when they were learned and closed, consents, experiences and moves of journeys are only added, promises
and handoffs know their times, merges when they were made and undone. So a replay shows the person as they were known then, whatever was
corrected, forgotten by the clock, or joined since::

    then = recall_then(tx, turn_id)          # None: there was no such turn, or it is kept no longer
    then.context.facts                       # as Context.facts, and so on
    then.masked                              # what was there and may not be shown any more

What is not kept over time is as it is now, or missing: the channel's name of the customer and whether they could be reached are today's;
when a fact was last said again is known of the last time only; summaries do not say when they were written and are left out;
``dialogue`` is there if the turn noted it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from memory.consents import consent_table
from memory.context import LAST_EXCHANGES, Context, Episode, Past
from memory.customers import Customer, get_identity
from memory.database import Record, Row, Tx, table
from memory.declared import at_least
from memory.exchanges import PER_TURN, Exchange, is_masked
from memory.experiences import experience_table
from memory.facts import OPEN as OPEN_FACT
from memory.facts import fact_history
from memory.handoffs import ENDED, OWNED, WAITING, handoff_table
from memory.inbox import inbox_table
from memory.journeys import journey_table, move_table
from memory.known import MOST_EXPERIENCES, gather
from memory.merges import JOINED, merges_of
from memory.outbox import outbox_table
from memory.promises import BROKEN, KEPT, LATE, OPEN, promise_table
from memory.proofs import FRESH_FOR, SEEN, level_now, proofs_of
from memory.turns import DIALOGUE, turn_table


@dataclass(frozen=True, slots=True)
class ContextThen:
    """A turn and what was known when it began.

    ``arrived`` and ``said`` are the turn's own exchanges, ``outgoings`` what it put out. ``masked`` names, in words, what has been masked
    or removed since by the rules on how long things are kept. ``now`` is what recall would gather of the same person today.
    """

    turn: Record
    context: Context
    arrived: tuple[Record, ...]
    said: tuple[Record, ...]
    outgoings: tuple[Record, ...]
    now: dict[str, Any]
    person_now: tuple[int, ...]
    masked: tuple[str, ...]


_customer, _exchange, _turn = table(Customer), table(Exchange), turn_table
_consent, _experience, _promise, _handoff = consent_table, experience_table, promise_table, handoff_table
_b = sa.bindparam
_turn_by_id = sa.select(_turn).where(_turn.c.id == _b("p_id"))
_own = sa.select(_exchange).where(_exchange.c.id.between(_b("p_first"), _b("p_last"))).order_by(_exchange.c.id)
_put_out = sa.select(outbox_table).where(outbox_table.c.key.in_(_b("p_keys", expanding=True))).order_by(outbox_table.c.id)
_incoming = sa.select(inbox_table.c.identity_id).where(inbox_table.c.id == _b("p_id"))
_root = sa.select(_customer.c.merged_into_id).where(_customer.c.id == _b("p_id"))
_members = sa.select(_customer.c.id).where(_customer.c.merged_into_id == _b("p_id")).order_by(_customer.c.id)
_past_columns = (
    _exchange.c.id,
    _exchange.c.direction,
    _exchange.c.author,
    _exchange.c.author_name,
    _exchange.c.kind,
    _exchange.c.text,
    _exchange.c.reply,
    _exchange.c.at,
    _exchange.c.data,
)
_earlier = (
    sa.select(*_past_columns, _turn.c.finished_at)
    .select_from(_exchange.outerjoin(_turn, _turn.c.id == _exchange.c.turn_id))
    .where(_exchange.c.customer_id == _b("p_customer"), _exchange.c.id < _b("p_first"))
    .order_by(_exchange.c.id.desc())
    .limit(_b("p_limit"))
)
_overtaking = (
    sa.select(*_past_columns, _turn.c.finished_at)
    .select_from(_exchange.join(_turn, _turn.c.id == _exchange.c.turn_id))
    .where(_exchange.c.customer_id == _b("p_customer"), _exchange.c.id > _b("p_last"))
    .order_by(_exchange.c.id)
    .limit(_b("p_limit"))
)
_mine: Any = _b("p_ids", expanding=True)
_moves = (
    sa.select(move_table, journey_table.c.product, journey_table.c.matter, journey_table.c.opened_at, journey_table.c.closed_at)
    .select_from(move_table.join(journey_table, journey_table.c.id == move_table.c.journey_id))
    .where(move_table.c.customer_id.in_(_mine), move_table.c.at <= _b("p_then"))
    .order_by(move_table.c.id)
)
_consents = (
    sa.select(_consent).where(_consent.c.customer_id.in_(_mine), _consent.c.at <= _b("p_then")).order_by(_consent.c.at, _consent.c.id)
)
_experiences = (
    sa.select(_experience)
    .where(_experience.c.customer_id.in_(_mine), _experience.c.at <= _b("p_then"))
    .order_by(_experience.c.at.desc(), _experience.c.id.desc())
)
_promises = (
    sa.select(_promise)
    .where(_promise.c.customer_id.in_(_mine), _promise.c.made_at <= _b("p_then"))
    .order_by(_promise.c.made_at.desc(), _promise.c.id.desc())
)
_handoffs = (
    sa.select(_handoff)
    .where(_handoff.c.customer_id.in_(_mine), _handoff.c.id < _b("p_turn"), _handoff.c.opened_at <= _b("p_then"))
    .order_by(_handoff.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class _Moment:
    """When the turn began. What was written at that very moment counts if its exchange came before this turn's."""

    at: datetime
    first_id: int

    def has(self, at: datetime | None, exchange_id: int | None = None) -> bool:
        """Whether something of this time, told in this exchange, had happened."""
        return at is not None and (at < self.at or (at == self.at and (exchange_id is None or exchange_id < self.first_id)))


def recall_then(tx: Tx, turn_id: int, *, fresh_for: timedelta = FRESH_FOR) -> ContextThen | None:
    """The turn with what was known when it began; None if there was no such turn, or it is kept no longer.

    ``fresh_for`` is how long a proof holds, as it was set then: it decides which of two proofs counted.

    Reads by index, as much as the person has told in all: for a person who looks, not for a turn.
    """
    turn = tx.execute(_turn_by_id, {"p_id": turn_id}).first()
    if turn is None:
        return None
    first_id = turn_id * PER_TURN
    own = tx.execute(_own, {"p_first": first_id, "p_last": first_id + PER_TURN - 1}).all()
    identity = get_identity(tx, own[0].identity_id if own else tx.execute(_incoming, {"p_id": turn_id}).scalar() or 0)
    if identity is None:
        return None
    moment = _Moment(turn.started_at, first_id)
    merges = _merges_around(tx, turn.customer_id)
    person = person_then(merges, turn.customer_id, turn.started_at)
    person_now = _person_now(tx, turn.customer_id)
    exchanges, masked = _exchanges(tx, person, moment)
    known, masked_facts = _known(tx, person, moment)
    everybody = {*person, *person_now, *(one for row in merges for one in (row.survivor_id, row.merged_id))}
    proof, proven_at = _proof(tx, identity.id, moment, fresh_for)
    context = Context(
        customer_id=person[0],
        home_id=turn.customer_id,
        person=person,
        identity_id=identity.id,
        channel=identity.channel,
        address=identity.address,
        profile_name=identity.name,
        username=identity.username,
        language=identity.language,
        proof=proof,
        proven_at=proven_at,
        unreachable=identity.unreachable_since is not None and identity.unreachable_since < turn.started_at,
        ownership=0,
        dialogue=turn.trace.get(DIALOGUE) or {},
        known=known,
        version=0,
        exchanges=exchanges,
        last_episode=_episode(tx, sorted(everybody), person, turn_id, moment),
    )
    return ContextThen(
        turn=turn,
        context=context,
        arrived=tuple(row for row in own if row.direction == "in"),
        said=tuple(row for row in own if row.direction == "out"),
        outgoings=tuple(tx.execute(_put_out, {"p_keys": [f"{turn_id}.{n}" for n in range(PER_TURN)]})),
        now=gather(tx, person_now),
        person_now=person_now,
        masked=(*masked_facts, *masked, *_missing(own)),
    )


def person_then(merges: Collection[Record], customer_id: int, then: datetime) -> tuple[int, ...]:
    """All customers who were known to be one person with this one at ``then``: first the one whom the others were merged into. Pure.

    ``merges`` are all merges of anybody who ever was part of this person.
    """
    into = {row.merged_id: row.survivor_id for row in merges if row.at <= then and (row.undone_at is None or row.undone_at > then)}
    root = customer_id
    while root in into:
        root = into[root]
    members = {root}
    while more := {merged for merged, survivor in into.items() if survivor in members} - members:
        members |= more
    return (root, *sorted(members - {root}))


def _merges_around(tx: Tx, customer_id: int) -> list[Record]:
    """Every merge, undone or not, that this customer or anybody merged with them took part in."""
    known, found = {customer_id}, dict[int, Record]()
    new = known
    while new:
        found |= {row.id: row for row in merges_of(tx, new)}
        new = {one for row in found.values() for one in (row.survivor_id, row.merged_id)} - known
        known = known | new
    return list(found.values())


def _person_now(tx: Tx, customer_id: int) -> tuple[int, ...]:
    root = tx.execute(_root, {"p_id": customer_id}).scalar() or customer_id
    return (root, *tx.execute(_members, {"p_id": root}).scalars())


def _exchanges(tx: Tx, person: Sequence[int], moment: _Moment) -> tuple[tuple[Past, ...], list[str]]:
    """The last exchanges that were logged by then. A turn that came later may have been done earlier: an agent's deed waits for nobody."""
    found = []
    for customer_id in person:
        places = {"p_customer": customer_id, "p_first": moment.first_id, "p_last": moment.first_id + PER_TURN - 1}
        rows = [*tx.execute(_earlier, {**places, "p_limit": LAST_EXCHANGES + 8})]
        found += [row for row in rows if row.finished_at is None or row.finished_at <= moment.at]
        found += [row for row in tx.execute(_overtaking, {**places, "p_limit": 64}) if row.finished_at < moment.at]
    last = sorted(found, key=lambda row: int(row.id))[-LAST_EXCHANGES:]
    masked = [f"the words of exchange {row.id}" for row in last if is_masked(row)]
    return tuple(Past(*tuple(row)[:8]) for row in last), masked


def _missing(own: Collection[Record]) -> list[str]:
    if not own:
        return ["the exchanges of this turn"]
    return [f"the words of exchange {row.id}" for row in own if is_masked(row)]


def _known(tx: Tx, person: Sequence[int], moment: _Moment) -> tuple[dict[str, Any], list[str]]:
    """What :func:`memory.known.gather` would have gathered then."""
    ids = {"p_ids": list(person), "p_then": moment.at}
    consents = {row.purpose: row for row in tx.execute(_consents, ids) if moment.has(row.at, row.exchange_id)}
    experiences = [row for row in tx.execute(_experiences, ids) if moment.has(row.at, row.exchange_id)]
    facts = _facts(fact_history(tx, person), moment)
    known = {
        "facts": [_fact(row, moment) for row in facts],
        "consents": [_plain(row) for row in consents.values()],
        "journeys": _journeys(tx, ids, moment),
        "experiences": [_plain(row) for row in experiences[:MOST_EXPERIENCES]],
        "promises": _open_promises(tx, ids, moment),
        "summaries": [],
    }
    return known, [f"the value of `{row.name}` that was told in exchange {row.exchange_id}" for row in facts if row.value is None]


def _facts(rows: Sequence[Record], moment: _Moment) -> list[Record]:
    """The facts that were open when the turn began, the newest first; what this turn itself learned and closed does not count."""
    later = {row.id for row in rows if not moment.has(row.learned_at, row.exchange_id)}
    return [
        row
        for row in reversed(rows)
        if row.id not in later
        and row.told_as in OPEN_FACT
        and (row.closed_at is None or row.closed_at > moment.at or row.closed_by_id in later)
    ]


def _fact(row: Record, moment: _Moment) -> Row:
    fact = {"value": None} | _plain(row) | {"standing": row.told_as}
    if row.fresh_at > moment.at:  # said again later; how often before is not known
        fact["fresh_at"] = fact["learned_at"]
    return fact


def _journeys(tx: Tx, ids: dict[str, Any], moment: _Moment) -> list[Row]:
    last: dict[int, Record] = {}
    for move in tx.execute(_moves, ids):
        own = move.turn_id * PER_TURN if move.turn_id is not None else None
        if moment.has(move.at, own):
            last[move.journey_id] = move
    open_ = [move for move in last.values() if not _closed(move, moment)]
    rows = [
        {
            "id": move.journey_id,
            "product": move.product,
            "matter": move.matter,
            "stage": move.to_stage,
            "opened_at": move.opened_at.isoformat(),
            "moved_at": move.at.isoformat(),
        }
        for move in open_
    ]
    return sorted(rows, key=lambda row: (str(row["moved_at"]), row["id"]), reverse=True)


def _closed(last: Record, moment: _Moment) -> bool:
    """Whether the journey of this last move was closed; a move that closes has the same time."""
    return moment.has(last.closed_at) and (last.closed_at < moment.at or last.closed_at == last.at)


def _open_promises(tx: Tx, ids: dict[str, Any], moment: _Moment) -> list[Row]:
    found = []
    for row in tx.execute(_promises, ids):
        state = _promise_state(row, moment) if moment.has(row.made_at, row.exchange_id) else None
        if state in (OPEN, BROKEN):
            found.append(_plain(row) | {"state": state})
    return found


def _promise_state(row: Record, moment: _Moment) -> str:
    """How a promise stood. When one that was kept late had been noted as broken is not known: its time had passed, that is what counts."""
    if row.state == OPEN or moment.has(row.settled_at):
        return str(row.state)
    late = row.state in (LATE, KEPT) and row.due_at is not None and row.due_at < moment.at
    return BROKEN if late else OPEN


def _episode(tx: Tx, customers: Sequence[int], person: Sequence[int], turn_id: int, moment: _Moment) -> Episode | None:
    """The person's open handoff, or else the latest, as it stood. Whose it was is told by its identity; a merge may move it.

    One that ended because it was carried on in another one (:data:`memory.merges.JOINED`) is the last choice.
    """
    found = []
    for row in tx.execute(_handoffs, {"p_ids": list(customers), "p_turn": turn_id, "p_then": moment.at}):
        identity = get_identity(tx, row.identity_id)
        if identity is not None and identity.home_id in person:
            found.append(_episode_of(row, moment))
    return max(found, key=lambda one: (one.state != ENDED, one.ending != JOINED, one.id), default=None)


def _episode_of(row: Record, moment: _Moment) -> Episode:
    ended, owned = moment.has(row.ended_at), moment.has(row.claimed_at)
    return Episode(
        id=row.id,
        state=ENDED if ended else OWNED if owned else WAITING,
        reason=row.reason,
        owner=row.owner if owned else None,
        owner_name=row.owner_name if owned else None,
        opened_at=row.opened_at,
        ended_at=row.ended_at if ended else None,
        ending=row.ending if ended else None,
        return_packet=row.return_packet if ended else None,
    )


def _proof(tx: Tx, identity_id: int, moment: _Moment, fresh_for: timedelta) -> tuple[str, datetime | None]:
    """How well the identity was proven, as :func:`memory.proofs.prove` has it."""
    level: str = SEEN
    proven_at = None
    for row in proofs_of(tx, [identity_id]):
        if moment.has(row.at):
            present = level_now(level, proven_at, row.at, fresh_for)
            level, proven_at = (row.level, row.at) if at_least(row.level, present) else (level, proven_at)
    return level, proven_at


def _plain(row: Record) -> Row:
    """A row as :mod:`memory.known` keeps it."""
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in row._mapping.items()
        if value is not None and value != ""
    }
