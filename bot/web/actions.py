"""The action server: rasa-sdk's protocol over our actions, for a bot of ours or for a Rasa server. It answers who knows the token."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.flows.executor import Executor, answer

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A Rasa server sends the whole conversation and the whole domain with each call."""

KNOWN_TO_RASA = frozenset(
    (
        *("action", "action_execution_rejected", "active_loop", "agent", "bot", "cancel_reminder", "entities", "export"),
        *("followup", "form", "form_validation", "loop_interrupted", "pause", "reminder", "reset_slots", "restart"),
        *("resume", "rewind", "session_started", "slot", "undo", "user", "user_featurization"),
    )
)
"""The events of Rasa 3.6 (``rasa.shared.core.events``). One that it does not know, such as ``session_ended``, costs it the whole answer."""


class TooLarge(Exception):
    """More than ``MAX_BODY_BYTES``, as sent or as unpacked."""


LIMIT_S = 60.0
"""How long one call may take where nobody says."""


def actions_app(
    executor: Executor,
    *,
    token: str | None = None,
    limit_s: float = LIMIT_S,
    lend: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext,
    more: Mapping[str, Any] | None = None,
) -> Starlette:
    """An ASGI app with rasa-sdk's three routes: ``POST /webhook`` runs an action, ``GET /actions`` lists them, ``GET /health`` says that
    it is there and needs no token.

    The token comes as ``Authorization: Bearer``, or as ``?token=`` from a Rasa server whose endpoint has a ``token``. An action is
    stopped when its caller has gone, and after ``limit_s`` it is answered for with 504.
    ``lend`` makes what actions find around them; ``more`` are keys that a call's domain gets where it has none of this name.
    """
    left_out = LeftOut()
    running: set[asyncio.Task[tuple[int, bytes]]] = set()

    def refusal(request: Request) -> Response | None:
        if "origin" in request.headers:  # a page in somebody's browser; programs send none
            return _error(403, "web pages may not run actions")
        return None if is_known(request) else _error(401, "the token is missing or wrong")

    def is_known(request: Request) -> bool:
        if token is None:
            return True
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        given = given.strip() if kind.lower() == "bearer" else request.query_params.get("token", "")
        return hmac.compare_digest(given.encode(), token.encode())

    async def webhook(request: Request) -> Response:
        if (refused := refusal(request)) is not None:
            return refused
        try:
            call = orjson.loads(await _body(request))
        except ClientDisconnect:
            return Response(status_code=400)
        except TooLarge:
            return _error(413, "larger than any call")
        except (orjson.JSONDecodeError, zlib.error):
            return _error(400, "the body is no JSON")
        if not isinstance(call, dict):
            return _error(400, "the body is no JSON object")
        with lend():
            work = asyncio.create_task(answer(executor, call, more))
        running.add(work)
        work.add_done_callback(running.discard)
        gone = asyncio.ensure_future(request.receive())  # after the body there is one thing more to come: that the caller has gone
        await asyncio.wait({work, gone}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not work.done():
            work.cancel()
            return _error(504, "the action takes too long", str(call.get("next_action")))
        if work.cancelled():
            return _error(500, "the action cancelled itself", str(call.get("next_action")))
        status, body = work.result()
        return Response(left_out.of(body) if status == 200 else body, status_code=status, media_type="application/json")

    async def actions(request: Request) -> Response:
        if (refused := refusal(request)) is not None:
            return refused
        return Response(orjson.dumps([{"name": name} for name in executor.actions]), media_type="application/json")

    async def health(_: Request) -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    return Starlette(
        routes=[
            Route("/webhook", webhook, methods=["POST"]),
            Route("/actions", actions, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
        ]
    )


class LeftOut:
    """Takes the events out of answers that Rasa does not know. Each kind is told to the log once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def of(self, body: bytes) -> bytes:
        """The answer without them."""
        said = orjson.loads(body)
        unknown = {str(event.get("event")) for event in said["events"]} - KNOWN_TO_RASA
        if not unknown:
            return body
        for kind in sorted(unknown - self._told):
            logger.warning("events of the kind %.40r are left out: Rasa 3.6 does not know them, and would refuse the whole answer", kind)
        self._told |= unknown
        said["events"] = [event for event in said["events"] if event.get("event") not in unknown]
        return orjson.dumps(said)


async def _body(request: Request) -> bytes:
    """The body, unpacked where it is packed (Rasa with ``COMPRESS_ACTION_SERVER_REQUEST``). Raises :class:`TooLarge`."""
    unpack = zlib.decompressobj() if request.headers.get("content-encoding") == "deflate" else None
    body = bytearray()
    async for chunk in request.stream():
        room = MAX_BODY_BYTES - len(body)
        body += chunk if unpack is None else unpack.decompress(chunk, room + 1)
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
    if unpack is not None and not unpack.eof:
        raise zlib.error("it ends too early")
    return bytes(body)


def _error(status: int, said: str, action: str = "") -> Response:
    body: dict[str, Any] = {"error": said, "action_name": action}
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
