"""The databases that `make bench-memory` measures: Legato's memory and the plain table, on SQLite and on PostgreSQL, full of customers."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from memory import context, recall
from memory.context import LAST_EXCHANGES
from memory.database import Database, Row
from memory.declared import Declarations
from memory.exchanges import log
from tests.benchmarks.crowd import END, Crowd, connect, fill_postgres, fill_sqlite, people
from tests.benchmarks.plain import PlainPostgres, PlainSqlite, copy_postgres, copy_sqlite
from tests.benchmarks.storage import postgres_bytes, sqlite_bytes, storage_row
from tests.benchmarks.stores import emptied

DECLARED = Declarations()


@dataclass(frozen=True)
class Subject:
    """What is measured: ``load`` gets a customer's number, ``append`` the row of a new exchange; None where there is nothing to append.

    Where it can append, ``load`` gives the last exchanges. ``server`` is a database server's process id. ``plain`` is the name of the
    subject whose times are the measure.
    """

    name: str
    load: Callable[[int], Awaitable[Any]]
    append: Callable[[Row], Awaitable[None]] | None
    server: int | None = None
    plain: str | None = None


@dataclass(frozen=True)
class Bench:
    """Filled databases, and the storage that they take. ``database`` is Legato's, and ``sizes`` says what it takes now."""

    name: str
    crowd: Crowd
    subjects: list[Subject]
    storage: list[dict[str, Any]]
    database: Database
    sizes: Callable[[], Awaitable[Counter[str]]]
    server: int | None = None


def legato(name: str, database: Database, *, server: int | None = None, plain: str) -> list[Subject]:
    """The memory itself, in a transaction as a turn uses it, and what an agent or an action is given, without one."""

    async def load(number: int) -> list[Any]:
        return list((await database.read(lambda tx: context.recall(tx, [number])))[number].exchanges)

    async def append(row: Row) -> None:
        await database.write(lambda tx: log(tx, [row]))

    async def tell(number: int) -> Any:
        return recall.told(await context.look_at_person(database, number), declared=DECLARED, now=END, for_="agent")

    return [Subject(name, load, append, server, plain), Subject(f"{name}, for an agent", tell, None, server, plain)]


@contextlib.asynccontextmanager
async def on_sqlite(crowd: Crowd, folder: str) -> AsyncIterator[Bench]:
    """A file of Legato's and a file with the plain table, in ``folder``."""
    path, plain_path = f"{folder}/legato.db", f"{folder}/plain.db"
    database = Database(f"sqlite:///{path}")
    await database.write(partial(people, crowd=crowd))
    await database.close()
    empty = sqlite_bytes(path)["total"]
    fill_sqlite(path, crowd)
    copy_sqlite(plain_path, path)
    storage = [
        storage_row("plain SQLite table", sqlite_bytes(plain_path), crowd.exchanges),
        storage_row("Legato on SQLite", sqlite_bytes(path), crowd.exchanges, before=empty),
    ]
    database = Database(f"sqlite:///{path}")
    normal, full = PlainSqlite(plain_path, "NORMAL"), PlainSqlite(plain_path, "FULL")
    fast, safe = "plain SQLite table, NORMAL", "plain SQLite table, FULL"

    async def sizes() -> Counter[str]:
        return sqlite_bytes(path)

    try:
        subjects = [Subject(fast, normal.load, normal.append), Subject(safe, full.load, full.append)]
        yield Bench("SQLite", crowd, [*subjects, *legato("Legato on SQLite", database, plain=safe)], storage, database, sizes)
    finally:
        normal.close()
        full.close()
        await database.close()


@contextlib.asynccontextmanager
async def on_postgres(crowd: Crowd, url: str, server: int | None) -> AsyncIterator[Bench]:
    """Legato's tables and the plain one in the same database, which is emptied."""
    database = Database(url)
    await database.write(emptied)
    await database.write(partial(people, crowd=crowd))
    connection = await connect(url)
    try:
        empty = (await postgres_bytes(connection))["total"]
        await fill_postgres(url, crowd)
        legato_bytes = await postgres_bytes(connection)
        await copy_postgres(connection)
        plain, name = PlainPostgres(connection), "plain PostgreSQL table"
        yield Bench(
            "PostgreSQL",
            crowd,
            [Subject(name, plain.load, plain.append, server), *legato("Legato on PostgreSQL", database, server=server, plain=name)],
            [
                storage_row(name, await postgres_bytes(connection, "plain"), crowd.exchanges),
                storage_row("Legato on PostgreSQL", legato_bytes, crowd.exchanges, before=empty),
            ],
            database,
            partial(postgres_bytes, connection),
            server,
        )
    finally:
        await connection.close()
        await database.close()


async def agree(benches: list[Bench]) -> None:
    """Raise if two databases do not give the same exchanges of a customer: what is compared must be the same."""
    crowd = benches[0].crowd
    wanted = {crowd.with_length(length)[0]: min(LAST_EXCHANGES, length) for length in crowd.lengths}
    for number, length in (wanted | dict.fromkeys(crowd.sample[:10], LAST_EXCHANGES)).items():
        came = {one.name: sorted(map(_id, await one.load(number))) for bench in benches for one in bench.subjects if one.append}
        if len({tuple(ids) for ids in came.values()}) != 1 or any(len(ids) != length for ids in came.values()):
            counts = {name: len(ids) for name, ids in came.items()}
            raise RuntimeError(f"the databases differ about customer {number}, of whom {length} exchanges are wanted; there came {counts}")


def _id(one: Any) -> int:
    """Of an exchange as recalled, or of a plain row."""
    return int(one.id if hasattr(one, "id") else one[0])
