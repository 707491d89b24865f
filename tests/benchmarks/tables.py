"""How benchmarks show their figures: a table for people, and with ``--json FILE`` the same for programs."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console()


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows that share their keys as a table."""
    table = Table(*rows[0], title=title, title_justify="left")
    for row in rows:
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)


def save(file: Path | None, figures: dict[str, Any]) -> None:
    """Write all figures, with what they were measured on."""
    if file is not None:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
        file.write_text(json.dumps({"machine": machine} | figures, indent=2) + "\n")
