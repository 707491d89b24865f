"""The insurer's actions over the sample, each one repeated within its turn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.conftest import Stage


async def test_the_policies_are_listed(priya: Stage) -> None:
    came = await priya.act("action_list_policies")

    assert came.slots["policy_list"] == "- HP123456: Motor Plus, Ford Focus 2019\n- HP204418: Phone, Fairphone 5"
    assert "policy_number" not in came.slots


async def test_a_proof_is_issued_by_e_mail(priya: Stage) -> None:
    came = await priya.twice("action_proof_of_insurance", policy_kind="motor")

    ((reply, said),) = came.says
    assert reply == "utter_proof_by_email"
    assert (said["item"], said["email"]) == ("Ford Focus 2019", "priya@people.example")
    assert [one.id for one in await priya.sample.find("proofs", {})] == [came.slots["proof_reference"]]


async def test_a_proof_is_issued_by_post(priya: Stage) -> None:
    came = await priya.twice("action_proof_of_insurance", policy_number="hp 204-418", proof_delivery="Post")

    ((reply, said),) = came.says
    assert reply == "utter_proof_by_post"
    assert (said["arrives_by"], said["address"]) == ("12 January 2026", "7 Orchard Close, Bath BA1 2QH")


@pytest.mark.parametrize(
    ("slots", "failed"),
    [
        ({}, ("several", "policy_number")),
        ({"policy_number": "HP310552"}, ("not_found", "policy")),  # Liam's
        ({"policy_kind": "home"}, ("not_found", "policy")),
        ({"policy_kind": "boat"}, ("invalid", "policy_kind")),
        ({"policy_number": "HP123456", "proof_delivery": "pigeon"}, ("invalid", "proof_delivery")),
    ],
)
async def test_a_proof_of_what_is_not_clear_is_not_issued(priya: Stage, slots: dict[str, Any], failed: tuple[str, str]) -> None:
    assert (await priya.twice("action_proof_of_insurance", **slots)).failed == failed
    assert await priya.sample.find("proofs", {}) == []


async def test_an_ended_policy_is_not_proven(stage: Stage) -> None:
    await stage.prove("H2004", policy_number="HP198700")

    assert (await stage.act("action_list_policies")).failed == ("not_found", "policy")
    assert (await stage.act("action_proof_of_insurance", policy_number="HP198700")).failed == ("refused", "policy_ended")


async def test_the_only_claim_need_not_be_named(priya: Stage) -> None:
    came = await priya.twice("action_claim_status")

    said = {"claim": "HC123456", "item": "Ford Focus 2019", "missing": "the repair estimate"}
    assert came.says == (("utter_claim_missing", said),)
    assert (came.slots["claim_state"], came.slots["claim_next_by"]) == ("in review", None)


async def test_each_state_of_a_claim_has_its_reply(stage: Stage) -> None:
    await stage.prove("H2003", policy_number="HP310660")

    accepted = await stage.act("action_claim_status", claim_number="HC 310-140")
    said = {"claim": "HC310140", "item": "62 Station Road", "amount": "£1,240.00", "next_by": "9 January 2026"}
    assert accepted.says == (("utter_claim_accepted", said),)
    assert (await stage.act("action_claim_status", claim_number="HC310021")).says[0][0] == "utter_claim_refused"
    paid = await stage.act("action_claim_status", claim_number="hc309911")
    assert (paid.says[0][0], paid.says[0][1]["paid_on"]) == ("utter_claim_paid", "29 September 2025")
    assert (await stage.act("action_claim_status")).failed == ("several", "claim_number")
    assert (await stage.act("action_claim_status", claim_number="HC123456")).failed == ("not_found", "claim")  # Priya's


async def test_a_claim_that_was_just_received(stage: Stage) -> None:
    await stage.prove("H2002", policy_number="HP310552")

    came = await stage.act("action_claim_status")
    assert came.says == (("utter_claim_received", {"claim": "HC310102", "item": "Fiat Panda 2015", "next_by": "6 January 2026"}),)


async def test_a_broken_phone_is_reported(priya: Stage) -> None:
    came = await priya.twice("action_report_broken_phone", damage="screen", damaged_on="yesterday", device=None)

    said = {"claim": "HC400006", "device": "Fairphone 5", "excess": "£50.00", "ready_by": "9 January 2026"}
    assert came.says == (("utter_phone_claim_opened", said),)
    assert (came.slots["claim_number"], came.slots["device"]) == ("HC400006", "Fairphone 5")
    found = await priya.sample.find("claims", {"number": "HC400006"})
    assert [one["opened_on"] for one in found] == ["2026-01-05"]

    again = await priya.act("action_report_broken_phone", damage="screen", damaged_on="yesterday")
    assert again.failed == ("refused", "claim_open_already")


@pytest.mark.parametrize(
    ("slots", "reply"),
    [
        ({"damage": "Liquid", "repair_by": "shop"}, "utter_phone_claim_shop"),
        ({"damage": "theft", "police_reference": "P 12/3"}, "utter_phone_claim_theft"),
    ],
)
async def test_how_a_phone_is_repaired_decides_what_is_said(priya: Stage, slots: dict[str, Any], reply: str) -> None:
    came = await priya.twice("action_report_broken_phone", damaged_on="2026-01-02", device="Fairphone 4", **slots)
    assert (came.says[0][0], came.slots["device"]) == (reply, "Fairphone 4")


@pytest.mark.parametrize(
    ("slots", "failed"),
    [
        ({"damaged_on": "2026-01-02"}, ("missing", "damage")),
        ({"damage": "boredom", "damaged_on": "2026-01-02"}, ("invalid", "damage")),
        ({"damage": "screen"}, ("missing", "damaged_on")),
        ({"damage": "screen", "damaged_on": "some day"}, ("invalid", "damaged_on")),
        ({"damage": "screen", "damaged_on": "2025-12-01"}, ("refused", "too_late")),
        ({"damage": "screen", "damaged_on": "2026-01-09"}, ("refused", "day_future")),
        ({"damage": "theft", "damaged_on": "2026-01-02"}, ("refused", "police_reference_missing")),
    ],
)
async def test_a_report_that_cannot_be_taken(priya: Stage, slots: dict[str, Any], failed: tuple[str, str]) -> None:
    assert (await priya.twice("action_report_broken_phone", **slots)).failed == failed
    assert len(await priya.sample.find("claims", {"customer_id": "H2001"})) == 1


@pytest.mark.parametrize(
    ("said", "day", "failed"),
    [
        ("yesterday", "4 January 2026", (None, None)),
        ("on Saturday evening", "3 January 2026", (None, None)),
        ("2025-12-24", "24 December 2025", (None, None)),
        ("tomorrow", None, ("refused", "day_future")),
        ("some time ago", None, ("invalid", "damaged_on")),
        ("", None, ("missing", "damaged_on")),
    ],
)
async def test_the_day_of_a_damage_is_written_out(stage: Stage, said: str, day: str | None, failed: tuple[str | None, str | None]) -> None:
    came = await stage.twice("action_check_damage_day", damaged_on=said)
    assert (came.failed, came.slots.get("damaged_on")) == (failed, day)


async def test_without_cover_there_is_no_claim(stage: Stage) -> None:
    await stage.prove("H2002", policy_number="HP310552")

    came = await stage.act("action_report_broken_phone", damage="screen", damaged_on="today")
    assert came.failed == ("refused", "no_phone_cover")
