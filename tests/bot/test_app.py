"""Building and starting: mistakes are told in words, and the parts find each other over the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app import CHANNELS, WORKER, build
from bot.settings import Settings
from bot.simulator import Server, Simulator, serve
from bot.understand import language
from memory.database import Database
from memory.errors import SchemaMismatch, SettingsError

TOKEN, DESK_TOKEN = "4200:" + "C" * 35, "4300:" + "D" * 35


@pytest.fixture
def sim() -> Simulator:
    return Simulator(repeat_window_s=0, strict_tokens=True)


@pytest.fixture
async def server(sim: Simulator) -> AsyncIterator[Server]:
    async with serve(sim) as server:
        yield server


def settings(server: Server, database_url: str, **more: Any) -> Settings:
    return Settings.load(env_file=None, telegram_token=TOKEN, api_base=server.url, database_url=database_url, **more)


async def test_a_token_that_telegram_does_not_know(server: Server, sqlite_database_url: str) -> None:
    legato = await build(settings(server, sqlite_database_url))

    with pytest.raises(SettingsError, match=r"LEGATO_TELEGRAM_TOKEN: Telegram answers .*Unauthorized.*check the token and LEGATO_API_BASE"):
        async with legato.running():
            raise AssertionError("it runs")


async def test_a_group_that_cannot_be_used(sim: Simulator, server: Server, sqlite_database_url: str) -> None:
    sim.add_bot("legato_bot", token=TOKEN)
    sim.add_bot("desk_bot", token=DESK_TOKEN)
    legato = await build(settings(server, sqlite_database_url, desk_token=DESK_TOKEN, desk_chat=-100123))

    with pytest.raises(SettingsError, match="LEGATO_DESK_CHAT"):
        async with legato.running():
            raise AssertionError("it runs")


async def test_no_turn_waits_for_what_tells_languages(server: Server, sqlite_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_loaded", None)
    legato = await build(settings(server, sqlite_database_url))

    for warm in legato.warming:
        await warm()

    assert language._loaded is not None
    for close in legato.closing:
        await close()
    await legato.database.close()


async def test_another_schema_is_refused(server: Server, sqlite_database_url: str) -> None:
    database = Database(sqlite_database_url)
    await database.write(lambda tx: tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    await database.close()

    with pytest.raises(SchemaMismatch, match="newer than this program"):
        await build(settings(server, sqlite_database_url))


async def test_channels_and_worker_answer_from_two_processes(
    sim: Simulator, server: Server, postgres_database_url: str, redis_url: str
) -> None:
    sim.add_bot("legato_bot", token=TOKEN)
    cora = sim.add_person("Cora")
    options = settings(server, postgres_database_url, redis_url=redis_url)
    async with AsyncExitStack() as stack:
        for part in (CHANNELS, WORKER):
            legato = await build(options, parts=frozenset({part}))
            assert (bool(legato.workers), legato.customers is not None) == (part == WORKER, part == CHANNELS)
            await stack.enter_async_context(legato.running())
        cora.send("legato_bot", "Hello")
        heard = await cora.hear("legato_bot")
    assert heard.text
