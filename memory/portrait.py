"""One customer as an operator or a screen sees them: found by what is known of them, and shown in full, in bounded time. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from memory.context import Context, recall_person
from memory.customers import Customer, Identity, identities_of, ownership_of, person_of
from memory.database import Record, Tx, table
from memory.declared import Declarations
from memory.erasure import erasure_table
from memory.errors import LegatoError
from memory.exchanges import Exchange
from memory.experiences import weight_of
from memory.facts import AGENT, Standing, Told, fact_history, fact_table, remember
from memory.handoffs import handoff_table
from memory.keys import HANDLES, install_key
from memory.known import refresh_known
from memory.merges import merges_of
from memory.proposals import Maybe, digest_of, handle_table, open_proposals
from memory.values import ValueRefused

LAST_EXCHANGES, LAST_HANDOFFS, LAST_FACTS = 20, 10, 200
"""How many of each are shown, the newest ones."""

MOST_FOUND = 20

_customer, _identity, _exchange = table(Customer), table(Identity), table(Exchange)


class NotFound(LegatoError):
    """No customer, or more than one, fits what was asked for."""


class NotCorrected(LegatoError):
    """A fact was not corrected; the text says why."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """A person. ``facts`` are all that were ever told, oldest first; ``context`` is what a turn is given, None for somebody forgotten."""

    customers: tuple[int, ...]
    since: datetime
    forgotten_at: datetime | None
    identities: tuple[Record, ...]
    context: Context | None
    facts: tuple[Record, ...]
    exchanges: tuple[Record, ...]
    count: int
    handoffs: tuple[Record, ...]
    merges: tuple[Record, ...]
    weight: float
    maybes: tuple[Maybe, ...] = ()
    """Who may be the same person."""


def find_customers(tx: Tx, declared: Declarations, wanted: str, *, at: datetime) -> list[int]:
    """The people that ``wanted`` names: a number, ``channel:address``, or a value that identifies somebody, such as an e-mail address."""
    wanted = wanted.strip()
    if wanted.isdecimal() and len(wanted) < 10:
        found = tx.execute(sa.select(_customer.c.id).where(_customer.c.id == int(wanted))).scalars().all()
        if found:
            return _people(tx, found)
    channel, _, address = wanted.partition(":")
    if address:
        by_address = sa.select(_identity.c.customer_id).where(_identity.c.channel == channel, _identity.c.address == address.strip())
        if found := tx.execute(by_address).scalars().all():
            return _people(tx, found)
    return _people(tx, _by_value(tx, declared, wanted, at))


def _by_value(tx: Tx, declared: Declarations, wanted: str, at: datetime) -> list[int]:
    key = install_key(tx, HANDLES, at=at)
    pairs: list[tuple[str, str]] = []
    for name, about in declared.facts.items():
        if about.identifies:
            try:
                pairs.append((name, digest_of(key, name, about.check(wanted, region=declared.region))))
            except ValueRefused:
                continue
    if not pairs:
        return []
    told = sa.select(handle_table.c.customer_id).where(sa.tuple_(handle_table.c.kind, handle_table.c.digest).in_(pairs))
    return list(tx.execute(told.limit(MOST_FOUND)).scalars())


def _people(tx: Tx, ids: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(person_of(tx, one)[0] for one in ids))


def find_one(tx: Tx, declared: Declarations, wanted: str, *, at: datetime) -> int:
    """The one person that ``wanted`` names (:func:`find_customers`). Raises :class:`NotFound`, whose text does not repeat it."""
    found = find_customers(tx, declared, wanted, at=at)
    if not found:
        raise NotFound("nobody is known by that: write a customer's number, channel:address, or a value such as their e-mail address")
    if len(found) > 1:
        raise NotFound(f"several customers are known by that: {', '.join(str(one) for one in found)}; write one of these numbers")
    return found[0]


def portrait(tx: Tx, customer_id: int, *, now: datetime) -> Portrait | None:
    """Everything about a person that one page can show; None for a number that nobody has."""
    row = tx.execute(sa.select(_customer).where(_customer.c.id == customer_id)).first()
    if row is None:
        return None
    person = person_of(tx, customer_id)
    mine = _exchange.c.customer_id.in_(person)
    last: list[Record] = []
    for one in person:
        newest = sa.select(_exchange).where(_exchange.c.customer_id == one).order_by(_exchange.c.id.desc()).limit(LAST_EXCHANGES)
        last += tx.execute(newest)
    contexts = recall_person(tx, customer_id) if row.forgotten_at is None else []
    cases = sa.select(handoff_table).where(handoff_table.c.customer_id.in_(person)).order_by(handoff_table.c.id.desc())
    return Portrait(
        customers=tuple(person),
        since=tx.execute(sa.select(sa.func.min(_customer.c.created_at)).where(_customer.c.id.in_(person))).scalar_one(),
        forgotten_at=row.forgotten_at,
        identities=tuple(identities_of(tx, person)),
        context=contexts[0] if contexts else None,
        facts=tuple(fact_history(tx, person)[-LAST_FACTS:]),
        exchanges=tuple(sorted(last, key=lambda one: one.id)[-LAST_EXCHANGES:]),
        count=int(tx.execute(sa.select(sa.func.count()).select_from(_exchange).where(mine)).scalar_one()),
        handoffs=tuple(tx.execute(cases.limit(LAST_HANDOFFS)).all()),
        merges=tuple(merges_of(tx, person)),
        weight=weight_of(contexts[0].experiences, now) if contexts else 0.0,
        maybes=tuple(open_proposals(tx, person)),
    )


def look_for(tx: Tx, customer_id: int, words: str, *, now: datetime, limit: int = 10) -> list[tuple[Record, str]]:
    """Moments of a person's whole past by words, the best first: each exchange, and why it is among them (:mod:`memory.search.find`)."""
    from memory.search.find import find
    from memory.search.words import ask

    moments = find(tx, person_of(tx, customer_id), ask(words, now=now), limit=limit)
    wanted = sa.select(_exchange).where(_exchange.c.id.in_([one.exchange_id for one in moments]))
    rows = {row.id: row for row in tx.execute(wanted)}
    return [(rows[one.exchange_id], one.why) for one in moments if one.exchange_id in rows]


def correct(tx: Tx, declared: Declarations, customer_id: int, name: str, value: str, *, by: str, at: datetime) -> Standing:
    """Set a fact right in an agent's name: what any of the person's customers had as current was never true. The caller commits.

    Raises :class:`NotCorrected` for a fact that nothing declares, a value that does not fit, and somebody who is not there;
    :class:`memory.errors.ConsentMissing` where the customer has not agreed to what the fact is for.
    """
    if name not in declared.facts:
        raise NotCorrected(f"`{name}` is no fact that memory.yml declares; there are {', '.join(sorted(declared.facts))}")
    person = person_of(tx, customer_id)
    held = ownership_of(tx, person[:1])
    gone = sa.select(_customer.c.forgotten_at).where(_customer.c.id == person[0])
    if not held or tx.execute(gone).scalar() is not None:
        raise NotCorrected(f"there is no customer {customer_id}, or they are forgotten")
    try:
        checked: Any = declared.fact(name).check(value, region=declared.region)
    except ValueRefused as refused:
        raise NotCorrected(f"`{name}` was not corrected: {refused}") from None
    told = Told(name, checked, AGENT, by=by, corrects=True)
    wrong = sa.select(fact_table.c.customer_id).where(
        fact_table.c.customer_id.in_(person), fact_table.c.name == name, fact_table.c.standing == Standing.CURRENT
    )
    homes = sorted(set(tx.execute(wrong).scalars())) or person[:1]  # where a merge is undone, each keeps what was set right of theirs
    standings = [remember(tx, declared, home, told, at=at, person=person) for home in homes]
    refresh_known(tx, person[:1])
    return standings[0]


def erasures_of(tx: Tx, *, limit: int = 20) -> list[Record]:
    """The newest erasures."""
    return list(tx.execute(sa.select(erasure_table).order_by(erasure_table.c.id.desc()).limit(limit)))


__all__ = ["NotCorrected", "NotFound", "Portrait", "correct", "erasures_of", "find_customers", "find_one", "look_for", "portrait"]
