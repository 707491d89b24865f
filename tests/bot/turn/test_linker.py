"""Links in the chat: used before the turn is decided, by a turn that may be run again; and turns in the moment of a merge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.markup import Html
from bot.messages import Incoming
from bot.turn.accept import Accept
from bot.turn.decide import Arrived, Decision, Say
from bot.turn.linker import Linker
from bot.turn.linking import PROVING, Gate, Linked, Offered
from bot.turn.reply import Replies, Variant
from bot.turn.worker import TurnWorker
from bot.turn.write import Writer
from bot.understand.knowledge import Article, Knowledge
from memory.clock import ManualClock
from memory.context import Context, recall
from memory.customers import Profile, find_or_make
from memory.database import Database, Tx
from memory.declared import Declarations
from memory.dialogue import keep_dialogues
from memory.exchanges import exchanges_after
from memory.inbox import TURN, inbox_row, keep
from memory.lanes import next_ready
from memory.links import Redeemed, link_table
from memory.merges import merge, merges_of, unmerge
from memory.outbox import outbox_table
from memory.proofs import proofs_of
from memory.signals import LocalSignals
from memory.turns import turn_table
from tests.memory.people import START

BALANCE = Article("balance", "Your balance", "", ("what is my balance",), "x", Html("x"), proof="confirmed")
KNOWLEDGE = Knowledge([BALANCE])
STANDING = Gate()


async def bot_name() -> str:
    return "some_bot"


@pytest.fixture
def linker(database: Database, clock: ManualClock) -> Linker:
    return Linker(database, clock, KNOWLEDGE, Declarations(), STANDING, bot_name)


@pytest.fixture
async def contexts(database: Database) -> Callable[..., Any]:
    """The present context of the customer with this address, who is met where nobody knows them yet."""

    async def context(address: str) -> Context:
        def read(tx: Tx) -> Context:
            known = find_or_make(tx, "telegram", [Profile(address)], at=START)[address]
            return recall(tx, [known.identity_id])[known.identity_id]

        return await database.write(read)

    return context


def came(text: str) -> Arrived:
    return Arrived((Incoming("telegram", "1", "42", START, text=text),))


async def test_most_turns_have_nothing_to_do_with_links(linker: Linker, database: Database, contexts: Callable[..., Any]) -> None:
    context = await contexts("42")
    await database.close()  # so that a look into it would fail

    assert await linker.gate(came("hello, I paid 20.00 for AAAA"), context) is STANDING


async def test_a_code_and_a_link_are_offered_anew_each_time(linker: Linker, database: Database, contexts: Callable[..., Any]) -> None:
    context = await contexts("42")
    offers = [(await linker.gate(came("/link"), context)).links for _ in range(2)]

    assert all(isinstance(one, Offered) and one.minutes == 15 for one in offers)
    assert len({one.code for one in offers if isinstance(one, Offered)}) == 2
    rows = await database.read(lambda tx: tx.execute(sa.select(link_table)).all())
    assert sum(row.expires_at > START for row in rows) == 2


async def test_where_the_bots_name_is_not_known_there_is_only_a_code(
    database: Database, clock: ManualClock, contexts: Callable[..., Any]
) -> None:
    linker = Linker(database, clock, KNOWLEDGE, Declarations(), STANDING)
    offered = (await linker.gate(came("/link"), await contexts("42"))).links

    assert isinstance(offered, Offered)
    assert offered.link is None


@pytest.mark.parametrize("by_link", [False, True])
async def test_a_use_merges_and_confirms_and_a_repeat_does_nothing_more(
    linker: Linker, database: Database, contexts: Callable[..., Any], by_link: bool
) -> None:
    cora, dora = await contexts("42"), await contexts("43")
    await database.write(lambda tx: keep_dialogues(tx, [{"identity_id": cora.identity_id, "state": {"matter": "cards"}, "at": START}]))
    offered = (await linker.gate(came("/link"), cora)).links
    assert isinstance(offered, Offered)
    assert offered.link is not None
    said = came(f"/start {offered.link.partition('=')[2]}" if by_link else offered.code)

    first = await linker.gate(said, dora)
    again = await linker.gate(said, await contexts("43"))

    there = (cora.identity_id, {"matter": "cards"})
    assert (first.links, again.links) == (Linked(Redeemed.DONE, *there), Linked(Redeemed.AGAIN, *there))
    present = await contexts("43")
    assert present.person == (cora.customer_id, dora.customer_id)
    assert present.proof == "confirmed"
    assert present.ownership != dora.ownership
    (done,) = await database.read(lambda tx: merges_of(tx, [cora.customer_id]))
    assert done.evidence == {"how": "link" if by_link else "code", "identities": [cora.identity_id, dora.identity_id]}
    (proof,) = await database.read(lambda tx: proofs_of(tx, [dora.identity_id]))
    assert proof.evidence["merge"] == done.id


async def test_a_merge_that_was_undone_is_not_done_again_by_its_code(
    linker: Linker, database: Database, contexts: Callable[..., Any]
) -> None:
    cora, dora = await contexts("42"), await contexts("43")
    offered = (await linker.gate(came("/link"), cora)).links
    assert isinstance(offered, Offered)
    await linker.gate(came(offered.code), dora)
    await database.write(lambda tx: unmerge(tx, 1, by="operator", at=START))

    assert (await linker.gate(came(offered.code), await contexts("43"))).links == Linked(Redeemed.USED)
    assert (await contexts("43")).proof == "seen"


async def test_one_person_can_still_confirm_another_of_their_accounts(
    linker: Linker, database: Database, contexts: Callable[..., Any]
) -> None:
    cora, dora = await contexts("42"), await contexts("43")
    await database.write(lambda tx: merge(tx, cora.customer_id, dora.customer_id, evidence={}, by="x", at=START))
    offered = (await linker.gate(came("/link"), await contexts("42"))).links
    assert isinstance(offered, Offered)

    before = await contexts("43")
    assert (await linker.gate(came(offered.code), before)).links == Linked(Redeemed.DONE)
    after = await contexts("43")
    assert (after.proof, after.ownership) == ("confirmed", before.ownership)


async def test_what_only_looks_like_a_code_is_no_business_of_links(linker: Linker, contexts: Callable[..., Any]) -> None:
    context = await contexts("42")

    assert (await linker.gate(came("my order AB2C-DE5F is late"), context)).links is None
    assert (await linker.gate(came("AB2CDE5F"), context)).links is None
    assert (await linker.gate(came("AB2C-DE5F"), context)).links == Linked(Redeemed.WRONG)


async def test_what_waits_for_a_proof_is_found(linker: Linker, contexts: Callable[..., Any], database: Database) -> None:
    context = await contexts("42")
    state = {PROVING: "balance"}
    await database.write(lambda tx: keep_dialogues(tx, [{"identity_id": context.identity_id, "state": state, "at": START}]))

    assert (await linker.gate(came("hello"), await contexts("42"))).pending == BALANCE


async def test_two_codes_used_crosswise_at_once_make_one_merge_and_two_proofs(postgres_database_url: str, clock: ManualClock) -> None:
    stores = [Database(postgres_database_url), Database(postgres_database_url)]
    linkers = [Linker(store, clock, KNOWLEDGE, Declarations(), STANDING) for store in stores]

    def meet(tx: Tx) -> list[Context]:
        known = find_or_make(tx, "telegram", [Profile("42"), Profile("43")], at=START)
        found = recall(tx, [one.identity_id for one in known.values()])
        return [found[known[address].identity_id] for address in ("42", "43")]

    contexts = await stores[0].write(meet)
    offers = [(await linker.gate(came("/link"), context)).links for linker, context in zip(linkers, contexts, strict=True)]
    codes = [offer.code for offer in offers if isinstance(offer, Offered)]

    gates = await asyncio.gather(linkers[0].gate(came(codes[1]), contexts[0]), linkers[1].gate(came(codes[0]), contexts[1]))

    assert [gate.links for gate in gates] == [Linked(Redeemed.DONE)] * 2
    assert len(await stores[0].read(lambda tx: merges_of(tx, [contexts[0].customer_id]))) == 1
    assert len(await stores[0].read(lambda tx: proofs_of(tx, [one.identity_id for one in contexts]))) == 2
    for store in stores:
        await store.close()


# -- turns in the moment of a merge -----------------------------------------------------------------------------------


class Echo:
    """Says the same to everything; ``hook`` runs once while it thinks."""

    def __init__(self, hook: Callable[[Context], Any] | None = None) -> None:
        self.hook = hook
        self.people: list[tuple[int, ...]] = []

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        self.people.append(context.person)
        if self.hook is not None:
            hook, self.hook = self.hook, None
            await hook(context)
        return Decision("echo", says=(Say("utter_echo"),)), {}


@pytest.fixture
def worker(database: Database, clock: ManualClock, signals: LocalSignals) -> Callable[..., TurnWorker]:
    writer = Writer(Replies({"utter_echo": [Variant.from_markdown("echo")]}), company="Test", expectation="soon")

    def make(brain: Any) -> TurnWorker:
        return TurnWorker(
            database, clock, signals, brain, writer, Declarations(), name="one", at_once=1, lease_s=15, deadline_s=10, tries=3
        )

    return make


async def run(worker: TurnWorker, rounds: int) -> None:
    for _ in range(rounds):
        await worker.look()
        await worker.finish()


async def test_a_turn_that_a_merge_overtakes_is_decided_anew_with_both_pasts(
    accept: Accept,
    database: Database,
    wrote: Callable[..., Incoming],
    worker: Callable[..., TurnWorker],
    contexts: Callable[..., Any],
) -> None:
    cora, dora = await contexts("42"), await contexts("43")
    await accept([wrote("1", "one", sender="43"), wrote("2", "two", sender="42"), wrote("3", "three", sender="43")])

    async def becomes_one(context: Context) -> None:
        await database.write(lambda tx: merge(tx, cora.customer_id, dora.customer_id, evidence={}, by="x", at=START))

    brain = Echo(becomes_one)
    await run(worker(brain), 8)

    assert brain.people[0] in ((cora.customer_id,), (dora.customer_id,))
    assert brain.people[1:] == [(cora.customer_id, dora.customer_id)] * 3
    turns = await database.read(lambda tx: tx.execute(sa.select(turn_table).order_by(turn_table.c.id)).all())
    assert [turn.customer_id for turn in turns] == [dora.customer_id, cora.customer_id, dora.customer_id]
    out = await database.read(lambda tx: tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id)).all())
    assert [(row.address, row.customer_id) for row in out] == [("43", cora.customer_id), ("42", cora.customer_id), ("43", cora.customer_id)]
    assert await database.read(lambda tx: next_ready(tx, TURN)) is None


async def test_what_was_accepted_in_the_moment_of_a_merge_is_answered_in_its_place(
    database: Database, worker: Callable[..., TurnWorker], contexts: Callable[..., Any], clock: ManualClock
) -> None:
    cora, dora = await contexts("42"), await contexts("43")
    await database.write(lambda tx: merge(tx, cora.customer_id, dora.customer_id, evidence={}, by="x", at=START))

    def arrives(tx: Tx) -> None:
        for number, customer_id in (("1", dora.customer_id), ("2", cora.customer_id)):  # the first was on its way to where it belonged
            incoming = Incoming("telegram", number, "43", START, text=number)
            row = inbox_row(
                channel="telegram",
                update_id=number,
                customer_id=customer_id,
                identity_id=dora.identity_id,
                incoming=incoming,
                received_at=clock.now(),
            )
            keep(tx, [row])

    await database.write(arrives)
    await run(worker(Echo()), 6)

    said = await database.read(lambda tx: exchanges_after(tx, dora.customer_id))
    assert [row.text for row in said if row.direction == "in"] == ["1", "2"]
    assert await database.read(lambda tx: next_ready(tx, TURN)) is None
