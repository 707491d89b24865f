"""What the commands share: the settings' database, opened for one piece of work, and the two streams."""

from __future__ import annotations

import asyncio
import gc
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
    """Open the settings' database, check its schema, do the work, close it.

    The start of a command looks for no garbage (:func:`bot.cli.main`); the work does, as it may be long and make much.
    """
    from bot.settings import Settings
    from memory.schema import check_schema

    async def main() -> T:
        database = Database(Settings.load(env_file=env_file).database_url)
        try:
            await check_schema(database)
            gc.enable()
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(main())
