"""``legato doctor``: whether the store is sound; every breach is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.common import EnvFile, out, with_database
from memory.database import Database

if TYPE_CHECKING:
    from memory.doctor import Found
    from memory.erasure import Left


def doctor(
    scrub: Annotated[bool, typer.Option("--scrub", help="write the database's files anew first, without what was deleted")] = False,
    replay: Annotated[
        Path | None, typer.Option(help="forget again everybody whose receipt is in this file: after restoring a backup")
    ] = None,
    env_file: EnvFile = Path(".env"),
) -> None:
    """Check what has to hold between the store's tables. Safe beside a running assistant. Exit code 1 if anything does not hold.

    --scrub holds up turns while it lasts.
    """
    if replay is not None:
        from bot.commands.rights import forget_again

        forget_again(replay, scrub, env_file)
    if scrub and replay is None:
        for left in with_database(env_file, _scrub):
            out.print(f"Not cleaned: {left.what}: {left.why} ({left.remedy}).", markup=False, highlight=False, soft_wrap=True)
    found = with_database(env_file, _examine)
    for one in found:
        for line in lines_of(one):
            out.print(line, markup=False, highlight=False, soft_wrap=True, style="red" if not one.is_fine else None)
    wrong = sum(not one.is_fine for one in found)
    out.print("The store is sound." if not wrong else f"{wrong} of {len(found)} things do not hold.", style="bold")
    if wrong:
        raise typer.Exit(1)


def lines_of(found: Found) -> list[str]:
    """One check's result as lines for reading. Pure."""
    if found.is_fine:
        return [f"  ok  {found.name}"]
    lines = [f"  !!  {found.name}: {found.count} times not"]
    lines += [f"        {one.table} {one.id}: {one.what}" for one in found.breaches]
    if found.count > len(found.breaches):
        lines.append(f"        and {found.count - len(found.breaches)} more")
    return [*lines, f"        what to do: {found.remedy}"]


async def _examine(database: Database) -> list[Found]:
    from memory.clock import SystemClock
    from memory.doctor import examine

    return await examine(database, now=SystemClock().now())


async def _scrub(database: Database) -> list[Left]:
    from memory.schema import METADATA
    from memory.scrub import BACKUPS, scrub

    return [one for one in await scrub(database, list(METADATA.tables), full=True) if one != BACKUPS]
