"""``legato customer link``, ``merge``, ``unmerge``, ``proposals``: what they do, and what they say where they cannot."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from bot.cli import main
from memory.clock import SystemClock
from memory.customers import Known, Profile, find_or_make, ownership_of, person_of
from memory.database import Database, Tx
from memory.declared import Declarations, Declared
from memory.facts import CUSTOMER, Told, remember
from memory.links import find_code, redeem
from memory.merges import merges_of
from memory.proposals import open_proposals
from memory.values import Type
from tests.memory.people import START

T = TypeVar("T")
Run = Callable[..., tuple[int, str]]


class Store(Protocol):
    """Runs a transaction on the database that the commands use."""

    def __call__(self, fn: Callable[[Tx], T], /) -> T: ...


DECLARED = Declarations(facts={"phone": Declared("phone", Type.PHONE, identifies=True)})


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_database_url: str) -> Run:
    """Run ``legato customer ...``: the exit code, and everything that was said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEGATO_DATABASE_URL", sqlite_database_url)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["legato", "customer", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), " ".join((said.out + said.err).split())

    return run


@pytest.fixture
def store(sqlite_database_url: str) -> Store:
    """Run a transaction on the database that the commands use."""

    def work(fn: Callable[[Tx], T], /) -> T:
        async def once() -> T:
            database = Database(sqlite_database_url)
            try:
                return await database.write(fn)
            finally:
                await database.close()

        return asyncio.run(once())

    return work


def two_customers(tx: Tx) -> dict[str, Known]:
    return find_or_make(tx, "telegram", [Profile("42"), Profile("43")], at=START)


def test_a_merge_is_done_and_undone(run: Run, store: Store) -> None:
    store(two_customers)

    assert run("merge", "2", "1", "--why", "they said so") == (
        0,
        "customer 2 is part of customer 1 now; to undo it: legato customer unmerge 1",
    )
    assert store(lambda tx: person_of(tx, 2)) == [1, 2]
    (row,) = store(lambda tx: merges_of(tx, [1]))
    assert (row.evidence, row.by) == ({"how": "operator", "why": "they said so"}, "operator")
    assert run("unmerge", "1") == (0, "customer 2 is a person of their own again, apart from customer 1")
    assert store(lambda tx: person_of(tx, 2)) == [2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("merge", "1", "9", "--why", "x"), "there is no customer 9"),
        (("merge", "1", "1", "--why", "x"), "that is one customer"),
        (("merge", "1", "2", "--why", "  "), "say why"),
        (("merge", "1", "2"), "--why"),
        (("unmerge", "7"), "there is no merge 7"),
        (("link", "9"), "there is no customer 9"),
        (("link", "x"), "as an integer"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(run: Run, store: Store, arguments: tuple[str, ...], words: str) -> None:
    store(two_customers)

    code, said = run(*arguments)

    assert code != 0
    assert words in said
    assert "Traceback" not in said
    assert store(lambda tx: merges_of(tx, [1, 2])) == []


def test_a_code_for_a_customer_is_good_once_elsewhere(run: Run, store: Store) -> None:
    known = store(two_customers)

    code, said = run("link", "1")

    assert code == 0
    assert "no link" in said
    shown = re.search(r"code: (\S+) \(for 15 minutes\)", said)
    assert shown is not None
    written = find_code(shown[1])
    assert written is not None
    used = store(lambda tx: redeem(tx, written.code, known["43"].identity_id, at=SystemClock().now()))
    assert (used.outcome, used.customer_id, used.identity_id) == ("done", 1, None)


def test_proposals_are_listed_until_they_are_settled(run: Run, store: Store) -> None:
    assert run("proposals") == (0, "Nobody is proposed to be the same person.")

    def tell_both(tx: Tx) -> None:
        for one in two_customers(tx).values():
            ownership_of(tx, [one.customer_id])
            remember(tx, DECLARED, one.customer_id, Told("phone", "+442079460018", CUSTOMER), at=START)

    store(tell_both)
    code, said = run("proposals")
    assert code == 0
    assert "phone" in said
    assert "2026-01-05 09:00" in said
    assert "+44" not in said
    assert [one.customer_id for one in store(lambda tx: open_proposals(tx, [1]))] == [2]
    assert "May be the same person" in run("show", "1")[1]
    run("merge", "1", "2", "--why", "x")
    assert "May be the same person" not in run("show", "1")[1]
    assert run("proposals")[1] == "Nobody is proposed to be the same person."
    run("unmerge", "1")
    assert run("proposals")[1] == "Nobody is proposed to be the same person."
