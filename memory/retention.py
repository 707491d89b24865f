"""How long things are kept: by kind and age, masked or removed in small steps that never hold up a turn.

An assistant's YAML declares the rules (:class:`memory.declared.Retention`); what no rule speaks of is kept. One step deals with a few
hundred rows in one short transaction, found by a key from the mark where the last step ended, so nothing is scanned twice and a killed
process repeats nothing::

    while step(tx, rule, now, 200): ...        # each in a transaction of its own, with a pause between
    while due(tx, rule, now, places, 1000): ...  # counts what a rule would deal with, without doing it

What a rule leaves:

- ``text``, masked: the exchange's row with its number, time, author and kind, without words, files' names and the customer's name; the
  same of summaries and of the packets of handoffs that are over. Removed: nothing of the exchange, nor of its files. Who refers to it keeps
  its number: a fact still says which exchange it was told in. The search index loses the words a little later, when a customer's is made
  anew (after ``REINDEX`` of the rule's time); until then it finds numbers of exchanges whose words are gone. What was promised and
  agreed to stays: those are our words, and we are held to them.
- ``files``: the note that there was one, with why it is kept no longer.
- ``facts`` that hold no longer, counted from when that was learned. Masked: name, times and source, without the value. The digest by
  which an identifying value finds its customer goes with it (:class:`memory.proposals.Handle`), unless they have told the same again.
- ``turns``: nothing; with them go the accepted updates that they dealt with, which no channel repeats after so long.
- ``outbox``, of what is over. Masked: when it went out, by which way, and what became of it. Removed: nothing, so that an edit of words
  that old is sent as a message of its own.
- ``quarantine``: nothing.

Beside the rules, and whatever they say, links and codes go a while after their end (:func:`memory.links.clear_links`).

Nothing is passed over because it is slow: marks stay before the oldest update that still waits for its turn and the oldest file that is
still to be fetched. :func:`gone_to` says up to which numbers rows may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.attachments import blob_use_table, release
from memory.clock import UtcDateTime
from memory.customers import ownership_of, person_of
from memory.database import BigId, Record, Tx, insert_into, per_dialect, table
from memory.declared import Retention
from memory.exchanges import DIGEST, FILES, MASKED, PER_TURN, Exchange
from memory.facts import fact_table
from memory.handoffs import handoff_table
from memory.inbox import Quarantine, inbox_table
from memory.known import refresh_known
from memory.lanes import Lane, claim_lanes, leave_lanes, mark_lanes, restart_lanes
from memory.outbox import outbox_table
from memory.proposals import drop_handles
from memory.search.tables import SearchState
from memory.summaries import summary_table
from memory.turns import turn_table

REMOVE = "remove"

REPEATED_FOR = timedelta(days=2)
"""For so long a channel may deliver an update again (Telegram: a day), so it has to be known."""

MOST_SUMMARIES = 5
"""Summaries of one step: each holds its customer for as long as it takes to gather what is known of them."""

REINDEX = 0.1
REINDEX_AT_LEAST, REINDEX_AT_MOST = timedelta(days=1), timedelta(days=30)

LEASE = timedelta(minutes=5)

KEPT_NO_LONGER = "kept no longer"


class RetentionMark(SQLModel, table=True):
    """How far a rule has come: rows up to ``done_to`` have been dealt with. A number, or a time in microseconds since 1970."""

    __tablename__ = "retention_mark"

    rule: str = Field(primary_key=True)
    done_to: int = Field(default=0, sa_type=BigId)
    at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that are old enough, in the order of their marks. ``mark`` is what the mark becomes when they have been dealt with."""

    rows: Sequence[Record]
    mark: int


@dataclass(frozen=True, slots=True)
class Place:
    """From where on rows are looked for: after ``mark``. ``id`` is the last row that was counted of those who share a moment."""

    mark: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One table's part in a rule. ``find`` gives the next old rows after a place; ``do`` deals with them, removing them or not."""

    name: str
    find: Callable[[Tx, Place, datetime, int], Found]
    do: Callable[[Tx, Found, bool, datetime], None]


mark_table: sa.Table = table(RetentionMark)
_mark, _exchange, _lane, _state = mark_table, table(Exchange), table(Lane), table(SearchState)
_fact, _outbox, _turn, _inbox = fact_table, outbox_table, turn_table, inbox_table
_handoff, _summary, _use, _quarantine = handoff_table, summary_table, blob_use_table, table(Quarantine)
_b = sa.bindparam
_held_mark = sa.select(_mark).where(_mark.c.rule == _b("p_rule")).with_for_update(skip_locked=True)
_is_marked = sa.select(_mark.c.rule).where(_mark.c.rule == _b("p_rule"))
_move_mark = sa.update(_mark).where(_mark.c.rule == _b("p_rule")).values(done_to=_b("p_to"), at=_b("p_at"))
_marks = sa.select(_mark.c.rule, _mark.c.done_to)
_oldest_waiting = sa.select(sa.func.min(_inbox.c.id + 0)).where(_inbox.c.turn_id.is_(None))  # + 0: not along the primary key
_oldest_files = sa.select(sa.func.min(sa.cast(_lane.c.key, sa.BigInteger))).where(_lane.c.kind == FILES)


@per_dialect
def _begin_mark(dialect: str) -> Any:
    return insert_into(RetentionMark, dialect).on_conflict_do_nothing()


def step(tx: Tx, rule: Retention, now: datetime, limit: int = 200) -> int:
    """Deal with up to ``limit`` rows of what the rule speaks of; how many it were, 0 when there is no more for now. The caller commits.

    Another process that is at the same rule is left alone: then 0 as well.
    """
    for part in PARTS[rule.what]:
        found = _do(tx, part, rule, now, limit)
        if found:
            return found
    return _remake(tx, now) if rule.what == "text" else 0


def due(tx: Tx, rule: Retention, now: datetime, places: dict[str, Place], limit: int = 1000) -> int:
    """Count up to ``limit`` rows that the rule would deal with next; 0 when there are no more. ``places`` is carried from call to call."""
    for part in PARTS[rule.what]:
        key = key_of(rule, part.name)
        place = places.get(key) or Place(tx.execute(sa.select(_mark.c.done_to).where(_mark.c.rule == key)).scalar() or 0)
        found = part.find(tx, place, _before(rule, now), limit)
        if found.rows:
            places[key] = Place(found.mark, getattr(found.rows[-1], "id", 0))
            return len(found.rows)
    return 0


def gone_to(tx: Tx) -> dict[str, int]:
    """The greatest ``exchange`` and ``turn`` that rules have removed rows up to: of what is not newer, rows may be missing."""
    marks = {row.rule: row.done_to for row in tx.execute(_marks)}
    return {"exchange": marks.get(f"text {REMOVE} exchange", 0), "turn": marks.get(f"turns {REMOVE} turn", 0)}


def key_of(rule: Retention, part: str) -> str:
    """The mark's key. The age is not in it: a rule that keeps things for longer or shorter goes on from where it stands."""
    return f"{rule.what} {rule.do} {part}"


def _before(rule: Retention, now: datetime) -> datetime:
    age = timedelta(days=rule.after_days)
    return now - (max(age, REPEATED_FOR) if rule.what == "turns" else age)


def _do(tx: Tx, part: Part, rule: Retention, now: datetime, limit: int) -> int:
    key = key_of(rule, part.name)
    mark = tx.execute(_held_mark, {"p_rule": key}).first()
    if mark is None and tx.execute(_is_marked, {"p_rule": key}).first() is not None:
        return 0  # another process has it
    found = part.find(tx, Place(mark.done_to if mark is not None else 0), _before(rule, now), limit)
    if not found.rows:
        return 0
    if mark is None:
        tx.execute(_begin_mark(tx), {"rule": key, "done_to": 0, "at": now})
        mark = tx.execute(_held_mark, {"p_rule": key}).first()
        if mark is None or mark.done_to:
            return 0  # another process was faster
    part.do(tx, found, rule.do == REMOVE, now)
    if part.name == "exchange":
        _remake_later(tx, sorted({row.customer_id for row in found.rows}), now, timedelta(days=rule.after_days))
    tx.execute(_move_mark, {"p_rule": key, "p_to": found.mark, "p_at": now})
    return len(found.rows)


# -- what is found by number: rows come in the order of their numbers, as time goes ----------------------------------


def _by_id(statement: sa.Select[Any], number: sa.ColumnElement[int], time: str) -> Callable[[Tx, int, datetime, int, int], list[Record]]:
    """The next rows after a mark, up to one that is not old enough or not before ``end``."""
    wanted = statement.where(number > _b("p_mark"), number < _b("p_end")).order_by(number).limit(_b("p_limit"))

    def find(tx: Tx, mark: int, before: datetime, end: int, limit: int) -> list[Record]:
        rows = tx.execute(wanted, {"p_mark": mark, "p_end": end, "p_limit": limit})
        return list(takewhile(lambda row: getattr(row, time) <= before, rows))

    return find


_ENDLESS = 2**62
_old_exchanges = _by_id(sa.select(_exchange.c.id, _exchange.c.customer_id, _exchange.c.at), _exchange.c.id, "at")
_old_turns = _by_id(sa.select(_turn.c.id, _turn.c.finished_at), _turn.c.id, "finished_at")
_old_files = _by_id(sa.select(_use.c.exchange_id, _use.c.n, _use.c.at), _use.c.exchange_id, "at")
_old_quarantine = _by_id(sa.select(_quarantine.c.id, _quarantine.c.at), _quarantine.c.id, "at")


def _settled(tx: Tx) -> int:
    """The first turn that is not over: it waits, or files that it carried are still to be fetched."""
    ends = [tx.execute(statement).scalar() for statement in (_oldest_waiting, _oldest_files)]
    return min((int(end) for end in ends if end is not None), default=_ENDLESS // PER_TURN)


_their_summaries = (
    sa.select(_summary.c.id, _summary.c.customer_id, _summary.c.last_id)
    .where(
        _summary.c.customer_id.in_(_b("p_customers", expanding=True)),
        _summary.c.last_id.between(_b("p_first"), _b("p_last")),
    )
    .order_by(_summary.c.last_id)
    .limit(MOST_SUMMARIES + 1)
)
_mask_exchanges = (
    sa.update(_exchange)
    .where(_exchange.c.id.in_(_b("p_ids", expanding=True)))
    .values(
        text="",
        attachments=sa.null(),
        data=_b("p_data", type_=_exchange.c.data.type),
        author_name=sa.case((_exchange.c.author == "agent", _exchange.c.author_name), else_=sa.null()),
    )
)
_remove_exchanges = sa.delete(_exchange).where(_exchange.c.id.in_(_b("p_ids", expanding=True)))
_mask_summaries = (
    sa.update(_summary)
    .where(_summary.c.id.in_(_b("p_ids", expanding=True)))
    .values(wanted="", done="", promised="", links=_b("p_links", type_=_summary.c.links.type))
)


def _find_exchanges(tx: Tx, place: Place, before: datetime, limit: int) -> Found:
    """At most as many as have few summaries: those are masked with the last exchange that they speak of."""
    rows = _old_exchanges(tx, place.mark, before, _settled(tx) * PER_TURN, limit)
    summaries = _summaries_of(tx, rows)
    if len(summaries) > MOST_SUMMARIES:
        rows = [row for row in rows if row.id <= summaries[MOST_SUMMARIES - 1].last_id]
    return Found(rows, rows[-1].id if rows else place.mark)


def _summaries_of(tx: Tx, rows: Sequence[Record]) -> list[Record]:
    if not rows:
        return []
    span = {"p_first": rows[0].id, "p_last": rows[-1].id}
    return list(tx.execute(_their_summaries, {"p_customers": sorted({row.customer_id for row in rows}), **span}))


def _do_exchanges(tx: Tx, found: Found, removes: bool, now: datetime) -> None:
    ids = [row.id for row in found.rows]
    summaries = _summaries_of(tx, found.rows)
    customers = sorted({row.customer_id for row in summaries})
    if customers:
        ownership_of(tx, {one for customer_id in customers for one in person_of(tx, customer_id)})
    if removes:
        tx.execute(_remove_exchanges, {"p_ids": ids})
        while release(tx, exchange_ids=ids)[0]:
            pass
    else:
        tx.execute(_mask_exchanges, {"p_ids": ids, "p_data": {MASKED: now.isoformat()}})
    if summaries:
        tx.execute(_mask_summaries, {"p_ids": [row.id for row in summaries], "p_links": {}})
        refresh_known(tx, customers)


def _find_turns(tx: Tx, place: Place, before: datetime, limit: int) -> Found:
    rows = _old_turns(tx, place.mark, before, _settled(tx), limit)
    return Found(rows, rows[-1].id if rows else place.mark)


def _do_turns(tx: Tx, found: Found, removes: bool, now: datetime) -> None:
    first, last = found.rows[0].id, found.mark
    tx.execute(sa.delete(_turn).where(_turn.c.id.between(first, last)))
    tx.execute(sa.delete(_inbox).where(_inbox.c.id.between(first, last), _inbox.c.turn_id.is_not(None), _inbox.c.turn_id <= last))


def _find_files(tx: Tx, place: Place, before: datetime, limit: int) -> Found:
    """Whole exchanges: an album's files go together."""
    rows = _old_files(tx, place.mark, before, _settled(tx) * PER_TURN, limit)
    return Found(rows, rows[-1].exchange_id if rows else place.mark)


def _do_files(tx: Tx, found: Found, removes: bool, now: datetime) -> None:
    ids = sorted({row.exchange_id for row in found.rows})
    while release(tx, exchange_ids=ids, why=KEPT_NO_LONGER)[0]:
        pass


def _find_quarantine(tx: Tx, place: Place, before: datetime, limit: int) -> Found:
    rows = _old_quarantine(tx, place.mark, before, _ENDLESS, limit)
    return Found(rows, rows[-1].id if rows else place.mark)


def _do_quarantine(tx: Tx, found: Found, removes: bool, now: datetime) -> None:
    tx.execute(sa.delete(_quarantine).where(_quarantine.c.id.in_([row.id for row in found.rows])))


# -- what is found by the time when it was over: a row may be over long after later ones -------------------------------


def _by_time(
    of: sa.Table, time: sa.Column[Any], *columns: sa.Column[Any], todo: sa.ColumnElement[bool]
) -> Callable[[Tx, Place, datetime, int], Found]:
    """The next rows that were over at the mark's moment or later; ``todo`` leaves out those that were masked, when many share a moment."""
    wanted = (
        sa.select(of.c.id, time.label("over_at"), *columns)
        .where(time >= _b("p_after"), time <= _b("p_before"), sa.or_(time > _b("p_after"), of.c.id > _b("p_id")), todo)
        .order_by(time, of.c.id)
        .limit(_b("p_limit"))
    )

    def find(tx: Tx, place: Place, before: datetime, limit: int) -> Found:
        after = _EPOCH + timedelta(microseconds=place.mark)
        rows = tx.execute(wanted, {"p_after": after, "p_before": before, "p_id": place.id, "p_limit": limit}).all()
        return Found(rows, (rows[-1].over_at - _EPOCH) // timedelta(microseconds=1) if rows else place.mark)

    return find


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_find_facts = _by_time(_fact, _fact.c.closed_at, todo=sa.cast(_fact.c.value, sa.Text) != "null")
_find_handoffs = _by_time(_handoff, _handoff.c.ended_at, _handoff.c.packet, todo=_handoff.c.packet[MASKED].as_string().is_(None))
_find_outgoings = _by_time(
    _outbox,
    _outbox.c.done_at,
    _outbox.c.outgoing,
    todo=_outbox.c.outgoing["text"].as_string().is_not(None),
)
_mask_fact = sa.update(_fact).where(_fact.c.id.in_(_b("p_ids", expanding=True))).values(value=sa.JSON.NULL)
_mask_handoff = (
    sa.update(_handoff)
    .where(_handoff.c.id == _b("p_id"))
    .values(packet=_b("p_packet", type_=_handoff.c.packet.type), return_packet=_b("p_return", type_=_handoff.c.return_packet.type))
)
_return_packets = sa.select(_handoff.c.id, _handoff.c.return_packet).where(_handoff.c.id.in_(_b("p_ids", expanding=True)))
_mask_outgoing = (
    sa.update(_outbox)
    .where(_outbox.c.id == _b("p_id"))
    .values(
        outgoing=_b("p_outgoing", type_=_outbox.c.outgoing.type),
        resolved=sa.case((_outbox.c.state == "uncertain", sa.func.coalesce(_outbox.c.resolved, KEPT_NO_LONGER)), else_=_outbox.c.resolved),
    )
)


def _do_facts(tx: Tx, found: Found, removes: bool, now: datetime) -> None:
    ids = [row.id for row in found.rows]
    drop_handles(tx, ids, at=now)
    if removes:
        tx.execute(sa.delete(_fact).where(_fact.c.id.in_(ids)))
    else:
        tx.execute(_mask_fact, {"p_ids": ids})


def _do_handoffs(tx: Tx, found: Found, removes: bool, now: datetime) -> None:
    """Packets quote what was said; the episode itself stays, as nothing of it is anybody's words."""
    returned = {row.id: row.return_packet for row in tx.execute(_return_packets, {"p_ids": [row.id for row in found.rows]})}
    masked = {MASKED: now.isoformat()}
    for row in found.rows:
        back = returned[row.id]
        parameters = {"p_packet": {**without_words(row.packet), **masked}, "p_return": {**without_words(back), **masked} if back else back}
        tx.execute(_mask_handoff, {"p_id": row.id, **parameters})


def _do_outgoings(tx: Tx, found: Found, removes: bool, now: datetime) -> None:
    if removes:
        tx.execute(sa.delete(_outbox).where(_outbox.c.id.in_([row.id for row in found.rows])))
    else:
        tx.execute(_mask_outgoing, [{"p_id": row.id, "p_outgoing": {"kind": row.outgoing.get("kind", "text")}} for row in found.rows])


_TELLING = frozenset({"version", "channel", "language", "reason", "agent", "customer_since"})
"""What stays of a packet's texts: none of it is what anybody said or is called, but for the agent."""


def without_words(packet: Mapping[str, Any]) -> dict[str, Any]:
    """A packet without what was said and known: its numbers and what kind of case it was. It can still be read as one. Pure."""
    return dict(_without(packet))


def _without(packet: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in packet.items():
        if value is None or isinstance(value, bool | int | float) or name in _TELLING:
            yield name, value
        elif isinstance(value, str):
            yield name, ""
        elif isinstance(value, list | tuple):
            yield name, []


# -- the search index: its entries of what is gone go when it is made anew -----------------------------------------------

REMAKE = "remake index"
"""The kind of lane in which a customer's search index waits to be made anew; its key is the customer's id."""

MOST_INDEXES = 10

_indexed = sa.select(_state.c.customer_id).where(_state.c.customer_id.in_(_b("p_ids", expanding=True)))


def _remake_later(tx: Tx, customers: Sequence[int], now: datetime, age: timedelta) -> None:
    """Note that words of these customers are gone which their indexes have; one that is noted already keeps its time."""
    wait = min(max(age * REINDEX, REINDEX_AT_LEAST), REINDEX_AT_MOST)
    indexed = tx.execute(_indexed, {"p_ids": list(customers)}).scalars()
    mark_lanes(tx, REMAKE, [str(one) for one in indexed], ready_at=now + wait)


def _remake(tx: Tx, now: datetime) -> int:
    """Drop the indexes whose time has come; the digest makes them anew of what is left. How many they were."""
    from memory.search.index import drop_index  # it brings numpy, which a start does not need

    lanes = claim_lanes(tx, REMAKE, worker="retention", now=now, until=now + LEASE, limit=MOST_INDEXES)
    keys = sorted(lane.key for lane in lanes)
    indexed = sorted(tx.execute(_indexed, {"p_ids": [int(key) for key in keys]}).scalars())
    restart_lanes(tx, DIGEST, [str(one) for one in indexed], ready_at=now)
    for customer_id in indexed:
        drop_index(tx, customer_id)
    leave_lanes(tx, REMAKE, dict.fromkeys(keys))
    return len(keys)


PARTS: Mapping[str, tuple[Part, ...]] = {
    "text": (Part("exchange", _find_exchanges, _do_exchanges), Part("handoff", _find_handoffs, _do_handoffs)),
    "files": (Part("file", _find_files, _do_files),),
    "facts": (Part("fact", _find_facts, _do_facts),),
    "turns": (Part("turn", _find_turns, _do_turns),),
    "outbox": (Part("outgoing", _find_outgoings, _do_outgoings),),
    "quarantine": (Part("update", _find_quarantine, _do_quarantine),),
}
"""What each rule goes through, in this order."""
