"""A simulator over HTTP with one bot, one person and real clients of two libraries."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import aiogram
import aiohttp
import pytest
import telegram
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from telegram.request import HTTPXRequest

from bot.simulator import Bot, Group, Person, Server, Simulator, serve

TOKEN = "42:" + "T" * 35

Call = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sim(clock: Clock) -> Simulator:
    return Simulator(now=clock, strict=True, repeat_window_s=0)


@pytest.fixture
async def server(sim: Simulator) -> AsyncIterator[Server]:
    async with serve(sim) as server:
        yield server


@pytest.fixture
def bank(sim: Simulator) -> Bot:
    return sim.add_bot("bank_bot", token=TOKEN, name="Bank")


@pytest.fixture
def ann(sim: Simulator, bank: Bot) -> Person:
    """Ann has started the bot, and it has confirmed that."""
    ann = sim.add_person("Ann", last_name="Lee", username="ann", language_code="en")
    ann.start(bank)
    bank.queue.drop_all()
    return ann


@pytest.fixture
def desk(sim: Simulator, ann: Person, bank: Bot) -> Group:
    """A forum in which Ann is the creator and the bot an administrator."""
    desk = sim.add_group("Desk", admins=[ann], bots=[bank])
    bank.queue.drop_all()
    return desk


@pytest.fixture
async def ptb(server: Server, bank: Bot) -> AsyncIterator[telegram.Bot]:
    """python-telegram-bot's client: the judge of every answer."""
    requests = [HTTPXRequest(httpx_kwargs={"verify": False}) for _ in range(2)]  # certificates take long to load
    async with telegram.Bot(
        TOKEN,
        base_url=f"{server.url}/bot",
        base_file_url=f"{server.url}/file/bot",
        request=requests[0],
        get_updates_request=requests[1],
    ) as client:
        bank.requests.clear()
        yield client


@pytest.fixture
async def gram(server: Server, bank: Bot) -> AsyncIterator[aiogram.Bot]:
    """aiogram's client."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with aiogram.Bot(TOKEN, session=session) as client:
        yield client
        await (await session.create_session()).close()  # closing it itself, aiogram waits for the end of TLS that is not there


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def call(server: Server, bank: Bot, http: aiohttp.ClientSession) -> Call:
    """Call a method with JSON parameters; the whole answer, whatever its status."""

    async def call(method: str, token: str = TOKEN, **params: Any) -> dict[str, Any]:
        async with http.post(f"{server.url}/bot{token}/{method}", json=params) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == answer.get("error_code", 200)
            return answer

    return call


def words(answer: dict[str, Any]) -> str:
    """Code and description of a refusal."""
    assert answer["ok"] is False
    return f"{answer['error_code']} {answer['description']}"


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until something holds that announces itself to nobody."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)
