"""Recalling through a cache: given again while nothing has changed, and never when something has, whatever becomes of the cache."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from memory.cache import Cache, Key, LocalCache, RedisCache
from memory.clock import ManualClock
from memory.customers import Known, Profile, find_or_make
from memory.database import Database, Tx
from memory.declared import Declarations, Declared, Retention
from memory.exchanges import exchange_row, log
from memory.forget import forget
from memory.handoffs import claim_handoff, end_handoff, get_handoff, open_handoff
from memory.merges import merge, merges_of, unmerge
from memory.proofs import prove
from memory.recaller import KEPT_S, Recaller
from memory.redis_link import RedisLink
from memory.retention import step
from tests.memory.people import meet, tell
from tests.own_redis import FAULTS, Mend, OwnRedis, impatient

QUERY = "where is the parcel"


class Counted:
    """A cache that says how often it had something."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.hits = 0

    async def get(self, key: Key) -> bytes | None:
        found = await self.cache.get(key)
        self.hits += found is not None
        return found

    def put(self, key: Key, value: bytes, *, ttl_s: float) -> None:
        self.cache.put(key, value, ttl_s=ttl_s)

    async def drop_customers(self, customer_ids: Any) -> bool:
        return await self.cache.drop_customers(customer_ids)


@asynccontextmanager
async def over_redis(url: str) -> AsyncIterator[RedisCache]:
    link = RedisLink(url, prefix=f"recall{secrets.token_hex(4)}:")
    await link.start()
    try:
        await link.up.wait()
        yield RedisCache(link, limit_s=10)
    finally:
        await link.close()


@pytest.fixture
async def cora(database: Database) -> Known:
    return await meet(database, name="Cora")


@pytest.fixture(params=["local", "redis"])
async def cache(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[Counted]:
    if request.param == "local":
        yield Counted(LocalCache(clock))
        return
    async with over_redis(request.getfixturevalue("redis_url")) as cache:
        yield Counted(cache)


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

    first = await recaller(cora.customer_id, query=QUERY)
    assert cache.hits == 0
    assert await recaller(cora.customer_id, query=QUERY) == first
    assert cache.hits == 1
    assert first is not None
    assert "parcel 1" in first.text

    await recaller(cora.customer_id)
    await recaller(cora.customer_id, query=QUERY, for_="action")
    await recaller(cora.customer_id, query=QUERY, level="seen")
    await recaller(cora.customer_id, query=QUERY, budget=100)
    await recaller(cora.customer_id, query="where was it")
    assert cache.hits == 1


async def test_whatever_changes_is_seen_at_once(
    database: Database, clock: ManualClock, cache: Counted, recaller: Recaller, cora: Known
) -> None:
    dora = await meet(database, "43", name="Dora")

    def ask_a_person(tx: Tx) -> None:
        say(tx, cora, 3, clock)
        open_handoff(tx, 50, cora.customer_id, cora.identity_id, reason="asked", packet={}, at=clock.now())

    def claim(tx: Tx) -> None:
        handoff = get_handoff(tx, 50)
        assert handoff is not None
        assert claim_handoff(tx, handoff, owner="desk:1", name="Ann", at=clock.now()) is not None

    def end(tx: Tx) -> None:
        handoff = get_handoff(tx, 50)
        assert handoff is not None
        end_handoff(tx, handoff, ending="returned", return_packet={"note": "sent"}, at=clock.now())

    def part(tx: Tx) -> None:
        (row,) = merges_of(tx, [cora.customer_id])
        unmerge(tx, row.id, by="desk:1", at=clock.now())

    changes: tuple[Callable[[Tx], object], ...] = (
        lambda tx: say(tx, cora, 1, clock),
        lambda tx: tell(tx, cora.customer_id, "city", "Leeds", at=clock.now()),
        lambda tx: tell(tx, cora.customer_id, "city", "York", at=clock.now(), source="agent"),
        lambda tx: prove(tx, cora.identity_id, "verified", how="agent", evidence={}, by="desk:1", at=clock.now()),
        lambda tx: find_or_make(tx, "telegram", [Profile("42", "Cornelia")], at=clock.now()),
        ask_a_person,
        claim,
        end,
        lambda tx: merge(tx, cora.customer_id, dora.customer_id, evidence={}, by="desk:1", at=clock.now()),
        lambda tx: say(tx, dora, 4, clock),
        lambda tx: step(tx, Retention("text", 30, "mask"), clock.now() + timedelta(days=31)),
        part,
    )
    for change in changes:
        before = await recaller.stamped(cora.customer_id, QUERY)
        hits = cache.hits
        assert await recaller.stamped(cora.customer_id, QUERY) == before
        assert cache.hits == hits + 1
        await database.write(change)
        after = await recaller.stamped(cora.customer_id, QUERY)
        assert cache.hits == hits + 1
        assert before is not None
        assert after is not None
        assert after.stamp != before.stamp
        assert after.recalled != before.recalled


async def test_it_knows_no_way_from_one_to_another(
    database: Database, clock: ManualClock, cache: Counted, recaller: Recaller, cora: Known
) -> None:
    dora = await meet(database, "43", name="Dora")
    for n, who in enumerate((cora, dora)):
        await database.write(lambda tx, who=who, n=n: say(tx, who, n + 1, clock))  # type: ignore[misc]

    for _ in range(2):
        theirs = [await recaller(who.customer_id, query=QUERY) for who in (cora, dora)]
        assert [("parcel 1" in one.text, "parcel 2" in one.text) for one in theirs if one] == [(True, False), (False, True)]
    assert cache.hits == 2


async def test_time_is_a_change_too(database: Database, clock: ManualClock, cora: Known) -> None:
    cache = Counted(LocalCache(clock))
    recaller = Recaller(database, Declarations(), clock, cache)
    await recaller(cora.customer_id, query=QUERY)
    clock.advance(KEPT_S + 1)
    await recaller(cora.customer_id, query=QUERY)

    assert cache.hits == 0


async def test_who_was_started_otherwise_recalls_by_itself(
    database: Database, clock: ManualClock, cache: Counted, recaller: Recaller, cora: Known
) -> None:
    await database.write(lambda tx: tell(tx, cora.customer_id, "pin", "1234", at=clock.now()))
    stricter = Recaller(database, Declarations(facts={"pin": Declared("pin", proof="verified")}), clock, cache)

    told = await recaller(cora.customer_id, query=QUERY, level="seen")
    withheld = await stricter(cora.customer_id, query=QUERY, level="seen")

    assert told is not None
    assert withheld is not None
    assert "1234" in told.text
    assert "1234" not in withheld.text
    assert cache.hits == 0


async def test_what_another_program_kept_is_not_believed(database: Database, clock: ManualClock, cora: Known) -> None:
    class Strange(LocalCache):
        async def get(self, key: Key) -> bytes | None:
            return b'{"customer": 1}'

    recaller = Recaller(database, Declarations(), clock, Strange(clock))

    assert await recaller(cora.customer_id, query=QUERY) == await Recaller(database, Declarations(), clock, LocalCache(clock))(
        cora.customer_id, query=QUERY
    )


async def test_a_stranger_is_not_recalled(recaller: Recaller) -> None:
    assert await recaller(4711) is None
    assert await recaller(4711, query=QUERY) is None


async def test_who_is_forgotten_leaves_the_cache(
    database: Database, clock: ManualClock, cache: Counted, recaller: Recaller, cora: Known
) -> None:
    await database.write(lambda tx: say(tx, cora, 1, clock))
    kept: list[Key] = []
    put = cache.put

    def noting(key: Key, value: bytes, *, ttl_s: float) -> None:
        kept.append(key)
        put(key, value, ttl_s=ttl_s)

    cache.put = noting  # type: ignore[method-assign]
    await recaller(cora.customer_id, query=QUERY)
    assert await cache.get(kept[0]) is not None

    await forget(database, clock, cora.customer_id, asked_by="test", cache=cache)

    assert await cache.get(kept[0]) is None
    assert await recaller(cora.customer_id, query=QUERY) is None
    assert len(kept) == 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_it_recalls_whatever_becomes_of_redis(
    sqlite_database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, fault: Callable[[OwnRedis], Mend | None]
) -> None:
    impatient(monkeypatch)
    cora = await meet(sqlite_database, name="Cora")
    redis = OwnRedis()
    redis.start()
    try:
        async with over_redis(redis.url) as cache:
            recaller = Recaller(sqlite_database, Declarations(), clock, RedisCache(cache._link))
            await sqlite_database.write(lambda tx: say(tx, cora, 1, clock))
            before = await recaller(cora.customer_id, query=QUERY)
            mend = fault(redis)

            assert await recaller(cora.customer_id, query=QUERY) == before
            await sqlite_database.write(lambda tx: say(tx, cora, 2, clock))
            during = await recaller(cora.customer_id, query=QUERY)
            assert during is not None
            assert "parcel 2" in during.text
            if mend is not None:
                mend()
            assert await recaller(cora.customer_id, query=QUERY) == during
    finally:
        redis.stop()
