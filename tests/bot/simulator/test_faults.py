"""Ordered faults: what the bot meets, how often, and what was done all the same."""

import asyncio

import aiohttp
import pytest
import telegram
from aiogram import Bot as Gram
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter, TelegramServerError

from bot.simulator import Bot, Person, Server, Simulator

from .conftest import TOKEN, Call, until, words


def sent_texts(sim: Simulator) -> list[str]:
    return [message.text for message in sim.delivered("bank_bot")]


async def test_too_many_requests(ptb: telegram.Bot, sim: Simulator, ann: Person, server: Server, http: aiohttp.ClientSession) -> None:
    sim.order_fault("too_many_requests", times=2, method="sendMessage", retry_after_s=7)

    with pytest.raises(telegram.error.RetryAfter) as refusal:
        await ptb.send_message(ann.id, "x")
    assert refusal.value._retry_after.total_seconds() == 7
    params = {"chat_id": str(ann.id), "text": "x"}
    async with http.get(f"{server.url}/bot{TOKEN}/sendMessage", params=params) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
        assert await response.json() == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        }
    assert await ptb.send_message(ann.id, "x")
    assert sent_texts(sim) == ["x"]


async def test_other_refusals(call: Call, gram: Gram, sim: Simulator, ann: Person) -> None:
    sim.order_fault("server_error", code=502)
    sim.order_fault("server_error")
    sim.order_fault("error", code=403, description="Forbidden: user is deactivated")

    assert words(await call("getMe")) == "502 Bad Gateway"
    with pytest.raises(TelegramServerError):
        await gram.get_me()
    assert words(await call("getMe")) == "403 Forbidden: user is deactivated"
    sim.order_fault("too_many_requests")
    with pytest.raises(TelegramRetryAfter):
        await gram.get_me()


async def test_a_lost_answer_was_delivered(gram: Gram, sim: Simulator, ann: Person) -> None:
    sim.order_fault("lost_answer")
    with pytest.raises(TelegramNetworkError):
        await gram.send_message(ann.id, "delivered")

    sim.order_fault("lost_answer", seconds=30)
    mark = sim.events.last
    hanging = asyncio.create_task(gram.send_message(ann.id, "too"))
    await sim.wait_for(lambda event: event.text == "too", after=mark)
    assert not hanging.done()
    hanging.cancel()
    assert sent_texts(sim) == ["delivered", "too"]


async def test_a_refusal_is_lost_too(gram: Gram, sim: Simulator) -> None:
    sim.order_fault("lost_answer")
    with pytest.raises(TelegramNetworkError):
        await gram.send_message(5, "x")


async def test_a_dropped_connection_did_nothing(ptb: telegram.Bot, sim: Simulator, ann: Person) -> None:
    sim.order_fault("dropped_connection")
    with pytest.raises(telegram.error.NetworkError):
        await ptb.send_message(ann.id, "x")

    assert sent_texts(sim) == []
    assert await ptb.send_message(ann.id, "y")


async def test_a_delay_comes_before(call: Call, sim: Simulator, ann: Person) -> None:
    loop = asyncio.get_running_loop()
    sim.order_fault("delay", seconds=0.05)
    started = loop.time()

    assert (await call("getMe"))["ok"]
    assert loop.time() - started >= 0.05


async def test_filters_and_withdrawal(call: Call, sim: Simulator, ann: Person) -> None:
    sim.order_fault("error", bot="other_bot")
    sim.order_fault("error", chat_id=ann.id + 1)
    mine = sim.order_fault("error", bot="@bank_bot", method="SENDMESSAGE", chat_id=ann.id, times=5)
    assert (await call("getMe"))["ok"]
    assert words(await call("sendMessage", chat_id=ann.id, text="x")) == "400 Bad Request"
    assert (mine.times, len(sim.faults.waiting())) == (4, 3)

    sim.faults.clear(mine.id)
    assert (await call("sendMessage", chat_id=ann.id, text="x"))["ok"]
    sim.faults.clear()
    assert not sim.faults


async def test_an_update_comes_twice(call: Call, sim: Simulator, ann: Person, bank: Bot) -> None:
    sim.order_fault("duplicate_update", method="message", chat_id=ann.id)
    ann.send(bank, "a")
    (first,) = (await call("getUpdates"))["result"]
    (second,) = (await call("getUpdates", offset=first["update_id"] + 1))["result"]

    assert first == second
    assert (await call("getUpdates", offset=first["update_id"] + 1))["result"] == []


async def test_updates_overtake_each_other(call: Call, sim: Simulator, ann: Person, bank: Bot) -> None:
    sim.order_fault("reordered_update")
    ann.send(bank, "a")
    assert sim.pending(bank) == 0
    ann.send(bank, "b")
    updates = (await call("getUpdates"))["result"]

    assert [update["message"]["text"] for update in updates] == ["b", "a"]
    assert updates[0]["update_id"] > updates[1]["update_id"]
    assert (await call("getUpdates", offset=updates[0]["update_id"] + 1))["result"] == []


async def test_an_update_comes_late(call: Call, sim: Simulator, ann: Person, bank: Bot) -> None:
    come = asyncio.Event()

    async def sleep(seconds: float) -> None:
        assert seconds == 90
        await come.wait()

    sim.sleep = sleep
    sim.order_fault("late_update", seconds=90)
    ann.send(bank, "late")
    ann.send(bank, "on time")
    (on_time,) = (await call("getUpdates"))["result"]
    poll = asyncio.create_task(call("getUpdates", offset=on_time["update_id"] + 1, timeout=50))
    await until(lambda: bank.requests["getUpdates"] == 2)
    come.set()

    (late,) = (await poll)["result"]
    assert (on_time["message"]["text"], late["message"]["text"]) == ("on time", "late")
    assert late["update_id"] < on_time["update_id"]
