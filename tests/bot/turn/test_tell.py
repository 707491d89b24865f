"""Writing to a customer who has not asked: through the ledger, once, and not against their word."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import sqlalchemy as sa

from bot.turn.contact import Not
from bot.turn.tell import Told, tell
from memory.clock import ManualClock
from memory.consents import keep_consent
from memory.customers import Known, Profile, find_or_make, ownership_of
from memory.database import Database, Record, Tx
from memory.declared import SERVICE
from memory.exchanges import exchanges_after
from memory.facts import CUSTOMER, remember
from memory.facts import Told as ToldFact
from memory.forget import forget
from memory.known import refresh_known
from memory.outbox import drop_purpose, outbox_table
from tests.bot.turn.gathered import DECLARED, OFFERS


async def met(database: Database, clock: ManualClock, *, agreed: bool = True, address: str = "42", **facts: Any) -> Known:
    def make(tx: Tx) -> Known:
        who = find_or_make(tx, "telegram", [Profile(address, "Cora")], at=clock.now())[address]
        ownership_of(tx, [who.customer_id])
        about = {"version": OFFERS.version, "text": OFFERS.text, "channel": "telegram", "at": clock.now()}
        keep_consent(tx, who.customer_id, "offers", granted=agreed, **about)  # type: ignore[arg-type]
        for name, value in facts.items():
            remember(tx, DECLARED, who.customer_id, ToldFact(name, value, CUSTOMER), at=clock.now())
        refresh_known(tx, [who.customer_id])
        return who

    return await database.write(make)


async def told(database: Database, clock: ManualClock, who: Known, text: str = "A new account & more", **more: Any) -> Told:
    now = clock.now()
    return await database.write(
        lambda tx: tell(tx, DECLARED, who.customer_id, text, "offers", now=now, zone=UTC, channels=("telegram",), **more)
    )


async def rows(database: Database) -> list[Record]:
    return await database.read(lambda tx: list(tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id))))


async def test_it_goes_through_the_ledger(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)

    done = await told(database, clock, who)

    (row,) = await rows(database)
    (logged,) = await database.read(lambda tx: exchanges_after(tx, who.customer_id))
    assert (row.purpose, row.ownership, row.exchange_id, row.outgoing["text"]) == ("offers", 0, logged.id, "A new account &amp; more")
    assert (logged.text, logged.author, logged.turn_id, logged.data) == (
        "A new account & more",
        "assistant",
        done.turn_id,
        {"purpose": "offers"},
    )


async def test_told_twice_under_one_key_it_is_put_out_once(database: Database, clock: ManualClock) -> None:
    who, other = await met(database, clock), await met(database, clock, address="43")

    assert not (await told(database, clock, who, key="spring")).again
    assert (await told(database, clock, who, key="spring")).again
    assert not (await told(database, clock, other, key="spring")).again
    assert len(await rows(database)) == 2


async def test_who_was_forgotten_is_not_written_to(database: Database, clock: ManualClock) -> None:
    """Not for a service either, which needs no consent: their address is masked, and what is said to it would be kept of them."""
    who = await met(database, clock)
    assert (await forget(database, clock, who.customer_id, asked_by="test")).is_done
    now = clock.now()

    done = await database.write(
        lambda tx: tell(tx, DECLARED, who.customer_id, "A new card", SERVICE, now=now, zone=UTC, channels=("telegram",))
    )

    assert done == Told(refused=Not("they were forgotten"))
    assert await rows(database) == []


async def test_without_consent_nothing_is_put_out(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock, agreed=False)

    done = await told(database, clock, who)

    assert done.refused is not None
    assert await rows(database) == []
    assert (await told(database, clock, Known(0, 999))).refused is not None


async def test_how_often_is_counted_over_what_went_out(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock, contact_frequency="weekly")
    await told(database, clock, who)
    clock.advance(timedelta(days=6).total_seconds())

    refused = (await told(database, clock, who)).refused
    assert refused is not None
    assert refused.until == clock.now() + timedelta(days=1)

    await database.write(lambda tx: drop_purpose(tx, [who.customer_id], "offers", at=clock.now()))
    assert (await told(database, clock, who)).refused is None


async def test_a_withdrawn_purpose_drops_what_waits_and_nothing_else(database: Database, clock: ManualClock) -> None:
    who, other = await met(database, clock), await met(database, clock, address="43")
    await told(database, clock, who)
    await told(database, clock, other)

    dropped = await database.write(lambda tx: drop_purpose(tx, [who.customer_id], "offers", at=clock.now()))

    assert dropped == 1
    assert [(row.customer_id, row.state) for row in await rows(database)] == [
        (who.customer_id, "dropped"),
        (other.customer_id, "waiting"),
    ]
    assert await database.write(lambda tx: drop_purpose(tx, [other.customer_id], "raffles", at=clock.now())) == 0
