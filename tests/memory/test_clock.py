"""Clocks: the manual one stands still until it is moved."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta

from memory.clock import ManualClock, SystemClock


async def settle() -> None:
    """Let everyone who can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_nobody_wakes_before_their_time(clock: ManualClock) -> None:
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.create_task(sleeper(name, seconds)) for name, seconds in (("late", 10), ("early", 5), ("same", 5), ("now", 0))]
    await settle()
    assert woken == ["now"]
    clock.advance(4.9)
    await settle()
    assert woken == ["now"]
    clock.advance(0.1)
    await settle()
    assert woken == ["now", "early", "same"]
    clock.advance(60)
    await asyncio.gather(*tasks)
    assert woken[-1] == "late"


async def test_time_moves_only_by_hand(clock: ManualClock) -> None:
    before = clock.now()
    await settle()
    assert clock.now() == before
    clock.advance(1.5)
    assert clock.now() == before + timedelta(seconds=1.5)


async def test_a_wait_ends_with_its_event(clock: ManualClock) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(clock.wait(event, 60))
    await settle()
    assert not waiting.done()
    event.set()
    await waiting
    clock.advance(60)  # whoever left does not disturb


async def test_a_wait_ends_with_its_time(clock: ManualClock) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(clock.wait(event, 60))
    await settle()
    clock.advance(60)
    await waiting
    assert not event.is_set()


async def test_a_cancelled_wait_leaves_nobody_behind(clock: ManualClock) -> None:
    waiting = asyncio.create_task(clock.wait(asyncio.Event(), 60))
    await settle()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    clock.advance(60)


async def test_the_systems_clock_is_aware_and_waits_no_longer_than_it_must() -> None:
    clock = SystemClock()
    event = asyncio.Event()

    assert clock.now().tzinfo is UTC
    await clock.wait(event, 0.001)
    event.set()
    async with asyncio.timeout(5):
        await clock.wait(event, 60)
    await clock.sleep(0)


async def test_who_is_cancelled_while_waking_up_is_cancelled() -> None:
    """A loop that waits must end when it is told to, even if what it waits for comes in the same moment."""
    clock, event = SystemClock(), asyncio.Event()

    async def look_for_ever() -> None:
        while True:
            event.clear()
            await clock.wait(event, 60)

    loop = asyncio.create_task(look_for_ever())
    for _ in range(3):
        await asyncio.sleep(0)  # it waits
    event.set()
    await asyncio.sleep(0)
    loop.cancel()
    await asyncio.wait([loop], timeout=5)
    assert loop.cancelled()
