"""The loops that everything runs in, and the batcher that lets many finished things share a commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from memory.clock import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

IDLE_S = 1.0
"""How long a loop waits at most before it looks by itself: what a lost wake-up can cost."""

MAX_PAUSE_S = 30.0


class Looks(Protocol):
    """Something that looks again and again whether there is anything to do; ``wake`` cuts its waiting short."""

    wake: asyncio.Event

    async def look(self) -> float:
        """One round; returns the seconds until the next one."""


async def keep_looking(name: str, look: Callable[[], Awaitable[float]], *, wake: asyncio.Event, clock: Clock) -> None:
    """Call ``look`` for ever. It returns the seconds until it wants to look again; 0 means at once.

    ``wake`` cuts the waiting short. An exception is logged and followed by a growing pause, never by the end of the loop.
    """
    failures = 0
    while True:
        wake.clear()
        try:
            pause = await look()
        except Exception:
            failures += 1
            pause = min(MAX_PAUSE_S, 0.25 * 2**failures)
            log.exception("%s failed; it looks again in %.1f s", name, pause)
            await asyncio.sleep(pause)  # real time: the trouble is outside, whatever clock the rest runs by
            continue
        failures = 0
        if pause > 0:
            await clock.wait(wake, min(pause, IDLE_S))


class Running:
    """The tasks that a loop has started and not yet seen the end of; ``wake`` is set when one ends."""

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside the loop."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def finish(self, timeout_s: float) -> None:
        """Wait for what runs."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    async def abandon(self) -> None:
        """Drop what runs, as a killed process does."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()


class Batcher(Generic[T, R]):
    """Collects items while a flush is under way, and flushes what has come together in one call.

    ``flush`` takes the items and returns one result for each, in order. If it raises, each item is flushed alone, so that one bad item
    fails alone; ``flush`` therefore must be safe to repeat.
    """

    def __init__(self, flush: Callable[[list[T]], Awaitable[list[R]]], *, most: int = 64) -> None:
        self._flush = flush
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, item: T) -> R:
        """Hand over an item; returns its result, or raises what its flush raised."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # whoever is ready to hand something over now comes along
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                try:
                    results = await self._flush([item for item, _ in batch])
                except Exception:
                    await self._one_by_one(batch)
                else:
                    for (_, done), result in zip(batch, results, strict=True):
                        if not done.done():
                            done.set_result(result)
        finally:
            self._task = None

    async def _one_by_one(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        for item, done in batch:
            try:
                result = (await self._flush([item]))[0]
            except Exception as error:
                if not done.done():
                    done.set_exception(error)
            else:
                if not done.done():
                    done.set_result(result)
