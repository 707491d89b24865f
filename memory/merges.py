"""Customers who turned out to be one person: merged in one transaction, and taken apart again.

Merges form trees: only people who are nobody's part are merged, and each merge hangs one of them, with all that hangs on them, on another.
Undoing a merge cuts its branch off, whatever has been merged before or since. What was recorded stays where it was recorded
(:class:`memory.customers.Customer`), so that a merge moves only what is still under way: identities, waiting incomings and outgoings, and
the open handoff. Both ways the ownership numbers are counted up, so that a turn which was decided before is refused at its commit and
decided anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import Customer, Identity, identities_of, ownership_of, pass_on, person_of
from memory.database import BigId, Json, Record, Tx, table
from memory.errors import MergeRefused
from memory.handoffs import OWNED, end_handoff, handoff_table, open_handoff_of
from memory.inbox import TURN, inbox_table
from memory.known import drop_known, refresh_known
from memory.lanes import lock_lanes, open_lanes
from memory.outbox import outbox_table
from memory.proofs import FRESH_FOR, prove_again
from memory.proposals import MERGED, OPEN, REFUSED, Handle, Proposal, handle_table, proposal_table, settle_proposals

__all__ = [
    "Handle",
    "Merge",
    "Merged",
    "Proposal",
    "Unmerged",
    "handle_table",
    "hold_for_merge",
    "merge",
    "merge_table",
    "merges_of",
    "proposal_table",
    "rehome_waiting",
    "unmerge",
]

JOINED = "joined"
"""How a handoff ends that is carried on in another one, because both customers turned out to be one."""

STALE = -1
"""An ownership number that no customer ever has: what was overtaken before a merge stays so."""


class Merge(SQLModel, table=True):
    """One merge: ``merged_id`` became part of ``survivor_id``, both people of their own until then.

    Undone, it stays, with when and by whom. ``evidence`` says why, in kinds and ids; ``joined`` in it names a handoff that ended and the
    one that it is carried on in.
    """

    __table_args__ = (sa.Index("merge_survivor", "survivor_id"), sa.Index("merge_merged", "merged_id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    survivor_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    merged_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    evidence: dict[str, Any] = Field(sa_type=Json)
    by: str
    at: datetime = Field(sa_type=UtcDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_by: str | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that was done. ``customer_id`` is the person from now on, ``merged_id`` who became part of them.

    ``into`` is the person's open handoff, as it stood before; ``joined`` the one that ended because that one is carried on for both.
    """

    id: int
    customer_id: int
    merged_id: int
    joined: Record | None = None
    into: Record | None = None

    def other_than(self, handoff: Record) -> int:
        """Which of the two customers the handoff was not opened for."""
        return self.merged_id if handoff.customer_id == self.customer_id else self.customer_id


@dataclass(frozen=True, slots=True)
class Unmerged:
    """A merge that was undone: ``customer_id`` is again a person of their own, ``survivor_id`` who they were part of.

    ``open_handoffs`` are those of both that are open now; ``joined`` is the id of the one that ended by the merge, and stays ended.
    """

    id: int
    customer_id: int
    survivor_id: int
    merged_at: datetime
    open_handoffs: tuple[Record, ...] = ()
    joined: int | None = None


merge_table: sa.Table = table(Merge)
_merge, _customer, _identity = merge_table, table(Customer), table(Identity)
_handoff, _inbox, _outbox = handoff_table, inbox_table, outbox_table
_b = sa.bindparam

_add = sa.insert(_merge).returning(_merge.c.id)
_by_id = sa.select(_merge).where(_merge.c.id == _b("p_id"))
_touching = (
    sa.select(_merge)
    .where(sa.or_(_merge.c.survivor_id.in_(_b("p_ids", expanding=True)), _merge.c.merged_id.in_(_b("p_ids", expanding=True))))
    .order_by(_merge.c.id)
)
_parts = sa.select(_merge.c.merged_id).where(_merge.c.survivor_id.in_(_b("p_ids", expanding=True)), _merge.c.undone_at.is_(None))
_undo = sa.update(_merge).where(_merge.c.id == _b("p_id"), _merge.c.undone_at.is_(None)).values(undone_at=_b("p_at"), undone_by=_b("p_by"))
_people = sa.select(_customer).where(_customer.c.id.in_(_b("p_ids", expanding=True)))
_hang = sa.update(_customer).where(_customer.c.id.in_(_b("p_ids", expanding=True))).values(merged_into_id=_b("p_root"))
_note_merged = sa.update(_customer).where(_customer.c.id == _b("p_id")).values(merged_at=_b("p_at"), members=None)
_set_root = (
    sa.update(_customer)
    .where(_customer.c.id == _b("p_id"))
    .values(merged_into_id=None, merged_at=None, members=_b("p_members", type_=_customer.c.members.type), handoff_id=_b("p_handoff"))
)
_belong = (
    sa.update(_identity)
    .where(_identity.c.customer_id.in_(_b("p_from", expanding=True)), _identity.c.home_id.in_(_b("p_homes", expanding=True)))
    .values(customer_id=_b("p_to"))
)
_move_waiting = (
    sa.update(_inbox)
    .where(
        _inbox.c.turn_id.is_(None),
        _inbox.c.customer_id.in_(_b("p_from", expanding=True)),
        _inbox.c.identity_id.in_(_b("p_identities", expanding=True)),
    )
    .values(customer_id=_b("p_to"))
    .returning(_inbox.c.due_at)
)
_waiting_identities = (
    sa.select(_inbox.c.identity_id).where(_inbox.c.turn_id.is_(None), _inbox.c.customer_id.in_(_b("p_from", expanding=True))).distinct()
)
_number = sa.case(
    (_outbox.c.ownership.is_(None), sa.null()),
    (_outbox.c.ownership == _b("p_old"), _b("p_new", type_=_outbox.c.ownership.type)),
    else_=STALE,
)
_is_sent_to = sa.and_(_outbox.c.lane == _b("p_lane"), _outbox.c.address == _b("p_address"))
_carry_open = (
    sa.update(_outbox)
    .where(_is_sent_to, sa.text("state IN ('waiting', 'sending')"))
    .values(customer_id=_b("p_customer"), ownership=_number)
)
_carry_uncertain = (
    sa.update(_outbox)
    .where(sa.text("state = 'uncertain' AND resolved IS NULL"), _is_sent_to)
    .values(customer_id=_b("p_customer"), ownership=_number)
)
_take_handoffs = (
    sa.update(_handoff)
    .where(_handoff.c.customer_id.in_(_b("p_from", expanding=True)), _handoff.c.identity_id.in_(_b("p_identities", expanding=True)))
    .values(customer_id=_b("p_to"))
)
_give_handoff = sa.update(_handoff).where(_handoff.c.id == _b("p_id")).values(customer_id=_b("p_to"))
_latest_handoff = sa.select(sa.func.max(_handoff.c.id)).where(_handoff.c.customer_id.in_(_b("p_ids", expanding=True)))


def merge(tx: Tx, one_id: int, other_id: int, *, evidence: dict[str, Any], by: str, at: datetime) -> Merged:
    """Make two customers, with all who are part of them, one person from now on. The caller commits.

    The older of the two (the smaller number) stays the person, unless only the other one is with an agent. Of two open handoffs one stays:
    the one that an agent holds, else the older; the other one ends as ``joined``, and the caller tells the desk
    (:func:`bot.turn.join.join_people`). What waits to be sent goes on waiting, and what waits to be answered is answered in its order.
    Raises :class:`MergeRefused` where they are one person already, where one does not exist or was forgotten, and where somebody else
    merged or un-merged one of them at the same moment: then it can be tried again.
    """
    people = _both(tx, one_id, other_id)
    before = _hold(tx, people)
    if _both(tx, one_id, other_id) != people:
        raise MergeRefused("somebody else has just merged or un-merged one of them; please try again")
    open_ = {root: open_handoff_of(tx, root) for root in people}
    root = _survivor(open_)
    other = next(one for one in people if one != root)
    stays, ends = _which_stays([one for one in (open_[root], open_[other]) if one is not None])
    identities = identities_of(tx, before)
    _lock_sends(tx, identities)
    if ends is not None:
        end_handoff(tx, ends, ending=JOINED, return_packet={}, at=at)
    if stays is not None and stays.customer_id != root:
        tx.execute(_give_handoff, {"p_id": stays.id, "p_to": root})
    tx.execute(_hang, {"p_ids": people[other], "p_root": root})
    tx.execute(_note_merged, {"p_id": other, "p_at": at})
    members = sorted([*people[root][1:], *people[other]])
    latest = stays.id if stays is not None else _latest(tx, [*people[root], *people[other]])
    tx.execute(_set_root, {"p_id": root, "p_members": members, "p_handoff": latest})
    tx.execute(_belong, {"p_from": [other], "p_homes": people[other], "p_to": root})
    pass_on(tx, other)
    _carry(tx, identities, before, dict.fromkeys((one.id for one in identities), (root, pass_on(tx, root))))
    _move(tx, people[other], [one.id for one in identities], root)
    joined = {"joined": {"ended": ends.id, "into": stays.id}} if ends is not None and stays is not None else {}
    row = {"survivor_id": root, "merged_id": other, "evidence": {**evidence, **joined}, "by": by, "at": at}
    merge_id: int = tx.execute(_add, row).scalar_one()
    settle_proposals(tx, people[root], people[other], MERGED, by=by, at=at)
    drop_known(tx, people[other])
    refresh_known(tx, [root])
    return Merged(merge_id, root, other, ends, stays)


def unmerge(tx: Tx, merge_id: int, *, by: str, at: datetime, fresh_for: timedelta = FRESH_FOR) -> Unmerged:
    """Make who became part of another in this merge a person of their own again, with everybody who hangs on them. The caller commits.

    Everything goes by the identity that it came through: identities, what waits, handoffs and what was said since the merge return with it.
    A proof of identity that rested on this merge's link counts no more. They are not proposed to be one again for the same reasons. What
    stays as it became while they were one: a handoff that ended as ``joined``, a journey that one of them began and the other moved on,
    and a single value, promise or consent of the one that was settled in words of the other.
    Raises :class:`MergeRefused` as :func:`merge` does, and where there is no such merge or it is undone already.
    """
    row = tx.execute(_by_id, {"p_id": merge_id}).first()
    if row is None:
        raise MergeRefused(f"there is no merge {merge_id}")
    if row.undone_at is not None:
        raise MergeRefused(f"merge {merge_id} was undone already, on {row.undone_at:%d %b %Y at %H:%M} UTC")
    if any(one.forgotten_at is not None for one in tx.execute(_people, {"p_ids": [row.survivor_id, row.merged_id]})):
        raise MergeRefused("they were forgotten")
    root, *members = person_of(tx, row.survivor_id)
    branch = _branch(tx, row.merged_id)
    before = _hold(tx, {root: [root, *members], row.merged_id: branch})
    if [root, *members] != person_of(tx, row.survivor_id) or branch != _branch(tx, row.merged_id):
        raise MergeRefused("somebody else has just merged or un-merged one of them; please try again")
    if tx.execute(_undo, {"p_id": merge_id, "p_at": at, "p_by": by}).rowcount != 1:
        raise MergeRefused(f"merge {merge_id} was undone already")
    rest = [one for one in (root, *members) if one not in branch]
    identities = identities_of(tx, [root])
    gone = [one.id for one in identities if one.home_id in branch]
    _lock_sends(tx, identities)
    tx.execute(_hang, {"p_ids": branch, "p_root": row.merged_id})
    tx.execute(_take_handoffs, {"p_from": rest, "p_identities": gone, "p_to": row.merged_id})
    _become(tx, row.merged_id, branch)
    _become(tx, root, rest)
    tx.execute(_belong, {"p_from": [root], "p_homes": branch, "p_to": row.merged_id})
    numbers = {one: (one, pass_on(tx, one)) for one in (root, row.merged_id)}
    _carry(tx, identities, before, {one.id: numbers[row.merged_id if one.id in gone else root] for one in identities})
    _move(tx, [root], gone, row.merged_id)
    prove_again(tx, [one.id for one in identities], without_merge=merge_id, fresh_for=fresh_for)
    settle_proposals(tx, rest, branch, REFUSED, by=by, at=at, was=(OPEN, MERGED))
    refresh_known(tx, [root, row.merged_id])
    open_ = [open_handoff_of(tx, one) for one in (root, row.merged_id)]
    ended = (row.evidence.get("joined") or {}).get("ended")
    return Unmerged(merge_id, row.merged_id, root, row.at, tuple(one for one in open_ if one is not None), ended)


def hold_for_merge(tx: Tx, one_id: int, other_id: int) -> None:
    """Take the locks of a merge now, for a caller who needs others as well; nothing happens where it would be refused."""
    with contextlib.suppress(MergeRefused):
        _hold(tx, _both(tx, one_id, other_id))


def merges_of(tx: Tx, customer_ids: Collection[int]) -> list[Record]:
    """Every merge that these customers were part of, undone ones too, oldest first."""
    return list(tx.execute(_touching, {"p_ids": sorted(customer_ids)}))


def rehome_waiting(tx: Tx, strays: Iterable[tuple[int, int]]) -> None:
    """Move waiting incomings from customers who are part of somebody to that person: pairs of (from, to).

    An incoming that was accepted in the very moment of a merge may still have been put where the merge took everything away.
    """
    for customer_id, root in sorted(set(strays)):
        identities = list(tx.execute(_waiting_identities, {"p_from": [customer_id]}).scalars())
        _move(tx, [customer_id], identities, root)


def _both(tx: Tx, one_id: int, other_id: int) -> dict[int, list[int]]:
    """The two people, each with all their customer ids, by the id that stands for them, the older first."""
    rows = {row.id: row for row in tx.execute(_people, {"p_ids": [one_id, other_id]})}
    for id_ in (one_id, other_id):
        if id_ not in rows:
            raise MergeRefused(f"there is no customer {id_}")
        if rows[id_].forgotten_at is not None:
            raise MergeRefused(f"customer {id_} was forgotten")
    found = [person_of(tx, id_) for id_ in (one_id, other_id)]
    if found[0][0] == found[1][0]:
        raise MergeRefused(f"customers {one_id} and {other_id} are one person already" if one_id != other_id else "that is one customer")
    return {person[0]: person for person in sorted(found)}


def _hold(tx: Tx, people: dict[int, list[int]]) -> dict[int, int]:
    """Lock the people's turns, then the people; returns their ownership numbers. The locks' order is README's."""
    lock_lanes(tx, TURN, [str(one) for person in people.values() for one in person])
    return ownership_of(tx, people)


def _lock_sends(tx: Tx, identities: Sequence[Record]) -> None:
    """Wait for who is about to record what became of a send, and let nobody begin one."""
    for channel in sorted({one.channel for one in identities}, reverse=True):
        lock_lanes(tx, channel, [one.address for one in identities if one.channel == channel])


def _survivor(open_: dict[int, Record | None]) -> int:
    older, younger = sorted(open_)
    held = {root for root, handoff in open_.items() if handoff is not None and handoff.state == OWNED}
    return younger if held == {younger} else older


def _which_stays(handoffs: list[Record]) -> tuple[Record | None, Record | None]:
    """Of the open handoffs the one that stays and the one that ends: whoever has an agent keeps them, else the older."""
    if len(handoffs) < 2:
        return (handoffs[0] if handoffs else None), None
    stays, ends = sorted(handoffs, key=lambda one: (one.state != OWNED, one.id))
    return stays, ends


def _branch(tx: Tx, customer_id: int) -> list[int]:
    """A customer with everybody who was merged into them, directly or through others, by merges that stand."""
    found, new = [customer_id], [customer_id]
    while new:
        new = sorted(set(tx.execute(_parts, {"p_ids": new}).scalars()) - set(found))
        found += new
    return [customer_id, *sorted(found[1:])]


def _become(tx: Tx, root: int, person: Sequence[int]) -> None:
    """Make a customer the person that all of these are."""
    members = sorted(one for one in person if one != root) or None
    tx.execute(_set_root, {"p_id": root, "p_members": members, "p_handoff": _latest(tx, person)})


def _latest(tx: Tx, customer_ids: Collection[int]) -> int | None:
    latest: int | None = tx.execute(_latest_handoff, {"p_ids": sorted(customer_ids)}).scalar()
    return latest


def _carry(tx: Tx, identities: Sequence[Record], before: dict[int, int], now: dict[int, tuple[int, int]]) -> None:
    """Let what waits to be sent hold under the new numbers, by identity (customer, ownership), if it did under the old one."""
    rows = [
        {
            "p_lane": one.channel,
            "p_address": one.address,
            "p_customer": now[one.id][0],
            "p_old": before[one.customer_id],
            "p_new": now[one.id][1],
        }
        for one in identities
    ]
    for statement in (_carry_open, _carry_uncertain):
        for row in rows:
            tx.execute(statement, row)


def _move(tx: Tx, from_: Sequence[int], identities: Sequence[int], to: int) -> None:
    """Put waiting incomings into another lane; nothing is overtaken, since ids are their order. The old lane goes when it is claimed."""
    due = list(tx.execute(_move_waiting, {"p_from": list(from_), "p_identities": list(identities), "p_to": to}).scalars())
    if due:
        open_lanes(tx, TURN, {str(to): min(due)})
