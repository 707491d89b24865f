"""Webhooks: what is sent, in which order, how often again, and what an answer may contain."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import telegram
from aiohttp import web

from bot.simulator import Bot, Person, Simulator
from bot.simulator.webhooks import wait_before_retry

from .conftest import Call, Clock, until, words

Answer = Callable[[dict[str, Any]], web.Response]


class Receiver:
    """The bot's side of a webhook: keeps what comes and answers as told."""

    def __init__(self) -> None:
        self.url = ""
        self.updates: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Answer = lambda _update: web.Response()
        self._arrived = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.headers.append(dict(request.headers))
        async with self._arrived:
            self.updates.append(update)
            self._arrived.notify_all()
        return self.answer(update)

    async def received(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.updates) >= count)
        return self.updates

    def texts(self) -> list[str]:
        return [update["message"]["text"] if "message" in update else "pressed" for update in self.updates]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


@pytest.fixture
def waits(sim: Simulator) -> list[float]:
    """Seconds that the simulator wanted to wait before trying again; none of them passes."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    sim.sleep = sleep
    return waited


async def confirmed(sim: Simulator, bank: Bot) -> None:
    await until(lambda: sim.pending(bank) == 0)


async def test_updates_come_with_the_secret(ptb: telegram.Bot, receiver: Receiver, ann: Person, bank: Bot, sim: Simulator) -> None:
    ann.send(bank, "before")
    assert await ptb.set_webhook(receiver.url, secret_token="s3cret", max_connections=3, allowed_updates=["message"])
    ann.send(bank, "after")
    await receiver.received(2)
    await confirmed(sim, bank)

    assert receiver.texts() == ["before", "after"]
    assert {headers["X-Telegram-Bot-Api-Secret-Token"] for headers in receiver.headers} == {"s3cret"}
    assert telegram.Update.de_json(receiver.updates[0], ptb).message is not None
    info = await ptb.get_webhook_info()
    assert (info.url, info.max_connections, info.pending_update_count) == (receiver.url, 3, 0)
    assert info.allowed_updates == ("message",)
    assert await ptb.delete_webhook()
    assert (await ptb.get_webhook_info()).url == ""


async def test_pending_updates_can_be_dropped(ptb: telegram.Bot, receiver: Receiver, ann: Person, bank: Bot, sim: Simulator) -> None:
    ann.send(bank, "a")
    await ptb.set_webhook(receiver.url, drop_pending_updates=True)
    ann.send(bank, "b")
    await receiver.received(1)
    assert receiver.texts() == ["b"]
    await confirmed(sim, bank)

    ann.send(bank, "c")
    await ptb.delete_webhook(drop_pending_updates=True)
    assert sim.pending(bank) == 0


async def test_failures_are_tried_again_and_block_their_queue_only(
    ptb: telegram.Bot, receiver: Receiver, ann: Person, bank: Bot, sim: Simulator, waits: list[float]
) -> None:
    await ptb.send_message(
        ann.id, "?", reply_markup=telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton("Y", callback_data="y")]])
    )
    failures = iter([500, 500, 502, 500])

    def answer(update: dict[str, Any]) -> web.Response:
        if update.get("message", {}).get("text") == "stuck":
            return web.Response(status=next(failures, 200))
        return web.Response()

    receiver.answer = answer
    await ptb.set_webhook(receiver.url)
    mark = sim.events.last
    ann.send(bank, "stuck")
    ann.send(bank, "next")
    ann.tap(bank, "Y")
    await receiver.received(7)
    await confirmed(sim, bank)

    texts = receiver.texts()
    assert [text for text in texts if text != "pressed"] == ["stuck"] * 5 + ["next"]
    assert texts.index("pressed") < 5
    assert waits == [2.0, 4.0, 8.0]
    info = await ptb.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
    failed = await sim.wait_for(lambda event: event.kind == "webhook_failure", after=mark)
    assert failed.details["failures"] == 1


async def test_retry_after_is_honoured(
    ptb: telegram.Bot, receiver: Receiver, ann: Person, bank: Bot, sim: Simulator, waits: list[float]
) -> None:
    answers = iter(["17", "99999"])

    def answer(_update: dict[str, Any]) -> web.Response:
        wait = next(answers, None)
        return web.Response() if wait is None else web.Response(status=429, headers={"Retry-After": wait})

    receiver.answer = answer
    await ptb.set_webhook(receiver.url)
    ann.send(bank, "a")
    await receiver.received(3)
    await confirmed(sim, bank)

    assert waits == [17.0, 3600.0]


async def test_an_unreachable_webhook_is_reported(ptb: telegram.Bot, ann: Person, bank: Bot, sim: Simulator, clock: Clock) -> None:
    stay = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await stay.wait()

    sim.sleep = sleep
    await ptb.set_webhook("http://127.0.0.1:9/")
    ann.send(bank, "a")
    await sim.wait_for(lambda event: event.kind == "webhook_failure" and event.details["failures"] == 2, after=0)

    info = await ptb.get_webhook_info()
    assert (info.last_error_message, info.last_error_date) == ("Connection refused", clock.time)
    assert info.pending_update_count == 1


async def test_an_answer_may_carry_a_method_call(ptb: telegram.Bot, receiver: Receiver, ann: Person, bank: Bot, sim: Simulator) -> None:
    def answer(update: dict[str, Any]) -> web.Response:
        text = update["message"]["text"]
        if text == "read":
            return web.json_response({"method": "getMe"})
        if text == "fail":
            return web.json_response({"method": "sendMessage", "chat_id": 5, "text": "x"})
        return web.json_response({"method": "sendMessage", "chat_id": ann.id, "text": f"echo {text}"})

    receiver.answer = answer
    await ptb.set_webhook(receiver.url)
    bank.requests.clear()
    for text in ("read", "fail", "hi"):
        ann.send(bank, text)

    assert (await ann.hear(bank)).text == "echo hi"
    await confirmed(sim, bank)
    assert sim.requests(bank) == {"sendMessage": 2}


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"url": "ftp://a.example"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "https://a.example", "secret_token": "no spaces"}, "secret token contains unallowed characters"),
        ({"url": "https://a.example", "allowed_updates": "x"},
         "can't parse allowed updates: expected an Array of String"),
    ],
)  # fmt: skip
async def test_refusals_of_webhooks(call: Call, params: dict[str, Any], refusal: str) -> None:
    assert words(await call("setWebhook", **params)) == f"400 Bad Request: {refusal}"


async def test_an_empty_address_removes_the_webhook(call: Call, bank: Bot) -> None:
    await call("setWebhook", url="http://127.0.0.1:9/")
    assert (await call("setWebhook", url=""))["result"] is True
    assert bank.webhook is None


def test_waits_between_tries() -> None:
    assert [wait_before_retry(failures) for failures in range(1, 10)] == [0, 2, 4, 8, 16, 32, 60, 60, 60]
