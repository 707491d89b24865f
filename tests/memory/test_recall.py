"""recall(): what a turn is given, at a cost that does not grow with the history."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from memory.context import LAST_EXCHANGES, Context, recall
from memory.customers import Identity, Known, set_reachable
from memory.database import Database, Tx, table
from memory.dialogue import keep_dialogues
from memory.exchanges import exchange_row, log
from memory.handoffs import claim_handoff, end_handoff, get_handoff, open_handoff
from tests.memory.asked import asked
from tests.memory.people import START, after, meet, tell


async def context_of(database: Database, who: Known) -> Context:
    return (await database.read(lambda tx: recall(tx, [who.identity_id])))[who.identity_id]


async def say(database: Database, who: Known, *ids: int) -> None:
    rows = [
        exchange_row(
            id=id_,
            customer_id=who.customer_id,
            identity_id=who.identity_id,
            turn_id=id_,
            direction="in",
            author="customer",
            kind="text",
            text=f"message {id_}",
            at=after(id_),
        )
        for id_ in ids
    ]
    await database.write(lambda tx: log(tx, rows))


async def test_somebody_new_has_an_empty_context(database: Database, cora: Known) -> None:
    context = await context_of(database, cora)

    assert (context.channel, context.address, context.name, context.ownership) == ("telegram", "42", "Cora", 0)
    assert (context.dialogue, context.facts, context.exchanges) == ({}, {}, ())
    assert (context.handoff, context.last_episode, context.last_seen) == (None, None, None)
    assert not context.unreachable


async def test_the_last_exchanges_come_oldest_first(database: Database, cora: Known) -> None:
    await say(database, cora, *range(1, 31))

    context = await context_of(database, cora)
    assert [past.id for past in context.exchanges] == list(range(31 - LAST_EXCHANGES, 31))
    assert context.exchanges[-1].text == "message 30"
    assert context.last_seen == after(30)


async def test_exchanges_and_facts_belong_to_the_customer_over_all_channels(database: Database, cora: Known) -> None:
    row = {
        "customer_id": cora.customer_id,
        "home_id": cora.customer_id,
        "channel": "web",
        "address": "c",
        "proof": "seen",
        "created_at": START,
    }
    add = sa.insert(table(Identity)).values(row).returning(table(Identity).c.id)
    web = Known(await database.write(lambda tx: tx.execute(add).scalar_one()), cora.customer_id)
    await say(database, cora, 1)
    await say(database, web, 2)

    context = await context_of(database, web)
    assert [past.id for past in context.exchanges] == [1, 2]
    assert (context.channel, context.name) == ("web", None)


async def test_only_current_facts_are_recalled_and_what_was_told_is_the_name(database: Database, cora: Known) -> None:
    def learn(tx: Tx) -> None:
        for n, name in enumerate(("Cora", "Cornelia")):
            tell(tx, cora.customer_id, "name", name, at=after(n), exchange_id=n, confidence=0.9)

    await database.write(learn)

    context = await context_of(database, cora)
    assert context.name == "Cornelia"
    fact = context.facts["name"]
    assert (fact.source, fact.exchange_id, fact.confidence, fact.since) == ("customer", 1, 0.9, after(1))


async def test_dialogue_and_reachability_are_recalled(database: Database, cora: Known) -> None:
    for state in ({"asked": "x"}, {"unsure": 1}):
        row = {"identity_id": cora.identity_id, "state": state, "at": START}
        await database.write(lambda tx, row=row: keep_dialogues(tx, [row]))  # type: ignore[misc]
    await database.write(lambda tx: set_reachable(tx, cora.identity_id, since=START, why="blocked"))

    context = await context_of(database, cora)
    assert context.dialogue == {"unsure": 1}
    assert context.unreachable


async def test_an_open_handoff_is_recalled_and_an_ended_one_is_the_past(database: Database, cora: Known) -> None:
    await database.write(lambda tx: open_handoff(tx, 5, cora.customer_id, cora.identity_id, reason="asked", packet={}, at=START))
    row = await database.read(lambda tx: get_handoff(tx, 5))
    assert row is not None
    await database.write(lambda tx: claim_handoff(tx, row, owner="desk:1", name="Ann", at=after(1)))

    context = await context_of(database, cora)
    assert context.handoff is not None
    assert (context.handoff.id, context.handoff.state, context.handoff.owner_name, context.ownership) == (5, "owned", "Ann", 1)

    await database.write(lambda tx: end_handoff(tx, row, ending="returned", return_packet={"note": "sent"}, at=after(2)))
    context = await context_of(database, cora)
    assert context.handoff is None
    assert context.last_episode is not None
    assert (context.last_episode.ending, context.last_episode.return_packet) == ("returned", {"note": "sent"})


@pytest.mark.parametrize("people", [2, 65])
async def test_many_are_recalled_together_and_not_mixed_up(database: Database, people: int) -> None:
    known = [await meet(database, str(n)) for n in range(people)]
    for n, who in enumerate(known):
        await say(database, who, n + 1)

    contexts = await database.read(lambda tx: recall(tx, [who.identity_id for who in known]))
    assert [contexts[who.identity_id].exchanges[0].id for who in known] == list(range(1, people + 1))


async def test_nobody_is_recalled_of_nobody(database: Database) -> None:
    assert await database.read(lambda tx: recall(tx, [])) == {}
    assert await database.read(lambda tx: recall(tx, [12345])) == {}


async def test_the_number_of_statements_does_not_grow_with_the_history(database: Database, cora: Known) -> None:
    dora = await meet(database, "43")
    await say(database, cora, *range(1, 11))
    await say(database, dora, *range(11, 2011))

    counts = []
    for who in (cora, dora):
        with asked() as executed:
            await database.read(lambda tx, who=who: recall(tx, [who.identity_id]))  # type: ignore[misc]
        counts.append(len(executed))

    assert counts == ([2, 2] if database.is_sqlite else [1, 1])
