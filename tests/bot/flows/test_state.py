"""What a dialogue keeps of its flows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.flows.state import FLOWS, HIDDEN, MOST_SAID, MOST_TEXT, Frame, State, is_old, kept_state, read_state, with_flows, without_values
from bot.turn.linking import parted

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def full() -> State:
    frame = Frame("transfer", "sure", touched=["amount"], answered=["amount"], saved={"card": "blue"}, done=True)
    return State(
        [Frame("lost", "which"), frame],
        {"amount": 50},
        {"recipient": ("Bob", NOW.isoformat())},
        {"card": ("red", "lost", NOW.isoformat())},
        {"for": "slot", "slot": "sure", "value": "secret"},
        NOW,
        7,
        True,
        1,
    )


def test_it_comes_back_as_it_was_kept() -> None:
    state = full()

    assert read_state(with_flows({"matter": "x"}, json.loads(json.dumps(kept_state(state))))) == state


def test_nothing_is_kept_of_nothing() -> None:
    assert kept_state(State()) == {}
    assert with_flows({"matter": "x", FLOWS: {"stack": []}}, {}) == {"matter": "x"}


@pytest.mark.parametrize("kept", [None, [], "x", {"stack": ["x", {"flow": "a"}]}, {"stack": [{"flow": "a", "step": "b", "later": 1}]}])
def test_what_another_version_wrote_is_read_as_far_as_it_goes(kept: Any) -> None:
    assert len(read_state({FLOWS: kept}).stack) <= 1


def test_it_stays_small_whatever_is_said() -> None:
    state = State([Frame("a", "b")], {f"s{n}": "x" * 10_000 for n in range(500)}, at=NOW)
    state.name({f"e{n}": "y" * 10_000 for n in range(500)}, NOW)

    kept = kept_state(state)

    assert len(kept["said"]) == MOST_SAID
    assert len(kept["slots"]) == 120
    assert max(len(value) for value in kept["slots"].values()) == MOST_TEXT


def test_a_trace_has_no_values() -> None:
    traced = without_values(with_flows({"matter": "x"}, kept_state(full())))

    assert traced["matter"] == "x"
    assert traced[FLOWS]["slots"] == {"amount": HIDDEN}
    assert not any(word in json.dumps(traced) for word in ("Bob", "secret", "blue", '"red"', "50"))


def test_what_was_named_long_ago_is_forgotten_unless_a_flow_is_open() -> None:
    outside, inside = full(), full()
    outside.stack = []
    for state in (outside, inside):
        state.forget_old(NOW + timedelta(hours=2))

    assert (outside.said, outside.recent) == ({}, {})
    assert list(inside.said) == ["recipient"]


def test_whose_answers_they_were_is_known_as_long_as_any_is_kept() -> None:
    over = full()
    over.stack, over.waits = [], None
    assert kept_state(over)["from"] == 7

    over.forget_old(NOW + timedelta(hours=2))
    assert kept_state(over)["from"] == 7  # a slot that outlives its flow may be of the other conversation as well

    over.slots = {}
    assert "from" not in kept_state(over)


def test_what_was_carried_over_is_dropped_where_the_two_people_are_parted_and_stays_where_others_are() -> None:
    dialogue = with_flows({"matter": "x"}, kept_state(full()))
    own = with_flows({"matter": "x"}, {**kept_state(full()), "from": None})

    assert parted(dialogue, [7, 9]) == {"matter": "x"}
    assert parted(dialogue, [9])[FLOWS] == dialogue[FLOWS]
    assert parted(own, [7])[FLOWS] == own[FLOWS]


def test_a_flow_is_old_after_its_time() -> None:
    assert not is_old(full(), NOW + timedelta(hours=23), timedelta(hours=24))
    assert is_old(full(), NOW + timedelta(hours=24), timedelta(hours=24))
    assert not is_old(State(at=NOW), NOW + timedelta(days=9), timedelta(hours=24))
