"""A customer as an operator sees them: found, shown, searched, and set right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from memory.clock import ManualClock
from memory.customers import Known
from memory.database import Database, Tx
from memory.declared import Declarations, Declared
from memory.exchanges import exchange_row, log
from memory.facts import Standing, Told, remember
from memory.forget import forget
from memory.known import refresh_known
from memory.portrait import LAST_EXCHANGES, NotCorrected, NotFound, correct, find_customers, find_one, look_for, portrait
from memory.values import Type
from tests.memory.people import START, after, meet
from tests.memory.test_forget import merged

DECLARED = Declarations(facts={"email": Declared("email", Type.EMAIL, identifies=True), "city": Declared("city")})


async def told(database: Database, who: Known, name: str, value: str) -> None:
    def run(tx: Tx) -> None:
        remember(tx, DECLARED, who.customer_id, Told(name, value, "customer"), at=START)
        refresh_known(tx, [who.customer_id])

    await database.write(run)


def words(who: Known, n: int, text: str) -> dict[str, Any]:
    return exchange_row(
        id=n * 256,
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        turn_id=n,
        direction="in",
        author="customer",
        kind="text",
        text=text,
        at=START + timedelta(minutes=n),
    )


async def found(database: Database, wanted: str) -> list[int]:
    return await database.read(lambda tx: find_customers(tx, DECLARED, wanted, at=START))


async def test_a_customer_is_found_by_number_address_and_what_identifies_them(database: Database) -> None:
    cora, dana = await meet(database, "42", name="Cora"), await meet(database, "43")
    await told(database, cora, "email", "cora@example.org")
    await told(database, dana, "city", "York")

    for wanted in (str(cora.customer_id), "telegram:42", "Cora@Example.org", " cora@example.org "):
        assert await found(database, wanted) == [cora.customer_id]
    for wanted in ("999", "telegram:44", "York", "dana@example.org", ""):
        assert await found(database, wanted) == []


async def test_whoever_is_named_the_person_is_found(database: Database) -> None:
    cora, dana = await meet(database, "42"), await meet(database, "43")
    await merged(database, cora.customer_id, dana.customer_id)

    for wanted in (str(dana.customer_id), "telegram:43"):
        assert await found(database, wanted) == [cora.customer_id]


async def test_of_several_who_fit_one_has_to_be_named(database: Database) -> None:
    both = [await meet(database, address) for address in ("42", "43")]
    for one in both:
        await told(database, one, "email", "shared@example.org")

    with pytest.raises(NotFound, match=f"several customers are known by that: {both[0].customer_id}, {both[1].customer_id}"):
        await database.read(lambda tx: find_one(tx, DECLARED, "shared@example.org", at=START))
    with pytest.raises(NotFound, match="nobody is known by that"):
        await database.read(lambda tx: find_one(tx, DECLARED, "secret@example.org", at=START))


async def test_a_portrait_has_the_whole_person_and_the_last_words(database: Database) -> None:
    cora, dana = await meet(database, "42", name="Cora"), await meet(database, "43", name="Dana")
    await told(database, dana, "city", "York")
    await merged(database, cora.customer_id, dana.customer_id)
    await database.write(lambda tx: log(tx, [words((cora, dana)[n % 2], n, f"word {n}") for n in range(1, 60)]))

    seen = await database.read(lambda tx: portrait(tx, dana.customer_id, now=after(9)))

    assert seen is not None
    assert seen.customers == (cora.customer_id, dana.customer_id)
    assert {row.address for row in seen.identities} == {"42", "43"}
    assert [row.value for row in seen.facts] == ["York"]
    assert [row.text for row in seen.exchanges] == [f"word {n}" for n in range(60 - LAST_EXCHANGES, 60)]
    assert seen.count == 59
    assert await database.read(lambda tx: portrait(tx, 999, now=START)) is None


async def test_the_whole_past_is_searched_by_words(database: Database) -> None:
    cora, dana = await meet(database, "42"), await meet(database, "43")
    said = ["my card was stolen in Lisbon", "thank you", "the mortgage rate is too high", "hello"]
    await database.write(lambda tx: log(tx, [words(cora, n, text) for n, text in enumerate(said, start=1)]))
    await database.write(lambda tx: log(tx, [words(dana, 50, "my mortgage in Lisbon")]))

    hits = await database.read(lambda tx: look_for(tx, cora.customer_id, "mortgage rate", now=after(9)))

    assert hits[0][0].text == "the mortgage rate is too high"
    assert hits[0][1]
    assert all(row.customer_id == cora.customer_id for row, _ in hits)
    assert await database.read(lambda tx: look_for(tx, cora.customer_id, "zebra", now=after(9))) == []


async def test_a_correction_stands_in_the_agents_name_for_the_whole_person(database: Database) -> None:
    cora, dana = await meet(database, "42"), await meet(database, "43")
    await told(database, dana, "city", "York")
    await merged(database, cora.customer_id, dana.customer_id)

    standing = await database.write(lambda tx: correct(tx, DECLARED, dana.customer_id, "city", "Leeds", by="Bea", at=after(9)))

    assert standing is Standing.CURRENT
    seen = await database.read(lambda tx: portrait(tx, cora.customer_id, now=after(10)))
    assert seen is not None
    assert seen.context is not None
    fact = seen.context.facts["city"]
    assert (fact.value, fact.source, fact.by) == ("Leeds", "agent", "Bea")
    assert [(row.value, row.standing) for row in seen.facts] == [("York", "retracted"), ("Leeds", "current")]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("height", "2 m", "`height` is no fact that memory.yml declares; there are city, email"),
        ("email", "none", "expected an e-mail address"),
    ],
)
async def test_what_cannot_be_corrected_is_named(database: Database, name: str, value: str, why: str) -> None:
    cora = await meet(database)

    with pytest.raises(NotCorrected, match=why):
        await database.write(lambda tx: correct(tx, DECLARED, cora.customer_id, name, value, by="Bea", at=START))


async def test_of_somebody_forgotten_nothing_is_shown_or_corrected(database: Database, clock: ManualClock) -> None:
    cora = await meet(database, "42", name="Cora")
    await told(database, cora, "city", "York")
    await forget(database, clock, cora.customer_id, asked_by="test")

    seen = await database.read(lambda tx: portrait(tx, cora.customer_id, now=START))
    assert seen is not None
    assert (seen.forgotten_at is not None, seen.context, seen.facts, seen.count) == (True, None, (), 0)
    for number in (cora.customer_id, 999):
        with pytest.raises(NotCorrected, match="or they are forgotten"):
            await database.write(lambda tx, number=number: correct(tx, DECLARED, number, "city", "Bath", by="Bea", at=START))  # type: ignore[misc]
