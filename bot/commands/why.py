"""``legato why TURN``: why a turn did what it did, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.common import EnvFile, err, out, with_database

if TYPE_CHECKING:
    from memory.database import Database, Record, Tx


def why(
    turn: Annotated[int, typer.Argument(help="the turn's number, as the log and the memory view show it")],
    env_file: EnvFile = Path(".env"),
) -> None:
    """Say in plain words why a turn did what it did: what was understood, which flow stood where, what was known, which rule decided."""
    import sqlalchemy as sa

    from bot.turn.why import explain
    from memory.turns import turn_table

    def read(tx: Tx) -> Record | None:
        return tx.execute(sa.select(turn_table).where(turn_table.c.id == turn)).first()

    async def work(database: Database) -> Record | None:
        return await database.read(read)

    found = with_database(env_file, work)
    if found is None:
        err.print(f"There is no turn {turn}, or it is kept no longer.")
        raise typer.Exit(1)
    took = (found.finished_at - found.started_at).total_seconds() * 1000
    out.print(f"Turn {found.id}, {found.started_at:%d %b %Y %H:%M:%S} UTC, took {took:.0f} ms", highlight=False, style="bold")
    for line in explain(found.decision, found.trace):
        out.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
