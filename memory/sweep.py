"""What the cut has detached is removed or masked, a few hundred rows in a transaction, so that no turn is held up.

Every step looks for what is still there, so it may be repeated, and after a crash the first look goes on where the last one stopped. Rows
that the ledger counts (turns, inbox, outbox, handoffs) stay without their content; all others go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from memory.attachments import blob_use_table, release
from memory.customers import Customer, ownership_of
from memory.database import Record, Row, Tx, table
from memory.detach import subject_in
from memory.erasure import MASKED, Left, add_left, update_erasure
from memory.exchanges import PER_TURN, Exchange
from memory.handoffs import handoff_table
from memory.inbox import Quarantine, inbox_table
from memory.lanes import Lane, lock_lanes
from memory.outbox import DROPPED, REFUSED, SENDING, SENT, UNCERTAIN, WAITING, outbox_row, outbox_table, put_out
from memory.turns import turn_table
from memory.whose import DESK_LANE, GENERAL, KEPT, NOBODYS, Subject, emptied_columns, rows_about

AT_ONCE = 200
"""How many rows one transaction removes or masks."""

FILES_AT_ONCE = 8
"""How many exchanges' files one transaction removes: a file may have 20 MB."""

UNSENT_FOR = {"telegram": timedelta(hours=48)}
"""For how long a bot may delete what it sent in a private chat (Bot API, deleteMessage), by channel; elsewhere nothing is called back."""

IDS_AT_ONCE = 100
"""How many messages one request may delete (Bot API, deleteMessages)."""

_exchange, _lane, _quarantine, _customer = table(Exchange), table(Lane), table(Quarantine), table(Customer)
_outbox, _handoff, _turn, _inbox = outbox_table, handoff_table, turn_table, inbox_table
_NO_WORDS: Row = {"trace": {}, "decision": MASKED}
"""What a turn's columns have that cannot be empty."""


@dataclass(slots=True)
class Sweep:
    """One transaction's worth. ``counts`` are rows by table; ``more`` says that more is to be done at once, ``pending`` what is awaited."""

    tx: Tx
    erasure: Record
    subject: Subject
    now: datetime
    room: int = AT_ONCE
    todo: Row = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    outgoings: list[Row] = field(default_factory=list)
    pending: int = 0
    empty: set[str] = field(default_factory=set)

    def count(self, what: str, rows: int) -> None:
        """Note rows of a kind, and that there is less room now."""
        if rows > 0:
            name = str(what)  # a table's name is of a type that JSON does not take
            self.counts[name] = self.counts.get(name, 0) + rows
            self.room -= rows


def sweep(
    tx: Tx, erasure: Record, *, now: datetime, notice: Callable[[int], Row] | None = None, empty: set[str] | None = None
) -> tuple[bool, int]:
    """Remove the next rows; (whether there is more to do at once, how many sends are awaited). The caller holds the lane and commits.

    ``notice`` makes the outgoing that tells the desk that the topic of a handoff is deleted. ``empty`` collects the tables in which nothing
    was found any more, and they are passed over; the last look of all is to be made without.
    """
    todo = dict(erasure.todo or {})
    subject = subject_in(todo)
    ownership_of(tx, subject.customers)
    one = Sweep(tx, erasure, subject, now, todo=todo, counts=dict(erasure.counts), empty=set() if empty is None else empty)
    before = dict(one.counts)
    for step in _STEPS:
        if one.room <= 0:
            break
        step(one)
    if one.room > 0:
        _handoffs(one, notice)
    if one.room > 0:
        _outgoings(one)
    put_out(tx, one.outgoings)
    changed = one.counts != before or bool(one.outgoings) or bool(one.left)
    if changed or todo != erasure.todo:
        update_erasure(tx, erasure.id, todo=todo, counts=one.counts, left=add_left(erasure.left, one.left))
    return changed or one.room <= 0, one.pending


def remains(tx: Tx, subject: Subject, metadata: sa.MetaData) -> dict[str, int]:
    """What is still there of a person who is forgotten: rows by table. Empty is as it should be."""
    found: dict[str, int] = {}
    for of in metadata.sorted_tables:
        where = rows_about(of, subject)
        if where is None:
            continue
        if of.name in KEPT:
            where = sa.and_(where, sa.or_(*_not_masked(of)), *_not_later(of))
        count = tx.execute(sa.select(sa.func.count()).select_from(of).where(where)).scalar_one()
        if count:
            found[of.name] = int(count)
    return found


def _not_later(of: sa.Table) -> Iterator[sa.ColumnElement[bool]]:
    """Leaves out what the desk did afterwards: an agent may press a button of a case that is gone, and only numbers are known then."""
    if of is not _outbox and of is not _turn:
        return
    at = of.c.created_at if of is _outbox else of.c.started_at
    lane = DESK_LANE if of is _outbox else DESK
    cut = sa.select(_customer.c.forgotten_at).where(_customer.c.id == of.c.customer_id).correlate(of).scalar_subquery()
    yield sa.not_(sa.and_(of.c.lane == lane, at > sa.func.coalesce(cut, at)))


def _not_masked(of: sa.Table) -> Iterator[sa.ColumnElement[bool]]:
    """What shows that a row of a masked table still has content."""
    if of.name == "customer":
        yield of.c.forgotten_at.is_(None)
    if "address" in of.c:
        masked = of.c.address.like(f"{MASKED}:%")
        yield sa.not_(masked) if of.name == "identity" else sa.and_(of.c.lane != DESK_LANE, sa.not_(masked))
    for column in emptied_columns(of):
        if column.name in _NO_WORDS:
            yield sa.cast(column, sa.Text) != (MASKED if column.name == "decision" else "{}")
        elif isinstance(column.type, sa.JSON) or column.name == "outgoing":
            text = sa.cast(column, sa.Text)
            yield sa.and_(column.is_not(None), text != "null", text.not_like("%forgotten%"))
        else:
            yield column.is_not(None)


# -- rows that go -----------------------------------------------------------------------------------------------------


def _removed_tables() -> list[sa.Table]:
    """What is deleted, those that refer to others first."""
    return [
        of
        for of in reversed(_exchange.metadata.sorted_tables)
        if of.name not in KEPT and of.name not in NOBODYS and of is not blob_use_table
    ]


def _delete(one: Sweep) -> None:
    """Exchanges go before files: who keeps a file looks first whether its exchange is there."""
    for of in _removed_tables():
        while one.room > 0 and of.name not in one.empty:
            where = rows_about(of, one.subject)
            assert where is not None
            key = [of.c[column.name] for column in of.primary_key]
            some = sa.select(*key).where(where).limit(one.room).correlate(None)
            chosen = key[0].in_(some) if len(key) == 1 else sa.tuple_(*key).in_(some)
            gone = one.tx.execute(sa.delete(of).where(chosen)).rowcount
            if gone < one.room:
                one.empty.add(of.name)
            one.count(of.name, gone)


def _files(one: Sweep) -> None:
    mine = rows_about(blob_use_table, one.subject)
    assert mine is not None
    ids = list(one.tx.execute(sa.select(blob_use_table.c.exchange_id).where(mine).distinct().limit(FILES_AT_ONCE)).scalars())
    if ids:
        uses, blobs = release(one.tx, exchange_ids=ids)
        one.count("blob_use", uses)
        one.count("blob", blobs)
        one.room = 0  # files are large: the next ones have a transaction of their own


def _in_quarantine(one: Sweep) -> None:
    """Updates that nothing could read and that name one of the addresses; looked through once, at the beginning."""
    if one.todo.get("quarantine"):
        return
    one.todo["quarantine"] = True
    for channel, address in [*one.todo.get("addresses", ()), *((DESK, topic) for topic in one.todo.get("topics", ()))]:
        near = sa.select(_quarantine).where(_quarantine.c.channel == channel, _quarantine.c.raw.contains(address, autoescape=True))
        ids = [row.id for row in one.tx.execute(near) if names_address(row.raw, address)]
        if ids:
            one.tx.execute(sa.delete(_quarantine).where(_quarantine.c.id.in_(ids)))
            one.count("quarantine", len(ids))


DESK = "desk"
"""The channel of agents' updates; what they write in a topic is about its customer."""

_ID_NAMES = ("id", "chat_id", "user_id", "message_thread_id", "sender", "address")


def names_address(raw: str, address: str) -> bool:
    """Whether an update speaks of this address as somebody's id. Pure."""
    try:
        return _has_id(orjson.loads(raw), address)
    except orjson.JSONDecodeError:
        return re.search(rf"(?<![\w.+-]){re.escape(address)}(?![\w.+-])", raw) is not None


def _has_id(value: Any, address: str) -> bool:
    if isinstance(value, dict):
        return any((name in _ID_NAMES and str(inner) == address) or _has_id(inner, address) for name, inner in value.items())
    return isinstance(value, list) and any(_has_id(inner, address) for inner in value)


# -- rows that stay without their content -----------------------------------------------------------------------------


def _turns(one: Sweep) -> None:
    """In the order of their ids, as far as the last transaction came."""
    places = one.todo.setdefault("turns", {})
    for customer in one.subject.customers:
        while one.room > 0:
            after = places.get(str(customer), -1)
            some = sa.select(_turn.c.id).where(_turn.c.customer_id == customer, _turn.c.id > after).order_by(_turn.c.id).limit(one.room)
            ids = list(one.tx.execute(some).scalars())
            if not ids:
                break
            one.tx.execute(sa.update(_turn).where(_turn.c.id.in_(ids)).values(**_NO_WORDS))
            places[str(customer)] = ids[-1]
            one.count("turn", len(ids))


def _inboxes(one: Sweep) -> None:
    """A finished update has no content any more; what may be left is the name of an album."""
    mine = _inbox.c.identity_id.in_(one.subject.identities)
    albums = sa.select(_inbox.c.id).where(mine, sa.text("album IS NOT NULL")).limit(one.room).correlate(None)
    one.count("inbox", one.tx.execute(sa.update(_inbox).where(_inbox.c.id.in_(albums)).values(album=None)).rowcount)


def _handoffs(one: Sweep, notice: Callable[[int], Row] | None) -> None:
    """Empty the packets; topics are deleted by the desk. A topic that was being made during the cut is found at the next look."""
    rows = one.tx.execute(sa.select(_handoff).where(_handoff.c.id.in_(one.subject.handoffs)).order_by(_handoff.c.id)).all()
    for row in rows:
        if row.topic is not None:
            dropped = one.todo["dropped"] = one.todo.get("dropped", 0) + 1
            key = f"{ERASURE_KEY}{one.erasure.id}.topic.{dropped}"
            one.outgoings.append(_row(one, key, DESK_LANE, str(row.id), {"kind": "drop", "about": row.topic}))
            if notice is not None:
                one.outgoings.append(_row(one, f"{key}.notice", DESK_LANE, GENERAL, notice(row.id)))
        if MASKED not in row.packet or any(row._mapping[one.name] is not None for one in emptied_columns(_handoff) if one.name != "packet"):
            values: Row = {one.name: None for one in emptied_columns(_handoff)} | {"packet": {**emptied(row.packet), MASKED: True}}
            one.tx.execute(sa.update(_handoff).where(_handoff.c.id == row.id).values(**values))
            one.count("handoff", 1)


def emptied(packet: Mapping[str, Any]) -> Row:
    """A packet in its shape without what it said: numbers of this store and times stay, so that it can still be read. Pure."""
    return {name: value if name in ("version", "customer_id") else _empty(value) for name, value in packet.items()}


_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.+Z-]*")


def _empty(value: Any) -> Any:
    match value:
        case bool():
            return False
        case int() | float():
            return 0
        case str():
            return value if _TIME.fullmatch(value) else ""
        case list():
            return []
        case dict():
            return {name: _empty(inner) for name, inner in value.items()}
        case _:
            return None


# -- what was sent ----------------------------------------------------------------------------------------------------

ERASURE_KEY = "erasure."
"""What the keys of an erasure's own outgoings begin with; its number and what they are about follow."""


def _outgoings(one: Sweep) -> None:
    """Mask what is settled, have what was sent deleted where that is possible, and count what is still awaited."""
    places = one.todo.setdefault("outbox", {})
    mine = rows_about(_outbox, one.subject)
    assert mine is not None
    for customer in one.subject.numbers:
        while one.room > 0:
            after = places.get(str(customer), 0)
            query = sa.select(_outbox).where(_outbox.c.customer_id == customer, _outbox.c.id > after, mine)
            rows = one.tx.execute(query.order_by(_outbox.c.id).limit(one.room)).all()
            if stale := [row for row in rows if row.state == WAITING and not _goes_out(one, row)]:
                _drop(one, stale)
                return
            awaited = _settle(one, rows)
            masked = [row for row in rows if row.id not in awaited]
            places[str(customer)] = min(awaited) - 1 if awaited else rows[-1].id if rows else after
            one.pending += len(awaited)
            if not rows or awaited or not masked:
                break


def _goes_out(one: Sweep, row: Record) -> bool:
    """Whether an outgoing is sent although its person is forgotten: an erasure's own, and the farewell."""
    return row.key.startswith(ERASURE_KEY) or _is_farewell(row, one.todo.get("farewell"))


def _drop(one: Sweep, rows: list[Record]) -> None:
    """Drop what was put out at the moment of the cut, or in a lane that is not the person's own; it is masked in the next transaction.

    Whoever delivers holds the lane, reads what waits and then marks it. So the lanes come first here too, else words could go out of
    which nothing is known afterwards; and nothing else is put out in this transaction, as the order of lanes is the same everywhere.
    """
    if not one.outgoings:
        lanes: dict[str, list[str]] = {}
        for row in rows:
            lanes.setdefault(row.lane, []).append(row.address)
        for kind in sorted(lanes, reverse=True):
            lock_lanes(one.tx, kind, lanes[kind])
        unsent = sa.and_(_outbox.c.id.in_([row.id for row in rows]), _outbox.c.state == WAITING)
        one.tx.execute(sa.update(_outbox).where(unsent).values(state=DROPPED, why=None, done_at=one.now))
    one.room = 0


def _settle(one: Sweep, rows: list[Record] | Any) -> set[int]:
    """Deal with these outgoings; the ids of those that are still on their way."""
    awaited: set[int] = set()
    recent: dict[tuple[str, str, int | None], list[tuple[int, str]]] = {}
    masks: list[Row] = []
    for row in rows:
        if is_masked(row):
            continue
        is_own, is_last = row.key.startswith(f"{ERASURE_KEY}{one.erasure.id}."), _is_farewell(row, one.todo.get("farewell"))
        is_anothers = row.key.startswith(ERASURE_KEY) and not is_own
        if row.state in (SENDING, WAITING) or is_anothers:
            awaited.add(row.id)
            continue
        if is_own:
            _account(one, row)
        elif row.state == UNCERTAIN and row.lane != DESK_LANE and row.resolved is None:
            one.left.append(Left("messages that may have arrived", "the connection broke while they were sent", ASK_CUSTOMER, 1))
        elif (
            row.state == SENT and row.message_id is not None and not is_last and row.outgoing.get("kind", "text") not in ("answer", "edit")
        ):
            _call_back(one, row, recent)
        masks.append({"p_id": row.id} | _masked(row))
    for (lane, address, identity_id), sent in recent.items():
        for start in range(0, len(sent), IDS_AT_ONCE):
            some = sent[start : start + IDS_AT_ONCE]
            unsend = {"kind": "unsend", "about": ",".join(message for _, message in some)}
            key = f"{ERASURE_KEY}{one.erasure.id}.{some[0][0]}"
            one.outgoings.append(_row(one, key, lane, address, unsend, identity_id=identity_id))
    if masks:
        one.tx.execute(_mask, masks)
        one.count("outbox", len(masks))
    return awaited


ASK_CUSTOMER = "the customer can delete them in their own chat"

_b = sa.bindparam
_mask = (
    sa.update(_outbox)
    .where(_outbox.c.id == _b("p_id"))
    .values(
        {column.name: None for column in emptied_columns(_outbox)}
        | {
            "address": _b("p_address"),
            "outgoing": _b("p_outgoing", type_=_outbox.c.outgoing.type),
            "resolved": sa.case((_outbox.c.state == UNCERTAIN, sa.func.coalesce(_outbox.c.resolved, MASKED)), else_=_outbox.c.resolved),
        }
    )
)


def _masked(row: Record) -> Row:
    address = row.address if row.lane == DESK_LANE else f"{MASKED}:{row.identity_id or row.customer_id}"
    return {"p_address": address, "p_outgoing": {"kind": row.outgoing.get("kind", "text"), MASKED: True}}


def is_masked(row: Record) -> bool:
    """Whether an outgoing has lost its content. Pure."""
    return MASKED in row.outgoing and (row.lane == DESK_LANE or row.address.startswith(f"{MASKED}:"))


def _is_farewell(row: Record, farewell: int | None) -> bool:
    if farewell is None or row.lane == DESK_LANE:
        return False
    return row.exchange_id is not None and farewell * PER_TURN <= row.exchange_id < (farewell + 1) * PER_TURN


def _call_back(one: Sweep, row: Record, recent: dict[tuple[str, str, int | None], list[tuple[int, str]]]) -> None:
    """Have a message deleted where it stands; topics of handoffs are deleted as a whole."""
    if row.lane == DESK_LANE:
        if row.address == GENERAL:
            recent.setdefault((DESK_LANE, GENERAL, None), []).append((row.id, row.message_id))
        return
    limit = UNSENT_FOR.get(row.lane)
    if limit is None:
        one.left.append(Left(f"messages on the channel {row.lane}", "this channel does not take messages back", ASK_CUSTOMER, 1))
    elif one.now - (row.done_at or row.created_at) >= limit:
        why = f"Telegram lets a bot delete what it sent within {limit.total_seconds() / 3600:.0f} hours"
        one.left.append(Left("older messages in the customer's chat", why, ASK_CUSTOMER, 1))
    else:
        recent.setdefault((row.lane, row.address, row.identity_id), []).append((row.id, row.message_id))
        others = len(row.outgoing.get("attachments") or ()) - 1
        if others > 0:
            one.left.append(
                Left("files of an album in the customer's chat", "only its first message is known by its id", ASK_CUSTOMER, others)
            )


def _account(one: Sweep, row: Record) -> None:
    """What became of one of the erasure's own outgoings: counted as deleted, tried one by one, or left."""
    kind, about = row.outgoing.get("kind"), str(row.outgoing.get("about") or "")
    messages = about.split(",") if about else []
    what = "topic on the desk" if kind == "drop" else "message on the desk" if row.lane == DESK_LANE else "message in the customer's chat"
    if kind not in ("drop", "unsend"):
        return
    if row.state == SENT:
        one.counts[what] = one.counts.get(what, 0) + len(messages)
    elif row.state == REFUSED and len(messages) > 1 and "delete" in (row.why or ""):
        for n, message in enumerate(messages):  # one of them stopped all
            single = {"kind": "unsend", "about": message}
            one.outgoings.append(_row(one, f"{row.key}.{n}", row.lane, row.address, single, identity_id=row.identity_id))
    else:
        remedy = "an agent can delete it in the group" if row.lane == DESK_LANE else ASK_CUSTOMER
        one.left.append(Left(what, row.why or "nobody knows whether it was deleted", remedy, len(messages)))


def _row(one: Sweep, key: str, lane: str, address: str, outgoing: Row, identity_id: int | None = None) -> Row:
    return outbox_row(
        key=key,
        lane=lane,
        address=address,
        outgoing=outgoing,
        at=one.now,
        customer_id=one.subject.customers[0],
        identity_id=identity_id,
    )


def drop_lanes(tx: Tx, addresses: list[tuple[str, str]]) -> None:
    """Remove lanes whose keys are the person's addresses and in which nothing waits: no delivery may have come by to do so."""
    for lane, address in addresses:
        is_open = sa.select(_outbox.c.id).where(
            _outbox.c.lane == lane, _outbox.c.address == address, sa.text("state IN ('waiting', 'sending')")
        )
        query = sa.select(_lane.c.key).where(_lane.c.kind == lane, _lane.c.key == address, _lane.c.worker.is_(None))
        if tx.execute(query.with_for_update(skip_locked=True)).first() and not tx.execute(is_open.limit(1)).first():
            tx.execute(sa.delete(_lane).where(_lane.c.kind == lane, _lane.c.key == address))


_STEPS: tuple[Callable[[Sweep], None], ...] = (_delete, _files, _in_quarantine, _turns, _inboxes)
