"""A Rasa server for tests: its REST channel over real HTTP, answering what the test has put there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bot.web.playground import serve_app

Answers = list[dict[str, Any]]


class FakeRasa:
    """Answers by ``says``, from the message; ``status`` is what it answers with, ``token`` what a proxy before it wants."""

    def __init__(self, says: Callable[[str], Any], *, token: str | None = None) -> None:
        self.says = says
        self.status = 200
        self.token = token
        self.posted: list[dict[str, Any]] = []
        self.url = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeRasa]:
        app = FastAPI()

        @app.post("/webhooks/rest/webhook")
        async def webhook(request: Request) -> Response:
            if self.token is not None and request.headers.get("authorization") != f"Bearer {self.token}":
                return Response(status_code=401)
            said = await request.json()
            self.posted.append(said)
            answers = self.says(said["message"])
            if isinstance(answers, bytes):
                return Response(answers, status_code=self.status)
            return JSONResponse([{"recipient_id": said["sender"], **one} for one in answers], status_code=self.status)

        async with serve_app(app) as self.url:
            yield self
