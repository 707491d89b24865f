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

    def __init__(self, mode: Mode) -> None:
        self._own: Brain | None = None
        self.mode = mode
        self.hanging = 0

    def around(self, own: Brain) -> ScriptedBrain:
        """Think with the brain of an assistant that was just built."""
        self._own = own
        return self

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        mode = self.mode
        if mode == "failing once":
            self.mode = "own"
        if mode in ("failing", "failing once"):
            raise BrainFailed("the script says so")
        if mode == "slow":
            await asyncio.Event().wait()
        if mode == "hanging":
            await self._hang()
        assert self._own is not None
        thought = await self._own.think(arrived, context)
        if mode == "hanging late":
            await self._hang()
        return thought

    async def _hang(self) -> None:
        self.hanging += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.hanging -= 1
