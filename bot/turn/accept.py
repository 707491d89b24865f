"""The first step of the walk: keep what arrived, before anybody acknowledges it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from bot.messages import Incoming
from bot.understand.codes import without_cards
from memory.clock import Clock
from memory.customers import Profile, find_or_make
from memory.database import Database, Tx
from memory.inbox import TURN, inbox_row, keep
from memory.signals import Signals


class Kept(StrEnum):
    """Whether an incoming was new or known."""

    NEW = "new"
    SEEN = "seen"


class Accept:
    """Keeps incomings of customers; when the call returns, the channel may forget them.

    A repeated call with the same update id changes nothing. ``album_wait_s``: how long the parts of an album are waited for.
    """

    def __init__(self, database: Database, clock: Clock, signals: Signals, *, album_wait_s: float) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self._album_wait = timedelta(seconds=album_wait_s)

    async def __call__(self, incomings: Sequence[Incoming]) -> list[Kept]:
        """Store incomings of one channel, in their order, in one commit. Of a payment card's number only the last four digits are kept."""
        if not incomings:
            return []
        incomings = [replace(one, text=text) if (text := without_cards(one.text)) != one.text else one for one in incomings]
        new = await self._database.write(lambda tx: self._store(tx, incomings))
        if new:
            self._signals.notify(TURN)
        return [Kept.NEW if one.update_id in new else Kept.SEEN for one in incomings]

    def _store(self, tx: Tx, incomings: Sequence[Incoming]) -> set[str]:
        now = self._clock.now()
        people = {one.sender: Profile(one.sender, one.name, one.username, one.language) for one in incomings}
        known = find_or_make(tx, incomings[0].channel, people.values(), at=now)
        rows = [
            inbox_row(
                channel=one.channel,
                update_id=one.update_id,
                customer_id=known[one.sender].customer_id,
                identity_id=known[one.sender].identity_id,
                incoming=one,
                received_at=now,
                due_at=now + self._album_wait if one.album else now,
                album=one.album,
            )
            for one in incomings
        ]
        return keep(tx, rows)
