"""The scripted dialogues that come with the assistants."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import bot.assistants
from bot.content import Mistake
from bot.qa.play import play_on
from bot.qa.read import read_script

ASSISTANTS = Path(bot.assistants.__file__).parent
SCRIPTS = sorted(ASSISTANTS.glob("*/dialogues/*.yml"))
OVER_HTTP = SCRIPTS[::12]
"""Some of each assistant's; ``legato qa run --over-http`` plays them all."""


def name_of(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.stem}"


def play(path: Path, url: str, *, over_http: bool) -> None:
    mistakes: list[Mistake] = []
    script = read_script(path, mistakes)
    assert script is not None, mistakes
    played = asyncio.run(play_on(script, url, over_http=over_http))
    assert played.passed, "\n".join([played.name, *played.transcript])


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_dialogue_goes_as_its_script_says(path: Path, sqlite_database_url: str) -> None:
    play(path, sqlite_database_url, over_http=False)


@pytest.mark.parametrize("path", OVER_HTTP, ids=name_of)
def test_a_dialogue_goes_the_same_way_with_an_action_server(path: Path, sqlite_database_url: str) -> None:
    play(path, sqlite_database_url, over_http=True)


def test_there_are_scripts_for_each_assistant() -> None:
    assert {path.parent.parent.name for path in SCRIPTS} == {"banking", "insurance", "starter", "telecoms"}
