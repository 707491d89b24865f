"""Migrated PostgreSQL databases, each empty when a test gets it. Emptying one is many times cheaper than making another."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa

from bot.qa.databases import make_schema, run_outside, sibling_url

T = TypeVar("T")

USES = 25
"""How many tests one database serves: what is deleted stays in its files, which makes it slower by and by."""

MUCH = 5_000
"""Rows that are not deleted one by one: such a database is dropped instead."""

_COPY = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
_DROP = "DROP DATABASE IF EXISTS {} WITH (FORCE)"

_ALONE = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

_EMPTY = f"""
DO $$
DECLARE
  ledger name; gone bigint; total bigint := 0;
BEGIN
  SET LOCAL session_replication_role = replica; -- nothing is left that a key could point at
  FOR ledger IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
  LOOP
    EXECUTE format('DELETE FROM %I', ledger);
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    IF total > {MUCH} THEN RAISE EXCEPTION 'too much to delete'; END IF;
  END LOOP;
  PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL;
END $$
"""

_SHAPE = """
SELECT md5(string_agg(part, ';' ORDER BY part)) FROM (
  SELECT concat_ws(' ', relname, relkind, reloptions, relpersistence, pg_get_partkeydef(oid)) AS part
  FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', attrelid::regclass, attname, atttypid, atttypmod, attnotnull, atthasdef, attidentity) FROM pg_attribute
  WHERE attrelid >= 16384 AND attnum > 0
  UNION ALL SELECT concat_ws(' ', indexrelid::regclass, indrelid::regclass, indisunique, indisvalid, indkey, indpred) FROM pg_index
  WHERE indrelid >= 16384
  UNION ALL SELECT concat_ws(' ', conname, conrelid::regclass, conbin) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', adrelid::regclass, adnum, adbin) FROM pg_attrdef
  UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT concat_ws(' ', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)'
  UNION ALL SELECT extname FROM pg_extension
  UNION ALL SELECT DISTINCT starelid::regclass::text FROM pg_statistic WHERE starelid >= 16384 -- a plan depends on what was counted
  UNION ALL SELECT version_num FROM alembic_version
) AS parts
"""


class PostgresDatabases:
    """Databases on one server, as copies of one that is migrated once. All calls return when it is done; :meth:`close` drops them."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._template = f"legato_template_{os.getpid()}"
        self._free: list[str] = []
        self._uses: dict[str, int] = {}
        self._links: dict[str, asyncpg.Connection] = {}
        self._shape = ""
        # A loop of its own: a fixture may be asked for while the test's loop is running.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="legato-test-databases", daemon=True)
        self._thread.start()
        self._do(self._migrate())

    def take(self) -> str:
        """The name of an empty, migrated database that nobody else has."""
        return self._free.pop() if self._free else self._do(self._make())

    def url(self, name: str) -> str:
        """The URL of one of the server's databases."""
        return sibling_url(self._server, name)

    def give_back(self, name: str) -> None:
        """End whatever is still connected to it, and empty it, or drop it where that does not make it as it was."""
        self._do(self._take_back(name))

    def close(self) -> None:
        """Drop every database that was made."""
        self._do(self._drop_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _migrate(self) -> None:
        await self._run(_DROP.format(self._template), f"CREATE DATABASE {self._template}")
        await make_schema(sibling_url(self._server, self._template))

    async def _make(self) -> str:
        name = f"legato_test_{os.getpid()}_{next(self._numbers)}"
        await self._run(_COPY.format(name, self._template))
        self._uses[name] = 0
        return name

    async def _take_back(self, name: str) -> None:
        self._uses[name] += 1
        if self._uses[name] < USES:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                if await self._is_emptied(name):
                    self._free.append(name)
                    return
        await self._drop(name)

    async def _is_emptied(self, name: str) -> bool:
        link = self._links.get(name)
        if link is None or link.is_closed():
            link = self._links[name] = await self._connect(name)
        await link.execute(_ALONE)
        if not self._shape:
            self._shape = await self._shape_of_template()
        if await link.fetchval(_SHAPE) != self._shape:
            return False
        await link.execute(_EMPTY)
        return True

    async def _shape_of_template(self) -> str:
        link = await self._connect(self._template)
        try:
            return str(await link.fetchval(_SHAPE))
        finally:
            await link.close()

    async def _connect(self, name: str) -> asyncpg.Connection:
        url = sa.make_url(self._server)
        return await asyncpg.connect(
            user=url.username, password=url.password or None, host=url.host or url.query.get("host"), port=url.port, database=name
        )

    async def _drop(self, name: str) -> None:
        link = self._links.pop(name, None)
        if link is not None:
            await link.close()
        del self._uses[name]
        await self._run(_DROP.format(name))

    async def _drop_all(self) -> None:
        for name in list(self._uses):
            await self._drop(name)
        await self._run(_DROP.format(self._template))

    async def _run(self, *statements: str) -> None:
        await run_outside(self._server, *statements)
