"""``legato why``: a turn's reasons in the terminal."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bot.cli import main
from memory.clock import ManualClock
from memory.database import Database, Tx
from memory.turns import keep_turns
from tests.memory.people import meet


def why(monkeypatch: pytest.MonkeyPatch, url: str, turn: int) -> int:
    monkeypatch.setenv("LEGATO_DATABASE_URL", url)
    monkeypatch.setattr(sys, "argv", ["legato", "why", str(turn), "--env-file", str(Path("nothing"))])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_it_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sqlite_database_url: str, clock: ManualClock
) -> None:
    async def live() -> None:
        database = Database(sqlite_database_url)
        person = await meet(database, "1")

        def keep(tx: Tx) -> None:
            trace = {"flow": {"commands": ["cancel"], "before": ["lost_card", "which"], "rule": "flow cancelled"}}
            row = {"id": 5, "customer_id": person.customer_id, "lane": "turn", "decision": "flow cancelled", "trace": trace}
            keep_turns(tx, [{**row, "started_at": clock.now(), "finished_at": clock.now()}])

        await database.write(keep)
        await database.close()

    asyncio.run(live())

    assert why(monkeypatch, sqlite_database_url, 5) == 0
    said = capsys.readouterr().out
    assert "Before: the flow lost_card at which." in said
    assert "Commands: stop." in said
    assert "Rule: flow cancelled." in said


def test_a_turn_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sqlite_database_url: str) -> None:
    assert why(monkeypatch, sqlite_database_url, 9) == 1
    assert "There is no turn 9" in capsys.readouterr().err
