"""What comes in while something is wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bot.desks.act import Acted
from bot.desks.casework import Casework
from bot.desks.intake import TRIES, DeskIntake
from bot.messages import Incoming
from memory.clock import ManualClock
from memory.database import Database, Tx
from memory.inbox import quarantined
from memory.recaller import Stamped
from memory.signals import LocalSignals
from tests.bot.desks.cases import REPLIES
from tests.bot.desks.test_updates import CHAT, message


class Broken(Casework):
    """Rules that fail for some texts, as often as they are told."""

    def __init__(self, error: Exception, times: int) -> None:
        super().__init__(REPLIES)
        self.error, self.times = error, times
        self.seen: list[str] = []

    def act(self, tx: Tx, incoming: Incoming, *, now: datetime, looked: Stamped | None = None) -> Acted:
        if incoming.text == "poison" and self.times:
            self.times -= 1
            raise self.error
        self.seen.append(incoming.text)
        return Acted.NOTHING


async def yes(_user: str) -> bool:
    return True


def intake(database: Database, clock: ManualClock, rules: Casework, signals: LocalSignals | None = None) -> DeskIntake:
    return DeskIntake(database, rules, signals or LocalSignals(), clock, chat_id=CHAT, is_member=yes)


def raw(update_id: int, text: str) -> dict[str, Any]:
    return {"update_id": update_id, "message": message(text=text)}


async def test_a_broken_update_is_set_aside_and_those_behind_it_go_on(sqlite_database: Database, clock: ManualClock) -> None:
    rules = Broken(ZeroDivisionError(), times=TRIES)

    await intake(sqlite_database, clock, rules)([{"update_id": 1, "message": "x"}, raw(2, "poison"), raw(3, "hello")])

    assert rules.seen == ["hello"]
    kept = await sqlite_database.read(quarantined)
    assert sorted((row.channel, row.update_id) for row in kept) == [("desk", "1"), ("desk", "2")]
    assert {row.why for row in kept} == {"ZeroDivisionError", "not an update that can be read: AttributeError"}


async def test_a_failure_that_passes_is_tried_again(sqlite_database: Database, clock: ManualClock) -> None:
    rules = Broken(ZeroDivisionError(), times=TRIES - 1)

    await intake(sqlite_database, clock, rules)([raw(2, "poison")])

    assert rules.seen == ["poison"]
    assert await sqlite_database.read(quarantined) == []


async def test_while_the_database_is_away_nothing_is_acknowledged(sqlite_database: Database, clock: ManualClock) -> None:
    away = OperationalError("x", {}, Exception("x"))
    rules = Broken(away, times=1)
    take = intake(sqlite_database, clock, rules)

    with pytest.raises(OperationalError):
        await take([raw(2, "poison"), raw(3, "hello")])
    assert rules.seen == []

    await take([raw(2, "poison"), raw(3, "hello")])
    assert rules.seen == ["poison", "hello"]


async def test_a_lost_connection_is_no_fault_of_the_update(sqlite_database: Database, clock: ManualClock) -> None:
    lost = sa.exc.DBAPIError("x", {}, Exception("x"), connection_invalidated=True)

    with pytest.raises(sa.exc.DBAPIError):
        await intake(sqlite_database, clock, Broken(lost, times=1))([raw(2, "poison")])


async def test_the_deliveries_are_woken(sqlite_database: Database, clock: ManualClock) -> None:
    signals = LocalSignals()
    events = [signals.listen(lane) for lane in ("telegram", "handoff")]

    await intake(sqlite_database, clock, Broken(ZeroDivisionError(), 0), signals)([raw(3, "hello")])

    assert all(event.is_set() for event in events)
