"""Editing an assistant while it runs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.assistants import STARTER
from bot.tryout import Tryout, tryout
from bot.watching import stamps

SOON_S = 30.0


@dataclass
class Trying:
    """An assistant that runs from a folder, and what the terminal was told."""

    folder: Path
    running: Tryout
    told: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def next_word(self) -> str:
        return await asyncio.wait_for(self.told.get(), SOON_S)


@pytest.fixture
async def trying(tmp_path: Path) -> AsyncIterator[Trying]:
    folder = tmp_path / "mine"
    shutil.copytree(STARTER, folder)
    words: asyncio.Queue[str] = asyncio.Queue()
    async with tryout(tmp_path, assistant=str(folder), port=0, told=words.put_nowait) as running:
        yield Trying(folder, running, words)


async def test_an_edit_is_live_and_a_mistake_is_shown_while_the_version_before_stays(trying: Trying) -> None:
    replies = trying.folder / "replies.yml"
    good = replies.read_text()

    replies.write_text(good + "\n  utter_nowhere: {text\n")
    assert "replies.yml:" in await trying.next_word()
    assert trying.running.legato.assistant.replies.say("utter_ask_callback_time", seed=0).text.startswith("When does a call suit you?")

    replies.write_text(good.replace("When does a call suit you?", "What time is good?"))
    assert await trying.next_word() == "Live now: replies.yml"
    assert trying.running.legato.assistant.replies.say("utter_ask_callback_time", seed=0).text.startswith("What time is good?")


async def test_a_new_article_is_known_to_the_next_turn(trying: Trying) -> None:
    (trying.folder / "knowledge" / "parking.md").write_text(
        "---\ntitle: Parking\nsummary: Where to park.\nquestions:\n  - where can I park\n---\nBehind the house.\n"
    )

    assert await trying.next_word() == "Live now: parking.md"
    assert trying.running.legato.assistant.knowledge.get("parking") is not None


def test_scripts_are_not_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(STARTER, folder)
    before = stamps(folder)

    (folder / "dialogues" / "another.yml").write_text("name: x")
    (folder / "notes.txt").write_text("x")

    assert stamps(folder) == before
