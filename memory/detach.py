"""The cut: the first step of an erasure, in one transaction. From its commit on nobody leads to the person any more.

The same address is a stranger from now on, a turn that is under way is refused, nothing that waits is sent, and an open handoff is over.
What was recorded is still there and found by nobody; :mod:`memory.sweep` removes it.

Locks: the customers, as everybody does who holds a person; then identities, lanes of sends and the digest's lane, each only if nobody holds
it now. So the cut never waits while others wait for it: :class:`Busy` is raised, and it is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from memory.customers import Customer, Identity, ownership_of, pass_on, person_of
from memory.database import Record, Row, Tx, table
from memory.erasure import CUT, MASKED, update_erasure
from memory.exchanges import DIGEST, PER_TURN
from memory.handoffs import ENDED, handoff_table
from memory.inbox import TURN, finish, inbox_table
from memory.known import drop_known, refresh_known
from memory.lanes import Lane, open_lanes
from memory.links import link_table
from memory.outbox import DROPPED, WAITING, outbox_table
from memory.proposals import handle_table, proposal_table
from memory.turns import keep_turns
from memory.whose import DESK_LANE, Subject, emptied_columns, rows_about, subject_among


class Busy(Exception):
    """Somebody holds a row that the cut needs; it will be free in a moment."""


_customer, _identity, _lane = table(Customer), table(Identity), table(Lane)
_handoff, _outbox, _inbox = handoff_table, outbox_table, inbox_table


def cut(tx: Tx, erasure: Record, *, now: datetime) -> Subject:
    """Detach the person; the caller holds the erasure's lane and commits. Raises :class:`Busy`; then nothing has happened.

    A repeat finds them detached already and changes nothing more.
    """
    todo = dict(erasure.todo or {})
    asked = [one["id"] for one in erasure.customers]
    person = _held(tx, asked, exactly=bool(todo.get("exactly")))
    if todo.get("exactly"):
        _take_apart(tx, person, now)
    subject = subject_among(tx, person)
    identities = _lock_identities(tx, subject)
    addresses = [(row.channel, row.address) for row in identities if not row.address.startswith(MASKED)]
    _lock_lanes(tx, addresses, subject)
    made = {one["id"]: one for one in erasure.customers}
    rows = tx.execute(sa.select(_customer.c.id, _customer.c.created_at).where(_customer.c.id.in_(person)).order_by(_customer.c.id))
    customers = [made.get(row.id) or {"id": row.id, "created_at": row.created_at.isoformat()} for row in rows]
    _stop_incoming(tx, subject, now)
    _stop_outgoing(tx, addresses, subject, todo.get("farewell"), now)
    _end_handoff(tx, subject, now)
    for one in (link_table, handle_table, proposal_table):
        tx.execute(sa.delete(one).where(_condition(one, subject)))
    drop_known(tx, person)
    _mask_identities(tx, subject)
    _mask_customers(tx, subject, now)
    topics = sa.select(_handoff.c.topic).where(_handoff.c.id.in_(subject.handoffs), _handoff.c.topic.is_not(None))
    todo |= {"subject": _stored(subject), "addresses": addresses, "topics": list(tx.execute(topics).scalars())}
    update_erasure(tx, erasure.id, customers=customers, state=CUT, todo=todo)
    return subject


def subject_in(todo: Row) -> Subject:
    """The person as the cut has noted them. Pure."""
    return Subject(*(tuple(todo["subject"][name]) for name in ("customers", "identities", "former", "handoffs", "others")))


def _stored(subject: Subject) -> Row:
    return {name: list(getattr(subject, name)) for name in ("customers", "identities", "former", "handoffs", "others")}


def _held(tx: Tx, asked: Sequence[int], *, exactly: bool) -> list[int]:
    """Everybody who is this person now, held; a merge may have come between the wish and the cut."""
    wanted = list(asked)
    while True:
        ownership_of(tx, wanted)
        found = wanted if exactly else list(dict.fromkeys(one for id_ in asked for one in person_of(tx, id_)))
        if set(found) <= set(wanted):
            return found
        wanted = sorted({*found, *wanted})


def _lock_identities(tx: Tx, subject: Subject) -> list[Record]:
    query = sa.select(_identity).where(_identity.c.id.in_(subject.identities)).order_by(_identity.c.id)
    found: list[Record] = _at_once(lambda: list(tx.execute(query.with_for_update(nowait=True))))
    return found


def _lock_lanes(tx: Tx, addresses: Sequence[tuple[str, str]], subject: Subject) -> None:
    """Hold the lanes of what is to be dropped, and take the digest's away: what it has read is not written any more."""
    wanted = [*addresses, *((DESK_LANE, str(one)) for one in subject.handoffs), *((DIGEST, str(one)) for one in subject.customers)]
    query = sa.select(_lane.c.kind, _lane.c.key).where(sa.tuple_(_lane.c.kind, _lane.c.key).in_(wanted))
    _at_once(lambda: tx.execute(query.order_by(_lane.c.kind, _lane.c.key).with_for_update(nowait=True)).all())
    tx.execute(sa.delete(_lane).where(_lane.c.kind == DIGEST, _lane.c.key.in_([str(one) for one in subject.customers])))


def _at_once(lock: Callable[[], Any]) -> Any:
    try:
        return lock()
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":  # lock_not_available
            raise Busy from None
        raise


def _stop_incoming(tx: Tx, subject: Subject, now: datetime) -> None:
    """What waits is emptied and finished. Each has a turn of its own, so that the ledger still accounts for every update."""
    waiting = sa.select(_inbox.c.id).where(_condition(_inbox, subject), _inbox.c.turn_id.is_(None)).order_by(_inbox.c.id)
    ids = list(tx.execute(waiting).scalars())
    home = subject.customers[0]
    made = {"customer_id": home, "lane": TURN, "decision": MASKED, "trace": {}, "started_at": now, "finished_at": now}
    keep_turns(tx, [{"id": one, **made} for one in ids])
    finish(tx, {one: one for one in ids})


def _stop_outgoing(tx: Tx, addresses: Sequence[tuple[str, str]], subject: Subject, farewell: int | None, now: datetime) -> None:
    """Drop what waits, save for the farewell, which is sent whoever the conversation belongs to."""
    places = [*addresses, *((DESK_LANE, str(one)) for one in subject.handoffs)]
    waiting = sa.and_(
        sa.tuple_(_outbox.c.lane, _outbox.c.address).in_(places), sa.text("state IN ('waiting', 'sending')"), _outbox.c.state == WAITING
    )
    if farewell is not None:
        last = is_farewell(farewell)
        tx.execute(sa.update(_outbox).where(waiting, last).values(ownership=None))
        waiting = sa.and_(waiting, sa.not_(last))
    tx.execute(sa.update(_outbox).where(waiting).values(state=DROPPED, outgoing={"kind": "text"}, why=None, exchange_id=None, done_at=now))


def is_farewell(turn_id: int) -> sa.ColumnElement[bool]:
    """Which outgoings carry the answer of the turn in which somebody asked to be forgotten."""
    exchange = sa.func.coalesce(_outbox.c.exchange_id, 0)
    return sa.and_(_outbox.c.lane != DESK_LANE, exchange.between(turn_id * PER_TURN, turn_id * PER_TURN + PER_TURN - 1))


def _end_handoff(tx: Tx, subject: Subject, now: datetime) -> None:
    mine = sa.and_(_condition(_handoff, subject), _handoff.c.ended_at.is_(None))
    tx.execute(sa.update(_handoff).where(mine).values(state=ENDED, ended_at=now, ending=MASKED, return_packet=None))


def _mask_identities(tx: Tx, subject: Subject) -> None:
    masked = sa.literal(f"{MASKED}:") + sa.cast(_identity.c.id, sa.String)
    values: Row = {column.name: None for column in emptied_columns(_identity)}
    values |= {"customer_id": _identity.c.home_id, "address": masked, "proof": "claimed", "wrong_codes": 0}
    tx.execute(sa.update(_identity).where(_identity.c.id.in_(subject.identities)).values(values))


def _mask_customers(tx: Tx, subject: Subject, now: datetime) -> None:
    for one in sorted(subject.customers):
        pass_on(tx, one)
    values: Row = {column.name: None for column in emptied_columns(_customer)} | {"forgotten_at": now}
    tx.execute(sa.update(_customer).where(_customer.c.id.in_(subject.customers)).values(values))


def _take_apart(tx: Tx, wanted: Sequence[int], now: datetime) -> None:
    """Part these customers from those who are merged with them and are not to be forgotten: a receipt speaks of nobody else."""
    roots = {(person_of(tx, one) or [one])[0] for one in wanted}
    for root in sorted(roots):
        others = [one for one in person_of(tx, root) if one not in wanted]
        if not others:
            continue
        ownership_of(tx, person_of(tx, root))
        first, rest = others[0], others[1:]
        tx.execute(sa.update(_customer).where(_customer.c.id.in_(wanted)).values(merged_into_id=None, merged_at=None, members=None))
        tx.execute(sa.update(_customer).where(_customer.c.id.in_(rest)).values(merged_into_id=first))
        tx.execute(sa.update(_customer).where(_customer.c.id == first).values(merged_into_id=None, merged_at=None, members=rest or None))
        tx.execute(sa.update(_identity).where(_identity.c.home_id.in_(others)).values(customer_id=first))
        theirs = sa.select(_identity.c.id).where(_identity.c.home_id.in_(others))
        tx.execute(
            sa.update(_handoff).where(_handoff.c.customer_id.in_(wanted), _handoff.c.identity_id.in_(theirs)).values(customer_id=first)
        )
        latest = sa.select(sa.func.max(_handoff.c.id)).where(_handoff.c.customer_id == first).scalar_subquery()
        tx.execute(sa.update(_customer).where(_customer.c.id == first).values(handoff_id=latest))
        moved = tx.execute(sa.update(_inbox).where(_inbox.c.turn_id.is_(None), _inbox.c.identity_id.in_(theirs)).values(customer_id=first))
        if moved.rowcount:
            open_lanes(tx, TURN, {str(first): now})
        refresh_known(tx, [first])


def _condition(of: sa.Table, subject: Subject) -> sa.ColumnElement[bool]:
    found = rows_about(of, subject)
    assert found is not None  # only tables that name a customer are asked for
    return found
