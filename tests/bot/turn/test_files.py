"""Keeping files: fetched once, later where it cannot be now, and never in the way of a customer who is forgotten meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.messages import Attachment
from bot.turn.files import FAILED, FIRST_PAUSE_S, GONE, OFF, TOO_LARGE, TRIES, KeepFiles, OrKept
from memory.attachments import keep_blob, kept_as, uses_of
from memory.clock import ManualClock
from memory.customers import Known
from memory.database import Database, table
from memory.exchanges import FILES, FILES_AFTER, PER_TURN, Exchange, exchange_row, log
from memory.lanes import next_ready
from tests.memory.people import meet


class Shelf:
    """Files by their ids, as a channel has them. What is an exception is raised."""

    def __init__(self, **files: bytes | Exception) -> None:
        self.files = files
        self.asked: list[str] = []
        self.before: Callable[[], Any] | None = None

    async def fetch(self, attachment: Attachment) -> bytes:
        self.asked.append(attachment.file_id)
        if self.before is not None:
            await self.before()
        found = self.files[attachment.file_id]
        if isinstance(found, Exception):
            raise found
        return found


def photo(file_id: str, **more: Any) -> Attachment:
    return Attachment(source="telegram", kind="photo", file_id=file_id, unique_id=file_id.upper(), **more)


@pytest.fixture
async def cora(database: Database) -> Known:
    return await meet(database)


@pytest.fixture
def carry(database: Database, clock: ManualClock, cora: Known) -> Callable[..., Any]:
    """Log a turn with attachments and let the time pass until they are looked for."""

    async def carry(turn_id: int, *attachments: Attachment) -> None:
        row = exchange_row(
            id=turn_id * PER_TURN,
            customer_id=cora.customer_id,
            identity_id=cora.identity_id,
            turn_id=turn_id,
            direction="in",
            author="customer",
            kind="photo",
            attachments=attachments,
            at=clock.now(),
        )
        await database.write(lambda tx: log(tx, [row]))
        clock.advance(FILES_AFTER.total_seconds())

    return carry


@pytest.fixture
def keeper(database: Database, clock: ManualClock) -> Callable[..., KeepFiles]:
    def keeper(shelf: Shelf, max_bytes: int = 10) -> KeepFiles:
        return KeepFiles(database, clock, {"telegram": shelf}, name="test", max_bytes=max_bytes)

    return keeper


async def became(database: Database, turn_id: int) -> list[tuple[int | None, str | None]]:
    rows = await database.read(lambda tx: uses_of(tx, range(turn_id * PER_TURN, (turn_id + 1) * PER_TURN)))
    return [(row.size, row.why) for row in rows]


async def waits(database: Database) -> bool:
    return await database.read(lambda tx: next_ready(tx, FILES)) is not None


async def test_an_album_is_kept(database: Database, clock: ManualClock, carry: Any, keeper: Any) -> None:
    shelf = Shelf(a=b"aaa", b=b"bb", c=b"aaa")
    keep = keeper(shelf)
    await carry(1, photo("a"), photo("b"), photo("c"))

    assert await keep.look() == 0.0
    assert await became(database, 1) == [(3, None), (2, None), (3, None)]
    assert not await waits(database)
    assert await keep.look() > 0
    assert shelf.asked == ["a", "b", "c"]


async def test_files_wait_until_the_desk_has_had_its_turn(database: Database, clock: ManualClock, carry: Any, keeper: Any) -> None:
    shelf = Shelf(a=b"a")
    await carry(1, photo("a"))
    clock.advance(-1)

    assert await keeper(shelf).look() == 1.0
    assert shelf.asked == []


async def test_what_is_too_large_or_gone_is_noted(database: Database, carry: Any, keeper: Any) -> None:
    shelf = Shelf(lies=b"x" * 11, gone=LookupError("file is too old"))
    await carry(1, photo("x", size=11), photo("y", too_large=True), photo("lies", size=3), photo("gone"))
    await keeper(shelf).look()

    assert await became(database, 1) == [(None, TOO_LARGE)] * 3 + [(None, GONE)]
    assert shelf.asked == ["lies", "gone"]
    assert not await waits(database)


async def test_what_cannot_be_had_now_is_tried_again_after_growing_pauses(
    database: Database, clock: ManualClock, carry: Any, keeper: Any
) -> None:
    shelf = Shelf(a=OSError("no route"), b=b"b")
    keep = keeper(shelf)
    await carry(1, photo("a"), photo("b"))
    await keep.look()
    assert await became(database, 1) == [(1, None)]

    assert await keep.look() == FIRST_PAUSE_S
    clock.advance(FIRST_PAUSE_S)
    await keep.look()
    assert await keep.look() == 2 * FIRST_PAUSE_S
    shelf.files["a"] = b"aa"
    clock.advance(2 * FIRST_PAUSE_S)
    await keep.look()

    assert await became(database, 1) == [(2, None), (1, None)]
    assert shelf.asked == ["a", "b", "a", "a"]
    assert not await waits(database)


async def test_it_is_given_up_in_the_end(database: Database, clock: ManualClock, carry: Any, keeper: Any) -> None:
    shelf = Shelf(a=OSError("no route"))
    keep = keeper(shelf)
    await carry(1, photo("a"))
    for _ in range(TRIES):
        await keep.look()
        clock.advance(86_400)

    assert await became(database, 1) == [(None, FAILED)]
    assert len(shelf.asked) == TRIES
    assert not await waits(database)


async def test_a_file_of_a_channel_that_is_elsewhere_waits_for_it(database: Database, carry: Any, keeper: Any) -> None:
    await carry(1, Attachment(source="desk", kind="photo", file_id="a", unique_id="A"))
    await keeper(Shelf()).look()

    assert await became(database, 1) == []
    assert await waits(database)


async def test_a_surprise_is_a_pause_and_not_the_end(database: Database, carry: Any, keeper: Any, caplog: pytest.LogCaptureFixture) -> None:
    await carry(1, photo("a"))
    await carry(2, photo("b"))
    with caplog.at_level(logging.ERROR):
        await keeper(Shelf(a=ValueError("surprise"), b=b"b")).look()

    assert await became(database, 1) == []
    assert await became(database, 2) == [(1, None)]
    assert await waits(database)
    assert "the files of turn 1 could not be kept" in caplog.text


async def test_nothing_is_fetched_where_files_are_not_kept(database: Database, carry: Any, keeper: Any) -> None:
    shelf = Shelf(a=b"a")
    await carry(1, photo("a"))
    await keeper(shelf, max_bytes=0).look()

    assert await became(database, 1) == [(None, OFF)]
    assert shelf.asked == []
    assert not await waits(database)


async def test_a_file_that_is_known_is_not_fetched_again(database: Database, carry: Any, keeper: Any) -> None:
    shelf = Shelf(a=b"a")
    keep = keeper(shelf)
    for turn_id in (1, 2):
        await carry(turn_id, photo("a"))
        await keep.look()

    assert await became(database, 1) == await became(database, 2) == [(1, None)]
    assert shelf.asked == ["a"]


async def test_a_file_that_arrives_after_its_exchange_went_is_not_kept(database: Database, carry: Any, keeper: Any) -> None:
    async def forget() -> None:
        await database.write(lambda tx: tx.execute(sa.delete(table(Exchange))))

    shelf = Shelf(a=b"a")
    shelf.before = forget
    await carry(1, photo("a"))
    await keeper(shelf).look()

    assert await became(database, 1) == []
    assert await database.read(lambda tx: kept_as(tx, "telegram:A")) is None
    assert not await waits(database)


async def test_a_killed_process_repeats_a_fetch_and_no_row(database: Database, clock: ManualClock, carry: Any, keeper: Any) -> None:
    async def die() -> None:
        if shelf.asked[-1] == "b":
            raise KeyboardInterrupt

    shelf = Shelf(a=b"a", b=b"b")
    shelf.before = die
    await carry(1, photo("a"), photo("b"))
    with pytest.raises(KeyboardInterrupt):
        await keeper(shelf)._deal_with((await _claimed(database, clock))[0])
    assert await became(database, 1) == [(1, None)]

    shelf.before = None
    clock.advance(3600)
    await keeper(shelf).look()
    assert await became(database, 1) == [(1, None), (1, None)]
    assert shelf.asked == ["a", "b", "b"]
    assert not await waits(database)


async def _claimed(database: Database, clock: ManualClock) -> Any:
    from memory.lanes import claim_lanes

    return await database.write(lambda tx: claim_lanes(tx, FILES, worker="dead", now=clock.now(), until=clock.now() + FILES_AFTER, limit=1))


async def test_a_kept_file_is_served_when_the_channel_has_lost_it(database: Database, cora: Known, clock: ManualClock) -> None:
    shelf = Shelf(a=b"fresh", b=LookupError("gone"), c=LookupError("gone"), d=OSError("later"))
    files = OrKept(shelf, database)
    await database.write(lambda tx: keep_blob(tx, 256, 0, cora.customer_id, b"kept", clock.now(), file="telegram:B"))

    assert await files.fetch(photo("a")) == b"fresh"
    assert await files.fetch(photo("b")) == b"kept"
    with pytest.raises(LookupError):
        await files.fetch(photo("c"))
    with pytest.raises(OSError, match="later"):
        await files.fetch(photo("d"))
