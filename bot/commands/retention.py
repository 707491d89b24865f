"""``legato retention``: carry out now how long things are kept, or say what that would do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bot.commands.common import EnvFile, out, with_database

if TYPE_CHECKING:
    from memory.database import Database, Tx
    from memory.declared import Retention
    from memory.retention import Place

PAUSE_S = 0.02
"""Between two steps, so that a running assistant comes first."""

STEP_ROWS = 200
COUNTED_ROWS = 2000


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only count, change nothing")] = False,
    env_file: EnvFile = Path(".env"),
) -> None:
    """Mask or remove what has been kept for long enough, as the assistant's memory.yml says. A running assistant does so by itself."""
    from bot.assistants import load_assistant
    from bot.settings import Settings
    from memory.clock import SystemClock
    from memory.links import KEPT_FOR, links_to_clear

    rules = load_assistant(Settings.load(env_file=env_file).assistant).declared.retention
    now = SystemClock().now()
    work = count_due if dry_run else carry_out

    async def main(database: Database) -> tuple[list[int], int]:
        return await work(database, rules, now), await (database.read(ended) if dry_run else clear_all(database, now))

    def ended(tx: Tx) -> int:
        return links_to_clear(tx, now=now)

    counts, links = with_database(env_file, main)
    table = Table("what", "older than", "is masked or removed", "rows that would be" if dry_run else "rows", box=None)
    for rule, count in zip(rules, counts, strict=True):
        table.add_row(rule.what, f"{rule.after_days:g} days", "masked" if rule.do == "mask" else "removed", str(count))
    table.add_row("ended links and codes", f"{KEPT_FOR.days} days", "removed", str(links))
    out.print(table)


async def carry_out(database: Database, rules: Sequence[Retention], now: datetime) -> list[int]:
    """Do every rule's steps to the end, with pauses for others; how many rows each has dealt with. Stopped, it goes on from there."""
    from memory.retention import step

    counts = []
    for rule in rules:
        count = 0
        while found := await database.write(lambda tx, rule=rule: step(tx, rule, now, STEP_ROWS)):  # type: ignore[misc]
            count += found
            await asyncio.sleep(PAUSE_S)
        counts.append(count)
    return counts


async def count_due(database: Database, rules: Sequence[Retention], now: datetime) -> list[int]:
    """How many rows each rule would deal with now. Reads a part at a time, so that no snapshot is held for long."""
    from memory.retention import due

    counts = []
    for rule in rules:
        count, places = 0, dict[str, "Place"]()
        while found := await database.read(lambda tx, rule=rule, places=places: due(tx, rule, now, places, COUNTED_ROWS)):  # type: ignore[misc]
            count += found
        counts.append(count)
    return counts


async def clear_all(database: Database, now: datetime) -> int:
    """Remove every link and code that ended long enough ago, with pauses for others; how many it were."""
    from memory.links import clear_links

    count = 0
    while found := await database.write(lambda tx: clear_links(tx, now=now, limit=STEP_ROWS)):
        count += found
        await asyncio.sleep(PAUSE_S)
    return count
