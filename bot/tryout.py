"""``legato try``: simulated people, both bots, the memory and the playground, in one process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.app import Legato, build
from bot.settings import Settings
from bot.simulator import Simulator, serve
from bot.watching import watching
from bot.web.playground import Agent, Notices, playground_app, serve_app

CUSTOMER_TOKEN = "1001:the-token-of-the-simulated-customers-bot"  # noqa: S105 - known to the simulator alone
DESK_TOKEN = "1002:the-token-of-the-simulated-agents-bot"  # noqa: S105
DESK_CHAT = -1001000000001
CUSTOMERS = ((501, "Ann", "Lee"), (502, "Omar", "Haddad"))
FIRST_WORDS = {"banking": "I lost my card", "insurance": "what is the status of my claim", "telecoms": "how much data do I have left"}
NUMBERS = {"banking": "12345678", "insurance": "HP123456", "telecoms": "12345678"}
"""By which the first customer of the sample's records is found."""

AGENTS = ((601, "Bea", "Novak"), (602, "Chris", "Lund"))


@dataclass(frozen=True)
class Tryout:
    """What runs, and where its page is."""

    legato: Legato
    simulator: Simulator
    url: str


@contextlib.asynccontextmanager
async def tryout(
    folder: Path, *, assistant: str, port: int, host: str = "127.0.0.1", told: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Tryout]:
    """Run everything until the context ends. The memory stays in ``folder``, so that the next time customers are known.

    The simulated people have the same ids every time; Telegram's part, the chats themselves, begins anew. What is edited in the assistant's
    folder is live at once, or its mistakes are shown; ``told`` gets what the page shows at its edge, for the terminal.
    """
    # Ids go on from one time to the next, as Telegram's do: the memory knows the updates, messages and topics of the last time.
    begun = int(time.time())
    sim = Simulator(first_update_id=begun)
    async with serve(sim) as telegram:
        customers_bot = sim.add_bot("legato_bot", token=CUSTOMER_TOKEN, name="Legato")
        desk_bot = sim.add_bot("legato_desk_bot", token=DESK_TOKEN, name="Legato desk")
        for id_, first, last in CUSTOMERS:
            sim.add_person(first, id=id_, last_name=last, username=first.lower(), language_code="en")
        agents = [sim.add_person(first, id=id_, last_name=last) for id_, first, last in AGENTS]
        group = sim.add_group("Support desk", id=DESK_CHAT, members=[*agents], admins=[*agents], bots=[desk_bot])
        customers_bot.last_message_id = sim.chats[group.id].last_message_id = begun
        settings = Settings.load(
            env_file=None,
            telegram_token=CUSTOMER_TOKEN,
            desk_token=DESK_TOKEN,
            desk_chat=DESK_CHAT,
            api_base=telegram.url,
            database_url=f"sqlite:///{folder / f'try-{Path(assistant).name}.db'}",
            assistant=assistant,
            records=f"sample:{folder / f'try-{Path(assistant).name}-records.db'}",
            learned_folder=folder,
            returning_after_s=300.0,
            uncertain_wait_s=60.0,
            desk_posts_per_minute=0.0,
        )
        legato = await build(settings)
        notices = Notices()
        app = playground_app(
            sim,
            legato.database,
            legato.signals,
            company=legato.assistant.company,
            customer_bot=customers_bot,
            group=group.id,
            agents=[Agent(id_, f"{first} {last}") for id_, first, last in AGENTS],
            number=NUMBERS.get(assistant, ""),
            first_words=FIRST_WORDS.get(legato.assistant.name) or legato.assistant.knowledge.articles[0].questions[0],
            recaller=legato.recaller,
            notices=notices,
        )
        async with legato.running(), serve_app(app, host, port) as url, watching(legato, notices, told):
            yield Tryout(legato, sim, url)
