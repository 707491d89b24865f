"""recall(): everything that one turn, agent or action needs to know about a customer, in bounded time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from memory.customers import Customer, Identity
from memory.database import Record, Tx, table
from memory.declared import SERVICE
from memory.dialogue import dialogue_table
from memory.exchanges import Exchange
from memory.experiences import Moment
from memory.facts import Standing, rank_of
from memory.handoffs import ENDED, handoff_table
from memory.known import known_table
from memory.quick import Quick

LAST_EXCHANGES = 12
"""How many exchanges a turn is given; an agent's packet shows as many."""


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact that is gone by, and where it comes from. ``contested`` are other values, sure enough to be kept, that contradict it."""

    name: str
    value: Any
    source: str
    exchange_id: int | None
    confidence: float
    since: datetime
    id: int = 0
    by: str | None = None
    purpose: str = SERVICE
    learned_at: datetime | None = None
    fresh_at: datetime | None = None
    contested: tuple[KnownFact, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownConsent:
    """The last word about a purpose."""

    granted: bool
    version: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownJourney:
    """An open journey."""

    id: int
    product: str
    matter: str
    stage: str
    opened_at: datetime
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class KnownPromise:
    """A promise that is open, or whose time has passed."""

    id: int
    text: str
    by: str
    state: str
    exchange_id: int | None
    made_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownSummary:
    """A conversation that is over."""

    id: int
    identity_id: int
    first_id: int
    last_id: int
    began_at: datetime
    ended_at: datetime
    wanted: str
    done: str
    ending: str
    promised: str
    links: dict[str, Any]


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
    """What is known when a turn begins. ``exchanges`` are the last ones, oldest first, over all channels.

    ``customer_id`` is the person, ``home_id`` the customer that this identity was made with: what is learned in this turn is stored there.
    ``person`` are all customers who are this one person, ``customer_id`` first. ``proof`` is the best level that the identity ever reached.
    What is gathered in ``known`` (:mod:`memory.known`) is read from it when it is asked for: most turns need little of it.
    """

    customer_id: int
    home_id: int
    person: tuple[int, ...]
    identity_id: int
    channel: str
    address: str
    profile_name: str | None
    username: str | None
    language: str | None
    proof: str
    proven_at: datetime | None
    unreachable: bool
    ownership: int
    dialogue: dict[str, Any]
    known: Mapping[str, Any]
    version: int
    exchanges: tuple[Past, ...]
    last_episode: Episode | None

    @property
    def facts(self) -> dict[str, KnownFact]:
        """What is gone by, by name."""
        return facts_of(self.known.get("facts", ()))

    @property
    def proposed(self) -> tuple[KnownFact, ...]:
        """What is likely and nobody has confirmed yet, the latest first."""
        rows = self.known.get("facts", ())
        likely = [row for row in rows if row["standing"] == Standing.PROPOSED]
        if len(self.person) > 1 and likely:
            gone_by = _best_rows(rows)
            likely = [row for row in likely if not _overtaken(row, gone_by.get(row["name"]))]
        return tuple(_fact_of(row) for row in likely)

    @property
    def consents(self) -> dict[str, KnownConsent]:
        """The customer's last word, by purpose."""
        rows = self.known.get("consents", ())
        return {row["purpose"]: KnownConsent(row["granted"], row.get("version", ""), row["channel"], _time(row["at"])) for row in rows}

    @property
    def journeys(self) -> tuple[KnownJourney, ...]:
        """Where the customer stands, the latest moved first."""
        rows = self.known.get("journeys", ())
        return tuple(
            KnownJourney(row["id"], row["product"], row.get("matter", ""), row["stage"], _time(row["opened_at"]), _time(row["moved_at"]))
            for row in rows
        )

    @property
    def experiences(self) -> tuple[Moment, ...]:
        """Good and bad moments, the latest first."""
        rows = self.known.get("experiences", ())
        return tuple(
            Moment(row["good"], row["kind"], row["weight"], row.get("exchange_id"), row.get("evidence"), _time(row["at"])) for row in rows
        )

    @property
    def promises(self) -> tuple[KnownPromise, ...]:
        """What was promised and is not kept yet, the latest first."""
        return tuple(
            KnownPromise(
                row["id"],
                row["text"],
                row["by"],
                row["state"],
                row.get("exchange_id"),
                _time(row["made_at"]),
                _time(row["due_at"]) if "due_at" in row else None,
            )
            for row in self.known.get("promises", ())
        )

    @property
    def summaries(self) -> tuple[KnownSummary, ...]:
        """The last conversations that are over, the latest first."""
        return tuple(
            KnownSummary(
                row["id"],
                row["identity_id"],
                row["first_id"],
                row["last_id"],
                _time(row["began_at"]),
                _time(row["ended_at"]),
                row.get("wanted", ""),
                row.get("done", ""),
                row.get("ending", ""),
                row.get("promised", ""),
                row.get("links", {}),
            )
            for row in self.known.get("summaries", ())
        )

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
        told = [row for row in self.known.get("facts", ()) if row["name"] == "name"]
        known = facts_of(told).get("name") if told else None
        return str(known.value) if known is not None else self.profile_name


def facts_of(rows: Collection[Mapping[str, Any]]) -> dict[str, KnownFact]:
    """The facts that are gone by among gathered rows, by name, each with what contradicts it. Pure.

    Of people who were merged each has a record of their own, and may have a current value: the higher rank counts, then what was said last.
    What it overtook in another's record stays there, and is no contradiction.
    """
    best = _best_rows(rows)
    others: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        one = best.get(row["name"])
        if one is not None and row["standing"] != Standing.PROPOSED and row["value"] != one["value"] and not _overtaken(row, one):
            others.setdefault(row["name"], []).append(row)
    return {
        name: _fact_of(row, tuple(_fact_of(other) for other in sorted(others.get(name, ()), key=_precedence, reverse=True)))
        for name, row in best.items()
    }


def _best_rows(rows: Collection[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    best: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["standing"] == Standing.CURRENT and (row["name"] not in best or _precedence(row) > _precedence(best[row["name"]])):
            best[row["name"]] = row
    return best


def _overtaken(row: Mapping[str, Any], best: Mapping[str, Any] | None) -> bool:
    """Whether what another one of the merged people said later stands above this."""
    return best is not None and row["customer_id"] != best["customer_id"] and row["fresh_at"] <= best["fresh_at"]


def _precedence(row: Mapping[str, Any]) -> tuple[bool, int, str, int]:
    """In one record only one is current; between records it counts when something was last said, not when it was said first."""
    return (row["standing"] == Standing.CURRENT, rank_of(row["source"], row["confidence"]), row["fresh_at"], row["id"])


def _fact_of(row: Mapping[str, Any], contested: tuple[KnownFact, ...] = ()) -> KnownFact:
    return KnownFact(
        row["name"],
        row.get("value"),
        row["source"],
        row.get("exchange_id"),
        row["confidence"],
        _time(row["since"]),
        row["id"],
        row.get("by"),
        row["purpose"],
        _time(row["learned_at"]),
        _time(row["fresh_at"]),
        contested,
    )


_time = datetime.fromisoformat


_customer, _identity, _exchange = table(Customer), table(Identity), table(Exchange)
_b = sa.bindparam
_whose = sa.select(
    _identity.c.id,
    _identity.c.customer_id,
    _identity.c.home_id,
    _identity.c.channel,
    _identity.c.address,
    _identity.c.name,
    _identity.c.username,
    _identity.c.language,
    _identity.c.proof,
    _identity.c.proven_at,
    _identity.c.unreachable_since,
    _customer.c.ownership,
    _customer.c.members,
    known_table.c.content.label("known"),
    known_table.c.version,
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
).select_from(
    _identity.join(_customer, _customer.c.id == _identity.c.customer_id)
    .outerjoin(dialogue_table, dialogue_table.c.identity_id == _identity.c.id)
    .outerjoin(handoff_table, handoff_table.c.id == _customer.c.handoff_id)
    .outerjoin(known_table, known_table.c.customer_id == _customer.c.id)
)
_who = _whose.where(_identity.c.id.in_(_b("p_ids", expanding=True)))
_PERSON = sa.func.coalesce(sa.select(_customer.c.merged_into_id).where(_customer.c.id == _b("p_id")).scalar_subquery(), _b("p_id"))
_whole = _whose.where(_identity.c.customer_id == _PERSON).order_by(_identity.c.id)
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


_one = Quick(_whose.where(_identity.c.id == _b("p_id")))
_last_of_one = Quick(
    sa.select(*_past).where(_exchange.c.customer_id == _b("p_id")).order_by(_exchange.c.id.desc()).limit(LAST_EXCHANGES), named=False
)


def recall(tx: Tx, identity_ids: Collection[int]) -> dict[int, Context]:
    """The context of each identity's customer, by identity id, in two round trips however long the histories are.

    On SQLite, where a round trip is a call, each identity has two of its own.
    """
    if not identity_ids:
        return {}
    if tx.dialect.name == "sqlite":
        return {id_: context for id_ in identity_ids if (context := _recall_one(tx, id_)) is not None}
    people = tx.execute(_who, {"p_ids": list(identity_ids)}).all()
    persons = {row.customer_id: (row.customer_id, *(row.members or ())) for row in people}
    past = _last(tx, sorted({one for person in persons.values() for one in person}))
    contexts = {}
    for row in people:
        person = persons[row.customer_id]
        mine = past.get(row.customer_id, []) if len(person) == 1 else [one for id_ in person for one in past.get(id_, ())]
        contexts[row.id] = _context(row, person, mine)
    return contexts


def _recall_one(tx: Tx, identity_id: int) -> Context | None:
    rows = _one.rows(tx, {"p_id": identity_id})
    if not rows:
        return None
    row = rows[0]
    person = (row.customer_id, *(row.members or ()))
    past = [_past_of(one) for id_ in person for one in _last_of_one.rows(tx, {"p_id": id_})]
    return _context(row, person, past)


def recall_person(tx: Tx, customer_id: int) -> list[Context]:
    """The context of a person as each of their identities has it, in two round trips; empty for a number that nobody has.

    ``customer_id`` may be any of the customers who are this person. The contexts differ in the identity and its dialogue only.
    """
    rows = tx.execute(_whole, {"p_id": customer_id}).all()
    if not rows:
        return []
    person = (rows[0].customer_id, *(rows[0].members or ()))
    past = [one for some in _last(tx, sorted(person)).values() for one in some]
    return [_context(row, person, past) for row in rows]


def _last(tx: Tx, customers: Sequence[int]) -> dict[int, list[Past]]:
    past: dict[int, list[Past]] = {}
    size = 1 << (len(customers) - 1).bit_length()  # few sizes, so that few statements are compiled; the rest is filled with nobody
    for start in range(0, len(customers), 64):
        some = customers[start : start + 64]
        width = min(size, 64)
        parameters = {f"p{n}": some[n] if n < len(some) else 0 for n in range(width)}
        for row in tx.execute(_last_exchanges(width), parameters):
            past.setdefault(row[0], []).append(_past_of(row))
    return past


def _past_of(row: Record) -> Past:
    _, id_, direction, author, author_name, kind, text, reply, at = row
    return Past(id_, direction, author, author_name, kind, text, reply, at)


def _context(row: Record, person: tuple[int, ...], past: list[Past]) -> Context:
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
        home_id=row.home_id,
        person=person,
        identity_id=row.id,
        channel=row.channel,
        address=row.address,
        profile_name=row.name,
        username=row.username,
        language=row.language,
        proof=row.proof,
        proven_at=row.proven_at,
        unreachable=row.unreachable_since is not None,
        ownership=row.ownership,
        dialogue=row.dialogue or {},
        known=row.known or {},
        version=row.version or 0,
        exchanges=tuple(sorted(past, key=lambda one: one.id)[-LAST_EXCHANGES:]),
        last_episode=episode,
    )
