"""What is checked before a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.assistants import BUILT_IN
from bot.check import check


def test_the_defaults_are_fine() -> None:
    checked = check(None)

    assert checked.fine
    assert checked.summary[0] == "settings: fine"
    assert checked.summary[1].startswith("assistant banking: 20 articles, ")


def test_all_built_in_assistants_are_fine() -> None:
    checked = check(None, BUILT_IN)

    assert checked.fine
    assert len(checked.summary) == 1 + len(BUILT_IN)


def test_problems_and_mistakes_are_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGATO_WORKERS", "0")

    checked = check(None, [tmp_path / "nowhere"])

    assert not checked.fine
    assert len(checked.problems) == len(checked.mistakes) == 1
    assert checked.summary == ("settings: 1 problem", f"assistant {tmp_path / 'nowhere'}: 1 mistake")


def test_the_assistant_of_the_settings_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGATO_ASSISTANT", str(tmp_path))

    assert {mistake.path.name for mistake in check(None).mistakes} == {"assistant.yml", "knowledge"}
