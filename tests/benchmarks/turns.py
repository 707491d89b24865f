"""The cost of a turn: the whole assistant beside a bare aiogram echo bot on the same simulator, and by the length of the history.

A turn is stored, recalled, decided, logged and sent; the echo bot only answers. Customers write again as soon as they are answered.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import sqlalchemy as sa
import uvloop

from bot.simulator import Simulator, serve
from memory.customers import Profile, find_or_make
from memory.database import Database, Tx, table
from memory.exchanges import Exchange, exchange_row
from memory.inbox import inbox_table
from memory.schema import migrate
from tests.benchmarks.bots import CUSTOMER_TOKEN, DESK_CHAT, DESK_TOKEN
from tests.benchmarks.stores import emptied, own_postgres
from tests.benchmarks.tables import console, save, show

TEXTS = ("I lost my card", "how do I dispute a charge", "thank you", "what are your opening hours", "hello", "i want to order cheques")
"""What customers write to an assistant that only answers: each has an answer, so that every turn does the whole job."""

IN_FLOWS = (
    "what is your routing number",  # a flow of one action and one reply
    "i want to order cheques",  # begins a flow, which asks
    "what are your opening hours",  # in the middle of it, and it is led back to
    "never mind",  # and stopped
    "hello",
    "thank you",
)
"""What they write to one with flows, in this order; each is answered by one message, whatever was written before."""

ANSWERS_ONLY = "flows=no"

BARE = "bare aiogram echo"

REPEATS = 3
"""Each measurement is taken so often, in turn with its baseline, and the median is shown: the machine's own pace drifts."""


@dataclass(frozen=True)
class Measured:
    """``turns`` answered in ``seconds`` by a process that used ``cpu_s``."""

    turns: int
    seconds: float
    cpu_s: float
    waits_ms: list[float]


class Crowd:
    """Customers who each write the next of the texts when answered."""

    def __init__(self, customers: int, texts: Sequence[str]) -> None:
        self._texts = texts
        self.sim = Simulator(event_limit=4 * customers + 1000)
        self.sim.add_bot("bench_bot", token=CUSTOMER_TOKEN)
        desk = self.sim.add_bot("bench_desk_bot", token=DESK_TOKEN)
        self.people = [self.sim.add_person(f"Customer{n}", id=8_000_000 + n) for n in range(customers)]
        self._written = {person.id: 0 for person in self.people}
        agent = self.sim.add_person("Bea", id=9_000_000)
        self.sim.add_group("desk", id=DESK_CHAT, members=[agent], admins=[agent], bots=[desk])

    async def talk(self, turns: int, process: psutil.Process | None) -> Measured:
        """Have so many turns answered in all."""
        sent_at: dict[int, float] = {}
        by_id = {person.id: person for person in self.people}
        waits: list[float] = []
        begun = answered = 0
        seen = self.sim.events.last
        cpu = _cpu_s(process)
        start = time.perf_counter()

        def write(person_id: int) -> None:
            nonlocal begun
            if begun < turns:
                sent_at[person_id] = time.perf_counter()
                by_id[person_id].send("bench_bot", self._texts[self._written[person_id] % len(self._texts)])
                self._written[person_id] += 1
                begun += 1

        for person in self.people:
            write(person.id)
        while answered < turns:
            events = await self.sim.events.wait(seen, 30)
            if not events:
                raise TimeoutError(f"no answer for 30 s after {answered} turns")
            for event in events:
                seen = event.number
                if event.kind == "message" and event.from_bot and event.chat is not None and event.chat.id in by_id:
                    answered += 1
                    waits.append((time.perf_counter() - sent_at[event.chat.id]) * 1000)
                    write(event.chat.id)
        return Measured(turns, time.perf_counter() - start, _cpu_s(process) - cpu, waits)


def _cpu_s(process: psutil.Process | None) -> float:
    if process is None:
        return 0.0
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.asynccontextmanager
async def bot_process(crowd: Crowd, *arguments: str) -> AsyncIterator[psutil.Process]:
    """A bot in a process of its own, polling, until the context ends."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.benchmarks.bots", *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        if arguments[0] == "legato":
            assert child.stdout is not None
            if await child.stdout.readline() != b"ready\n":
                raise RuntimeError("the assistant did not start")
        await crowd.talk(min(200, 10 * len(crowd.people)), None)
        yield psutil.Process(child.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()  # what is measured is done, and aiogram's polling can take its time to end
        await child.wait()


async def measure(customers: int, turns: int, *arguments: str) -> Measured:
    """One measurement with a fresh simulator and a fresh process."""
    crowd = Crowd(customers, TEXTS if ANSWERS_ONLY in arguments or arguments == ("bare",) else IN_FLOWS)
    async with serve(crowd.sim) as server:
        kind, *rest = arguments
        async with bot_process(crowd, kind, server.url, *rest) as process:
            return await crowd.talk(turns, process)


def row(what: str, runs: list[Measured], bare: list[Measured]) -> dict[str, Any]:
    """One line of the table; ratios are of medians."""
    rate, bare_rate = median(m.turns / m.seconds for m in runs), median(m.turns / m.seconds for m in bare)
    cpu, bare_cpu = median(m.cpu_s / m.turns * 1000 for m in runs), median(m.cpu_s / m.turns * 1000 for m in bare)
    return {
        "bot": what,
        "turns/s": round(rate),
        "of the bare bot's": f"{rate / bare_rate:.2f}",
        "CPU ms/turn": round(cpu, 2),
        "times the bare bot's": f"{cpu / bare_cpu:.2f}",
        "wait p50 ms": round(median(w for m in runs for w in m.waits_ms), 1),
    }


def long_past(tx: Tx, exchanges: int) -> None:
    """Give the first customer of a crowd so many earlier exchanges, spread over two years."""
    migrate(tx)
    now = datetime.now(UTC)
    known = find_or_make(tx, "telegram", [Profile("8000000", "Customer0")], at=now)["8000000"]
    step = timedelta(days=730) / max(exchanges, 1)
    for start in range(0, exchanges, 5000):
        rows = [
            exchange_row(
                id=256 + n,
                customer_id=known.customer_id,
                identity_id=known.identity_id,
                turn_id=1 + n // 256,
                direction="in" if n % 2 == 0 else "out",
                author="customer" if n % 2 == 0 else "assistant",
                kind="text",
                text=TEXTS[n % len(TEXTS)],
                at=now - timedelta(days=731) + n * step,
            )
            for n in range(start, min(start + 5000, exchanges))
        ]
        tx.execute(sa.insert(table(Exchange)), rows)
    # Turn ids go on after those of the past.
    first = {"id": 1 + (exchanges + 256) // 256, "channel": "past", "update_id": "0", "turn_id": 1, "received_at": now, "due_at": now}
    tx.execute(sa.insert(inbox_table), first | {"customer_id": known.customer_id, "identity_id": known.identity_id})


async def history(lengths: list[int], turns: int) -> list[dict[str, Any]]:
    """One customer, one message at a time, by how much they have behind them."""
    runs: dict[int, list[Measured]] = {length: [] for length in lengths}
    for _ in range(REPEATS):
        for length in lengths:
            with tempfile.TemporaryDirectory() as folder:
                url = f"sqlite:///{folder}/bench.db"
                database = Database(url)
                await database.write(partial(long_past, exchanges=length))
                await database.close()
                runs[length].append(await measure(1, turns, "legato", url, ANSWERS_ONLY))
    return [
        {
            "earlier exchanges": length,
            "CPU ms/turn": round(median(m.cpu_s / m.turns * 1000 for m in runs[length]), 2),
            "wait p50 ms": round(median(w for m in runs[length] for w in m.waits_ms), 2),
        }
        for length in lengths
    ]


async def rates(customers: int, turns: int, postgres: str | None) -> list[dict[str, Any]]:
    """Everything in turn, so that all see the same machine."""
    runs: dict[str, list[Measured]] = {}

    async def one(what: str, *arguments: str) -> None:
        runs.setdefault(what, []).append(await measure(customers, turns, *arguments))

    for _ in range(REPEATS):
        await one(BARE, "bare")
        for what in ("answering only", "with flows"):
            with tempfile.TemporaryDirectory() as folder:
                how = ANSWERS_ONLY if what == "answering only" else f"records=sample:{folder}/records.db"
                await one(f"Legato on SQLite, {what}", "legato", f"sqlite:///{folder}/bench.db", how)
                if postgres:
                    database = Database(postgres)
                    await database.write(emptied)
                    await database.close()
                    await one(f"Legato on PostgreSQL, {what}", "legato", postgres, how)
    return [row(what, measured, runs[BARE]) for what, measured in runs.items()]


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description="The cost of a turn.")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--customers", type=int, default=50)
    parser.add_argument("--turns", type=int, default=3000)
    parser.add_argument("--postgres", help="a PostgreSQL URL whose database may be emptied; by default one is started")
    parser.add_argument("--only", choices=["rates", "history"])
    given = parser.parse_args()

    async def run() -> None:
        figures: dict[str, Any] = {}
        if given.only != "history":
            with contextlib.ExitStack() as stack:
                url = given.postgres
                if url is None:
                    url = stack.enter_context(own_postgres())
                figures["rates"] = await rates(given.customers, given.turns, url)
            show(f"{given.customers} customers at a time, {given.turns} turns, median of {REPEATS}", figures["rates"])
        if given.only != "rates":
            figures["history"] = await history([10, 1000, 100_000], 500)
            show("One customer, one message at a time", figures["history"])
        save(given.json, figures)

    console.print("Measuring; this takes a few minutes.")
    uvloop.run(run())


if __name__ == "__main__":
    main()
