"""Proposals: the same identifying value proposes, never merges, and not again what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from memory.clock import ManualClock
from memory.customers import Known, ownership_of, person_of
from memory.database import Database, Tx
from memory.declared import Declarations, Declared, Retention
from memory.facts import CUSTOMER, Told, remember, retract
from memory.forget import forget
from memory.merges import merge, unmerge
from memory.portrait import find_customers
from memory.proposals import (
    MOST_MATCHES,
    REFUSED,
    Maybe,
    all_proposals,
    digest_of,
    handle_table,
    open_proposals,
    proposal_table,
    settle_proposals,
)
from memory.retention import step
from memory.values import Type
from tests.memory.people import START, after, meet

DECLARED = Declarations(
    facts={
        "phone": Declared("phone", Type.PHONE, identifies=True),
        "email": Declared("email", Type.EMAIL, identifies=True),
        "city": Declared("city"),
    }
)
PHONE = "+442079460018"


def says(tx: Tx, who: Known, name: str, value: str, *, confidence: float = 1.0, at: datetime = START) -> None:
    ownership_of(tx, [who.customer_id])
    remember(tx, DECLARED, who.customer_id, Told(name, value, CUSTOMER, confidence), at=at, person=person_of(tx, who.customer_id))


async def tells(database: Database, who: Known, name: str = "phone", value: str = PHONE, **rest: float) -> None:
    await database.write(lambda tx: says(tx, who, name, value, **rest))  # type: ignore[arg-type]


async def maybes(database: Database, who: Known) -> list[tuple[int, tuple[str, ...]]]:
    def read(tx: Tx) -> list[Maybe]:
        return open_proposals(tx, person_of(tx, who.customer_id))

    return [(one.customer_id, one.kinds) for one in await database.read(read)]


@pytest.fixture
async def dora(database: Database, cora: Known) -> Known:
    return await meet(database, "43")


async def test_the_same_number_proposes_both_to_each_other(database: Database, cora: Known, dora: Known) -> None:
    await tells(database, cora)
    assert await maybes(database, cora) == []
    await tells(database, dora)
    await tells(database, dora)

    assert await maybes(database, cora) == [(dora.customer_id, ("phone",))]
    assert await maybes(database, dora) == [(cora.customer_id, ("phone",))]
    assert await database.read(lambda tx: person_of(tx, dora.customer_id)) == [dora.customer_id]
    rows = await database.read(lambda tx: tx.execute(sa.select(proposal_table)).all())
    assert [(row.kind, row.evidence) for row in rows] == [("phone", {"fact": "phone", "told_before": 1})]


async def test_several_values_make_one_proposal_of_several_kinds(database: Database, cora: Known, dora: Known) -> None:
    for who in (cora, dora):
        await tells(database, who)
        await tells(database, who, "email", "Ann@example.org" if who is cora else "ann@example.org")

    assert await maybes(database, cora) == [(dora.customer_id, ("email", "phone"))]


async def test_what_does_not_identify_or_is_only_likely_proposes_nothing(database: Database, cora: Known, dora: Known) -> None:
    for who in (cora, dora):
        await tells(database, who, "city", "Bath")
        await tells(database, who, confidence=0.5)

    assert await maybes(database, cora) == []


async def test_values_are_kept_as_digests_that_need_the_key(database: Database, cora: Known) -> None:
    await tells(database, cora)

    (row,) = await database.read(lambda tx: tx.execute(sa.select(handle_table)).all())
    assert (row.kind, len(row.digest)) == ("phone", 64)
    assert PHONE not in row.digest
    assert row.digest not in (digest_of(b"", "phone", PHONE), digest_of(b"another key", "phone", PHONE))


async def test_a_number_that_was_given_up_or_never_was_theirs_proposes_nothing(database: Database, cora: Known, dora: Known) -> None:
    await tells(database, cora)
    await tells(database, cora, value="+442079460019")
    await tells(database, dora)
    assert await maybes(database, dora) == []

    third = await meet(database, "44")
    await database.write(lambda tx: retract(tx, 3, at=after(9)))
    await tells(database, third)
    assert await maybes(database, third) == []


async def test_a_number_that_many_share_identifies_nobody(database: Database, cora: Known) -> None:
    crowd = [cora, *[await meet(database, f"c{n}") for n in range(MOST_MATCHES + 1)]]
    for who in crowd:
        await tells(database, who)

    assert len(await maybes(database, crowd[-2])) == MOST_MATCHES
    assert await maybes(database, crowd[-1]) == []


async def test_what_was_refused_is_not_proposed_again_but_for_another_reason(database: Database, cora: Known, dora: Known) -> None:
    await tells(database, cora)
    await tells(database, dora)

    def refuse(tx: Tx) -> int:
        return settle_proposals(tx, [cora.customer_id], [dora.customer_id], REFUSED, by="desk:7", at=after(5))

    assert await database.write(refuse) == 1
    assert await database.write(refuse) == 0
    await tells(database, dora)
    assert await maybes(database, cora) == []
    for who in (cora, dora):
        await tells(database, who, "email", "ann@example.org")
    assert await maybes(database, cora) == [(dora.customer_id, ("email",))]


async def test_what_was_refused_of_one_is_refused_of_the_person(database: Database, cora: Known, dora: Known) -> None:
    eve = await meet(database, "44")
    for who in (cora, dora, eve):
        await tells(database, who)
    await database.write(lambda tx: settle_proposals(tx, [cora.customer_id], [eve.customer_id], REFUSED, by="x", at=START))
    merged = await database.write(lambda tx: merge(tx, cora.customer_id, dora.customer_id, evidence={}, by="x", at=after(5)))

    assert await maybes(database, cora) == []
    assert await maybes(database, eve) == []
    await database.write(lambda tx: unmerge(tx, merged.id, by="x", at=after(9)))
    assert await maybes(database, dora) == [(eve.customer_id, ("phone",))]


async def test_a_merge_settles_what_was_proposed_and_its_undoing_refuses_it(database: Database, cora: Known, dora: Known) -> None:
    for who in (cora, dora):
        await tells(database, who)
    assert await database.read(all_proposals) == [(cora.customer_id, dora.customer_id, "phone", START)]
    merged = await database.write(lambda tx: merge(tx, cora.customer_id, dora.customer_id, evidence={}, by="x", at=after(5)))
    assert await database.read(all_proposals) == []
    await database.write(lambda tx: unmerge(tx, merged.id, by="x", at=after(9)))
    await tells(database, dora)

    assert await database.read(all_proposals) == []


async def handles(database: Database) -> list[tuple[str, int]]:
    rows = sa.select(handle_table.c.kind, handle_table.c.customer_id).order_by(handle_table.c.customer_id, handle_table.c.kind)
    return [tuple(row) for row in await database.read(lambda tx: tx.execute(rows).all())]


async def test_a_digest_goes_with_who_is_forgotten(database: Database, clock: ManualClock, cora: Known, dora: Known) -> None:
    """Nobody is found by a number any more of whom nothing is kept."""
    for who in (cora, dora):
        await tells(database, who)
    assert (await forget(database, clock, cora.customer_id, asked_by="test")).is_done

    assert await handles(database) == [("phone", dora.customer_id)]
    assert await database.read(lambda tx: open_proposals(tx, [dora.customer_id])) == []


@pytest.mark.parametrize("do", ["mask", "remove"])
async def test_a_digest_goes_with_a_value_that_is_kept_no_longer(database: Database, cora: Known, dora: Known, do: Any) -> None:
    """What a customer has told again since keeps its digest, and so does everybody else's."""
    told = [
        ("phone", PHONE),
        ("email", "a@example.org"),
        ("phone", "+442079460019"),
        ("email", "b@example.org"),
        ("email", "a@example.org"),
    ]
    for n, (name, value) in enumerate(told):
        await database.write(lambda tx, name=name, value=value, n=n: says(tx, cora, name, value, at=after(n)))  # type: ignore[misc]
    await tells(database, dora)
    assert await handles(database) == [("email", 1), ("email", 1), ("phone", 1), ("phone", 1), ("phone", 2)]

    assert await database.write(lambda tx: step(tx, Retention("facts", 30, do), after(40 * 86400), 200)) == 3

    assert await handles(database) == [("email", 1), ("phone", 1), ("phone", 2)]

    async def found(value: str) -> list[int]:
        return await database.write(lambda tx: find_customers(tx, DECLARED, value, at=START))

    assert await found("+442079460019") == [cora.customer_id]
    assert await found("b@example.org") == []
    assert await found(PHONE) == [dora.customer_id]
