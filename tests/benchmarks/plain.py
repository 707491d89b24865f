"""What there is to beat: one table with one index and no library between, on the same exchanges as the memory's log."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from memory.context import LAST_EXCHANGES
from memory.database import Row

_SCHEMA = """
CREATE TABLE plain (id {id} PRIMARY KEY, customer_id {id} NOT NULL, direction TEXT NOT NULL, text TEXT NOT NULL, at {time} NOT NULL);
CREATE INDEX plain_customer ON plain (customer_id, id);
"""
_COPY = "INSERT INTO plain SELECT id, customer_id, direction, text, at FROM {log} ORDER BY id"


class PlainSqlite:
    """A SQLite file of its own, in WAL mode; ``synchronous`` is NORMAL (a power cut may lose the last commits) or FULL."""

    def __init__(self, path: str, synchronous: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(f"PRAGMA synchronous={synchronous}")
        self._connection.execute("PRAGMA cache_size=-65536")

    async def load(self, customer_id: int) -> list[Any]:
        """The last exchanges."""
        load = "SELECT id, direction, text, at FROM plain WHERE customer_id = ? ORDER BY id DESC LIMIT ?"
        return self._connection.execute(load, (customer_id, LAST_EXCHANGES)).fetchall()

    async def append(self, row: Row) -> None:
        """Add one in a transaction of its own."""
        at: datetime = row["at"]
        values = (row["id"], row["customer_id"], row["direction"], row["text"], at.isoformat(" "))
        self._connection.execute("INSERT INTO plain VALUES (?, ?, ?, ?, ?)", values)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def copy_sqlite(path: str, log: str) -> None:
    """Make the file at ``path`` with what Legato's file at ``log`` has logged."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-1048576")
    connection.execute("ATTACH ? AS legato", (log,))
    connection.executescript(_SCHEMA.format(id="INTEGER", time="TEXT"))
    connection.execute(_COPY.format(log="legato.exchange"))
    connection.close()


class PlainPostgres:
    """A table beside Legato's own; ``connection`` is asyncpg's."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def load(self, customer_id: int) -> list[Any]:
        """The last exchanges."""
        load = "SELECT id, direction, text, at FROM plain WHERE customer_id = $1 ORDER BY id DESC LIMIT $2"
        rows: list[Any] = await self._connection.fetch(load, customer_id, LAST_EXCHANGES)
        return rows

    async def append(self, row: Row) -> None:
        """Add one in a transaction of its own."""
        values = (row["id"], row["customer_id"], row["direction"], row["text"], row["at"])
        await self._connection.execute("INSERT INTO plain VALUES ($1, $2, $3, $4, $5)", *values)


async def copy_postgres(connection: Any) -> None:
    """Make the table, with what Legato has logged in the same database."""
    await connection.execute(_SCHEMA.format(id="BIGINT", time="TIMESTAMPTZ"))
    await connection.execute(_COPY.format(log="exchange"))
    await connection.execute("VACUUM (ANALYZE) plain")
    await connection.execute("CHECKPOINT")
