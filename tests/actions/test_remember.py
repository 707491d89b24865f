"""What flows have the memory keep, once each, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from actions.declared import KEY, as_json
from memory.consents import consent_table
from memory.context import Context
from memory.declared import Declarations, Declared, Purpose
from memory.exchanges import exchange_id
from memory.facts import fact_history
from memory.values import Type
from tests.actions.conftest import Stage

DECLARED = Declarations(
    facts={
        "phone": Declared("phone", type=Type.PHONE),
        "city": Declared("city"),
        "plan": Declared("plan", choices=("gold", "silver")),
        "interests": Declared("interests", type=Type.LIST, purpose="offers"),
    },
    purposes={
        "service": Purpose("service", "Serving you", "We use it.", "1"),
        "offers": Purpose("offers", "Offers", "May we?", "2", "required"),
    },
    region="GB",
)


@pytest.fixture
async def told(stage_both: Stage) -> Stage:
    """Somebody who writes, and an assistant that declares what may be known of them."""
    stage_both.domain = {KEY: as_json(DECLARED)}
    return stage_both


async def facts(stage: Stage) -> list[tuple[str, Any]]:
    who = await stage.meet()
    return [(row.name, row.value) for row in await stage.database.read(lambda tx: fact_history(tx, who.person))]


async def known(stage: Stage) -> Context:
    return await stage.context((await stage.meet()).identity_id)


async def test_what_the_slots_say_is_kept_once(told: Stage) -> None:
    came = await told.twice("action_remember", phone="020 7946 0018", city="Leeds", weather="fine")
    assert came.slots == {"action_failed": None, "failed_reason": None, "remembered": ["city", "phone"]}

    assert sorted(await facts(told)) == [("city", "Leeds"), ("phone", "+442079460018")]
    context = await known(told)
    assert (context.facts["city"].source, context.facts["city"].exchange_id) == ("customer", exchange_id(told.turn, 0))


async def test_what_recall_has_put_into_a_slot_was_not_told_anew(told: Stage) -> None:
    await told.act("action_remember", city="Leeds")
    said_at = (await known(told)).facts["city"].fresh_at
    told.clock.advance(3600)
    await told.act("action_remember", city="Leeds", plan="gold")

    context = await known(told)
    assert context.facts["city"].fresh_at == said_at
    assert context.facts["plan"].value == "gold"


async def test_only_what_is_asked_for_is_kept(told: Stage) -> None:
    assert (await told.act("action_remember", remember="city", city="Leeds", plan="gold")).slots["remembered"] == ["city"]
    assert (await told.act("action_remember", remember=["plan"], city="York", plan="silver")).slots["remembered"] == ["plan"]
    assert await facts(told) == [("city", "Leeds"), ("plan", "silver")]


@pytest.mark.parametrize(
    ("slots", "failed"),
    [
        ({"remember": "weather", "weather": "fine"}, ("not_kept", "weather")),
        ({"remember": "city", "city": ""}, ("missing", "city")),
        ({"city": "Leeds", "plan": "bronze"}, ("invalid", "plan")),
        ({"city": "Leeds", "interests": ["loans"]}, ("not_kept", "interests")),
    ],
)
async def test_all_of_it_is_kept_or_nothing(told: Stage, slots: dict[str, Any], failed: tuple[str, str]) -> None:
    assert (await told.twice("action_remember", **slots)).failed == failed
    assert await facts(told) == []


async def answers(stage: Stage) -> list[tuple[str, bool, str]]:
    rows = await stage.database.read(lambda tx: tx.execute(consent_table.select().order_by(consent_table.c.id)).all())
    return [(row.purpose, row.granted, row.version) for row in rows]


async def test_a_consent_is_kept_once_and_can_be_taken_back(told: Stage) -> None:
    came = await told.twice("action_consent", consent_purpose="offers", consent_given=True)
    assert came.slots["consent_given"] is True
    assert await answers(told) == [("offers", True, "2")]
    assert (await told.act("action_remember", interests=["loans"])).slots["remembered"] == ["interests"]

    await told.twice("action_consent", consent_purpose="offers", consent_given="no")
    assert await answers(told) == [("offers", True, "2"), ("offers", False, "2")]
    context = await known(told)
    assert context.consents["offers"].granted is False


@pytest.mark.parametrize(
    ("slots", "failed"),
    [
        ({"consent_given": True}, ("missing", "consent_purpose")),
        ({"consent_purpose": "offers"}, ("missing", "consent_given")),
        ({"consent_purpose": "spying", "consent_given": True}, ("not_kept", "spying")),
    ],
)
async def test_an_answer_that_cannot_be_kept(told: Stage, slots: dict[str, Any], failed: tuple[str, str]) -> None:
    assert (await told.act("action_consent", **slots)).failed == failed
    assert await answers(told) == []


async def test_of_nobody_known_nothing_is_kept(told: Stage) -> None:
    told.sender = "telegram:999"
    assert (await told.act("action_remember", city="Leeds")).failed == ("not_proven", "seen")
    assert (await told.act("action_consent", consent_purpose="offers", consent_given=True)).failed == ("not_proven", "seen")


async def test_a_call_that_declares_nothing_may_have_little_kept(told: Stage) -> None:
    told.domain = {}
    assert (await told.act("action_remember", city="Leeds", name="Ann", language="Welsh")).failed == ("invalid", "language")
    assert (await told.act("action_remember", city="Leeds", name="Ann", language="Irish")).slots["remembered"] == ["language", "name"]
    assert (await told.act("action_remember", remember="city", city="Leeds")).failed == ("not_kept", "city")
