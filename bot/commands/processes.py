"""``legato processes``."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from bot.commands.common import EnvFile, out


def processes(env_file: EnvFile = Path(".env")) -> None:
    """List the processes of this installation that are running now, on any machine. They know of each other through Redis."""
    from bot.processes import who_is_there
    from bot.settings import Settings
    from memory.clock import SystemClock

    listed = asyncio.run(who_is_there(Settings.load(env_file=env_file), SystemClock()))
    table = Table("process", "parts", "since (UTC)")
    for one in listed.processes:
        table.add_row(escape(one.name), escape(", ".join(one.about.get("parts", ()))), f"{one.since:%Y-%m-%d %H:%M:%S}")
    out.print(table if listed.processes else "No process is running.")
    out.print(f"Agents who did something on the desk of late: {listed.agents}.")
