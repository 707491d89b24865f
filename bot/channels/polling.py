"""The poll loop: fetch, commit, and only then move the offset. Both bots use it, each with its own library behind ``fetch``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

logger = logging.getLogger(__name__)

LONG_POLL_S = 25
MAX_PAUSE_S = 30.0

Raw = dict[str, Any]


class PollLoop:
    """Brings a bot's updates to ``intake``, which returns when it has stored them.

    A crash between the commit and the next fetch makes Telegram deliver again, and the inbox knows the updates again. ``retry_after`` tells
    from an exception how long Telegram wants to be left alone, if it says so.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[int | None, int], Awaitable[list[Raw]]],
        intake: Callable[[Sequence[Raw]], Awaitable[None]],
        *,
        long_poll_s: int = LONG_POLL_S,
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._intake = intake
        self._long_poll_s = long_poll_s
        self._offset: int | None = None

    async def run(self) -> None:
        """Poll until cancelled."""
        failures = 0
        while True:
            try:
                raws = await self._fetch(self._offset, self._long_poll_s)
                if raws:
                    raws.sort(key=lambda raw: raw.get("update_id", 0))
                    await self._intake(raws)
                    self._offset = int(raws[-1]["update_id"]) + 1
            except Exception as error:
                failures += 1
                pause = max(float(getattr(error, "retry_after", 0) or 0), min(MAX_PAUSE_S, 0.25 * 2**failures))
                logger.warning("%s: fetching updates failed (%s); again in %.1f s", self._name, _in_words(error), pause)
                await asyncio.sleep(pause)
            else:
                failures = 0


def _in_words(error: Exception) -> str:
    """The error's kind and message; the URL of a request, which holds the token, is masked by the logging set-up."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
