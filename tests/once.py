"""What one installation does once in its process is done once for all tests of a process, and not for each assistant that they build."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import uvicorn.server

import bot.assistants
from bot.understand.mood import Mood

BUILT_IN = Path(bot.assistants.__file__).parent
steady = [BUILT_IN, Path(__file__).parent / "assistants"]
"""Folders in which no test writes. One that makes a folder of assistants for many tests adds it."""


class _Sooner:
    """asyncio for uvicorn, which looks ten times a second whether it is to end, and waits as long for its connections: here, less long."""

    @staticmethod
    def sleep(seconds: float) -> Awaitable[None]:
        return asyncio.sleep(seconds / 20)

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


def do_once() -> None:
    """Read the machine's certificates once, which no test's server shows any of; an assistant of which no test writes the files; the words
    of moods, of which every judge of moods has the same. Servers end when they are told to.
    """
    ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]
    words = functools.cache(Mood()._made)
    Mood._made = lambda self: words()  # type: ignore[method-assign]
    uvicorn.server.asyncio = _Sooner()  # type: ignore[assignment,attr-defined]
    read = bot.assistants.read_assistant
    kept = functools.cache(read)

    def read_assistant(where: str | Path, **shared: Path) -> Any:
        folder = (BUILT_IN / where if where in bot.assistants.BUILT_IN else Path(where)).absolute()
        if shared or not _is_steady(folder):
            return read(where, **shared)
        assistant, mistakes = kept(folder)
        return assistant, list(mistakes)

    bot.assistants.read_assistant = read_assistant


def _is_steady(folder: Path) -> bool:
    plain = Path(os.path.normpath(folder))  # a script's way to its assistant may lead over the folder above
    return any(plain.is_relative_to(one) for one in steady)
