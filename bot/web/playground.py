"""The playground: one local page with simulated customers, the agents' group, and what the memory holds of a customer."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import orjson
import uvicorn
from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles

from bot.simulator import Bot, Refused, Simulator, people_router, seen_event
from bot.web.guard import App, LocalOnly
from bot.web.memory_view import DESK_LANE, CustomerView, full_view
from memory.database import Database
from memory.inbox import TURN
from memory.recaller import Recaller
from memory.signals import CHANGED, Signals, Subscription

STATIC = Path(__file__).parent / "static"
SIMULATOR = "/simulator"
"""Where the simulator's people API is mounted."""

LOOK_S = 2.0
"""How long the live stream waits before it looks at the memory by itself: not every change is told of."""

KEEP_ALIVE_S = 10.0


@dataclass(frozen=True, slots=True)
class Agent:
    """A simulated person who serves customers, by the name that the page shows."""

    id: int
    name: str


class Account(TypedDict):
    """Somebody or a bot, by the name that the page shows."""

    id: int
    name: str


class CustomerBot(Account):
    """The bot that customers write to."""

    username: str


class Notices:
    """What happened beside the chats and is shown at the edge of the page, such as a text message of the company's."""

    def __init__(self) -> None:
        self._said: deque[tuple[int, str, str]] = deque(maxlen=50)
        self.last = 0
        self.wake = asyncio.Event()

    def say(self, text: str, tone: Literal["", "answer", "error"] = "") -> None:
        """Show ``text`` on every open page."""
        self.last += 1
        self._said.append((self.last, text, tone))
        self.wake.set()

    def after(self, number: int) -> list[tuple[int, str, str]]:
        """What was said after the notice with this number."""
        return [one for one in self._said if one[0] > number]


class Setup(TypedDict):
    """What the page needs to know once. ``run`` names this run of the simulator: with another, everything begins anew."""

    company: str
    customer_bot: CustomerBot
    group: Account
    agents: list[Account]
    first_words: str
    number: str
    run: str


class SeenCustomer(Account):
    """A simulated customer; ``blocked``: they have blocked the customers' bot."""

    blocked: bool


class _Wakes:
    """What says that there may be something new to show.

    The events are shared by all streams: whoever wakes first clears them, which does not call back those who woke with it.
    """

    def __init__(self, sim: Simulator, signals: Signals, topics: Sequence[str], more: asyncio.Event) -> None:
        self._sim = sim
        self._events = [*(signals.listen(topic) for topic in topics), more]

    async def wait(self, number: int, changes: Subscription, customer: int | None, timeout_s: float) -> bool:
        """Return when there may be something new, or the time has passed: whether the memory of ``customer`` may differ.

        That is when ``changes`` tell of the customer or have missed something, and when something was accepted or put out for anybody.
        None is a customer whom the memory has not met: any change may be about them.
        """
        if self._sim.events.last > number:
            return False
        woken: list[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait()) for event in self._events]
        others = [asyncio.ensure_future(changes.ready.wait()), asyncio.ensure_future(self._sim.events.changed(None))]
        try:
            done, _ = await asyncio.wait([*woken, *others], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (*woken, *others):
                one.cancel()
            await asyncio.gather(*woken, *others, return_exceptions=True)
        for event in self._events:
            event.clear()
        told = changes.take()
        is_about_them = any(change is None or customer in (None, change.get("customer")) for change in told)
        return is_about_them or not done.isdisjoint(woken)


def playground_app(
    sim: Simulator,
    database: Database,
    signals: Signals,
    *,
    company: str,
    customer_bot: Bot | str,
    group: int | str,
    agents: Sequence[Agent],
    first_words: str = "I lost my card",
    number: str = "",
    channel: str = "telegram",
    recaller: Recaller | None = None,
    notices: Notices | None = None,
) -> App:
    """The page as an ASGI app, with the people API of ``sim`` under ``/simulator``.

    ``customer_bot`` and ``group`` are what ``Simulator.bot`` and ``Simulator.group`` find; everybody who is not one of ``agents`` is a
    customer. ``first_words`` is what a newcomer is asked to write first, ``number`` what they answer when they are asked whose account it
    is. ``channel`` is the memory's name for the customers' bot; with a ``recaller`` the page shows what in the past belongs to their last
    words. ``notices`` are shown at its edge. Bots do not come through here: they have the Bot API, whose faults need the simulator's own
    server. Raises ``Refused`` where the bot or the group is missing.
    """
    app = FastAPI(title="Legato playground", docs_url=None, redoc_url=None, openapi_url=None)
    bot, place = sim.bot(customer_bot), sim.group(group)
    told = notices or Notices()
    wakes = _Wakes(sim, signals, (TURN, channel, DESK_LANE), told.wake)
    agent_ids = {agent.id for agent in agents}
    setup = Setup(
        company=company,
        customer_bot=CustomerBot(id=bot.id, name=bot.first_name, username=bot.username or ""),
        group=Account(id=place.id, name=place.title),
        agents=[Account(id=agent.id, name=agent.name) for agent in agents],
        first_words=first_words,
        number=number,
        run=secrets.token_hex(8),
    )

    async def view_of(person: int) -> CustomerView | None:
        return await full_view(database, recaller, channel, str(person))

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/setup", response_model=None)
    async def show_setup() -> Setup:
        return setup

    @app.get("/customers", response_model=None)
    async def customers() -> list[SeenCustomer]:
        """Everybody but the agents, in order of creation."""
        return [
            SeenCustomer(id=person.id, name=person.name, blocked=person.chat(bot).is_blocked)
            for person in sim.people()
            if person.id not in agent_ids
        ]

    @app.get("/memory/{person}", response_model=None)
    async def memory(person: int) -> CustomerView | None:
        """What the memory holds of a simulated customer; null while it has not met them."""
        return await view_of(person)

    async def follow(request: Request, person: int | None, number: int) -> AsyncIterator[bytes]:
        """Simulator events as they come, and the customer's memory whenever it differs from what was sent last."""
        loop = asyncio.get_running_loop()
        sent: CustomerView | dict[str, str] | None = {}  # equal to no view: the first one is always sent
        view: CustomerView | None = None
        last_sent, looks_at, noticed = loop.time(), loop.time(), told.last
        yield b": following\n\n"
        with signals.subscribe(CHANGED) as changes:
            while not sim.is_stopped and not await request.is_disconnected():
                news = False
                for event in sim.events.after(number, 500):
                    number, news = event.number, True
                    yield b"id: %d\nevent: simulator\ndata: %b\n\n" % (number, seen_event(event).model_dump_json().encode())
                for number_of_notice, text, tone in told.after(noticed):
                    noticed = number_of_notice
                    yield b"event: notice\ndata: %b\n\n" % orjson.dumps({"text": text, "tone": tone})
                if loop.time() >= looks_at:
                    looks_at = loop.time() + LOOK_S
                    view = None if person is None else await view_of(person)
                if view != sent:
                    sent, news = view, True
                    yield b"event: memory\ndata: %b\n\n" % orjson.dumps({"person": person, "memory": view})
                if news:
                    last_sent = loop.time()
                elif loop.time() - last_sent >= KEEP_ALIVE_S:
                    last_sent = loop.time()
                    yield b": still here\n\n"
                if await wakes.wait(number, changes, view and view["customer_id"], LOOK_S):
                    looks_at = loop.time()

    @app.get("/live")
    async def live(
        request: Request,
        after: Annotated[int, Query(description="The last simulator event that the page knows")],
        run: Annotated[str | None, Query(description="The run that the page has loaded")] = None,
        person: Annotated[int | None, Query(description="The customer whose memory is shown")] = None,
        last_event_id: Annotated[int | None, Header()] = None,
    ) -> Response:
        """One stream for everything: a browser allows a server six connections, however many pages are open.

        A page of an earlier run is only told so: its event numbers mean nothing here.
        """
        if run is not None and run != setup["run"]:
            return Response(b"event: restarted\ndata: {}\n\n", media_type="text/event-stream")
        number = after if last_event_id is None else last_event_id
        return StreamingResponse(follow(request, person, number), media_type="text/event-stream")

    async def on_refused(_request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, status_code=409)

    app.add_exception_handler(Refused, on_refused)
    app.include_router(people_router(sim), prefix=SIMULATOR)
    app.mount("/static", StaticFiles(directory=STATIC))
    return LocalOnly(app, files=f"{SIMULATOR}/files/")


@contextlib.asynccontextmanager
async def serve_app(app: App, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve ``app`` in the running event loop and yield its address; port 0 takes a free one. No signal handlers are installed.

    Raises ``OSError`` where the port is taken. On the way out open streams are ended at once.
    """
    listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does so only where the protocol is named: 40 ms an answer
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False))
    serving = asyncio.create_task(server._serve([listening]))  # ``serve`` would take the process's signals
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    finally:
        tasks = list(server.server_state.tasks)
        server.should_exit = server.force_exit = True
        for connection in list(server.server_state.connections):
            connection.transport.abort()  # as if the browser had gone: a cancelled request would be logged as a failed one
        await asyncio.gather(serving, *tasks, return_exceptions=True)
