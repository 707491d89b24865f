"""Records as an HTTP service, by the contract in ``openapi.yaml``: to try the contract over the sample, and to begin a real one from.

    LEGATO_RECORDS=sample:records.db LEGATO_RECORDS_TOKEN=... uvicorn --factory actions.records.serve:sample_app --port 5065

Whoever has the token can read and change everything.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from actions.records.connect import RECORDS_VARIABLE, TOKEN_VARIABLE, open_records
from actions.records.interface import (
    MAX_KEY,
    MOST,
    KeyUsed,
    Record,
    RecordRefused,
    Records,
    RecordsMisunderstood,
    RecordsUnavailable,
    RecordsUnknown,
)
from memory.errors import SettingsError


class Find(BaseModel):
    """Which records are wanted."""

    model_config = ConfigDict(extra="forbid")

    where: dict[str, StrictStr | StrictInt | StrictBool] = Field(default_factory=dict)
    limit: int = Field(default=20, ge=0, le=MOST)


class Do(BaseModel):
    """What is to be done, and to which record."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class _Refused(Exception):
    """The caller has no token that we know."""


def records_app(records: Records, token: str) -> FastAPI:
    """The service over ``records``, which it closes at its end. Only callers with ``token`` are served; it must not be empty."""
    if not token:
        raise SettingsError(f"{TOKEN_VARIABLE} is not set: without it, anybody could read and change the records")

    @asynccontextmanager
    async def until_closed(_: FastAPI) -> AsyncIterator[None]:
        yield
        await records.close()

    def check_token(authorization: Annotated[str | None, Header()] = None) -> None:
        if not hmac.compare_digest((authorization or "").encode(), f"Bearer {token}".encode()):
            raise _Refused

    app = FastAPI(
        title="Records", lifespan=until_closed, docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(check_token)]
    )

    @app.get("/{kind}/{id}")
    async def get(kind: str, id: str) -> JSONResponse:
        found = await records.get(kind, id)
        if found is None:
            raise RecordsUnknown(kind)
        return JSONResponse(_plain(found))

    @app.post("/{kind}/find")
    async def find(kind: str, wanted: Find) -> JSONResponse:
        found = await records.find(kind, wanted.where, limit=wanted.limit)
        return JSONResponse({"records": [_plain(one) for one in found]})

    @app.post("/{kind}/do/{operation}")
    async def do(
        kind: str, operation: str, asked: Do, idempotency_key: Annotated[str, Header(min_length=1, max_length=MAX_KEY)]
    ) -> JSONResponse:
        return JSONResponse(_plain(await records.do(kind, operation, asked.data, key=idempotency_key, id=asked.id)))

    _add_errors(app)
    return app


def sample_app() -> FastAPI:
    """The service over what ``LEGATO_RECORDS`` names, which is meant to be a sample; for ``uvicorn --factory``."""
    address = os.environ.get(RECORDS_VARIABLE)
    if not address:
        raise SettingsError(f"{RECORDS_VARIABLE} is not set: write sample: and a file's name, such as sample:records.db")
    return records_app(open_records(address), os.environ.get(TOKEN_VARIABLE, ""))


def _add_errors(app: FastAPI) -> None:
    """Each error as the contract says it; never with anything of the request in it."""

    def say(status: int, **body: str) -> JSONResponse:
        return JSONResponse(body, status_code=status)

    @app.exception_handler(_Refused)
    async def refused_caller(_: Request, __: _Refused) -> JSONResponse:
        return say(401, error="token")

    @app.exception_handler(RequestValidationError)
    async def not_the_contract(_: Request, __: RequestValidationError) -> JSONResponse:
        return say(400, error="request")

    @app.exception_handler(RecordRefused)
    async def refused(_: Request, error: RecordRefused) -> JSONResponse:
        return say(422, error="refused", reason=error.reason)

    @app.exception_handler(RecordsUnknown)
    async def unknown(_: Request, error: RecordsUnknown) -> JSONResponse:
        return say(404, error="unknown", what=error.what)

    @app.exception_handler(KeyUsed)
    async def key_used(_: Request, __: KeyUsed) -> JSONResponse:
        return say(409, error="key_used")

    @app.exception_handler(RecordsUnavailable)
    async def unavailable(_: Request, error: RecordsUnavailable) -> JSONResponse:
        return say(502 if error.uncertain else 503, error="unavailable")

    @app.exception_handler(RecordsMisunderstood)
    async def misunderstood(_: Request, __: RecordsMisunderstood) -> JSONResponse:
        return say(500, error="misunderstood")


def _plain(record: Record) -> dict[str, Any]:
    return {"kind": record.kind, "id": record.id, "data": dict(record.data)}
