"""What ``legato try`` looks at all the while: the assistant's files, and the text messages that the sample company sends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bot.app import Legato
from bot.assistants import read_assistant, shared_files
from bot.content import Mistake
from bot.web.playground import Notices

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""An edit is seen within this time; reading and learning take about a second more."""

MOST_SHOWN = 5
SAMPLE = "sample:"
READ = (".yml", ".yaml", ".md")
SCRIPTS = "dialogues"

Stamps = dict[Path, tuple[int, int]]


@contextlib.asynccontextmanager
async def watching(legato: Legato, notices: Notices, told: Callable[[str], None]) -> AsyncIterator[None]:
    """Until the context ends, take up what is edited and show what the company texts; ``told`` gets it in words, too."""

    def say(text: str, *, wrong: bool = False) -> None:
        told(text)
        notices.say(text, "error" if wrong else "answer")

    before = await asyncio.to_thread(stamps, legato.assistant.folder)  # whatever is edited from here on counts
    tasks = [asyncio.create_task(_follow_files(legato, before, say))]
    if (legato.settings.records or "").startswith(SAMPLE):
        tasks.append(asyncio.create_task(_follow_texts(Path((legato.settings.records or "").removeprefix(SAMPLE)), say)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow_files(legato: Legato, before: Stamps, say: Callable[..., None]) -> None:
    folder = legato.assistant.folder
    while True:
        await asyncio.sleep(LOOK_S)
        now = await asyncio.to_thread(stamps, folder)
        if now == before:
            continue
        edited, before = sorted(path.name for path in {*now, *before} if now.get(path) != before.get(path)), now
        await take_up(legato, folder, edited, say)


async def take_up(legato: Legato, folder: Path, edited: list[str], say: Callable[..., None]) -> None:
    """Use what was edited, or show its mistakes and go on with what was there before."""
    try:
        assistant, mistakes = await asyncio.to_thread(read_assistant, folder)
        if assistant is None:
            say(f"Not taken up, the version before stays: {in_words(mistakes)}", wrong=True)
            return
        await legato.use(assistant)
    except Exception as error:
        logger.exception("the edit could not be taken up")
        say(f"Not taken up, the version before stays: {type(error).__name__}", wrong=True)
        return
    say(f"Live now: {', '.join(edited[:MOST_SHOWN])}")


def in_words(mistakes: list[Mistake]) -> str:
    """The first mistakes, and how many more there are."""
    more = f" – and {len(mistakes) - MOST_SHOWN} more" if len(mistakes) > MOST_SHOWN else ""
    return " – ".join(map(str, mistakes[:MOST_SHOWN])) + more


def stamps(folder: Path) -> Stamps:
    """Time and size of every file that an assistant is read from; scripts are not."""
    found: Stamps = {}
    own = (path for path in folder.rglob("*") if path.suffix in READ and path.relative_to(folder).parts[0] != SCRIPTS)
    for path in (*own, *shared_files()):
        with contextlib.suppress(OSError):  # gone meanwhile
            about = path.stat()
            found[path] = (about.st_mtime_ns, about.st_size)
    return found


async def _follow_texts(file: Path, say: Callable[..., None]) -> None:
    """Show each text message that the sample company sends from now on."""
    last = await asyncio.to_thread(_texts, file, None)
    number = last[-1][0] if last else 0
    while True:
        await asyncio.sleep(LOOK_S)
        for id_, phone, text in await asyncio.to_thread(_texts, file, number):
            number = id_
            say(f"Text message to {phone}: {text}")


def _texts(file: Path, after: int | None) -> list[tuple[int, str, str]]:
    if not file.exists():
        return []
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as records:
        if after is None:
            return list(records.execute("SELECT id, phone, text FROM text_message ORDER BY id DESC LIMIT 1"))
        return list(records.execute("SELECT id, phone, text FROM text_message WHERE id > ? ORDER BY id", (after,)))
    return []
