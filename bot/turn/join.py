"""Making two customers one person, and two again, with what the desk is told of it; all in the caller's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from typing import Any

from bot.messages import Outgoing
from bot.turn.linking import parted as without
from bot.turn.mirror import EXCERPT, called, shortened
from bot.turn.packet import read_packet, renew_packet, stored
from bot.turn.write import HANDOFF
from memory.context import recall
from memory.customers import identities_of
from memory.database import Record, Row, Tx
from memory.declared import Declarations
from memory.dialogue import dialogues_of, keep_dialogues
from memory.handoffs import OWNED, get_handoff
from memory.handoffs import renew_packet as keep_packet
from memory.merges import Merged, Unmerged, merge, unmerge
from memory.outbox import outbox_row, put_out
from memory.proofs import FRESH_FOR

IS_ALSO = "🔗 <b>They are also customer {customer}</b> ({why}). What they write there comes here too."
JOINED = "🔗 <b>They are also customer {customer}</b> ({why}), whose case № {case} is carried on here. They wanted:"
MOVED = "🔗 <b>This is the same person as customer {customer}</b> ({why}). Case № {case}, {whose}, goes on for both; this one is closed."
PARTED = "✂️ <b>Customer {customer} is a person of their own again.</b> What they write does not come here any more."
MAY_WAIT = "Their case № {case} had been joined to another one and stays closed: they may still be waiting for an answer."
HELD_BY, NOT_HELD = "which {agent} holds", "which nobody has claimed yet"
WHY = {"code": "by a code", "link": "by a link", "agent": "merged by {by}", "operator": "merged by an operator"}


def join_people(
    tx: Tx, one_id: int, other_id: int, *, how: str, evidence: dict[str, Any], by: str, declared: Declarations, at: datetime
) -> Merged:
    """Merge two customers and tell the topics of their open handoffs. ``how`` is code, link, agent or operator.

    Raises :class:`memory.errors.MergeRefused` as :func:`memory.merges.merge` does.
    """
    merged = merge(tx, one_id, other_id, evidence={"how": how, **evidence}, by=by, at=at)
    why = WHY.get(how, how).format(by=evidence.get("name") or by)
    if merged.into is not None:
        posts = _of_moved(merged, why) if merged.joined is not None else []
        place = str(merged.into.id)
        posts.append((place, Outgoing(text=_of_staying(tx, merged, why), html=True)))
        posts.append((place, Outgoing(kind="card")))
        renew_case(tx, merged.into, declared, at)
        _put(tx, f"merge.{merged.id}", posts, merged.customer_id, at)
    return merged


def part_people(tx: Tx, merge_id: int, *, by: str, declared: Declarations, at: datetime, fresh_for: timedelta = FRESH_FOR) -> Unmerged:
    """Undo a merge and tell the topics of the handoffs that are open; raises as :func:`memory.merges.unmerge` does."""
    parted = unmerge(tx, merge_id, by=by, at=at, fresh_for=fresh_for)
    _part_dialogues(tx, parted, at)
    posts = []
    for handoff in parted.open_handoffs:
        other = parted.survivor_id if handoff.customer_id == parted.customer_id else parted.customer_id
        lines = [PARTED.format(customer=other)]
        ended = get_handoff(tx, parted.joined) if parted.joined is not None else None
        if ended is not None and ended.customer_id == other:
            lines.append(MAY_WAIT.format(case=ended.id))
        posts += [(str(handoff.id), Outgoing(text="\n".join(lines), html=True)), (str(handoff.id), Outgoing(kind="card"))]
        renew_case(tx, handoff, declared, at)
    _put(tx, f"unmerge.{merge_id}", posts, parted.survivor_id, at)
    return parted


def _part_dialogues(tx: Tx, parted: Unmerged, at: datetime) -> None:
    """Where a conversation has gone on since the merge, nothing of the other person stays in its state."""
    sides = [[one.id for one in identities_of(tx, [customer])] for customer in (parted.customer_id, parted.survivor_id)]
    for own, others in (sides, sides[::-1]):
        since = [row for row in dialogues_of(tx, own) if row.at >= parted.merged_at]
        keep_dialogues(tx, [{"identity_id": row.identity_id, "state": without(row.state, others), "at": at} for row in since])


def renew_case(tx: Tx, handoff: Record, declared: Declarations, at: datetime) -> None:
    """Put what is known of the person now into the packet that their agent has."""
    present = recall(tx, [handoff.identity_id]).get(handoff.identity_id)
    if present is not None:
        keep_packet(tx, handoff.id, stored(renew_packet(read_packet(handoff.packet), present, declared, at)))


def _of_moved(merged: Merged, why: str) -> list[tuple[str, Outgoing]]:
    """What the topic of the handoff that ended is told before it is closed."""
    ended, into = merged.joined, merged.into
    assert ended is not None
    assert into is not None
    whose = HELD_BY.format(agent=called("agent", into.owner_name)) if into.state == OWNED else NOT_HELD
    other = read_packet(into.packet).customer_id
    text = MOVED.format(customer=other, why=escape(why, quote=False), case=into.id, whose=escape(whose, quote=False))
    place = str(ended.id)
    return [(place, Outgoing(text=text, html=True)), (place, Outgoing(kind="card")), (place, Outgoing(kind="close"))]


def _of_staying(tx: Tx, merged: Merged, why: str) -> str:
    assert merged.into is not None
    if merged.joined is not None:
        packet = read_packet(merged.joined.packet)
        want = escape(shortened(packet.want, EXCERPT), quote=False)
        return JOINED.format(customer=packet.customer_id, why=escape(why, quote=False), case=merged.joined.id) + (
            f"\n<blockquote>{want}</blockquote>" if want else ""
        )
    return IS_ALSO.format(customer=merged.other_than(merged.into), why=escape(why, quote=False))


def _put(tx: Tx, key: str, posts: list[tuple[str, Outgoing]], customer_id: int, at: datetime) -> None:
    rows: list[Row] = [
        outbox_row(key=f"{key}.{n}", lane=HANDOFF, address=address, outgoing=outgoing, at=at, customer_id=customer_id)
        for n, (address, outgoing) in enumerate(posts)
    ]
    put_out(tx, rows)
