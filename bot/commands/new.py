"""``legato new``: an assistant to begin with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bot.commands.common import out
from memory.errors import LegatoError


class FolderTaken(LegatoError):
    """There is something already where the new assistant should go."""


def new(
    name: Annotated[str, typer.Argument(help="of the assistant: lower case, with hyphens, such as flower-shop")],
    company: Annotated[str, typer.Option(help="what customers read")] = "Your company",
    folder: Annotated[Path | None, typer.Option(help="where it goes; without it, a folder of its name, here")] = None,
) -> None:
    """Begin an assistant of your own: the smallest one, with one flow, one article and one scripted dialogue, to grow from."""
    from bot.assistants import BUILT_IN, STARTER, is_name

    if not is_name(name) or name in BUILT_IN:
        raise typer.BadParameter("lower case letters, digits and hyphens, a letter first, and no name of a built-in one", param_hint="NAME")
    if not company.strip() or "\n" in company:
        raise typer.BadParameter("one line that is not empty", param_hint="--company")
    where = folder or Path(name)
    write_starter(STARTER, where, name=name, company=company.strip())
    shown = escape(str(where))
    out.print(f"{shown} is an assistant now. What comes next:\n", soft_wrap=True)
    out.print(f"  legato try --assistant {shown}      talk to it; what you edit is live at once", soft_wrap=True, highlight=False)
    out.print(f"  legato check --assistant {shown}    find mistakes", soft_wrap=True, highlight=False)
    out.print(f"  legato qa run {shown}/dialogues     play its scripted dialogues", soft_wrap=True, highlight=False)


def write_starter(starter: Path, where: Path, *, name: str, company: str) -> None:
    """Copy the smallest assistant to ``where`` under a name of its own. Raises :class:`FolderTaken`; nothing is left half made."""
    if where.exists():
        raise FolderTaken(f"{where} is there already; give another name, or another place with --folder")
    half = where.with_name(f".{where.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    try:
        shutil.copytree(starter, half, ignore=shutil.ignore_patterns("__pycache__"))
        about = half / "assistant.yml"
        text = about.read_text(encoding="utf-8")
        text = text.replace("name: starter", f"name: {name}").replace("company: Your company", f"company: {_quoted(company)}")
        about.write_text(text, encoding="utf-8")
        half.rename(where)
    except OSError as error:
        shutil.rmtree(half, ignore_errors=True)
        raise FolderTaken(f"{where} cannot be written: {error.strerror}") from None


def _quoted(text: str) -> str:
    """A YAML text that is read as just this, whatever it has in it."""
    return "'" + text.replace("'", "''") + "'"
