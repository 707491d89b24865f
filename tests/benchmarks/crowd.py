"""A database full of customers, as it looks after two years: the log of everybody, mixed in the order of time.

Each turn is one message in and one answer. A few customers have histories of chosen lengths, the others all the same; nobody's exchanges
stand together, as nobody writes alone. It is filled past the assistant, in bulk, into the real schema with its indexes and constraints.
"""

from __future__ import annotations

import heapq
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from memory.clock import UtcDateTime
from memory.customers import Customer, Identity
from memory.database import Row, Tx, checked_url, table
from memory.declared import Declarations
from memory.dialogue import keep_dialogues
from memory.exchanges import Exchange, exchange_id, exchange_row
from memory.facts import CUSTOMER, Told, remember
from memory.known import refresh_known
from memory.schema import migrate
from tests.benchmarks.sayings import saying

START = datetime(2024, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=730)
END = START + SPAN
EACH = 50
"""How many exchanges each of the others has."""

ALIKE = 50
"""How many customers have each of the short lengths, so that what is appended while measuring hardly makes them longer."""

SHORT = 1000
"""Below this many exchanges a history is short."""

SAMPLE = 1000
"""How many of the others are known as well as those with chosen lengths are, for measurements with another customer each time."""

BATCH = 50_000


@dataclass(frozen=True)
class Crowd:
    """Who is in the database. Customers and identities have the same numbers, from 1 on: first those of chosen lengths, then the others."""

    lengths: tuple[int, ...]
    others: int

    def with_length(self, length: int) -> list[int]:
        """The numbers of those who have so many exchanges."""
        first = 1
        for one in self.lengths:
            alike = ALIKE if one < SHORT else 1
            if one == length:
                return list(range(first, first + alike))
            first += alike
        raise KeyError(length)

    @property
    def chosen(self) -> list[int]:
        """The numbers of all who have chosen lengths."""
        return [number for length in self.lengths for number in self.with_length(length)]

    @property
    def size(self) -> int:
        """How many customers there are."""
        return len(self.chosen) + self.others

    @property
    def sample(self) -> list[int]:
        """The numbers of some of the others, from everywhere among them, in an order of chance."""
        first = len(self.chosen) + 1
        return random.Random(1).sample(range(first, first + self.others), min(SAMPLE, self.others))

    @property
    def exchanges(self) -> int:
        """How many exchanges there are in all."""
        return sum(length // 2 * 2 * len(self.with_length(length)) for length in self.lengths) + self.others * EACH

    def turns(self) -> Iterator[tuple[datetime, int]]:
        """When each turn was, and whose, in the order of time."""
        spread = [
            _evenly(number, length // 2, place / len(alike))
            for length in self.lengths
            for alike in [self.with_length(length)]
            for place, number in enumerate(alike)
        ]
        for fraction, number in heapq.merge(_rounds(len(self.chosen) + 1, self.others, EACH // 2), *spread):
            yield START + fraction * SPAN, number

    def rows(self) -> Iterator[Row]:
        """Every exchange, as :func:`memory.exchanges.exchange_row` makes them."""
        for turn_id, (at, number) in enumerate(self.turns(), start=1):
            yield said(turn_id, 0, number, at)
            yield said(turn_id, 1, number, at)


def said(turn_id: int, n: int, number: int, at: datetime) -> Row:
    """An exchange of customer ``number``: the incoming message of a turn (``n`` 0) or its answer."""
    answer = n % 2 == 1
    return exchange_row(
        id=exchange_id(turn_id, n),
        customer_id=number,
        identity_id=number,
        turn_id=turn_id,
        direction="out" if answer else "in",
        author="assistant" if answer else "customer",
        author_name=None if answer else f"Customer {number}",
        kind="text",
        text=saying(turn_id, answer=answer),
        origin=None if answer else f"telegram:{turn_id}",
        reply="benchmark" if answer else None,
        at=at,
    )


def _evenly(number: int, turns: int, shift: float) -> Iterator[tuple[float, int]]:
    return (((n + 0.99 - 0.9 * shift) / turns, number) for n in range(turns))


def _rounds(first: int, people: int, turns: int) -> Iterator[tuple[float, int]]:
    """Everybody once, in an order of chance, and again until each had so many turns."""
    order = list(range(first, first + people))
    for n in range(turns):
        random.Random(n).shuffle(order)
        for place, number in enumerate(order):
            yield (n + place / people) / turns, number


def people(tx: Tx, crowd: Crowd) -> None:
    """Make the schema and everybody in it, and what is known of those who will be recalled."""
    migrate(tx)
    for first in range(1, crowd.size + 1, BATCH):
        numbers = range(first, min(first + BATCH, crowd.size + 1))
        customers = [Customer(id=n, created_at=START).model_dump() for n in numbers]
        tx.execute(sa.insert(table(Customer)), customers)
        tx.execute(sa.insert(table(Identity)), [_identity(n) for n in numbers])
    for number in [*crowd.chosen, *crowd.sample]:
        _know(tx, number)


def _identity(number: int) -> Row:
    identity = Identity(
        id=number,
        customer_id=number,
        home_id=number,
        channel="telegram",
        address=str(8_000_000_000 + number),
        name=f"Customer {number}",
        username=f"customer{number}",
        language="en",
        created_at=START,
    )
    return identity.model_dump()


def _know(tx: Tx, number: int) -> None:
    keep_dialogues(tx, [{"identity_id": number, "state": {"asked": "card-declined", "unsure": 0}, "at": START}])
    for name, value in (
        ("name", f"Customer {number}"),
        ("language", "en"),
        ("city", "Leeds"),
        ("tariff", "M"),
        ("prefers", "short answers"),
    ):
        remember(tx, Declarations(), number, Told(name, value, CUSTOMER), at=START)
    refresh_known(tx, [number])


def fill_sqlite(path: str, crowd: Crowd) -> None:
    """Add the log to a SQLite file that has the people. A crash meanwhile would spoil the file; otherwise it is as if filled slowly."""
    as_text = UtcDateTime().bind_processor(sqlite.dialect())
    assert as_text is not None
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-1048576")
    connection.execute("BEGIN")
    columns = _columns()
    add = f"INSERT INTO {table(Exchange).name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    connection.executemany(add, ((*row[:-1], as_text(row[-1])) for row in _tuples(crowd)))
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


async def fill_postgres(url: str, crowd: Crowd) -> None:
    """Add the log to a PostgreSQL database that has the people; what the foreign keys would check is true by construction."""
    connection = await connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        rows = _tuples(crowd)
        while some := list(islice(rows, BATCH)):
            await connection.copy_records_to_table(table(Exchange).name, records=some, columns=_columns())
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def connect(url: str) -> Any:
    """A plain asyncpg connection to where a URL of Legato's points."""
    parsed = checked_url(url)
    return await asyncpg.connect(
        user=parsed.username,
        password=parsed.password or None,
        host=parsed.host or parsed.query.get("host"),
        port=parsed.port,
        database=parsed.database,
    )


def _columns() -> list[str]:
    return [*(name for name in said(1, 0, 1, START) if name != "at"), "at"]


def _tuples(crowd: Crowd) -> Iterator[tuple[Any, ...]]:
    """The rows as the columns stand; ``at`` is the last."""
    for row in crowd.rows():
        at = row.pop("at")
        yield (*row.values(), at)
