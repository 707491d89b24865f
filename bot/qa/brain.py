"""A brain that fails when the script says so."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.qa.format import Mode
from bot.turn.decide import Arrived, Decision
from bot.turn.worker import Brain
from memory.context import Context


class BrainFailed(Exception):
    """What a failing brain raises."""


class ScriptedBrain:
    """The assistant's own brain, until ``mode`` is changed. ``hanging`` counts thoughts that will never end."""

    def __init__(self, own: Brain, mode: Mode) -> None:
        self._own = own
        self.mode = mode
        self.hanging = 0

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        mode = self.mode
        if mode == "failing once":
            self.mode = "own"
        if mode in ("failing", "failing once"):
            raise BrainFailed("the script says so")
        if mode == "slow":
            await asyncio.Event().wait()
        if mode == "hanging":
            self.hanging += 1
            try:
                await asyncio.Event().wait()
            finally:
                self.hanging -= 1
        return await self._own.think(arrived, context)
