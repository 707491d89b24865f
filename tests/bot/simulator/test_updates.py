"""getUpdates: offsets, limits, retention, allowed types, long polls and their conflicts."""

import asyncio
from typing import Any

import telegram

from bot.simulator import Bot, Person, Simulator, serve
from bot.simulator.updates import UpdateQueue

from .conftest import TOKEN, Call, Clock, until, words

TERMINATED = "409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


async def texts(call: Call, **params: Any) -> list[str]:
    return [update["message"]["text"] for update in (await call("getUpdates", **params))["result"]]


async def test_updates_stay_until_an_offset_confirms_them(call: Call, ann: Person, bank: Bot, sim: Simulator) -> None:
    for text in ("a", "b", "c"):
        ann.send(bank, text)

    assert await texts(call) == await texts(call, offset=0) == ["a", "b", "c"]
    first = (await call("getUpdates", limit=1))["result"][0]["update_id"]
    assert await texts(call, offset=first + 1) == ["b", "c"]
    assert sim.pending(bank) == 2
    assert await texts(call, offset=first) == ["b", "c"]
    assert await texts(call, offset=first + 3) == []
    assert sim.pending(bank) == 0


async def test_a_negative_offset_keeps_the_newest(call: Call, ann: Person, bank: Bot) -> None:
    for text in ("a", "b", "c"):
        ann.send(bank, text)

    assert await texts(call, offset=-2) == ["b", "c"]
    assert await texts(call) == ["b", "c"]
    assert await texts(call, offset=-9) == ["b", "c"]


async def test_limits(call: Call, ann: Person, bank: Bot) -> None:
    for number in range(105):
        ann.send(bank, str(number))

    assert len(await texts(call, limit=7)) == 7
    assert len(await texts(call)) == len(await texts(call, limit=0)) == len(await texts(call, limit=500)) == 100


async def test_what_nobody_fetches_is_forgotten(call: Call, ptb: telegram.Bot, ann: Person, bank: Bot, clock: Clock) -> None:
    markup = telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton("Y", callback_data="y")]])
    await ptb.send_message(ann.id, "?", reply_markup=markup)
    ann.send(bank, "a")
    ann.tap(bank, "Y")
    clock.move(seconds=149)
    assert len((await call("getUpdates"))["result"]) == 2
    clock.move(seconds=1)
    assert await texts(call) == ["a"]
    clock.move(hours=24)
    assert await texts(call) == []


async def test_reactions_come_only_when_asked_for(call: Call, ann: Person, bank: Bot) -> None:
    message = ann.send(bank, "a")
    ann.react(bank, message, "👍")
    assert len((await call("getUpdates", allowed_updates=["message_reaction", "nonsense"]))["result"]) == 1

    ann.react(bank, message, None)
    ann.send(bank, "not asked for")
    update = (await call("getUpdates"))["result"][-1]["message_reaction"]
    assert (update["old_reaction"], update["new_reaction"]) == ([{"type": "emoji", "emoji": "👍"}], [])
    assert (await call("getWebhookInfo"))["result"]["allowed_updates"] == ["message_reaction"]

    await call("getUpdates", allowed_updates=[], offset=-1)
    ann.react(bank, message, "🎉")
    ann.send(bank, "b")
    assert "message" in (await call("getUpdates"))["result"][-1]


async def test_a_long_poll_waits_for_the_next_update(call: Call, ann: Person, bank: Bot, sim: Simulator) -> None:
    assert (await call("getUpdates", timeout=0))["result"] == []
    poll = asyncio.create_task(call("getUpdates", timeout=50))
    await until(lambda: bank.requests["getUpdates"] == 2)
    ann.send(bank, "late")

    assert (await poll)["result"][0]["message"]["text"] == "late"


async def test_a_newer_poll_ends_the_older(call: Call, ann: Person, bank: Bot) -> None:
    older = asyncio.create_task(call("getUpdates", timeout=50))
    await until(lambda: bank.requests["getUpdates"] == 1)
    newer = asyncio.create_task(call("getUpdates", timeout=50))

    assert words(await older) == TERMINATED
    ann.send(bank, "a")
    assert len((await newer)["result"]) == 1


async def test_a_webhook_and_polling_exclude_each_other(call: Call, bank: Bot) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=50))
    await until(lambda: bank.requests["getUpdates"] == 1)
    await call("setWebhook", url="http://127.0.0.1:9/")

    assert words(await poll) == "409 Conflict: terminated by setWebhook request"
    assert words(await call("getUpdates")) == (
        "409 Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )
    await call("deleteWebhook")
    assert (await call("getUpdates"))["ok"]


async def test_a_repeated_offset_waits(clock: Clock, ann: Person) -> None:
    queue = UpdateQueue(clock, limit=10, repeat_window_s=0.05)
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await queue.get(0, 100, 0) == []
    assert loop.time() - started < 0.04
    assert await queue.get(0, 100, 0) == []
    assert loop.time() - started >= 0.05
    queue.put(queue.make("message", {"text": "a"}, "chat:1"))
    assert len(await queue.get(0, 100, 0)) == 1


async def test_a_full_queue_drops_the_oldest(clock: Clock) -> None:
    queue = UpdateQueue(clock, limit=2, repeat_window_s=0)
    for text in ("a", "b", "c"):
        queue.put(queue.make("message", {"text": text}, "chat:1"))

    assert [update["message"]["text"] for update in await queue.get(0, 100, 0)] == ["b", "c"]


async def test_updates_of_two_bots_are_apart(call: Call, ann: Person, bank: Bot, sim: Simulator) -> None:
    other = sim.add_bot("other_bot")
    ann.send(bank, "to bank")
    ann.send(other, "to other")

    assert await texts(call) == ["to bank"]
    assert await texts(call, token=other.token) == ["to other"]


async def test_stopping_ends_open_polls(sim: Simulator, bank: Bot) -> None:
    async with serve(sim) as server:
        client = telegram.Bot(TOKEN, base_url=f"{server.url}/bot")
        await client.initialize()
        poll = asyncio.create_task(client.get_updates(timeout=50))
        await until(lambda: bank.requests["getUpdates"] == 1)
    assert isinstance((await asyncio.gather(poll, return_exceptions=True))[0], telegram.error.TelegramError)
    await client.shutdown()
