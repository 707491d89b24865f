"""The command ``legato qa run``: find scripts, play them side by side, report."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from rich.console import Console

from bot.content import Mistake
from bot.qa.databases import Source, source_of
from bot.qa.play import Played, play
from bot.qa.read import Script, find_files, read_script
from bot.qa.report import progress_on, show, show_mistakes, write_junit

PASSED, DIFFERS, BROKEN = 0, 1, 2
"""Exit codes."""

PlayOne = Callable[[Script], Played]

PRELOADED = ["bot.qa.play"]
"""What worker processes have in common, so that it is imported once."""


def run(
    paths: Sequence[Path],
    *,
    jobs: int | None = None,
    name: str | None = None,
    database: str | None = None,
    junit: Path | None = None,
    verbose: bool = False,
    over_http: bool = False,
    console: Console | None = None,
) -> int:
    """Play scripts and folders of scripts; returns the exit code: 0 all passed, 1 something differs, 2 scripts are broken.

    ``jobs`` processes play at a time, by default one for each processor. ``name`` is a part of the name or file of those to be played.
    ``database`` is a PostgreSQL URL whose user may create databases: each dialogue gets one of its own, as it gets an SQLite file without.
    ``over_http``: actions are run by a server, as ``legato actions`` is one. Raises :class:`SettingsError` for a database that cannot be
    used.
    """
    console = console or Console(highlight=False)
    mistakes: list[Mistake] = []
    scripts = [one for file in find_files(paths, mistakes) if (one := read_script(file, mistakes)) is not None]
    if mistakes:
        show_mistakes(console, mistakes)
        return BROKEN
    wanted = [one for one in scripts if name is None or name.lower() in f"{one.path} {one.head.name}".lower()]
    if not wanted:
        console.print(f"No dialogue has “{name}” in its name or file." if name else "There is nothing to play.", markup=False)
        return BROKEN
    started = time.perf_counter()
    with source_of(database) as source, progress_on(console) as progress:
        bar = progress.add_task("dialogues", total=len(wanted))
        play_one = partial(_play_one, source=source, over_http=over_http)
        played = _play_all(wanted, play_one, min(jobs or os.cpu_count() or 1, len(wanted)), lambda: progress.advance(bar))
    seconds = time.perf_counter() - started
    show(console, played, seconds, verbose=verbose)
    if junit is not None:
        write_junit(junit, played, seconds)
    return PASSED if all(one.passed for one in played) else DIFFERS


def _play_all(scripts: Sequence[Script], play_one: PlayOne, jobs: int, tick: Callable[[], None]) -> list[Played]:
    """Play them, each in whatever process is free; the results in the scripts' order."""
    results: dict[Path, Played] = {}
    for one in _in_processes(scripts, play_one, jobs) if jobs > 1 else map(play_one, scripts):
        results[one.path] = one
        tick()
    return [results[script.path] for script in scripts]


def _in_processes(scripts: Sequence[Script], play_one: PlayOne, jobs: int) -> Iterator[Played]:
    """A process that has imported everything is copied for each worker, where the system can do that."""
    can_copy = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if can_copy else "spawn")
    if can_copy:
        context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for future in as_completed([pool.submit(play_one, script) for script in scripts]):
            yield future.result()


def _play_one(script: Script, source: Source, over_http: bool) -> Played:
    return asyncio.run(play(script, source, over_http=over_http))
