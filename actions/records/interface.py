"""What actions ask of the company's systems of record, and what can go wrong.

RecordsError
├── RecordsUnavailable    no answer now; ``uncertain`` says that a write may have been done all the same
├── RecordsMisunderstood  the other side's answer, or its refusal of our token, shows that both do not fit together; an operator mends it
├── RecordRefused         a rule of the company says no; nothing was done
├── RecordsUnknown        there is no such kind, operation, field or record
└── KeyUsed               the key belongs to another write
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from memory.errors import LegatoError

MOST = 100
"""The most records that one ``find`` gives."""

MAX_KEY = 200
"""Characters of a key at most."""

_WORD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}", re.ASCII)


class RecordsError(LegatoError):
    """Base of what can go wrong; no text has a value of a record in it."""


class RecordsUnavailable(RecordsError):
    """The systems do not answer now. ``why`` is ``time`` or ``connection``.

    ``uncertain``: a write was under way, and nobody knows whether it was done; the same key will tell later.
    """

    def __init__(self, why: str, *, uncertain: bool = False) -> None:
        self.why = why
        self.uncertain = uncertain
        what = "no answer in time" if why == "time" else "no connection"
        super().__init__(f"the records: {what}{', in the middle of a write' if uncertain else ''}")


class RecordsMisunderstood(RecordsError):
    """What came back is not what the contract says; trying again does not help. ``uncertain``: a write may have been done all the same."""

    def __init__(self, text: str, *, uncertain: bool = False) -> None:
        self.uncertain = uncertain
        super().__init__(f"the records: {text}")


class RecordRefused(RecordsError):
    """A rule says no. ``reason`` is one word such as ``not_enough_money``: customers may be told it, in the words of a reply."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the records refuse: {reason}")


class RecordsUnknown(RecordsError):
    """There is no such thing. ``what`` is ``kind``, ``operation``, ``field``, or the kind of the record that is missing."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"the records know no such {what}")


class KeyUsed(RecordsError):
    """The key was used for another write before: whoever makes keys has a mistake, and nothing was done."""

    def __init__(self) -> None:
        super().__init__("the key was used for another write; a key belongs to one call")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a kind. ``data`` is JSON: amounts are whole numbers of the currency's minor unit, days are ``2026-01-31``."""

    kind: str
    id: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.data.get(name)


class Records(Protocol):
    """The systems of record. Every call ends within a time limit and raises nothing but :class:`RecordsError`."""

    @property
    def place(self) -> str:
        """Where they are: ids mean something there and nowhere else."""

    async def get(self, kind: str, id: str) -> Record | None:
        """One record, or None."""

    async def find(self, kind: str, where: Mapping[str, str | int | bool], *, limit: int = 20) -> list[Record]:
        """Records whose fields have these values, the newest first; at most ``limit``, and never more than ``MOST``."""

    async def do(self, kind: str, operation: str, data: Mapping[str, Any], *, key: str, id: str | None = None) -> Record:
        """Do something to a record, or, where it makes one, without ``id``; returns what came of it, which may be of another kind.

        The same ``key`` gives the first result again, a refusal too, and does nothing a second time.
        """

    async def close(self) -> None:
        """Let go of connections; a call afterwards opens them again."""


def is_word(text: object) -> bool:
    """Whether ``text`` can be a kind, an operation, a field or a reason: lower case, underscores between words, at most 60 characters."""
    return isinstance(text, str) and len(text) <= 60 and _WORD.fullmatch(text) is not None


def is_id(text: object) -> bool:
    """Whether ``text`` can be a record's id, which stands in an address as it is."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None
