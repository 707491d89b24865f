"""Carrying out how long things are kept, by and by, beside the turns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from memory.clock import Clock
from memory.database import Database
from memory.declared import Retention
from memory.links import clear_links
from memory.retention import step

logger = logging.getLogger(__name__)

STEP_ROWS = 200
PAUSE_S = 0.2
"""Between two steps, so that turns have the database to themselves most of the time."""

REST_S = 300.0
"""How long nothing is looked for once everything old has been dealt with."""


class Retain:
    """Goes through the rules, and clears links and codes that have ended, whatever is declared.

    ``look`` is one step; the caller repeats it (:func:`bot.turn.loop.keep_looking`).

    Several processes may do so at a time: one of them does a step, the others find nothing to do.
    """

    def __init__(self, database: Database, clock: Clock, rules: Sequence[Retention]) -> None:
        self._database = database
        self._clock = clock
        self.rules = rules
        self._rests_until = clock.now()
        self.wake = asyncio.Event()

    async def look(self) -> float:
        """One step of the first rule that has something to do; returns the seconds until the next."""
        now = self._clock.now()
        if now < self._rests_until:
            return (self._rests_until - now).total_seconds()
        for rule in self.rules:
            if await self._database.write(lambda tx, rule=rule: step(tx, rule, now, STEP_ROWS)):  # type: ignore[misc]
                return PAUSE_S
        if await self._database.write(lambda tx: clear_links(tx, now=now, limit=STEP_ROWS)):
            return PAUSE_S
        self._rests_until = now + timedelta(seconds=REST_S)
        return REST_S
