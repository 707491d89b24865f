"""An agent looks into the past from the topic; the customer sees nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.desks import texts
from bot.desks.act import Acted
from bot.desks.casework import wants_to_find
from bot.desks.looking import Looking
from memory.cache import LocalCache
from memory.clock import Clock
from memory.customers import pass_on
from memory.database import Database, Tx, table
from memory.declared import Declarations
from memory.exchanges import Exchange, exchange_row, log
from memory.merges import merge, unmerge
from memory.recaller import Recaller
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


async def find(case: Case, words: str, *, changed: Callable[[Tx], object] | None = None) -> str:
    """``/find`` as the intake deals with it: looked for first, and dealt with when ``changed`` has happened in between."""
    recaller = Recaller(case.database, Declarations(), case.clock, LocalCache(case.clock))
    incoming = case.incoming(ANN, text=f"/find {words}", message_id="m1")
    assert wants_to_find(incoming) == words
    looked = await Looking(case.database, recaller)(incoming, words)
    assert looked is not None
    if changed is not None:
        await case.database.write(changed)
    assert await case.database.write(lambda tx: case.casework.act(tx, incoming, now=case.clock.now(), looked=looked)) is Acted.DONE
    (post,) = await case.posts()
    return post


async def test_what_was_found_before_is_shown_as_it_was_found(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    await live(case, "the courier left my parcel in Whitby harbour")

    def not_again(*_: object, **_rest: object) -> None:
        raise AssertionError("it is searched for a second time")

    monkeypatch.setattr("bot.desks.looking.recall", not_again)
    assert "Whitby harbour" in await find(case, "where did the courier leave it")


async def test_what_is_no_longer_so_is_not_shown(case: Case) -> None:
    """The words were emptied in between, as when somebody is forgotten or a time is over."""
    await live(case, "the courier left my parcel in Whitby harbour")

    def emptied(tx: Tx) -> None:
        tx.execute(sa.update(table(Exchange)).values(text="(nothing)"))
        pass_on(tx, case.customer_id)

    assert await find(case, "where did the courier leave it", changed=emptied) == texts.NOT_FOUND


async def test_nobody_is_shown_who_was_parted_from_the_customer_meanwhile(case: Case) -> None:
    other = await open_case(case.database, case.clock, topic="78", address="43")
    await live(other, "the courier left my parcel in Whitby harbour")
    merged = await case.database.write(
        lambda tx: merge(tx, case.customer_id, other.customer_id, evidence={}, by="desk:1", at=case.clock.now())
    )

    post = await find(case, "where did the courier leave it", changed=lambda tx: unmerge(tx, merged.id, by="desk:1", at=case.clock.now()))

    assert post == texts.NOT_FOUND


@pytest.mark.parametrize("text", ["/find", "/find ", "find the parcel", "/claim", "// /find x"])
async def test_nothing_else_is_looked_for(case: Case, text: str) -> None:
    assert wants_to_find(case.incoming(ANN, text=text)) is None


@pytest.mark.parametrize(("command", "answer"), [("/find", texts.NOT_FOUND_WORDS), ("/find xylophone", texts.NOT_FOUND)])
async def test_an_agent_is_told_when_there_is_nothing(case: Case, command: str, answer: str) -> None:
    assert await case.says(ANN, command) is Acted.DONE

    assert await case.posts() == [answer]
