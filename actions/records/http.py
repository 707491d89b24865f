"""Records over HTTP, by the contract in ``openapi.yaml``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import orjson

from actions.records.interface import (
    MAX_KEY,
    MOST,
    KeyUsed,
    Record,
    RecordRefused,
    RecordsMisunderstood,
    RecordsUnavailable,
    RecordsUnknown,
    is_id,
    is_word,
)

WITHIN_S = 6.0
"""How long one call may take, all tries and pauses together. An action has seven seconds."""

TRY_S = 2.5
"""How long one try may take."""

PAUSES_S = (0.2, 0.8)
"""Pauses between tries; one more try than pauses."""

MAX_ANSWER = 1_000_000
"""Bytes of an answer at most."""

NOT_DONE = (429, 503)
"""Statuses that say: not now, and nothing was done."""

LATER = (500, 502, 504, *NOT_DONE)
"""Statuses after which a try is made again."""

_log = logging.getLogger(__name__)


class HttpRecords:
    """:class:`actions.records.interface.Records` at ``address``, which stands before the paths of the contract.

    Reads are tried again, and so are writes, as their key makes that harmless. Redirects are not followed, since the token would go along.
    Nothing of a body is ever logged, nor of an address beyond kind and operation.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        within_s: float = WITHIN_S,
        try_s: float = TRY_S,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._address = address.rstrip("/")
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        self._within_s, self._try_s, self._pauses_s = within_s, try_s, tuple(pauses_s)
        self._session: aiohttp.ClientSession | None = None

    @property
    def place(self) -> str:
        return self._address

    async def get(self, kind: str, id: str) -> Record | None:
        if not is_id(id) and is_word(kind):
            return None
        try:
            return _record(await self._ask("GET", _word(kind), f"/{kind}/{id}"))
        except RecordsUnknown as error:
            if error.what == kind:
                return None
            raise

    async def find(self, kind: str, where: Mapping[str, str | int | bool], *, limit: int = 20) -> list[Record]:
        wanted = {"where": dict(where), "limit": max(0, min(limit, MOST))}
        answer = await self._ask("POST", f"{_word(kind)}/find", f"/{kind}/find", wanted)
        found = answer.get("records")
        if not isinstance(found, list):
            raise RecordsMisunderstood("the answer has no list of records")
        return [_record(one) for one in found[:MOST]]

    async def do(self, kind: str, operation: str, data: Mapping[str, Any], *, key: str, id: str | None = None) -> Record:
        if not 0 < len(key) <= MAX_KEY:
            raise ValueError(f"a key has 1 to {MAX_KEY} characters")
        asked = {"id": id, "data": dict(data)}
        path = f"{_word(kind)}/do/{_word(operation, 'operation')}"
        answer = await self._ask("POST", path, f"/{path}", asked, key=key)
        return _record(answer, write=True)

    async def close(self) -> None:
        closing, self._session = self._session, None
        if closing is not None:
            await closing.close()

    async def _ask(self, method: str, what: str, path: str, body: Any = None, *, key: str | None = None) -> dict[str, Any]:
        """One call: its tries, within its time. ``what`` is its name in the log. Raises what the contract's statuses mean."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._within_s
        why, uncertain = "connection", False
        for pause in (*self._pauses_s, None):
            try:
                async with asyncio.timeout(min(self._try_s, max(0.0, ends - loop.time()))):
                    status, answer = await self._try(method, f"{self._address}{path}", body, key)
                if status not in LATER:
                    return _understood(status, answer, write=key is not None)
                why, maybe = "connection", status not in NOT_DONE
            except TimeoutError:
                why, maybe = "time", True
            except aiohttp.ClientConnectorError:  # nobody there: what was not received was not done
                why, maybe = "connection", False
            except aiohttp.ClientError:
                why, maybe = "connection", True
            uncertain = uncertain or (maybe and key is not None)
            if pause is None or loop.time() + pause >= ends:
                break
            await asyncio.sleep(pause)
        _log.warning("records: no answer to %s %s (%s)", method, what, why)
        raise RecordsUnavailable(why, uncertain=uncertain)

    async def _try(self, method: str, url: str, body: Any, key: str | None) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers, timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.DummyCookieJar()
            )
        headers = {"Idempotency-Key": key} if key is not None else {}
        data = None
        if body is not None:
            data = orjson.dumps(body)
            headers["Content-Type"] = "application/json"
        async with self._session.request(method, url, data=data, headers=headers, allow_redirects=False) as response:
            answer = b""
            async for piece in response.content.iter_chunked(65_536):
                answer += piece
                if len(answer) > MAX_ANSWER:
                    raise RecordsMisunderstood(f"an answer of more than {MAX_ANSWER} bytes", uncertain=key is not None)
            return response.status, answer


def _understood(status: int, answer: bytes, *, write: bool) -> dict[str, Any]:
    """The answer's object, or what its status means. Pure. A status of 400 to 499 says that nothing was done."""
    maybe = write and not 400 <= status < 500
    if status in (401, 403):
        raise RecordsMisunderstood("they refuse our token; set LEGATO_RECORDS_TOKEN to one that they take")
    try:
        said = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise RecordsMisunderstood(f"an answer with status {status} that is not JSON", uncertain=maybe) from None
    if not isinstance(said, dict):
        raise RecordsMisunderstood(f"an answer with status {status} that is not an object", uncertain=maybe)
    if status == 200:
        return said
    error = said.get("error")
    if status == 422 and error == "refused" and is_word(said.get("reason")):
        raise RecordRefused(said["reason"])
    if status == 404 and error == "unknown" and is_word(said.get("what")):
        raise RecordsUnknown(said["what"])
    if status == 409 and error == "key_used":
        raise KeyUsed
    raise RecordsMisunderstood(f"an answer with status {status} that the contract does not have", uncertain=maybe)


def _record(said: Any, *, write: bool = False) -> Record:
    if isinstance(said, dict) and is_word(said.get("kind")) and isinstance(said.get("id"), str) and isinstance(said.get("data"), dict):
        return Record(said["kind"], said["id"], said["data"])
    raise RecordsMisunderstood("an answer that is not a record with kind, id and data", uncertain=write)


def _word(text: str, what: str = "kind") -> str:
    if not is_word(text):
        raise RecordsUnknown(what)
    return text
