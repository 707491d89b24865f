"""Recalling through a cache: given again while nothing has changed, and never when something has."""

from __future__ import annotations

from typing import Any

import pytest

from memory.cache import Key, LocalCache
from memory.clock import ManualClock
from memory.customers import Known, pass_on
from memory.database import Database, Tx
from memory.declared import Declarations
from memory.exchanges import exchange_row, log
from memory.recaller import KEPT_S, Recaller
from tests.memory.people import meet, tell


class Counted(LocalCache):
    """A cache that says how often it had something."""

    hits = 0

    async def get(self, key: Key) -> bytes | None:
        found = await super().get(key)
        self.hits += found is not None
        return found


@pytest.fixture
async def cora(database: Database) -> Known:
    return await meet(database, name="Cora")


@pytest.fixture
def cache(clock: ManualClock) -> Counted:
    return Counted(clock)


@pytest.fixture
def recaller(database: Database, clock: ManualClock, cache: Counted) -> Recaller:
    return Recaller(database, Declarations(), clock, cache)


def say(tx: Tx, who: Known, n: int, clock: ManualClock) -> None:
    row: dict[str, Any] = {"id": n, "customer_id": who.customer_id, "identity_id": who.identity_id, "turn_id": n, "at": clock.now()}
    log(tx, [exchange_row(**row, direction="in", author="customer", kind="text", text=f"parcel {n}")])


async def test_nothing_changed_means_the_same_again(
    database: Database, clock: ManualClock, cache: Counted, recaller: Recaller, cora: Known
) -> None:
    await database.write(lambda tx: say(tx, cora, 1, clock))

    first = await recaller(cora.customer_id, query="where is the parcel")
    assert cache.hits == 0
    assert await recaller(cora.customer_id, query="where is the parcel") == first
    assert cache.hits == 1
    assert first is not None
    assert "parcel 1" in first.text

    await recaller(cora.customer_id)
    await recaller(cora.customer_id, query="where is the parcel", for_="action")
    assert cache.hits == 1


async def test_whatever_changes_is_seen_at_once(
    database: Database, clock: ManualClock, cache: Counted, recaller: Recaller, cora: Known
) -> None:
    changes = (
        lambda tx: say(tx, cora, 1, clock),
        lambda tx: tell(tx, cora.customer_id, "city", "Leeds", at=clock.now()),
        lambda tx: pass_on(tx, cora.customer_id),
        lambda tx: tell(tx, cora.customer_id, "city", "York", at=clock.now()),
    )
    for change in changes:
        await recaller(cora.customer_id)
        hits = cache.hits
        await database.write(change)
        after = await recaller(cora.customer_id)
        assert cache.hits == hits
    assert after is not None
    assert "York" in after.text


async def test_time_is_a_change_too(clock: ManualClock, cache: Counted, recaller: Recaller, cora: Known) -> None:
    await recaller(cora.customer_id)
    clock.advance(KEPT_S + 1)
    await recaller(cora.customer_id)

    assert cache.hits == 0


async def test_a_stranger_is_not_recalled(recaller: Recaller) -> None:
    assert await recaller(4711) is None
