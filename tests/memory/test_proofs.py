"""Proofs: a level rises, holds for a time, and falls back; what may be told depends on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from memory.customers import Known, get_identity
from memory.database import Database, Record
from memory.declared import Declarations, Declared
from memory.proofs import CONFIRMED, FRESH_FOR, SEEN, VERIFIED, level_now, may_tell, proofs_of, prove
from tests.memory.people import START, after

DAY = 86_400


async def proven(database: Database, who: Known, level: str, *, day: float, **rest: Any) -> Record:
    how = {"how": "agent", "evidence": {"handoff": 1}, "by": "desk:7"} | rest
    await database.write(lambda tx: prove(tx, who.identity_id, level, at=after(day * DAY), **how))
    identity = await database.read(lambda tx: get_identity(tx, who.identity_id))
    assert identity is not None
    return identity


async def test_the_channel_vouches_for_a_new_identity(database: Database, cora: Known) -> None:
    identity = await database.read(lambda tx: get_identity(tx, cora.identity_id))

    assert identity is not None
    assert (identity.proof, identity.proven_at) == (SEEN, None)
    assert level_now(identity.proof, identity.proven_at, START, FRESH_FOR) == SEEN


async def test_a_proof_raises_the_level_and_keeps_its_evidence(database: Database, cora: Known) -> None:
    identity = await proven(database, cora, CONFIRMED, day=0, how="code", evidence={"shown_on": 9}, by="customer")

    assert (identity.proof, identity.proven_at) == (CONFIRMED, START)
    rows = await database.read(lambda tx: proofs_of(tx, [cora.identity_id]))
    assert [(row.level, row.how, row.evidence, row.by) for row in rows] == [(CONFIRMED, "code", {"shown_on": 9}, "customer")]


async def test_a_lower_proof_does_not_lower_what_holds(database: Database, cora: Known) -> None:
    await proven(database, cora, VERIFIED, day=0)
    identity = await proven(database, cora, CONFIRMED, day=3)

    assert (identity.proof, identity.proven_at) == (VERIFIED, START)
    assert len(await database.read(lambda tx: proofs_of(tx, [cora.identity_id]))) == 2


async def test_a_lower_proof_replaces_a_higher_one_that_is_over(database: Database, cora: Known) -> None:
    await proven(database, cora, VERIFIED, day=0)
    identity = await proven(database, cora, CONFIRMED, day=31)

    assert (identity.proof, identity.proven_at) == (CONFIRMED, after(31 * DAY))


@pytest.mark.parametrize(
    ("proof", "days", "level"),
    [("claimed", 99, "claimed"), (SEEN, 99, SEEN), (CONFIRMED, 30, CONFIRMED), (CONFIRMED, 30.01, SEEN), (VERIFIED, 31, SEEN)],
)
def test_a_proof_holds_for_its_time(proof: str, days: float, level: str) -> None:
    assert level_now(proof, START, START + timedelta(days=days), timedelta(days=30)) == level


def test_confirmed_at_no_time_proves_nothing() -> None:
    assert level_now(CONFIRMED, None, START, FRESH_FOR) == SEEN


@pytest.mark.parametrize(
    ("level", "allowed"), [("claimed", False), (SEEN, False), (CONFIRMED, True), (VERIFIED, True), ("nonsense", False)]
)
def test_a_fact_is_told_from_its_level_on(level: str, allowed: bool) -> None:
    declared = Declarations(facts={"balance": Declared("balance", proof=CONFIRMED)})

    assert may_tell("balance", declared, level) is allowed
