"""Opening and committing: bad addresses are named, and a failed transaction leaves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from memory.customers import Customer
from memory.database import Database, Tx, checked_url, table
from memory.errors import SettingsError
from tests.memory.people import START, after, meet, pause

_customer = table(Customer)


def add(tx: Tx, at: datetime = START) -> None:
    tx.execute(sa.insert(_customer), {"ownership": 0, "created_at": at})


def created(tx: Tx) -> list[datetime]:
    return list(tx.execute(sa.select(_customer.c.created_at).order_by(_customer.c.id)).scalars())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("legato.db", "is not a URL; write sqlite:///legato.db or postgresql://"),
        ("", "is not a URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "in-memory SQLite would lose everything"),
        ("mysql://root@localhost/legato", "'mysql'; Legato keeps its memory in SQLite or PostgreSQL"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Database(url)


@pytest.mark.parametrize("url", ["postgresql://a:b@host/name", "postgres://a:b@host/name", "postgresql+psycopg://a:b@host/name"])
def test_every_spelling_of_postgresql_gets_the_same_driver(url: str) -> None:
    assert checked_url(url).render_as_string(hide_password=False) == "postgresql+asyncpg://a:b@host/name"


def test_the_folder_of_a_new_file_is_made(tmp_path: Path) -> None:
    checked_url(f"sqlite:///{tmp_path}/a/b/legato.db")

    assert (tmp_path / "a" / "b").is_dir()


async def test_what_raises_leaves_nothing(database: Database) -> None:
    def half(tx: Tx) -> None:
        add(tx)
        raise KeyError("no")

    with pytest.raises(KeyError):
        await database.write(half)
    assert await database.read(created) == []

    await database.write(add)
    assert await database.read(created) == [START]


async def test_a_refused_statement_leaves_nothing_and_the_next_works(database: Database) -> None:
    def refused(tx: Tx) -> None:
        add(tx)
        tx.execute(sa.text("SELECT * FROM nothing_of_this_name"))

    with pytest.raises(sa.exc.DBAPIError):
        await database.write(refused)

    await database.write(add)
    assert len(await database.read(created)) == 1


async def test_nothing_that_a_read_writes_is_kept(sqlite_database: Database) -> None:
    await sqlite_database.read(add)

    assert await sqlite_database.read(created) == []


async def test_a_read_sees_one_snapshot(two: tuple[Database, Database]) -> None:
    first, second = two

    def twice(tx: Tx) -> tuple[int, int]:
        before = len(created(tx))
        pause(second.write(add))
        return before, len(created(tx))

    assert await first.read(twice) == (0, 0)
    assert len(await first.read(created)) == 1


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="a datetime without a zone reached the store"):
        await database.write(lambda tx: add(tx, datetime(2026, 1, 5)))  # noqa: DTZ001
    assert await database.read(created) == []


async def test_times_come_back_in_utc(database: Database) -> None:
    local = datetime(2026, 1, 5, 14, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    await database.write(lambda tx: add(tx, local))

    (stored,) = await database.read(created)
    assert stored == datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
    assert stored.tzinfo is UTC


async def test_times_compare_in_order_over_the_whole_second(database: Database) -> None:
    """SQLite compares them as text."""
    times = [after(1), after(1.5), after(1.05), after(2), after(0.999999)]
    for at in times:
        await database.write(lambda tx, at=at: add(tx, at))  # type: ignore[misc]

    stored = await database.read(lambda tx: list(tx.execute(sa.select(_customer.c.created_at).order_by(_customer.c.created_at)).scalars()))
    assert stored == sorted(times)


async def test_an_error_does_not_repeat_what_customers_wrote(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught:
        await database.write(lambda tx: tx.execute(sa.text("SELECT :said FROM nowhere"), {"said": "my PIN is 1234"}))
    assert "1234" not in str(caught.value)


async def test_two_connections_of_one_file_see_each_other(sqlite_database_url: str) -> None:
    first, second = Database(sqlite_database_url), Database(sqlite_database_url)
    try:
        known = await meet(first)
        assert await meet(second) == known
    finally:
        await first.close()
        await second.close()
