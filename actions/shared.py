"""The shared memory as actions reach it: one database for each process, opened when the first action needs it."""

from __future__ import annotations

import os

from memory.database import Database
from memory.errors import SettingsError
from memory.schema import check_schema

VARIABLE = "LEGATO_DATABASE_URL"
"""Where the memory is; the same variable that the bot reads."""

_database: Database | None = None


async def shared_database() -> Database:
    """This process's database.

    Raises ``SettingsError`` where the variable is missing: a default would make an empty memory wherever the server was started. Raises
    ``SchemaMismatch`` where the schema is not this program's. After an error the next call tries again.
    """
    global _database
    if _database is None:
        url = os.environ.get(VARIABLE)
        if not url:
            raise SettingsError(f"{VARIABLE} is not set: give the action server the same database as the bot")
        opened = Database(url)
        try:
            await check_schema(opened)
        except BaseException:
            await opened.close()
            raise
        if _database is None:
            _database = opened
        else:  # another action was faster while this one waited
            await opened.close()
    return _database


async def close_shared_database() -> None:
    """Close it, if it is open; the next action opens it again. For whoever runs actions in an event loop that ends before the process."""
    global _database
    closing, _database = _database, None
    if closing is not None:
        await closing.close()
