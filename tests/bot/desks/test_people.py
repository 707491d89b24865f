"""Who it is, from the topic: verify, merge, refuse; and deeds about customers who become one in that very moment."""

from __future__ import annotations

import asyncio

import pytest

from bot.desks.act import Acted
from bot.desks.people import number_in
from bot.turn.join import join_people, part_people
from memory.clock import Clock, ManualClock
from memory.context import recall
from memory.customers import get_identity, ownership_of, person_of
from memory.database import Database, Tx
from memory.declared import Declarations
from memory.exchanges import exchange_row, log
from memory.merges import merges_of
from memory.proofs import VERIFIED, proofs_of
from tests.bot.desks.cases import ANN, BOB, Case, open_case
from tests.memory.people import pause, someone_blocked


@pytest.fixture
async def case(database: Database, clock: Clock) -> Case:
    return await open_case(database, clock)


@pytest.fixture
async def other(database: Database, clock: Clock, case: Case) -> Case:
    return await open_case(database, clock, topic="78", address="43", customer_id=case.customer_id + 1)


async def person(case: Case) -> list[int]:
    return await case.database.read(lambda tx: person_of(tx, case.customer_id))


def join(tx: Tx, one: Case, two: Case) -> int:
    at = one.clock.now()
    return join_people(tx, one.customer_id, two.customer_id, how="operator", evidence={}, by="operator", declared=Declarations(), at=at).id


async def test_the_agent_who_holds_the_case_verifies_the_customer(case: Case) -> None:
    assert await case.says(ANN, "/verify passport seen") is Acted.DONE

    identity = await case.database.read(lambda tx: get_identity(tx, case.identity_id))
    assert identity is not None
    assert (identity.proof, identity.proven_at) == (VERIFIED, case.clock.now())
    (proof,) = await case.database.read(lambda tx: proofs_of(tx, [case.identity_id]))
    assert (proof.how, proof.by, proof.evidence) == ("agent", "desk:501", {"handoff": case.id, "name": "Ann Archer"})
    assert (await case.handoff()).owner == "desk:501"
    assert (await case.handoff()).packet["proof"] == VERIFIED
    assert "Verified: it is known who writes on telegram." in await case.posts()
    assert await case.told() == []


async def test_nobody_else_verifies_and_nobody_after_the_end(case: Case) -> None:
    await case.says(ANN, "/claim")
    await case.says(BOB, "/verify")
    await case.says(ANN, "/close")
    await case.says(ANN, "/verify")

    assert await case.database.read(lambda tx: proofs_of(tx, [case.identity_id])) == []
    posts = await case.posts()
    assert "Not sent: Ann Archer holds this case." in posts
    assert posts[-1].startswith("Not sent: this case is closed.")


async def test_a_merge_from_the_topic_is_the_agents(case: Case, other: Case) -> None:
    await case.says(ANN, f"/merge #{other.customer_id}")

    assert await person(other) == [case.customer_id, other.customer_id]
    (merge,) = await case.database.read(lambda tx: merges_of(tx, [case.customer_id]))
    assert (merge.by, merge.evidence["name"], merge.evidence["handoff"]) == ("desk:501", "Ann Archer", case.id)
    assert merge.evidence["joined"] == {"ended": other.id, "into": case.id}
    assert ((await other.handoff()).state, (await other.handoff()).ending) == ("ended", "joined")
    posts = await case.posts()
    assert any("They are also customer" in post and "whose case" in post for post in posts)
    assert any("This is the same person as customer" in post and "nobody has claimed" in post for post in posts)


@pytest.mark.parametrize("words", ["", "x", "12x", "-1"])
async def test_a_number_is_asked_for(case: Case, words: str) -> None:
    await case.says(ANN, f"/merge {words}")
    await case.says(ANN, f"/notsame {words}")

    posts = await case.posts()
    assert posts[0].startswith("Not merged: write /merge and the number")
    assert posts[1].startswith("Not noted: write /notsame and the number")


async def test_what_cannot_be_merged_is_told(case: Case) -> None:
    await case.says(ANN, f"/merge {case.customer_id}")
    await case.says(ANN, "/merge 999")
    await case.says(ANN, "/notsame 999")

    assert await case.posts() == [
        "Not merged: that is one customer.",
        "Not merged: there is no customer 999.",
        "Nothing is proposed about customer 999 here.",
    ]


async def test_a_repeated_merge_changes_nothing(case: Case, other: Case) -> None:
    update = case.incoming(ANN, text=f"/merge {other.customer_id}", message_id="m")

    assert await case.act(update) is Acted.DONE
    assert await case.act(update) is Acted.SEEN
    assert len(await case.database.read(lambda tx: merges_of(tx, [case.customer_id]))) == 1


async def test_words_go_to_where_the_customer_wrote_from_last(case: Case, other: Case, clock: ManualClock) -> None:
    await case.says(ANN, "Hello", message_id="first")
    await case.database.write(lambda tx: join(tx, case, other))

    def writes(tx: Tx) -> None:
        row = exchange_row(
            id=99_999,
            customer_id=other.customer_id,
            identity_id=other.identity_id,
            turn_id=390,
            direction="in",
            author="customer",
            kind="text",
            text="now here",
            at=clock.now(),
        )
        log(tx, [row])

    await case.database.write(writes)
    await case.says(ANN, "I see")
    await case.edits(ANN, "first", "Hello there")

    sent = [(row.address, row.outgoing["text"]) for row in await case.rows() if row.lane == "telegram"]
    assert sent == [("42", "<b>Ann</b>:\nHello"), ("43", "<b>Ann</b>:\nI see"), ("42", "<b>Ann</b>:\nHello there")]


async def test_the_return_packet_has_what_was_said_to_both(case: Case, other: Case, clock: ManualClock) -> None:
    await test_words_go_to_where_the_customer_wrote_from_last(case, other, clock)
    await case.says(ANN, "/return done")

    packet = (await case.handoff()).return_packet
    assert packet is not None
    assert packet["said"] == ["Hello there", "I see"]


async def test_parting_tells_the_topic_who_may_still_wait(case: Case, other: Case) -> None:
    merge_id = await case.database.write(lambda tx: join(tx, case, other))
    await case.database.write(lambda tx: part_people(tx, merge_id, by="operator", declared=Declarations(), at=case.clock.now()))

    (said,) = [post for post in await case.posts() if "person of their own again" in post]
    assert f"Customer {other.customer_id}" in said
    assert f"case № {other.id} had been joined" in said


async def test_a_deed_during_a_merge_counts_for_the_person(two_databases: tuple[Database, Database], clock: Clock) -> None:
    first, second = two_databases
    case = await open_case(first, clock)
    other = await open_case(first, clock, topic="78", address="43")
    late = Case(second, clock, other.casework, other.id, other.customer_id, other.identity_id, other.address, other.topic)
    await case.says(ANN, "/close")
    held, go_on = asyncio.Event(), asyncio.Event()

    def merging(tx: Tx) -> None:
        join(tx, case, other)
        held.set()
        pause(go_on.wait())

    merge = asyncio.create_task(first.write(merging))
    await held.wait()
    deed = asyncio.create_task(late.says(ANN, "Hello"))
    await someone_blocked(first)
    go_on.set()
    await merge
    assert await deed is Acted.DONE

    row = await late.handoff()
    assert (row.state, row.owner, row.customer_id) == ("owned", "desk:501", case.customer_id)
    numbers = await first.write(lambda tx: ownership_of(tx, [case.customer_id]))
    context = (await first.read(lambda tx: recall(tx, [other.identity_id])))[other.identity_id]
    assert context.ownership == numbers[case.customer_id]
    assert context.handoff is not None
    assert context.handoff.owner == "desk:501"


@pytest.fixture
async def two_databases(postgres_database_url: str):  # type: ignore[no-untyped-def]
    """The same PostgreSQL database as two processes see it."""
    first, second = Database(postgres_database_url), Database(postgres_database_url)
    yield first, second
    await first.close()
    await second.close()


@pytest.mark.parametrize(("words", "number"), [("12", 12), (" #12 ", 12), ("№ 12", 12), ("", None), ("twelve", None), ("9" * 30, None)])
def test_numbers_are_read_as_they_are_written(words: str, number: int | None) -> None:
    assert number_in(words) == number
