"""The archive has every row about the person and nobody else's; reading it holds up nobody."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from memory import export as module
from memory.attachments import keep_blob
from memory.clock import ManualClock
from memory.database import Database, Tx, table
from memory.exchanges import Exchange, exchange_row, log
from memory.export import NOT_EXPORTED, NobodyKnown, export, exported_tables
from memory.forget import forget
from memory.schema import METADATA
from memory.whose import NOBODYS
from tests.memory.lives import live
from tests.memory.people import START, meet
from tests.memory.test_forget import merged, rows_of


def test_every_table_is_exported_or_said_to_have_nothing_of_a_person() -> None:
    named = {of.name for of in exported_tables()} | set(NOBODYS) | NOT_EXPORTED

    assert {of.name for of in METADATA.sorted_tables} <= named


async def test_the_archive_has_every_row_about_the_person(database: Database, tmp_path: Path) -> None:
    me = await database.write(lambda tx: live(tx, "70123456789012", ["my Ünïcode <b>words</b>", "+44 7700 900123"]))
    await database.write(lambda tx: live(tx, "555", ["bystander"]))
    there = await database.read(lambda tx: rows_of(tx, me))

    done = await export(database, me, tmp_path / "me.zip", now=START)

    with ZipFile(tmp_path / "me.zip") as archive:
        told = json.loads(archive.read("customer.json"))
        page = archive.read("conversation.html").decode()
        files = [name for name in archive.namelist() if name.startswith("files/")]
    assert told["format"] == "legato customer export"
    for name, rows in there.items():
        if name not in NOT_EXPORTED:
            assert len(told["tables"][name]) == len(rows) == done.rows[name], name
    assert "bystander" not in json.dumps(told)
    assert "bystander" not in page
    assert "my Ünïcode &lt;b&gt;words&lt;/b&gt;" in page
    assert len(files) == done.files == 1


async def test_a_person_who_is_several_customers_is_one_archive(database: Database, tmp_path: Path) -> None:
    ids = [await database.write(lambda tx, n=n: live(tx, f"address-{n}", [f"word-{n}"])) for n in range(2)]  # type: ignore[misc]
    await merged(database, ids[0], ids[1])

    done = await export(database, ids[1], tmp_path / "me.zip", now=START)

    assert set(done.customers) == set(ids)
    with ZipFile(tmp_path / "me.zip") as archive:
        page = archive.read("conversation.html").decode()
    assert "word-0" in page
    assert "word-1" in page


async def test_pages_lose_nothing_and_keep_the_order(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 7)
    cora = await meet(database, name="Cora")
    await database.write(lambda tx: log(tx, [words(cora, n) for n in range(1, 40)]))

    await export(database, cora.customer_id, tmp_path / "me.zip", now=START)

    with ZipFile(tmp_path / "me.zip") as archive:
        told = json.loads(archive.read("customer.json"))["tables"]["exchange"]
        page = archive.read("conversation.html").decode()
    assert [row["id"] for row in told] == [n * 256 for n in range(1, 40)]
    assert [page.index(f"word {n}.") for n in range(1, 40)] == sorted(page.index(f"word {n}.") for n in range(1, 40))


def words(who: object, n: int, text: str = "") -> dict[str, object]:
    customer, identity = who.customer_id, who.identity_id  # type: ignore[attr-defined]
    return exchange_row(
        id=n * 256,
        customer_id=customer,
        identity_id=identity,
        turn_id=n,
        direction="in",
        author="customer",
        kind="text",
        text=text or f"word {n}.",
        at=START,
    )


async def test_a_long_past_holds_up_nobody(sqlite_database: Database, tmp_path: Path) -> None:
    cora = await meet(sqlite_database)
    await sqlite_database.write(lambda tx: log(tx, [words(cora, n, "many words " * 20) for n in range(1, 20_000)]))
    running = asyncio.create_task(export(sqlite_database, cora.customer_id, tmp_path / "me.zip", now=START))
    longest, turns = 0.0, 0
    while not running.done():
        begun = time.perf_counter()
        await sqlite_database.read(lambda tx: tx.execute(sa.select(table(Exchange).c.id).limit(1)).scalar())
        await asyncio.sleep(0)
        longest, turns = max(longest, time.perf_counter() - begun), turns + 1

    assert (await running).rows["exchange"] == 19_999
    assert turns > 100


async def test_a_file_that_was_sent_twice_is_there_once(database: Database, tmp_path: Path) -> None:
    cora = await meet(database)

    def send(tx: Tx) -> str:
        keep_blob(tx, 256, 0, cora.customer_id, b"the file", START)
        return keep_blob(tx, 512, 0, cora.customer_id, b"the file", START)

    name = await database.write(send)
    assert (await export(database, cora.customer_id, tmp_path / "me.zip", now=START)).files == 1
    with ZipFile(tmp_path / "me.zip") as archive:
        assert archive.read(f"files/{name}") == b"the file"


async def test_nobody_has_no_archive(database: Database, tmp_path: Path) -> None:
    with pytest.raises(NobodyKnown, match="there is no customer 99"):
        await export(database, 99, tmp_path / "me.zip", now=START)

    assert not (tmp_path / "me.zip").exists()


async def test_of_somebody_forgotten_only_numbers_are_left(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    cora = await meet(database, "424242", name="Cora")
    await forget(database, clock, cora.customer_id, asked_by="test")
    await export(database, cora.customer_id, tmp_path / "me.zip", now=START)

    with ZipFile(tmp_path / "me.zip") as archive:
        told = archive.read("customer.json") + archive.read("conversation.html")
    assert b"Cora" not in told
    assert b"424242" not in told
