"""``legato customer``: one customer's memory, seen, corrected, exported, joined and forgotten."""

from __future__ import annotations

import typer

customer = typer.Typer(help="One customer's memory: see, correct, export, join, forget.", no_args_is_help=True)


from bot.commands import identity as _identity  # noqa: E402, F401 - it adds its commands to the ones here
from bot.commands import rights as _rights  # noqa: E402, F401 - it adds its commands to the ones here
from bot.commands import tell as _tell  # noqa: E402, F401 - it adds its command to the ones here
