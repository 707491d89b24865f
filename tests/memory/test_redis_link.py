"""The way to Redis: answers in order, limits in time and in number, one line in the log when it goes and one when it is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

import memory.redis_link
from memory.redis_link import AWAY, MOST_WAITING, RedisLink
from tests.own_redis import FAULTS, Mend, OwnRedis, become, flushed, frozen, impatient, until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[RedisLink]:
    """A link that answers."""
    link = RedisLink(url, name="test")
    await link.start()
    try:
        async with asyncio.timeout(20):
            await link.up.wait()
        yield link
    finally:
        await link.close()


async def test_everyone_gets_their_own_answer(redis_url: str) -> None:
    async with linked(redis_url) as link:
        asked = [link.ask("ECHO", str(number)) for number in range(300)]
        assert await asyncio.gather(*asked) == [str(number).encode() for number in range(300)]


async def test_while_it_is_not_there_the_answer_is_away_at_once() -> None:
    link = RedisLink(OwnRedis().url)
    await link.start()
    assert link.send("PING") is None
    assert await link.ask("PING") is AWAY
    await link.close()


async def test_no_more_waits_than_may(redis_url: str) -> None:
    async with linked(redis_url) as link:
        sent = [link.send("PING") for _ in range(MOST_WAITING + 10)]
        assert sent[MOST_WAITING:] == [None] * 10
        assert await asyncio.gather(*(one for one in sent if one is not None)) == [b"PONG"] * MOST_WAITING


async def test_a_refused_command_harms_no_other_and_is_told_once(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with linked(redis_url) as link:
        asked = [link.ask(*command) for command in (("ECHO", "1"), ("NONSENSE",), ("ECHO", "2"), ("NONSENSE",))]
        assert await asyncio.gather(*asked) == [b"1", AWAY, b"2", AWAY]
    assert [record.message.split(" (")[0] for record in caplog.records] == ["Redis refuses a command"]


async def test_who_waits_too_long_goes_and_the_others_get_their_own_answers(redis_url: str) -> None:
    async with linked(redis_url) as link, linked(redis_url) as other:
        await other.ask("CLIENT", "PAUSE", "150", "ALL")
        assert await asyncio.gather(*(link.ask("ECHO", "early", within_s=0.01) for _ in range(3))) == [AWAY] * 3
        assert link.late_s > 0
        assert await link.ask("ECHO", "late") == b"late"


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_comes_back_by_itself(fault: Callable[[OwnRedis], Mend], caplog: pytest.LogCaptureFixture) -> None:
    with OwnRedis() as server:
        async with linked(server.url) as link:
            mend = fault(server)
            began = time.monotonic()
            if fault is not flushed:
                assert await link.ask("ECHO", "1") is AWAY
                assert not link.up.is_set()
            assert time.monotonic() - began < 5
            mend()
            await become(b"2", lambda: link.ask("ECHO", "2"))
            await link.ask("PING")
    told = [record.message for record in caplog.records]
    assert [line.split(" (")[0] for line in told] == ([] if fault is flushed else ["Redis is away", "Redis is back"])


async def test_a_redis_that_comes_and_goes_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with OwnRedis() as server:
        async with linked(server.url) as link:
            for _ in range(3):
                mend = frozen(server)
                assert await link.ask("PING") is AWAY
                mend()
                async with asyncio.timeout(20):
                    await link.up.wait()
    assert [record.message.split(" (")[0] for record in caplog.records] == ["Redis is away", "Redis is back"]


async def test_an_idle_connection_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.redis_link, "BEAT_S", 0.02)
    with OwnRedis() as server:
        async with linked(server.url) as link:
            server.freeze()
            await until(lambda: not link.up.is_set())
            server.thaw()
            async with asyncio.timeout(20):
                await link.up.wait()


async def test_a_server_that_may_only_be_read_is_left_for_the_one_that_is_there_later() -> None:
    with OwnRedis() as server:
        async with linked(server.url) as link, linked(server.url) as operator:
            await operator.ask("REPLICAOF", "127.0.0.1", "1")
            assert await link.ask("SET", "a", "b") is AWAY
            assert not link.up.is_set()
            await operator.ask("REPLICAOF", "NO", "ONE")
            await become(b"OK", lambda: link.ask("SET", "a", "b"))
