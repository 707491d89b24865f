"""What one installation does once in its process is done once for all tests of a process, and not for each assistant that they build."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path
from typing import Any

import bot.assistants

TASKS = Path(__file__).parent / "assistants"


def do_once() -> None:
    """Read the machine's certificates once, which no test's server shows any of; and an assistant of which no test writes the files."""
    ssl.create_default_context = functools.cache(ssl.create_default_context)
    read = bot.assistants.read_assistant
    kept = functools.cache(read)

    def read_assistant(where: str | Path, **shared: Path) -> Any:
        steady = not shared and (where in bot.assistants.BUILT_IN or Path(where).is_relative_to(TASKS))
        assistant, mistakes = (kept if steady else read)(where, **shared)
        return assistant, list(mistakes)

    bot.assistants.read_assistant = read_assistant
