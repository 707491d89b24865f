"""How long one thing takes, again and again: percentiles of the wait, and processor time. Needs nothing but Python and psutil."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import psutil

WARM_UP = 20
"""How often something is done before it is measured: statements are compiled and caches filled by then."""


@dataclass
class Timed:
    """``waits_ms`` of each time, and ``cpu_s`` for all: of this process, and of the database's server where there is one."""

    waits_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def add(self, other: Timed) -> None:
        """Take in another round of the same."""
        self.waits_ms += other.waits_ms
        self.cpu_s += other.cpu_s

    def figures(self) -> dict[str, Any]:
        """p50 and p95 of the wait and the mean processor time, in ms."""
        waits = self.waits_ms if len(self.waits_ms) > 1 else self.waits_ms * 2
        cuts = quantiles(waits, n=100, method="inclusive")
        cpu_ms = self.cpu_s / len(self.waits_ms) * 1000
        return {"p50_ms": round(cuts[49], 4), "p95_ms": round(cuts[94], 4), "cpu_ms": round(cpu_ms, 4), "times": len(self.waits_ms)}


async def time_each(
    do: Callable[[int], Awaitable[Any]], times: int, *, first: int = 0, limit_s: float = 60.0, server: int | None = None
) -> Timed:
    """Do ``do(first)``, ``do(first + 1)`` ... so many times, but begin none after ``limit_s``; ``server`` is a process id."""
    timed = Timed()
    cpu = _cpu_s(server)
    end = time.perf_counter() + limit_s
    for n in range(first, first + times):
        start = time.perf_counter()
        await do(n)
        now = time.perf_counter()
        timed.waits_ms.append((now - start) * 1000)
        if now > end:
            break
    timed.cpu_s = _cpu_s(server) - cpu
    return timed


def _cpu_s(server: int | None) -> float:
    used = time.process_time()
    if server is not None:
        root = psutil.Process(server)
        for process in (root, *root.children()):
            times = process.cpu_times()
            used += times.user + times.system
    return used
