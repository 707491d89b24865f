"""The numbered log of everything that happens, for those who watch: web pages, dialogue runners, tests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from .state import Chat, Json, Message

KINDS = (
    "message",
    "edit",
    "delete",
    "reaction",
    "callback_query",
    "callback_answer",
    "topic",
    "pin",
    "block",
    "member",
    "chat_action",
    "webhook_failure",
    "reset",
)
"""Every kind of event."""


@dataclass(slots=True, eq=False)
class Event:
    """One thing that happened.

    ``message`` and ``data`` together are the message as it was then; ``details`` says the rest in words of the kind.
    """

    number: int
    kind: str
    at: datetime
    chat: Chat | None
    message: Message | None = None
    data: Json | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The message's text or caption; empty where there is none."""
        data = self.data or {}
        text: str = data.get("text") or data.get("caption") or ""
        return text

    @property
    def from_bot(self) -> bool:
        """Whether a bot sent the message."""
        return self.message is not None and self.message.sender.is_bot


class EventLog:
    """Numbered events, the newest ``limit`` of them; readers wait for what comes after the number they know."""

    def __init__(self, now: Callable[[], datetime], limit: int) -> None:
        self._now = now
        self._events: deque[Event] = deque(maxlen=limit)
        self._waiters: set[asyncio.Future[None]] = set()
        self.last = 0
        """The newest event's number. It only grows, across resets too."""

    def add(
        self,
        kind: str,
        chat: Chat | None,
        message: Message | None = None,
        **details: Any,
    ) -> Event:
        """Append an event and wake everyone who waits."""
        self.last += 1
        data = None if message is None else message.data
        event = Event(self.last, kind, self._now(), chat, message, data, details)
        self._events.append(event)
        self.wake()
        return event

    def wake(self) -> None:
        """Let every waiting reader look again."""
        if self._waiters:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    def clear(self) -> None:
        """Forget all events; the numbers go on."""
        self._events.clear()

    @property
    def first(self) -> int:
        """The oldest kept event's number; ``last + 1`` when nothing is kept."""
        return self._events[0].number if self._events else self.last + 1

    def after(self, number: int, limit: int | None = None) -> list[Event]:
        """Kept events numbered above ``number``, oldest first."""
        skip = max(0, number + 1 - self.first)
        stop = None if limit is None else skip + limit
        return list(islice(self._events, skip, stop))

    async def changed(self, timeout_s: float | None) -> bool:
        """Wait until something is added; False if nothing was within ``timeout_s`` real seconds."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True

    async def wait(self, number: int, timeout_s: float | None, limit: int | None = None) -> list[Event]:
        """Events after ``number``; waits up to ``timeout_s`` for the first one, and may return none."""
        if self.last <= number and not await self.changed(timeout_s):
            return []
        return self.after(number, limit)
