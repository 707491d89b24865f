"""What in the whole past belongs to what a customer wants now, for whoever takes over: asked before the commit, with nothing held."""

from __future__ import annotations

import asyncio
import logging

from bot.turn.packet import PacketRelated
from memory.context import Context
from memory.recaller import Recaller

logger = logging.getLogger(__name__)

LIMIT_S = 2.0
"""A handoff does not wait longer for its past; the search takes milliseconds."""

ROOM = 6000
"""Characters of everything that is recalled, of which moments have a share; as :data:`bot.desks.looking.ROOM`."""


class Related:
    """Finds moments of the past. A handoff goes on without them where that fails."""

    def __init__(self, recaller: Recaller) -> None:
        self._recaller = recaller

    async def __call__(self, context: Context, want: str) -> tuple[PacketRelated, ...]:
        """The moments that belong to ``want``, the best first. Those among the context's own last exchanges are not repeated.

        It only reads: a turn that is run again finds the same, or what is true by then.
        """
        if not want:
            return ()
        try:
            async with asyncio.timeout(LIMIT_S):
                found = await self._recaller(context.customer_id, query=want, budget=ROOM)
        except Exception as error:
            logger.warning("the past of a handoff could not be searched: %s", type(error).__name__)
            return ()
        items = found.items if found is not None else ()
        return tuple(
            PacketRelated(item.text, item.why, item.exchange_id, item.at)
            for item in items
            if item.kind == "moment" and item.exchange_id is not None and item.at is not None
        )
