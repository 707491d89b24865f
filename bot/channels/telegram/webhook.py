"""The webhook: Telegram calls us. It is answered only after the commit."""

from __future__ import annotations

import hmac
import logging

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.telegram.intake import CustomerIntake, unreadable
from memory.clock import Clock

logger = logging.getLogger(__name__)

PATH = "/telegram"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY_BYTES = 1024 * 1024
"""An update is a few kilobytes; files never come through the webhook."""


def webhook_app(intake: CustomerIntake, clock: Clock, *, secret: str) -> Starlette:
    """An ASGI app with the one route that Telegram calls.

    200 says that the update is stored (or quarantined, or none of ours); 401, 413 and 5xx are never a reason to lose one, as Telegram
    keeps an update until it gets a 2xx.
    """
    expected = secret.encode()

    async def receive(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "").encode()
        if not hmac.compare_digest(given, expected):
            return Response("wrong secret token", status_code=401)
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    return Response("larger than any update", status_code=413)
        except ClientDisconnect:
            return Response(status_code=400)
        try:
            raw = orjson.loads(bytes(body))
            if not isinstance(raw, dict):
                raise TypeError("not a JSON object")
        except (orjson.JSONDecodeError, TypeError) as error:
            await intake.quarantine([unreadable(bytes(body), str(error), at=clock.now())])
            return Response(status_code=200)  # it will never be better: accepting it lets those behind it come
        try:
            await intake([raw])
        except Exception:
            logger.exception("an update could not be stored; Telegram is asked to bring it again")
            return Response("not stored", status_code=503, headers={"Retry-After": "2"})
        return Response(status_code=200)

    return Starlette(routes=[Route(PATH, receive, methods=["POST"])])
