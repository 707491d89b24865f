"""Logging: one line a record, or one JSON object, with bot tokens masked wherever they occur."""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from bot.settings import Settings

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{30,}")
"""A bot token, as it stands in the Bot API's addresses too."""

_MASK = "<token>"
_QUIET = ("httpx", "httpcore", "aiogram.event")
"""These write a line for each request or update at INFO, which says nothing that our own log does not."""


class _Line(logging.Formatter):
    """A record as text on one line; a traceback's lines are joined with a visible mark."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _time_of(record)

    def format(self, record: logging.LogRecord) -> str:
        return TOKEN.sub(_MASK, super().format(record)).replace("\n", " | ")


class _Json(logging.Formatter):
    """A record as one JSON object: at, level, logger, message and, where there is one, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        said = {"at": _time_of(record), "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        masked = {key: TOKEN.sub(_MASK, value) for key, value in said.items()}
        return orjson.dumps(masked).decode()


def set_up_logging(settings: Settings) -> None:
    """Send all logging of this process to standard error, replacing handlers that were there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if settings.log_json else _Line())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
