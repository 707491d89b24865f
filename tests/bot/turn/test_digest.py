"""The digest: what was logged is found and summarised by and by, once, whatever happens in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.turn.digest import MOST_ROWS, Digest
from bot.turn.summarise import summary_of
from memory.clock import ManualClock
from memory.context import recall
from memory.customers import Known
from memory.database import Database, Tx, table
from memory.exchanges import DIGEST, DIGEST_AFTER, exchange_row, log
from memory.lanes import Lane
from memory.search.find import find
from memory.search.index import states
from memory.signals import LocalSignals
from memory.summaries import summary_table
from tests.memory.people import meet

HOUR = 3600.0


@pytest.fixture
async def cora(database: Database) -> Known:
    return await meet(database)


@pytest.fixture
def digest(database: Database, clock: ManualClock) -> Digest:
    return Digest(database, clock, LocalSignals(), name="d")


async def say(
    database: Database, clock: ManualClock, who: Known, ids: range, text: str = "my parcel is late", author: str = "customer"
) -> None:
    def fill(tx: Tx) -> None:
        rows = [
            exchange_row(
                id=n,
                customer_id=who.customer_id,
                identity_id=who.identity_id,
                turn_id=n,
                direction="in",
                author="customer",
                kind="text",
                text=f"{text} {n}",
                at=clock.now(),
            )
            for n in ids
        ]
        log(tx, rows)

    await database.write(fill)


async def indexed(database: Database, who: Known) -> int:
    found = await database.read(lambda tx: states(tx, [who.customer_id]))
    return found[who.customer_id].documents if who.customer_id in found else 0


async def summaries(database: Database) -> list[Any]:
    return list(await database.read(lambda tx: tx.execute(sa.select(summary_table).order_by(summary_table.c.id)).all()))


async def lanes(database: Database) -> list[Any]:
    query = sa.select(table(Lane)).where(table(Lane).c.kind == DIGEST)
    return list(await database.read(lambda tx: tx.execute(query).all()))


async def test_what_was_said_is_indexed_when_it_has_settled(database: Database, clock: ManualClock, digest: Digest, cora: Known) -> None:
    await say(database, clock, cora, range(1, 4))

    assert await digest.look() == DIGEST_AFTER.total_seconds()
    assert await indexed(database, cora) == 0
    clock.advance(DIGEST_AFTER.total_seconds())
    assert await digest.look() == 0.0

    assert await indexed(database, cora) == 3
    found = await database.read(lambda tx: find(tx, [cora.customer_id], "parcel 2"))
    assert found[0].exchange_id == 2


async def test_a_finished_conversation_is_summarised_once_and_recalled(
    database: Database, clock: ManualClock, digest: Digest, cora: Known
) -> None:
    await say(database, clock, cora, range(1, 4))
    clock.advance(HOUR)
    await digest.look()
    assert await summaries(database) == []

    clock.advance(6 * HOUR)
    await digest.look()

    (found,) = await summaries(database)
    assert (found.first_id, found.last_id, found.wanted) == (1, 3, "my parcel is late 1")
    context = (await database.read(lambda tx: recall(tx, [cora.identity_id])))[cora.identity_id]
    assert [one.wanted for one in context.summaries] == ["my parcel is late 1"]
    assert await lanes(database) == []

    await say(database, clock, cora, range(10, 12), "something else")
    clock.advance(8 * HOUR)
    await digest.look()
    assert [(one.first_id, one.last_id) for one in await summaries(database)] == [(1, 3), (10, 11)]


async def test_a_long_past_is_digested_in_small_steps(database: Database, clock: ManualClock, digest: Digest, cora: Known) -> None:
    await say(database, clock, cora, range(1, 3 * MOST_ROWS))
    clock.advance(8 * HOUR)

    await digest.look()

    assert await indexed(database, cora) == 3 * MOST_ROWS - 1
    assert len(await summaries(database)) == 1


async def test_what_is_said_meanwhile_is_not_forgotten(
    database: Database, clock: ManualClock, digest: Digest, cora: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(database, clock, cora, range(1, 4))
    clock.advance(8 * HOUR)

    def late(*given: Any) -> Any:
        pending.append(True)
        return summary_of(*given)

    pending: list[bool] = []
    monkeypatch.setattr("bot.turn.digest.summary_of", late)
    read = database.read

    async def then_said(fn: Any) -> Any:
        result = await read(fn)
        if pending:
            pending.clear()
            await say(database, clock, cora, range(10, 12))
        return result

    monkeypatch.setattr(database, "read", then_said)
    await digest.look()
    monkeypatch.undo()

    assert [lane.key for lane in await lanes(database)] == [str(cora.customer_id)]
    clock.advance(8 * HOUR)
    await digest.look()
    assert await indexed(database, cora) == 5
    assert len(await summaries(database)) == 2


async def test_a_failure_is_tried_again(
    database: Database, clock: ManualClock, digest: Digest, cora: Known, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await say(database, clock, cora, range(1, 4))
    clock.advance(8 * HOUR)

    def fails(*_given: Any) -> Any:
        raise ValueError("no")

    monkeypatch.setattr("bot.turn.digest.summary_of", fails)
    await digest.look()
    assert "could not be digested" in caplog.text
    assert await summaries(database) == []
    monkeypatch.undo()

    clock.advance(60)
    await digest.look()
    assert len(await summaries(database)) == 1


async def test_two_processes_digest_a_customer_once(database: Database, clock: ManualClock, digest: Digest, cora: Known) -> None:
    await say(database, clock, cora, range(1, 4))
    clock.advance(8 * HOUR)
    other = Digest(database, clock, LocalSignals(), name="e")

    await digest.look()
    await other.look()

    assert await indexed(database, cora) == 3
    assert len(await summaries(database)) == 1
    clock.advance(timedelta(days=1).total_seconds())
    await other.look()
    assert len(await summaries(database)) == 1
