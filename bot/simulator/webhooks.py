"""Webhook delivery: updates go out in order per lane, failures are retried, answers may carry a method call."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from .state import Bot
from .updates import Update

if TYPE_CHECKING:
    from .simulator import Simulator

ATTEMPT_TIMEOUT_S = 60.0
MAX_WAIT_S = 60.0
MAX_RETRY_AFTER_S = 3600.0


def wait_before_retry(failures: int) -> float:
    """Seconds to wait after the n-th failure in a row: none, then 2, 4, 8 ... up to a minute."""
    return 0.0 if failures <= 1 else min(MAX_WAIT_S, 2.0 ** (failures - 1))


class Webhook:
    """One bot's webhook while it is set.

    An update that fails blocks the others of its lane and nothing else. At most ``max_connections`` deliveries run at a
    time. A 2xx answer confirms the update, and the method call in it is executed with its outcome unseen.
    """

    def __init__(self, sim: Simulator, bot: Bot, url: str, secret: str, max_connections: int) -> None:
        self.url = url
        self.max_connections = max_connections
        self.has_certificate = False
        self.last_error: tuple[int, str] | None = None
        self._sim = sim
        self._bot = bot
        self._headers = {"Content-Type": "application/json"}
        if secret:
            self._headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        self._lanes: dict[str, deque[Update]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(max_connections)
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        """Deliver what waits and everything that comes."""
        self._bot.queue.on_update = self._take
        for update in self._bot.queue.waiting():
            self._take(update)

    def stop(self) -> None:
        """Deliver nothing more; what is not confirmed stays in the queue."""
        self._bot.queue.on_update = None
        for task in list(self._tasks):
            task.cancel()
        self._lanes.clear()
        session, self._session = self._session, None
        if session is not None:
            self._sim.finish(session.close())

    def _take(self, update: Update) -> None:
        lane = self._lanes.get(update.lane)
        if lane is not None:
            lane.append(update)
            return
        self._lanes[update.lane] = deque([update])
        task = self._sim.spawn(self._run(update.lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, name: str) -> None:
        lane = self._lanes[name]
        failures = 0
        while lane:
            update = lane[0]
            if update.expires <= self._sim.now():
                lane.popleft()
                continue
            async with self._slots:
                failure, retry_after_s = await self._deliver(update)
            if failure is None:
                failures = 0
                lane.popleft()
                update.is_late = False
                self._bot.queue.confirm(update)
                continue
            failures += 1
            self.last_error = (int(self._sim.now().timestamp()), failure)
            self._sim.events.add("webhook_failure", None, bot=self._bot.username, update_id=update.id, reason=failure, failures=failures)
            wait_s = wait_before_retry(failures) if retry_after_s is None else min(retry_after_s, MAX_RETRY_AFTER_S)
            if wait_s > 0:
                await self._sim.sleep(wait_s)
        if self._lanes.get(name) is lane:
            del self._lanes[name]

    async def _deliver(self, update: Update) -> tuple[str | None, float | None]:
        """What went wrong, if anything, and how long the bot asks to wait."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ATTEMPT_TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0, ssl=False))
        body = orjson.dumps(update.body)
        try:
            async with self._session.post(self.url, data=body, headers=self._headers) as response:
                answer = await response.read()
                if 200 <= response.status < 300:
                    await self._call_back(response.content_type, response.headers.get("Content-Type", ""), answer)
                    return None, None
                wait = response.headers.get("Retry-After", "")
                reason = f"Wrong response from the webhook: {response.status} {response.reason}"
                return reason, float(wait) if wait.isdigit() else None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _reason(error), None

    async def _call_back(self, kind: str, content_type: str, answer: bytes) -> None:
        if not answer or kind not in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"):
            return
        from .dispatch import call_from_webhook

        await call_from_webhook(self._sim, self._bot, content_type.encode(), answer)


def _reason(error: BaseException) -> str:
    """The failure in the words of getWebhookInfo."""
    if isinstance(error, TimeoutError):
        return "Read timeout expired"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "Connection refused"
    cause: Any = error.__class__.__name__
    return f"Connection closed ({cause})"
