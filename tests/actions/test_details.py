"""What the company holds of a customer, and a change of address."""

from __future__ import annotations

import pytest

from tests.actions.conftest import Stage


async def test_customers_are_told_what_is_held_of_them(sofia: Stage) -> None:
    came = await sofia.twice("action_account_details")

    assert came.says == (
        (
            "utter_account_details",
            {
                "name": "Sofia Rossi",
                "email": "sofia@people.example",
                "phone": "+447700900301",
                "address": "14 Canal Side, Leeds LS10 1JF",
                "number": "12345678",
            },
        ),
    )


async def test_an_address_is_changed(ann: Stage) -> None:
    came = await ann.twice("action_change_address", address="4 New Road,  Leeds LS2 9JT", address_from="1 February")

    assert came.says == (("utter_address_changed", {"address": "4 New Road, Leeds LS2 9JT", "from_day": "1 February 2026"}),)
    held = await ann.sample.get("customers", "N1001")
    assert held is not None
    assert (held["address"], held["next_address_from"]) == ("12 Mill Lane, Leeds LS1 4AB", "2026-02-01")


@pytest.mark.parametrize(
    ("address", "day", "failed"),
    [
        ("", "", ("missing", "address")),
        ("round the corner", "", ("refused", "address_incomplete")),
        ("4 New Road, Leeds LS2 9JT", "soon", ("invalid", "address_from")),
        ("4 New Road, Leeds LS2 9JT", "2025-12-31", ("refused", "day_past")),
        ("4 New Road, Leeds LS2 9JT", "2027-01-01", ("refused", "day_too_far")),
    ],
)
async def test_an_address_that_cannot_be_taken(ann: Stage, address: str, day: str, failed: tuple[str, str]) -> None:
    assert (await ann.twice("action_change_address", address=address, address_from=day)).failed == failed
