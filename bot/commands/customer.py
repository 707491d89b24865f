"""``legato customer``: one customer's memory, seen, corrected, exported, joined and forgotten."""

from __future__ import annotations

import typer

customer = typer.Typer(help="One customer's memory: see, correct, export, join, forget.", no_args_is_help=True)
