"""Files: kept once by what is in them, for as long as an exchange uses them."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import sqlalchemy as sa

from memory.attachments import (
    blob_of,
    blob_table,
    blob_use_table,
    keep_again,
    keep_blob,
    kept_as,
    note_unkept,
    release,
    still_carries,
    unkept_of,
    uses_of,
)
from memory.customers import Known
from memory.database import Database, Tx, table
from memory.exchanges import FILES, FILES_AFTER, PER_TURN, Exchange, exchange_row, log
from memory.lanes import next_ready
from tests.memory.people import START, after, meet, pause, someone_blocked

PHOTO = {"source": "telegram", "kind": "photo", "file_id": "f", "unique_id": "u"}


async def carry(database: Database, who: Known, id_: int, *attachments: dict[str, Any]) -> None:
    row = exchange_row(
        id=id_,
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        turn_id=id_ // PER_TURN,
        direction="in",
        author="customer",
        kind="photo",
        attachments=attachments,
        at=START,
    )
    await database.write(lambda tx: log(tx, [row]))


async def keep(database: Database, who: Known, id_: int, content: bytes, n: int = 0, file: str | None = None) -> str:
    return await database.write(lambda tx: keep_blob(tx, id_, n, who.customer_id, content, START, file=file))


async def blobs(database: Database) -> int:
    return int(await database.read(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(blob_table)).scalar_one()))


async def test_the_same_content_is_kept_once(database: Database, cora: Known) -> None:
    content = bytes(range(256)) * 40
    first = await keep(database, cora, 256, content)
    assert await keep(database, cora, 512, content) == await keep(database, cora, 512, content) == first
    assert await keep(database, cora, 512, b"other", n=1) != first

    assert first == hashlib.sha256(content).hexdigest()
    assert await database.read(lambda tx: blob_of(tx, first)) == content
    assert await blobs(database) == 2
    uses = await database.read(lambda tx: uses_of(tx, [256, 512, 768]))
    assert [(use.exchange_id, use.n, use.size) for use in uses] == [(256, 0, len(content)), (512, 0, len(content)), (512, 1, 5)]


async def test_a_file_of_no_bytes_is_a_file(database: Database, cora: Known) -> None:
    sha256 = await keep(database, cora, 256, b"")
    assert await database.read(lambda tx: blob_of(tx, sha256)) == b""


async def test_what_is_not_kept_says_why_and_what_is_kept_stays(database: Database, cora: Known) -> None:
    await database.write(lambda tx: note_unkept(tx, 256, 0, cora.customer_id, "too large", START))
    await keep(database, cora, 256, b"found after all")
    await database.write(lambda tx: note_unkept(tx, 256, 0, cora.customer_id, "gone", after(9)))
    await database.write(lambda tx: note_unkept(tx, 256, 1, cora.customer_id, "gone", after(9)))

    uses = await database.read(lambda tx: uses_of(tx, [256]))
    assert [(use.n, use.why, use.size) for use in uses] == [(0, None, 15), (1, "gone", None)]


async def test_a_blob_goes_with_its_last_use(database: Database, cora: Known) -> None:
    dora = await meet(database, "43")
    sha256 = await keep(database, cora, 256, b"shared")
    await keep(database, dora, 512, b"shared")
    await keep(database, cora, 256, b"hers alone", n=1)

    assert await database.write(lambda tx: release(tx, customer_ids=[cora.customer_id])) == (2, 1)
    assert await database.read(lambda tx: blob_of(tx, sha256)) == b"shared"
    assert await database.write(lambda tx: release(tx, exchange_ids=[512], why="kept no longer")) == (1, 1)
    assert await database.write(lambda tx: release(tx, exchange_ids=[512], why="kept no longer")) == (0, 0)
    assert await blobs(database) == 0
    assert [(use.sha256, use.why) for use in await database.read(lambda tx: uses_of(tx, [512]))] == [(None, "kept no longer")]


async def test_letting_go_of_many_takes_several_steps(database: Database, cora: Known) -> None:
    for n in range(7):
        await keep(database, cora, 256, b"%d" % (n // 2), n=n)

    steps = [await database.write(lambda tx: release(tx, customer_ids=[cora.customer_id], limit=3)) for _ in range(4)]
    assert [uses for uses, _ in steps] == [3, 3, 1, 0]
    assert sum(removed for _, removed in steps) == 4
    assert await blobs(database) == 0
    assert await database.write(lambda tx: release(tx)) == (0, 0)


async def test_a_file_that_was_kept_before_need_not_come_again(database: Database, cora: Known) -> None:
    await keep(database, cora, 256, b"card", file="telegram:u")

    assert await database.write(lambda tx: keep_again(tx, 512, 0, cora.customer_id, "telegram:u", after(1)))
    assert not await database.write(lambda tx: keep_again(tx, 512, 1, cora.customer_id, "telegram:v", after(1)))
    assert await database.read(lambda tx: kept_as(tx, "telegram:u")) == b"card"
    assert await database.read(lambda tx: kept_as(tx, "telegram:v")) is None
    await database.write(lambda tx: release(tx, exchange_ids=[256]))
    assert await database.read(lambda tx: kept_as(tx, "telegram:u")) == b"card"


async def test_a_turn_with_attachments_waits_for_them_and_others_do_not(database: Database, cora: Known) -> None:
    await carry(database, cora, 256)
    assert await database.read(lambda tx: next_ready(tx, FILES)) is None
    await carry(database, cora, 512, PHOTO, PHOTO)
    await carry(database, cora, 768, PHOTO)
    assert await database.read(lambda tx: next_ready(tx, FILES)) == START + FILES_AFTER

    await keep(database, cora, 512, b"1", n=0)
    assert await database.read(lambda tx: unkept_of(tx, 2)) == [(512, 1, cora.customer_id, PHOTO)]
    assert await database.read(lambda tx: unkept_of(tx, 1)) == []


async def test_an_exchange_that_is_masked_carries_nothing(database: Database, cora: Known) -> None:
    await carry(database, cora, 256, PHOTO)
    assert await database.read(lambda tx: still_carries(tx, 256))
    assert not await database.read(lambda tx: still_carries(tx, 257))

    await database.write(lambda tx: tx.execute(sa.update(table(Exchange)).values(attachments=None)))
    assert not await database.read(lambda tx: still_carries(tx, 256))


async def test_a_blob_that_is_used_again_while_it_is_let_go_stays(two: tuple[Database, Database]) -> None:
    first, second = two
    cora, dora = await meet(first, "42"), await meet(first, "43")
    sha256 = await keep(first, cora, 256, b"shared")
    used, go_on = asyncio.Event(), asyncio.Event()

    def slowly(tx: Tx) -> None:
        keep_blob(tx, 512, 0, dora.customer_id, b"shared", START)
        used.set()
        pause(go_on.wait())

    keeping = asyncio.create_task(first.write(slowly))
    await used.wait()
    letting_go = asyncio.create_task(second.write(lambda tx: release(tx, customer_ids=[cora.customer_id])))
    await someone_blocked(first)
    go_on.set()
    await keeping

    assert await letting_go == (1, 0)
    assert await first.read(lambda tx: blob_of(tx, sha256)) == b"shared"


async def test_a_blob_that_is_let_go_while_it_is_used_again_comes_back(two: tuple[Database, Database]) -> None:
    first, second = two
    cora, dora = await meet(first, "42"), await meet(first, "43")
    sha256 = await keep(first, cora, 256, b"shared", file="telegram:u")
    gone, go_on = asyncio.Event(), asyncio.Event()

    def slowly(tx: Tx) -> None:
        release(tx, customer_ids=[cora.customer_id])
        gone.set()
        pause(go_on.wait())

    letting_go = asyncio.create_task(first.write(slowly))
    await gone.wait()
    known = asyncio.create_task(second.write(lambda tx: keep_again(tx, 512, 1, dora.customer_id, "telegram:u", START)))
    keeping = asyncio.create_task(second.write(lambda tx: keep_blob(tx, 512, 0, dora.customer_id, b"shared", START)))
    await someone_blocked(first)
    go_on.set()
    await letting_go

    assert await keeping == sha256
    assert await first.read(lambda tx: blob_of(tx, sha256)) == b"shared"
    uses = await first.read(lambda tx: tx.execute(sa.select(blob_use_table.c.sha256)).scalars().all())
    assert set(uses) == {sha256}
    await known
