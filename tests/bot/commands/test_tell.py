"""``legato customer tell``: put out, or refused in words."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.cli import main
from memory.clock import SystemClock
from memory.consents import keep_consent
from memory.customers import Profile, find_or_make, ownership_of
from memory.database import Database, Tx
from memory.declared import Declarations
from memory.facts import CUSTOMER, Told, remember
from memory.known import refresh_known
from memory.outbox import outbox_table

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_database_url: str) -> Run:
    """Run ``legato customer tell``: the exit code, and everything that was said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEGATO_DATABASE_URL", sqlite_database_url)
    monkeypatch.setenv("LEGATO_TELEGRAM_TOKEN", "4200:" + "C" * 35)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["legato", "customer", "tell", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), " ".join((said.out + said.err).split())

    return run


@pytest.fixture
def agreed(sqlite_database_url: str) -> Callable[..., list[str]]:
    """A customer who agreed to offers, with these facts; returns what waits to be sent."""

    def store(**facts: str) -> list[str]:
        def work(tx: Tx) -> list[str]:
            now = SystemClock().now()
            who = find_or_make(tx, "telegram", [Profile("42", "Cora")], at=now)["42"]
            ownership_of(tx, [who.customer_id])
            if facts.pop("consent", "yes") == "yes":
                keep_consent(tx, who.customer_id, "offers", granted=True, version="1", text="We may.", channel="telegram", at=now)
            for name, value in facts.items():
                remember(tx, Declarations(), who.customer_id, Told(name, value, CUSTOMER), at=now - timedelta(days=1))
            refresh_known(tx, [who.customer_id])
            return [row.outgoing["text"] for row in tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id))]

        async def once() -> list[str]:
            database = Database(sqlite_database_url)
            try:
                return await database.write(work)
            finally:
                await database.close()

        return asyncio.run(once())

    return store


def test_it_is_put_out_once(run: Run, agreed: Callable[..., list[str]]) -> None:
    agreed()

    assert run("1", "A new account", "--purpose", "offers", "--key", "spring") == (0, "put out as turn 1; a running `legato` sends it")
    assert run("1", "A new account", "--purpose", "offers", "--key", "spring") == (0, "a message of this key has been put out before")
    assert agreed() == ["A new account"]


def test_it_is_refused_with_why_and_from_when_on(run: Run, agreed: Callable[..., list[str]]) -> None:
    agreed(consent="no")
    code, said = run("1", "A new account", "--purpose", "offers")
    assert (code, said) == (1, "legato: customer 1 was not written to: they have not agreed to it")

    agreed(contact_frequency="weekly")
    assert run("1", "A new account", "--purpose", "offers")[0] == 0
    code, said = run("1", "Another", "--purpose", "offers")
    assert code == 1
    assert "they asked to be contacted weekly at most" in said
    assert "on they may be" in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("7", "Hello", "--purpose", "offers"), "there is no such customer"),
        (("1", "  ", "--purpose", "offers"), "the message is empty"),
        (("1", "Hello", "--purpose", "raffles"), "`raffles` is not declared"),
    ],
)
def test_what_cannot_be_told(run: Run, agreed: Callable[..., list[str]], arguments: tuple[str, ...], why: str) -> None:
    agreed()

    code, said = run(*arguments)

    assert code == 1
    assert why in said
    assert agreed() == []
