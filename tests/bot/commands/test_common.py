"""What the commands share."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.commands.common import with_database
from memory.database import Database


@pytest.fixture
def as_started() -> Iterator[None]:
    """As a command starts: without a collector of garbage."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.usefixtures("as_started")
def test_the_work_of_a_command_runs_with_the_garbage_collector_on(monkeypatch: pytest.MonkeyPatch, sqlite_database_url: str) -> None:
    monkeypatch.setenv("LEGATO_DATABASE_URL", sqlite_database_url)

    async def work(database: Database) -> bool:
        return gc.isenabled()

    assert with_database(Path("nothing"), work)
