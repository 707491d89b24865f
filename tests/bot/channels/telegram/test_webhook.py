"""The webhook over HTTP: a 2xx means that the update is stored."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
import uvicorn

from bot.channels.telegram.intake import CustomerIntake
from bot.channels.telegram.webhook import MAX_BODY_BYTES, PATH, SECRET_HEADER, webhook_app
from bot.simulator import Person, Simulator
from memory.clock import ManualClock
from memory.database import Database
from memory.inbox import inbox_table, quarantined
from tests.bot.channels.telegram.test_updates import message

SECRET = "a-secret-of-the-webhook"

Intake = Callable[[Sequence[dict[str, Any]]], Any]


@asynccontextmanager
async def served(intake: Any, clock: ManualClock) -> AsyncIterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who connects before the server serves waits
        server = uvicorn.Server(uvicorn.Config(webhook_app(intake, clock, secret=SECRET), log_config=None, lifespan="off"))
        serving = asyncio.create_task(server._serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}"
        server.should_exit = True
        await serving


@pytest.fixture
async def url(intake: CustomerIntake, clock: ManualClock) -> AsyncIterator[str]:
    async with served(intake, clock) as url:
        yield url


async def post(url: str, body: bytes | dict[str, Any], secret: str | None = SECRET) -> int:
    headers = {} if secret is None else {SECRET_HEADER: secret}
    async with aiohttp.ClientSession() as http:
        content: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with http.post(url, headers=headers, **content) as response:
            return response.status


async def stored(database: Database) -> list[str]:
    rows = await database.read(lambda tx: list(tx.execute(sa.select(inbox_table).order_by(inbox_table.c.id))))
    return [row.incoming["text"] for row in rows]


async def test_a_2xx_says_that_it_is_stored(url: str, database: Database) -> None:
    assert await post(url, message(text="Hello")) == 200
    assert await stored(database) == ["Hello"]
    assert await post(url, message(text="Hello")) == 200
    assert await stored(database) == ["Hello"]


@pytest.mark.parametrize("secret", ["wrong", "", None, SECRET + "x"])
async def test_who_does_not_know_the_secret_gets_a_401(url: str, database: Database, secret: str | None) -> None:
    assert await post(url, message(text="Hello"), secret) == 401
    assert await stored(database) == []


async def test_what_is_larger_than_any_update_gets_a_413(url: str, database: Database) -> None:
    assert await post(url, b" " * (MAX_BODY_BYTES + 1)) == 413
    assert await database.read(quarantined) == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff\xfe", b"", b"{\x00"])
async def test_what_is_no_json_object_is_kept_and_never_comes_again(url: str, database: Database, body: bytes) -> None:
    for _ in range(2):
        assert await post(url, body) == 200

    assert len(await database.read(quarantined)) == 1


async def test_words_that_a_database_cannot_hold_hold_nobody_up(url: str, database: Database) -> None:
    assert await post(url, message(text="a\0b")) == 200
    assert [text.replace("\0", "") for text in await stored(database)] in (["ab"], ["a\ufffdb"])


async def test_an_update_that_cannot_be_read_is_kept(url: str, database: Database) -> None:
    assert await post(url, {"update_id": 9, "poll": {}}) == 200
    (row,) = await database.read(quarantined)
    assert row.update_id == "9"


async def test_what_could_not_be_stored_is_brought_again(
    sim: Simulator, server: Any, cora: Person, intake: CustomerIntake, database: Database, clock: ManualClock
) -> None:
    tries = 0
    done = asyncio.Event()

    async def failing_first(raws: Sequence[dict[str, Any]]) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("the disk is full")
        await intake(raws)
        done.set()

    async with served(failing_first, clock) as url:
        assert await post(url, message(text="Hello")) == 503
        assert await post(url, message(text="Hello")) == 200
    assert await stored(database) == ["Hello"]
