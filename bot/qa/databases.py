"""A fresh, migrated database for each dialogue: copies of one that is migrated once."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import sqlalchemy as sa

from memory.database import Database, checked_url
from memory.errors import SettingsError
from memory.schema import migrate

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Source:
    """Where fresh databases come from: a migrated SQLite file, or a migrated database on the PostgreSQL server ``server``.

    It may be handed to another process.
    """

    template: str
    server: str | None = None

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """The URL of a database that goes when the context ends."""
        if self.server is None:
            with tempfile.TemporaryDirectory(prefix="legato-qa-") as folder:
                path = Path(folder) / "legato.db"
                shutil.copyfile(self.template, path)
                yield f"sqlite:///{path}"
            return
        name = f"{self.template}_{os.getpid()}_{next(_numbers)}"
        await run_outside(self.server, f"CREATE DATABASE {name} TEMPLATE {self.template}")
        try:
            yield sibling_url(self.server, name)
        finally:
            await run_outside(self.server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def source_of(server: str | None) -> Iterator[Source]:
    """A source that lasts as long as the context. ``server`` is a PostgreSQL URL whose user may create databases; None uses SQLite.

    Raises :class:`SettingsError` for a URL that is none, and for a server that cannot be used.
    """
    if server is None:
        with tempfile.TemporaryDirectory(prefix="legato-qa-") as folder:
            path = Path(folder) / "template.db"
            asyncio.run(make_schema(f"sqlite:///{path}"))
            yield Source(str(path))
        return
    if checked_url(server).get_backend_name() == "sqlite":
        raise SettingsError("--database: without it every dialogue has an SQLite file of its own; write postgresql://user@host/name")
    name = f"legato_qa_{os.getpid()}"
    try:
        asyncio.run(run_outside(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"))
    except (OSError, asyncpg.PostgresError) as error:
        raise SettingsError(f"--database: no database can be made there: {error}") from None
    try:
        asyncio.run(make_schema(sibling_url(server, name)))
        yield Source(name, server)
    finally:
        asyncio.run(run_outside(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


async def make_schema(url: str) -> None:
    """Bring a database to the present schema."""
    database = Database(url, pool_size=1)
    try:
        await database.write(migrate)
    finally:
        await database.close()


async def run_outside(server: str, *statements: str) -> None:
    """Run statements that must stand outside a transaction."""
    url = checked_url(server)
    connection = await asyncpg.connect(
        user=url.username,
        password=url.password or None,
        host=url.host or url.query.get("host"),
        port=url.port,
        database=url.database,
    )
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def sibling_url(server: str, name: str) -> str:
    """The URL of another database on the same server."""
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)
