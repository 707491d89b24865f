"""Wake-ups between the loops: in-process, or through Redis when there is more than one process.

A signal only makes things faster. Whoever waits for one also looks at the database from time to time, so a lost signal loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import redis.asyncio as redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

CHANNEL = "legato:wake"
RECONNECT_S = 1.0


class Signals(Protocol):
    """Tell and be told that there is something to do."""

    def listen(self, topic: str) -> asyncio.Event:
        """An event that is set whenever ``topic`` is notified, here or in another process; the listener clears it."""

    def notify(self, topic: str) -> None:
        """Wake everyone who listens to ``topic``. Never waits, never fails."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class LocalSignals:
    """Wake-ups inside one process."""

    def __init__(self) -> None:
        self._events: dict[str, list[asyncio.Event]] = {}

    def listen(self, topic: str) -> asyncio.Event:
        event = asyncio.Event()
        self._events.setdefault(topic, []).append(event)
        return event

    def notify(self, topic: str) -> None:
        for event in self._events.get(topic, ()):
            event.set()

    async def start(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""


class RedisSignals(LocalSignals):
    """Wake-ups among processes. Listeners here are woken at once, the others through Redis as soon as it answers."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._redis = redis.Redis.from_url(url, socket_connect_timeout=2, health_check_interval=15)
        self._outgoing: set[str] = set()
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def notify(self, topic: str) -> None:
        super().notify(topic)
        self._outgoing.add(topic)  # many notifications of one topic are one message
        self._something.set()

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(self._publish)), asyncio.create_task(self._keep(self._subscribe))]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run one of the two directions for ever; while Redis is away, everyone falls back on looking by themselves."""
        away = False
        while True:
            try:
                await work()
            except (RedisError, OSError, TimeoutError) as error:
                if not away:
                    log.warning("Redis is away (%s); wake-ups between processes wait for it", type(error).__name__)
                away = True
                await asyncio.sleep(RECONNECT_S)
            else:
                away = False

    async def _publish(self) -> None:
        await self._something.wait()
        self._something.clear()
        while self._outgoing:
            topic = self._outgoing.pop()  # first: what is notified from now on is a message of its own
            try:
                await self._redis.publish(CHANNEL, topic)
            except BaseException:
                self._outgoing.add(topic)
                self._something.set()
                raise

    async def _subscribe(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(CHANNEL)
            for events in self._events.values():  # something may have been missed while there was no subscription
                for event in events:
                    event.set()
            async for message in pubsub.listen():
                super().notify(message["data"].decode())
