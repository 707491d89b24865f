"""Each invariant is broken by hand and named; a store in which nothing is broken is called sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from memory.clock import ManualClock
from memory.customers import Customer, Identity, Known
from memory.database import Database, Tx, table
from memory.doctor import CHECKS, SHOWN, examine
from memory.erasure import ask_to_forget
from memory.exchanges import Exchange, exchange_row, log
from memory.forget import forget
from memory.handoffs import open_handoff
from memory.inbox import inbox_row, inbox_table, keep
from memory.known import known_table
from memory.lanes import Lane
from memory.outbox import outbox_row, outbox_table, put_out
from memory.schema import METADATA
from memory.turns import keep_turns, turn_table
from tests.memory.people import START, after, meet, tell
from tests.memory.test_forget import merged, out

_customer, _identity, _exchange, _lane = table(Customer), table(Identity), table(Exchange), table(Lane)
_blob, _use, _block = (METADATA.tables[name] for name in ("blob", "blob_use", "search_block"))

LATER = after(3 * 86_400)


async def lived(database: Database) -> tuple[Known, Known]:
    """Two people with a little of everything, as the ledger leaves it."""
    cora, dana = await meet(database, "42", name="Cora"), await meet(database, "43", name="Dana")

    def begin(tx: Tx) -> None:
        for n, who in enumerate((cora, dana), start=1):
            one: dict[str, Any] = {
                "channel": "telegram",
                "customer_id": who.customer_id,
                "identity_id": who.identity_id,
                "received_at": START,
            }
            keep(tx, [inbox_row(update_id=str(n), incoming={"text": "hi"}, **one)])
            turn(tx, who, n)
            tx.execute(sa.update(inbox_table).where(inbox_table.c.id == n).values(turn_id=n, incoming=None))
            tell(tx, who.customer_id, "city", f"Town {n}", at=START)
            put_out(tx, [out(who, f"{n}.0", {"kind": "text", "text": "hello"}, address=str(41 + n))])
        tx.execute(sa.delete(_lane).where(_lane.c.kind == "turn"))
        open_handoff(tx, 1, cora.customer_id, cora.identity_id, reason="asked", packet={"version": 1}, at=START)

    await database.write(begin)
    return cora, dana


def turn(tx: Tx, who: Known, n: int) -> None:
    when = {"started_at": START, "finished_at": START}
    keep_turns(tx, [{"id": n, "customer_id": who.customer_id, "lane": "turn", "decision": "greet", "trace": {}} | when])
    row = exchange_row(
        id=n * 256,
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        turn_id=n,
        direction="in",
        author="customer",
        kind="text",
        text="hi",
        at=START,
    )
    log(tx, [row])


async def breaches(database: Database) -> dict[str, list[str]]:
    return {one.name: [f"{b.table} {b.id} {b.what}" for b in one.breaches] for one in await examine(database, now=LATER) if not one.is_fine}


async def test_a_sound_store_has_no_breach(database: Database, clock: ManualClock) -> None:
    cora, dana = await lived(database)
    assert await breaches(database) == {}

    third = await meet(database, "44")
    await merged(database, dana.customer_id, third.customer_id)
    assert await breaches(database) == {}

    await forget(database, clock, third.customer_id, asked_by="test")
    assert cora.customer_id
    assert await breaches(database) == {}


def sql(statement: str) -> Callable[[Tx], Any]:
    return lambda tx: tx.execute(sa.text(statement))


def insert(of: sa.Table, **values: Any) -> Callable[[Tx], Any]:
    return lambda tx: tx.execute(sa.insert(of).values(**values))


def twice(tx: Tx) -> None:
    tx.execute(sa.text("DROP INDEX fact_current"))
    facts = METADATA.tables["fact"]
    row = dict(tx.execute(sa.select(facts).where(facts.c.id == 1)).one()._mapping)
    tx.execute(sa.insert(facts).values({**row, "id": None} if tx.dialect.name == "sqlite" else {k: v for k, v in row.items() if k != "id"}))


def half_merged(tx: Tx) -> None:
    tx.execute(sa.update(_customer).where(_customer.c.id == 2).values(merged_into_id=1))
    tx.execute(sa.update(_identity).where(_identity.c.id == 2).values(customer_id=1))
    tx.execute(sa.delete(known_table).where(known_table.c.customer_id == 2))


def two_handoffs(tx: Tx) -> None:
    tx.execute(sa.update(_customer).where(_customer.c.id == 2).values(merged_into_id=1))
    open_handoff(tx, 2, 2, 2, reason="asked", packet={"version": 1}, at=START)


def uncertain(tx: Tx) -> None:
    tx.execute(sa.update(outbox_table).where(outbox_table.c.id == 1).values(state="uncertain", done_at=START))


def forgotten_with_words(tx: Tx) -> None:
    tx.execute(sa.update(_customer).where(_customer.c.id == 2).values(forgotten_at=START))


NOW = {"kind": "turn", "ready_at": START, "lease": 0, "tries": 0}

BROKEN: list[tuple[str, str, Callable[[Tx], Any]]] = [
    (
        "what recall reads is what the tables say",
        "known 1 differs from its sources: facts",
        sql("UPDATE fact SET source = 'agent' WHERE id = 1"),
    ),
    ("what recall reads is what the tables say", "known 1 is missing", sql("DELETE FROM known WHERE customer_id = 1")),
    ("one current fact a name", "customer 1 has several current values of `city`", twice),
    ("facts stand in a way that is known", "fact 1 stands as `guessed`", sql("UPDATE fact SET standing = 'guessed' WHERE id = 1")),
    ("every waiting incoming has a lane", "inbox 1 waits", sql("UPDATE inbox SET turn_id = NULL WHERE id = 1")),
    ("every waiting outgoing has a lane", "outbox 1 waits on telegram", sql("DELETE FROM lane WHERE kind = 'telegram' AND key = '42'")),
    (
        "every outgoing that is being sent has a lane",
        "outbox 2 is being sent on telegram by nobody",
        lambda tx: (sql("DELETE FROM lane WHERE key = '43'")(tx), sql("UPDATE outbox SET state = 'sending' WHERE id = 2")(tx)),
    ),
    ("every lane of turns has something waiting", "lane 1 nothing waits for customer 1", insert(_lane, key="1", **NOW)),
    ("every finished incoming has its turn", "inbox 1 was dealt with by turn 77", sql("UPDATE inbox SET turn_id = 77 WHERE id = 1")),
    (
        "every exchange has its turn",
        "exchange 256 belongs to turn 1, which is not there",
        lambda tx: tx.execute(sa.delete(turn_table).where(turn_table.c.id == 1)),
    ),
    ("an exchange's number is its turn's", "exchange 256 is not of turn 2", sql("UPDATE exchange SET turn_id = 2 WHERE id = 256")),
    (
        "every identity belongs to a person, and to the one whom its home was merged into",
        "identity 2 belongs to customer 1",
        sql("UPDATE identity SET customer_id = 1 WHERE id = 2"),
    ),
    (
        "who is merged is merged into somebody who is not",
        "customer 1 is merged into 9",
        sql("UPDATE customer SET merged_into_id = 9 WHERE id = 1"),
    ),
    ("`members` say who is merged into somebody", "customer 1 `members` are not those", half_merged),
    ("one open handoff a person", "handoff 2 person 1 has several", two_handoffs),
    ("an open handoff is its customer's latest", "handoff 1 is open", sql("UPDATE customer SET handoff_id = NULL WHERE id = 1")),
    ("what is uncertain is settled within a day", "outbox 1 may or may not have arrived", uncertain),
    ("erasures come to their end", "is still at `asked`", lambda tx: ask_to_forget(tx, 1, asked_by="test", at=START)),
    (
        "search indexes belong to somebody",
        "search_block 1 customer 1 is not there",
        insert(_block, customer_id=1, block=0, docs=b"", terms=b"", counts=b""),
    ),
    ("every kept file is used", "blob abc is used by nothing", insert(_blob, sha256="abc", size=1, content=b"x", at=START)),
    (
        "every file that an exchange names is kept",
        "blob_use 256 of exchange 256 names a file that is not there",
        insert(_use, exchange_id=256, n=0, customer_id=1, sha256="gone", at=START),
    ),
    ("nothing is left of who is forgotten", "exchange of customer 2 1 of a customer who is forgotten", forgotten_with_words),
]


@pytest.mark.parametrize(("name", "words", "break_it"), BROKEN, ids=[f"{name[:40]}-{n}" for n, (name, _, _) in enumerate(BROKEN)])
async def test_what_is_broken_is_named(database: Database, name: str, words: str, break_it: Callable[[Tx], Any]) -> None:
    await lived(database)
    await database.write(break_it)

    found = await breaches(database)

    assert any(words in one for one in found.get(name, [])), found


def test_every_check_is_broken_somewhere_above() -> None:
    assert {name for name, _, _ in BROKEN} == {check.name for check in CHECKS}


async def test_many_breaches_are_counted_and_the_first_are_named(database: Database) -> None:
    cora, _ = await lived(database)
    rows = [
        outbox_row(key=f"x{n}", lane="telegram", address=f"a{n}", outgoing={"text": "x"}, at=START, customer_id=cora.customer_id)
        for n in range(50)
    ]
    await database.write(lambda tx: put_out(tx, rows))
    await database.write(sql("DELETE FROM lane WHERE kind = 'telegram'"))

    [found] = [one for one in await examine(database, now=LATER) if not one.is_fine]

    assert found.name == "every waiting outgoing has a lane"
    assert (found.count, len(found.breaches)) == (52, SHOWN)
