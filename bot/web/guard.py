"""Who may talk to a local page's server: browsers that were sent to this machine by name, from this page itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_READING = frozenset({"GET", "HEAD"})

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILE_POLICY = "default-src 'none'; img-src 'self'; sandbox"
"""For files that people have sent: opened on their own they run nothing, whatever they contain."""


def refusal(method: str, headers: Headers) -> str | None:
    """Why a request is refused, or None. Pure.

    A name in the Host header that is not this machine's is what a rebound DNS entry looks like. A write from another page carries that
    page's origin; programs that are no browsers send none.
    """
    host = headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in LOCAL_NAMES:
        return "this page is served to this machine only: open it as http://127.0.0.1 or http://localhost"
    if method in _READING:
        return None
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return "requests from other pages are refused"
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "requests from other pages are refused"
    return None


class LocalOnly:
    """Refuses what :func:`refusal` names, and adds the headers that keep a page to itself. ``files`` is where sent files are."""

    def __init__(self, app: App, *, files: str) -> None:
        self._app = app
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        why = refusal(scope["method"], Headers(scope=scope))
        if why is not None:
            await PlainTextResponse(why, status_code=403)(scope, receive, send)
            return
        policy = FILE_POLICY if scope["path"].startswith(self._files) else PAGE_POLICY

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = policy
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "no-referrer"
                headers.setdefault("cache-control", "no-cache")
            await send(message)

        await self._app(scope, receive, send_with_headers)
