"""One process's way to Redis: bounded in time and in what waits. Whoever uses it goes on without it while it is away.

Commands go over one connection, whatever has come together at a time; a subscription has a connection of its own (``RedisLink.keep``).
Nobody waits for Redis to come back: while it is away, a command is answered ``AWAY`` at once, and a task of the link tries to connect.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import random
import re
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

logger = logging.getLogger(__name__)

PREFIX = "legato:"
"""What every key, channel and client name begins with, unless the installation has one of its own."""

CONNECT_S = 2.0
"""How long connecting, and the first words on a connection, may take."""

ANSWER_S = 1.0
"""How long the answers to one batch of commands may take; after that Redis counts as away."""

RECONNECT_S = 1.0
"""The pause between two attempts to connect, give or take a half: many processes do not come back in the same moment."""

BEAT_S = 2.0
"""A connection on which nothing happens for so long is tried with a PING."""

QUIET_S = 60.0
"""After a line that Redis is away, the next one comes no sooner: a Redis that comes and goes does not fill the log."""

MOST_WAITING = 512
MOST_AT_ONCE = 64

Part = str | bytes | int | float


class Away(enum.Enum):
    """Stands for an answer that Redis did not give."""

    AWAY = "away"


AWAY: Final = Away.AWAY


class Standing:
    """Which connections are away, told in the log once when the first goes and once when the last is back."""

    def __init__(self) -> None:
        self._parts: set[str] = set()
        self._is_told = False
        self._last_told: float | None = None

    def away(self, part: str, error: Exception, *, is_foreseen: bool) -> None:
        """Note that a connection failed, or failed again."""
        self._parts.add(part)
        now = asyncio.get_running_loop().time()
        if self._is_told or (self._last_told is not None and now - self._last_told < QUIET_S):
            return
        self._is_told, self._last_told = True, now
        logger.warning(
            "Redis is away (%s): processes find each other's work by looking until it is back",
            type(error).__name__,
            exc_info=None if is_foreseen else error,
        )

    def back(self, part: str) -> None:
        """Note that a connection works."""
        self._parts.discard(part)
        if self._is_told and not self._parts:
            self._is_told = False
            logger.warning("Redis is back")


class RedisLink:
    """The connections of one process. ``up`` is set while commands are answered.

    ``name`` tells this process from others in Redis's list of clients. Raises ``ValueError`` for a URL that is none of Redis.
    """

    def __init__(self, url: str, *, prefix: str = PREFIX, name: str = "") -> None:
        # Imported when needed: it takes a tenth of a second, and an installation with one process has no Redis.
        from redis.asyncio import ConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self.prefix = prefix
        self.up = asyncio.Event()
        self.standing = Standing()
        self._pool = ConnectionPool.from_url(
            url,
            protocol=2,
            client_name=re.sub(r"[^!-~]", "-", prefix + name),
            socket_connect_timeout=CONNECT_S,
            socket_timeout=None,  # the limits are here: one for a batch, not one for each answer
            retry=Retry(NoBackoff(), 0),
        )
        self._waiting: deque[tuple[tuple[Part, ...], asyncio.Future[Any]]] = deque()
        self._something = asyncio.Event()
        self._asked_at: float | None = None
        self._refusals: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def late_s(self) -> float:
        """For how long the commands that are under way have been without an answer."""
        return 0.0 if self._asked_at is None else asyncio.get_running_loop().time() - self._asked_at

    async def start(self) -> None:
        """Begin to connect; returns at once."""
        self._task = asyncio.create_task(self.keep("commands", self._answer))

    async def close(self) -> None:
        """Drop the connections, and with them what waits."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def send(self, *command: Part) -> asyncio.Future[Any] | None:
        """Hand over a command without waiting; the future gets its answer or ``AWAY``, never an exception.

        None where it will not be sent: Redis is away, or too much waits.
        """
        if not self.up.is_set() or len(self._waiting) >= MOST_WAITING:
            return None
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        self._something.set()
        return answer

    async def ask(self, *command: Part, within_s: float | None = None) -> Any:
        """The answer, or ``AWAY`` where there is none within this time. Never raises; without a limit, ``ANSWER_S`` is about the most.

        ``AWAY`` says nothing of whether Redis carried the command out.
        """
        answer = self.send(*command)
        if answer is None:
            return AWAY
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            return AWAY

    async def keep(self, part: str, work: Callable[[AbstractConnection], Awaitable[None]]) -> None:
        """Run ``work`` on a connection of its own, for ever; when it fails, again on a new one. It says ``standing.back`` when it works."""
        from redis.exceptions import RedisError

        while True:
            connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                async with asyncio.timeout(CONNECT_S):
                    await connection.connect()  # type: ignore[no-untyped-call]
                await work(connection)
            except Exception as error:
                self.standing.away(part, error, is_foreseen=isinstance(error, (RedisError, OSError)))
            finally:
                with contextlib.suppress(Exception):
                    await connection.disconnect(nowait=True)
            await asyncio.sleep(RECONNECT_S * random.uniform(0.5, 1.5))

    async def _answer(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(CONNECT_S):
            await connection.send_command("PING")
            await connection.read_response()
        self.up.set()
        self.standing.back("commands")
        batch: list[tuple[tuple[Part, ...], asyncio.Future[Any]]] = []
        try:
            while True:
                batch = await self._next_batch()
                await self._exchange(connection, batch)
        finally:
            self.up.clear()
            self._asked_at = None
            for _, answer in (*batch, *self._waiting):
                if not answer.done():
                    answer.set_result(AWAY)
            self._waiting.clear()

    async def _next_batch(self) -> list[tuple[tuple[Part, ...], asyncio.Future[Any]]]:
        if not self._waiting:
            self._something.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._something.wait()
        count = min(len(self._waiting), MOST_AT_ONCE)
        batch = [one for _ in range(count) if not (one := self._waiting.popleft())[1].done()]  # done: nobody waits any more
        return batch or [(("PING",), asyncio.get_running_loop().create_future())]

    async def _exchange(self, connection: AbstractConnection, batch: list[tuple[tuple[Part, ...], asyncio.Future[Any]]]) -> None:
        from redis.exceptions import ReadOnlyError, ResponseError

        self._asked_at = asyncio.get_running_loop().time()
        async with asyncio.timeout(ANSWER_S):
            packed = connection.pack_commands([command for command, _ in batch])
            await connection.send_packed_command(packed, check_health=False)
            for _, answer in batch:
                try:
                    reply = await connection.read_response()
                except ReadOnlyError:
                    raise  # the address may belong to another server by now
                except ResponseError as error:
                    self._note_refusal(error)
                    reply = AWAY
                if not answer.done():
                    answer.set_result(reply)
        self._asked_at = None

    def _note_refusal(self, error: Exception) -> None:
        kind = type(error).__name__
        if kind not in self._refusals:
            self._refusals.add(kind)
            logger.warning("Redis refuses a command (%s); look at its rights and its memory. What needs it goes on without", kind)
