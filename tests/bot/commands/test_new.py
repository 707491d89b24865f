"""``legato new``: a folder that is an assistant at once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.assistants import load_assistant
from bot.cli import main


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *words: str) -> int:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["legato", "new", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_it_loads_without_a_mistake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, tmp_path, "flower-shop", "--company", "Rosa's: flowers #1") == 0

    assistant = load_assistant(tmp_path / "flower-shop")
    assert (assistant.name, assistant.company) == ("flower-shop", "Rosa's: flowers #1")
    assert "legato try --assistant flower-shop" in capsys.readouterr().out


def test_what_is_there_is_not_touched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "flower-shop").mkdir()
    (tmp_path / "flower-shop" / "mine.txt").write_text("mine")

    assert run(monkeypatch, tmp_path, "flower-shop") == 1

    assert "is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["Flower Shop", "banking", "1st", ""])
def test_a_name_that_cannot_be_is_refused(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, tmp_path, name) == 2
    assert not list(tmp_path.iterdir())
