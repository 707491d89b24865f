"""Retention beside the turns: one small step at a time, then a rest."""

from __future__ import annotations

from datetime import timedelta

from bot.turn.retain import PAUSE_S, REST_S, STEP_ROWS, Retain
from memory.clock import ManualClock
from memory.customers import Profile, find_or_make
from memory.database import Database, Tx
from memory.declared import Retention
from memory.inbox import put_in_quarantine, quarantined
from memory.links import CODE_TTL, KEPT_FOR, links_to_clear, make_code

RULES = (Retention("text", 30, "mask"), Retention("quarantine", 30, "remove"))


async def fill(database: Database, clock: ManualClock, first: int, count: int) -> None:
    rows = [{"channel": "t", "update_id": str(first + n), "raw": "", "why": "", "at": clock.now()} for n in range(count)]
    await database.write(lambda tx: put_in_quarantine(tx, rows))


async def left(database: Database) -> int:
    return len(await database.read(lambda tx: quarantined(tx, limit=10_000)))


async def test_it_goes_step_by_step_and_rests(sqlite_database: Database, clock: ManualClock) -> None:
    retain = Retain(sqlite_database, clock, RULES)
    await fill(sqlite_database, clock, 0, STEP_ROWS + 7)
    assert await retain.look() == REST_S  # nothing is old enough
    clock.advance(timedelta(days=31).total_seconds())
    await fill(sqlite_database, clock, 1000, 5)

    assert await retain.look() == PAUSE_S
    assert await left(sqlite_database) == 12
    assert await retain.look() == PAUSE_S
    assert await left(sqlite_database) == 5
    assert await retain.look() == REST_S

    clock.advance(REST_S - 1)
    assert await retain.look() == 1.0
    clock.advance(timedelta(days=30).total_seconds())
    assert await retain.look() == PAUSE_S
    assert await left(sqlite_database) == 0


async def test_ended_links_are_cleared_whatever_the_rules_are(sqlite_database: Database, clock: ManualClock) -> None:
    def make(tx: Tx) -> None:
        who = find_or_make(tx, "telegram", [Profile("42")], at=clock.now())["42"]
        for _ in range(STEP_ROWS + 1):
            make_code(tx, who.customer_id, who.identity_id, by="customer", at=clock.now())

    await sqlite_database.write(make)
    clock.advance((CODE_TTL + KEPT_FOR).total_seconds())
    retain = Retain(sqlite_database, clock, ())

    assert [await retain.look() for _ in range(3)] == [PAUSE_S, PAUSE_S, REST_S]
    assert await sqlite_database.read(lambda tx: links_to_clear(tx, now=clock.now() + timedelta(days=1))) == 0
