"""The search index, by the length of the history: what it costs to make, what it takes on disk, and how long a search by words takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from memory import recall
from memory.database import Database, Tx
from memory.search.find import find
from memory.search.index import index_exchanges, waiting
from memory.search.words import ask
from tests.benchmarks.crowd import END
from tests.benchmarks.subjects import DECLARED, Bench
from tests.benchmarks.timing import WARM_UP, time_each

NOW = END + timedelta(days=7)
"""Everything has settled by then, what was appended while measuring too."""

LIMIT = 10

COLUMNS = ("index µs/exchange", "bytes/exchange", "search p50 / p95 ms", "CPU ms", "recall with it p50 / p95 ms", "its CPU ms")

QUESTIONS = (
    "Was the card payment at the airport taken twice?",
    "What did we say about the broken windscreen?",
    "When did the technician not come?",
    "My transfer to Tomas Lind has not arrived",
    "roaming in Verona",
    "Which address did I give you in Vine Terrace?",
    "Has the excess been mentioned?",
)


async def index_customer(database: Database, number: int, *, until: float) -> int | None:
    """Index a customer's whole past, a batch a transaction as the assistant does; how many exchanges, or None if not done in time."""
    count = 0
    while rows := await database.read(lambda tx: waiting(tx, number, settled=NOW)):
        await database.write(partial(index_exchanges, customer_id=number, rows=rows))
        count += len(rows)
        if time.perf_counter() > until:
            return None
    return count


async def time_finding(bench: Bench, times: int, limit_s: float) -> list[dict[str, Any]]:
    """A line for each length; the histories are indexed by the first call and not again."""
    lines = []
    for length in bench.crowd.lengths:
        numbers = bench.crowd.with_length(length)
        before = (await bench.sizes())["search"]
        start = time.perf_counter()
        counts = [await index_customer(bench.database, number, until=start + limit_s) for number in numbers]
        seconds = time.perf_counter() - start
        line: dict[str, Any] = {"on": bench.name, "exchanges": length} | dict.fromkeys(COLUMNS, "-")
        if None not in counts:
            grown = (await bench.sizes())["search"] - before
            indexed = sum(count or 0 for count in counts)
            measured = (round(seconds / indexed * 1e6), round(grown / indexed, 1), *await _search(bench, numbers[0], times))
            line |= dict(zip(COLUMNS, measured, strict=True))
        lines.append(line)
    return lines


async def _search(bench: Bench, number: int, times: int) -> tuple[str, float, str, float]:
    """Waits and processor time of the search alone, and of what an agent is given when a question comes with it."""
    found = 0

    def search(tx: Tx, text: str) -> int:
        return len(find(tx, [number], ask(text, now=NOW), limit=LIMIT))

    def tell(tx: Tx, text: str) -> int:
        told = recall.recall(tx, number, declared=DECLARED, now=NOW, query=text)
        return len(told.items) if told is not None else 0

    async def one(n: int, *, look: Callable[[Tx, str], int]) -> None:
        nonlocal found
        found += await bench.database.read(lambda tx: look(tx, QUESTIONS[n % len(QUESTIONS)]))

    figures = []
    for look in (search, tell):
        found = 0
        await time_each(partial(one, look=look), WARM_UP)
        if not found:
            raise RuntimeError(f"no question found anything of customer {number} on {bench.name}")
        measured = (await time_each(partial(one, look=look), times, server=bench.server)).figures()
        figures += [f"{measured['p50_ms']:.3g} / {measured['p95_ms']:.3g}", measured["cpu_ms"]]
    return figures[0], figures[1], figures[2], figures[3]
