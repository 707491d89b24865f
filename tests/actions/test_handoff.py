"""``action_handoff``: a person is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.calling import call


@pytest.mark.parametrize(
    ("slots", "asked"),
    [
        ({}, {"reason": None, "queue": None, "note": None}),
        (
            {"handoff_reason": "uncertain", "handoff_queue": "cards", "handoff_note": " the block\nmay be done "},
            {"reason": "uncertain", "queue": "cards", "note": "the block may be done"},
        ),
        ({"handoff_reason": 7, "handoff_note": "x" * 900}, {"reason": None, "queue": None, "note": "x" * 500}),
    ],
)
async def test_it_asks_for_a_person(slots: dict[str, Any], asked: dict[str, Any]) -> None:
    came = await call("action_handoff", "telegram:501", slots)

    assert came.custom == ({"legato": {"handoff": asked}},)
    assert (came.says, came.slots) == ((), {})


async def test_it_needs_neither_a_turn_nor_a_memory() -> None:
    came = await call("action_handoff", "default", {}, latest={}, events=[])
    assert len(came.custom) == 1
