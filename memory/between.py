"""What passes between processes, made in one place: signals, presence and the cache, over Redis or inside one process."""

from __future__ import annotations

from dataclasses import dataclass

from memory.cache import Cache, LocalCache, RedisCache
from memory.clock import Clock
from memory.presence import LocalPresence, Presence, RedisPresence
from memory.redis_link import PREFIX, RedisLink
from memory.signals import LocalSignals, RedisSignals, Signals


@dataclass(frozen=True, slots=True)
class Between:
    """The three of them; ``link`` is None inside one process."""

    signals: Signals
    presence: Presence
    cache: Cache
    link: RedisLink | None = None

    async def start(self) -> None:
        """Begin; waits for nobody."""
        if self.link is not None:
            await self.link.start()
        await self.signals.start()
        await self.presence.start()

    async def close(self) -> None:
        """End, within a second or two."""
        await self.presence.close()
        await self.signals.close()
        if self.link is not None:
            await self.link.close()


def between(redis_url: str | None, clock: Clock, *, prefix: str = PREFIX, name: str = "") -> Between:
    """Build them. ``prefix`` keeps installations apart that share a Redis; ``name`` names this process in its list of clients."""
    if redis_url is None:
        return Between(LocalSignals(), LocalPresence(clock), LocalCache(clock))
    link = RedisLink(redis_url, prefix=prefix, name=name)
    return Between(RedisSignals(link), RedisPresence(link, clock), RedisCache(link), link)
