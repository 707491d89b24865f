"""Wake-ups and live updates: in-process, or through Redis when there is more than one process.

A signal only makes things faster. Whoever waits for one also looks at the database from time to time, so a lost signal loses nothing; one
that comes twice, or out of order, only has somebody look twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import orjson

from memory.redis_link import ANSWER_S, AWAY, BEAT_S, CONNECT_S, RECONNECT_S, RedisLink

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

CHANGED = "changed"
"""The topic of what commits have changed about customers: ``customer``, and the ``turn`` or ``outgoing`` that it was."""

MOST_KEPT = 256
"""How many live updates wait for a slow subscriber, or for Redis; then the oldest go."""

SILENCE_S = 2.5 * BEAT_S
"""A subscription that hears nothing for so long, not even the answer to its own PING, is dead."""

Payload = dict[str, int]
"""A live update: ids and numbers by name. Nothing of what customers are or say: whoever may see it reads it from the database."""


class Subscription:
    """Live updates of one topic, from when it is made until it is closed.

    At most ``MOST_KEPT`` wait; then the oldest go. Where updates may be missing, for that or another reason, None stands in their place:
    then look at the database. For ``async for``, or ``ready`` and ``take`` for who waits for more than this.
    """

    def __init__(self, subscriptions: set[Subscription]) -> None:
        self.ready = asyncio.Event()
        """Set while something waits."""
        self._waiting: deque[Payload] = deque(maxlen=MOST_KEPT)
        self._has_missed = False
        self._subscriptions = subscriptions
        subscriptions.add(self)

    def take(self) -> list[Payload | None]:
        """Everything that waits, oldest first. Never waits; may be empty."""
        self.ready.clear()
        taken: list[Payload | None] = [*([None] if self._has_missed else []), *self._waiting]
        self._has_missed = False
        self._waiting.clear()
        return taken

    def put(self, payload: Payload) -> None:
        """Add an update."""
        self._has_missed = self._has_missed or len(self._waiting) == MOST_KEPT
        self._waiting.append(payload)
        self.ready.set()

    def miss(self) -> None:
        """Say that updates may be missing. Those that wait go too: who looks at the database now sees what they told of."""
        self._waiting.clear()
        self._has_missed = True
        self.ready.set()

    def close(self) -> None:
        """Get no more updates."""
        self._subscriptions.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Payload | None:
        while not self._has_missed and not self._waiting:
            self.ready.clear()
            await self.ready.wait()
        if self._has_missed:
            self._has_missed = False
            return None
        return self._waiting.popleft()


class Signals(Protocol):
    """Tell and be told that there is something to do, or something to show."""

    def listen(self, topic: str) -> asyncio.Event:
        """An event that is set whenever ``topic`` is notified, here or in another process; the listener clears it."""

    def notify(self, topic: str) -> None:
        """Wake everyone who listens to ``topic``. Never waits, never fails."""

    def subscribe(self, topic: str) -> Subscription:
        """The live updates of ``topic`` from now on, from here and from other processes. Close it, or use it as a context."""

    def publish(self, topic: str, *payloads: Payload) -> None:
        """Give live updates to everyone who subscribed to ``topic``. After the commit that they tell of. Never waits, never fails."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class LocalSignals:
    """Wake-ups and live updates inside one process."""

    def __init__(self) -> None:
        self._events: dict[str, list[asyncio.Event]] = {}
        self._subscriptions: dict[str, set[Subscription]] = {}

    def listen(self, topic: str) -> asyncio.Event:
        event = asyncio.Event()
        self._events.setdefault(topic, []).append(event)
        return event

    def notify(self, topic: str) -> None:
        for event in self._events.get(topic, ()):
            event.set()

    def subscribe(self, topic: str) -> Subscription:
        return Subscription(self._subscriptions.setdefault(topic, set()))

    def publish(self, topic: str, *payloads: Payload) -> None:
        for subscription in self._subscriptions.get(topic, ()):
            for payload in payloads:
                subscription.put(payload)

    async def start(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""


class RedisSignals(LocalSignals):
    """Wake-ups and live updates among processes. Who is here gets them at once, the others through Redis as soon as it answers.

    What comes together while Redis is busy goes out as one message. Wake-ups are kept until they are sent; of live updates that could not
    be sent, the others are told that they missed some. The link is not ours to start or close.
    """

    def __init__(self, link: RedisLink) -> None:
        super().__init__()
        self._link = link
        self._channel = f"{link.prefix}signals"
        self._origin = secrets.token_hex(6).encode()
        self._wakes: set[str] = set()
        self._live: deque[tuple[str, Payload]] = deque(maxlen=MOST_KEPT)
        self._is_short = False
        """Whether live updates were dropped that others should have had."""
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def notify(self, topic: str) -> None:
        super().notify(topic)
        self._wakes.add(topic)  # many notifications of one topic are one
        self._something.set()

    def publish(self, topic: str, *payloads: Payload) -> None:
        super().publish(topic, *payloads)
        self._is_short = self._is_short or len(self._live) + len(payloads) > MOST_KEPT
        self._live.extend((topic, payload) for payload in payloads)
        self._something.set()

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._link.keep("subscription", self._hear))]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tell(self) -> None:
        while True:
            await self._something.wait()
            await self._link.up.wait()
            self._something.clear()
            wakes, live, is_short = self._wakes, [*self._live], self._is_short
            self._wakes, self._is_short = set(), False  # first: what comes from now on is a message of its own
            self._live.clear()
            message = self._origin + b" " + orjson.dumps([sorted(wakes), live, is_short], default=str)
            if await self._link.ask("PUBLISH", self._channel, message) is AWAY:
                self._wakes |= wakes
                self._is_short = self._is_short or is_short or bool(live)
                self._something.set()
                await asyncio.sleep(RECONNECT_S)

    async def _hear(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(CONNECT_S):
            await connection.send_command("SUBSCRIBE", self._channel)
            await connection.read_response()
        self._link.standing.back("subscription")
        self._doubt()  # something may have been missed while there was no subscription
        loop = asyncio.get_running_loop()
        beats = asyncio.create_task(_beat(connection))
        try:
            async with asyncio.timeout(SILENCE_S) as limit:
                while True:
                    message = await connection.read_response()
                    limit.reschedule(loop.time() + SILENCE_S)
                    if message[0] == b"message":
                        self._take(message[2])
        finally:
            beats.cancel()

    def _take(self, message: bytes) -> None:
        origin, _, body = message.partition(b" ")
        if origin == self._origin:
            return
        try:
            wakes, live, is_short = orjson.loads(body)
            told = [(str(topic), dict(payload)) for topic, payload in live]
        except (ValueError, TypeError):  # of a program that is newer or older than this one
            self._doubt()
            return
        for topic in wakes:
            super().notify(topic)
        for topic, payload in told:
            super().publish(topic, payload)
        if is_short:
            self._miss()

    def _doubt(self) -> None:
        """Have everyone look: nobody knows what others have told."""
        for topic in self._events:
            super().notify(topic)
        self._miss()

    def _miss(self) -> None:
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.miss()


async def _beat(connection: AbstractConnection) -> None:
    """Ask now and then, so that a dead connection is known by its silence: to hear nothing is usual in a subscription."""
    with contextlib.suppress(Exception):  # the reader sees it too, and deals with it
        while True:
            await asyncio.sleep(BEAT_S)
            async with asyncio.timeout(ANSWER_S):
                await connection.send_command("PING", check_health=False)
