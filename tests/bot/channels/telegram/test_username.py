"""The customers' bot's name in links: asked of Telegram, and done without where Telegram does not answer."""

from __future__ import annotations

from bot.channels.telegram.sender import CustomerBot, username_of
from bot.simulator import Simulator, serve

TOKEN = "1001:" + "C" * 35


async def test_telegram_tells_the_name() -> None:
    sim = Simulator(strict_tokens=True)
    sim.add_bot("some_bot", token=TOKEN)
    async with serve(sim) as server:
        assert await username_of(TOKEN, api_base=server.url) == "some_bot"
        assert await username_of("1002:" + "D" * 35, api_base=server.url) is None
        bot = CustomerBot(TOKEN, api_base=server.url, timeout_s=5, files={})
        assert bot.username is None
        await bot.start()
        assert bot.username == "some_bot"
        await bot.close()


async def test_without_an_answer_there_is_no_name() -> None:
    assert await username_of(TOKEN, api_base="http://127.0.0.1:9") is None
