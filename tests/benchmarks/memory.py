"""Recalling a customer and logging an exchange, by the length of the history: the memory beside a plain table and beside its rivals.

    python -m tests.benchmarks.memory [--others 100000] [--lengths 10,1000,...] [--rivals PYTHON] [--json FILE]

The memory and the plain table hold the exchanges of everybody, mixed in the order of time. A round measures one database after the other,
and all rounds count together. Processor time on PostgreSQL is the client's and the server's.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import uvloop

from memory.database import Row
from tests.benchmarks.contest import ENTRANTS, Rules, contest
from tests.benchmarks.crowd import EACH, END, Crowd, connect, said
from tests.benchmarks.stores import own_postgres
from tests.benchmarks.subjects import Bench, Subject, agree, on_postgres, on_sqlite
from tests.benchmarks.tables import console, save, show
from tests.benchmarks.timing import WARM_UP, Timed, time_each

LENGTHS = (10, 1000, 10_000, 100_000, 1_000_000)
OTHERS = 100_000
ROUNDS = 5
"""Everything is measured in so many rounds, spread over the whole run: the machine's own pace drifts."""

AIM = 4.0
"""recall() shall take at most so many times what the plain table's load takes."""

ANOTHER = f"{EACH}, another each time"
"""The column of those who have no chosen length: each load is of somebody else, whose rows were not read just now."""

RIVALS = Path(".venv/rivals/bin/python")
"""Where `make bench-memory` puts the rivals' environment."""

Cells = dict[tuple[str, str, str], dict[str, Any]]
"""Figures by subject, ``load`` or ``append``, and column."""


def loads(subject: Subject, numbers: Sequence[int]) -> Callable[[int], Awaitable[Any]]:
    """The ``n``-th load, of these customers in turn."""
    return lambda n: subject.load(numbers[n % len(numbers)])


def appends(append: Callable[[Row], Awaitable[None]], rows: Sequence[Row]) -> Callable[[int], Awaitable[Any]]:
    """The ``n``-th append."""
    return lambda n: append(rows[n])


async def time_loads(bench: Bench, times: int) -> Cells:
    """Everybody's load; each round has all lengths and all subjects in it."""
    crowd = bench.crowd
    timed: dict[tuple[str, str, str], Timed] = defaultdict(Timed)
    each = min(times, len(crowd.sample) // ROUNDS)
    for turn in range(ROUNDS):
        for length in crowd.lengths:
            numbers = crowd.with_length(length)[:1]
            for subject in bench.subjects:
                await time_each(loads(subject, numbers), WARM_UP)
                timed[subject.name, "load", str(length)].add(await time_each(loads(subject, numbers), times, server=subject.server))
        for subject in bench.subjects if each else ():
            figures = await time_each(loads(subject, crowd.sample), each, first=turn * each, server=subject.server)
            timed[subject.name, "load", ANOTHER].add(figures)
    return {key: one.figures() for key, one in timed.items()}


async def time_appends(bench: Bench, times: int) -> Cells:
    """One exchange a commit; each round has all lengths and all subjects in it. Customers who have the same length take turns."""
    crowd = bench.crowd
    timed: dict[tuple[str, str, str], Timed] = defaultdict(Timed)
    last = turn_id = crowd.exchanges // 2
    for _ in range(ROUNDS):
        for length in crowd.lengths:
            numbers = crowd.with_length(length)
            for subject in bench.subjects:
                if subject.append is None:
                    continue
                turns = range(turn_id + 1, turn_id + 1 + WARM_UP + times)
                turn_id = turns[-1]
                rows = [said(turn, 0, numbers[turn % len(numbers)], END + timedelta(seconds=turn - last)) for turn in turns]
                await time_each(appends(subject.append, rows), WARM_UP)
                figures = await time_each(appends(subject.append, rows), times, first=WARM_UP, server=subject.server)
                timed[subject.name, "append", str(length)].add(figures)
    return {key: one.figures() for key, one in timed.items()}


async def time_rivals(lengths: Sequence[int], rules: Rules, postgres: str, server: int | None) -> tuple[Cells, list[dict[str, Any]]]:
    """Each rival, from the shortest history on until one is too long for it; and how many bytes an append added."""
    cells: Cells = {}
    storage: list[dict[str, Any]] = []
    for entrant in ENTRANTS:
        row: dict[str, Any] = {"rival": entrant.name}
        for length in sorted(lengths):
            figures = await contest(entrant, length, rules, postgres, server)
            if "missing" in figures:
                note(f"{entrant.name} at {length:,}: {figures['missing']}")
                break
            cells |= {(entrant.name, operation, str(length)): figures[operation] for operation in ("load", "append")}
            row[str(length)] = figures["bytes_per_append"]
        storage.append(row)
    return cells, storage


def table(cells: Cells, operation: str, columns: Sequence[str], *keys: str) -> list[dict[str, Any]]:
    """A line a subject, with ``keys`` of the figures in each cell."""
    subjects = list(dict.fromkeys(subject for subject, did, _ in cells if did == operation))

    def cell(subject: str, column: str) -> str:
        figures = cells.get((subject, operation, column))
        return " / ".join(f"{figures[key]:.3g}" for key in keys) if figures else "-"

    return [{"": subject} | {column: cell(subject, column) for column in columns} for subject in subjects]


def ratios(cells: Cells, subjects: Sequence[Subject], operation: str, key: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """How many times the plain table's figure ``key`` each one has; ``flat`` is its longest history's figure by its shortest's.

    Where other work fills the machine, processor time says more than the wait: who gives way to others waits, whatever it does.
    """
    rows = []
    for subject in subjects:
        mine = {column: cells.get((subject.name, operation, column)) for column in columns}
        chosen = [figures for column, figures in mine.items() if figures and column != ANOTHER]
        row: dict[str, Any] = {"times the plain table": f"{subject.name}: {operation}, {'CPU' if key == 'cpu_ms' else 'wait'}"}
        for column, figures in mine.items():
            plain = cells.get((subject.plain or "", operation, column))
            row[column] = round(figures[key] / plain[key], 2) if figures and plain and plain[key] else "-"
        if chosen:
            rows.append(row | {"flat": round(chosen[-1][key] / chosen[0][key], 2) if chosen[0][key] else "-"})
    return rows


def note(text: str) -> None:
    """Say what is going on."""
    console.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False)


async def server_of(url: str) -> int | None:
    """The process id of a PostgreSQL server on this machine; None if it runs elsewhere."""
    connection = await connect(url)
    try:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        process = psutil.Process(backend)
        return process.ppid() if process.name().startswith("postgres") else None
    except psutil.Error:
        return None
    finally:
        await connection.close()


async def run(given: argparse.Namespace) -> dict[str, Any]:
    """Fill, measure and show everything; returns the figures."""
    lengths: tuple[int, ...] = given.lengths
    crowd = Crowd(lengths, given.others)
    columns = [*map(str, lengths), ANOTHER]
    cells: Cells = {}
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="legato-bench-"))
        postgres = given.postgres or stack.enter_context(own_postgres())
        server = await server_of(postgres)
        start = time.perf_counter()
        note(f"filling with {crowd.exchanges:,} exchanges of {crowd.size:,} customers: SQLite")
        benches = [await stack.enter_async_context(on_sqlite(crowd, folder))]
        note("filling: PostgreSQL")
        benches.append(await stack.enter_async_context(on_postgres(crowd, postgres, server)))
        filled_s = time.perf_counter() - start
        await agree(benches)
        note("measuring the memory and the plain tables")
        for bench in benches:
            cells |= await time_loads(bench, given.times)
        for bench in benches:
            cells |= await time_appends(bench, given.times)
        found: list[dict[str, Any]] = []
        if given.with_index:
            note("indexing for the search, and searching")
            from tests.benchmarks.finding import time_finding

            found = [line for bench in benches for line in await time_finding(bench, given.times, given.limit)]
        storage = [row for bench in benches for row in bench.storage]
        subjects = [subject for bench in benches for subject in bench.subjects if subject.plain]
        rivals_storage: list[dict[str, Any]] = []
        if given.rivals.exists():
            note("measuring the rivals")
            rules = Rules(given.rivals, min(given.times, 100), given.limit)
            theirs, rivals_storage = await time_rivals(lengths, rules, postgres, server)
            cells |= theirs
        else:
            note(f"the rivals are not installed at {given.rivals}: they are left out")

    asked = [(operation, key) for operation in ("load", "append") for key in ("p50_ms", "cpu_ms")]
    shares = [ratio for operation, key in asked for ratio in ratios(cells, subjects, operation, key, columns)]
    show("Load: what the next answer needs, by the length of the history; p50 / p95, ms", table(cells, "load", columns, "p50_ms", "p95_ms"))
    show("Append: one exchange, committed; p50 / p95, ms", table(cells, "append", columns[:-1], "p50_ms", "p95_ms"))
    show("Processor time of a load, ms", table(cells, "load", columns, "cpu_ms"))
    show("Processor time of an append, ms", table(cells, "append", columns[:-1], "cpu_ms"))
    show(f"Legato by the plain table; the aim for a load is at most {AIM:g}", shares)
    show("Bytes on disk for each exchange", storage)
    if found:
        show("The search by words", found)
    if rivals_storage:
        every = ["rival", *map(str, lengths)]
        show("Bytes that a rival's append adds", [{name: row.get(name, "-") for name in every} for row in rivals_storage])
    names = ("subject", "operation", "exchanges")
    return {
        "settings": {
            "others": given.others,
            "each": EACH,
            "lengths": lengths,
            "exchanges": crowd.exchanges,
            "filled_s": round(filled_s, 1),
        },
        "cells": [dict(zip(names, key, strict=True)) | figures for key, figures in cells.items()],
        "ratios": shares,
        "storage": storage,
        "search": found,
        "rivals_bytes_per_append": rivals_storage,
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The settings of a run."""
    parser = argparse.ArgumentParser(description="Recalling a customer and logging an exchange, by the length of the history.")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--others", type=int, default=OTHERS, help=f"how many other customers there are, with {EACH} exchanges each")
    parser.add_argument("--lengths", type=_lengths, default=LENGTHS, help="how many exchanges the measured customers have: 10,1000,100000")
    parser.add_argument("--times", type=int, default=300, help="how often a round repeats each thing")
    parser.add_argument("--limit", type=float, default=60.0, help="for how many seconds a rival may be filled, and an index made")
    parser.add_argument("--postgres", help="a PostgreSQL URL whose database may be emptied and whose user may create others")
    parser.add_argument("--rivals", type=Path, default=RIVALS, help="the Python of an environment made from rivals.txt")
    parser.add_argument("--with-index", action="store_true", help="also index the measured customers for the search, and search")
    return parser.parse_args(arguments)


def _lengths(text: str) -> tuple[int, ...]:
    lengths = tuple(sorted({int(length) for length in text.split(",")}))
    if any(length < 2 or length % 2 for length in lengths):
        raise argparse.ArgumentTypeError("each length is an even number: a message and its answer")
    return lengths


def main() -> None:
    """Measure and show."""
    given = parse()
    save(given.json, uvloop.run(run(given)))


if __name__ == "__main__":
    main()
