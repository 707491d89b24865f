"""Merging and un-merging: two customers become one person, and are afterwards what they would be if they had never been one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.consents import is_granted, keep_consent
from memory.context import Context, recall
from memory.customers import Customer, Identity, Known, Profile, find_or_make, get_identity, ownership_of, person_of
from memory.database import Database, Record, Tx, table
from memory.declared import Declarations
from memory.dialogue import keep_dialogues
from memory.errors import MergeRefused
from memory.exchanges import exchange_row, log
from memory.experiences import experience_row, keep_experiences
from memory.facts import Told, fact_history, remember
from memory.handoffs import claim_handoff, end_handoff, get_handoff, open_handoff, open_handoff_of
from memory.inbox import TURN, finish, first_waiting, inbox_row, inbox_table, keep
from memory.journeys import journey_history, move_journey
from memory.known import gather, known_table, refresh_known
from memory.lanes import claim_lanes, leave_lanes, next_ready, still_held
from memory.links import confirm_by, make_code, redeem
from memory.merges import JOINED, STALE, Merged, merge, merges_of, rehome_waiting, unmerge
from memory.outbox import first_open, mark_done, mark_sending, outbox_row, outbox_table, put_out
from memory.promises import make_promise
from memory.proofs import CONFIRMED, SEEN
from memory.schema import METADATA
from tests.memory.people import START, after, meet, pause, someone_blocked, tell

_customer, _identity = table(Customer), table(Identity)


async def joined(database: Database, one: Known, other: Known, *, at: float = 100) -> Merged:
    return await database.write(
        lambda tx: merge(tx, one.customer_id, other.customer_id, evidence={"why": "test"}, by="desk:7", at=after(at))
    )


async def parted(database: Database, merge_id: int, *, at: float = 200) -> None:
    await database.write(lambda tx: unmerge(tx, merge_id, by="desk:7", at=after(at)))


async def context_of(database: Database, who: Known) -> Context:
    return (await database.read(lambda tx: recall(tx, [who.identity_id])))[who.identity_id]


def open_for(tx: Tx, who: Known, id_: int, *, owner: str | None = None) -> None:
    person = person_of(tx, who.customer_id)[0]
    open_handoff(tx, id_, person, who.identity_id, reason="asked", packet={"want": f"want {id_}"}, at=START)
    if owner is not None:
        row = get_handoff(tx, id_)
        assert row is not None
        claim_handoff(tx, row, owner=owner, name=owner, at=START)


def open_both(tx: Tx, which: dict[int, tuple[Known, str | None]]) -> None:
    for id_, (who, owner) in which.items():
        open_for(tx, who, id_, owner=owner)


async def handoff_row(database: Database, id_: int) -> Record:
    row = await database.read(lambda tx: get_handoff(tx, id_))
    assert row is not None
    return row


def waits(tx: Tx, who: Known, update: str, *, at: datetime = START) -> None:
    identity = get_identity(tx, who.identity_id)
    assert identity is not None
    row = inbox_row(
        channel="telegram",
        update_id=update,
        customer_id=identity.customer_id,
        identity_id=who.identity_id,
        incoming={"text": update},
        received_at=at,
    )
    keep(tx, [row])


def says(tx: Tx, who: Known, key: str, *, fenced: bool = True) -> None:
    """Put out words of the assistant to a customer, under the number that holds now."""
    identity = get_identity(tx, who.identity_id)
    assert identity is not None
    number = ownership_of(tx, [identity.customer_id])[identity.customer_id]
    row = outbox_row(
        key=key,
        lane="telegram",
        address=identity.address,
        outgoing={"text": key},
        at=START,
        customer_id=identity.customer_id,
        identity_id=who.identity_id,
        ownership=number if fenced else None,
    )
    put_out(tx, [row])


def would_be_dropped(tx: Tx) -> dict[str, bool]:
    """Of everything that waits to be sent, whether the conversation has changed hands, by key."""
    rows = tx.execute(sa.select(outbox_table.c.key, outbox_table.c.customer_id, outbox_table.c.ownership)).all()
    numbers = ownership_of(tx, {row.customer_id for row in rows})
    return {row.key: row.ownership is not None and row.ownership != numbers[row.customer_id] for row in rows}


@pytest.fixture
async def dora(database: Database, cora: Known) -> Known:
    """Another customer, younger than Cora."""
    return await meet(database, "43", name="Dora")


# -- what a merge makes -----------------------------------------------------------------------------------------------


async def test_the_older_customer_is_the_person_and_both_identities_are_theirs(database: Database, cora: Known, dora: Known) -> None:
    merged = await joined(database, dora, cora)

    assert (merged.customer_id, merged.merged_id) == (cora.customer_id, dora.customer_id)
    for who in (cora, dora):
        context = await context_of(database, who)
        assert (context.customer_id, context.home_id) == (cora.customer_id, who.customer_id)
        assert context.person == (cora.customer_id, dora.customer_id)
    row = (await database.read(lambda tx: tx.execute(sa.select(_customer).where(_customer.c.id == dora.customer_id)))).one()
    assert (row.merged_into_id, row.merged_at) == (cora.customer_id, after(100))


async def test_the_person_knows_what_both_told(database: Database, cora: Known, dora: Known) -> None:
    await database.write(lambda tx: tell(tx, cora.customer_id, "phone", "+441", at=after(1)))
    await database.write(lambda tx: tell(tx, dora.customer_id, "phone", "+442", at=after(2)))
    await database.write(lambda tx: tell(tx, dora.customer_id, "city", "Bath", at=after(3)))
    await joined(database, cora, dora)

    context = await context_of(database, cora)
    assert {name: fact.value for name, fact in context.facts.items()} == {"phone": "+442", "city": "Bath"}
    assert context.facts["phone"].contested == ()
    rows = await database.read(lambda tx: tx.execute(sa.select(known_table.c.customer_id)).scalars().all())
    assert rows == [cora.customer_id]


async def test_what_was_said_last_counts_even_if_it_was_only_said_again(database: Database, cora: Known, dora: Known) -> None:
    await joined(database, cora, dora)
    for who, city, at in ((cora, "Bath", 101), (dora, "York", 102), (cora, "Bath", 103)):
        await database.write(lambda tx, who=who, city=city, at=at: tell(tx, who.customer_id, "city", city, at=after(at)))  # type: ignore[misc]

    fact = (await context_of(database, dora)).facts["city"]
    assert (fact.value, fact.contested) == ("Bath", ())


async def test_what_was_only_likely_is_over_when_the_person_says_otherwise(database: Database, cora: Known, dora: Known) -> None:
    await joined(database, cora, dora)
    await database.write(lambda tx: tell(tx, cora.customer_id, "city", "Bath", at=after(101), confidence=0.5))
    assert [one.value for one in (await context_of(database, dora)).proposed] == ["Bath"]
    await database.write(lambda tx: tell(tx, dora.customer_id, "city", "York", at=after(102)))

    assert (await context_of(database, cora)).proposed == ()


async def test_what_a_person_said_stands_above_what_a_system_sent_later(database: Database, cora: Known, dora: Known) -> None:
    await database.write(lambda tx: tell(tx, cora.customer_id, "city", "Bath", at=after(1)))
    await database.write(lambda tx: tell(tx, dora.customer_id, "city", "York", at=after(2), source="system"))
    await joined(database, cora, dora)

    city = (await context_of(database, dora)).facts["city"]
    assert (city.value, [one.value for one in city.contested]) == ("Bath", ["York"])


async def test_the_last_word_about_a_consent_counts_for_the_person(database: Database, cora: Known, dora: Known) -> None:
    def agree(tx: Tx, who: Known, granted: bool, at: float) -> None:
        keep_consent(tx, who.customer_id, "offers", granted=granted, version="1", text="?", channel="telegram", at=after(at))
        refresh_known(tx, [who.customer_id])

    await database.write(lambda tx: agree(tx, cora, True, 1))
    merged = await joined(database, cora, dora)
    assert await database.read(lambda tx: is_granted(tx, person_of(tx, dora.customer_id), "offers")) is not None
    await database.write(lambda tx: agree(tx, dora, False, 150))
    assert not (await context_of(database, cora)).consents["offers"].granted
    await parted(database, merged.id)

    assert (await context_of(database, cora)).consents["offers"].granted
    assert not (await context_of(database, dora)).consents["offers"].granted


async def test_bad_pairs_are_refused_in_words(database: Database, cora: Known, dora: Known) -> None:
    merged = await joined(database, cora, dora)
    gone = await meet(database, "44")
    await database.write(lambda tx: tx.execute(sa.update(_customer).where(_customer.c.id == gone.customer_id).values(forgotten_at=START)))

    for one, other, words in (
        (cora.customer_id, cora.customer_id, "one customer"),
        (cora.customer_id, dora.customer_id, "one person already"),
        (dora.customer_id, 999, "no customer 999"),
        (dora.customer_id, gone.customer_id, "forgotten"),
    ):
        with pytest.raises(MergeRefused, match=words):
            await database.write(lambda tx, a=one, b=other: merge(tx, a, b, evidence={}, by="x", at=START))  # type: ignore[misc]
    await parted(database, merged.id)
    for number, words in ((merged.id, "undone already"), (999, "no merge 999")):
        with pytest.raises(MergeRefused, match=words):
            await parted(database, number)


async def test_a_merge_says_why_and_stays_when_it_is_undone(database: Database, cora: Known, dora: Known) -> None:
    merged = await joined(database, cora, dora)
    await parted(database, merged.id)

    (row,) = await database.read(lambda tx: merges_of(tx, [dora.customer_id]))
    assert (row.evidence, row.by, row.at, row.undone_at, row.undone_by) == ({"why": "test"}, "desk:7", after(100), after(200), "desk:7")


# -- what is under way ------------------------------------------------------------------------------------------------


async def test_what_waits_is_answered_in_order_in_the_persons_lane(database: Database, cora: Known, dora: Known) -> None:
    for who, update in ((dora, "1"), (cora, "2"), (dora, "3")):
        await database.write(lambda tx, who=who, update=update: waits(tx, who, update))  # type: ignore[misc]
    await joined(database, cora, dora)

    def next_(tx: Tx) -> tuple[list[str], list[str]]:
        lanes = claim_lanes(tx, TURN, worker="w", now=after(100), until=after(115), limit=9)
        keys = [int(lane.key) for lane in lanes]
        first = first_waiting(tx, keys)
        leave_lanes(tx, TURN, {str(key): after(100) if key in first else None for key in keys})
        finish(tx, {row.id: row.id for rows in first.values() for row in rows})
        return sorted(lane.key for lane in lanes), [row.update_id for rows in first.values() for row in rows]

    both = sorted([str(cora.customer_id), str(dora.customer_id)])
    assert await database.write(next_) == (both, ["1"])
    assert await database.write(next_) == ([str(cora.customer_id)], ["2"])
    assert await database.write(next_) == ([str(cora.customer_id)], ["3"])
    await database.write(next_)
    assert await database.read(lambda tx: next_ready(tx, TURN)) is None


async def test_a_turn_under_way_on_either_side_loses_its_ownership(database: Database, cora: Known, dora: Known) -> None:
    before = {who: (await context_of(database, who)).ownership for who in (cora, dora)}
    merged = await joined(database, cora, dora)
    numbers = await database.write(lambda tx: ownership_of(tx, [cora.customer_id, dora.customer_id]))
    assert all(numbers[who.customer_id] > before[who] for who in (cora, dora))

    await parted(database, merged.id)
    again = await database.write(lambda tx: ownership_of(tx, [cora.customer_id, dora.customer_id]))
    assert all(again[who.customer_id] > numbers[who.customer_id] for who in (cora, dora))


async def test_a_turn_that_held_its_lane_finds_it_empty_afterwards(database: Database, cora: Known, dora: Known) -> None:
    await database.write(lambda tx: waits(tx, dora, "1"))
    lanes = await database.write(lambda tx: claim_lanes(tx, TURN, worker="w", now=after(1), until=after(16), limit=9))
    await joined(database, cora, dora)

    assert await database.write(lambda tx: still_held(tx, lanes)) == {str(dora.customer_id)}
    assert await database.read(lambda tx: first_waiting(tx, [dora.customer_id])) == {}
    (row,) = (await database.read(lambda tx: first_waiting(tx, [cora.customer_id])))[cora.customer_id]
    assert (row.update_id, row.identity_id) == ("1", dora.identity_id)


async def test_what_waits_to_be_sent_is_sent_by_whoever_speaks_now(database: Database, cora: Known, dora: Known) -> None:
    def prepare(tx: Tx) -> None:
        says(tx, cora, "stale")
        open_for(tx, cora, 1, owner="desk:7")
        end_handoff(tx, open_handoff_of(tx, cora.customer_id), ending="closed", return_packet={}, at=START)  # type: ignore[arg-type]
        for key, who, fenced in (("c", cora, True), ("d", dora, True), ("ack", dora, False), ("unsure", dora, True)):
            says(tx, who, key, fenced=fenced)
        unsure = tx.execute(sa.select(outbox_table.c.id).where(outbox_table.c.key == "unsure")).scalar_one()
        mark_sending(tx, [unsure])
        mark_done(tx, [(unsure, "uncertain", None, "timed out")], at=START)

    await database.write(prepare)
    expected = {"stale": True, "c": False, "d": False, "ack": False, "unsure": False}
    assert await database.write(would_be_dropped) == expected

    merged = await joined(database, cora, dora)
    assert await database.write(would_be_dropped) == expected
    rows = await database.read(lambda tx: first_open(tx, "telegram", ["42", "43"]))
    assert {row.customer_id for row in rows} == {cora.customer_id}
    assert {row.ownership for row in rows if row.key == "stale"} == {STALE}

    await parted(database, merged.id)
    assert await database.write(would_be_dropped) == expected
    everything = await database.read(lambda tx: tx.execute(sa.select(outbox_table)).all())
    assert all(row.customer_id == (cora if row.identity_id == cora.identity_id else dora).customer_id for row in everything)


async def test_an_incoming_that_was_accepted_in_the_moment_of_a_merge_is_brought_home(database: Database, cora: Known, dora: Known) -> None:
    await joined(database, cora, dora)
    stray = inbox_row(
        channel="telegram", update_id="9", customer_id=dora.customer_id, identity_id=dora.identity_id, incoming={}, received_at=START
    )
    await database.write(lambda tx: keep(tx, [stray]))

    await database.write(lambda tx: rehome_waiting(tx, [(dora.customer_id, cora.customer_id)]))

    found = await database.read(lambda tx: first_waiting(tx, [cora.customer_id, dora.customer_id]))
    assert {key: [row.update_id for row in rows] for key, rows in found.items()} == {cora.customer_id: ["9"]}
    lanes = await database.write(lambda tx: claim_lanes(tx, TURN, worker="w", now=after(1), until=after(9), limit=9))
    assert str(cora.customer_id) in {lane.key for lane in lanes}


async def test_two_merges_at_once_do_not_wait_for_each_other_for_ever(two: tuple[Database, Database]) -> None:
    first, second = two
    cora, dora = await meet(first, "42"), await meet(first, "43")

    outcomes = await asyncio.gather(joined(first, cora, dora), joined(second, dora, cora), return_exceptions=True)

    assert sorted(type(one).__name__ for one in outcomes) == ["MergeRefused", "Merged"]


async def test_a_merge_waits_for_a_commit_and_sees_what_it_left(two: tuple[Database, Database]) -> None:
    first, second = two
    cora, dora = await meet(first, "42"), await meet(first, "43")
    held, go_on = asyncio.Event(), asyncio.Event()

    def a_turn(tx: Tx) -> None:
        ownership_of(tx, [dora.customer_id])
        held.set()
        pause(go_on.wait())
        open_for(tx, dora, 5)

    turn = asyncio.create_task(first.write(a_turn))
    await held.wait()
    merging = asyncio.create_task(joined(second, cora, dora))
    await someone_blocked(first)
    go_on.set()
    await asyncio.gather(turn, merging)

    row = await first.read(lambda tx: get_handoff(tx, 5))
    assert row is not None
    assert row.customer_id == cora.customer_id


# -- handoffs ---------------------------------------------------------------------------------------------------------


async def test_the_only_open_handoff_is_the_persons(database: Database, cora: Known, dora: Known) -> None:
    await database.write(lambda tx: open_for(tx, dora, 5))
    merged = await joined(database, cora, dora)

    assert merged.joined is None
    assert merged.into is not None
    assert (merged.into.id, merged.other_than(merged.into)) == (5, cora.customer_id)
    for who in (cora, dora):
        handoff = (await context_of(database, who)).handoff
        assert handoff is not None
        assert handoff.id == 5
    await parted(database, merged.id)
    assert (await context_of(database, cora)).last_episode is None
    handoff = (await context_of(database, dora)).handoff
    assert handoff is not None
    assert handoff.id == 5


async def test_whoever_is_alone_with_an_agent_stays_the_person(database: Database, cora: Known, dora: Known) -> None:
    await database.write(lambda tx: open_both(tx, {5: (cora, None), 6: (dora, "desk:7")}))
    merged = await joined(database, cora, dora)

    assert (merged.customer_id, merged.merged_id) == (dora.customer_id, cora.customer_id)


@pytest.mark.parametrize(
    ("owners", "stays"),
    [((None, None), 5), ((None, "desk:7"), 6), (("desk:7", None), 5), (("desk:7", "desk:8"), 5)],
)
async def test_of_two_open_handoffs_one_stays(
    database: Database, cora: Known, dora: Known, owners: Sequence[str | None], stays: int
) -> None:
    await database.write(lambda tx: open_both(tx, {5: (cora, owners[0]), 6: (dora, owners[1])}))
    merged = await joined(database, cora, dora)

    ended = 11 - stays
    assert merged.joined is not None
    assert merged.into is not None
    assert (merged.joined.id, merged.into.id) == (ended, stays)
    rows = {id_: await handoff_row(database, id_) for id_ in (5, 6)}
    assert (rows[ended].state, rows[ended].ending) == ("ended", JOINED)
    assert (rows[stays].ended_at, rows[stays].customer_id) == (None, merged.customer_id)
    for who in (cora, dora):
        handoff = (await context_of(database, who)).handoff
        assert handoff is not None
        assert handoff.id == stays
    (row,) = await database.read(lambda tx: merges_of(tx, [cora.customer_id]))
    assert row.evidence["joined"] == {"ended": ended, "into": stays}


# -- proofs that rest on a merge --------------------------------------------------------------------------------------


async def test_a_proof_by_link_goes_with_the_merge_that_it_made(database: Database, cora: Known, dora: Known) -> None:
    def link(tx: Tx) -> Merged:
        code = make_code(tx, cora.customer_id, cora.identity_id, by="customer", at=START).replace("-", "")
        redemption = redeem(tx, code, dora.identity_id, at=after(60))
        done = merge(tx, cora.customer_id, dora.customer_id, evidence={"how": "code"}, by="customer", at=after(60))
        confirm_by(tx, redemption, dora.identity_id, at=after(60), merge_id=done.id)
        return done

    merged = await database.write(link)
    assert (await context_of(database, dora)).proof == CONFIRMED
    await parted(database, merged.id)
    assert (await context_of(database, dora)).proof == SEEN


# -- as if they had never been one ------------------------------------------------------------------------------------

PEOPLE = 4
NAMES = ("city", "tariff")


@dataclass
class Twins:
    """The same people twice: once they are merged and un-merged, once they never are."""

    tx: Tx
    merged: list[Known] = field(default_factory=list)
    single: list[Known] = field(default_factory=list)
    merges: list[int] = field(default_factory=list)
    handoffs: dict[int, int] = field(default_factory=dict)
    """Of the people who are merged, each handoff's id, and that of its twin."""
    number: int = 0

    @classmethod
    def meet(cls, tx: Tx) -> Twins:
        self = cls(tx)
        for world, people in (("merged", self.merged), ("single", self.single)):
            made = find_or_make(tx, world, [Profile(str(n), name=f"Person {n}") for n in range(PEOPLE)], at=START)
            people += [made[str(n)] for n in range(PEOPLE)]
        return self

    def next_id(self) -> int:
        self.number += 1
        return self.number

    def person(self, who: Known) -> list[int]:
        return person_of(self.tx, who.customer_id)

    def both(self, n: int) -> list[Known]:
        return [self.merged[n], self.single[n]]


def says_something(twins: Twins, n: int, at: datetime, pick: int) -> None:
    for who in twins.both(n):
        turn = twins.next_id()
        row = exchange_row(
            id=turn * 256,
            customer_id=who.customer_id,
            identity_id=who.identity_id,
            turn_id=turn,
            direction="in",
            author="customer",
            kind="text",
            text=f"words {pick}",
            at=at,
        )
        log(twins.tx, [row])
        keep_dialogues(twins.tx, [{"identity_id": who.identity_id, "state": {"matter": pick}, "at": at}])


def tells(twins: Twins, n: int, at: datetime, pick: int) -> None:
    sources, confidences = ("customer", "agent", "system", "channel"), (1.0, 1.0, 0.5)
    told = Told(
        NAMES[pick % 2],
        f"value {pick // 2 % 3}",
        sources[pick // 6 % 4],
        confidences[pick // 24 % 3],
        corrects=pick // 72 % 2 == 1,
        since=after(-50.0 * (pick % 5)) if pick // 144 % 2 else None,
    )
    for who in twins.both(n):
        remember(twins.tx, Declarations(), who.customer_id, told, at=at, person=twins.person(who))


def agrees(twins: Twins, n: int, at: datetime, pick: int) -> None:
    for who in twins.both(n):
        keep_consent(
            twins.tx, who.customer_id, f"purpose {pick % 2}", granted=pick % 3 > 0, version="1", text="?", channel="telegram", at=at
        )


def goes_on(twins: Twins, n: int, at: datetime, pick: int) -> None:
    """In a matter of their own: one that both have had is moved on for both, which is documented and tested beside."""
    for who in twins.both(n):
        closes = pick % 5 == 0
        stage = f"stage {pick % 3}"
        move_journey(twins.tx, who.customer_id, "card", stage, matter=str(n), by="event", at=at, closes=closes, person=twins.person(who))


def suffers(twins: Twins, n: int, at: datetime, pick: int) -> None:
    for who in twins.both(n):
        key = f"x{twins.next_id()}"
        keep_experiences(
            twins.tx, [experience_row(key=key, customer_id=who.customer_id, good=pick % 2 == 0, kind="mood", weight=0.5, at=at)]
        )
        make_promise(twins.tx, who.customer_id, f"promise {pick}", by="agent", at=at, due_at=None, exchange_id=None)


def asks_for_a_person(twins: Twins, n: int, at: datetime, pick: int) -> None:
    one, twin = twins.both(n)
    if any(open_handoff_of(twins.tx, twins.person(who)[0]) is not None for who in (one, twin)):
        return
    ids = []
    for who in (one, twin):
        id_ = twins.next_id()
        open_handoff(twins.tx, id_, twins.person(who)[0], who.identity_id, reason="asked", packet={"want": str(pick)}, at=at)
        ids.append(id_)
    twins.handoffs[ids[0]] = ids[1]


def is_served(twins: Twins, n: int, at: datetime, pick: int) -> None:
    """An agent claims the person's case or ends it, whoever of them opened it; its twin goes the same way."""
    row = open_handoff_of(twins.tx, twins.person(twins.merged[n])[0])
    if row is None:
        return
    twin = get_handoff(twins.tx, twins.handoffs[row.id])
    assert twin is not None
    for one in (row, twin):
        if one.state == "waiting" and pick % 2:
            claim_handoff(twins.tx, one, owner="desk:7", name="Bea", at=at)
        else:
            end_handoff(twins.tx, one, ending="closed", return_packet={"note": str(pick)}, at=at)


def are_merged(twins: Twins, n: int, at: datetime, pick: int) -> None:
    other = pick % PEOPLE
    if twins.person(twins.merged[n]) == twins.person(twins.merged[other]):
        return
    done = merge(twins.tx, twins.merged[n].customer_id, twins.merged[other].customer_id, evidence={"why": "test"}, by="x", at=at)
    twins.merges.append(done.id)
    if done.joined is not None:  # the one thing of these that is documented to stay
        twin = get_handoff(twins.tx, twins.handoffs[done.joined.id])
        assert twin is not None
        end_handoff(twins.tx, twin, ending=JOINED, return_packet={}, at=at)


def are_parted(twins: Twins, n: int, at: datetime, pick: int) -> None:
    if twins.merges:
        unmerge(twins.tx, twins.merges.pop(pick % len(twins.merges)), by="x", at=at)


EVENTS = (says_something, tells, tells, tells, agrees, goes_on, suffers, asks_for_a_person, is_served, are_merged, are_merged, are_parted)


def story(tx: Tx, who: Known) -> dict[str, Any]:
    """Everything that is recalled and recorded of a customer, without the numbers that differ between twins."""
    context = recall(tx, [who.identity_id])[who.identity_id]
    rows = fact_history(tx, [who.customer_id])
    numbers = {row.id: place for place, row in enumerate(rows)}
    episode = context.last_episode
    alone = gather(tx, [who.customer_id])

    def plain(item: Any) -> Any:
        left_out = ("id", "customer_id", "exchange_id", "identity_id", "key")
        return {key: value for key, value in item.items() if key not in left_out}

    return {
        "facts": {name: (one.value, one.source, one.since, [o.value for o in one.contested]) for name, one in context.facts.items()},
        "proposed": [(one.name, one.value) for one in context.proposed],
        "known": {name: [plain(item) for item in items] for name, items in context.known.items()},
        "gathered": {name: [plain(item) for item in items] for name, items in alone.items()} if context.known else {},
        "exchanges": [(one.text, one.at) for one in context.exchanges],
        "dialogue": context.dialogue,
        "episode": episode and (episode.state, episode.reason, episode.owner, episode.ended_at, episode.ending, episode.return_packet),
        "person": len(context.person),
        "at home": context.customer_id == context.home_id == who.customer_id,
        "proof": (context.proof, context.proven_at),
        "rows": [plain({**row._mapping, "closed_by_id": numbers.get(row.closed_by_id, row.closed_by_id)}) for row in rows],
        "moves": [(one.from_stage, one.to_stage) for one in journey_history(tx, [who.customer_id])],
        "handoffs": _handoffs(tx, who),
    }


def _handoffs(tx: Tx, who: Known) -> list[tuple[Any, ...]]:
    handoff = METADATA.tables["handoff"]
    rows: Sequence[Record] = tx.execute(sa.select(handoff).where(handoff.c.identity_id == who.identity_id).order_by(handoff.c.id)).all()
    return [(row.state, row.owner, row.ending, row.packet, row.customer_id == who.customer_id) for row in rows]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, PEOPLE - 1), st.integers(0, 287)), min_size=2, max_size=30),
    order=st.randoms(use_true_random=False),
)
async def test_after_every_merge_is_undone_everybody_is_as_if_never_merged(database: Database, steps: list[Any], order: Any) -> None:
    def live(tx: Tx) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        twins = Twins.meet(tx)
        at = START
        for n, (event, who, pick) in enumerate(steps):
            at = after(60.0 * (n + 1))
            event(twins, who, at, pick)
            refresh_known(tx, [known.customer_id for known in (*twins.merged, *twins.single)])
        order.shuffle(twins.merges)
        for left in twins.merges:
            unmerge(tx, left, by="x", at=at)
        return [story(tx, one) for one in twins.merged], [story(tx, one) for one in twins.single]

    were_merged, never_were = await database.read(live)  # nothing of it is kept

    assert were_merged == never_were


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["write", "say", "merge", "part"]), st.integers(0, PEOPLE - 1), st.integers(0, 11)),
        min_size=2,
        max_size=24,
    )
)
async def test_nothing_that_waits_is_ever_lost_or_misplaced(database: Database, steps: list[Any]) -> None:
    """At every moment: each waiting incoming stands in the lane of whose identity it came through, and no word is dropped by a merge."""

    def live(tx: Tx) -> None:
        made = find_or_make(tx, "telegram", [Profile(str(n)) for n in range(PEOPLE)], at=START)
        people = [made[str(n)] for n in range(PEOPLE)]
        merges: list[int] = []
        written = 0
        for n, (what, who, pick) in enumerate(steps):
            at = after(60.0 * n)
            if what == "write":
                waits(tx, people[who], str(n), at=at)
                written += 1
            elif what == "say":
                says(tx, people[who], str(n))
            elif what == "merge":
                other = people[pick % PEOPLE].customer_id
                if person_of(tx, other) != person_of(tx, people[who].customer_id):
                    merges.append(merge(tx, people[who].customer_id, other, evidence={}, by="x", at=at).id)
            elif merges:
                unmerge(tx, merges.pop(pick % len(merges)), by="x", at=at)
            rows = tx.execute(
                sa.select(inbox_table.c.customer_id, _identity.c.customer_id.label("now")).join(
                    _identity, _identity.c.id == inbox_table.c.identity_id
                )
            ).all()
            assert len(rows) == written
            assert all(row.customer_id == row.now for row in rows)
            lane = METADATA.tables["lane"]
            keys = set(tx.execute(sa.select(lane.c.key).where(lane.c.kind == TURN)).scalars())
            assert {str(row.customer_id) for row in rows} <= keys
            assert not any(would_be_dropped(tx).values())

    await database.read(live)


async def test_a_journey_that_both_had_a_part_in_stays_where_it_was_begun(database: Database, cora: Known, dora: Known) -> None:
    await database.write(lambda tx: move_journey(tx, cora.customer_id, "card", "lost", by="event", at=after(1)))
    merged = await joined(database, cora, dora)
    person = await database.read(lambda tx: person_of(tx, dora.customer_id))
    await database.write(lambda tx: move_journey(tx, dora.customer_id, "card", "sent", by="event", at=after(150), person=person))
    await parted(database, merged.id)

    assert [journey.stage for journey in (await context_of(database, cora)).journeys] == ["sent"]
    assert (await context_of(database, dora)).journeys == ()
