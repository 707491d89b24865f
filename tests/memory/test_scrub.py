"""Cleaning files after rows are gone: what is cleaned, what is left, and that nobody is waited for for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from memory import scrub as module
from memory.database import Database, table
from memory.exchanges import Exchange, exchange_row, log
from memory.scrub import BACKUPS, MOVED, scrub
from tests.memory.people import START, meet

_exchange = table(Exchange)


async def written_and_deleted(database: Database) -> None:
    """Rows of many sizes, so that some are moved between pages before they go."""
    cora = await meet(database)
    for n in range(1, 400):
        row = exchange_row(
            id=(n if n % 3 else 1000 - n) * 256,
            customer_id=cora.customer_id,
            identity_id=cora.identity_id,
            turn_id=n,
            direction="in",
            author="customer",
            kind="text",
            text="unmistakable" + "z" * (n * 37 % 3000),
            at=START,
        )
        await database.write(lambda tx, row=row: log(tx, [row]))  # type: ignore[misc]
    await database.write(lambda tx: tx.execute(sa.delete(_exchange)))


def shown_in(database: Database) -> dict[str, int]:
    path = Path(database.url.database or "")
    files = [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]
    return {file.name: count for file in files if file.exists() and (count := file.read_bytes().count(b"unmistakable"))}


async def test_a_small_file_is_written_anew(sqlite_database: Database) -> None:
    await written_and_deleted(sqlite_database)
    assert shown_in(sqlite_database) != {}

    assert await scrub(sqlite_database, ["exchange"]) == [BACKUPS]
    assert shown_in(sqlite_database) == {}


async def test_a_large_file_is_written_anew_only_when_that_is_asked_for(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REWRITES_TO", 0)
    await written_and_deleted(sqlite_database)

    assert await scrub(sqlite_database, ["exchange"]) == [MOVED, BACKUPS]
    assert "legato.db-wal" not in shown_in(sqlite_database)
    assert await scrub(sqlite_database, ["exchange"], full=True) == [BACKUPS]
    assert shown_in(sqlite_database) == {}


async def test_deleted_rows_are_overwritten_in_their_pages(sqlite_database: Database) -> None:
    """Whatever the library's own default is."""
    settings = await sqlite_database.write(lambda tx: tx.exec_driver_sql("PRAGMA secure_delete").scalar())

    assert settings == 1


async def test_who_reads_all_the_time_is_not_waited_for_for_ever(
    sqlite_database: Database, sqlite_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.database.SQLITE_BUSY_S", 0.01)
    await written_and_deleted(sqlite_database)
    other = sa.create_engine(sqlite_database_url)
    with other.connect() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql("SELECT count(*) FROM customer").scalar()
        left = await scrub(sqlite_database, ["exchange"])
        reader.exec_driver_sql("ROLLBACK")
    other.dispose()

    assert "SQLite's journal (-wal)" in [one.what for one in left]
    assert await scrub(sqlite_database, ["exchange"]) == [BACKUPS]
    assert shown_in(sqlite_database) == {}


async def test_what_postgresql_keeps_is_said(postgres_database_url: str) -> None:
    database = Database(postgres_database_url)
    try:
        quick = [one.what for one in await scrub(database, ["exchange", "fact"])]
        full = [one.what for one in await scrub(database, ["exchange", "fact"], full=True)]
    finally:
        await database.close()

    assert quick == ["bytes of deleted rows in PostgreSQL's pages", "PostgreSQL's write-ahead log and its archive", BACKUPS.what]
    assert full == ["PostgreSQL's write-ahead log and its archive", BACKUPS.what]


async def test_a_long_read_holds_up_nobody_and_sees_one_moment(database: Database) -> None:
    await meet(database, "1")
    customers = sa.select(sa.func.count()).select_from(table(Exchange).metadata.tables["customer"])
    async with database.reading() as read:
        assert await read(lambda tx: tx.execute(customers).scalar()) == 1
        await meet(database, "2")
        assert await read(lambda tx: tx.execute(customers).scalar()) == 2
    assert await database.long_read(lambda tx: tx.execute(customers).scalar()) == 2


async def test_nothing_that_a_long_read_writes_is_kept(database: Database) -> None:
    customer = table(Exchange).metadata.tables["customer"]
    async with database.reading() as read:
        await read(lambda tx: tx.execute(sa.insert(customer).values(ownership=0, created_at=START)))

    assert await database.read(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(customer)).scalar()) == 0


async def test_what_a_long_read_raises_comes_out_and_the_next_works(database: Database) -> None:
    def fails(tx: object) -> None:
        raise KeyError("no")

    async with database.reading() as read:
        with pytest.raises(KeyError):
            await read(fails)
        assert await read(lambda tx: tx.execute(sa.select(1)).scalar()) == 1
