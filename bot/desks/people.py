"""Who it is: what agents say of a customer's identity from the topic. Everything happens inside the deed's transaction.

Each command returns what to post instead where it cannot be done, else None, and what is posted about it is posted.
"""

from __future__ import annotations

from datetime import timedelta

from bot.desks import texts
from bot.desks.act import Act
from bot.desks.relay import barred, take
from bot.messages import Outgoing
from bot.turn.join import join_people
from memory.customers import get_identity, identities_of, ownership_of, person_of
from memory.database import Record, Tx
from memory.declared import Declarations
from memory.errors import MergeRefused
from memory.exchanges import exchange_id, find_origin, last_said
from memory.handoffs import ENDED, WAITING, get_handoff
from memory.merges import hold_for_merge
from memory.proofs import VERIFIED, prove
from memory.proposals import REFUSED, settle_proposals

MERGE, NOT_SAME, VERIFY = "merge", "notsame", "verify"
"""The names of the commands."""


def number_in(words: str) -> int | None:
    """The customer's number that a command names."""
    bare = words.strip().lstrip("#№ ")
    return int(bare) if bare.isdecimal() and len(bare) <= 18 else None


def hold_first(tx: Tx, found: Record, command: str, words: str) -> None:
    """Take the locks of a merge before any other, as their order demands; one that cannot be done is told later."""
    other = number_in(words) if command == MERGE else None
    if other is not None:
        hold_for_merge(tx, found.customer_id, other)


def merge_with(act: Act, handoff: Record, words: str, declared: Declarations) -> str | None:
    """Make this customer and another one person; the topics of both are told."""
    other = number_in(words)
    if other is None:
        return texts.NOT_MERGED_NUMBER
    evidence = {"handoff": handoff.id, "name": act.incoming.name or texts.SOMEBODY}
    try:
        merged = join_people(
            act.tx, act.identity.customer_id, other, how="agent", evidence=evidence, by=act.agent, declared=declared, at=act.now
        )
    except MergeRefused as refused:
        return texts.NOT_MERGED.format(why=refused)
    if merged.into is None or handoff.id not in (merged.into.id, merged.joined.id if merged.joined is not None else None):
        act.post(Outgoing(text=texts.IS_MERGED.format(customer=other)))
    return None


def not_same(act: Act, words: str) -> str | None:
    """Refuse what is proposed about this customer and another one: it is not proposed again for the same reasons."""
    other = number_in(words)
    if other is None:
        return texts.NOT_REFUSED_NUMBER
    people = person_of(act.tx, act.identity.customer_id), person_of(act.tx, other)
    if not settle_proposals(act.tx, *people, REFUSED, by=act.agent, at=act.now):
        return texts.NOT_PROPOSED.format(customer=other)
    act.post(Outgoing(text=texts.IS_NOT_SAME.format(customer=other)))
    act.post(Outgoing(kind="card"))
    return None


def verify(act: Act, handoff: Record, late: timedelta) -> str | None:
    """Note that this agent has checked who the customer is; it counts where the customer writes now."""
    problem = barred(act, handoff)
    if problem is None and handoff.state == WAITING:
        handoff, _ = take(act, handoff, late)
        problem = barred(act, handoff)
    if problem is not None:
        return problem
    evidence = {"handoff": handoff.id, "name": act.incoming.name or texts.SOMEBODY}
    prove(act.tx, act.identity.id, VERIFIED, how="agent", evidence=evidence, by=act.agent, at=act.now)
    act.learned = True
    act.post(Outgoing(text=texts.IS_VERIFIED.format(channel=act.identity.channel)))
    return None


def answers_to(tx: Tx, handoff: Record) -> int:
    """The identity that an agent's words go to: of a person who has several, the one that they wrote from last in this case."""
    person = person_of(tx, handoff.customer_id)
    if len(person) == 1 or handoff.state == ENDED:
        return int(handoff.identity_id)
    said = [row for one in person for row in last_said(tx, one, "customer", since_id=exchange_id(handoff.id, 0), limit=1)]
    return int(max(said, key=lambda row: row.id).identity_id) if said else int(handoff.identity_id)


def find_said(tx: Tx, handoff: Record, origin: str) -> Record | None:
    """The logged exchange that an agent's message became, to whichever of the person's identities it went."""
    found = find_origin(tx, handoff.identity_id, origin)
    if found is not None:
        return found
    others = [one.id for one in identities_of(tx, person_of(tx, handoff.customer_id)[:1]) if one.id != handoff.identity_id]
    return next((row for one in others if (row := find_origin(tx, one, origin)) is not None), None)


def present(act: Act, found: Record) -> Record:
    """The handoff as it stands now that nobody else can change it, held by whoever its customer is part of by now."""
    held = {found.customer_id}
    while True:
        handoff = get_handoff(act.tx, found.id)
        assert handoff is not None  # handoffs are never deleted
        if handoff.customer_id in held:
            return handoff
        ownership_of(act.tx, [handoff.customer_id])  # merged or un-merged between the look and the lock
        held.add(handoff.customer_id)
        identity = get_identity(act.tx, act.identity.id)
        assert identity is not None
        act.identity = identity
