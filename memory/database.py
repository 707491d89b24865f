"""Engine and transactions: the only place that opens and commits one.

A transaction is a plain function ``fn(tx)`` of SQLAlchemy Core statements, the same for both databases: on SQLite it is simply called, on
PostgreSQL it runs over asyncpg. It may be run again after a failure, so it changes nothing but the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn
from sqlmodel import SQLModel

from memory.errors import SettingsError

logger = logging.getLogger(__name__)

T = TypeVar("T")
Tx = sa.Connection
Row = dict[str, Any]
Record = sa.Row[*tuple[Any, ...]]


class Reads(Protocol):
    """What :meth:`Database.reading` gives."""

    def __call__(self, fn: Callable[[Tx], T], /) -> Awaitable[T]:
        """Run ``fn`` on one snapshot."""


class Question(Protocol):
    """One SELECT that can be run without Core (:class:`memory.quick.Quick`)."""

    def rows(self, tx: Tx, parameters: Mapping[str, Any]) -> list[Any]:
        """Run it in the transaction of ``tx``."""

    def alone(self, connection: Any, dialect: sa.Dialect, parameters: Mapping[str, Any]) -> list[Any]:
        """Run it on a pooled connection of PostgreSQL that is in no transaction."""


BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""An integer key of 63 bits; SQLite counts up by itself only where the type is spelled INTEGER."""

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

SQLITE_BUSY_S = 2.0
"""How long a writer waits, and everything in its process with it, for another process's writer; then the loops try again later."""


def table(model: type[SQLModel]) -> sa.Table:
    """The Core table of a SQLModel class."""
    return model.__table__  # type: ignore[attr-defined,no-any-return]


Build = Callable[[str], Any]


def per_dialect(build: Build) -> Callable[[Tx], Any]:
    """A statement that Core spells per dialect: ``build(dialect name)`` runs once for each, as building costs more than executing."""
    built = lru_cache(build)
    return lambda tx: built(tx.dialect.name)


def insert_into(model: type[SQLModel], dialect: str) -> Any:
    """An INSERT of the dialect, for ``on_conflict_do_...``."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        return pg_insert(table(model))
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table(model))


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


class Database:
    """One SQLite file or PostgreSQL database.

    ``url`` is ``sqlite:///path`` or ``postgresql://user:password@host/name``. Raises :class:`SettingsError` for anything else.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.dialect = "sqlite" if self.is_sqlite else "postgresql"
        # hide_parameters: they hold what customers wrote, and an error's text goes to the log.
        options: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": orjson.loads, "hide_parameters": True}
        self._options = options
        if self.is_sqlite:
            self._writer = _sqlite_connection(self.url, "BEGIN IMMEDIATE", options)
            self._reader = _sqlite_connection(self.url, "BEGIN", options)
        else:
            self._postgres: AsyncEngine = create_async_engine(self.url, pool_size=pool_size, max_overflow=0, **options)
            self._postgres_reads = self._postgres.execution_options(isolation_level="REPEATABLE READ")  # the same connections

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run ``fn`` in a transaction and commit it; whatever it raises rolls back and comes out here."""
        if self.is_sqlite:
            # In the event loop's own thread: a transaction takes less than a millisecond, and a thread of its own would pay several times
            # that for passing the interpreter's lock to and fro.
            with self._writer.begin():
                return fn(self._writer)
        async with self._postgres.begin() as connection:
            return await connection.run_sync(fn)

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run ``fn`` on one snapshot; nothing that it writes is kept."""
        if self.is_sqlite:
            transaction = self._reader.begin()
            try:
                return fn(self._reader)
            finally:
                transaction.rollback()
        async with self._postgres_reads.connect() as connection:
            return await connection.run_sync(fn)

    async def ask(self, question: Question, parameters: Mapping[str, Any]) -> list[Any]:
        """The rows of one SELECT. It sees one snapshot by itself, so on PostgreSQL no transaction is begun and ended around it."""
        if not self.is_sqlite:
            try:
                return await greenlet_spawn(self._ask, question, parameters)
            except Exception:
                # Asked again below, where the pool is told of connections that have gone, and what is raised is what callers know.
                logger.debug("a question is asked again in a transaction", exc_info=True)
        return await self.read(lambda tx: question.rows(tx, parameters))

    def _ask(self, question: Question, parameters: Mapping[str, Any]) -> list[Any]:
        connection = self._postgres.sync_engine.raw_connection()
        try:
            rows = question.alone(connection, self._postgres.dialect, parameters)
        except BaseException:
            connection.invalidate()
            raise
        connection.close()
        return rows

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reads]:
        """A reader for work that reads much: ``await read(fn)`` is :meth:`read`, and holds up nobody however long ``fn`` takes.

        On SQLite it has a connection and a thread of its own. Each call sees a snapshot of its own, so that none is held for long.
        """
        if not self.is_sqlite:
            yield self.read
            return
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="legato-reader") as thread:
            connection = await loop.run_in_executor(thread, partial(_sqlite_connection, self.url, "BEGIN", self._options))

            def run(fn: Callable[[Tx], T]) -> T:
                transaction = connection.begin()
                try:
                    return fn(connection)
                finally:
                    transaction.rollback()

            async def read(fn: Callable[[Tx], T]) -> T:
                return await loop.run_in_executor(thread, run, fn)

            try:
                yield read
            finally:
                await loop.run_in_executor(thread, _close, connection)

    async def long_read(self, fn: Callable[[Tx], T]) -> T:
        """:meth:`read` for one long piece of work: it holds up nobody."""
        async with self.reading() as read:
            return await read(fn)

    async def outside(self, statements: Sequence[str]) -> list[list[Record]]:
        """Run statements that must stand outside a transaction (VACUUM and the like), each by itself; returns what each one gave.

        What another connection locks is waited for on SQLite up to ``SQLITE_BUSY_S``, in a thread of its own.
        """
        if self.is_sqlite:
            return await asyncio.to_thread(_run_outside, self.url, statements, self._options)
        found: list[list[Record]] = []
        async with self._postgres.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            for statement in statements:
                result = await connection.exec_driver_sql(statement)
                found.append(list(result.all()) if result.returns_rows else [])
        return found

    async def close(self) -> None:
        """Close every connection."""
        if not self.is_sqlite:
            await self._postgres.dispose()
            return
        for connection in (self._reader, self._writer):
            connection.close()
            connection.engine.dispose()


def _sqlite_connection(url: sa.URL, begin: str, options: dict[str, Any]) -> sa.Connection:
    engine = sa.create_engine(url, poolclass=sa.StaticPool, connect_args={"timeout": SQLITE_BUSY_S}, **options)

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below; the driver must not
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # a commit outlives a power cut: it comes before an acknowledgement
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten in its page; see memory.scrub for what is left

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine.connect()


def _close(connection: sa.Connection) -> None:
    connection.close()
    connection.engine.dispose()


def _run_outside(url: sa.URL, statements: Sequence[str], options: dict[str, Any]) -> list[list[Record]]:
    connection = _sqlite_connection(url, "BEGIN", options)
    try:
        driver: Any = connection.connection.driver_connection
        return [driver.execute(statement).fetchall() for statement in statements]
    finally:
        _close(connection)


def checked_url(url: str) -> sa.URL:
    """Parse a database URL and name the driver; raises :class:`SettingsError` with what to write instead."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise SettingsError("database_url is not a URL; write sqlite:///legato.db or postgresql://user@host/name") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise SettingsError("database_url names no file; an in-memory SQLite would lose everything. Write sqlite:///legato.db")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return parsed.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+asyncpg")
    raise SettingsError(f"database_url speaks of {backend!r}; Legato keeps its memory in SQLite or PostgreSQL")
