"""Recall past Core: the same as asking each table by itself, in whatever zone and schema, and within the rules of transactions."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from memory.context import LAST_EXCHANGES, Context, Episode, Past, look_at_address, look_at_person, recall, recall_person
from memory.customers import Customer, Identity, Known, Profile, find_or_make, pass_on, person_of, set_reachable
from memory.database import Database, Record, Tx, table
from memory.dialogue import dialogue_table, keep_dialogues
from memory.exchanges import Exchange, exchange_row, log
from memory.handoffs import end_handoff, get_handoff, handoff_table, open_handoff
from memory.known import known_table
from memory.merges import merge
from memory.quick import Quick
from memory.schema import migrate
from tests.memory.people import START, after, meet, tell

_customer, _identity, _exchange = table(Customer), table(Identity), table(Exchange)
WORDS = ("where is it", "“quoted”, \\back\\ and \x01 \u2028", "naïve 👩‍👩‍👧 ثلاثة", "", "a\nb\tc", "null", "{}")


def crowd(tx: Tx, seed: int) -> list[Known]:
    """Customers of all sorts: with nothing, with much, with handoffs and in all states, some of them one person."""
    rng = random.Random(seed)
    known = [
        find_or_make(tx, "telegram", [Profile(str(n), rng.choice(WORDS) or None, rng.choice((None, "u"))) for n in [n]], at=START)[str(n)]
        for n in range(24)
    ]
    ids = iter(range(1, 10_000))
    for who in known:
        for _ in range(rng.choice((0, 1, 5, LAST_EXCHANGES, 30))):
            log(tx, [said(rng, who, next(ids))])
        for name in rng.sample(("name", "city", "street"), rng.randrange(3)):
            tell(tx, who.customer_id, name, rng.choice(WORDS) or "x", at=after(rng.random()))
        if rng.random() < 0.5:
            keep_dialogues(tx, [{"identity_id": who.identity_id, "state": {"asked": rng.choice(WORDS), "n": [1, None]}, "at": START}])
        if rng.random() < 0.3:
            set_reachable(tx, who.identity_id, since=after(1.5), why="blocked")
        for _ in range(rng.choice((0, 0, 1, 2))):
            handoff = next(ids)
            open_handoff(tx, handoff, who.customer_id, who.identity_id, reason="asked", packet={"want": "x"}, at=after(2.25))
            row = get_handoff(tx, handoff)
            assert row is not None
            end_handoff(tx, row, ending="closed", return_packet={"note": rng.choice(WORDS)}, at=after(3))
    for n in range(6):
        one, other = rng.sample(known, 2)
        if person_of(tx, one.customer_id)[0] != person_of(tx, other.customer_id)[0]:
            merge(tx, one.customer_id, other.customer_id, evidence={"n": n}, by="test", at=after(10))
    return known


def said(rng: random.Random, who: Known, n: int) -> dict[str, Any]:
    incoming = rng.random() < 0.5
    return exchange_row(
        id=n,
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        turn_id=n,
        direction="in" if incoming else "out",
        author="customer" if incoming else "assistant",
        author_name=rng.choice((None, *WORDS)),
        kind=rng.choice(("text", "photo")),
        text=rng.choice(WORDS),
        reply=None if incoming else "utter_x",
        at=START + timedelta(microseconds=rng.choice((0, 1, 500_000, 120_000, 3_600_000_007))),
    )


def plainly(tx: Tx, identity_id: int) -> Context:
    """The context, put together from one plain look into each table."""

    def one(of: sa.Table, column: str, value: Any) -> Record | None:
        return tx.execute(sa.select(of).where(of.c[column] == value)).first()

    identity = one(_identity, "id", identity_id)
    assert identity is not None
    customer = one(_customer, "id", identity.customer_id)
    assert customer is not None
    person = tuple(person_of(tx, customer.id))
    dialogue, known = one(dialogue_table, "identity_id", identity_id), one(known_table, "customer_id", customer.id)
    handoff = one(handoff_table, "id", customer.handoff_id)
    past = tx.execute(sa.select(_exchange).where(_exchange.c.customer_id.in_(person)).order_by(_exchange.c.id)).all()[-LAST_EXCHANGES:]
    return Context(
        customer_id=customer.id,
        home_id=identity.home_id,
        person=person,
        identity_id=identity_id,
        channel=identity.channel,
        address=identity.address,
        profile_name=identity.name,
        username=identity.username,
        language=identity.language,
        proof=identity.proof,
        proven_at=identity.proven_at,
        unreachable=identity.unreachable_since is not None,
        ownership=customer.ownership,
        dialogue=dialogue.state if dialogue is not None else {},
        known=known.content if known is not None else {},
        version=known.version if known is not None else 0,
        exchanges=tuple(Past(row.id, row.direction, row.author, row.author_name, row.kind, row.text, row.reply, row.at) for row in past),
        last_episode=None
        if handoff is None
        else Episode(
            handoff.id,
            handoff.state,
            handoff.reason,
            handoff.owner,
            handoff.owner_name,
            handoff.opened_at,
            handoff.ended_at,
            handoff.ending,
            handoff.return_packet,
        ),
    )


def ordered(context: Context) -> Context:
    """Who is a part of a person has no order of meaning, but for the first."""
    return replace(context, person=(context.person[0], *sorted(context.person[1:])))


async def agree(database: Database, known: list[Known]) -> None:
    """Every way to recall these gives what the tables hold."""
    wanted = {who.identity_id: ordered(await database.read(lambda tx, who=who: plainly(tx, who.identity_id))) for who in known}  # type: ignore[misc]
    ids = list(wanted)

    def all_ways(tx: Tx) -> list[dict[int, Context]]:
        begun = tx.execute(sa.text("SELECT 1")).scalar()
        return [recall(tx, ids), *(recall(tx, [id_]) for id_ in ids)] if begun else []

    alone = [await database.read(lambda tx: recall(tx, ids)), *await database.write(all_ways)]
    for found in alone:
        assert {id_: ordered(context) for id_, context in found.items()} == {id_: wanted[id_] for id_ in found}
    assert set(alone[0]) == set(alone[1]) == set(ids)
    for who in known:
        looked = await look_at_person(database, who.customer_id)
        assert looked == await database.read(lambda tx, who=who: recall_person(tx, who.customer_id))  # type: ignore[misc]
        assert [ordered(one) for one in looked] == [wanted[one.identity_id] for one in looked]
        assert who.identity_id in {one.identity_id for one in looked}
        found_there = await look_at_address(database, "telegram", wanted[who.identity_id].address)
        assert found_there is not None
        assert ordered(found_there) == wanted[who.identity_id]
    for context in alone[0].values():
        times = [past.at for past in context.exchanges] + [one.opened_at for one in [context.last_episode] if one is not None]
        assert all(at.tzinfo is UTC for at in times)


@pytest.mark.parametrize("seed", range(4))
async def test_it_gives_what_the_tables_hold(database: Database, seed: int) -> None:
    await agree(database, await database.write(lambda tx: crowd(tx, seed)))


@pytest.fixture
async def elsewhere(postgres_database_url: str) -> AsyncIterator[Database]:
    """Legato's tables in a schema of its own, on a server that writes times in another zone."""
    first = Database(postgres_database_url)
    name = first.url.database
    await first.outside(
        [
            "DROP SCHEMA public CASCADE",
            "CREATE SCHEMA support",
            f"ALTER DATABASE {name} SET search_path = support",
            f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'",
        ]
    )
    await first.close()
    database = Database(postgres_database_url)
    await database.write(migrate)
    yield database
    await database.close()


async def test_it_does_so_in_another_schema_and_zone(elsewhere: Database) -> None:
    await agree(elsewhere, await elsewhere.write(lambda tx: crowd(tx, 7)))


async def test_nobody_is_found_where_nobody_is(database: Database) -> None:
    assert await look_at_person(database, 4711) == []
    assert await look_at_address(database, "telegram", "4711") is None


async def test_in_a_transaction_it_sees_what_that_has_written_and_alone_it_does_not(database: Database) -> None:
    cora = await meet(database)

    def change(tx: Tx) -> int:
        pass_on(tx, cora.customer_id)
        return recall(tx, [cora.identity_id])[cora.identity_id].ownership

    assert await database.write(change) == 1

    class Undo(Exception):
        pass

    def undone(tx: Tx) -> None:
        assert change(tx) == 2
        raise Undo

    with pytest.raises(Undo):
        await database.write(undone)
    (alone,) = await look_at_person(database, cora.customer_id)
    assert alone.ownership == 1


async def test_a_read_keeps_its_snapshot_from_the_first_look_on(postgres_database_url: str) -> None:
    """Also where the first look is past Core, which is who begins a transaction."""
    database, other = Database(postgres_database_url), Database(postgres_database_url)
    cora = await meet(database)

    def twice(tx: Tx) -> tuple[int, int]:
        first = recall(tx, [cora.identity_id])[cora.identity_id]
        sa.util.await_only(other.write(lambda tx: pass_on(tx, cora.customer_id)))
        return first.ownership, tx.execute(sa.select(_customer.c.ownership).where(_customer.c.id == cora.customer_id)).scalar_one()

    try:
        assert await database.read(twice) == (0, 0)
        assert (await look_at_person(database, cora.customer_id))[0].ownership == 1
    finally:
        await database.close()
        await other.close()


async def test_a_connection_that_has_gone_is_replaced(postgres_database_url: str) -> None:
    database, other = Database(postgres_database_url, pool_size=1), Database(postgres_database_url)
    ask = Quick(sa.select(sa.func.pg_backend_pid().label("pid")))
    try:
        cora = await meet(database)
        (before,) = await database.ask(ask, {})
        await other.outside([f"SELECT pg_terminate_backend({before.pid}, 5000)"])

        (context,) = await look_at_person(database, cora.customer_id)

        assert context.identity_id == cora.identity_id
        (present,) = await database.ask(ask, {})
        assert present.pid != before.pid
    finally:
        await database.close()
        await other.close()


async def test_what_fails_is_told_as_elsewhere(postgres_database_url: str) -> None:
    database = Database(postgres_database_url)
    broken = Quick(sa.select(sa.literal_column("1/0").label("nothing")))

    def within(tx: Tx) -> None:
        tx.execute(sa.text("SELECT 1"))
        broken.rows(tx, {})

    try:
        for ask in (lambda: database.ask(broken, {}), lambda: database.read(within), lambda: database.write(within)):
            with pytest.raises(sa.exc.DBAPIError):
                await ask()
        assert await look_at_person(database, 1) == []
    finally:
        await database.close()
