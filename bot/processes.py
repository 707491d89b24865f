"""The processes of one installation: each says that it is there, those who fetch for the same bot are warned, and an operator can ask.

They find each other through Redis; without it, each knows of itself alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from bot.settings import Settings
from memory.between import between
from memory.clock import Clock
from memory.errors import SettingsError
from memory.presence import AGENT, PROCESS, RENEW_S, Presence, Present

logger = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 5.0
"""How long an operator waits for a Redis that does not answer."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process. ``bots`` are the ids of the bots that it fetches and sends for: none where it only works."""

    name: str
    parts: frozenset[str]
    bots: tuple[int, ...] = ()

    def announce(self, presence: Presence) -> None:
        """Be listed until this process ends."""
        presence.announce(PROCESS, self.name, {"parts": sorted(self.parts), "bots": list(self.bots)})


def bots_of(settings: Settings) -> tuple[int, ...]:
    """The ids of the bots whose tokens are set: what stands before the colon, which is public."""
    return tuple(_bot_id(token) for token in (settings.telegram_token, settings.desk_token) if token is not None)


def _bot_id(token: SecretStr) -> int:
    return int(token.get_secret_value().partition(":")[0])


class Rivals:
    """Finds other processes that serve one of our bots.

    One is named when it is seen to go on: a killed process is listed for some seconds more, and its successor must not complain of it.
    """

    def __init__(self, me: Process) -> None:
        self._me = me
        self._until: dict[str, datetime] = {}
        self._named: set[str] = set()

    def look(self, present: Sequence[Present]) -> list[str]:
        """The names of those who were not named before."""
        others = {one.name: one.until for one in present if one.name != self._me.name and not _bots(one).isdisjoint(self._me.bots)}
        new = sorted(name for name, until in others.items() if name not in self._named and until > self._until.get(name, until))
        self._until = {name: min(until, self._until.get(name, until)) for name, until in others.items()}
        self._named = (self._named | set(new)) & others.keys()
        return new


def _bots(one: Present) -> set[int]:
    bots = one.about.get("bots", ())
    return {int(bot) for bot in bots if isinstance(bot, int)} if isinstance(bots, list) else set()


async def warn_of_rivals(presence: Presence, me: Process, *, every_s: float = RENEW_S) -> None:
    """Look for ever, and log one warning for each process that serves a bot of ours."""
    rivals = Rivals(me)
    while True:
        for name in rivals.look(await presence.present(PROCESS)):
            logger.warning("process %s serves the same bot: only one may fetch and send; run the others with --only worker", name)
        await asyncio.sleep(every_s)


@dataclass(frozen=True, slots=True)
class Listed:
    """Who is there now. ``agents`` did something on the desk a short while ago."""

    processes: list[Present]
    agents: int


async def who_is_there(settings: Settings, clock: Clock) -> Listed:
    """Ask Redis. Raises :class:`SettingsError` where there is none, or none that answers."""
    if settings.redis_url is None:
        raise SettingsError("LEGATO_REDIS_URL is not set: processes know of each other through Redis only")
    asked = between(settings.redis_url, clock, prefix=settings.redis_prefix, name="processes")
    await asked.start()
    try:
        assert asked.link is not None
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            await asked.link.up.wait()
        return Listed(await asked.presence.present(PROCESS), len(await asked.presence.present(AGENT)))
    except TimeoutError:
        raise SettingsError("LEGATO_REDIS_URL: Redis does not answer there; see that it runs and that the address is right") from None
    finally:
        await asked.close()
