"""A desk in a simulated Telegram: a customer, three agents in their group, and both bots."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from bot.channels.telegram.sender import CustomerBot, CustomerFiles
from bot.desks.casework import Casework
from bot.desks.intake import DeskIntake
from bot.desks.topics import TopicDesk
from bot.messages import Files, Outgoing, Receipt, Sender
from bot.simulator import Group, Person, SeenMessage, SeenTopic, Server, Simulator, serve
from bot.turn.deliver import Deliver
from bot.turn.limits import Limits
from memory.clock import ManualClock
from memory.database import Database, Record
from memory.handoffs import get_handoff
from memory.outbox import outbox_row, outbox_table, put_out
from memory.signals import LocalSignals
from tests.bot.desks.cases import REPLIES, Case, open_case

DESK_TOKEN = "1002:" + "D" * 35
CUSTOMER_TOKEN = "1001:" + "C" * 35


@dataclass
class World:
    """Everything that takes part. ``pump`` carries what waits: updates in, then words out, until nothing waits."""

    sim: Simulator
    server: Server
    database: Database
    clock: ManualClock
    group: Group
    ann: Person
    bob: Person
    cora: Person
    desk: TopicDesk
    customers: CustomerBot
    intake: DeskIntake
    files: dict[str, Files]
    deliveries: tuple[Deliver, ...]
    offset: int | None = field(default=None)

    async def case(self, **packet: object) -> Case:
        """Cora waits for a person, and the desk knows."""
        case = await open_case(self.database, self.clock, topic=None, address=str(self.cora.id), **packet)
        await self.put(case, Outgoing(kind="card"))
        await self.pump()
        return case

    async def put(self, case: Case, outgoing: Outgoing, *, lane: str = "handoff", exchange: int | None = None) -> None:
        """Put something out, as a turn does."""
        rows = await case.rows()
        row = outbox_row(
            key=f"test{len(rows)}",
            lane=lane,
            address=str(case.id) if lane == "handoff" else case.address,
            outgoing=outgoing,
            at=self.clock.now(),
            customer_id=case.customer_id,
            identity_id=case.identity_id if lane != "handoff" else None,
            exchange_id=exchange,
        )
        await self.database.write(lambda tx: put_out(tx, [row]))

    async def pump(self) -> None:
        """Take in every update and deliver everything that may go out now."""
        while raws := await self.desk.fetch_updates(self.offset, 0):
            await self.intake(raws)
            self.offset = raws[-1]["update_id"] + 1
        before: list[int] = []
        while (waiting := await self.database.read(lambda tx: list(tx.execute(_waiting).scalars()))) != before:
            before = waiting
            for delivery in self.deliveries:
                await delivery.look()
                await delivery.finish()

    async def send(self, case: Case, outgoing: Outgoing) -> Receipt:
        """What the desk makes of one outgoing."""
        return await self.desk.send(str(case.id), outgoing)

    async def handoff(self, case: Case) -> Record:
        found = await self.database.read(lambda tx: get_handoff(tx, case.id))
        assert found is not None
        return found

    async def thread(self, case: Case) -> int:
        """The topic that the case has now."""
        return int((await self.handoff(case)).topic)

    async def card(self, case: Case) -> SeenMessage:
        handoff = await self.handoff(case)
        return next(one for one in await self.seen(case) if str(one.message_id) == handoff.card)

    async def seen(self, case: Case) -> list[SeenMessage]:
        """What agents see in the case's topic, without service messages."""
        shown = self.group.messages(thread_id=await self.thread(case))
        return [one for one in shown if not one.kind.startswith("forum_topic")]

    async def posts(self, case: Case) -> list[str]:
        """The bot's words in the topic after the card."""
        return [one.text for one in (await self.seen(case))[1:] if one.from_bot]

    def heard(self) -> list[SeenMessage]:
        """What Cora got from the customers' bot."""
        return [one for one in self.cora.messages("legato_bot") if one.from_bot]

    def topics(self) -> list[SeenTopic]:
        """The topics beside the general one that are still there."""
        return [topic for topic in self.group.topics()[1:] if not topic.is_deleted]


_waiting = sa.select(outbox_table.c.id).where(outbox_table.c.state == "waiting").order_by(outbox_table.c.id)


@pytest.fixture
async def world(sqlite_database: Database, clock: ManualClock) -> AsyncIterator[World]:
    database, sim = sqlite_database, Simulator(now=clock.now, repeat_window_s=0)
    async with serve(sim) as server, contextlib.AsyncExitStack() as stack:
        desk_bot = sim.add_bot("legato_desk_bot", token=DESK_TOKEN)
        sim.add_bot("legato_bot", token=CUSTOMER_TOKEN)
        ann = sim.add_person("Ann", last_name="Archer")
        bob = sim.add_person("Bob", last_name="Baker")
        cora = sim.add_person("Cora", last_name="Cole", username="cora")
        cora.start("legato_bot")
        group = sim.add_group("Desk", admins=[ann], members=[bob], bots=[desk_bot])
        files: dict[str, Files] = {}
        desk = TopicDesk(DESK_TOKEN, group.id, database, clock, files, base_url=server.url, timeout_s=2.0)
        stack.push_async_callback(desk.close)
        await desk.start()
        customers = CustomerBot(CUSTOMER_TOKEN, api_base=server.url, timeout_s=2.0, files=files)
        stack.push_async_callback(customers.close)
        await customers.start()
        files |= {"desk": desk, "telegram": CustomerFiles(customers)}
        signals = LocalSignals()
        intake = DeskIntake(database, Casework(REPLIES), signals, clock, chat_id=group.id, is_member=desk.is_member)
        deliveries = tuple(
            _delivery(database, clock, signals, sender, lane) for lane, sender in (("telegram", customers), ("handoff", desk))
        )
        yield World(sim, server, database, clock, group, ann, bob, cora, desk, customers, intake, files, deliveries)


def _delivery(database: Database, clock: ManualClock, signals: LocalSignals, sender: Sender, lane: str) -> Deliver:
    limits = Limits(clock, overall_per_s=0, burst=0, address_per_s=0)
    return Deliver(database, clock, signals, sender, limits, lane=lane, name="test", at_once=8, lease_s=30, repeatable=lane == "handoff")
