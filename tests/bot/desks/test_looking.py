"""An agent looks into the past from the topic; the customer sees nothing of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.desks import texts
from bot.desks.act import Acted
from memory.clock import Clock
from memory.database import Database, Tx
from memory.exchanges import exchange_row, log
from tests.bot.desks.cases import ANN, Case, open_case


@pytest.fixture
async def case(database: Database, clock: Clock) -> Case:
    return await open_case(database, clock)


async def live(case: Case, told: str) -> None:
    """A past in which one thing stands out, before the last exchanges."""

    def fill(tx: Tx) -> None:
        rows = [
            exchange_row(
                id=1 + n,
                customer_id=case.customer_id,
                identity_id=case.identity_id,
                turn_id=0,
                direction="in",
                author="customer",
                kind="text",
                text=told if n == 3 else f"good morning number {n}",
                at=case.clock.now() - timedelta(days=90 - n),
            )
            for n in range(40)
        ]
        log(tx, rows)

    await case.database.write(fill)


async def test_the_moment_is_shown_to_agents_only(case: Case) -> None:
    await live(case, "the courier left my parcel in Whitby harbour")

    assert await case.says(ANN, "/find where did the courier leave it") is Acted.DONE

    (post,) = await case.posts()
    assert post.startswith(texts.FOUND)
    assert "Whitby harbour" in post
    assert await case.told() == []
    assert (await case.handoff()).state == "waiting"


@pytest.mark.parametrize(("command", "answer"), [("/find", texts.NOT_FOUND_WORDS), ("/find xylophone", texts.NOT_FOUND)])
async def test_an_agent_is_told_when_there_is_nothing(case: Case, command: str, answer: str) -> None:
    assert await case.says(ANN, command) is Acted.DONE

    assert await case.posts() == [answer]
