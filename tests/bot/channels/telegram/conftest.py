"""The customers' bot against the simulator, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.channels.telegram.intake import CustomerIntake
from bot.channels.telegram.sender import CustomerBot, CustomerFiles
from bot.messages import Files
from bot.simulator import Person, Server, Simulator, serve
from bot.turn.accept import Accept
from memory.clock import ManualClock
from memory.database import Database
from memory.signals import LocalSignals

TOKEN = "4200:" + "C" * 35


@pytest.fixture
def sim() -> Simulator:
    sim = Simulator(repeat_window_s=0)
    sim.add_bot("legato_bot", token=TOKEN)
    return sim


@pytest.fixture
async def server(sim: Simulator) -> AsyncIterator[Server]:
    async with serve(sim) as server:
        yield server


@pytest.fixture
def cora(sim: Simulator) -> Person:
    """Cora has started the bot."""
    cora = sim.add_person("Cora")
    cora.start("legato_bot")
    return cora


@pytest.fixture
def files() -> dict[str, Files]:
    return {}


@pytest.fixture
async def bot(server: Server, files: dict[str, Files]) -> AsyncIterator[CustomerBot]:
    bot = CustomerBot(TOKEN, api_base=server.url, timeout_s=5, files=files)
    files["telegram"] = CustomerFiles(bot)
    await bot.start()
    yield bot
    await bot.close()


@pytest.fixture
def intake(database: Database, clock: ManualClock) -> CustomerIntake:
    return CustomerIntake(Accept(database, clock, LocalSignals(), album_wait_s=1), database, clock)
