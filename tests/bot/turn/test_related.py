"""A handoff is given what the past has, and does without it where that cannot be had."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.turn import related
from bot.turn.related import Related
from memory.cache import LocalCache
from memory.clock import ManualClock
from memory.database import Database
from memory.declared import Declarations
from memory.exchanges import exchange_row, log
from memory.recaller import Recaller
from tests.bot.turn.gathered import context
from tests.memory.people import after, meet


async def test_what_belongs_to_the_matter_is_found_and_the_last_lines_are_not_repeated(database: Database, clock: ManualClock) -> None:
    cora = await meet(database)
    rows = [
        exchange_row(
            id=n,
            customer_id=cora.customer_id,
            identity_id=cora.identity_id,
            turn_id=n,
            direction="in",
            author="customer",
            kind="text",
            text="my parcel fell into the harbour" if n in (5, 38) else f"good morning number {n}",
            at=after(n),
        )
        for n in range(1, 41)
    ]
    await database.write(lambda tx: log(tx, rows))
    known = context(customer_id=cora.customer_id)
    find = Related(Recaller(database, Declarations(), clock, LocalCache(clock)))

    found = await find(known, "the parcel in the harbour")

    assert (found[0].exchange_id, found[0].at) == (5, after(5))
    assert "fell into the harbour" in found[0].text
    assert all(moment.exchange_id < 29 for moment in found)
    assert await find(known, "the parcel in the harbour") == found
    assert await find(known, "") == ()


class _Broken:
    async def __call__(self, *_: Any, **_rest: Any) -> None:
        raise ConnectionError("my parcel fell into the harbour")


class _Slow:
    async def __call__(self, *_: Any, **_rest: Any) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize("recaller", [_Broken(), _Slow()])
async def test_without_it_a_handoff_goes_on(recaller: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(related, "LIMIT_S", 0.01)

    assert await Related(recaller)(context(), "the parcel in the harbour") == ()

    assert "could not be searched" in caplog.text
    assert "harbour" not in caplog.text
