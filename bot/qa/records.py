"""The company's systems on a stage: the sample, which a script may take down and whose text messages people read."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, get_args

from actions.records.interface import Record, RecordsUnavailable
from actions.records.sample.store import SampleRecords
from memory.clock import Clock

State = Literal["up", "down", "lost answers"]
STATES: tuple[State, ...] = get_args(State)
"""They answer; nobody reaches them; they do what they are asked, and their answer does not arrive."""

_CODE = re.compile(r"\b\d{4,8}\b")
_last_text = "SELECT text FROM text_message ORDER BY id DESC LIMIT 1"


class StagedRecords:
    """The sample in a file of its own. ``state`` is changed by the script."""

    def __init__(self, clock: Clock) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="legato-qa-")
        self._path = Path(self._folder.name) / "records.db"
        self._sample = SampleRecords(str(self._path), clock)
        self.state: State = "up"

    @property
    def place(self) -> str:
        """As the sample's."""
        return self._sample.place

    async def get(self, kind: str, id: str) -> Record | None:
        """As the sample's."""
        self._reach()
        return await self._sample.get(kind, id)

    async def find(self, kind: str, where: Mapping[str, str | int | bool], *, limit: int = 20) -> list[Record]:
        """As the sample's."""
        self._reach()
        return await self._sample.find(kind, where, limit=limit)

    async def do(self, kind: str, operation: str, data: Mapping[str, Any], *, key: str, id: str | None = None) -> Record:
        """As the sample's; a lost answer leaves what was done done."""
        self._reach()
        done = await self._sample.do(kind, operation, data, key=key, id=id)
        if self.state == "lost answers":
            raise RecordsUnavailable("time", uncertain=True)
        return done

    async def close(self) -> None:
        """Let go of the file; it is opened again when it is needed."""
        await self._sample.close()

    async def remove(self) -> None:
        """Take the file away."""
        await self._sample.close()
        await asyncio.to_thread(self._folder.cleanup)

    def last_code(self) -> str | None:
        """The code in the last text message that went out, to whoever; None where there is none."""
        if not self._path.exists():
            return None
        with closing(sqlite3.connect(self._path)) as file:
            found = file.execute(_last_text).fetchone()
        code = _CODE.search(found[0]) if found is not None else None
        return code[0] if code is not None else None

    def _reach(self) -> None:
        if self.state == "down":
            raise RecordsUnavailable("connection")
