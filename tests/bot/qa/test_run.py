"""The command: exit codes, reports, filters, processes, databases."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.console import Console

from bot.qa import run
from memory.errors import SettingsError

from .conftest import Write

GOOD = "name: It is welcomed\nscript:\n  - ann: hello\n  - bot: {reply: utter_welcome}\n"
BAD = "name: It is not \x0b welcomed\nscript:\n  - ann: hello\n  - bot: {reply: utter_goodbye}\n".replace("\x0b", "& <")


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def _said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_all_passed_is_zero(write: Write, console: Console) -> None:
    assert run([write(GOOD)], jobs=1, console=console) == 0

    assert "1 dialogue in" in _said(console)
    assert "1 passed" in _said(console)
    assert "utter_welcome" not in _said(console)


def test_a_difference_is_one_and_shown_with_its_transcript(write: Write, console: Console, tmp_path: Path) -> None:
    write(GOOD, "good.yml")
    bad = write(BAD, "bad.yml")
    junit = tmp_path / "reports" / "junit.xml"

    assert run([bad.parent], jobs=2, console=console, junit=junit) == 1

    said = _said(console)
    assert f"✗ {bad}:4" in said
    assert "expected the reply utter_goodbye" in said
    assert "got      utter_welcome" in said
    assert "2 dialogues" in said
    assert "1 passed, 1 differ" in said
    suite = ET.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    cases = {case.get("name"): case for case in suite}
    assert cases["It is welcomed"].find("failure") is None
    failure = cases["It is not & < welcomed"].find("failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith(f"{bad}:4: expected the reply utter_goodbye, got utter_welcome")
    log = cases["It is welcomed"].find("system-out")
    assert log is not None
    assert "09:00:00  ann        hello" in (log.text or "")


def test_broken_scripts_are_two_and_nothing_is_played(write: Write, console: Console) -> None:
    write(GOOD, "good.yml")
    broken = write("name: Broken\nscript:\n  - ann: hello\n  - bto: hello\n", "broken.yml")

    assert run([broken.parent], console=console) == 2

    assert f"{broken}:4: `bto` is neither a person of this script (ann)" in _said(console)
    assert "did you mean `bot`?" in _said(console)
    assert "passed" not in _said(console)


def test_a_missing_path_is_two(console: Console, tmp_path: Path) -> None:
    assert run([tmp_path / "nowhere.yml"], console=console) == 2
    assert "there is no such file or folder" in _said(console)


def test_a_filter_chooses_by_name_and_file(write: Write, console: Console) -> None:
    write(GOOD, "good.yml")
    folder = write(BAD, "bad.yml").parent

    assert run([folder], jobs=1, name="IT IS WELCOMED", console=console) == 0
    assert run([folder], jobs=1, name="bad.yml", console=console) == 1
    assert run([folder], jobs=1, name="nothing of the kind", console=console) == 2
    assert "No dialogue has “nothing of the kind”" in _said(console)


def test_verbose_shows_every_transcript(write: Write, console: Console) -> None:
    assert run([write(GOOD)], jobs=1, verbose=True, console=console) == 0

    assert "✓ It is welcomed" in _said(console)
    assert "(utter_welcome)" in _said(console)


def test_postgresql_can_be_used(write: Write, console: Console, postgres_url: str) -> None:
    assert run([write(GOOD)], jobs=1, database=postgres_url, console=console) == 0


def test_a_database_that_cannot_be_used_is_named(write: Write, console: Console) -> None:
    with pytest.raises(SettingsError, match="--database: no database can be made there"):
        run([write(GOOD)], jobs=1, database="postgresql://nobody@127.0.0.1:1/none", console=console)
    with pytest.raises(SettingsError, match="write postgresql://"):
        run([write(GOOD)], jobs=1, database="sqlite:///some.db", console=console)
