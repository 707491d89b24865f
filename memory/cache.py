"""What was worked out about a customer and may be needed again: a bounded cache, in-process or in Redis.

An entry is only ever given to who asks with the stamp that it was put under, so it need not be dropped when something changes: whoever
reads the customer's newer version asks for another stamp. Losing the cache costs time and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from memory.clock import Clock
from memory.redis_link import ANSWER_S, AWAY, RedisLink

MOST_TTL_S = 300.0
"""No entry lives longer, whatever it is put with: so long may something about a forgotten customer outlive a drop that was not heard."""

MOST_BYTES = 32 * 1024 * 1024
"""What the in-process cache may hold."""

MOST_VALUE = 256 * 1024
"""A larger value is not kept."""

MOST_NAMES = 32
"""How many entries one customer may have; one more, and the customer's others go."""

LIMIT_S = 0.005
"""How long a look into Redis may take: to work a context out again takes about as long."""

SKIP_S = 1.0
"""After Redis was late, nobody waits for it for so long."""

_OVERHEAD = 200
_DROP_AT_ONCE = 500


class Key(NamedTuple):
    """What is cached about whom. A later put of the same ``name`` replaces the earlier one, whatever its stamp.

    ``stamp`` says on what the value rests: the customer's version, read in the same snapshot as everything that went into the value, and
    whatever else it depends on. An id that is given to another customer must bring another stamp.
    """

    customer_id: int
    name: str
    stamp: str


class Cache(Protocol):
    """Keeps bytes for a while, perhaps."""

    async def get(self, key: Key) -> bytes | None:
        """What was put under this very key, or None. Never raises; waits a few milliseconds at most."""

    def put(self, key: Key, value: bytes, *, ttl_s: float) -> None:
        """Keep ``value`` for up to ``ttl_s``. Never waits, never fails."""

    async def drop_customers(self, customer_ids: Iterable[int]) -> bool:
        """Drop everything about these customers; after the commit that forgets them.

        Never raises; takes about a second at most. False where Redis did not confirm it: then what it holds goes within ``MOST_TTL_S``. So
        does what somebody puts who read the customer before that commit.
        """


@dataclass(frozen=True, slots=True)
class _Entry:
    stamp: str
    value: bytes
    until: datetime

    @property
    def size(self) -> int:
        return len(self.value) + len(self.stamp) + _OVERHEAD


class LocalCache:
    """A cache inside one process. The customers who were not asked for longest go first."""

    def __init__(self, clock: Clock, *, most_bytes: int = MOST_BYTES) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._bytes = 0
        self._customers: OrderedDict[int, dict[str, _Entry]] = OrderedDict()

    async def get(self, key: Key) -> bytes | None:
        entry = self._customers.get(key.customer_id, {}).get(key.name)
        if entry is None:
            return None
        if entry.until <= self._clock.now():
            self._remove(key.customer_id, key.name)
            return None
        self._customers.move_to_end(key.customer_id)
        return entry.value if entry.stamp == key.stamp else None

    def put(self, key: Key, value: bytes, *, ttl_s: float) -> None:
        if len(value) > MOST_VALUE or ttl_s <= 0:
            return
        self._remove(key.customer_id, key.name)
        if len(self._customers.get(key.customer_id, {})) >= MOST_NAMES:
            self._drop(key.customer_id)
        now = self._clock.now()
        entry = _Entry(key.stamp, value, now + timedelta(seconds=min(ttl_s, MOST_TTL_S)))
        self._customers.setdefault(key.customer_id, {})[key.name] = entry
        self._customers.move_to_end(key.customer_id)
        self._bytes += entry.size
        self._make_room(now)

    async def drop_customers(self, customer_ids: Iterable[int]) -> bool:
        for customer_id in customer_ids:
            self._drop(customer_id)
        return True

    def _make_room(self, now: datetime) -> None:
        while self._customers:
            oldest, entries = next(iter(self._customers.items()))
            if self._bytes <= self._most_bytes and any(entry.until > now for entry in entries.values()):
                return
            self._drop(oldest)

    def _remove(self, customer_id: int, name: str) -> None:
        entries = self._customers.get(customer_id, {})
        entry = entries.pop(name, None)
        if entry is not None:
            self._bytes -= entry.size
            if not entries:
                del self._customers[customer_id]

    def _drop(self, customer_id: int) -> None:
        for entry in self._customers.pop(customer_id, {}).values():
            self._bytes -= entry.size


_PUT = """\
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])"""
"""One step, so that nothing is ever kept without an end."""


class RedisCache:
    """A cache that processes share: one hash a customer, so that one command drops everything about them.

    An entry's end is that of the customer's last put. While Redis is away or late, nothing is found and nothing kept.
    """

    def __init__(self, link: RedisLink, *, limit_s: float = LIMIT_S) -> None:
        self._link = link
        self._limit_s = limit_s
        self._skip_until = 0.0

    async def get(self, key: Key) -> bytes | None:
        if self._is_skipped():
            return None
        loop = asyncio.get_running_loop()
        began = loop.time()
        kept = await self._link.ask("HGET", self._key(key.customer_id), key.name, within_s=self._limit_s)
        if kept is AWAY:
            if loop.time() - began < 2 * self._limit_s:  # later still, it was this process that was busy and could not hear
                self._skip_until = loop.time() + SKIP_S
            return None
        mark = _mark(key.stamp)
        return kept[len(mark) :] if isinstance(kept, bytes) and kept.startswith(mark) else None

    def put(self, key: Key, value: bytes, *, ttl_s: float) -> None:
        if len(value) > MOST_VALUE or ttl_s <= 0 or self._is_skipped():
            return
        ttl_ms = max(1, int(min(ttl_s, MOST_TTL_S) * 1000))
        self._link.send("EVAL", _PUT, 1, self._key(key.customer_id), key.name, _mark(key.stamp) + value, ttl_ms, MOST_NAMES)

    async def drop_customers(self, customer_ids: Iterable[int]) -> bool:
        keys = [self._key(customer_id) for customer_id in customer_ids]
        answers = [
            await self._link.ask("UNLINK", *keys[start : start + _DROP_AT_ONCE], within_s=ANSWER_S)
            for start in range(0, len(keys), _DROP_AT_ONCE)
        ]
        return AWAY not in answers

    def _is_skipped(self) -> bool:
        return self._link.late_s > self._limit_s or asyncio.get_running_loop().time() < self._skip_until

    def _key(self, customer_id: int) -> str:
        return f"{self._link.prefix}cache:{customer_id}"


def _mark(stamp: str) -> bytes:
    """What stands before a value: of one length, so that no stamp runs into a value."""
    return hashlib.blake2b(stamp.encode(), digest_size=16).digest()
