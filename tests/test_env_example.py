"""The example of a settings file names every setting, says what each means, and shows its default."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bot.settings import PREFIX, Settings

EXAMPLE = Path(__file__).parent.parent / "deploy" / "env.example"
SETTING = re.compile(rf"#?({PREFIX}[A-Z0-9_]+)=(.*)")
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()


def test_every_setting_stands_there_once() -> None:
    names = [found[1] for line in LINES if (found := SETTING.fullmatch(line))]

    assert sorted(names) == sorted(PREFIX + name.upper() for name in Settings.model_fields)


def test_each_has_its_meaning_above_it() -> None:
    bare = [line for above, line in zip(["", *LINES], LINES, strict=False) if SETTING.fullmatch(line) and not re.match(r"# \w", above)]

    assert bare == []


def test_the_values_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    taken = tmp_path / ".env"
    taken.write_text("\n".join(SETTING.sub(r"\1=\2", line) for line in LINES), encoding="utf-8")

    assert Settings.load(taken) == Settings.load(None)
    assert Settings.load(EXAMPLE) == Settings.load(None)
