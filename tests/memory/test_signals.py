"""Wake-ups and live updates in one process and, through Redis, among several. Whatever happens to Redis disturbs nobody."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import redis.asyncio as redis

import memory.redis_link
from memory.redis_link import RedisLink
from memory.signals import CHANGED, MOST_KEPT, LocalSignals, Payload, RedisSignals, Subscription
from tests.own_redis import FAULTS, Mend, OwnRedis, flushed, impatient, until

PREFIX = f"signals{os.getpid()}:"
"""Of this process's tests alone: the server may be shared."""

CHANNEL = f"{PREFIX}signals"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)


@asynccontextmanager
async def started(url: str, prefix: str = PREFIX) -> AsyncIterator[RedisSignals]:
    """Signals that have subscribed: a first subscription wakes every listener once."""
    link = RedisLink(url, prefix=prefix, name="test")
    signals = RedisSignals(link)
    ready = signals.listen("ready")
    await link.start()
    await signals.start()
    try:
        await woken(ready)
        yield signals
    finally:
        await signals.close()
        await link.close()


async def woken(event: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await event.wait()


async def told(subscription: Subscription, count: int) -> list[Payload | None]:
    async with asyncio.timeout(20):
        return [await anext(subscription) for _ in range(count)]


async def test_listeners_of_a_topic_are_woken_and_no_others() -> None:
    signals = LocalSignals()
    await signals.start()
    first, second, other = signals.listen("turn"), signals.listen("turn"), signals.listen("telegram")

    signals.notify("turn")
    signals.notify("nobody listens")

    assert (first.is_set(), second.is_set(), other.is_set()) == (True, True, False)
    await signals.close()


async def test_live_updates_come_in_order_to_who_subscribed() -> None:
    signals = LocalSignals()
    signals.publish(CHANGED, {"turn": 0})
    with signals.subscribe(CHANGED) as first, signals.subscribe(CHANGED) as second, signals.subscribe("other") as other:
        signals.publish(CHANGED, {"turn": 1}, {"turn": 2})

        assert await told(first, 2) == second.take() == [{"turn": 1}, {"turn": 2}]
        assert (other.take(), other.ready.is_set()) == ([], False)
    signals.publish(CHANGED, {"turn": 3})
    assert first.take() == []


async def test_a_slow_subscriber_loses_the_oldest_and_is_told() -> None:
    signals = LocalSignals()
    with signals.subscribe(CHANGED) as slow:
        signals.publish(CHANGED, *({"turn": number} for number in range(MOST_KEPT + 3)))

        assert await told(slow, 2) == [None, {"turn": 3}]
        assert slow.take()[-1] == {"turn": MOST_KEPT + 2}
        signals.publish(CHANGED, {"turn": 9})
        assert slow.take() == [{"turn": 9}]


async def test_ready_says_that_something_waits() -> None:
    signals = LocalSignals()
    with signals.subscribe(CHANGED) as subscription:
        assert not subscription.ready.is_set()
        signals.publish(CHANGED, {"turn": 1})
        assert subscription.ready.is_set()
        assert subscription.take() == [{"turn": 1}]
        assert not subscription.ready.is_set()


async def test_another_process_is_woken(redis_url: str) -> None:
    async with started(redis_url) as one, started(redis_url) as two:
        here, there, other = one.listen("turn"), two.listen("turn"), two.listen("telegram")

        one.notify("turn")

        assert here.is_set()
        await woken(there)
        assert not other.is_set()


async def test_another_process_gets_live_updates_and_ones_own_come_once(redis_url: str) -> None:
    async with started(redis_url) as one, started(redis_url) as two:
        with one.subscribe(CHANGED) as here, two.subscribe(CHANGED) as there, two.subscribe("answer") as answer:
            one.publish(CHANGED, {"customer": 12, "turn": 345})
            one.publish(CHANGED, {"customer": 13, "turn": 346})
            assert await told(there, 2) == [{"customer": 12, "turn": 345}, {"customer": 13, "turn": 346}]

            one.publish("answer", {"turn": 1})  # what came back of the first ones has come before this
            assert await told(answer, 1) == [{"turn": 1}]
            assert here.take() == [{"customer": 12, "turn": 345}, {"customer": 13, "turn": 346}]


async def test_installations_that_share_a_server_do_not_meet(redis_url: str) -> None:
    async with started(redis_url) as one, started(redis_url, "elsewhere:") as stranger, started(redis_url) as two:
        strange, there = stranger.listen("turn"), two.listen("turn")
        with stranger.subscribe(CHANGED) as strange_updates, two.subscribe(CHANGED) as updates:
            one.notify("turn")
            one.publish(CHANGED, {"turn": 1})
            await woken(there)
            await told(updates, 1)

            stranger_is_heard = stranger.listen("own")
            stranger.notify("own")
            await woken(stranger_is_heard)
            assert (strange.is_set(), strange_updates.take()) == (False, [])


async def test_what_is_notified_while_one_is_on_its_way_is_sent_too(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process may have looked between the two."""
    monkeypatch.setattr(memory.redis_link, "ANSWER_S", 20.0)
    async with started(redis_url) as signals, redis.Redis.from_url(redis_url) as client, client.pubsub() as heard:
        await heard.subscribe(CHANNEL)
        await client.execute_command("CLIENT", "PAUSE", "30000", "WRITE")  # type: ignore[no-untyped-call]
        try:
            signals.notify("turn")
            await _blocked(client)
            signals.notify("turn")
            signals.notify("telegram")
        finally:
            await client.execute_command("CLIENT", "UNPAUSE")  # type: ignore[no-untyped-call]

        async with asyncio.timeout(20):
            got = [orjson.loads(one["data"].partition(b" ")[2])[0] async for one in _messages(heard, 2)]
        assert got == [["turn"], ["telegram", "turn"]]


async def _blocked(client: Any) -> None:
    async with asyncio.timeout(20):
        while not (await client.info("clients"))["blocked_clients"]:
            pass


async def _messages(heard: Any, count: int) -> AsyncIterator[dict[str, Any]]:
    async for message in heard.listen():
        if message["type"] == "message":
            yield message
            count -= 1
            if not count:
                return


@pytest.mark.parametrize("nonsense", [b"", b"x", b"x {", b"x [1]", b'x [["turn"], [["changed"]], false]', b"x [[], [[1, 2]], false]"])
async def test_what_another_version_says_has_everyone_look(redis_url: str, nonsense: bytes) -> None:
    async with started(redis_url) as signals, redis.Redis.from_url(redis_url) as client:
        event = signals.listen("turn")
        with signals.subscribe(CHANGED) as updates:
            await client.publish(CHANNEL, nonsense)

            await woken(event)
            assert await told(updates, 1) == [None]


async def test_redis_is_told_who_connects(redis_url: str) -> None:
    async with started(redis_url), redis.Redis.from_url(redis_url) as client:
        names = [one["name"] for one in await client.client_list()]
    assert names.count(f"{PREFIX}test") == 2


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_happens_to_redis_signals_go_on_here_and_come_back_there(
    fault: Callable[[OwnRedis], Mend], caplog: pytest.LogCaptureFixture
) -> None:
    with OwnRedis() as server:
        async with started(server.url) as one, started(server.url) as two:
            here, there = one.listen("turn"), two.listen("turn")
            with one.subscribe(CHANGED) as near, two.subscribe(CHANGED) as far:
                mend = fault(server)
                one.notify("turn")
                one.publish(CHANGED, {"turn": 1})
                assert here.is_set()
                assert near.take() == [{"turn": 1}]
                if fault is not flushed:
                    await until(lambda: _is_logged(caplog, "Redis is away"))
                    one.notify("telegram")
                    one.publish(CHANGED, {"turn": 2})
                mend()

                await woken(there)
                assert (await told(far, 1))[0] in ({"turn": 1}, None)  # it has come, or the other knows that something may have

                there.clear()
                one.notify("turn")
                await woken(there)
                one.publish(CHANGED, {"turn": 3})
                async with asyncio.timeout(20):
                    while await anext(far) != {"turn": 3}:
                        pass
    lines = [record.message for record in caplog.records]
    assert sum("Redis is away" in line for line in lines) <= 2  # once for each of the two
    assert sum("Redis is back" in line for line in lines) <= 2


async def test_a_frozen_redis_is_noticed_by_who_only_listens(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is sent, so nothing fails: only silence tells."""
    monkeypatch.setattr(memory.signals, "BEAT_S", 0.05)
    monkeypatch.setattr(memory.signals, "SILENCE_S", 0.2)
    with OwnRedis() as server:
        async with started(server.url) as signals:
            with signals.subscribe(CHANGED) as updates:
                server.freeze()
                await until(lambda: _is_logged(caplog, "Redis is away"))
                server.thaw()
                assert await told(updates, 1) == [None]
                await until(lambda: _is_logged(caplog, "Redis is back"))
    assert [record.message for record in caplog.records].count("Redis is back") == 1


def _is_logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return any(text in record.message for record in caplog.records)


async def test_without_redis_nothing_fails_and_little_waits() -> None:
    nobody = OwnRedis()  # never started
    link = RedisLink(nobody.url)
    signals = RedisSignals(link)
    event = signals.listen("turn")
    await link.start()
    await signals.start()
    with signals.subscribe(CHANGED) as updates:
        for number in range(3 * MOST_KEPT):
            signals.notify("turn")
            signals.publish(CHANGED, {"turn": number})
        assert event.is_set()
        assert updates.take()[0] is None
    assert len(signals._live) == MOST_KEPT
    await signals.close()
    await link.close()


async def test_more_than_can_wait_is_made_good_by_having_the_others_look(redis_url: str) -> None:
    async with started(redis_url) as one, started(redis_url) as two:
        there = two.listen("turn")
        with two.subscribe(CHANGED) as updates:
            one.notify("turn")
            one.publish(CHANGED, *({"turn": number} for number in range(2 * MOST_KEPT)))

            await woken(there)
            await until(updates.ready.is_set)
            assert updates.take() == [None]


async def test_what_may_not_have_been_sent_is_made_good(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others' connections are fine all the time: only the one who tells knows that something went wrong."""
    monkeypatch.setattr(memory.redis_link, "ANSWER_S", 0.1)
    async with started(redis_url) as one, started(redis_url) as two, redis.Redis.from_url(redis_url) as client:
        there = two.listen("turn")
        with two.subscribe(CHANGED) as updates:
            await client.execute_command("CLIENT", "PAUSE", "30000", "WRITE")  # type: ignore[no-untyped-call]
            try:
                one.notify("turn")
                one.publish(CHANGED, {"turn": 1})
                await until(lambda: not one._link.up.is_set())
            finally:
                await client.execute_command("CLIENT", "UNPAUSE")  # type: ignore[no-untyped-call]

            await woken(there)
            async with asyncio.timeout(20):
                while await anext(updates) is not None:
                    pass
