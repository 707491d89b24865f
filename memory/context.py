"""recall(): everything that one turn, agent or action needs to know about a customer, in bounded time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa

from memory.customers import Customer, Identity
from memory.database import Database, Record, Tx, table
from memory.declared import SERVICE
from memory.dialogue import dialogue_table
from memory.exchanges import Exchange
from memory.experiences import Moment
from memory.facts import Standing, rank_of
from memory.handoffs import ENDED, handoff_table
from memory.known import known_table
from memory.quick import Quick, utc

LAST_EXCHANGES = 12
"""How many exchanges a turn is given; an agent's packet shows as many."""

MOST_AT_ONCE = 64
"""How many contexts one statement gives."""


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
_PERSON = sa.func.coalesce(sa.select(_customer.c.merged_into_id).where(_customer.c.id == _b("p_id")).scalar_subquery(), _b("p_id"))


def _with_past(whose: sa.Select[Any]) -> sa.Select[Any]:
    """The same rows on PostgreSQL, with the last exchanges of all who are the person as one text more, each as :class:`Past` has its parts.

    Each member's are read from the end of the index. Times are written in UTC, whatever zone the server writes times in.
    """
    parts = (_customer.alias("root"), _customer.alias("member"))
    person = sa.union_all(
        sa.select(parts[0].c.id).where(parts[0].c.id == _customer.c.id).correlate(_customer),
        sa.select(parts[1].c.id).where(parts[1].c.merged_into_id == _customer.c.id).correlate(_customer),
    ).subquery("person")
    last = (
        sa.select(*_past)
        .where(_exchange.c.customer_id == person.c.id)
        .order_by(_exchange.c.id.desc())
        .limit(LAST_EXCHANGES)
        .correlate(person)
        .lateral("last")
    )
    *texts, _ = last.c
    each = sa.func.json_build_array(*texts, sa.func.timezone(sa.literal_column("'UTC'"), last.c.at))
    past = sa.select(sa.cast(sa.func.json_agg(each), sa.Text)).select_from(person.join(last, sa.true())).correlate(_customer)
    return whose.add_columns(past.scalar_subquery().label("past"))


_past = (
    _exchange.c.id,
    _exchange.c.direction,
    _exchange.c.author,
    _exchange.c.author_name,
    _exchange.c.kind,
    _exchange.c.text,
    _exchange.c.reply,
    _exchange.c.at,
)
_person = _whose.where(_identity.c.customer_id == _PERSON).order_by(_identity.c.id)
_address = _whose.where(_identity.c.channel == _b("p_channel"), _identity.c.address == _b("p_address"))
_last_of_one = Quick(
    sa.select(*_past).where(_exchange.c.customer_id == _b("p_id")).order_by(_exchange.c.id.desc()).limit(LAST_EXCHANGES), named=False
)


class _Asked:
    """Contexts of the identities that one question is about: in one statement on PostgreSQL, on SQLite with one more for each customer.

    A round trip is what costs on PostgreSQL; on SQLite it is a call, and small statements are the quickest.
    """

    def __init__(self, whose: sa.Select[Any]) -> None:
        self._sqlite = Quick(whose)
        self._postgres = Quick(_with_past(whose))

    def of(self, tx: Tx, **parameters: Any) -> list[Context]:
        """In the transaction of ``tx``."""
        if tx.dialect.name != "sqlite":
            return _contexts(self._postgres.rows(tx, parameters))
        contexts = []
        for row in self._sqlite.rows(tx, parameters):
            person = (row.customer_id, *(row.members or ()))
            past = [_past_of(one) for id_ in person for one in _last_of_one.rows(tx, {"p_id": id_})]
            contexts.append(_context(row, person, past))
        return contexts

    async def alone(self, database: Database, **parameters: Any) -> list[Context]:
        """As all that is read: without a transaction around it where it is one statement."""
        if database.is_sqlite:
            return await database.read(lambda tx: self.of(tx, **parameters))
        return _contexts(await database.ask(self._postgres, parameters))


_by_person, _by_address = _Asked(_person), _Asked(_address)


@lru_cache(maxsize=8)
def _by_ids(width: int) -> _Asked:
    """So many identities, ``p0``, ``p1`` ...; not one array, for which PostgreSQL would make a new plan each time."""
    return _Asked(_whose.where(_identity.c.id.in_([_b(f"p{n}") for n in range(width)]) if width > 1 else _identity.c.id == _b("p0")))


def recall(tx: Tx, identity_ids: Collection[int]) -> dict[int, Context]:
    """The context of each identity's customer, by identity id, in one round trip however long the histories are.

    On SQLite, where a round trip is a call, each identity has two of its own; on PostgreSQL every ``MOST_AT_ONCE`` have one.
    """
    ids, found = list(identity_ids), []
    most = 1 if tx.dialect.name == "sqlite" else MOST_AT_ONCE
    for start in range(0, len(ids), most):
        some = ids[start : start + most]
        width = 1 << (len(some) - 1).bit_length()  # few widths, so that few statements are prepared; the rest is filled with nobody
        found += _by_ids(width).of(tx, **{f"p{n}": some[n] if n < len(some) else 0 for n in range(width)})
    return {context.identity_id: context for context in found}


def recall_person(tx: Tx, customer_id: int) -> list[Context]:
    """The context of a person as each of their identities has it, in one round trip; empty for a number that nobody has.

    ``customer_id`` may be any of the customers who are this person. The contexts differ in the identity and its dialogue only.
    """
    return _by_person.of(tx, p_id=customer_id)


async def look_at_person(database: Database, customer_id: int) -> list[Context]:
    """:func:`recall_person` as all that is read."""
    return await _by_person.alone(database, p_id=customer_id)


async def look_at_address(database: Database, channel: str, address: str) -> Context | None:
    """The context of whoever writes from this address, or None: nobody is made, as only a channel meets new people."""
    return next(iter(await _by_address.alone(database, p_channel=channel, p_address=address)), None)


def _contexts(rows: list[Any]) -> list[Context]:
    return [_context(row, (row.customer_id, *(row.members or ())), _past_from(row.past)) for row in rows]


def _past_from(text: str | None) -> list[Past]:
    return [_past_of([*parts, utc(at)]) for *parts, at in orjson.loads(text)] if text is not None else []


def _past_of(row: list[Any]) -> Past:
    return Past(*row)


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
