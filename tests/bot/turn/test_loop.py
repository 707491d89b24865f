"""The loops and the batcher, whatever goes wrong in what they call."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from bot.turn.loop import Batcher, keep_looking
from memory.clock import ManualClock


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Flush:
    """Doubles numbers; 13 is refused."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    async def __call__(self, items: list[int]) -> list[int]:
        self.calls.append(items)
        await asyncio.sleep(0)
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


async def test_what_comes_together_is_flushed_together() -> None:
    flush = Flush()
    batcher = Batcher(flush)

    assert await asyncio.gather(*(batcher.add(n) for n in range(5))) == [0, 2, 4, 6, 8]
    assert flush.calls == [[0, 1, 2, 3, 4]]


async def test_no_flush_is_larger_than_most() -> None:
    flush = Flush()
    batcher = Batcher(flush, most=2)

    assert await asyncio.gather(*(batcher.add(n) for n in range(5))) == [0, 2, 4, 6, 8]
    assert flush.calls == [[0, 1], [2, 3], [4]]


async def test_one_bad_item_fails_alone() -> None:
    batcher = Batcher(Flush())

    results = await asyncio.gather(*(batcher.add(n) for n in (1, 13, 2)), return_exceptions=True)

    assert (results[0], results[2]) == (2, 4)
    assert isinstance(results[1], ValueError)
    assert await batcher.add(3) == 6


async def test_who_stops_waiting_does_not_disturb_the_others() -> None:
    batcher = Batcher(Flush())
    gone, stays = asyncio.create_task(batcher.add(1)), asyncio.create_task(batcher.add(2))
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == 4
    assert gone.cancelled()


async def test_a_loop_outlives_an_exception(clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    pauses: list[float] = []
    wait = asyncio.sleep

    async def no_sleep(seconds: float) -> None:
        if seconds:
            pauses.append(seconds)
        await wait(0)

    monkeypatch.setattr("bot.turn.loop.asyncio.sleep", no_sleep)
    looks = 0
    done = asyncio.Event()

    async def look() -> float:
        nonlocal looks
        looks += 1
        if looks <= 10:
            raise OSError("the database is away")
        done.set()
        return 5

    task = asyncio.create_task(keep_looking("the test", look, wake=asyncio.Event(), clock=clock))
    await done.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert caplog.text.count("the test failed") == 10


async def test_a_wake_up_during_a_look_is_not_lost(clock: ManualClock) -> None:
    wake, looks = asyncio.Event(), 0

    async def look() -> float:
        nonlocal looks
        looks += 1
        if looks == 1:
            wake.set()
        return 60

    task = asyncio.create_task(keep_looking("the test", look, wake=wake, clock=clock))
    await settle()
    assert looks == 2
    clock.advance(0.9)
    await settle()
    assert looks == 2
    clock.advance(0.1)  # a wake-up of another process may have been lost: it looks by itself
    await settle()
    assert looks == 3
    task.cancel()
