"""Running actions: in this process, or on an action server over HTTP. What comes of a call is the same either way."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.flows.actions import Called, Done, RunAction
from bot.flows.model import Domain
from bot.flows.outcome import MAX_ANSWER_BYTES, Reader
from bot.flows.tracker import domain_of, tracker_of
from memory.clock import Clock

if TYPE_CHECKING:
    import aiohttp

    from bot.flows.executor import Executor

logger = logging.getLogger(__name__)

Lend = Callable[[], AbstractContextManager[Any]]
"""Makes what an action finds around it while it runs: the assistant's database and clock."""

AT_ONCE = 32

DEADLINE_PART = 0.9
"""How much of a turn's time one action may take: the rest is for saying that it did not answer."""

UNAVAILABLE = frozenset({408, 425, 429, 502, 503})
"""Statuses of somebody before the server, or of a server that has no time now."""


class Runner(RunAction, Protocol):
    """Runs actions until it is closed. ``warm`` gets ready what the first one would wait for, and says in the log what is wrong with it."""

    async def warm(self) -> None: ...

    async def close(self) -> None: ...


class RunnerSettings(Protocol):
    """What of the settings is about actions. ``actions_url`` None: they run in this process."""

    @property
    def actions_url(self) -> str | None: ...
    @property
    def actions_token(self) -> SecretStr | None: ...
    @property
    def action_timeout_s(self) -> float: ...
    @property
    def turn_deadline_s(self) -> float: ...
    @property
    def workers(self) -> int: ...


def make_runner(
    settings: RunnerSettings,
    domain: Domain,
    *,
    clock: Clock,
    lend: Lend = contextlib.nullcontext,
    replies: Iterable[str] = (),
    more: Mapping[str, Any] | None = None,
) -> Runner:
    """What runs actions, as the settings say. Cheap: rasa-sdk is imported, and a server is connected to, at the first call.

    ``replies`` are the names of what can be said, ``more`` keys of the domain that only our actions read; ``lend`` is used where the
    actions run in this process.
    """
    timeout_s = min(settings.action_timeout_s, DEADLINE_PART * settings.turn_deadline_s)
    if settings.actions_url is None:
        return InProcess(domain, clock=clock, timeout_s=timeout_s, at_once=settings.workers, lend=lend, replies=replies, more=more)
    token = settings.actions_token.get_secret_value() if settings.actions_token is not None else None
    return OverHttp(
        domain,
        url=settings.actions_url,
        token=token,
        clock=clock,
        timeout_s=timeout_s,
        at_once=settings.workers,
        replies=replies,
        more=more,
    )


@functools.cache
def _sdk_version() -> str:
    """rasa-sdk's own: its server complains of every caller whose version is another."""
    return version("rasa-sdk")


class _Runner(ABC):
    """What both have in common: the call's form, its time limit, how many run at a time, and how an answer is read."""

    def __init__(
        self,
        domain: Domain,
        *,
        clock: Clock,
        timeout_s: float,
        at_once: int = AT_ONCE,
        replies: Iterable[str] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self._domain = domain
        self._domain_json = json.dumps(domain_of(domain, replies, more), ensure_ascii=False, separators=(",", ":"))
        self._clock = clock
        self.timeout_s = timeout_s
        self._free = asyncio.Semaphore(at_once)
        self._reader = Reader(domain)
        self._left: set[asyncio.Task[Any]] = set()

    async def __call__(self, called: Called) -> Done:
        return await self._within(called)

    @abstractmethod
    async def _run(self, called: Called) -> Done:
        """What came of the call; its time limit is kept elsewhere."""

    def _call_json(self, called: Called) -> str:
        """The call as it goes over the wire; in this process too, so that an action can change nothing of ours and gets only JSON."""
        call = {
            "next_action": called.action,
            "sender_id": called.sender,
            "tracker": tracker_of(called, self._domain, at=self._clock.now()),
            "version": _sdk_version(),
        }
        return f'{json.dumps(call, ensure_ascii=False, separators=(",", ":"))[:-1]},"domain":{self._domain_json}}}'

    async def _within(self, called: Called) -> Done:
        """Run it within the limit. What does not heed its cancellation is left to itself."""
        action, task = called.action, asyncio.ensure_future(self._in_turn(called))
        try:
            done, _ = await asyncio.wait({task}, timeout=self.timeout_s)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()
            self._left.add(task)
            task.add_done_callback(self._forget)
            logger.error("action %s did not answer within %g s", action, self.timeout_s)
            return Done(failed="timeout")
        try:
            return task.result()
        except asyncio.CancelledError:
            logger.error("action %s cancelled itself", action)
        except Exception as error:
            logger.error("action %s cannot be called: %s", action, type(error).__name__)
        return Done(failed="error")

    async def _in_turn(self, called: Called) -> Done:
        async with self._free:
            return await self._run(called)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # it is nobody's any more

    async def close(self) -> None:
        """Let go of what is held. Calls that are left to themselves are cancelled once more and not waited for."""
        for task in self._left:
            task.cancel()


class InProcess(_Runner):
    """Runs the actions of ``packages`` here, with what ``lend`` puts around them."""

    def __init__(
        self, domain: Domain, *, lend: Lend = contextlib.nullcontext, packages: tuple[str, ...] = ("actions",), **about: Any
    ) -> None:
        super().__init__(domain, **about)
        self._lend = lend
        self._packages = packages
        self._executor: Executor | None = None

    async def __call__(self, called: Called) -> Done:
        await self.warm()
        return Done(failed="unavailable") if self._executor is None else await super().__call__(called)

    async def warm(self) -> None:
        """Import the actions, in a thread: it takes a good part of a second, and is no action's fault."""
        if self._executor is None:
            try:
                self._executor = await asyncio.to_thread(_find, self._packages)
            except Exception as error:
                logger.error("no action can be run: %s", error)

    async def _run(self, called: Called) -> Done:
        from bot.flows.executor import answer

        assert self._executor is not None
        call = json.loads(self._call_json(called))
        with self._lend():
            status, body = await answer(self._executor, call)
        return self._reader.read(called.action, status, body)


def _find(packages: tuple[str, ...]) -> Executor:
    from bot.flows.executor import find_actions

    return find_actions(packages)


class OverHttp(_Runner):
    """Has the actions run by a server that speaks rasa-sdk's protocol. ``token`` is sent as ``Authorization: Bearer``.

    A connection is used again; one that broke before an answer came is tried once more, as a call with the same numbers is the same call.
    """

    def __init__(self, domain: Domain, *, url: str, token: str | None = None, at_once: int = AT_ONCE, **about: Any) -> None:
        super().__init__(domain, at_once=at_once, **about)
        self._url = webhook_of(url)
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None

    async def warm(self) -> None:
        """Nothing has to be got ready: it connects at the first call."""

    async def _run(self, called: Called) -> Done:
        import aiohttp

        body = self._call_json(called).encode()
        try:
            try:
                status, answered = await self._post(body)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                status, answered = await self._post(body)
        except (aiohttp.ClientError, OSError) as error:
            logger.error("action %s: the server at LEGATO_ACTIONS_URL does not answer (%s)", called.action, type(error).__name__)
            return Done(failed="unavailable")
        if status in UNAVAILABLE:
            logger.error("action %s: the server at LEGATO_ACTIONS_URL has no time for it (%d)", called.action, status)
            return Done(failed="unavailable")
        if status in (401, 403):
            logger.error("action %s: the server at LEGATO_ACTIONS_URL wants another LEGATO_ACTIONS_TOKEN (%d)", called.action, status)
            return Done(failed="unavailable")
        return self._reader.read(called.action, status, answered)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        async with self._connected().post(self._url, data=body, headers=self._headers, allow_redirects=False) as response:
            read = bytearray()
            async for chunk in response.content.iter_any():
                read += chunk
                if len(read) > MAX_ANSWER_BYTES:
                    break
            return response.status, bytes(read)

    def _connected(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._at_once)
            # The limit of the call is the only one: aiohttp's own would end a slower action earlier.
            unlimited = aiohttp.ClientTimeout(total=None, sock_connect=None)
            self._session = aiohttp.ClientSession(connector=connector, timeout=unlimited, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def close(self) -> None:
        await super().close()
        if self._session is not None:
            await self._session.close()
            self._session = None


def webhook_of(url: str) -> str:
    """Where calls are posted: ``url`` itself, with the path that action servers have where it has none."""
    parts = urlsplit(url)
    return parts._replace(path="/webhook").geturl() if parts.path in ("", "/") else url
