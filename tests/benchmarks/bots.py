"""The bots that benchmarks run as processes of their own, so that their CPU time can be told from the simulator's.

    python -m tests.benchmarks.bots bare URL
    python -m tests.benchmarks.bots legato URL DATABASE_URL [NAME=VALUE ...]

``bare`` is the plainest aiogram bot: it polls and echoes. ``legato`` is the whole assistant with settings overridden; ``parts=worker``, or
several with ``+`` between them, runs only those parts; ``flows=no`` is an assistant that only answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import Any

import uvloop
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Message

from bot.app import PARTS, build
from bot.settings import Settings
from bot.telemetry import set_up_logging

CUSTOMER_TOKEN = "7001:the-token-of-the-benchmarks-customers-bot"
DESK_TOKEN = "7002:the-token-of-the-benchmarks-agents-bot"
DESK_CHAT = -1007000000001

UNLIMITED: dict[str, Any] = {"sends_per_s": 0, "sends_per_chat_per_s": 0, "desk_posts_per_minute": 0, "log_level": "WARNING"}
"""Telegram's pace is not what is measured."""


async def bare(url: str) -> None:
    """Echo for ever."""
    bot = Bot(CUSTOMER_TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        await message.answer(message.text or "?")

    await dispatcher.start_polling(bot, handle_signals=False)


async def legato(url: str, database_url: str, overrides: dict[str, str]) -> None:
    """The assistant for ever; it says ``ready`` when it runs."""
    flows = overrides.pop("flows", "yes") == "yes"
    parts = frozenset(overrides.pop("parts", "+".join(PARTS)).split("+"))
    settings = Settings.load(
        env_file=None,
        **(
            UNLIMITED
            | {
                "telegram_token": CUSTOMER_TOKEN,
                "desk_token": DESK_TOKEN,
                "desk_chat": DESK_CHAT,
                "api_base": url,
                "database_url": database_url,
            }
            | overrides
        ),
    )
    set_up_logging(settings)
    built = await build(settings, parts=parts, flows=flows)
    async with built.running():
        print("ready", flush=True)  # noqa: T201 - the benchmark reads it
        await asyncio.Event().wait()


def main() -> None:
    """Run the bot that the arguments name, until SIGTERM."""
    kind, url, *rest = sys.argv[1:]

    async def until_terminated() -> None:
        if kind == "bare":
            task = asyncio.ensure_future(bare(url))
        else:
            task = asyncio.ensure_future(legato(url, rest[0], dict(pair.split("=", 1) for pair in rest[1:])))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    uvloop.run(until_terminated())


if __name__ == "__main__":
    main()
