"""The cache: only who asks with the stamp gets an entry, a customer's can all be dropped, and Redis may do what it likes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from memory.cache import MOST_NAMES, MOST_TTL_S, MOST_VALUE, Cache, Key, LocalCache, RedisCache
from memory.clock import ManualClock
from memory.redis_link import RedisLink
from tests.own_redis import FAULTS, Mend, OwnRedis, become, flushed, impatient


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    monkeypatch.setattr("memory.cache.SKIP_S", 0.05)


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[RedisLink]:
    link = RedisLink(url, prefix=f"cache{secrets.token_hex(4)}:")
    await link.start()
    try:
        async with asyncio.timeout(20):
            await link.up.wait()
        yield link
    finally:
        await link.close()


@pytest.fixture(params=["local", "redis"])
async def cache(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[Cache]:
    """A cache of each kind. The limit in time is generous: these tests are not about it."""
    if request.param == "local":
        yield LocalCache(clock)
        return
    async with linked(request.getfixturevalue("redis_url")) as link:
        yield RedisCache(link, limit_s=10)


async def test_what_was_put_is_got_by_its_very_key(cache: Cache) -> None:
    cache.put(Key(12, "agent", "v7"), b"the context", ttl_s=60)

    assert await cache.get(Key(12, "agent", "v7")) == b"the context"
    assert await cache.get(Key(12, "agent", "v8")) is None
    assert await cache.get(Key(12, "agent", "v")) is None
    assert await cache.get(Key(12, "action", "v7")) is None
    assert await cache.get(Key(1, "agent", "v7")) is None


async def test_a_later_put_replaces(cache: Cache) -> None:
    cache.put(Key(12, "agent", "v7"), b"old", ttl_s=60)
    cache.put(Key(12, "agent", "v8"), b"", ttl_s=60)

    assert await cache.get(Key(12, "agent", "v7")) is None
    assert await cache.get(Key(12, "agent", "v8")) == b""


async def test_everything_about_a_customer_is_dropped_and_nothing_else(cache: Cache) -> None:
    for customer in (1, 12, 13):
        for name in ("agent", "action"):
            cache.put(Key(customer, name, "v1"), b"x", ttl_s=60)

    assert await cache.drop_customers([12, 13, 99])
    assert await cache.drop_customers([])

    left = [customer for customer in (1, 12, 13) for name in ("agent", "action") if await cache.get(Key(customer, name, "v1"))]
    assert left == [1, 1]


async def test_what_is_too_large_or_over_is_not_kept(cache: Cache) -> None:
    cache.put(Key(1, "agent", "v1"), b"x" * (MOST_VALUE + 1), ttl_s=60)
    cache.put(Key(2, "agent", "v1"), b"x", ttl_s=0)
    cache.put(Key(3, "agent", "v1"), b"x" * MOST_VALUE, ttl_s=60)

    assert [bool(await cache.get(Key(customer, "agent", "v1"))) for customer in (1, 2, 3)] == [False, False, True]


async def test_one_customer_has_a_bounded_number(cache: Cache) -> None:
    for number in range(MOST_NAMES + 1):
        cache.put(Key(1, f"n{number}", "v1"), b"x", ttl_s=60)

    assert await cache.get(Key(1, f"n{MOST_NAMES}", "v1")) == b"x"
    assert sum([await cache.get(Key(1, f"n{number}", "v1")) == b"x" for number in range(MOST_NAMES + 1)]) <= MOST_NAMES


async def test_an_entry_ends(clock: ManualClock) -> None:
    cache = LocalCache(clock)
    cache.put(Key(1, "agent", "v1"), b"x", ttl_s=60)
    cache.put(Key(2, "agent", "v1"), b"x", ttl_s=10 * MOST_TTL_S)
    clock.advance(59)
    assert await cache.get(Key(1, "agent", "v1")) == b"x"
    clock.advance(1)
    assert await cache.get(Key(1, "agent", "v1")) is None
    clock.advance(MOST_TTL_S - 60)
    assert await cache.get(Key(2, "agent", "v1")) is None


async def test_the_longest_unasked_go_first(clock: ManualClock) -> None:
    cache = LocalCache(clock, most_bytes=3000)
    for customer in (1, 2):
        cache.put(Key(customer, "agent", "v1"), b"x" * 1000, ttl_s=60)
    await cache.get(Key(1, "agent", "v1"))
    cache.put(Key(3, "agent", "v1"), b"x" * 1000, ttl_s=60)

    assert [bool(await cache.get(Key(customer, "agent", "v1"))) for customer in (1, 2, 3)] == [True, False, True]


async def test_what_it_holds_is_counted_right(clock: ManualClock) -> None:
    cache = LocalCache(clock)
    for customer in range(50):
        for name in ("agent", "action"):
            cache.put(Key(customer % 20, name, f"v{customer}"), b"x" * customer, ttl_s=60)
    await cache.drop_customers(range(10))
    clock.advance(60)
    for customer in range(10, 20):
        await cache.get(Key(customer, "agent", "v30"))
    cache.put(Key(1, "agent", "v1"), b"x", ttl_s=60)
    await cache.drop_customers([1])
    assert (cache._bytes, len(cache._customers)) == (0, 0)


async def test_redis_keeps_nothing_without_an_end(redis_url: str) -> None:
    async with linked(redis_url) as link:
        cache = RedisCache(link, limit_s=10)
        cache.put(Key(1, "agent", "v1"), b"x", ttl_s=20)
        assert 19_000 < await link.ask("PTTL", f"{link.prefix}cache:1") <= 20_000
        cache.put(Key(1, "agent", "v2"), b"x", ttl_s=10 * MOST_TTL_S)
        assert MOST_TTL_S - 1 < await link.ask("TTL", f"{link.prefix}cache:1") <= MOST_TTL_S
        cache.put(Key(1, "agent", "v3"), b"x", ttl_s=0.001)
        await become(0, lambda: link.ask("EXISTS", f"{link.prefix}cache:1"))


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_happens_to_redis_the_cache_is_only_emptier(fault: Callable[[OwnRedis], Mend]) -> None:
    key = Key(12, "agent", "v7")
    with OwnRedis() as server:
        async with linked(server.url) as link:
            cache = RedisCache(link, limit_s=0.05)
            cache.put(key, b"x", ttl_s=60)
            await become(b"x", lambda: cache.get(key))
            mend = fault(server)
            began = time.monotonic()
            for _ in range(1000):
                assert await cache.get(key) is None
                cache.put(Key(12, "action", "v7"), b"y", ttl_s=60)
            is_dropped = await cache.drop_customers([12])
            assert time.monotonic() - began < 5
            assert is_dropped is (fault is flushed)
            mend()

            async def put_and_get() -> bytes | None:
                cache.put(key, b"z", ttl_s=60)
                return await cache.get(key)

            await become(b"z", put_and_get)
            assert await cache.drop_customers([12])
            assert await link.ask("HGETALL", f"{link.prefix}cache:12") == []


async def test_nobody_waits_long_for_a_redis_that_is_slow(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memory.cache.SKIP_S", 20)
    key = Key(12, "agent", "v7")
    async with linked(redis_url) as link, linked(redis_url) as other:
        cache, fresh = RedisCache(link, limit_s=0.05), RedisCache(link, limit_s=10)
        cache.put(key, b"x", ttl_s=60)
        assert await cache.get(key) == b"x"
        await other.ask("CLIENT", "PAUSE", "200", "ALL")
        assert await cache.get(key) is None  # waits for 50 ms, and then
        while link.late_s:
            assert await cache.get(key) is None  # not any more
            await link.ask("PING")
        assert await cache.get(key) is None
        assert await fresh.get(key) == b"x"


async def test_a_drop_that_is_not_confirmed_says_so(redis_url: str) -> None:
    cache = RedisCache(RedisLink(redis_url))  # not started: nobody answers
    assert await cache.drop_customers([1]) is False
    assert await cache.get(Key(1, "agent", "v1")) is None
    cache.put(Key(1, "agent", "v1"), b"x", ttl_s=60)
