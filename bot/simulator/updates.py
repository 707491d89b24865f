"""A bot's queue of updates and the rules of getUpdates: offsets, retention, allowed types, one poll at a time."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .errors import conflict

UPDATE_TYPES = frozenset(
    {
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "message_reaction",
        "message_reaction_count",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
    }
)
ON_REQUEST_ONLY = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Types that a bot gets only when ``allowed_updates`` names them."""

RETENTION = timedelta(hours=24)
CALLBACK_RETENTION = timedelta(seconds=150)
INLINE_RETENTION = timedelta(seconds=30)

MAX_TIMEOUT_S = 50
REPEAT_WINDOW_S = 3.0
"""A poll that repeats the offset within this time waits at least as long, when there is nothing to serve."""

ENDED_BY_POLL = "terminated by other getUpdates request; make sure that only one bot instance is running"
ENDED_BY_WEBHOOK = "terminated by setWebhook request"

_RETENTIONS = {"callback_query": CALLBACK_RETENTION, "inline_query": INLINE_RETENTION}


def check_allowed_updates(names: list[str]) -> frozenset[str] | None:
    """The set that ``allowed_updates`` asks for; None stands for Telegram's default. Unknown names are ignored."""
    return (frozenset(names) & UPDATE_TYPES) or None


FIRST_ID = 100_000_001
"""A bot's first update id, the same for every bot, so that mixing them up shows at once."""


@dataclass(slots=True, eq=False)
class Update:
    """One update on its way to a bot.

    ``is_late`` marks one that a fault repeats, delays or overtakes: an offset above its id does not confirm it before it
    was served once.
    """

    id: int
    type: str
    body: dict[str, Any]
    lane: str
    """Order holds within a lane: a chat for messages, a person for button presses."""
    expires: datetime
    is_late: bool = False


class UpdateQueue:
    """The unconfirmed updates of one bot, oldest first."""

    def __init__(self, now: Callable[[], datetime], limit: int, repeat_window_s: float = REPEAT_WINDOW_S, first_id: int = FIRST_ID) -> None:
        self._now = now
        self._limit = limit
        self._repeat_window_s = repeat_window_s
        self._updates: OrderedDict[int, Update] = OrderedDict()
        self._last_id = first_id - 1
        self._poll: asyncio.Future[str] | None = None
        self._last_offset: int | None = None
        self._last_poll_s = 0.0
        self._next_expiry: datetime | None = None
        self.allowed: frozenset[str] | None = None
        self.on_update: Callable[[Update], None] | None = None
        """Who else wants each new update at once: a webhook."""
        self.on_confirmed: Callable[[Update], None] | None = None

    def __len__(self) -> int:
        self._drop_expired()
        return len(self._updates)

    def waiting(self) -> list[Update]:
        """All unconfirmed updates, in the order in which they will be served."""
        self._drop_expired()
        return list(self._updates.values())

    def wants(self, kind: str) -> bool:
        """Whether the bot asked for this type of update."""
        if self.allowed is None:
            return kind not in ON_REQUEST_ONLY
        return kind in self.allowed

    def make(self, kind: str, body: dict[str, Any], lane: str) -> Update:
        """Number an update without queueing it."""
        self._last_id += 1
        expires = self._now() + _RETENTIONS.get(kind, RETENTION)
        return Update(self._last_id, kind, {"update_id": self._last_id, kind: body}, lane, expires)

    def put(self, update: Update) -> None:
        """Queue an update and wake the poll or the webhook; the oldest goes when the queue is full."""
        self._updates[update.id] = update
        if self._next_expiry is None or update.expires < self._next_expiry:
            self._next_expiry = update.expires
        if len(self._updates) > self._limit:
            self._updates.popitem(last=False)
        if self.on_update is not None:
            self.on_update(update)
        elif self._poll is not None:
            self._end_poll("")

    def confirm(self, update: Update) -> None:
        """Forget one delivered update."""
        if self._updates.get(update.id) is update:
            del self._updates[update.id]
            if self.on_confirmed is not None:
                self.on_confirmed(update)

    def drop_all(self) -> None:
        """Forget everything that waits, as ``drop_pending_updates`` asks."""
        self._updates.clear()

    def end_poll(self, words: str) -> None:
        """Answer the open poll, if any, with a conflict."""
        self._end_poll(words)

    def _end_poll(self, words: str) -> None:
        if self._poll is not None:
            if not self._poll.done():
                self._poll.set_result(words)
            self._poll = None

    def _drop_expired(self) -> None:
        now = self._now()
        if self._next_expiry is None or now < self._next_expiry:
            return
        for update in [update for update in self._updates.values() if update.expires <= now]:
            del self._updates[update.id]
        self._next_expiry = min((update.expires for update in self._updates.values()), default=None)

    def _confirm_below(self, offset: int) -> None:
        done = [update for update in self._updates.values() if update.id < offset and not update.is_late]
        for update in done:
            self.confirm(update)

    def _keep_newest(self, count: int) -> None:
        for update in list(self._updates.values())[:-count]:
            self.confirm(update)

    def _serve(self, limit: int) -> list[dict[str, Any]]:
        self._drop_expired()
        batch: list[dict[str, Any]] = []
        for update in self._updates.values():
            if len(batch) == limit:
                break
            update.is_late = False
            batch.append(update.body)
        return batch

    async def get(self, offset: int, limit: int, timeout_s: float) -> list[dict[str, Any]]:
        """Serve getUpdates. ``timeout_s`` counts real seconds, whatever the simulated clock says.

        Raises ``ApiError`` 409 when a newer poll or a webhook ends this one.
        """
        self._end_poll(ENDED_BY_POLL)
        started = time.monotonic()
        if offset == self._last_offset and started - self._last_poll_s < self._repeat_window_s:
            timeout_s = max(timeout_s, self._repeat_window_s)
        self._last_offset, self._last_poll_s = offset, started
        if offset > 0:
            self._confirm_below(offset)
        elif offset < 0:
            self._keep_newest(-offset)
        batch = self._serve(limit)
        if batch or timeout_s <= 0:
            return batch
        poll: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._poll = poll
        try:
            async with asyncio.timeout(timeout_s):
                words = await poll
        except TimeoutError:
            return []
        finally:
            if self._poll is poll:
                self._poll = None
        if words:
            raise conflict(words)
        return self._serve(limit)
