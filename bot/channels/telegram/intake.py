"""The customers' bot's way in, shared by polling and webhook: read, quarantine what cannot be read, accept the rest."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from bot.channels.telegram.updates import CHANNEL, read_update
from bot.messages import Incoming
from bot.turn.accept import Accept
from memory.clock import Clock
from memory.database import Database, Row
from memory.inbox import put_in_quarantine

logger = logging.getLogger(__name__)


class CustomerIntake:
    """Stores raw updates; when the call returns, Telegram may forget them. A repeated update changes nothing."""

    def __init__(self, accept: Accept, database: Database, clock: Clock) -> None:
        self._accept = accept
        self._database = database
        self._clock = clock

    async def __call__(self, raws: Sequence[dict[str, Any]]) -> None:
        """Store updates in their order."""
        now = self._clock.now()
        incomings: list[Incoming] = []
        broken: list[Row] = []
        for raw in raws:
            try:
                incoming = read_update(_storable(raw), now=now)
            except ValueError as error:
                broken.append(self._broken(raw, str(error)))
                continue
            if incoming is not None:
                incomings.append(incoming)
        if broken:
            await self.quarantine(broken)
        await self._accept(incomings)

    async def quarantine(self, rows: list[Row]) -> None:
        """Keep what cannot be read, so that a person can look at it and those behind it go on."""
        logger.warning("%d updates could not be read and are in quarantine: see `legato quarantine`", len(rows))
        await self._database.write(lambda tx: put_in_quarantine(tx, rows))

    def _broken(self, raw: dict[str, Any], why: str) -> Row:
        return unreadable(orjson.dumps(raw), why, at=self._clock.now(), update_id=raw.get("update_id"))


def unreadable(raw: bytes, why: str, *, at: datetime, update_id: Any = None) -> Row:
    """A row for the quarantine. What has no id of its own is known by its content, so that a repeated one is kept once."""
    name = f"body-{hashlib.sha256(raw).hexdigest()[:24]}" if update_id is None else str(update_id)
    text = raw.decode("utf-8", "replace").replace("\0", "\ufffd")
    return {"channel": CHANNEL, "update_id": name, "raw": text, "why": why, "at": at}


def _storable(value: Any) -> Any:
    """The same without NUL characters, which PostgreSQL stores nowhere."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {key: _storable(one) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value
