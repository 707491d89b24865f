"""Keeping the files that people sent: fetched by and by, off a turn's path, and served when their channel has lost them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.messages import Attachment, Files, read_attachment
from memory.attachments import keep_again, keep_blob, kept_as, note_unkept, still_carries, unkept_of
from memory.clock import Clock
from memory.customers import ownership_of, person_of
from memory.database import Database, Tx
from memory.exchanges import FILES
from memory.lanes import Claimed, claim_lanes, leave_lanes, next_ready, pause_lane, still_held

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Turns whose files are fetched at a time: a file is whole in memory until it is stored."""

FETCH_TIMEOUT_S = 60.0
LEASE = timedelta(minutes=15)
"""Longer than the files of one album can take."""

FIRST_PAUSE_S = 30.0
MAX_PAUSE_S = 6 * 3600.0
TRIES = 18
"""With the pauses between, about two days."""

OFF, TOO_LARGE, GONE, FAILED = "files are not kept", "too large", "gone", "it could not be fetched"
"""Why a file is not kept."""


class KeepFiles:
    """Fetches and keeps what exchanges carried. ``look`` is one round; the caller repeats it (:func:`bot.turn.loop.keep_looking`).

    No transaction is open during a fetch, and each file is stored by itself: what a crash or a lost lease repeats is a fetch, never a row.
    ``max_bytes``: larger files are noted and not kept; with 0 none is fetched.
    """

    def __init__(self, database: Database, clock: Clock, sources: Mapping[str, Files], *, name: str, max_bytes: int) -> None:
        self._database = database
        self._clock = clock
        self._sources = sources
        self._name = name
        self._max_bytes = max_bytes
        self.wake = asyncio.Event()

    async def look(self) -> float:
        """Deal with the files of some turns; returns the seconds until there may be more."""
        now = self._clock.now()
        ready_at = await self._database.read(lambda tx: next_ready(tx, FILES))
        if ready_at is None:
            return FIRST_PAUSE_S
        if ready_at > now:
            return (ready_at - now).total_seconds()
        lanes = await self._database.write(
            lambda tx: claim_lanes(tx, FILES, worker=self._name, now=now, until=now + LEASE, limit=AT_ONCE),
        )
        await asyncio.gather(*(self._deal_with(lane) for lane in lanes))
        return 0.0

    async def _deal_with(self, lane: Claimed) -> None:
        """One turn's files. Whatever happens, the lane is let go or its lease ends."""
        try:
            todo = await self._database.read(lambda tx: unkept_of(tx, int(lane.key)))
            kept = [await self._keep(lane, *one) for one in todo]
            if all(kept):
                await self._database.write(lambda tx: leave_lanes(tx, FILES, dict.fromkeys(still_held(tx, [lane]))))
                return
        except Exception:
            logger.exception("the files of turn %s could not be kept; it is tried again", lane.key)
        until = self._clock.now() + timedelta(seconds=min(MAX_PAUSE_S, FIRST_PAUSE_S * 2.0**lane.tries))
        await self._database.write(lambda tx: pause_lane(tx, lane, until=until, tries=lane.tries + 1))

    async def _keep(self, lane: Claimed, exchange_id: int, n: int, customer_id: int, logged: dict[str, Any]) -> bool:
        """Keep one file, or note why not; False if it is to be tried again."""
        attachment = read_attachment(logged)
        file = name_of(attachment)
        now = self._clock.now()

        def again(tx: Tx) -> bool:
            return keep_again(tx, exchange_id, n, customer_id, file, now)

        if self._max_bytes and await self._stored(exchange_id, customer_id, again):
            return True
        got = await self._fetched(attachment)
        if got is None and lane.tries + 1 < TRIES:
            return False

        def store(tx: Tx) -> bool:
            if isinstance(got, bytes):
                keep_blob(tx, exchange_id, n, customer_id, got, now, file=file)
            else:
                note_unkept(tx, exchange_id, n, customer_id, got or FAILED, now, file=file)
            return True

        return await self._stored(exchange_id, customer_id, store)

    async def _stored(self, exchange_id: int, customer_id: int, store: Callable[[Tx], bool]) -> bool:
        """Run ``store`` while nobody can forget the customer. True as well where the exchange carries nothing any more."""

        def held(tx: Tx) -> bool:
            ownership_of(tx, person_of(tx, customer_id))
            return store(tx) if still_carries(tx, exchange_id) else True

        return await self._database.write(held)

    async def _fetched(self, attachment: Attachment) -> bytes | str | None:
        """The file's bytes, or why it is not kept; None if it may be had later."""
        if not self._max_bytes:
            return OFF
        if attachment.too_large or (attachment.size or 0) > self._max_bytes:
            return TOO_LARGE
        source = self._sources.get(attachment.source)
        if source is None:
            return None  # another process may have that channel
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                content = await source.fetch(attachment)
        except LookupError:
            return GONE
        except OSError as error:
            logger.info("a file could not be fetched from %s (%s); it is tried again", attachment.source, type(error).__name__)
            return None
        return content if len(content) <= self._max_bytes else TOO_LARGE


class OrKept:
    """A channel's :class:`bot.messages.Files`, and what was kept of them where the channel has lost one."""

    def __init__(self, files: Files, database: Database) -> None:
        self._files = files
        self._database = database

    async def fetch(self, attachment: Attachment) -> bytes:
        try:
            return await self._files.fetch(attachment)
        except LookupError:
            content = await self._database.read(lambda tx: kept_as(tx, name_of(attachment)))
            if content is None:
                raise
            return content


def name_of(attachment: Attachment) -> str:
    """What the store calls the file for good: other than ``file_id``, its ``unique_id`` never changes (Bot API, File)."""
    return f"{attachment.source}:{attachment.unique_id}"
