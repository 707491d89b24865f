"""How fast a channel may be sent to: token buckets, so that limits are met before the channel has to say so.

The numbers are settings; their defaults are Telegram's (Bots FAQ, "My bot is hitting limits"): about 30 messages a second overall, one a
second in a chat with short bursts, 20 a minute in a group.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from memory.clock import Clock

ADDRESSES = 10_000
"""How many addresses are remembered; one that has not been sent to for so long has a full bucket anyway."""


class Bucket:
    """Holds up to ``burst`` tokens and gains ``rate`` a second. A rate of 0 means no limit."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: datetime) -> None:
        self._rate = rate
        self._burst = max(1.0, burst)  # a bucket that never holds a whole token would never let anything through
        self._tokens = self._burst
        self._at = now

    def _fill(self, now: datetime) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at).total_seconds() * self._rate)
        self._at = now

    def wait_s(self, now: datetime) -> float:
        """Seconds until there is a token; 0 if there is one."""
        if self._rate <= 0:
            return 0.0
        self._fill(now)
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def free(self, now: datetime, most: int) -> int:
        """How many tokens there are, at most ``most``."""
        if self._rate <= 0:
            return most
        self._fill(now)
        return min(most, int(self._tokens))

    def take(self, now: datetime) -> None:
        """Spend a token; the bucket may go below nothing and then owes it."""
        if self._rate > 0:
            self._fill(now)
            self._tokens -= 1


class Limits:
    """The pace of one lane of sends: overall, and for each address."""

    def __init__(self, clock: Clock, *, overall_per_s: float, burst: float, address_per_s: float, address_burst: float = 3.0) -> None:
        self._clock = clock
        self._overall = Bucket(overall_per_s, burst, clock.now())
        self._address_per_s = address_per_s
        self._address_burst = address_burst
        self._addresses: OrderedDict[str, Bucket] = OrderedDict()

    def free(self, most: int) -> int:
        """How many sends may begin now."""
        return self._overall.free(self._clock.now(), most)

    def overall_wait_s(self) -> float:
        """Seconds until the next send may begin anywhere."""
        return self._overall.wait_s(self._clock.now())

    def wait_s(self, address: str) -> float:
        """Seconds until this address may be sent to."""
        if self._address_per_s <= 0:
            return 0.0
        return self._bucket(address).wait_s(self._clock.now())

    def spend(self, address: str) -> None:
        """Count a send."""
        now = self._clock.now()
        self._overall.take(now)
        if self._address_per_s > 0:
            self._bucket(address).take(now)

    def _bucket(self, address: str) -> Bucket:
        bucket = self._addresses.get(address)
        if bucket is None:
            bucket = self._addresses[address] = Bucket(self._address_per_s, self._address_burst, self._clock.now())
            if len(self._addresses) > ADDRESSES:
                self._addresses.popitem(last=False)
        else:
            self._addresses.move_to_end(address)
        return bucket
