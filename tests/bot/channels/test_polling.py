"""The poll loop: an update is confirmed only after it was stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bot.channels.polling import PollLoop, Raw

Wait = Callable[[float], Any]


class Telegram:
    """Serves the updates from an offset on, as getUpdates does; ends the test's poll when everything is confirmed."""

    def __init__(self, *ids: int) -> None:
        self.ids = ids
        self.offsets: list[int | None] = []
        self.trouble: list[Exception] = []

    async def fetch(self, offset: int | None, _timeout_s: int) -> list[Raw]:
        self.offsets.append(offset)
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble.pop(0)
        if offset is not None and offset > max(self.ids):
            raise asyncio.CancelledError
        return [{"update_id": id_} for id_ in self.ids if offset is None or id_ >= offset][:2]


class Store:
    def __init__(self, *trouble: Exception) -> None:
        self.trouble = list(trouble)
        self.seen: list[list[int]] = []

    async def __call__(self, raws: Sequence[Raw]) -> None:
        self.seen.append([raw["update_id"] for raw in raws])
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble.pop(0)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the loop makes, without making them."""
    made: list[float] = []
    wait = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds:
            made.append(seconds)
        await wait(0)

    monkeypatch.setattr("bot.channels.polling.asyncio.sleep", sleep)
    return made


async def poll(telegram: Telegram, store: Store) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await PollLoop("test", telegram.fetch, store).run()


async def test_the_offset_moves_past_what_was_stored() -> None:
    telegram, store = Telegram(5, 6, 9), Store()
    await poll(telegram, store)

    assert store.seen == [[5, 6], [9]]
    assert telegram.offsets == [None, 7, 10]


async def test_what_could_not_be_stored_comes_again(pauses: list[float]) -> None:
    telegram, store = Telegram(5, 6, 9), Store(OSError("full"), OSError("full"))
    await poll(telegram, store)

    assert store.seen == [[5, 6], [5, 6], [5, 6], [9]]
    assert telegram.offsets == [None, None, None, 7, 10]
    assert pauses == [0.5, 1]


async def test_updates_are_stored_in_their_order() -> None:
    telegram, store = Telegram(6, 5), Store()
    await poll(telegram, store)

    assert store.seen == [[5, 6]]


async def test_a_failing_fetch_is_tried_again_when_telegram_wants_it(pauses: list[float], caplog: pytest.LogCaptureFixture) -> None:
    class TooMany(Exception):
        retry_after = 17.0

    telegram, store = Telegram(5), Store()
    telegram.trouble = [TooMany("Too Many Requests"), *(OSError() for _ in range(9))]
    await poll(telegram, store)

    assert store.seen == [[5]]
    assert pauses == [17, 1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert "fetching updates failed (TooMany: Too Many Requests); again in 17.0 s" in caplog.text


async def test_a_kill_while_storing_confirms_nothing() -> None:
    stored = asyncio.Event()
    telegram = Telegram(5)

    async def hang(_raws: Sequence[Raw]) -> None:
        stored.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(PollLoop("test", telegram.fetch, hang).run())
    await stored.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert telegram.offsets == [None]
