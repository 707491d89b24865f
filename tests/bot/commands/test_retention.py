"""``legato retention``: counts first, then does it to the end."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bot.cli import main
from memory.customers import Profile, find_or_make
from memory.database import Database, Tx
from memory.inbox import put_in_quarantine, quarantined
from memory.links import make_code
from tests.bot.assistants.plain import plain_copy
from tests.memory.people import START

RULES = """\
retention:
  quarantine: {after: 30d, do: remove}
"""


@pytest.fixture
def assistant(tmp_path: Path) -> Path:
    """A folder of the built-in assistant's articles with a rule of its own."""
    folder = plain_copy(tmp_path / "mine")
    (folder / "memory.yml").write_text(RULES)
    return folder


def test_counting_changes_nothing_and_doing_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, assistant: Path, sqlite_database_url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEGATO_DATABASE_URL", sqlite_database_url)
    monkeypatch.setenv("LEGATO_ASSISTANT", str(assistant))

    async def of_quarantine(fill: int = 0) -> int:
        database = Database(sqlite_database_url)
        rows = [{"channel": "t", "update_id": str(n), "raw": "", "why": "", "at": START.replace(year=2020)} for n in range(fill)]
        await database.write(lambda tx: put_in_quarantine(tx, rows))
        if fill:
            await database.write(hand_out)
        found = len(await database.read(lambda tx: quarantined(tx, limit=1000)))
        await database.close()
        return found

    def hand_out(tx: Tx) -> None:
        at = START.replace(year=2020)
        make_code(tx, find_or_make(tx, "telegram", [Profile("42")], at=at)["42"].customer_id, None, by="operator", at=at)

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["legato", "retention", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return " ".join(capsys.readouterr().out.split())

    assert asyncio.run(of_quarantine(fill=250)) == 250
    would = run("--dry-run")
    assert "quarantine 30 days removed 250" in would
    assert "ended links and codes 7 days removed 1" in would
    assert asyncio.run(of_quarantine()) == 250
    assert run() == would.replace("rows that would be", "rows")
    assert asyncio.run(of_quarantine()) == 0
    done = run()
    assert "quarantine 30 days removed 0" in done
    assert "ended links and codes 7 days removed 0" in done
