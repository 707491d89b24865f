"""Customers with a case, and what agents do about it, in the least words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.desks.act import Acted
from bot.desks.casework import Casework
from bot.messages import Attachment, Event, Incoming, Outgoing, read_outgoing
from bot.turn.packet import VERSION, Packet, PacketFact, PacketLine, stored
from bot.turn.reply import Replies, Variant
from memory.clock import Clock
from memory.customers import Profile, find_or_make
from memory.database import Database, Record, Tx
from memory.exchanges import exchange_id, exchanges_after
from memory.handoffs import get_handoff, open_handoff, place_handoff
from memory.inbox import inbox_row, keep_finished
from memory.outbox import outbox_row, outbox_table, put_out

ANN, BOB = ("501", "Ann Archer"), ("502", "Bob Baker")

REPLIES = Replies(
    {
        "utter_handoff_returned": [Variant.from_markdown("I am taking over again from {agent}.")],
        "utter_handoff_closed": [Variant.from_markdown("This matter has been closed by {agent}.")],
    }
)

_updates = itertools.count(1)


def packet_of(clock: Clock, **changes: Any) -> Packet:
    """A packet like a real one; ``changes`` replace parts of it."""
    now = clock.now()
    parts: dict[str, Any] = {
        "version": VERSION,
        "customer_id": 1,
        "name": "Cora Cole",
        "username": "cora",
        "channel": "telegram",
        "language": "en",
        "reason": "asked",
        "want": "my card was declined <twice>",
        "facts": (PacketFact("account_number", "12-34", "customer", 256, now - timedelta(days=40)),),
        "tried": ("Declined card",),
        "lines": (
            PacketLine("customer", "Cora Cole", "text", "my card was declined <twice>", now - timedelta(minutes=2)),
            PacketLine("assistant", None, "text", "Please check the limit.", now - timedelta(minutes=1)),
            PacketLine("customer", "Cora Cole", "text", "agent please", now),
        ),
        "customer_since": now - timedelta(days=90),
        "earlier": None,
    }
    return Packet(**(parts | changes))


@dataclass(frozen=True)
class Case:
    """A handoff in the database, and the means to act on it and to look at it."""

    database: Database
    clock: Clock
    casework: Casework
    id: int
    customer_id: int
    identity_id: int
    address: str
    topic: str

    async def act(self, incoming: Incoming) -> Acted:
        return await self.database.write(lambda tx: self.casework.act(tx, incoming, now=self.clock.now()))

    async def says(self, agent: tuple[str, str], text: str, *, message_id: str = "", **more: Any) -> Acted:
        return await self.act(self.incoming(agent, text=text, message_id=message_id or f"m{next(_updates)}", **more))

    async def edits(self, agent: tuple[str, str], message_id: str, text: str, **more: Any) -> Acted:
        return await self.act(self.incoming(agent, text=text, event=Event.EDIT, message_id=message_id, about=message_id, **more))

    async def presses(self, agent: tuple[str, str], payload: str, **more: Any) -> Acted:
        return await self.act(self.press(agent, payload, **more))

    def press(self, agent: tuple[str, str], payload: str, **more: Any) -> Incoming:
        data = {"payload": payload, "callback": f"q{agent[0]}"}
        return self.incoming(agent, event=Event.PRESS, kind="press", about="900", data=data, **more)

    def incoming(self, agent: tuple[str, str], **more: Any) -> Incoming:
        sender, name = agent
        parts: dict[str, Any] = {"update_id": str(next(_updates)), "at": self.clock.now(), "place": self.topic} | more
        return Incoming(channel="desk", sender=sender, name=name, **parts)

    async def handoff(self) -> Record:
        found = await self.database.read(lambda tx: get_handoff(tx, self.id))
        assert found is not None
        return found

    async def exchanges(self) -> list[Record]:
        return await self.database.read(lambda tx: exchanges_after(tx, self.customer_id))

    async def told(self) -> list[Outgoing]:
        """What is on its way to the customer."""
        return [outgoing for row, outgoing in await self._out() if row.lane == "telegram"]

    async def shown(self) -> list[Outgoing]:
        """What is on its way to the desk."""
        return [outgoing for row, outgoing in await self._out() if row.lane == "handoff"]

    async def posts(self) -> list[str]:
        """The texts on their way to the topic."""
        return [outgoing.text for outgoing in await self.shown() if outgoing.kind == "text"]

    async def answers(self) -> list[tuple[str, bool]]:
        """How presses were answered, and whether as a box."""
        return [(outgoing.text, outgoing.alert) for outgoing in await self.shown() if outgoing.kind == "answer"]

    async def rows(self) -> Sequence[Record]:
        return await self.database.read(lambda tx: tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id)).all())

    async def _out(self) -> list[tuple[Record, Outgoing]]:
        return [(row, read_outgoing(row.outgoing)) for row in await self.rows()]


async def open_case(database: Database, clock: Clock, *, topic: str | None = "77", address: str = "42", **packet: Any) -> Case:
    """A customer who waits for a person; the desk has put the case into ``topic``, if one is given."""

    def make(tx: Tx) -> Case:
        now = clock.now()
        known = find_or_make(tx, "telegram", [Profile(address, "Cora Cole", "cora")], at=now)[address]
        row = inbox_row(
            channel="telegram",
            update_id=f"open{next(_updates)}",
            customer_id=known.customer_id,
            identity_id=known.identity_id,
            incoming=None,
            received_at=now,
        )
        turn = keep_finished(tx, row)
        assert turn is not None
        content = stored(packet_of(clock, **packet))
        open_handoff(tx, turn, known.customer_id, known.identity_id, reason=content["reason"], packet=content, at=now)
        if topic is not None:
            place_handoff(tx, turn, old=None, topic=topic, card="900")
        return Case(database, clock, Casework(REPLIES), turn, known.customer_id, known.identity_id, address, topic or "")

    return await database.write(make)


async def put_uncertain(case: Case, outgoing: Outgoing) -> int:
    """An outgoing to the customer of which nobody knows whether it arrived; its id."""

    def put(tx: Tx) -> int:
        row = outbox_row(
            key=f"u{next(_updates)}",
            lane="telegram",
            address=case.address,
            outgoing=outgoing,
            at=case.clock.now(),
            customer_id=case.customer_id,
            identity_id=case.identity_id,
            exchange_id=exchange_id(case.id, 0),
        )
        put_out(tx, [row])
        id_: int = tx.execute(sa.select(outbox_table.c.id).where(outbox_table.c.key == row["key"])).scalar_one()
        tx.execute(sa.update(outbox_table).where(outbox_table.c.id == id_).values(state="uncertain", done_at=case.clock.now()))
        return id_

    return await case.database.write(put)


def photo(unique_id: str = "p1", **more: Any) -> Attachment:
    """A photo that an agent sent."""
    return Attachment(source="desk", kind="photo", file_id=f"file-{unique_id}", unique_id=unique_id, **more)
