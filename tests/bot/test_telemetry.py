"""Logging: one line a record, and no token in any of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from bot.settings import Settings
from bot.telemetry import MAX_LINE, set_up_logging
from memory.errors import SettingsError

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


@pytest.mark.parametrize("as_json", [False, True])
def test_personal_data_is_masked(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logging(Settings.load(None, log_json=as_json))

    logging.getLogger("bot").warning("%s", "4111 1111 1111 1111, ann@example.org, 07700 900123 and +44 20 7946 0018 of turn 1234567890")

    written = capsys.readouterr().err
    assert "[card number], [e-mail address], [telephone number] and [telephone number] of turn 1234567890" in written


@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_is_told_without_a_customers_words(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logging(Settings.load(None, log_json=as_json))
    words = "Quokka Lane"
    try:
        try:
            int(words)
        except ValueError as error:
            raise ExceptionGroup(words, [KeyError(words), SettingsError("set LEGATO_DESK_CHAT")]) from error
    except ExceptionGroup:
        logging.getLogger("bot").exception("turn %d failed", 7)

    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1
    assert "Quokka" not in written
    for said in ("turn 7 failed", "ValueError: (its text is not written", "KeyError: (its text", "SettingsError: set LEGATO_DESK_CHAT"):
        assert said in written
    assert "test_telemetry.py" in written
    assert written.index("ValueError") < written.index("ExceptionGroup:")


def test_an_error_that_leads_to_itself_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings.load(None))
    first, second = OSError("one"), OSError("two")
    first.__cause__, second.__cause__ = second, first

    logging.getLogger("bot").error("no", exc_info=first)

    written = capsys.readouterr().err
    assert (written.count("OSError: one"), written.count("OSError: two")) == (1, 1)


def test_what_libraries_say_of_messages_is_never_written(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings.load(None, log_level="DEBUG"))

    logging.getLogger("telegram.ext.ExtBot").debug("Calling Bot API endpoint with parameters {'text': 'hello'}")
    logging.getLogger("bot").debug("shown")

    assert [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == ["DEBUG bot: shown"]


def test_a_long_record_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings.load(None))

    logging.getLogger("bot").warning("x" * (2 * MAX_LINE))

    assert len(capsys.readouterr().err) < MAX_LINE + 100
