"""Turns: each committed once, by whoever still holds the lane and the conversation."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.markup import Html
from bot.messages import Incoming
from bot.turn.accept import Accept
from bot.turn.decide import Arrived, Decision, Say
from bot.turn.deeds import Deed, GiveConsent, NoteExperience, Remember, WithdrawConsent
from bot.turn.loop import keep_looking
from bot.turn.reply import Replies, Variant
from bot.turn.worker import Brain, HandOver, KnowledgeBrain, TurnWorker
from bot.turn.write import Writer
from bot.understand.knowledge import Article, Knowledge
from memory.clock import ManualClock, SystemClock
from memory.context import Context, recall
from memory.customers import Customer, pass_on
from memory.database import Database, Tx, table
from memory.declared import Declarations, Declared, Purpose
from memory.exchanges import Exchange
from memory.handoffs import handoff_table
from memory.inbox import TURN, inbox_table
from memory.lanes import Lane
from memory.outbox import outbox_row, outbox_table, put_out
from memory.signals import LocalSignals
from memory.turns import turn_table
from memory.usable import usable
from memory.values import Type

Wrote = Callable[..., Incoming]

REPLIES = Replies({name: [Variant.from_markdown(name)] for name in ("utter_echo", "utter_handoff_failed")})
WRITER = Writer(REPLIES, company="Test", expectation="soon")


class Echo:
    """Says something for whatever it hears; ``hook`` runs while it thinks."""

    def __init__(self, hook: Callable[[Context], Any] | None = None) -> None:
        self.hook = hook
        self.heard: list[tuple[str, int]] = []

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        self.heard.append((arrived.text, context.ownership))
        if self.hook is not None:
            await self.hook(context)
        return Decision("echo", says=(Say("utter_echo"),)), {}


@pytest.fixture
def worker(database: Database, clock: ManualClock, signals: LocalSignals) -> Callable[..., TurnWorker]:
    def make(brain: Brain, name: str = "one", **more: Any) -> TurnWorker:
        options = {"at_once": 4, "lease_s": 15, "deadline_s": 10, "tries": 3, **more}
        declared = options.pop("declared", Declarations())
        return TurnWorker(database, clock, signals, brain, WRITER, declared, name=name, **options)

    return make


async def count(database: Database, of: sa.Table) -> int:
    return int(await database.read(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(of)).scalar_one()))


async def rounds(worker: TurnWorker) -> None:
    await worker.look()
    await worker.finish()


async def decisions(database: Database) -> list[str]:
    return await database.read(lambda tx: list(tx.execute(sa.select(turn_table.c.decision).order_by(turn_table.c.id)).scalars()))


async def test_a_turn_leaves_everything_in_one_commit(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker], signals: LocalSignals
) -> None:
    sends = signals.listen("telegram")
    await accept([wrote("1")])
    await rounds(worker(Echo()))

    assert sends.is_set()
    assert await decisions(database) == ["echo"]
    assert (await count(database, table(Exchange)), await count(database, outbox_table)) == (2, 1)
    assert await database.read(lambda tx: tx.execute(sa.select(inbox_table.c.incoming)).scalar()) is None
    assert await database.read(lambda tx: tx.execute(sa.select(sa.func.count()).where(table(Lane).c.kind == TURN)).scalar()) == 0


async def test_a_worker_that_lost_its_lane_leaves_no_trace(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker], clock: ManualClock
) -> None:
    await accept([wrote("1")])
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_context: Context) -> None:
        thinking.set()
        await go_on.wait()

    slow = worker(Echo(slowly))
    await slow.look()
    await thinking.wait()
    clock.advance(15)
    quick = worker(Echo(), "two")
    await rounds(quick)
    before = [await count(database, each) for each in (turn_table, table(Exchange), outbox_table)]
    go_on.set()
    await slow.finish()

    assert before == [1, 2, 1]
    assert [await count(database, each) for each in (turn_table, table(Exchange), outbox_table)] == before


async def test_the_slow_one_commits_nothing_while_the_other_still_thinks(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker], clock: ManualClock
) -> None:
    await accept([wrote("1")])
    gates = [asyncio.Event(), asyncio.Event()]

    def gated(n: int) -> Echo:
        async def wait(_context: Context) -> None:
            await gates[n].wait()

        return Echo(wait)

    slow, quick = worker(gated(0)), worker(gated(1), "two")
    await slow.look()
    clock.advance(15)
    await quick.look()
    gates[0].set()
    await slow.finish()
    assert await count(database, turn_table) == await count(database, outbox_table) == 0

    gates[1].set()
    await quick.finish()
    assert await decisions(database) == ["echo"]


async def test_a_turn_whose_customer_changed_hands_is_decided_again(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker]
) -> None:
    await accept([wrote("1")])
    echo = Echo()

    async def claimed_meanwhile(context: Context) -> None:
        await database.write(lambda tx: pass_on(tx, context.customer_id))
        echo.hook = None

    echo.hook = claimed_meanwhile
    one = worker(echo)
    await rounds(one)
    assert await count(database, turn_table) == await count(database, outbox_table) == 0

    await rounds(one)
    assert echo.heard == [("Hello", 0), ("Hello", 1)]
    assert await decisions(database) == ["echo"]


async def test_a_turn_that_always_fails_goes_to_a_person(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker], clock: ManualClock
) -> None:
    async def fails(_context: Context) -> None:
        raise RuntimeError("no")

    await accept([wrote("1")])
    one = worker(Echo(fails))
    for pause in (0.5, 1):
        await rounds(one)
        assert await count(database, turn_table) == 0
        clock.advance(pause - 0.1)
        assert await one.look() == pytest.approx(0.1)
        clock.advance(0.1)
    await rounds(one)

    assert await decisions(database) == ["failed"]


async def test_one_failing_customer_does_not_hold_up_another(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker]
) -> None:
    async def fails(context: Context) -> None:
        if context.address == "42":
            raise RuntimeError("no")

    await accept([wrote("1"), wrote("2", sender="43")])
    await rounds(worker(Echo(fails)))

    assert await decisions(database) == ["echo"]


async def test_a_watchdog_takes_only_what_nobody_came_to(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker], clock: ManualClock
) -> None:
    await accept([wrote("1")])
    dog = worker(HandOver(), "dog", behind_s=60)

    clock.advance(59)
    assert await dog.look() == pytest.approx(1)
    assert await count(database, turn_table) == 0
    clock.advance(1)
    await rounds(dog)
    assert await decisions(database) == ["failed"]


async def test_no_more_turns_run_at_once_than_allowed(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker]
) -> None:
    go_on = asyncio.Event()

    async def wait(_context: Context) -> None:
        await go_on.wait()

    await accept([wrote(str(n), sender=str(n)) for n in range(5)])
    echo = Echo(wait)
    one = worker(echo, at_once=2)
    for _ in range(3):
        await one.look()
    await asyncio.sleep(0)
    assert len(echo.heard) == 2

    go_on.set()
    for _ in range(3):
        await rounds(one)
    assert await count(database, turn_table) == 5


async def test_two_processes_share_the_turns_of_many_customers(postgres_database_url: str) -> None:
    """Each message once, and each customer's in order; one turn at a time for each."""
    people, each = 20, 10
    clock = SystemClock()
    running: dict[str, int] = defaultdict(int)
    answered: dict[str, list[str]] = defaultdict(list)
    databases = [Database(postgres_database_url, pool_size=4) for _ in range(3)]
    signals = LocalSignals()
    all_done = asyncio.Event()

    class Careful:
        async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
            running[context.address] += 1
            assert running[context.address] == 1
            await asyncio.sleep(0)
            running[context.address] -= 1
            answered[context.address].append(arrived.text)
            if sum(map(len, answered.values())) >= people * each:
                all_done.set()
            return Decision("echo", says=(Say("utter_echo"),)), {}

    workers = [
        TurnWorker(database, clock, signals, Careful(), WRITER, Declarations(), name=f"w{n}", at_once=8, lease_s=60, deadline_s=30, tries=3)
        for n, database in enumerate(databases[:2])
    ]
    loops = [asyncio.create_task(keep_looking("worker", one.look, wake=one.wake, clock=clock)) for one in workers]
    accept = Accept(databases[2], clock, signals, album_wait_s=1)
    try:
        for m in range(each):
            await accept([Incoming("telegram", f"{m}-{p}", str(p), clock.now(), text=str(m)) for p in range(people)])
        async with asyncio.timeout(20):
            await all_done.wait()
        for loop in loops:
            loop.cancel()
        for one in workers:
            await one.finish()

        assert dict(answered) == {str(p): [str(m) for m in range(each)] for p in range(people)}
        assert await count(databases[2], turn_table) == await count(databases[2], outbox_table) == people * each

        def logged(tx: Tx) -> list[tuple[int, str]]:
            rows = tx.execute(sa.select(table(Exchange)).where(table(Exchange).c.author == "customer").order_by(table(Exchange).c.id))
            return [(row.customer_id, row.text) for row in rows]

        by_customer: dict[int, list[str]] = defaultdict(list)
        for customer, text in await databases[2].read(logged):
            by_customer[customer].append(text)
        assert list(by_customer.values()) == [[str(m) for m in range(each)]] * people
        assert await count(databases[2], table(Customer)) == people
    finally:
        for loop in loops:
            loop.cancel()
        for database in databases:
            await database.close()


class Learns(Echo):
    """Echoes, and does the given deeds."""

    def __init__(self, *deeds: Deed, **more: Any) -> None:
        super().__init__()
        self.decision = Decision("echo", says=(Say("utter_echo"),), deeds=deeds, **more)

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        return self.decision, {}


async def known(database: Database, identity_id: int = 1) -> Context:
    return (await database.read(lambda tx: recall(tx, [identity_id])))[identity_id]


async def test_deeds_are_done_with_the_turn_and_recalled_by_the_next(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker]
) -> None:
    await accept([wrote("1", "my name is Cora")])
    deeds = (Remember("name", "Cora"), Remember("email", "c@d.example", 0.6), NoteExperience(True, "thanks", 0.4, {}))
    await rounds(worker(Learns(*deeds, mood=0.5, article="lost-card")))

    context = await known(database)
    assert (context.facts["name"].value, context.facts["name"].exchange_id) == ("Cora", context.exchanges[0].id)
    assert [(one.name, one.value) for one in context.proposed] == [("email", "c@d.example")]
    assert [(one.kind, one.exchange_id) for one in context.experiences] == [("thanks", context.exchanges[0].id)]
    logged = await database.read(lambda tx: tx.execute(sa.select(table(Exchange)).order_by(table(Exchange).c.id)).all())
    assert [(one.intent, one.mood) for one in logged] == [("lost-card", 0.5), (None, None)]


async def test_a_consent_and_what_rests_on_it(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker], clock: ManualClock
) -> None:
    declared = Declarations(
        facts={"interests": Declared("interests", purpose="offers")},
        purposes={"offers": Purpose("offers", "Offers", "We may tell you.", "2", "required")},
    )

    async def turn(update_id: str, *deeds: Deed) -> Context:
        await accept([wrote(update_id)])
        await rounds(worker(Learns(*deeds), declared=declared))
        return await known(database)

    assert (await turn("1", Remember("interests", "loans"))).facts == {}
    agreed = await turn("2", GiveConsent("offers"), Remember("interests", "loans"))
    assert (agreed.consents["offers"].granted, agreed.consents["offers"].version) == (True, "2")
    assert agreed.facts["interests"].value == "loans"
    offer = outbox_row(key="x", lane="telegram", address="42", outgoing={"text": "x"}, at=clock.now(), customer_id=1, purpose="offers")
    await database.write(lambda tx: put_out(tx, [offer]))
    withdrawn = await turn("3", WithdrawConsent("offers"))
    assert not withdrawn.consents["offers"].granted
    assert usable(withdrawn, declared, clock.now()) == {}
    state = sa.select(outbox_table.c.state).where(outbox_table.c.key == "x")
    assert await database.read(lambda tx: tx.execute(state).scalar()) == "dropped"


async def test_what_is_learned_while_a_person_has_the_case_goes_into_their_packet(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker], clock: ManualClock
) -> None:
    await accept([wrote("1", "agent")])
    await rounds(worker(HandOver()))
    await accept([wrote("2", "my name is Cora")])
    await rounds(worker(Learns(Remember("name", "Cora Cole"), relay=True)))

    packet = await database.read(lambda tx: tx.execute(sa.select(handoff_table.c.packet)).scalar_one())
    assert (packet["name"], [one["shown"] for one in packet["facts"]]) == ("Cora Cole", ["Cora Cole"])
    assert [one["kind"] for one in await outgoings(database, "handoff")] == ["card", "text", "text", "card"]


async def outgoings(database: Database, lane: str) -> list[dict[str, Any]]:
    query = sa.select(outbox_table.c.outgoing).where(outbox_table.c.lane == lane).order_by(outbox_table.c.id)
    return await database.read(lambda tx: list(tx.execute(query).scalars()))


async def test_a_turn_that_fails_or_is_overdue_is_a_bad_moment(
    accept: Accept, database: Database, wrote: Wrote, worker: Callable[..., TurnWorker], clock: ManualClock
) -> None:
    await accept([wrote("1")])
    clock.advance(600)
    await rounds(worker(HandOver(), behind_s=60))

    moments = {one.kind: one.evidence for one in (await known(database)).experiences}
    assert moments == {"failed": {"what": "overdue"}, "waited": {"minutes": 10, "until": "answered"}}


async def test_a_common_turn_looks_and_writes_no_more_often_for_what_may_be_learned(
    sqlite_database: Database, wrote: Wrote, clock: ManualClock, signals: LocalSignals
) -> None:
    article = Article("lost-card", "Lost card", "", ("i lost my card",), "Block it.", Html("Block it."))
    declared = Declarations(
        facts={"phone": Declared("phone", Type.PHONE), "interests": Declared("interests", purpose="offers")},
        purposes={"offers": Purpose("offers", "Offers", "We may tell you.", "2", "required")},
    )
    replies = Replies({name: [Variant.from_markdown(name)] for name in ("utter_echo", "utter_article")})
    writer = Writer(replies, company="Test", expectation="soon")
    keeps = Accept(sqlite_database, clock, signals, album_wait_s=1)
    counted: list[str] = []

    async def cost(brain: Brain, update_id: str, text: str = "good morning") -> int:
        worker = TurnWorker(
            sqlite_database, clock, signals, brain, writer, declared, name=update_id, at_once=4, lease_s=15, deadline_s=10, tries=3
        )
        await keeps([wrote(update_id, text)])
        counted.clear()
        await rounds(worker)
        return len(counted)

    def count_one(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counted.append(statement)

    sa.event.listen(sqlite_database._writer.engine, "before_cursor_execute", count_one)
    try:
        await cost(Echo(), "1")
        plain = await cost(Echo(), "2")
        brain = KnowledgeBrain(Knowledge([article]), returning_after_s=1800, declared=declared)
        learns = await cost(brain, "3", "i lost my card")
    finally:
        sa.event.remove(sqlite_database._writer.engine, "before_cursor_execute", count_one)

    assert plain > 5
    assert learns == plain + 1  # the dialogue's state, which an echo does not have
