"""Logging: one line a record, or one JSON object, without bot tokens, personal data, and what errors repeat of customers' words."""

from __future__ import annotations

import logging
import re
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

import orjson

from memory.errors import LegatoError
from memory.personal import SHOWN_AS, personal_data

if TYPE_CHECKING:
    from bot.settings import Settings

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{30,}")
"""A bot token, as it stands in the Bot API's addresses too."""

MAX_LINE = 20_000
"""Characters of a record; what is longer is cut, so that no record costs more to mask than this."""

TELLING = (LegatoError, OSError, sqlite3.Error, ImportError, TypeError, AttributeError, NameError, RecursionError, NotImplementedError)
"""Errors whose text is written: ours have no value in theirs, and these others speak of files, connections, tables and the program itself.
The text of any other, such as that of ``int()`` or of a server's constraint, may repeat what a customer wrote."""

_MASK = "<token>"
_UNTOLD = "(its text is not written, as it may hold a customer's words)"
_QUIET = ("httpx", "httpcore", "aiogram.event")
"""These write a line for each request or update at INFO, which says nothing that our own log does not."""

_SILENT = ("telegram", "python_multipart", "multipart", "rasa_sdk", "aiogram", "asyncpg", "asyncio")
"""These write what is sent and received at DEBUG: never below INFO."""

_PHONE_BEGINS = "+0("
"""Other numbers of as many digits are ids and addresses in a log."""

_MOST_CAUSES = 20

_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Formatter(logging.Formatter):
    """Writes an error as where it happened and of what kind it is, and its text only where that cannot be a customer's."""

    def formatException(self, ei: _ExcInfo) -> str:
        return "\n".join(_told(ei[1])) if ei[1] is not None else ""


class _Line(_Formatter):
    """A record as text on one line; a traceback's lines are joined with a visible mark."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _time_of(record)

    def format(self, record: logging.LogRecord) -> str:
        head, _, rest = super().format(record).partition(" ")  # the time has as many digits as a telephone number
        return f"{head} {_masked(rest)}".replace("\n", " | ")


class _Json(_Formatter):
    """A record as one JSON object: at, level, logger, message and, where there is one, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        said = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps({"at": _time_of(record), **{key: _masked(value) for key, value in said.items()}}).decode()


def set_up_logging(settings: Settings) -> None:
    """Send all logging of this process to standard error, replacing handlers that were there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if settings.log_json else _Line())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    level = logging.getLevelName(settings.log_level)
    for names, least in ((_QUIET, logging.WARNING), (_SILENT, logging.INFO)):
        for name in names:
            logging.getLogger(name).setLevel(max(least, level))


def _masked(text: str) -> str:
    """The text without tokens and without personal data that is told by its shape: the last line of defence, not the first."""
    text = TOKEN.sub(_MASK, text[:MAX_LINE])
    parts: list[str] = []
    at = 0
    for one in personal_data(text):
        if one.kind != "phone" or text[one.start] in _PHONE_BEGINS:
            parts += (text[at : one.start], SHOWN_AS[one.kind])
            at = one.end
    return "".join((*parts, text[at:])) if parts else text


def _told(error: BaseException) -> Iterator[str]:
    """An error with those that led to it, the first one first."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen and len(seen) < _MOST_CAUSES:
        seen.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    for one in reversed(seen):
        if one.__traceback__ is not None:
            yield "Traceback (most recent call last):"
            yield from "".join(traceback.format_tb(one.__traceback__)).splitlines()
        yield _named(one)
        if isinstance(one, BaseExceptionGroup):
            for inner in one.exceptions[:_MOST_CAUSES]:
                yield from (f"  {line}" for line in _told(inner))


def _named(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    code = getattr(error, "sqlstate", None)
    beside = f" [{code}]" if isinstance(code, str) else ""
    if not str(error):
        return f"{name}{beside}"
    return f"{name}{beside}: {error if isinstance(error, TELLING) else _UNTOLD}"


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
