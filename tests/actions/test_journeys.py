"""What an action does moves the customer's journey, once, where the assistant declares it; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

import actions.who
from actions.declared import KEY, as_json
from actions.records.sample.store import SampleRecords
from memory.clock import ManualClock
from memory.customers import ownership_of
from memory.database import Database
from memory.detach import cut
from memory.erasure import ask_to_forget, get_erasure
from memory.journeys import journey_history, move_journey
from memory.known import refresh_known
from tests.actions.conftest import Stage
from tests.actions.declarations import declared_by
from tests.memory.people import pause


@pytest.fixture
async def ann(stage_both: Stage) -> Stage:
    """Ann Lee, proven, with an assistant that declares journeys."""
    await stage_both.prove("N1001", account_number="12345678")
    stage_both.domain = {KEY: as_json(declared_by("banking"))}
    return stage_both


async def moves(stage: Stage) -> list[tuple[str | None, str, str, str, int | None]]:
    who = await stage.meet()
    rows = await stage.database.read(lambda tx: journey_history(tx, who.person))
    return [(row.from_stage, row.to_stage, row.by, row.why, row.turn_id) for row in rows]


async def test_a_journey_moves_once_with_what_was_done(ann: Stage) -> None:
    await ann.twice("action_block_card", card_ending="4821")
    blocked = ann.turn
    await ann.twice("action_replace_card", card_ending="4821")

    assert await moves(ann) == [
        (None, "lost", "action", "action_block_card", blocked),
        ("lost", "replacement ordered", "action", "action_replace_card", ann.turn),
    ]
    context = await ann.context((await ann.meet()).identity_id)
    assert [(one.product, one.stage) for one in context.journeys] == [("card", "replacement ordered")]


async def test_a_journey_is_not_moved_where_no_way_leads(ann: Stage) -> None:
    who = await ann.meet()

    def ordered(tx: Any) -> None:
        move_journey(tx, who.home_id, "account", "closed", by="agent", at=ann.clock.now())
        refresh_known(tx, who.person)

    await ann.database.write(ordered)
    payout = {"payout_account_number": "99887766", "payout_routing_number": "112233"}
    assert (await ann.act("action_close_account", account_kind="savings", **payout)).failed == (None, None)
    assert [move[1] for move in await moves(ann)] == ["closed"]


async def test_what_failed_or_is_not_declared_moves_nothing(ann: Stage) -> None:
    await ann.act("action_block_card", card_ending="9999")
    ann.domain = {}
    await ann.act("action_block_card", card_ending="4821")

    assert await moves(ann) == []


async def test_of_somebody_who_is_forgotten_nothing_is_written(ann: Stage) -> None:
    """Forgotten while the company's system was being asked: what it did stays done, and the memory keeps nothing of it."""
    who = await ann.meet()
    real = ann.records

    class Forgets:
        """The records, during whose answer the customer is forgotten."""

        place = real.place
        get, find, close = real.get, real.find, real.close

        async def do(self, *given: Any, **more: Any) -> Any:
            done = await real.do(*given, **more)

            def forget(tx: Any) -> None:
                erasure_id = ask_to_forget(tx, who.customer_id, asked_by="customer", at=ann.clock.now())
                erasure = get_erasure(tx, erasure_id) if erasure_id is not None else None
                assert erasure is not None
                cut(tx, erasure, now=ann.clock.now())

            await ann.database.write(forget)
            return done

    ann.records = Forgets()
    assert (await ann.act("action_block_card", card_ending="4821")).says == (("utter_card_blocked", {"ending": "4821"}),)
    assert await ann.database.read(lambda tx: journey_history(tx, who.person)) == []
    assert (await ann.act("action_balance")).failed == ("not_proven", "confirmed")


async def test_who_is_forgotten_in_the_middle_of_the_write_is_not_written_about(
    postgres_database_url: str, clock: ManualClock, sample: SampleRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, where another transaction may come between finding the customer and holding them."""
    database = Database(postgres_database_url)
    stage = Stage(database, clock, sample, sample, domain={KEY: as_json(declared_by("banking"))})
    who = await stage.meet()
    await stage.prove("N1001", account_number="12345678")
    forgotten: list[None] = []

    def forget(tx: Any) -> None:
        erasure_id = ask_to_forget(tx, who.customer_id, asked_by="customer", at=clock.now())
        erasure = get_erasure(tx, erasure_id) if erasure_id is not None else None
        assert erasure is not None
        cut(tx, erasure, now=clock.now())

    def too_late(tx: Any, customer_ids: Any) -> Any:
        if not forgotten:
            forgotten.append(pause(database.write(forget)))
        return ownership_of(tx, customer_ids)

    monkeypatch.setattr(actions.who, "ownership_of", too_late)
    try:
        assert (await stage.act("action_block_card", card_ending="4821")).failed == (None, None)
        assert forgotten == [None]
        assert await database.read(lambda tx: journey_history(tx, who.person)) == []
    finally:
        await database.close()
