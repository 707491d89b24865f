"""Delivery: order for each address, and every receipt recorded with what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.messages import Outgoing, Postponed, Receipt, Refused, Sent, Uncertain
from bot.turn.deliver import LOST_TRACK, Deliver
from bot.turn.limits import Limits
from memory.clock import ManualClock
from memory.context import recall
from memory.customers import Known, Profile, find_or_make, get_identity, pass_on
from memory.database import Database, Record, table
from memory.exchanges import exchange_row, log
from memory.lanes import Lane
from memory.outbox import outbox_row, outbox_table, put_out
from memory.signals import LocalSignals

Make = Callable[..., Deliver]


class Channel:
    """A sender that notes what it is given; ``script`` holds receipts for the next sends, then everything is sent."""

    def __init__(self, *script: Receipt | Exception) -> None:
        self.script = list(script)
        self.sent: list[tuple[str, str]] = []
        self.outgoings: list[Outgoing] = []
        self.gate: asyncio.Event | None = None

    async def send(self, address: str, outgoing: Outgoing) -> Receipt:
        self.outgoings.append(outgoing)
        if self.gate is not None:
            await self.gate.wait()
        receipt = self.script.pop(0) if self.script else Sent(str(100 + len(self.sent)))
        if isinstance(receipt, Exception):
            raise receipt
        if isinstance(receipt, Sent):
            self.sent.append((address, outgoing.text))
        return receipt


@pytest.fixture
def deliver(database: Database, clock: ManualClock, signals: LocalSignals) -> Make:
    def make(channel: Channel, *, name: str = "one", lane: str = "telegram", repeatable: bool = False, **pace: float) -> Deliver:
        limits = Limits(clock, **{"overall_per_s": 0, "burst": 0, "address_per_s": 0, **pace})
        return Deliver(database, clock, signals, channel, limits, lane=lane, name=name, at_once=8, lease_s=30, repeatable=repeatable)

    return make


@pytest.fixture
async def cora(database: Database, clock: ManualClock) -> Known:
    return (await database.write(lambda tx: find_or_make(tx, "telegram", [Profile("42", "Cora")], at=clock.now())))["42"]


async def put(database: Database, clock: ManualClock, *texts: str, address: str = "42", lane: str = "telegram", **more: Any) -> None:
    about = more.pop("about_exchange", None)
    kind = "edit" if about is not None else "text"
    rows = [
        outbox_row(
            key=f"{lane}/{address}/{text}",
            lane=lane,
            address=address,
            outgoing=Outgoing(kind=kind, text=text, about_exchange=about),  # type: ignore[arg-type]
            at=clock.now(),
            **more,
        )
        for text in texts
    ]
    await database.write(lambda tx: put_out(tx, rows))


async def rounds(*deliveries: Deliver, times: int = 1) -> None:
    for _ in range(times):
        for one in deliveries:
            await one.look()
        for one in deliveries:
            await one.finish()


async def rows(database: Database, lane: str = "telegram") -> list[Record]:
    return await database.read(lambda tx: list(tx.execute(sa.select(outbox_table).where(outbox_table.c.lane == lane).order_by("id"))))


async def states(database: Database) -> list[str]:
    return [row.state for row in await rows(database)]


async def test_an_address_gets_everything_in_order(database: Database, clock: ManualClock, deliver: Make) -> None:
    await put(database, clock, "a", "b", "c")
    await put(database, clock, "x", address="43")
    channel = Channel()
    await rounds(deliver(channel), times=3)

    assert [text for address, text in channel.sent if address == "42"] == ["a", "b", "c"]
    assert await states(database) == ["sent"] * 4
    assert await database.read(lambda tx: tx.execute(sa.select(table(Lane).c.key)).all()) == []


async def test_what_is_postponed_stays_first(database: Database, clock: ManualClock, deliver: Make) -> None:
    await put(database, clock, "a", "b")
    channel = Channel(Postponed(5, "429"))
    one = deliver(channel)
    await rounds(one, times=3)
    assert channel.sent == []

    await put(database, clock, "c")  # must not shorten the pause
    clock.advance(4.9)
    await rounds(one)
    assert channel.sent == []
    clock.advance(0.1)
    await rounds(one, times=3)
    assert [text for _, text in channel.sent] == ["a", "b", "c"]


async def test_a_postponed_address_does_not_hold_up_another(database: Database, clock: ManualClock, deliver: Make) -> None:
    await put(database, clock, "a")
    channel = Channel(Postponed(5, "429"))
    one = deliver(channel)
    await rounds(one)
    await put(database, clock, "x", address="43")
    await rounds(one)

    assert channel.sent == [("43", "x")]


async def test_a_pause_for_everyone_holds_up_all(database: Database, clock: ManualClock, deliver: Make) -> None:
    await put(database, clock, "a")
    channel = Channel(Postponed(60, "401", everyone=True))
    one = deliver(channel)
    await rounds(one)
    await put(database, clock, "x", address="43")

    assert await one.look() == pytest.approx(60)
    await rounds(one)
    assert channel.sent == []
    clock.advance(60)
    await rounds(one)
    assert sorted(channel.sent) == [("42", "a"), ("43", "x")]


async def test_who_blocked_the_bot_is_unreachable_and_the_rest_is_refused(
    database: Database, clock: ManualClock, deliver: Make, cora: Known
) -> None:
    who: dict[str, Any] = {"customer_id": cora.customer_id, "identity_id": cora.identity_id}
    await put(database, clock, "a", "b", "c", **who)
    channel = Channel(Refused("bot was blocked by the user", unreachable=True))
    await rounds(deliver(channel), times=2)

    assert channel.sent == []
    assert [(row.state, row.why) for row in await rows(database)] == [("refused", "bot was blocked by the user")] * 3
    identity = await database.read(lambda tx: get_identity(tx, cora.identity_id))
    assert identity is not None
    assert (identity.unreachable_since, identity.unreachable_why) == (clock.now(), "bot was blocked by the user")


async def test_what_is_refused_lets_the_next_through(database: Database, clock: ManualClock, deliver: Make) -> None:
    await put(database, clock, "a", "b")
    channel = Channel(Refused("message is too long"))
    await rounds(deliver(channel), times=2)

    assert channel.sent == [("42", "b")]
    assert await states(database) == ["refused", "sent"]


@pytest.mark.parametrize("trouble", [Uncertain("timed out"), RuntimeError("not foreseen")])
async def test_what_is_uncertain_is_shown_and_not_sent_again(
    database: Database, clock: ManualClock, deliver: Make, trouble: Receipt | Exception
) -> None:
    await put(database, clock, "a", "b")
    channel = Channel(trouble)
    await rounds(deliver(channel), times=3)

    assert [text for _, text in channel.sent] == ["b"]
    assert await states(database) == ["uncertain", "sent"]
    (notice,) = await rows(database, "handoff")
    assert (notice.key, notice.address) == ("telegram/42/a.notice", "general")


async def test_a_crash_while_sending_leaves_it_uncertain(database: Database, clock: ManualClock, deliver: Make) -> None:
    await put(database, clock, "a", "b")
    dying = Channel()
    dying.gate = asyncio.Event()
    killed = deliver(dying)
    await killed.look()
    await asyncio.sleep(0)
    await killed.abandon()
    channel = Channel()
    other = deliver(channel, name="two")
    await rounds(other, times=2)
    assert channel.sent == []

    clock.advance(30)
    await rounds(other, times=3)
    assert channel.sent == [("42", "b")]
    assert [(row.state, row.why) for row in await rows(database)] == [("uncertain", LOST_TRACK), ("sent", None)]


async def test_a_desk_is_simply_sent_to_again(database: Database, clock: ManualClock, deliver: Make) -> None:
    await put(database, clock, "a", lane="handoff", address="1")
    channel = Channel(Uncertain("timed out"))
    desk = deliver(channel, lane="handoff", repeatable=True)
    await rounds(desk)
    clock.advance(1)
    await rounds(desk)

    assert channel.sent == [("1", "a")]
    assert [(row.state, row.tries) for row in await rows(database, "handoff")] == [("sent", 2)]


async def test_what_is_taken_back_is_taken_back_again_where_nobody_knows(database: Database, clock: ManualClock, deliver: Make) -> None:
    """Deleting twice does no harm, and nobody is asked whether it arrived."""
    row = outbox_row(key="gone", lane="telegram", address="42", outgoing=Outgoing(kind="unsend", about="1"), at=clock.now())
    await database.write(lambda tx: put_out(tx, [row]))
    channel = Channel(Uncertain("timed out"))
    delivery = deliver(channel)
    await rounds(delivery)
    clock.advance(1)
    await rounds(delivery)

    assert await states(database) == ["sent"]
    assert await rows(database, "handoff") == []


async def test_a_receipt_that_comes_too_late_changes_nothing(database: Database, clock: ManualClock, deliver: Make) -> None:
    """The lease ran out while the channel hung; another process has said uncertain, and the agent sees that."""
    await put(database, clock, "a", "b")
    slow = Channel(Postponed(5, "5xx"))
    slow.gate = asyncio.Event()
    first = deliver(slow)
    await first.look()
    clock.advance(30)
    channel = Channel()
    await rounds(deliver(channel, name="two"), times=2)
    slow.gate.set()
    await first.finish()

    assert channel.sent == [("42", "b")]
    assert await states(database) == ["uncertain", "sent"]


async def test_words_of_a_former_owner_are_dropped(database: Database, clock: ManualClock, deliver: Make, cora: Known) -> None:
    who: dict[str, Any] = {"customer_id": cora.customer_id, "identity_id": cora.identity_id}
    await put(database, clock, "the assistant's", ownership=0, **who)
    await put(database, clock, "the agent's", **who)
    await database.write(lambda tx: pass_on(tx, cora.customer_id))
    channel = Channel()
    await rounds(deliver(channel), times=2)

    assert channel.sent == [("42", "the agent's")]
    assert [(row.state, row.why) for row in await rows(database)] == [("dropped", "the conversation changed hands"), ("sent", None)]


async def test_the_pace_of_an_address_is_kept(database: Database, clock: ManualClock, deliver: Make) -> None:
    await put(database, clock, *"abcde")
    channel = Channel()
    one = deliver(channel, address_per_s=1)
    await rounds(one, times=6)
    assert [text for _, text in channel.sent] == ["a", "b", "c"]
    clock.advance(1)
    await rounds(one, times=2)
    assert [text for _, text in channel.sent] == ["a", "b", "c", "d"]


async def test_an_edit_finds_the_message_that_carried_the_words(database: Database, clock: ManualClock, deliver: Make, cora: Known) -> None:
    row = exchange_row(
        id=256,
        customer_id=cora.customer_id,
        identity_id=cora.identity_id,
        turn_id=1,
        direction="out",
        author="agent",
        kind="text",
        at=clock.now(),
    )
    await database.write(lambda tx: log(tx, [row]))
    await put(database, clock, "helo", exchange_id=256)
    await put(database, clock, "hello", about_exchange=256)
    await put(database, clock, "never seen", about_exchange=512)
    channel = Channel()
    await rounds(deliver(channel), times=3)

    assert [(one.kind, one.about) for one in channel.outgoings] == [("text", None), ("edit", "100"), ("text", None)]


async def test_two_processes_send_each_once_and_in_order(database: Database, clock: ManualClock, deliver: Make) -> None:
    for address in range(6):
        await put(database, clock, *"abc", address=str(address))
    channel = Channel()
    one, two = deliver(channel), deliver(channel, name="two")
    for _ in range(10):
        await asyncio.gather(one.look(), two.look())
        await asyncio.gather(one.finish(), two.finish())

    assert len(channel.sent) == 18
    assert all([text for to, text in channel.sent if to == str(address)] == ["a", "b", "c"] for address in range(6))


async def test_what_the_channel_refuses_is_a_bad_moment_of_who_missed_it(
    database: Database, clock: ManualClock, deliver: Make, cora: Known
) -> None:
    await put(database, clock, "too long", customer_id=cora.customer_id, identity_id=cora.identity_id, exchange_id=256)
    await put(database, clock, "not logged", customer_id=cora.customer_id, identity_id=cora.identity_id)
    await rounds(deliver(Channel(Refused("message is too long"), Refused("message is too long"))), times=2)

    context = (await database.read(lambda tx: recall(tx, [cora.identity_id])))[cora.identity_id]
    assert [(one.good, one.kind, one.exchange_id, (one.evidence or {})["what"]) for one in context.experiences] == [
        (False, "failed", 256, "undelivered")
    ]


async def test_who_has_blocked_us_has_missed_nothing(database: Database, clock: ManualClock, deliver: Make, cora: Known) -> None:
    await put(database, clock, "Hello", customer_id=cora.customer_id, identity_id=cora.identity_id, exchange_id=256)
    await rounds(deliver(Channel(Refused("bot was blocked by the user", unreachable=True))))

    context = (await database.read(lambda tx: recall(tx, [cora.identity_id])))[cora.identity_id]
    assert (context.unreachable, context.experiences) == (True, ())


async def test_what_is_held_up_for_long_is_one_bad_moment(database: Database, clock: ManualClock, deliver: Make, cora: Known) -> None:
    await put(database, clock, "one", "two", customer_id=cora.customer_id, identity_id=cora.identity_id, exchange_id=256)
    delivery = deliver(Channel(Postponed(600, "too many requests")))
    await rounds(delivery)
    clock.advance(600)
    await rounds(delivery, times=2)

    context = (await database.read(lambda tx: recall(tx, [cora.identity_id])))[cora.identity_id]
    assert [(one.kind, (one.evidence or {})["minutes"]) for one in context.experiences] == [("waited", 10)]
    assert [row.state for row in await rows(database)] == ["sent", "sent"]
