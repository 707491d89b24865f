"""Notices when the time of a promise has passed: it is broken, the customer had a bad moment, and the desk is told."""

from __future__ import annotations

import asyncio
from datetime import datetime
from html import escape

from bot.messages import Outgoing
from bot.turn.experience import BAD, PROMISE
from bot.turn.loop import IDLE_S
from bot.turn.mirror import EXCERPT, shortened
from bot.turn.write import GENERAL, HANDOFF
from memory.clock import Clock
from memory.customers import ownership_of, person_of
from memory.database import Database, Record, Row, Tx
from memory.experiences import experience_row, keep_experiences
from memory.handoffs import open_handoff_of
from memory.known import refresh_known
from memory.outbox import outbox_row, put_out
from memory.promises import break_promise, next_due_promise, overdue_promises
from memory.signals import Signals

BROKEN_TEXT = (
    "⏰ <b>A promise was not kept:</b> № {id}, by {by}, to customer {customer}. /kept {id} in the customer's topic once it is done."
)


class Promises:
    """Looks for promises whose time has passed. ``look`` is one round; any number of processes may look at once."""

    def __init__(self, database: Database, clock: Clock, signals: Signals) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self.wake = asyncio.Event()

    async def look(self) -> float:
        """One round; returns the seconds until the next promise is due, or until it is worth looking whether there is one."""
        now = self._clock.now()
        due_at = await self._database.read(next_due_promise)
        if due_at is None:
            return IDLE_S
        if due_at > now:
            return (due_at - now).total_seconds()
        await self._database.write(lambda tx: self._break(tx, now))
        self._signals.notify(HANDOFF)
        return 0.0

    def _break(self, tx: Tx, now: datetime) -> None:
        overdue = overdue_promises(tx, now)
        roots = {row.id: person_of(tx, row.customer_id)[0] for row in overdue}
        ownership_of(tx, roots.values())
        broken = [row for row in overdue if break_promise(tx, row.id, at=now)]
        keep_experiences(tx, [_moment(row, now) for row in broken])
        refresh_known(tx, {roots[row.id] for row in broken})
        put_out(tx, [self._post(tx, row, roots[row.id], now) for row in broken])

    @staticmethod
    def _post(tx: Tx, row: Record, root: int, now: datetime) -> Row:
        """What the desk is told, in the customer's topic if they have an open case, else in the general one."""
        handoff = open_handoff_of(tx, root)
        notice = BROKEN_TEXT.format(id=row.id, by=escape(row.by, quote=False), customer=root)
        quoted = escape(shortened(row.text, EXCERPT), quote=False)
        return outbox_row(
            key=f"promise.{row.id}.broken",
            lane=HANDOFF,
            address=str(handoff.id) if handoff is not None else GENERAL,
            outgoing=Outgoing(text=f"{notice}\n<blockquote>{quoted}</blockquote>", html=True),
            at=now,
            customer_id=root,
        )


def _moment(row: Record, now: datetime) -> Row:
    return experience_row(
        key=f"promise.{row.id}",
        customer_id=row.customer_id,
        good=False,
        kind=PROMISE,
        weight=BAD[PROMISE].weight,
        exchange_id=row.exchange_id,
        evidence={"promise": row.id},
        at=now,
    )
