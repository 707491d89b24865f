"""What customers write stays out of logs and traces, and what is secret out of everything that is kept."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import telemetry
from bot.qa.play import play_on
from bot.qa.read import read_script
from bot.settings import Settings
from bot.understand.hear import Heard, hear
from bot.understand.knowledge import Knowledge

CARD, CODE, NAME, STREET = "4111 1111 1111 1111", "737 919", "Zebedee Quillfeather", "17 Quokka Lane"
BROKEN = "xylophone"
MARKED = (
    CARD,
    CARD.replace(" ", ""),
    CODE,
    CODE.replace(" ", ""),
    "Zebedee",
    "Quillfeather",
    "Quokka",
    BROKEN,
    "12345678",
    "zeb@example.org",
)
"""Nothing of this may stand in a log or a trace."""

SCRIPT = f"""
name: A customer says much that nobody may log
assistant: banking
customers: {{ann: {{first_name: Ann, last_name: Lee}}}}
script:
  - ann: i lost my card {CARD}
  - bot: {{reply: utter_ask_account_number}}
  - ann: "12345678"
  - bot: {{text: We have sent a code}}
  - ann: "it is {CODE} I think"
  - bot: {{text: not the code}}
  - ann: my name is {NAME}, I live at {STREET}, and my e-mail is zeb@example.org
  - bot: {{}}
  - ann: "{BROKEN} {NAME}"
  - bot: {{}}
"""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, from DEBUG on, as operators read it."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in (*telemetry._QUIET, *telemetry._SILENT)}
    telemetry.set_up_logging(Settings.load(None, log_level="DEBUG"))
    for handler in root.handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


def _rows(url: str) -> dict[str, str]:
    """All rows of all tables, as text."""
    with sqlite3.connect(url.removeprefix("sqlite:///").removeprefix("sqlite+aiosqlite:///")) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: "\n".join(map(repr, database.execute(f'SELECT * FROM "{name}"'))) for name in names}


def test_nothing_that_a_customer_says_is_logged_or_traced(
    sqlite_database_url: str, tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(text: str, knowledge: Knowledge) -> Heard:
        if BROKEN in text:
            raise ValueError(f"cannot understand {text}")
        return hear(text, knowledge)

    monkeypatch.setattr("bot.turn.brain.hear", failing)
    path = tmp_path / "secrets.yml"
    path.write_text(SCRIPT, encoding="utf-8")
    mistakes: list[Any] = []
    script = read_script(path, mistakes)
    assert script is not None, mistakes

    played = asyncio.run(play_on(script, sqlite_database_url))

    assert played.passed, "\n".join(played.transcript)
    written, rows = log.getvalue(), _rows(sqlite_database_url)
    assert "ValueError" in written  # the error itself is told, with its place
    assert "test_secrets.py" in written
    traces = rows["turn"]
    assert "understood" in traces
    for marked in MARKED:
        assert marked not in written
        assert marked not in traces
    everything = "\n".join(rows.values())
    assert "•••• 1111" in everything
    assert not [name for name, text in rows.items() if CARD in text or CARD.replace(" ", "") in text]
    kept = {name: text for name, text in rows.items() if name != "inbox"}
    assert not [name for name, text in kept.items() if CODE in text or CODE.replace(" ", "") in re.sub(r"\W", "", text)]
    assert "it is ••• I think" in rows["exchange"]
