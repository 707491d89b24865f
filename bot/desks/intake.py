"""Where agents' updates come in: each is accepted and dealt with in one commit, and only then may Telegram forget it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.desks.act import DESK
from bot.desks.casework import Casework, wants_to_find
from bot.desks.looking import Looking
from bot.desks.updates import IsMember, read_update
from bot.messages import Event, Incoming
from bot.turn.write import HANDOFF
from memory.clock import Clock
from memory.database import Database
from memory.inbox import put_in_quarantine
from memory.signals import Signals

logger = logging.getLogger(__name__)

TRIES = 3
"""How often an update is tried before it is set aside, so that those behind it go on."""

CUSTOMERS = "telegram"
"""The lane of words to customers."""


class DeskIntake:
    """Takes raw updates of the agents' bot, in their order.

    When the call returns, every one is dealt with, not ours, or in quarantine. It raises only where the database cannot be used: then the
    caller keeps its offset, and Telegram delivers again what the inbox knows already or not yet.
    """

    def __init__(
        self,
        database: Database,
        casework: Casework,
        signals: Signals,
        clock: Clock,
        *,
        chat_id: int,
        is_member: IsMember,
        looking: Looking | None = None,
    ) -> None:
        self._database = database
        self.casework = casework
        self._signals = signals
        self._clock = clock
        self._chat_id = chat_id
        self._is_member = is_member
        self._looking = looking

    async def __call__(self, raws: Sequence[dict[str, Any]]) -> None:
        """Deal with updates; see the class."""
        for raw in raws:
            try:
                incoming = read_update(raw, chat_id=self._chat_id, now=self._clock.now())
            except ValueError as error:
                await self._set_aside(raw, str(error))
                continue
            if incoming is not None and (incoming.event is not Event.PRESS or await self._is_member(incoming.sender)):
                await self._act(raw, incoming)
        self._signals.notify(CUSTOMERS)
        self._signals.notify(HANDOFF)

    async def _act(self, raw: dict[str, Any], incoming: Incoming) -> None:
        words = wants_to_find(incoming)
        looked = await self._looking(incoming, words) if words and self._looking is not None else None
        for left in reversed(range(TRIES)):
            try:
                await self._database.write(lambda tx: self.casework.act(tx, incoming, now=self._clock.now(), looked=looked))
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:
                if isinstance(error, DBAPIError) and error.connection_invalidated:
                    raise
                logger.exception("dealing with update %s of the agents' bot failed; %d more tries", incoming.update_id, left)
                if left == 0:
                    await self._set_aside(raw, type(error).__name__)
            else:
                return

    async def _set_aside(self, raw: dict[str, Any], why: str) -> None:
        row = {
            "channel": DESK,
            "update_id": str(raw.get("update_id")),
            "raw": orjson.dumps(raw).decode(),
            "why": why,
            "at": self._clock.now(),
        }
        await self._database.write(lambda tx: put_in_quarantine(tx, [row]))
        logger.error("update %s of the agents' bot is in quarantine: %s", row["update_id"], why)
