"""Which facts may be used now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from memory.consents import keep_consent
from memory.context import Context, recall
from memory.customers import Known
from memory.database import Database, Tx
from memory.declared import Declarations, Declared, Purpose
from memory.facts import CUSTOMER, Told, remember
from memory.known import refresh_known
from memory.usable import allowed, has_consent, needs_consent, usable
from tests.memory.people import START, meet

OFFERS = Purpose("offers", "Offers", "We may tell you.", "1", "required")
DECLARED = Declarations(
    facts={"interests": Declared("interests", purpose="offers"), "phone": Declared("phone", fresh_days=30), "name": Declared("name")},
    purposes={"offers": OFFERS},
)


async def known(database: Database, who: Known, *answers: bool) -> Context:
    """The customer, with a fact of each kind, after these answers about offers."""

    def fill(tx: Tx) -> Context:
        about: dict[str, Any] = {"version": "1", "text": "We may.", "channel": "telegram", "at": START}
        for n, granted in enumerate(answers):
            keep_consent(tx, who.customer_id, "offers", granted=granted, **about)
            if n == 0 and granted:
                remember(tx, DECLARED, who.customer_id, Told("interests", "loans", CUSTOMER), at=START)
        remember(tx, DECLARED, who.customer_id, Told("phone", "+44", CUSTOMER), at=START)
        remember(tx, DECLARED, who.customer_id, Told("name", "Ann", CUSTOMER), at=START)
        refresh_known(tx, [who.customer_id])
        return recall(tx, [who.identity_id])[who.identity_id]

    return await database.write(fill)


async def test_a_consent_that_is_taken_back_takes_its_facts_with_it(database: Database) -> None:
    agreed = await known(database, await meet(database), True)
    withdrawn = await known(database, await meet(database, "43"), True, False)

    assert usable(agreed, DECLARED, START).keys() == {"interests", "phone", "name"}
    assert usable(withdrawn, DECLARED, START).keys() == {"phone", "name"}
    assert withdrawn.facts["interests"].value == "loans"


async def test_what_nobody_has_said_for_too_long_has_to_be_asked_for(database: Database) -> None:
    context = await known(database, await meet(database))

    assert "phone" in usable(context, DECLARED, START + timedelta(days=30))
    assert "phone" not in usable(context, DECLARED, START + timedelta(days=31))
    assert "phone" in allowed(context, DECLARED)
    assert "name" in usable(context, DECLARED, datetime(2036, 1, 1, tzinfo=UTC))


async def test_what_nobody_declares_any_more_needs_a_consent(database: Database) -> None:
    context = await known(database, await meet(database), True)
    without = replace(DECLARED, purposes={})

    assert needs_consent(without, "raffles")
    assert not needs_consent(without, "service")
    assert has_consent(context, without, "offers")
    assert not has_consent(context, without, "raffles")
