"""Who is here: processes that run, and agents who have done something of late. In-process, or through Redis among processes.

Presence is a hint and decides nothing: it may be a few seconds old, and while Redis is away a process knows only of its own part.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson

from memory.clock import Clock
from memory.redis_link import ANSWER_S, AWAY, RECONNECT_S, RedisLink

PROCESS, AGENT = "process", "agent"
"""The kinds. A process is named by where it runs, an agent by channel and address, as the owner of a handoff is."""

TTL_S = 15.0
"""How long an announcement holds that nobody renews: a dead process is gone after that."""

RENEW_S = 5.0
MOST_S = 3600.0
"""For how long somebody who was seen may count as here."""

MOST = 1000
"""How many of one kind are kept and listed."""

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is here. ``until`` is when that ends unless it is said again; ``about`` holds ids, numbers and lists of names."""

    name: str
    since: datetime
    until: datetime
    about: Mapping[str, Any] = field(default_factory=dict)


class Presence(Protocol):
    """Say and ask who is here."""

    def announce(self, kind: str, name: str, about: Mapping[str, Any]) -> None:
        """Be here from now until ``withdraw``, or until this process ends, however it ends. Never waits, never fails."""

    def withdraw(self, kind: str, name: str) -> None:
        """Be here no more. Never waits, never fails."""

    def seen(self, kind: str, name: str, *, for_s: float) -> None:
        """Be here for so long from now. Never waits, never fails."""

    async def present(self, kind: str) -> list[Present]:
        """Everybody of this kind who is here, by name. Never raises; takes about a second at most."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class LocalPresence:
    """Who is here in one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._here: dict[str, dict[str, Present]] = {}

    def announce(self, kind: str, name: str, about: Mapping[str, Any]) -> None:
        self._note(kind, Present(name, self._clock.now(), FOREVER, about))

    def withdraw(self, kind: str, name: str) -> None:
        self._here.get(kind, {}).pop(name, None)

    def seen(self, kind: str, name: str, *, for_s: float) -> None:
        now = self._clock.now()
        known = self._here.get(kind, {}).get(name)
        since = known.since if known is not None and known.until > now else now
        self._note(kind, Present(name, since, now + timedelta(seconds=min(for_s, MOST_S))))

    async def present(self, kind: str) -> list[Present]:
        return sorted(self._present_here(kind), key=lambda one: one.name)

    async def start(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    def _note(self, kind: str, one: Present) -> None:
        here = self._here.setdefault(kind, {})
        here.pop(one.name, None)
        here[one.name] = one
        if len(here) > MOST:
            del here[next(iter(here))]  # who was noted longest ago

    def _present_here(self, kind: str) -> list[Present]:
        now = self._clock.now()
        here = {name: one for name, one in self._here.get(kind, {}).items() if one.until > now}
        if kind in self._here:
            self._here[kind] = here
        return list(here.values())


class RedisPresence(LocalPresence):
    """Who is here in all processes that share a Redis. What this one knows it says every ``RENEW_S``, so a flushed Redis knows it again.

    A sorted set a kind: the member says who and since when, the score until when. Clocks must agree to within a few seconds. The link is
    not ours to start or close.
    """

    def __init__(self, link: RedisLink, clock: Clock) -> None:
        super().__init__(clock)
        self._link = link
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._renew())

    async def close(self) -> None:
        """Withdraw what was announced here: the others need not wait for it to run out."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for kind in self._here:
            gone = [_member(one) for one in self._present_here(kind) if one.until == FOREVER]
            if gone:
                await self._link.ask("ZREM", self._key(kind), *gone, within_s=ANSWER_S)

    def withdraw(self, kind: str, name: str) -> None:
        one = self._here.get(kind, {}).get(name)
        super().withdraw(kind, name)
        if one is not None:
            self._link.send("ZREM", self._key(kind), _member(one))

    async def present(self, kind: str) -> list[Present]:
        now = self._clock.now()
        command = ("ZRANGEBYSCORE", self._key(kind), f"({now.timestamp()}", "+inf", "WITHSCORES", "LIMIT", 0, MOST)
        answer = await self._link.ask(*command, within_s=ANSWER_S)
        told = [] if answer is AWAY else _read(answer)
        holds = now + timedelta(seconds=TTL_S)
        here = [replace(one, until=holds) if one.until == FOREVER else one for one in self._present_here(kind)]
        return sorted(_one_each([*told, *here]), key=lambda one: one.name)

    def _note(self, kind: str, one: Present) -> None:
        super()._note(kind, one)
        self._news.set()

    async def _renew(self) -> None:
        while True:
            await self._link.up.wait()
            self._news.clear()
            for kind in list(self._here):
                self._say(kind)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEW_S):
                    await self._news.wait()
                await asyncio.sleep(RECONNECT_S)  # many deeds in a row are said once

    def _say(self, kind: str) -> None:
        here, now = self._present_here(kind), self._clock.now()
        if not here:
            return
        key, holds = self._key(kind), now + timedelta(seconds=TTL_S)
        scores: list[str | bytes] = []
        for one in here:
            scores += [str((holds if one.until == FOREVER else one.until).timestamp()), _member(one)]
        self._link.send("ZADD", key, "GT", *scores)
        self._link.send("ZREMRANGEBYSCORE", key, "-inf", str(now.timestamp()))
        self._link.send("EXPIRE", key, int(MOST_S))  # what nobody removes any more, once all processes have ended

    def _key(self, kind: str) -> str:
        return f"{self._link.prefix}present:{kind}"


def _member(one: Present) -> bytes:
    """What names an entry in Redis: the same bytes whenever it is said again."""
    return orjson.dumps({"name": one.name, "since": one.since, "about": dict(one.about)}, option=orjson.OPT_SORT_KEYS)


def _read(answer: list[bytes]) -> list[Present]:
    """The entries of a sorted set: member, score, member, score. What another version of the program wrote differently is passed over."""
    found: list[Present] = []
    for member, score in zip(answer[::2], answer[1::2], strict=True):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = orjson.loads(member)
            since, until = datetime.fromisoformat(said["since"]), datetime.fromtimestamp(float(score), UTC)
            found.append(Present(str(said["name"]), since, until, dict(said["about"])))
    return found


def _one_each(entries: Iterable[Present]) -> list[Present]:
    """One entry a name, since its first and until its last: several processes may have seen the same agent."""
    by_name: dict[str, Present] = {}
    for one in sorted(entries, key=lambda one: one.until):
        known = by_name.get(one.name)
        by_name[one.name] = one if known is None else replace(one, since=min(known.since, one.since))
    return list(by_name.values())
