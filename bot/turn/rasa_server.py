"""A Rasa server's REST channel: a customer's words there, its answers back (Rasa 3.6, ``rasa.core.channels.rest.RestInput``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memory.errors import LegatoError

if TYPE_CHECKING:
    import aiohttp

PATH = "/webhooks/rest/webhook"
MAX_ANSWER_BYTES = 1024 * 1024

KEPT_ALIVE_S = 4.0
"""How long an idle connection is used again: less than the five seconds after which Rasa 3.6 closes it (Sanic 21's default)."""


class RasaFailed(LegatoError):
    """The Rasa server gave no answer that can be used; the text names the setting, and has nothing of the conversation in it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a Rasa server says to one message: its texts in order, its buttons as title and payload, and whether a person is asked for.

    ``handoff`` is the reason, None where nobody is asked for; ``note`` is for the agent.
    """

    texts: tuple[str, ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    handoff: str | None = None
    note: str | None = None


class RasaServer:
    """Asks the server at ``url``. ``token`` goes along as ``Authorization: Bearer``: Rasa's REST channel looks at none, a proxy may.

    ``at_once`` is how many messages are under way at a time. A message is sent once: Rasa takes each for a new one.
    """

    def __init__(self, url: str, *, token: str | None = None, timeout_s: float, at_once: int) -> None:
        self._url = url.rstrip("/") + PATH
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._timeout_s = timeout_s
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, sender: str, message: str, metadata: Mapping[str, Any], *, message_id: str) -> Answered:
        """What it says to ``message``. Raises :class:`RasaFailed`."""
        import aiohttp

        body = {"sender": sender, "message": message, "metadata": metadata, "message_id": message_id}
        data = json.dumps(body, ensure_ascii=False).encode()
        try:
            async with self._connected().post(self._url, data=data, headers=self._headers, allow_redirects=False) as response:
                if response.status != 200:
                    raise RasaFailed(_refused(response.status))
                read = bytearray()
                async for chunk in response.content.iter_any():
                    read += chunk
                    if len(read) > MAX_ANSWER_BYTES:
                        raise RasaFailed("LEGATO_RASA_URL: what the server answers is too large")
        except TimeoutError:
            raise RasaFailed(f"LEGATO_RASA_URL: the server has not answered within {self._timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise RasaFailed(f"LEGATO_RASA_URL: the server does not answer ({type(error).__name__})") from None
        return read_answer(bytes(read))

    def _connected(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._at_once, keepalive_timeout=KEPT_ALIVE_S)
            limit = aiohttp.ClientTimeout(total=self._timeout_s)
            self._session = aiohttp.ClientSession(connector=connector, timeout=limit, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def close(self) -> None:
        """Close the connections; the next question opens them again."""
        closing, self._session = self._session, None
        if closing is not None:
            await closing.close()


def _refused(status: int) -> str:
    if status in (401, 403):
        return f"LEGATO_RASA_TOKEN: whoever stands before the Rasa server wants another ({status})"
    if status == 404:
        return "LEGATO_RASA_URL: there is no REST channel; put `rest:` into the server's credentials.yml, and no path into the address"
    return f"LEGATO_RASA_URL: the server answered {status}"


def read_answer(body: bytes) -> Answered:
    """What the server's list of messages says. Raises :class:`RasaFailed` for what is none. Pure."""
    try:
        messages = json.loads(body)
    except (ValueError, RecursionError):
        messages = None
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise RasaFailed("LEGATO_RASA_URL: what the server answers is no list of messages; is it a Rasa server?")
    texts: list[str] = []
    buttons: list[tuple[str, str]] = []
    handoff = note = None
    for one in messages:
        texts += [str(one[key]) for key in ("text", "image", "attachment") if isinstance(one.get(key), str) and one[key].strip()]
        buttons += _buttons(one.get("buttons"))
        custom = one.get("custom")
        legato = custom.get("legato") if isinstance(custom, dict) else None
        if isinstance(legato, dict) and (asks := legato.get("handoff")):
            about = asks if isinstance(asks, dict) else {"reason": asks}
            handoff = str(about.get("reason") or "asked")
            note = "; ".join(str(about[key]) for key in ("queue", "note") if about.get(key)) or None
    return Answered(tuple(texts), tuple(buttons), handoff, note)


def _buttons(said: Any) -> Iterator[tuple[str, str]]:
    for one in said if isinstance(said, list) else ():
        if isinstance(one, dict) and one.get("title") and one.get("payload"):
            yield str(one["title"]), str(one["payload"])
