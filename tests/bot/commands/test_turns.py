"""``legato replay-turn``: what was known then, and beside it what is known now."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.cli import main
from bot.commands.turns import DIFFERS, GONE, Line, compared, shown
from memory.context_then import recall_then
from memory.database import Database, Tx
from memory.declared import Declarations, Declared
from memory.events import events_of
from memory.exchanges import exchange_id
from memory.handoffs import open_handoff
from memory.merges import merge
from memory.outbox import SENT, mark_done, outbox_row, put_out
from tests.memory.people import meet
from tests.memory.test_context_then import Life

DECLARED = Declarations(facts={"address": Declared("address"), "pin": Declared("pin", sensitivity="sensitive")})


def live(tx: Tx, life: Life) -> int:
    """A turn in the middle of a life that goes on and changes everything; its number."""
    cora, dora = life.people
    life.turn(cora, "I moved", told={"address": "Bath", "pin": "4711"})
    life.tell(cora, "address", "Hull", source="system")
    turn = life.turn(cora, "Where is my card?", trace={"hits": [["lost-card", 0.9]], "dialogue": {"tried": ["Cards"]}})
    out = outbox_row(key=f"{turn}.0", lane="telegram", address="0", outgoing={}, at=life.now, exchange_id=exchange_id(turn, 1))
    post = outbox_row(key=f"{turn}.1", lane="handoff", address="1", outgoing={"kind": "card"}, at=life.now)
    put_out(tx, [out, post])
    mark_done(tx, [(1, SENT, "77", None)], at=life.later())
    life.tell(cora, "address", "York")
    life.turn(dora, "Hello")
    open_handoff(tx, life.turn(cora, "A person"), life.home(cora), cora.identity_id, reason="asked", packet={}, at=life.now)
    merge(tx, life.home(cora), life.home(dora), evidence={}, by="Bea", at=life.later())
    return turn


async def replayed(database: Database, turn: int, **options: Any) -> str:
    def read(tx: Tx) -> str:
        then = recall_then(tx, turn)
        assert then is not None
        console = Console(width=200, record=True, file=io.StringIO())
        for part in shown(then, events_of(tx, [row.id for row in then.said]), DECLARED, **{"sensitive": False, **options}):
            console.print(part, soft_wrap=True)
        return console.export_text()

    return await database.read(read)


async def test_a_turn_is_shown_as_it_was_and_what_has_changed(sqlite_database: Database) -> None:
    people = [await meet(sqlite_database, "0"), await meet(sqlite_database, "1")]
    turn = await sqlite_database.write(lambda tx: live(tx, Life(tx, people)))

    text = await replayed(sqlite_database, turn)
    lines = [" ".join(line.split()) for line in text.splitlines()]

    def after(line: str) -> str:
        return lines[next(n for n, one in enumerate(lines) if one.startswith(line)) + 1]

    assert lines[0].startswith("Turn 2, 05 Jan 2026 09:02")
    assert lines[1] == f"Customer 1 ({DIFFERS}one person with 2); telegram 0, seen"
    assert any(line.startswith("address Bath [customer, exchange 256, since 05 Jan 2026]") for line in lines)
    assert after("address Bath").startswith(f"{DIFFERS}York [customer")
    assert any(line.startswith("address Hull [system") for line in lines)
    assert after("address Hull") == DIFFERS + GONE
    assert "4711" not in text
    assert "4711" in await replayed(sqlite_database, turn, sensitive=True)
    assert "What was decided: answer" in lines
    assert any("lost-card" in line for line in lines)
    assert any(line.startswith("tried ['Cards']") for line in lines)
    assert after("09:02:00 assistant answer to Where is my card?").startswith(f"{DIFFERS}sent 05 Jan 09:03:00 by telegram")
    assert "handoff card waiting" in lines
    assert not any("A person" in line or "Hello" in line for line in lines)


def test_what_differs_stands_beside_it() -> None:
    assert compared({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": "4"}) == [
        Line("a", "1"),
        Line("b", "2", "9"),
        Line("c", "3", GONE),
        Line("d", "(not known then)", "4"),
    ]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["legato", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEGATO_DATABASE_URL", sqlite_database_url)

    async def fill() -> int:
        database = Database(sqlite_database_url)
        people = [await meet(database, "0"), await meet(database, "1")]
        turn = await database.write(lambda tx: live(tx, Life(tx, people)))
        await database.close()
        return turn

    turn = asyncio.run(fill())
    assert run(monkeypatch, "replay-turn", str(turn)) == 0
    assert "Where is my card?" in capsys.readouterr().out
    assert run(monkeypatch, "replay-turn", "99") == 1
    assert "There is no turn 99" in capsys.readouterr().err
