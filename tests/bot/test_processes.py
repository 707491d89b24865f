"""Processes of one installation: who is listed, and who is warned of whom."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import bot.processes
from bot.app import CHANNELS, WATCHDOG, WORKER, build
from bot.processes import Process, Rivals, bots_of, warn_of_rivals, who_is_there
from bot.settings import Settings
from bot.simulator import Simulator, serve
from memory.between import between
from memory.clock import ManualClock, SystemClock
from memory.errors import SettingsError
from memory.presence import AGENT, PROCESS, LocalPresence, Present
from tests.own_redis import OwnRedis, become

TOKEN, DESK_TOKEN, DESK_CHAT = "4200:" + "C" * 35, "4300:" + "D" * 35, -1_001_000_000_001
ME = Process("me", frozenset({CHANNELS}), (4200, 4300))
START = ManualClock().now()


def here(name: str, bots: Sequence[int], until_s: float) -> Present:
    return Present(name, START, START + timedelta(seconds=until_s), {"parts": [CHANNELS], "bots": list(bots)})


def test_a_process_that_goes_on_and_serves_the_same_bot_is_named_once() -> None:
    rivals = Rivals(ME)
    looks = [rivals.look([here("me", [4200], until), here("other", [4300], until)]) for until in (15, 15, 20, 25)]
    assert looks == [[], [], ["other"], []]


def test_what_is_left_of_a_killed_one_is_not_named() -> None:
    rivals = Rivals(ME)
    assert [rivals.look([here("killed", [4200], 15)]) for _ in range(3)] == [[], [], []]


def test_who_serves_other_bots_or_none_is_not_named() -> None:
    rivals = Rivals(ME)
    odd = Present("odd", START, START, {"bots": "4200"})
    for until in (15, 20, 25):
        assert rivals.look([here("other", [1], until), here("worker", [], until), odd]) == []


def test_who_comes_back_is_named_again() -> None:
    rivals = Rivals(ME)
    for until in (15, 20):
        rivals.look([here("other", [4200], until)])
    rivals.look([])
    assert [rivals.look([here("other", [4200], until)]) for until in (40, 45)] == [[], ["other"]]


def test_bots_are_known_by_the_public_part_of_their_tokens() -> None:
    settings = Settings.load(env_file=None, telegram_token=TOKEN, desk_token=DESK_TOKEN, desk_chat=DESK_CHAT)
    assert bots_of(settings) == (4200, 4300)
    assert bots_of(Settings.load(env_file=None)) == ()


class _Renewing(LocalPresence):
    """Another process whose announcement goes on; it ends the test's looking after some looks."""

    def __init__(self, clock: ManualClock, untils: Iterator[datetime]) -> None:
        super().__init__(clock)
        self._untils = untils

    async def present(self, kind: str) -> list[Present]:
        try:
            until = next(self._untils)
        except StopIteration:
            raise asyncio.CancelledError from None
        return [Present("host:1", START, until, {"bots": [4200]})]


async def test_the_warning_says_what_to_do(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    presence = _Renewing(clock, (START + timedelta(seconds=n) for n in range(5)))
    with pytest.raises(asyncio.CancelledError):
        await warn_of_rivals(presence, ME, every_s=0)
    assert [record.message for record in caplog.records] == [
        "process host:1 serves the same bot: only one may fetch and send; run the others with --only worker"
    ]


async def test_running_processes_are_listed_and_agents_counted(postgres_database_url: str, redis_url: str) -> None:
    sim = Simulator(strict_tokens=True)
    sim.add_bot("legato_bot", token=TOKEN)
    desk_bot = sim.add_bot("desk_bot", token=DESK_TOKEN)
    bea, chris = sim.add_person("Bea"), sim.add_person("Chris")
    sim.add_group("Desk", id=DESK_CHAT, members=[bea, chris], admins=[bea, chris], bots=[desk_bot])
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(sim))
        settings = Settings.load(
            env_file=None,
            telegram_token=TOKEN,
            desk_token=DESK_TOKEN,
            desk_chat=DESK_CHAT,
            api_base=server.url,
            database_url=postgres_database_url,
            redis_url=redis_url,
            redis_prefix=f"listed{os.getpid()}:",
        )
        legatos = [await build(settings, parts=frozenset(parts)) for parts in ({CHANNELS, WATCHDOG}, {WORKER})]
        async with AsyncExitStack() as running:
            for legato in legatos:
                await running.enter_async_context(legato.running())
            bea.send(DESK_CHAT, "Good morning")

            async def seen() -> tuple[list[list[str]], int]:
                listed = await who_is_there(settings, SystemClock())
                return sorted(one.about["parts"] for one in listed.processes), listed.agents

            await become(([["channels", "watchdog"], ["worker"]], 1), seen)
            (agent,) = await legatos[1].between.presence.present(AGENT)
            assert agent.name == f"desk:{bea.id}"
            (channels,) = [one for one in await legatos[1].between.presence.present(PROCESS) if one.about["bots"]]
            assert channels.about["bots"] == [4200, 4300]
        assert (await who_is_there(settings, SystemClock())).processes == []


async def test_without_redis_an_operator_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.processes, "ANSWERS_WITHIN_S", 0.2)
    with pytest.raises(SettingsError, match="LEGATO_REDIS_URL is not set"):
        await who_is_there(Settings.load(env_file=None), SystemClock())
    with pytest.raises(SettingsError, match="Redis does not answer"):
        await who_is_there(Settings.load(env_file=None, redis_url=OwnRedis().url), SystemClock())


def test_the_command_lists_them(redis_url: str, tmp_path: Path) -> None:
    """As an operator runs it, beside a process that is running."""
    settings = tmp_path / "settings"
    settings.write_text(f"LEGATO_REDIS_URL={redis_url}\nLEGATO_REDIS_PREFIX=command{os.getpid()}:\n", encoding="utf-8")
    listing = [sys.executable, "-c", "from bot.cli import main; main()", "processes", "--env-file", str(settings)]

    async def list_beside_another() -> str:
        shared = between(redis_url, SystemClock(), prefix=f"command{os.getpid()}:")
        await shared.start()
        Process("host:[1]", frozenset({WORKER, WATCHDOG})).announce(shared.presence)
        await become(["host:[1]"], lambda: _names(settings))
        listed = await asyncio.to_thread(subprocess.run, listing, capture_output=True, text=True, timeout=60, check=True)
        await shared.close()
        return str(listed.stdout)

    written = asyncio.run(list_beside_another())
    assert "host:[1]" in written
    assert "watchdog, worker" in written
    assert "Agents who did something on the desk of late: 0." in written
    again = subprocess.run(listing, capture_output=True, text=True, timeout=60, check=True)
    assert "No process is running." in again.stdout


async def _names(settings: Path) -> list[str]:
    return [one.name for one in (await who_is_there(Settings.load(env_file=settings), SystemClock())).processes]
