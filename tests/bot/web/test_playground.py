import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from bot.simulator import Person, Simulator
from bot.web.playground import STATIC, Agent, playground_app, serve_app
from memory.clock import ManualClock
from memory.customers import Profile, find_or_make
from memory.database import Database
from memory.inbox import TURN
from memory.signals import CHANGED, LocalSignals
from tests.memory.people import tell


@dataclass
class Playground:
    """A playground that is served, with one customer, one agent, and nobody who answers."""

    sim: Simulator
    database: Database
    signals: LocalSignals
    ann: Person
    bea: Person
    http: httpx.AsyncClient


@pytest.fixture
async def playground(sqlite_database: Database) -> AsyncIterator[Playground]:
    sim, signals = Simulator(), LocalSignals()
    bot = sim.add_bot("bank_bot", name="Northbank")
    ann = sim.add_person("Ann", last_name="Lee")
    bea = sim.add_person("Bea", last_name="Novak")
    group = sim.add_group("Desk", admins=[bea])
    agents = [Agent(bea.id, bea.name)]
    app = playground_app(sim, sqlite_database, signals, company="Northbank", customer_bot=bot, group=group.id, agents=agents)
    async with serve_app(app) as url, httpx.AsyncClient(base_url=url) as http:
        yield Playground(sim, sqlite_database, signals, ann, bea, http)


async def news(lines: AsyncIterator[str], kind: str) -> Any:
    """The next news of this kind from a live stream."""
    async with asyncio.timeout(10):
        async for line in lines:
            if line == f"event: {kind}":
                return orjson.loads((await anext(lines)).removeprefix("data: "))
    raise AssertionError("the stream has ended")


async def test_the_page_and_everything_that_it_names_is_served(playground: Playground) -> None:
    page = await playground.http.get("/")

    assert "<title>Legato playground</title>" in page.text
    for file in STATIC.iterdir():
        answer = await playground.http.get(f"/static/{file.name}")
        assert answer.content == file.read_bytes()
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_nothing_is_fetched_from_elsewhere(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")

    assert "//" not in text.replace("// ", "").replace("https://${plain}", "")
    assert "innerHTML" not in text


async def test_the_setup_names_who_takes_part(playground: Playground) -> None:
    setup = (await playground.http.get("/setup")).json()

    assert setup["company"] == "Northbank"
    assert setup["customer_bot"]["username"] == "bank_bot"
    assert setup["agents"] == [{"id": playground.bea.id, "name": "Bea Novak"}]


async def test_everybody_but_the_agents_is_a_customer(playground: Playground) -> None:
    await playground.http.post("/simulator/people", json={"first_name": "Omar"})
    playground.ann.send("bank_bot", "Hello")
    playground.ann.block("bank_bot")

    customers = (await playground.http.get("/customers")).json()

    assert [(one["name"], one["blocked"]) for one in customers] == [("Ann Lee", True), ("Omar", False)]


async def test_what_cannot_be_done_is_said_in_words(playground: Playground) -> None:
    playground.ann.block("bank_bot")

    answer = await playground.http.post(f"/simulator/people/{playground.ann.id}/messages", json={"to": "bank_bot", "text": "Hello"})

    assert (answer.status_code, answer.json()) == (409, {"detail": "Ann Lee has blocked the bot"})


async def test_a_page_from_elsewhere_can_do_nothing(playground: Playground) -> None:
    order = {"to": "bank_bot", "text": "Hello"}
    messages = f"/simulator/people/{playground.ann.id}/messages"

    foreign = await playground.http.post(messages, json=order, headers={"origin": "http://evil.example"})
    rebound = await playground.http.get("/setup", headers={"host": "evil.example"})

    assert (foreign.status_code, rebound.status_code) == (403, 403)
    assert playground.ann.messages("bank_bot") == []


async def test_the_memory_of_somebody_unknown_is_null(playground: Playground) -> None:
    assert (await playground.http.get(f"/memory/{playground.ann.id}")).json() is None


async def test_the_stream_begins_with_what_is_known_and_tells_what_happens(playground: Playground) -> None:
    ann = playground.ann
    async with playground.http.stream("GET", "/live", params={"after": playground.sim.events.last, "person": ann.id}) as response:
        lines = response.aiter_lines()
        assert await news(lines, "memory") == {"person": ann.id, "memory": None}

        ann.send("bank_bot", "Hello")
        event = await news(lines, "simulator")

    assert (event["kind"], event["message"]["text"]) == ("message", "Hello")


async def test_the_stream_goes_on_where_a_broken_one_stopped(playground: Playground) -> None:
    sent = [playground.ann.send("bank_bot", text) for text in ("One", "Two", "Three")]
    first = playground.sim.events.last - len(sent) + 1
    async with playground.http.stream("GET", "/live", params={"after": 0}, headers={"last-event-id": str(first)}) as response:
        lines = response.aiter_lines()

        assert [(await news(lines, "simulator"))["message"]["text"] for _ in range(2)] == ["Two", "Three"]


async def test_a_page_of_an_earlier_run_is_told_to_begin_anew(playground: Playground) -> None:
    run = (await playground.http.get("/setup")).json()["run"]

    answer = await playground.http.get("/live", params={"after": 7, "run": "earlier"})

    assert answer.text.startswith("event: restarted\n")
    async with playground.http.stream("GET", "/live", params={"after": 0, "run": run}) as response:
        assert await anext(response.aiter_lines()) == ": following"


@pytest.mark.parametrize("how", ["told", "woken", "neither"])
async def test_a_commit_is_shown_whether_it_is_told_of_or_not(playground: Playground, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how != "neither":
        monkeypatch.setattr("bot.web.playground.LOOK_S", 60.0)  # more than the test waits
    now, address = ManualClock().now(), str(playground.ann.id)
    async with playground.http.stream("GET", "/live", params={"after": 0, "person": playground.ann.id}) as response:
        lines = response.aiter_lines()
        assert (await news(lines, "memory"))["memory"] is None
        known = await playground.database.write(lambda tx: find_or_make(tx, "telegram", [Profile(address)], at=now))
        playground.signals.publish(CHANGED, {"customer": 1000, "turn": 1})  # somebody new may be whoever is shown
        assert (await news(lines, "memory"))["memory"]["facts"] == []

        customer = known[address].customer_id
        await playground.database.write(lambda tx: tell(tx, customer, "city", "Oslo", at=now))
        if how == "told":
            playground.signals.publish(CHANGED, {"customer": 1000, "turn": 2}, {"customer": customer, "turn": 3})
        elif how == "woken":
            playground.signals.notify(TURN)

        assert [fact["value"] for fact in (await news(lines, "memory"))["memory"]["facts"]] == ["Oslo"]


async def test_stopping_does_not_wait_for_open_streams(sqlite_database: Database) -> None:
    sim = Simulator()
    bot, bea = sim.add_bot("bank_bot"), sim.add_person("Bea")
    group = sim.add_group("Desk", admins=[bea])
    app = playground_app(
        sim, sqlite_database, LocalSignals(), company="N", customer_bot=bot, group=group.title, agents=[Agent(bea.id, bea.name)]
    )
    async with httpx.AsyncClient() as http, asyncio.timeout(10):
        async with serve_app(app) as url:
            request = http.build_request("GET", f"{url}/live", params={"after": 0})
            response = await http.send(request, stream=True)
            assert await anext(response.aiter_lines()) == ": following"
        await response.aclose()
