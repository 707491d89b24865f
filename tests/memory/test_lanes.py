"""Lanes: one worker at a time, in the order of readiness, and nothing from a worker whose lease ran out."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime

import pytest
import sqlalchemy as sa

from memory.database import Database, Tx, table
from memory.lanes import Claimed, Lane, claim_lanes, leave_lanes, next_ready, open_lanes, pause_lane, still_held
from tests.memory.people import after, pause

_lane = table(Lane)


async def opened(database: Database, *keys: str, kind: str = "turn") -> None:
    """Lanes that became ready one second after the other."""
    await database.write(lambda tx: open_lanes(tx, kind, {key: after(n) for n, key in enumerate(keys)}))


async def claim(database: Database, worker: str = "one", *, now: float = 100, until: float = 115, limit: int = 10) -> list[Claimed]:
    return await database.write(lambda tx: claim_lanes(tx, "turn", worker=worker, now=after(now), until=after(until), limit=limit))


async def ready_at(database: Database, key: str) -> datetime | None:
    def query(tx: Tx) -> datetime | None:
        return tx.execute(sa.select(_lane.c.ready_at).where(_lane.c.key == key)).scalar()

    return await database.read(query)


def keys(claimed: list[Claimed]) -> set[str]:
    return {lane.key for lane in claimed}


async def test_the_longest_ready_are_claimed_first(database: Database) -> None:
    await opened(database, "c", "a", "d", "b")

    assert keys(await claim(database, limit=2)) == {"c", "a"}
    assert keys(await claim(database, limit=2)) == {"d", "b"}
    assert await claim(database) == []


@pytest.mark.parametrize("count", [1, 2, 3, 10])
async def test_a_claim_takes_no_more_than_its_limit(postgres_database_url: str, count: int) -> None:
    """Whatever plan PostgreSQL makes of the claim, with statistics and without."""
    database = Database(postgres_database_url)
    try:
        await opened(database, *(str(n) for n in range(count)))
        assert len(await claim(database, limit=1, until=101)) == 1
        await database.write(lambda tx: tx.execute(sa.text("ANALYZE lane")))
        assert len(await claim(database, now=200, limit=2)) == min(2, count)
    finally:
        await database.close()


async def test_a_lane_of_another_kind_is_left_alone(database: Database) -> None:
    await opened(database, "a", kind="telegram")

    assert await claim(database) == []


async def test_a_lane_that_is_not_ready_yet_is_not_claimed(database: Database) -> None:
    await opened(database, "now", "later")

    assert keys(await claim(database, now=0.5)) == {"now"}
    assert await database.read(lambda tx: next_ready(tx, "turn")) == after(1)


async def test_the_lane_of_a_dead_worker_is_taken_when_its_lease_ends(database: Database) -> None:
    await opened(database, "a")
    (first,) = await claim(database, now=0, until=15)

    assert await claim(database, "two", now=14.9) == []
    (second,) = await claim(database, "two", now=15, until=30)

    assert second.lease == first.lease + 1


async def test_a_worker_that_wakes_too_late_has_lost_its_lane(database: Database) -> None:
    await opened(database, "a", "b")
    slow = await claim(database, now=1, until=16, limit=2)
    (quick,) = await claim(database, "two", now=16, until=31, limit=1)

    assert await database.write(lambda tx: still_held(tx, slow)) == keys(slow) - {quick.key}
    assert await database.write(lambda tx: still_held(tx, [quick])) == {quick.key}


async def test_nothing_is_held_by_nobody(database: Database) -> None:
    assert await database.write(lambda tx: still_held(tx, [])) == set()
    assert await database.write(lambda tx: still_held(tx, [Claimed("turn", "gone", 1, 0)])) == set()


async def test_opening_leaves_a_held_lane_to_its_worker(database: Database) -> None:
    await opened(database, "a")
    held = await claim(database, now=0, until=15)

    await opened(database, "a")

    assert await ready_at(database, "a") == after(15)
    assert await database.write(lambda tx: still_held(tx, held)) == {"a"}


async def test_opening_leaves_a_paused_lane_paused(database: Database) -> None:
    await opened(database, "a")
    (held,) = await claim(database, now=0, until=15)
    await database.write(lambda tx: pause_lane(tx, held, until=after(60), tries=1))

    await opened(database, "a")

    assert await ready_at(database, "a") == after(60)
    assert await claim(database, now=59) == []
    (again,) = await claim(database, now=60, until=75)
    assert again.tries == 1


async def test_opening_moves_a_free_lane(database: Database) -> None:
    await opened(database, "a")

    await database.write(lambda tx: open_lanes(tx, "turn", {"a": after(-5)}))

    assert await ready_at(database, "a") == after(-5)


async def test_leaving_removes_an_empty_lane_and_forgets_failures_of_the_other(database: Database) -> None:
    await opened(database, "a", "b")
    for lane in await claim(database, now=1, until=15):
        await database.write(lambda tx, lane=lane: pause_lane(tx, lane, until=after(20), tries=2))  # type: ignore[misc]
    await claim(database, now=20, until=35)

    await database.write(lambda tx: leave_lanes(tx, "turn", {"a": None, "b": after(40)}))

    assert await ready_at(database, "a") is None
    assert await claim(database, now=39) == []
    (again,) = await claim(database, now=40)
    assert (again.key, again.tries) == ("b", 0)


async def test_a_lost_lane_is_not_paused(database: Database) -> None:
    await opened(database, "a")
    (slow,) = await claim(database, now=0, until=15)
    (quick,) = await claim(database, "two", now=15, until=30)

    await database.write(lambda tx: pause_lane(tx, slow, until=after(500), tries=3))

    assert await ready_at(database, "a") == after(30)
    assert await database.write(lambda tx: still_held(tx, [quick])) == {"a"}


async def test_a_claim_that_is_under_way_is_passed_over(two: tuple[Database, Database]) -> None:
    """The second claimer neither waits for the first one's transaction nor gets what that has taken."""
    first, second = two
    await opened(first, "a", "b", "c")
    claimed, go_on = asyncio.Event(), asyncio.Event()

    def slowly(tx: Tx) -> list[Claimed]:
        got = claim_lanes(tx, "turn", worker="one", now=after(100), until=after(115), limit=2)
        claimed.set()
        pause(go_on.wait())
        return got

    under_way = asyncio.create_task(first.write(slowly))
    await claimed.wait()
    meanwhile = await claim(second, "two", limit=10)
    go_on.set()

    assert keys(await under_way) == {"a", "b"}
    assert keys(meanwhile) == {"c"}


async def test_many_claimers_share_without_overlap(two: tuple[Database, Database]) -> None:
    await opened(two[0], *(str(n) for n in range(60)))

    claims = await asyncio.gather(*(claim(two[n % 2], f"worker {n}", limit=7) for n in range(12)))

    taken = Counter(lane.key for claimed in claims for lane in claimed)
    assert set(taken.values()) == {1}
    left = await claim(two[0], limit=60)
    assert keys(left).isdisjoint(taken)
    assert len(taken) + len(left) == 60
