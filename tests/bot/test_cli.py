"""The command line: what people read, and exit codes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli import main
from memory.database import Database, Row
from memory.errors import SettingsError
from memory.inbox import put_in_quarantine
from memory.schema import REVISIONS
from tests.memory.people import START

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def legato(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in an empty folder: its exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["legato", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out + written.err

    return run


def test_help_names_the_commands(legato: Run) -> None:
    code, written = legato("--help")
    assert code == 0
    assert all(command in written for command in ("try", "run", "check", "migrate", "quarantine", "simulator", "qa"))


def test_a_mistake_is_named_with_its_file_and_line(legato: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "assistant.yml").write_text("company: Mine\nlanguage: en\nnonsense: 1\n")

    code, written = legato("check", "--assistant", "mine")
    assert code == 1
    assert "assistant.yml:3: " in written


def test_a_built_in_assistant_is_fine(legato: Run) -> None:
    code, written = legato("check", "--assistant", "banking")
    assert (code, "settings: fine" in written) == (0, True)


def test_migrating_twice_is_harmless(legato: Run) -> None:
    assert "it was empty" in legato("migrate")[1]
    code, written = legato("migrate")
    assert (code, f"it was {REVISIONS[-1]}" in written) == (0, True)


def test_a_command_that_needs_the_schema_says_so(legato: Run) -> None:
    code, written = legato("quarantine")
    assert (code, "run `legato migrate` first" in written) == (1, True)


def test_what_is_in_quarantine_is_listed_and_shown(legato: Run, tmp_path: Path) -> None:
    legato("migrate")
    assert "Nothing is in quarantine" in legato("quarantine")[1]
    row: Row = {"channel": "telegram", "update_id": "[/9]", "raw": '{"text": "[bold]"}', "why": "no [/list]", "at": START}

    async def put() -> None:
        database = Database(f"sqlite:///{tmp_path / 'legato.db'}")
        await database.write(lambda tx: put_in_quarantine(tx, [row]))
        await database.close()

    asyncio.run(put())
    code, written = legato("quarantine")
    assert (code, "[/9]" in written, "no [/list]" in written) == (0, True, True)
    assert legato("quarantine", "--show", "1") == (0, '{"text": "[bold]"}\n')
    code, written = legato("quarantine", "--show", "2")
    assert (code, "no update 2" in written) == (1, True)


def test_a_start_without_a_token_says_what_is_missing(legato: Run) -> None:
    code, written = legato("run")
    assert (code, "LEGATO_TELEGRAM_TOKEN is not set" in written) == (1, True)


def test_an_unknown_part_is_named(legato: Run) -> None:
    code, written = legato("run", "--only", "nonsense")
    assert (code, "nonsense" in written) == (2, True)


def test_an_error_is_shown_as_it_is(legato: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGATO_DATABASE_URL", "sqlite:///:memory:")
    monkeypatch.setattr("memory.database.checked_url", _refuse)
    code, written = legato("migrate")
    assert (code, "no [/such] file" in written) == (1, True)


def _refuse(_url: str) -> None:
    raise SettingsError("no [/such] file")
