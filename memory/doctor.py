"""The store's health: what has to hold between its tables, looked at row by row. Every breach is named, with what to do about it.

Only reads, each check on snapshots of its own and off the event loop, so that the doctor may come while the assistant runs. What several
transactions lead to is given time: a merge, a turn or a delivery leaves nothing half done, since each is one commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from memory.attachments import blob_table, blob_use_table
from memory.customers import Customer, Identity
from memory.database import Database, Reads, Tx, table
from memory.erasure import DONE, erasure_table
from memory.exchanges import PER_TURN, Exchange
from memory.facts import Standing, fact_table
from memory.handoffs import handoff_table
from memory.inbox import TURN, inbox_table
from memory.known import gather, known_table
from memory.lanes import Lane
from memory.outbox import SENDING, UNCERTAIN, WAITING, outbox_table
from memory.retention import REMOVE, mark_table
from memory.search.tables import SearchBlock, SearchState
from memory.sweep import remains
from memory.turns import turn_table
from memory.whose import subject_of

SHOWN = 20
"""How many breaches of one kind are named; the others are counted."""

PEOPLE_AT_ONCE, FORGOTTEN_AT_ONCE = 200, 20
UNCERTAIN_LONG, ERASURE_LONG = timedelta(days=1), timedelta(hours=1)

_customer, _identity, _exchange, _lane = table(Customer), table(Identity), table(Exchange), table(Lane)
_inbox, _outbox, _handoff, _turn, _fact = inbox_table, outbox_table, handoff_table, turn_table, fact_table
_state, _block = table(SearchState), table(SearchBlock)


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that does not hold: where (a table and its row's key), and what is wrong."""

    table: str
    id: str
    what: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one check has found: ``count`` breaches, of which the first are named. ``remedy`` says what to do."""

    name: str
    count: int
    breaches: tuple[Breach, ...]
    remedy: str

    @property
    def is_fine(self) -> bool:
        return self.count == 0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to hold. ``look`` reads and gives its breaches; ``name`` says it as it should be."""

    name: str
    remedy: str
    look: Callable[[Reads, datetime], Awaitable[tuple[int, list[Breach]]]]


async def examine(database: Database, *, now: datetime, checks: Sequence[Check] | None = None) -> list[Found]:
    """Make every check, in order."""
    found: list[Found] = []
    async with database.reading() as read:
        for check in CHECKS if checks is None else checks:
            count, breaches = await check.look(read, now)
            found.append(Found(check.name, count, tuple(breaches[:SHOWN]), check.remedy))
    return found


def _wrong(name: str, remedy: str, of: str, what: str, query: Callable[[datetime], sa.Select[Any]]) -> Check:
    """A check that is one query: each of its rows is a breach, its first column the row's key; other columns fill the words ``what``."""

    async def look(read: Reads, now: datetime) -> tuple[int, list[Breach]]:
        def run(tx: Tx) -> tuple[int, list[Breach]]:
            wanted = query(now)
            rows = tx.execute(wanted.limit(SHOWN)).all()
            count = len(rows)
            if count == SHOWN:
                count = int(tx.execute(sa.select(sa.func.count()).select_from(wanted.order_by(None).subquery())).scalar_one())
            return count, [Breach(of, str(row[0]), what.format(*row)) for row in rows]

        return await read(run)

    return Check(name, remedy, look)


def _missing(column: sa.Column[Any], other: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """No row of the other table has this value."""
    return ~sa.exists(sa.select(sa.literal(1)).where(other == column).correlate(column.table))


_TURNS_GONE = sa.func.coalesce(
    sa.select(mark_table.c.done_to).where(mark_table.c.rule == f"turns {REMOVE} turn").scalar_subquery(),
    0,
)
"""Up to here turns may have been removed by a rule (:func:`memory.retention.gone_to`)."""


def _text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.cast(column, sa.String)


# -- queries ----------------------------------------------------------------------------------------------------------


def _twice_current(_: datetime) -> sa.Select[Any]:
    person = sa.func.coalesce(_customer.c.merged_into_id, _customer.c.id)
    return (
        sa.select(sa.func.max(_fact.c.id), person, _fact.c.name)
        .select_from(_fact.join(_customer, _customer.c.id == _fact.c.customer_id))
        .where(_fact.c.standing == Standing.CURRENT)
        .group_by(_fact.c.customer_id, person, _fact.c.name)
        .having(sa.func.count() > 1)
    )


def _inbox_without_lane(_: datetime) -> sa.Select[Any]:
    lane = sa.exists(sa.select(sa.literal(1)).where(_lane.c.kind == TURN, _lane.c.key == _text(_inbox.c.customer_id)))
    return sa.select(_inbox.c.id, _inbox.c.customer_id).where(_inbox.c.turn_id.is_(None), ~lane).order_by(_inbox.c.id)


def _without_lane(state: str) -> Callable[[datetime], sa.Select[Any]]:
    def query(_: datetime) -> sa.Select[Any]:
        lane = sa.exists(sa.select(sa.literal(1)).where(_lane.c.kind == _outbox.c.lane, _lane.c.key == _outbox.c.address))
        is_open = sa.text("state IN ('waiting', 'sending')")
        return sa.select(_outbox.c.id, _outbox.c.lane).where(is_open, _outbox.c.state == state, ~lane).order_by(_outbox.c.id)

    return query


def _idle_turn_lanes(now: datetime) -> sa.Select[Any]:
    waits = sa.exists(sa.select(sa.literal(1)).where(_inbox.c.turn_id.is_(None), _text(_inbox.c.customer_id) == _lane.c.key))
    late = _lane.c.ready_at < now - timedelta(minutes=5)
    return sa.select(_lane.c.key).where(_lane.c.kind == TURN, _lane.c.worker.is_(None), late, ~waits).order_by(_lane.c.key)


def _wrong_members(_: datetime) -> sa.Select[Any]:
    """Merged into one who is merged themselves, or not there."""
    root = _customer.alias("root")
    flat = sa.exists(sa.select(sa.literal(1)).where(root.c.id == _customer.c.merged_into_id, root.c.merged_into_id.is_(None)))
    return sa.select(_customer.c.id, _customer.c.merged_into_id).where(_customer.c.merged_into_id.is_not(None), ~flat)


def _several_handoffs(_: datetime) -> sa.Select[Any]:
    person = sa.func.coalesce(_customer.c.merged_into_id, _customer.c.id)
    return (
        sa.select(sa.func.max(_handoff.c.id), person)
        .select_from(_handoff.join(_customer, _customer.c.id == _handoff.c.customer_id))
        .where(_handoff.c.ended_at.is_(None))
        .group_by(person)
        .having(sa.func.count() > 1)
    )


def _other_handoff(_: datetime) -> sa.Select[Any]:
    return (
        sa.select(_handoff.c.id, _handoff.c.customer_id)
        .select_from(_handoff.join(_customer, _customer.c.id == _handoff.c.customer_id))
        .where(_handoff.c.ended_at.is_(None), _customer.c.handoff_id.is_distinct_from(_handoff.c.id))
        .order_by(_handoff.c.id)
    )


def _lost_identities(_: datetime) -> sa.Select[Any]:
    owner = sa.exists(sa.select(sa.literal(1)).where(_customer.c.id == _identity.c.customer_id, _customer.c.merged_into_id.is_(None)))
    home = sa.exists(
        sa.select(sa.literal(1)).where(
            _customer.c.id == _identity.c.home_id,
            sa.func.coalesce(_customer.c.merged_into_id, _customer.c.id) == _identity.c.customer_id,
        )
    )
    return sa.select(_identity.c.id, _identity.c.customer_id).where(sa.or_(~owner, ~home)).order_by(_identity.c.id)


def _uncertain(now: datetime) -> sa.Select[Any]:
    waits = sa.text("state = 'uncertain' AND resolved IS NULL")
    return (
        sa.select(_outbox.c.id).where(waits, _outbox.c.state == UNCERTAIN, _outbox.c.done_at < now - UNCERTAIN_LONG).order_by(_outbox.c.id)
    )


def _unfinished(now: datetime) -> sa.Select[Any]:
    late = erasure_table.c.asked_at < now - ERASURE_LONG
    return sa.select(erasure_table.c.id, erasure_table.c.state).where(erasure_table.c.state != DONE, late).order_by(erasure_table.c.id)


# -- checks in Python -------------------------------------------------------------------------------------------------


async def _known_differs(read: Reads, _: datetime) -> tuple[int, list[Breach]]:
    """Every row is gathered again, some people at a time."""
    breaches: list[Breach] = []
    count, after = 0, 0
    while True:
        page, seen = await read(lambda tx, after=after: _compare(tx, after))  # type: ignore[misc]
        count += len(page)
        breaches += page[: SHOWN - len(breaches)]
        if seen is None:
            return count, breaches
        after = seen


def _compare(tx: Tx, after: int) -> tuple[list[Breach], int | None]:
    roots = sa.select(_customer.c.id, _customer.c.members, known_table.c.content).select_from(
        _customer.outerjoin(known_table, known_table.c.customer_id == _customer.c.id)
    )
    rows = tx.execute(roots.where(_customer.c.id > after).order_by(_customer.c.id).limit(PEOPLE_AT_ONCE)).all()
    merged = set(
        tx.execute(
            sa.select(_customer.c.id).where(_customer.c.id.in_([row.id for row in rows]), _customer.c.merged_into_id.is_not(None))
        ).scalars()
    )
    found: list[Breach] = []
    for row in rows:
        if row.id in merged:
            if row.content is not None:
                found.append(Breach("known", str(row.id), "belongs to a customer who is merged into another"))
            continue
        source = gather(tx, [row.id, *(row.members or ())])
        if row.content is None and any(source.values()):
            found.append(Breach("known", str(row.id), "is missing"))
        elif row.content is not None and row.content != source:
            names = sorted(name for name in {*source, *row.content} if source.get(name) != row.content.get(name))
            found.append(Breach("known", str(row.id), f"differs from its sources: {', '.join(names)}"))
    return found, rows[-1].id if len(rows) == PEOPLE_AT_ONCE else None


async def _members_differ(read: Reads, _: datetime) -> tuple[int, list[Breach]]:
    def run(tx: Tx) -> tuple[int, list[Breach]]:
        merged = _customer.c.merged_into_id
        into: dict[int, list[int]] = {}
        for row in tx.execute(sa.select(merged, _customer.c.id).where(merged.is_not(None)).order_by(_customer.c.id)):
            into.setdefault(row[0], []).append(row[1])
        said = {
            row.id: sorted(row.members)
            for row in tx.execute(sa.select(_customer.c.id, _customer.c.members).where(_customer.c.members.is_not(None)))
            if row.members
        }
        wrong = sorted(one for one in {*into, *said} if into.get(one, []) != said.get(one, []))
        return len(wrong), [Breach("customer", str(one), "`members` are not those who are merged into it") for one in wrong[:SHOWN]]

    return await read(run)


async def _remains_of_forgotten(read: Reads, _: datetime) -> tuple[int, list[Breach]]:
    """Of everybody whose erasure is done, some people at a time."""
    unfinished = await read(
        lambda tx: list(tx.execute(sa.select(erasure_table.c.customers).where(erasure_table.c.state != DONE)).scalars())
    )
    under_way = {one["id"] for customers in unfinished for one in customers}
    breaches: list[Breach] = []
    count, after = 0, 0
    while True:
        some = sa.select(_customer.c.id).where(_customer.c.forgotten_at.is_not(None), _customer.c.id > after)
        ids = await read(lambda tx, some=some: list(tx.execute(some.order_by(_customer.c.id).limit(FORGOTTEN_AT_ONCE)).scalars()))  # type: ignore[misc]
        if not ids:
            return count, breaches
        after = ids[-1]
        wanted = [one for one in ids if one not in under_way]
        page = await read(lambda tx, wanted=wanted: [one for id_ in wanted for one in _remains(tx, id_)])  # type: ignore[misc]
        count += len(page)
        breaches += page[: SHOWN - len(breaches)]


def _remains(tx: Tx, customer_id: int) -> Iterator[Breach]:
    for name, rows in remains(tx, subject_of(tx, customer_id), _customer.metadata).items():
        yield Breach(name, f"of customer {customer_id}", f"{rows} of a customer who is forgotten")


_REPAIR = "nothing mends it by itself; report it with this line, and see what happened in the log at that time"
_NEXT_OPENS = "the next outgoing to the same address opens it"
_STANDINGS = tuple(Standing)

CHECKS: tuple[Check, ...] = (
    Check(
        "what recall reads is what the tables say",
        "any change of a fact makes it anew: legato customer correct with the same value does",
        _known_differs,
    ),
    _wrong("one current fact a name", _REPAIR, "fact", "customer {1} has several current values of `{2}`", _twice_current),
    _wrong(
        "facts stand in a way that is known",
        _REPAIR,
        "fact",
        "stands as `{1}`",
        lambda _: sa.select(_fact.c.id, _fact.c.standing).where(_fact.c.standing.not_in(_STANDINGS)).order_by(_fact.c.id),
    ),
    _wrong(
        "every waiting incoming has a lane",
        "the customer's next message opens it",
        "inbox",
        "waits, and customer {1} has no lane",
        _inbox_without_lane,
    ),
    _wrong(
        "every waiting outgoing has a lane",
        _NEXT_OPENS,
        "outbox",
        "waits on {1}",
        _without_lane(WAITING),
    ),
    _wrong(
        "every outgoing that is being sent has a lane",
        _NEXT_OPENS,
        "outbox",
        "is being sent on {1} by nobody",
        _without_lane(SENDING),
    ),
    _wrong(
        "every lane of turns has something waiting",
        "a running worker removes it: start `legato run`",
        "lane",
        "nothing waits for customer {0}",
        _idle_turn_lanes,
    ),
    _wrong(
        "every finished incoming has its turn",
        _REPAIR,
        "inbox",
        "was dealt with by turn {1}, which is not there",
        lambda _: (
            sa.select(_inbox.c.id, _inbox.c.turn_id)
            .where(_inbox.c.turn_id > _TURNS_GONE, _missing(_inbox.c.turn_id, _turn.c.id))
            .order_by(_inbox.c.id)
        ),
    ),
    _wrong(
        "every exchange has its turn",
        _REPAIR,
        "exchange",
        "belongs to turn {1}, which is not there",
        lambda _: (
            sa.select(_exchange.c.id, _exchange.c.turn_id)
            .where(_exchange.c.turn_id > _TURNS_GONE, _missing(_exchange.c.turn_id, _turn.c.id))
            .order_by(_exchange.c.id)
        ),
    ),
    _wrong(
        "an exchange's number is its turn's",
        _REPAIR,
        "exchange",
        "is not of turn {1}",
        lambda _: (
            sa.select(_exchange.c.id, _exchange.c.turn_id)
            .where(
                sa.or_(
                    _exchange.c.id < _exchange.c.turn_id * PER_TURN,
                    _exchange.c.id >= _exchange.c.turn_id * PER_TURN + PER_TURN,
                )
            )
            .order_by(_exchange.c.id)
        ),
    ),
    _wrong(
        "every identity belongs to a person, and to the one whom its home was merged into",
        "legato customer link makes them one",
        "identity",
        "belongs to customer {1}",
        _lost_identities,
    ),
    _wrong("who is merged is merged into somebody who is not", _REPAIR, "customer", "is merged into {1}", _wrong_members),
    Check("`members` say who is merged into somebody", _REPAIR, _members_differ),
    _wrong("one open handoff a person", "close one of them in its topic", "handoff", "person {1} has several", _several_handoffs),
    _wrong(
        "an open handoff is its customer's latest",
        "close it in its topic",
        "handoff",
        "is open, and customer {1} points to another",
        _other_handoff,
    ),
    _wrong(
        "what is uncertain is settled within a day",
        "press a button under its notice on the desk",
        "outbox",
        "may or may not have arrived",
        _uncertain,
    ),
    _wrong("erasures come to their end", "start `legato run`, which carries them on", "erasure", "is still at `{1}`", _unfinished),
    _wrong(
        "search indexes belong to somebody",
        "legato customer forget removes it with the rest",
        "search_block",
        "customer {0} is not there",
        lambda _: sa.select(_block.c.customer_id).where(_missing(_block.c.customer_id, _state.c.customer_id)).distinct(),
    ),
    _wrong(
        "every kept file is used",
        "nothing is lost; it takes up room",
        "blob",
        "is used by nothing",
        lambda _: (
            sa.select(blob_table.c.sha256).where(_missing(blob_table.c.sha256, blob_use_table.c.sha256)).order_by(blob_table.c.sha256)
        ),
    ),
    _wrong(
        "every file that an exchange names is kept",
        "restore it from a backup",
        "blob_use",
        "of exchange {0} names a file that is not there",
        lambda _: sa.select(blob_use_table.c.exchange_id, blob_use_table.c.n).where(
            blob_use_table.c.sha256.is_not(None), _missing(blob_use_table.c.sha256, blob_table.c.sha256)
        ),
    ),
    Check("nothing is left of who is forgotten", "legato customer forget with the same number sweeps again", _remains_of_forgotten),
)
"""Everything that is looked at, in the order in which it is reported."""
