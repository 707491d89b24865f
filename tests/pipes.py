"""Files that say at once that something was written into them: who waits for it looks at nothing again and again."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

WITHIN_S = 10


class Pipe:
    """What others write into a file, in the order in which they write it."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines

    async def says(self, text: str) -> None:
        """Return when ``text`` has been written next; fails where something else is."""
        wanted = text.encode()
        async with asyncio.timeout(WITHIN_S):
            assert await self._lines.readexactly(len(wanted)) == wanted


@contextlib.asynccontextmanager
async def pipe_at(path: Path) -> AsyncIterator[Pipe]:
    """A pipe at ``path``, for whoever opens that file to write into it."""
    os.mkfifo(path)
    lines = asyncio.StreamReader()
    reading = os.fdopen(os.open(path, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)  # writing too: it has no end while it is open
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), reading)
    try:
        yield Pipe(lines)
    finally:
        transport.close()


def wait_at(gate: Path) -> None:
    """Hold this thread until :func:`let_through` was called for ``gate``, before or after."""
    with contextlib.suppress(FileExistsError):
        os.mkfifo(gate)
    gate.read_bytes()


def let_through(gate: Path) -> None:
    """Let everybody go on who waits at ``gate``, and hold nobody from then on."""
    gate.write_bytes(b"")  # a pipe that somebody waits at, or else a file
    (plain := gate.with_name(f"{gate.name} is open")).touch()
    plain.replace(gate)
