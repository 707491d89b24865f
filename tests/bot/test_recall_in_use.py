"""The whole past where it is needed, as people meet it: on the card, by /find, on the page, in an action; with Redis and while it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from rasa_sdk.executor import ActionExecutor

from actions.look_back import ActionLookBack
from actions.shared import lend
from bot.app import Legato, build
from bot.desks import texts
from bot.settings import Settings
from bot.simulator import Person, Simulator, serve
from bot.web.playground import Agent, playground_app, serve_app
from memory.cache import Cache, Key
from memory.customers import Profile, find_or_make
from memory.database import Tx
from memory.exchanges import exchange_row, log
from tests.own_redis import Mend, OwnRedis, flushed, frozen, impatient, stopped

TOKEN, DESK_TOKEN, DESK_CHAT = "4200:" + "C" * 35, "4300:" + "D" * 35, -1_001_000_000_001
TOLD = "the courier left my parcel in Whitby harbour"
OTHERS = "my courier left the parcel in Scarborough"

Fault = Callable[[OwnRedis], Mend]


@dataclass
class Desk:
    """A running assistant with a customer, an agent and the page."""

    legato: Legato
    sim: Simulator
    cora: Person
    bea: Person
    page: httpx.AsyncClient
    redis: OwnRedis | None

    async def in_topic(self, words: str) -> Any:
        """The first message in the group with these words."""
        seen = None
        while True:
            seen = await self.bea.hear(DESK_CHAT, after=seen)
            if words in seen.text:
                return seen

    async def on_page(self) -> Any:
        return (await self.page.get(f"/memory/{self.cora.id}")).json()


def live(tx: Tx, address: int, first: int, told: str) -> None:
    """A long past, in which one thing stands out."""
    now = datetime.now(UTC)
    who = find_or_make(tx, "telegram", [Profile(str(address), "Cora")], at=now)[str(address)]
    row: dict[str, Any] = {"customer_id": who.customer_id, "identity_id": who.identity_id, "turn_id": 0, "direction": "in"}
    rows = [
        exchange_row(
            id=first + n,
            author="customer",
            kind="text",
            text=told if n == 3 else f"good morning number {n}",
            at=now - timedelta(days=90 - n),
            **row,
        )
        for n in range(40)
    ]
    log(tx, rows)


@pytest.fixture(params=["alone", "with redis"])
async def desk(request: pytest.FixtureRequest, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    impatient(monkeypatch)
    sim = Simulator(repeat_window_s=0, strict_tokens=True)
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(OwnRedis()) if request.param.startswith("with redis") else None
        server = await stack.enter_async_context(serve(sim))
        sim.add_bot("legato_bot", token=TOKEN)
        desk_bot = sim.add_bot("desk_bot", token=DESK_TOKEN)
        cora, bea = sim.add_person("Cora"), sim.add_person("Bea")
        sim.add_group("Desk", id=DESK_CHAT, members=[bea], admins=[bea], bots=[desk_bot])
        settings = Settings.load(
            env_file=None,
            telegram_token=TOKEN,
            desk_token=DESK_TOKEN,
            desk_chat=DESK_CHAT,
            api_base=server.url,
            database_url=database_url,
            redis_url=redis.url if redis is not None else None,
            desk_posts_per_minute=0.0,
        )
        legato = await build(settings)
        if request.param.endswith("quiet"):
            legato.background.clear()
        app = playground_app(
            sim,
            legato.database,
            legato.signals,
            company="N",
            customer_bot="legato_bot",
            group=DESK_CHAT,
            agents=[Agent(bea.id, "Bea")],
            recaller=legato.recaller,
        )
        url = await stack.enter_async_context(serve_app(app))
        page = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
        await legato.database.write(lambda tx: live(tx, cora.id, 1, TOLD))
        await legato.database.write(lambda tx: live(tx, cora.id + 100_000, 101, OTHERS))
        await stack.enter_async_context(legato.running())
        if legato.between.link is not None:
            await legato.between.link.up.wait()
        yield Desk(legato, sim, cora, bea, page, redis)


async def look_back(legato: Legato, person: int, words: str) -> Any:
    executor = ActionExecutor()
    executor.register_action(ActionLookBack)
    sender = f"telegram:{person}"
    call = {
        "next_action": "action_look_back",
        "sender_id": sender,
        "tracker": {"sender_id": sender, "slots": {}, "events": [], "latest_message": {"text": words}},
        "domain": {},
    }
    with lend(legato.database, legato.clock):
        result = await executor.run(call)
    assert result is not None
    assert result.responses == []
    (event,) = result.events
    assert event["name"] == "related"
    return event["value"]


def mine(lines: list[str]) -> bool:
    return TOLD in "\n".join(lines) and "Scarborough" not in "\n".join(lines)


async def use_it_everywhere(desk: Desk, question: str) -> None:
    desk.cora.send("legato_bot", question)
    card = await desk.in_topic(texts.RELATED)
    assert mine([card.text])

    desk.bea.send(DESK_CHAT, "/find courier in the harbour", thread_id=card.thread_id)
    assert mine([(await desk.in_topic(texts.FOUND)).text])

    for _ in range(2):
        assert mine([one["text"] for one in (await desk.on_page())["related"]])
        assert mine(await look_back(desk.legato, desk.cora.id, "where did the courier leave my parcel?"))


async def test_everybody_is_given_what_belongs_to_the_matter(desk: Desk) -> None:
    await use_it_everywhere(desk, "I want to speak to a person about the courier who left my parcel")

    assert await look_back(desk.legato, 4711, "where is my parcel") == []
    assert await look_back(desk.legato, desk.cora.id, "xylophone") == []


@pytest.mark.parametrize("fault", [stopped, flushed, frozen], ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("desk", ["with redis"], indirect=True)
async def test_it_is_so_while_redis_fails(desk: Desk, fault: Fault) -> None:
    assert desk.redis is not None
    await look_back(desk.legato, desk.cora.id, "where did the courier leave my parcel?")
    with ExitStack() as mended:
        mended.callback(fault(desk.redis))
        await use_it_everywhere(desk, "I want to speak to a person about the courier who left my parcel")
    assert mine(await look_back(desk.legato, desk.cora.id, "where did the courier leave my parcel?"))


@pytest.mark.parametrize("desk", ["alone, quiet", "with redis, quiet"], indirect=True)
async def test_the_page_and_actions_search_once_while_nothing_changes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    hits: list[Key] = []
    cache: Cache = desk.legato.between.cache
    get = type(cache).get

    async def noting(self: Any, key: Key) -> bytes | None:
        found: bytes | None = await get(self, key)
        if found is not None:
            hits.append(key)
        return found

    monkeypatch.setattr(type(cache), "get", noting)
    if desk.redis is not None:
        monkeypatch.setattr(cache, "_limit_s", 10.0)
    first = await desk.on_page()
    assert first["related"]
    words = "where did the courier leave my parcel?"
    assert await look_back(desk.legato, desk.cora.id, words) == await look_back(desk.legato, desk.cora.id, words)
    assert (await desk.on_page()) == first

    assert len(hits) == 2
