"""Accept: the customer's words are stored, once, before anybody acknowledges them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from bot.messages import Incoming, read_incoming
from bot.turn.accept import Accept, Kept
from memory.clock import ManualClock
from memory.database import Database, Record, Tx
from memory.inbox import TURN, inbox_table
from memory.signals import LocalSignals

Wrote = Callable[..., Incoming]


async def rows(database: Database) -> list[Record]:
    return await database.read(lambda tx: list(tx.execute(sa.select(inbox_table).order_by(inbox_table.c.id))))


async def test_a_redelivered_update_is_kept_once(accept: Accept, database: Database, wrote: Wrote, signals: LocalSignals) -> None:
    woken = signals.listen(TURN)

    assert await accept([wrote("9001")]) == [Kept.NEW]
    assert woken.is_set()
    woken.clear()
    assert await accept([wrote("9001", "changed")]) == [Kept.SEEN]

    assert not woken.is_set()
    assert [row.incoming["text"] for row in await rows(database)] == ["Hello"]


async def test_several_are_kept_in_their_order(accept: Accept, database: Database, wrote: Wrote) -> None:
    await accept([wrote("2", sender="43")])

    incomings = [wrote("3"), wrote("2", sender="43"), wrote("1")]
    assert await accept(incomings) == [Kept.NEW, Kept.SEEN, Kept.NEW]
    assert [row.update_id for row in await rows(database)] == ["2", "3", "1"]
    assert await accept([]) == []


async def test_what_is_kept_can_be_read_again(accept: Accept, database: Database, wrote: Wrote) -> None:
    incoming = wrote("1", "ü 😀", name="Cora", data={"latitude": 1.5}, message_id="7")
    await accept([incoming])

    (row,) = await rows(database)
    assert read_incoming(row.incoming) == incoming


async def test_of_a_card_number_the_last_four_digits_are_kept(accept: Accept, database: Database, wrote: Wrote) -> None:
    await accept([wrote("1", "my card 4111-1111-1111-1111 is gone"), wrote("2", "order 4111111111111112")])

    assert [row.incoming["text"] for row in await rows(database)] == ["my card •••• 1111 is gone", "order 4111111111111112"]


async def test_a_part_of_an_album_waits_for_the_others(accept: Accept, database: Database, wrote: Wrote, clock: ManualClock) -> None:
    await accept([wrote("1", album="a"), wrote("2")])

    assert [(row.due_at - clock.now()).total_seconds() for row in await rows(database)] == [1, 0]


async def test_if_it_is_not_stored_it_raises(database: Database, wrote: Wrote, signals: LocalSignals, clock: ManualClock) -> None:
    class Broken(Database):
        async def write(self, fn: Callable[[Tx], object]) -> object:  # type: ignore[override]
            raise OSError("the disk is full")

    woken = signals.listen(TURN)
    broken = Broken(database.url.render_as_string(hide_password=False))
    try:
        with pytest.raises(OSError, match="full"):
            await Accept(broken, clock, signals, album_wait_s=1)([wrote("1")])
    finally:
        await broken.close()
    assert not woken.is_set()
