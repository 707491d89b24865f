"""From a request to an answer: the method, its parameters, the ordered faults, the handler."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .errors import ApiError, not_covered
from .faults import Fault
from .files import Upload
from .methods import HANDLERS, WAITING, Call
from .params import METHODS, check_answer, check_params, read_params
from .state import Bot
from .wire import read_request

if TYPE_CHECKING:
    from .simulator import Simulator

_REQUEST_FAULTS = ("too_many_requests", "server_error", "error", "delay", "lost_answer", "dropped_connection")


class ConnectionLost(Exception):
    """An ordered fault: the connection must be closed without an answer."""


def _chat_id(raw: dict[str, Any]) -> int | None:
    try:
        return int(raw["chat_id"])
    except (KeyError, TypeError, ValueError):
        return None


async def call_method(sim: Simulator, bot: Bot, name: str, raw: dict[str, Any], files: dict[str, Upload]) -> Any:
    """Execute one method; the answer's ``result``. Raises ``ApiError`` or, when a fault orders so, ``ConnectionLost``."""
    method = name.lower()
    known = METHODS.get(method)
    if known is None:
        raise ApiError(404, "Not Found: method not found")
    bot.requests[known.__api_method__] += 1
    if not sim.faults:
        return await _execute(sim, bot, method, raw, files)
    fault = sim.faults.take(_REQUEST_FAULTS, bot.username, method, _chat_id(raw))
    if fault is not None:
        await _before(fault)
    if fault is None or fault.kind != "lost_answer":
        return await _execute(sim, bot, method, raw, files)
    with suppress(ApiError):  # a refusal is lost like any other answer
        await _execute(sim, bot, method, raw, files)
    if fault.seconds > 0:
        await asyncio.sleep(fault.seconds)
    raise ConnectionLost


async def _before(fault: Fault) -> None:
    """What a fault does before the method is executed. Delays are real seconds, since real clients wait for them."""
    match fault.kind:
        case "too_many_requests":
            wait_s = fault.retry_after_s
            raise ApiError(429, f"Too Many Requests: retry after {wait_s}", {"retry_after": wait_s})
        case "server_error":
            code = fault.code or 500
            words = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
            raise ApiError(code, fault.description or words.get(code, "Internal Server Error"))
        case "error":
            raise ApiError(fault.code or 400, fault.description or "Bad Request")
        case "delay":
            await asyncio.sleep(fault.seconds)
        case "dropped_connection":
            raise ConnectionLost


async def _execute(sim: Simulator, bot: Bot, method: str, raw: dict[str, Any], files: dict[str, Upload]) -> Any:
    handler = HANDLERS.get(method)
    waiting = WAITING.get(method) if handler is None else None
    if handler is None and waiting is None:
        raise not_covered(METHODS[method].__api_method__)
    params = read_params(method, _with_uploads(raw, files) if files else raw)
    call = Call(sim, bot, params, files)
    if handler is not None:
        result = handler(call)
    elif waiting is not None:
        result = await waiting(call)
    if sim.strict:
        check_params(method, params)
        check_answer(method, result)
    return result


def _with_uploads(raw: dict[str, Any], files: dict[str, Upload]) -> dict[str, Any]:
    """A file sent as a form field of its own is the same as one that the field attaches by name."""
    return {name: f"attach://{name}" for name in files} | raw


async def call_from_webhook(sim: Simulator, bot: Bot, content_type: bytes, body: bytes) -> None:
    """Execute the method call in a webhook's answer. Methods that only read are not executed, and failures are lost."""
    with suppress(ApiError, ConnectionLost):
        raw, files = read_request(b"", content_type, body)
        method = str(raw.pop("method", ""))
        if method and not method.lower().startswith("get"):
            await call_method(sim, bot, method, raw, files)
