"""A customer's rights from the command line: what people read, and exit codes."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from bot.cli import main
from bot.commands import common
from memory.customers import Customer
from memory.database import Database, table
from tests.memory.test_doctor import lived

Run = Callable[..., tuple[int, str]]


def on(path: Path, work: Callable[[Database], Awaitable[Any]]) -> None:
    async def run() -> None:
        database = Database(f"sqlite:///{path}")
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(run())


@pytest.fixture
def legato(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, _sqlite_template: Path) -> Run:
    """Run a command in a folder whose memory has two customers: its exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(common.out, "_width", 200)  # it was made when it was imported, for whatever terminal there was
    shutil.copyfile(_sqlite_template, tmp_path / "legato.db")
    on(tmp_path / "legato.db", lived)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["legato", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out + written.err

    return run


@pytest.mark.parametrize("who", ["1", "telegram:42"])
def test_a_customer_is_shown_with_everything(legato: Run, who: str) -> None:
    code, written = legato("customer", "show", who)

    assert code == 0
    for part in ("Customer 1", "Cora", "telegram", "city", "Town 1", "current", "waiting", "hi"):
        assert part in written
    assert "Town 2" not in written


def test_a_customer_is_found_by_what_identifies_them(legato: Run) -> None:
    assert legato("customer", "correct", "2", "email", "Dana@Example.org", "--by", "Bea")[0] == 0
    code, written = legato("customer", "show", "dana@example.org")

    assert code == 0
    assert "Customer 2" in written
    assert "agent Bea" in written


@pytest.mark.parametrize("who", ["99", "telegram:9", "nobody@example.org"])
def test_nobody_is_said_without_repeating_it(legato: Run, who: str) -> None:
    code, written = legato("customer", "show", who)

    assert code == 1
    assert "nobody is known by that" in written
    assert who not in written.replace("channel:address", "")


def test_the_past_is_searched(legato: Run) -> None:
    assert "Nothing of that was said" in legato("customer", "search", "1", "mortgage")[1]


@pytest.mark.parametrize(
    ("fact", "value", "words"),
    [("nonsense", "x", "no fact that memory.yml declares"), ("email", "not one", "was not corrected: expected an e-mail address")],
)
def test_what_cannot_be_corrected_is_said(legato: Run, fact: str, value: str, words: str) -> None:
    code, written = legato("customer", "correct", "1", fact, value, "--by", "Bea")

    assert code == 1
    assert words in written


def test_a_correction_says_that_the_other_value_was_never_true(legato: Run) -> None:
    legato("customer", "correct", "1", "name", "Cora Smith", "--by", "Bea")
    legato("customer", "correct", "1", "name", "Cora Smythe", "--by", "Bea")
    written = legato("customer", "show", "1")[1]

    assert "Cora Smythe" in written
    assert "retracted" in written


def test_an_archive_is_written(legato: Run, tmp_path: Path) -> None:
    code, written = legato("customer", "export", "1")

    assert code == 0
    assert "rows about customer 1, 1 of them exchanges" in written
    with ZipFile(tmp_path / "customer-1.zip") as archive:
        assert json.loads(archive.read("customer.json"))["customers"] == [1]


def test_forgetting_gives_a_receipt_and_nothing_is_left(legato: Run, tmp_path: Path) -> None:
    code, written = legato("customer", "forget", "telegram:42", "--yes", "--by", "Bea")

    assert code == 0
    assert "Customer 1 is forgotten (erasure 1" in written
    assert "1 exchange" in written
    assert "Left: backups made before" in written
    assert json.loads((tmp_path / "legato-erasures.jsonl").read_text())["customers"][0]["id"] == 1
    assert "forgotten on" in legato("customer", "show", "1")[1]
    assert legato("doctor")[0] == 0


def test_what_only_the_running_assistant_can_do_is_said(legato: Run, tmp_path: Path) -> None:
    def sent(tx: Any) -> None:
        tx.execute(sa.text("UPDATE outbox SET state = 'sent', message_id = '7', done_at = datetime('now')"))

    on(tmp_path / "legato.db", lambda database: database.write(sent))
    code, written = legato("customer", "forget", "1", "--yes")

    assert code == 3
    assert "still waits for 1 message or topic on the channels; the running assistant (legato run) settles them" in written


def test_without_yes_it_is_asked(legato: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115
    code, written = legato("customer", "forget", "1")

    assert code == 1
    assert "This cannot be undone" in written
    assert "Town 1" in legato("customer", "show", "1")[1]


def test_a_restored_backup_forgets_again(legato: Run, tmp_path: Path) -> None:
    shutil.copyfile(tmp_path / "legato.db", tmp_path / "backup.db")
    legato("customer", "forget", "1", "--yes")
    for name in ("legato.db", "legato.db-wal", "legato.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "backup.db", tmp_path / "legato.db")
    code, written = legato("customer", "forget", "--replay", "legato-erasures.jsonl")

    assert code == 0
    assert "Customer 1 is forgotten" in written
    assert "Nobody in this file is here" in legato("doctor", "--replay", "legato-erasures.jsonl")[1]
    assert "Town 2" in legato("customer", "show", "2")[1]


def test_a_file_without_receipts_is_refused(legato: Run, tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text("{}\n")

    assert "line 1 is no receipt" in legato("customer", "forget", "--replay", "other.jsonl")[1]
    assert "cannot be read" in legato("customer", "forget", "--replay", "missing.jsonl")[1]


def test_the_doctor_names_what_does_not_hold(legato: Run, tmp_path: Path) -> None:
    assert "The store is sound" in legato("doctor")[1]
    customer = table(Customer)
    on(tmp_path / "legato.db", lambda database: database.write(lambda tx: tx.execute(sa.update(customer).values(handoff_id=None))))
    code, written = legato("doctor", "--scrub")

    assert code == 1
    assert "handoff 1: is open, and customer 1 points to another" in written
    assert "what to do: close it in its topic" in written
    assert "1 of " in written
