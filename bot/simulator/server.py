"""The simulator over HTTP: the Bot API as a raw ASGI route, the people API beside it, and a server to run both."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any
from urllib.parse import unquote

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .dispatch import ConnectionLost, call_method
from .errors import ApiError
from .people_api import PREFIX, create_people_app
from .simulator import Simulator
from .wire import Receive, Scope, Send, read_body, read_request

if sys.platform != "win32":
    import uvloop

App = Callable[[Scope, Receive, Send], Awaitable[None]]

_logger = logging.getLogger(__name__)

_JSON = (b"content-type", b"application/json")
_BROKEN = ApiError(500, "Internal Server Error")
_NOT_FOUND = ApiError(404, "Not Found")


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, error: ApiError) -> None:
    headers = [_JSON]
    if error.parameters and "retry_after" in error.parameters:
        headers.append((b"retry-after", str(error.parameters["retry_after"]).encode()))
    await _answer(send, error.code, orjson.dumps(error.body()), headers)


def _header(scope: Scope, wanted: bytes) -> bytes:
    for name, value in scope["headers"]:
        if name == wanted:
            found: bytes = value
            return found
    return b""


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the TCP connection without an answer."""
    abort = scope.get("extensions", {}).get("simulator.abort")
    if abort is None:
        raise RuntimeError("connections can only be dropped under the simulator's own server")
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _bot_api(sim: Simulator) -> App:
    async def bot_api(scope: Scope, receive: Receive, send: Send) -> None:
        token, _, method = scope["path"][len("/bot") :].partition("/")
        try:
            bot = sim.bot_with_token(token)
            body = await read_body(receive)
            raw, files = read_request(scope["query_string"], _header(scope, b"content-type"), body)
            result = await call_method(sim, bot, method, raw, files)
            answer = orjson.dumps({"ok": True, "result": result})
        except ApiError as error:
            await _refuse(send, error)
            return
        except ConnectionLost:
            await _drop(scope, receive)
            return
        except Exception:
            _logger.exception("%s failed", method)
            await _refuse(send, _BROKEN)
            return
        await _answer(send, 200, answer, [_JSON])

    return bot_api


def _downloads(sim: Simulator) -> App:
    async def downloads(scope: Scope, receive: Receive, send: Send) -> None:
        token, _, path = unquote(scope["path"][len("/file/bot") :]).partition("/")
        try:
            bot = sim.bot_with_token(token)
            file = sim.files.get(bot.offered_files.get(path, ""))
            if file is None or file.content is None:
                raise _NOT_FOUND
        except ApiError as error:
            await _refuse(send, error)
            return
        await _answer(send, 200, file.content, [(b"content-type", b"application/octet-stream")])

    return downloads


def create_app(sim: Simulator) -> App:
    """The ASGI app: ``/bot<token>/<method>``, ``/file/bot<token>/<path>`` and the people API with its docs."""
    bot_api, downloads = _bot_api(sim), _downloads(sim)
    people_app = cache(lambda: create_people_app(sim))  # built at first use: most tests do not need it

    def app_for(scope: Scope) -> App:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith("/bot"):
                return bot_api
            if path.startswith("/file/bot"):
                return downloads
        return people_app()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app_for(scope)(scope, receive, send)
        except asyncio.CancelledError:
            if not sim.is_stopped:  # stopping cuts off whoever still waits, which is no error
                raise

    return app


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which lets the app close a connection in the middle of a request."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"simulator.abort": self.transport.abort}  # type: ignore[dict-item]


class Server:
    """A running server; ``url`` is its address without a trailing slash."""

    def __init__(self, sim: Simulator, url: str) -> None:
        self.sim = sim
        self.url = url

    @property
    def people_url(self) -> str:
        """Where the people API is."""
        return f"{self.url}{PREFIX}"


@asynccontextmanager
async def serve(sim: Simulator, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Server]:
    """Serve ``sim`` in the running event loop; port 0 takes a free one. No signal handlers are installed.

    On the way out open polls are ended and connections closed at once.
    """
    config = uvicorn.Config(
        create_app(sim),
        host=host,
        port=port,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        proxy_headers=False,
    )
    config.load()
    sim.is_stopped = False
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()

    def protocol() -> asyncio.Protocol:
        return _Protocol(config=config, server_state=state, app_state={}, _loop=loop)

    listener = await loop.create_server(protocol, host, port, backlog=2048)
    address: Any = listener.sockets[0].getsockname()
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    try:
        yield Server(sim, f"http://{shown}:{address[1]}")
    finally:
        listener.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # the protocols learn that they are cut off before their requests end
        sim.stop()
        tasks = list(state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sim.finished()


async def serve_forever(sim: Simulator, host: str, port: int) -> None:
    """Serve until cancelled, and print where everything is."""
    async with serve(sim, host, port) as server:
        print(  # noqa: T201 -- the addresses are the command's output
            f"Bot API     {server.url}/bot<token>/<method>\nPeople API  {server.people_url}\nIts docs    {server.people_url}/docs",
            flush=True,
        )
        await asyncio.Event().wait()


def run(port: int = 8081, host: str = "127.0.0.1", strict_tokens: bool = False) -> None:
    """Serve a fresh simulator until interrupted: the command ``legato simulator``."""
    serving = serve_forever(Simulator(strict_tokens=strict_tokens), host, port)
    with suppress(KeyboardInterrupt):
        if sys.platform == "win32":
            asyncio.run(serving)
        else:
            uvloop.run(serving)
