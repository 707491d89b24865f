"""recall(): everything that one turn, agent or action needs to know about a customer, in bounded time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from memory.customers import Customer, Identity
from memory.database import Record, Tx, table
from memory.dialogue import dialogue_table
from memory.exchanges import Exchange
from memory.facts import Fact
from memory.handoffs import ENDED, handoff_table

LAST_EXCHANGES = 12
"""How many exchanges a turn is given; an agent's packet shows as many."""


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A current fact and where it comes from."""

    name: str
    value: Any
    source: str
    exchange_id: int | None
    confidence: float
    since: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """An exchange as recalled."""

    id: int
    direction: str
    author: str
    author_name: str | None
    kind: str
    text: str
    reply: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Episode:
    """A handoff as recalled: ``state`` is waiting, owned or ended."""

    id: int
    state: str
    reason: str
    owner: str | None
    owner_name: str | None
    opened_at: datetime
    ended_at: datetime | None
    ending: str | None
    return_packet: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Context:
    """What is known when a turn begins. ``exchanges`` are the last ones, oldest first, over all channels."""

    customer_id: int
    identity_id: int
    channel: str
    address: str
    profile_name: str | None
    username: str | None
    language: str | None
    unreachable: bool
    ownership: int
    dialogue: dict[str, Any]
    facts: dict[str, KnownFact]
    exchanges: tuple[Past, ...]
    last_episode: Episode | None

    @property
    def handoff(self) -> Episode | None:
        """The open handoff, if a person owns the conversation or is being waited for."""
        return self.last_episode if self.last_episode is not None and self.last_episode.state != ENDED else None

    @property
    def last_seen(self) -> datetime | None:
        """When anything was last said, or None for somebody new."""
        return self.exchanges[-1].at if self.exchanges else None

    @property
    def name(self) -> str | None:
        """How the customer is called: what they told us, else what the channel says."""
        known = self.facts.get("name")
        return str(known.value) if known is not None else self.profile_name


_customer, _identity, _exchange, _fact = table(Customer), table(Identity), table(Exchange), table(Fact)
_b = sa.bindparam
_who = (
    sa.select(
        _identity.c.id,
        _identity.c.customer_id,
        _identity.c.channel,
        _identity.c.address,
        _identity.c.name,
        _identity.c.username,
        _identity.c.language,
        _identity.c.unreachable_since,
        _customer.c.ownership,
        dialogue_table.c.state.label("dialogue"),
        handoff_table.c.id.label("h_id"),
        handoff_table.c.state.label("h_state"),
        handoff_table.c.reason,
        handoff_table.c.owner,
        handoff_table.c.owner_name,
        handoff_table.c.opened_at,
        handoff_table.c.ended_at,
        handoff_table.c.ending,
        handoff_table.c.return_packet,
    )
    .select_from(
        _identity.join(_customer, _customer.c.id == _identity.c.customer_id)
        .outerjoin(dialogue_table, dialogue_table.c.identity_id == _identity.c.id)
        .outerjoin(handoff_table, handoff_table.c.id == _customer.c.handoff_id)
    )
    .where(_identity.c.id.in_(_b("p_ids", expanding=True)))
)
_facts = sa.select(
    _fact.c.customer_id,
    _fact.c.name,
    _fact.c.value,
    _fact.c.source,
    _fact.c.exchange_id,
    _fact.c.confidence,
    _fact.c.since,
).where(_fact.c.customer_id.in_(_b("p_ids", expanding=True)), _fact.c.until.is_(None))
_past = (
    _exchange.c.customer_id,
    _exchange.c.id,
    _exchange.c.direction,
    _exchange.c.author,
    _exchange.c.author_name,
    _exchange.c.kind,
    _exchange.c.text,
    _exchange.c.reply,
    _exchange.c.at,
)


@lru_cache(maxsize=16)
def _last_exchanges(customers: int) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The last exchanges of so many customers (``p0``, ``p1`` ...) in one statement, each read from the end of the index."""
    parts = [
        sa.select(
            sa.select(*_past)
            .where(_exchange.c.customer_id == _b(f"p{n}"))
            .order_by(_exchange.c.id.desc())
            .limit(LAST_EXCHANGES)
            .subquery(f"x{n}")
        )
        for n in range(customers)
    ]
    return sa.union_all(*parts) if len(parts) > 1 else parts[0]


def recall(tx: Tx, identity_ids: Collection[int]) -> dict[int, Context]:
    """The context of each identity's customer, by identity id, in three round trips however long the histories are."""
    if not identity_ids:
        return {}
    people = tx.execute(_who, {"p_ids": list(identity_ids)}).all()
    customers = sorted({row.customer_id for row in people})
    facts: dict[int, dict[str, KnownFact]] = {}
    for row in tx.execute(_facts, {"p_ids": customers}):
        facts.setdefault(row[0], {})[row[1]] = KnownFact(*row[1:])
    past: dict[int, list[Past]] = {}
    size = 1 << (len(customers) - 1).bit_length()  # few sizes, so that few statements are compiled; the rest is filled with nobody
    for start in range(0, len(customers), 64):
        some = customers[start : start + 64]
        width = min(size, 64)
        parameters = {f"p{n}": some[n] if n < len(some) else 0 for n in range(width)}
        for row in tx.execute(_last_exchanges(width), parameters):
            past.setdefault(row[0], []).append(_past_of(row))
    return {row.id: _context(row, facts.get(row.customer_id, {}), past.get(row.customer_id, [])) for row in people}


def _past_of(row: Record) -> Past:
    _, id_, direction, author, author_name, kind, text, reply, at = row
    return Past(id_, direction, author, author_name, kind, text, reply, at)


def _context(row: Record, facts: dict[str, KnownFact], past: list[Past]) -> Context:
    episode = None
    if row.h_id is not None:
        episode = Episode(
            id=row.h_id,
            state=row.h_state,
            reason=row.reason,
            owner=row.owner,
            owner_name=row.owner_name,
            opened_at=row.opened_at,
            ended_at=row.ended_at,
            ending=row.ending,
            return_packet=row.return_packet,
        )
    return Context(
        customer_id=row.customer_id,
        identity_id=row.id,
        channel=row.channel,
        address=row.address,
        profile_name=row.name,
        username=row.username,
        language=row.language,
        unreachable=row.unreachable_since is not None,
        ownership=row.ownership,
        dialogue=row.dialogue or {},
        facts=facts,
        exchanges=tuple(sorted(past, key=lambda one: one.id)),
        last_episode=episode,
    )
