"""The telecoms company's actions over the sample, each one repeated within its turn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.conftest import Stage


async def test_the_services_are_listed(sofia: Stage) -> None:
    came = await sofia.act("action_list_services")

    assert came.slots["service_list"].splitlines() == [
        "- internet: Calla 150, £32.00 a month",
        "- TV: Family, £18.00 a month",
        "- mobile: Mobile 10 GB, £12.00 a month",
    ]
    assert (came.slots["service_count"], "service_kind" in came.slots) == (3, False)


async def test_what_is_offered_is_nobodys_secret(stage: Stage) -> None:
    stage.sender = "telegram:999"

    plans = await stage.act("action_list_plans", service_kind="Internet")
    assert plans.slots["plan_list"].splitlines()[0] == "- Calla 50: 50 Mbit/s, £25.00 a month"
    packages = await stage.act("action_channel_packages")
    assert packages.slots["package_list"].splitlines()[2] == "- Premium: 120 channels, with sport and films, £30.00 a month"
    assert (await stage.act("action_list_plans")).failed == ("missing", "service_kind")
    assert (await stage.act("action_list_plans", service_kind="telex")).failed == ("invalid", "service_kind")


async def test_a_service_is_checked_and_ordered(stage: Stage) -> None:
    await stage.prove("C3002", customer_number="60417738")
    slots = {"service_kind": "tv", "plan": "family", "start_day": "20 January"}

    checked = await stage.twice("action_check_start", **slots)
    assert {name: checked.slots[name] for name in ("plan_name", "plan_price", "order_day", "order_fee")} == {
        "plan_name": "Family",
        "plan_price": "£18.00",
        "order_day": "20 January 2026",
        "order_fee": "£20.00",
    }
    assert await stage.sample.find("orders", {}) == []

    came = await stage.twice("action_start_service", **slots)
    assert (came.says[0][0], came.says[0][1]["service"]) == ("utter_service_ordered", "TV")
    assert len(await stage.sample.find("orders", {"customer_id": "C3002"})) == 1
    assert (await stage.act("action_start_service", **slots)).failed == ("refused", "have_already")
    phone = await stage.act("action_start_service", service_kind="home-phone")  # there is one plan only
    assert phone.slots["plan_name"] == "Home phone"


@pytest.mark.parametrize(
    ("slots", "failed"),
    [
        ({}, ("missing", "service_kind")),
        ({"service_kind": "mobile"}, ("missing", "plan")),
        ({"service_kind": "mobile", "plan": "GB"}, ("several", "plan")),
        ({"service_kind": "mobile", "plan": "Calla 50"}, ("invalid", "plan")),
        ({"service_kind": "mobile", "plan": "30", "start_day": "whenever"}, ("invalid", "start_day")),
        ({"service_kind": "mobile", "plan": "30", "start_day": "in 90 days"}, ("refused", "day_too_far")),
        ({"service_kind": "internet", "plan": "calla 500"}, ("refused", "have_already")),
    ],
)
async def test_what_cannot_be_ordered(sofia: Stage, slots: dict[str, Any], failed: tuple[str, str]) -> None:
    for action in ("action_check_start", "action_start_service"):
        assert (await sofia.twice(action, **slots)).failed == failed


async def test_services_move_with_their_home(sofia: Stage) -> None:
    slots = {"new_address": {"text": "8 Hill Road, Leeds LS6 1AA"}, "move_day": "2026-01-20"}

    came = await sofia.twice("action_move_service", **slots)
    ((reply, said),) = came.says
    assert (reply, said["services"], said["day"]) == ("utter_service_moving", "internet, TV", "20 January 2026")
    assert said["address"] == came.slots["new_address"] == "8 Hill Road, Leeds LS6 1AA"
    assert (await sofia.act("action_move_service", **slots)).failed == ("refused", "moving_already")
    assert (await sofia.act("action_move_service", **slots, service_kind="mobile")).failed == ("refused", "nothing_to_move")
    assert (await sofia.act("action_move_service", new_address="8 Hill Road, LS6 1AA")).failed == ("missing", "move_day")
    assert (await sofia.act("action_move_service", move_day="tomorrow")).failed == ("missing", "new_address")


async def test_a_plan_is_changed(sofia: Stage) -> None:
    slots = {"service_kind": "internet", "plan": "500"}

    checked = await sofia.twice("action_check_upgrade", **slots)
    assert (checked.slots["plan_before"], checked.slots["plan_is_larger"], checked.slots["order_day"]) == (
        "Calla 150",
        True,
        "6 January 2026",
    )
    came = await sofia.twice("action_upgrade_service", **slots)
    ((reply, said),) = came.says
    assert (reply, said["plan"], said["before"], said["price"]) == ("utter_service_changed", "Calla 500", "Calla 150", "£42.00")
    assert (await sofia.act("action_upgrade_service", **slots)).failed == ("refused", "same_plan")
    smaller = await sofia.act("action_upgrade_service", service_kind="tv", plan="basic")
    assert (smaller.slots["plan_is_larger"], smaller.slots["order_day"]) == (False, "1 February 2026")
    assert (await sofia.act("action_upgrade_service", plan="500")).failed == ("several", "service_kind")
    assert (await sofia.act("action_upgrade_service", service_kind="home phone")).failed == ("not_found", "service")


async def test_a_service_is_cancelled(sofia: Stage) -> None:
    checked = await sofia.twice("action_check_cancel", service_kind="internet")
    assert {name: checked.slots[name] for name in ("order_day", "order_fee", "return_by")} == {
        "order_day": "4 February 2026",
        "order_fee": "£20.00",
        "return_by": "18 February 2026",
    }
    came = await sofia.twice("action_cancel_service", service_kind="internet")
    assert (came.says[0][0], came.says[0][1]["plan"]) == ("utter_service_cancelled_return", "Calla 150")
    assert len(await sofia.sample.find("orders", {"customer_id": "C3001"})) == 1
    mobile = await sofia.act("action_cancel_service", service_kind="mobile", last_day="2026-03-01")
    assert (mobile.says[0][0], mobile.slots["return_by"]) == ("utter_service_cancelled", None)
    assert (await sofia.act("action_cancel_service", service_kind="internet")).failed == ("refused", "cancelled_already")
    assert (await sofia.act("action_cancel_service", service_kind="tv", last_day="tomorrow")).failed == ("refused", "day_too_soon")


async def test_an_only_service_need_not_be_named(stage: Stage) -> None:
    await stage.prove("C3002", customer_number="60417738")

    assert (await stage.act("action_list_services")).slots["service_kind"] == "internet"
    came = await stage.twice("action_cancel_service")
    assert (came.slots["order_fee"], came.says[0][0]) == ("free", "utter_service_cancelled_return")


async def test_bills(sofia: Stage) -> None:
    came = await sofia.act("action_bills")
    assert came.slots["bill_list"].splitlines() == [
        "- December 2025: £62.00, open",
        "- November 2025: £57.00, paid",
        "- October 2025: £57.00, paid",
    ]
    assert (came.slots["bill_count"], came.slots["bill_open"]) == (3, "£62.00")

    latest = await sofia.act("action_bill")
    ((reply, said),) = latest.says
    assert (reply, said["due_on"], said["total"]) == ("utter_bill_open", "15 January 2026", "£62.00")
    assert said["list"].splitlines()[3:] == ["- Internet and mobile together: -£5.00", "- 5 GB extra: £5.00"]
    october = await sofia.act("action_bill", bill_month="october")
    assert (october.says[0][0], october.slots["bill_month"]) == ("utter_bill_paid", "October 2025")
    assert (await sofia.act("action_bill", bill_month="2024-02")).failed == ("not_found", "bill")
    assert (await sofia.act("action_bill", bill_month="the big one")).failed == ("invalid", "bill_month")


async def test_data_usage(sofia: Stage) -> None:
    came = await sofia.act("action_data_usage")

    said = {"used": "7.4 GB", "allowance": "10 GB", "percent": 74, "resets_on": "1 February 2026"}
    assert came.says == (("utter_data_usage", said),)


async def test_all_data_used_up(stage: Stage) -> None:
    await stage.prove("C3003", customer_number="6041 7746")

    assert (await stage.act("action_data_usage")).says[0][0] == "utter_data_used_up"
    assert (await stage.act("action_move_service", new_address="x LS1 4AB", move_day="2026-01-20")).failed == ("refused", "nothing_to_move")


async def test_nothing_there_is_said_to_be_nothing(stage: Stage) -> None:
    await stage.prove("C3004", customer_number="60417754")
    assert (await stage.act("action_bills")).failed == ("not_found", "bill")
    assert (
        "internet: Calla 50, £25.00 a month, cancelling until 17 January 2026"
        in (await stage.act("action_list_services")).slots["service_list"]
    )

    await stage.prove("N1001", account_number="12345678")  # a customer of the bank: none of it is theirs
    for action in ("action_list_services", "action_bills", "action_data_usage", "action_check_cancel"):
        assert (await stage.act(action)).failed[0] == "not_found"
