"""A second process's database, and a customer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from memory.customers import Known
from memory.database import Database
from tests.memory.people import meet


@pytest.fixture
async def two(postgres_database_url: str) -> AsyncIterator[tuple[Database, Database]]:
    """The same PostgreSQL database as two processes see it."""
    first, second = Database(postgres_database_url), Database(postgres_database_url)
    yield first, second
    await first.close()
    await second.close()


@pytest.fixture
async def cora(database: Database) -> Known:
    """A customer."""
    return await meet(database, "42", name="Cora")
