"""The clock that a script moves, and who is waiting on it: how the runner knows that nothing is going on."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

from memory.clock import ManualClock

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class StageClock(ManualClock):
    """Stands still until it is moved.

    A loop is parked from the moment it waits until what it waits for has come: its wake-up is set, or its time is over. ``stirred`` is set
    whenever a loop parks.
    """

    def __init__(self) -> None:
        super().__init__(START)
        self.stirred = asyncio.Event()
        self.parkings = 0
        """How often any loop has parked: it has looked once more."""
        self._parked: dict[asyncio.Task[object], tuple[asyncio.Event, datetime]] = {}
        self._sleeping: dict[int, datetime] = {}
        self._numbers = itertools.count()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        until = self.now() + timedelta(seconds=seconds)
        self._parked[task] = (event, until)
        self.parkings += 1
        self.stirred.set()
        either = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._sleep_until(until))]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._parked[task]
            for one in either:
                one.cancel()

    async def _sleep_until(self, at: datetime) -> None:
        """The clock may have moved since the waiting was asked for: what counts is when that was."""
        await self.sleep((at - self.now()).total_seconds())

    async def sleep(self, seconds: float) -> None:
        number = next(self._numbers)
        self._sleeping[number] = self.now() + timedelta(seconds=seconds)
        try:
            await super().sleep(seconds)
        finally:
            del self._sleeping[number]

    def parked(self) -> int:
        """How many loops wait for something that has not come yet."""
        return sum(not event.is_set() and until > self.now() for event, until in self._parked.values())

    @property
    def is_waking(self) -> bool:
        """Whether somebody's time is over who has not gone on yet."""
        return any(until <= self.now() for until in self._sleeping.values())
