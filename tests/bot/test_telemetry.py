"""Logging: one line a record, and no token in any of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from bot.settings import Settings
from bot.telemetry import set_up_logging

TOKEN = "123456789:" + "Ab-_" * 9


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_token_is_masked_in_messages_and_tracebacks(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logging(Settings.load(None, log_json=as_json))
    try:
        raise OSError(f"cannot reach https://api.telegram.org/bot{TOKEN}/getMe")
    except OSError:
        logging.getLogger("aiogram").exception("failed for %s", TOKEN)

    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1
    assert TOKEN not in written
    assert "bot<token>/getMe" in written
    if as_json:
        assert json.loads(written)["message"] == "failed for <token>"


def test_request_lines_are_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings.load(None))

    logging.getLogger("httpx").info("HTTP Request: POST")
    logging.getLogger("httpx").warning("careful")
    logging.getLogger("bot").info("started")

    assert [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == ["WARNING httpx: careful", "INFO bot: started"]


def test_the_level_is_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings.load(None, log_level="ERROR"))

    logging.getLogger("bot").warning("not shown")
    logging.getLogger("httpx").warning("not shown")

    assert capsys.readouterr().err == ""
