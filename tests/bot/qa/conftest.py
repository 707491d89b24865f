"""Small scripts, written and played one by one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from textwrap import dedent

import pytest

from bot.content import Mistake
from bot.qa.play import Played, play_on
from bot.qa.read import Script, read_script

Write = Callable[..., Path]
Play = Callable[[str], Awaitable[Played]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a script into a file."""

    def write(text: str, name: str = "script.yml") -> Path:
        path = tmp_path / "scripts" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text).lstrip(), encoding="utf-8")
        return path

    return write


@pytest.fixture
def play(write: Write, sqlite_database_url: str) -> Play:
    """Write a script and play it; where it names no assistant, with one that only answers."""

    async def play(text: str) -> Played:
        script = dedent(text).lstrip()
        if re.search("^assistant:", script, re.MULTILINE) is None:
            script += "\nflows: no\n"
        return await play_on(read(write(script)), sqlite_database_url)

    return play


def read(path: Path) -> Script:
    """A script that has no mistakes."""
    mistakes: list[Mistake] = []
    script = read_script(path, mistakes)
    assert script is not None, [str(one) for one in mistakes]
    return script
