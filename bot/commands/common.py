"""What the commands share: the settings' database, opened for one piece of work, and the two streams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from memory.database import Database

T = TypeVar("T")

out = Console()
err = Console(stderr=True, highlight=False)

EnvFile = Annotated[Path, typer.Option(help="the settings file")]


def with_database(env_file: Path, work: Callable[[Database], Awaitable[T]]) -> T:
    """Open the settings' database, check its schema, do the work, close it."""
    from bot.settings import Settings
    from memory.schema import check_schema

    async def main() -> T:
        database = Database(Settings.load(env_file=env_file).database_url)
        try:
            await check_schema(database)
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(main())
