"""What deleting leaves in a database's files, and getting rid of that: outside of transactions, after the rows are gone.

SQLite overwrites what it deletes (``secure_delete``), and yet a page from which rows were once moved to another may still show them until
the file is written anew; its journal holds older pages until it is emptied. PostgreSQL keeps dead rows until a vacuum, their bytes until
the table is written anew, and its journal until it is recycled. Nothing reaches a backup.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import sqlalchemy as sa

from memory.database import Database
from memory.erasure import Left

REWRITES_TO = 32 * 1024 * 1024
"""An SQLite file up to this many bytes is written anew after every erasure: measured at 60 MB/s, so turns wait half a second at most."""

TRIES, PAUSE_S = 5, 0.05

REMEDY = "legato doctor --scrub, at a quiet hour"

MOVED = Left("copies of rows that SQLite once moved to another page", "the file is large, and writing it anew holds up turns", REMEDY)

BACKUPS = Left(
    "backups made before",
    "a backup is not changed",
    "after restoring one: legato customer forget --replay with the file of receipts",
)


async def scrub(database: Database, tables: Sequence[str], *, full: bool = False) -> list[Left]:
    """Clean the files of what was deleted from these tables; what is left and what helps. ``full`` writes them anew whatever their size.

    A full scrub holds up everybody who writes until it is done. Safe to repeat.
    """
    left = await (_sqlite(database, full) if database.is_sqlite else _postgres(database, tables, full))
    return [*left, BACKUPS]


async def _sqlite(database: Database, full: bool) -> list[Left]:
    left: list[Left] = []
    sizes = await database.outside(["PRAGMA page_count", "PRAGMA page_size"])
    if full or sizes[0][0][0] * sizes[1][0][0] <= REWRITES_TO:
        if not await _until_free(database, "VACUUM"):
            left.append(Left("pages of the SQLite file", "somebody was reading or writing all the time", "legato doctor --scrub"))
    else:
        left.append(MOVED)
    if not await _until_free(database, "PRAGMA wal_checkpoint(TRUNCATE)"):
        left.append(Left("SQLite's journal (-wal)", "somebody was reading or writing all the time", "legato doctor --scrub"))
    return left


async def _until_free(database: Database, statement: str) -> bool:
    """Run it when nobody is in its way; False if that moment does not come."""
    for _ in range(TRIES):
        try:
            rows = (await database.outside([statement]))[0]
        except Exception as error:
            if "locked" not in str(error) and "busy" not in str(error):
                raise
        else:
            if not rows or not rows[0][0]:  # a checkpoint says whether it was kept from finishing
                return True
        await asyncio.sleep(PAUSE_S)
    return False


async def _postgres(database: Database, tables: Sequence[str], full: bool) -> list[Left]:
    names = ", ".join(f'"{name}"' for name in sorted(set(tables)))
    statements = [f"VACUUM ({'FULL, ' if full else ''}ANALYZE) {names}"] if names else []
    await database.outside(statements)  # ANALYZE: the planner's statistics hold frequent values as they stand in the rows
    left: list[Left] = []
    if full:
        for statement in ("VACUUM (FULL) pg_catalog.pg_statistic", "CHECKPOINT"):
            try:
                await database.outside([statement])
            except sa.exc.DBAPIError:
                left.append(
                    Left("PostgreSQL's statistics and files", "this database user may not clean them", f"as a superuser: {statement}")
                )
    else:
        left.append(Left("bytes of deleted rows in PostgreSQL's pages", "they stay until other rows take their place", REMEDY))
    left.append(
        Left(
            "PostgreSQL's write-ahead log and its archive",
            "it repeats every change until it is recycled",
            "it is recycled with the next checkpoints; delete archived segments by your own rules",
        )
    )
    return left
