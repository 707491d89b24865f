"""Who is here: in one process and, through Redis, among several. A dead one is gone after a while; a lost Redis only makes it poorer."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

import memory.presence
import memory.redis_link
from memory.clock import ManualClock
from memory.presence import AGENT, MOST, MOST_S, PROCESS, TTL_S, LocalPresence, Presence, Present, RedisPresence
from memory.redis_link import RedisLink
from tests.own_redis import FAULTS, Mend, OwnRedis, become, impatient


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    monkeypatch.setattr(memory.presence, "RENEW_S", 0.05)
    monkeypatch.setattr(memory.presence, "RECONNECT_S", 0.02)


@pytest.fixture
def prefix() -> str:
    """Names of this test's own: the server may be shared."""
    return f"presence{secrets.token_hex(4)}:"


@asynccontextmanager
async def started(url: str, clock: ManualClock, prefix: str) -> AsyncIterator[RedisPresence]:
    """A process's presence that has reached Redis."""
    link = RedisLink(url, prefix=prefix)
    presence = RedisPresence(link, clock)
    await link.start()
    await presence.start()
    try:
        async with asyncio.timeout(20):
            await link.up.wait()
        yield presence
    finally:
        await presence.close()
        await link.close()


async def names(presence: Presence, kind: str) -> list[str]:
    return [one.name for one in await presence.present(kind)]


async def test_who_announced_is_here_until_they_withdraw(clock: ManualClock) -> None:
    presence = LocalPresence(clock)
    await presence.start()
    presence.announce(PROCESS, "b", {"parts": ["worker"]})
    presence.announce(PROCESS, "a", {})
    clock.advance(10 * TTL_S)

    assert [(one.name, one.about) for one in await presence.present(PROCESS)] == [("a", {}), ("b", {"parts": ["worker"]})]
    presence.withdraw(PROCESS, "a")
    presence.withdraw(PROCESS, "nobody")
    assert (await names(presence, PROCESS), await names(presence, AGENT)) == (["b"], [])
    await presence.close()


async def test_who_was_seen_is_here_for_a_while(clock: ManualClock) -> None:
    presence = LocalPresence(clock)
    began = clock.now()
    presence.seen(AGENT, "desk:601", for_s=60)
    clock.advance(50)
    presence.seen(AGENT, "desk:601", for_s=60)
    clock.advance(50)

    (agent,) = await presence.present(AGENT)
    assert (agent.since, agent.until) == (began, began + timedelta(seconds=110))
    clock.advance(10)
    assert await presence.present(AGENT) == []
    presence.seen(AGENT, "desk:601", for_s=60)
    assert (await presence.present(AGENT))[0].since == clock.now()


async def test_no_more_are_kept_than_may(clock: ManualClock) -> None:
    presence = LocalPresence(clock)
    for number in range(MOST + 5):
        presence.seen(AGENT, f"desk:{number:05}", for_s=60)
    assert (await names(presence, AGENT))[0] == "desk:00005"
    assert len(await presence.present(AGENT)) == MOST


async def test_processes_see_each_other(redis_url: str, clock: ManualClock, prefix: str) -> None:
    async with (
        started(redis_url, clock, prefix) as one,
        started(redis_url, clock, prefix) as two,
        started(redis_url, clock, f"else{prefix}") as stranger,
    ):
        async with started(redis_url, clock, prefix) as gone:
            one.announce(PROCESS, "a", {"parts": ["channels"], "bots": [4200]})
            two.announce(PROCESS, "b", {"parts": ["worker"]})
            gone.announce(PROCESS, "c", {})
            await become(["a", "b", "c"], lambda: names(one, PROCESS))
            await become(["a", "b", "c"], lambda: names(two, PROCESS))
        await become(["a", "b"], lambda: names(one, PROCESS))  # who ends in order is gone at once

        (a, _) = await two.present(PROCESS)
        assert (a.about, a.since) == ({"parts": ["channels"], "bots": [4200]}, clock.now())
        assert await names(stranger, PROCESS) == []
        two.withdraw(PROCESS, "b")
        await become(["a"], lambda: names(one, PROCESS))


async def test_an_agent_whom_two_processes_saw_is_one(redis_url: str, clock: ManualClock, prefix: str) -> None:
    async with started(redis_url, clock, prefix) as one, started(redis_url, clock, prefix) as two:
        began = clock.now()
        one.seen(AGENT, "desk:601", for_s=60)
        await become(["desk:601"], lambda: names(two, AGENT))
        clock.advance(10)
        two.seen(AGENT, "desk:601", for_s=60)

        await become([Present("desk:601", began, began + timedelta(seconds=70))], lambda: one.present(AGENT))
        clock.advance(60)
        assert await one.present(AGENT) == await two.present(AGENT) == []


async def test_a_dead_process_is_gone_after_a_while(redis_url: str, clock: ManualClock, prefix: str) -> None:
    async with started(redis_url, clock, prefix) as one:
        link = RedisLink(redis_url, prefix=prefix)
        dead = RedisPresence(link, clock)
        await link.start()
        await dead.start()
        dead.announce(PROCESS, "dead", {})
        one.announce(PROCESS, "alive", {})
        await become(["alive", "dead"], lambda: names(one, PROCESS))
        await link.close()  # nothing is said any more, and nothing withdrawn
        await dead.close()

        clock.advance(TTL_S - 1)
        await become(["alive", "dead"], lambda: names(one, PROCESS))
        clock.advance(2)
        await become(["alive"], lambda: names(one, PROCESS))


async def test_nothing_stays_in_redis_for_ever(redis_url: str, clock: ManualClock, prefix: str) -> None:
    async with started(redis_url, clock, prefix) as presence:
        presence.announce(PROCESS, "a", {})
        presence.seen(AGENT, "desk:601", for_s=600)
        await become(["a"], lambda: names(presence, PROCESS))
        await become(2, lambda: presence._link.ask("EXISTS", f"{prefix}present:process", f"{prefix}present:agent"))
        for kind in (PROCESS, AGENT):
            assert 0 < await presence._link.ask("TTL", f"{prefix}present:{kind}") <= MOST_S


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_happens_to_redis_one_knows_of_oneself_and_later_of_all(
    fault: Callable[[OwnRedis], Mend], clock: ManualClock, prefix: str
) -> None:
    with OwnRedis() as server:
        async with started(server.url, clock, prefix) as one, started(server.url, clock, prefix) as two:
            one.announce(PROCESS, "a", {})
            two.announce(PROCESS, "b", {})
            await become(["a", "b"], lambda: names(one, PROCESS))

            mend = fault(server)
            began = time.monotonic()
            one.seen(AGENT, "desk:601", for_s=60)
            assert await names(one, AGENT) == ["desk:601"]
            assert "a" in await names(one, PROCESS)
            assert time.monotonic() - began < 5
            mend()

            await become(["a", "b"], lambda: names(one, PROCESS))
            await become(["desk:601"], lambda: names(two, AGENT))


async def test_what_another_version_has_written_is_passed_over(redis_url: str, clock: ManualClock, prefix: str) -> None:
    async with started(redis_url, clock, prefix) as presence:
        far = clock.now().timestamp() + 5
        await presence._link.ask("ZADD", f"{prefix}present:process", far, "x", far, '{"name": "a"}', far, "[]")
        presence.announce(PROCESS, "b", {})
        assert await names(presence, PROCESS) == ["b"]
