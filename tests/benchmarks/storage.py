"""How many bytes a database takes on disk, and what for."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

LOG = ("exchange", "plain")
SEARCH = "search_"
"""The tables of the search index begin with this."""

_SQLITE = """
SELECT m.tbl_name, m.type, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name WHERE s.aggregate = TRUE GROUP BY 1, 2
"""
_POSTGRES = """
SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def sqlite_bytes(path: str) -> Counter[str]:
    """Bytes of a SQLite file: ``total``, ``log`` and ``indexes`` (those of the log), ``search``; without dbstat only ``total``."""
    sizes: Counter[str] = Counter()
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        sizes["total"] = pages * page
        for table, kind, size in connection.execute(_SQLITE):
            sizes[_share(table, is_index=kind == "index")] += size
    except sqlite3.OperationalError as error:
        if "dbstat" not in str(error):
            raise
    finally:
        connection.close()
    return sizes


async def postgres_bytes(connection: Any, only: str | None = None) -> Counter[str]:
    """The same of a PostgreSQL database, or of one table; without the server's own tables. ``connection`` is asyncpg's."""
    sizes: Counter[str] = Counter()
    for table, rows, indexes in await connection.fetch(_POSTGRES):
        if only is None or table == only:
            sizes["total"] += rows + indexes
            sizes[_share(table, is_index=False)] += rows
            sizes[_share(table, is_index=True)] += indexes
    return sizes


def _share(table: str, *, is_index: bool) -> str:
    if table in LOG:
        return "indexes" if is_index else "log"
    return "search" if table.startswith(SEARCH) else "rest"


def storage_row(name: str, sizes: Counter[str], exchanges: int, *, before: int = 0) -> dict[str, Any]:
    """A line of the table: bytes an exchange, in all (``before`` is what the database took without the log) and for each share."""
    shares = {share: round(sizes[share] / exchanges, 1) if share in sizes else "-" for share in ("log", "indexes")}
    return {
        "database": name,
        "exchanges": exchanges,
        "bytes/exchange": round((sizes["total"] - before) / exchanges, 1),
        "the log": shares["log"],
        "its indexes": shares["indexes"],
    }
