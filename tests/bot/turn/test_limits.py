"""The pace of sends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.turn.limits import ADDRESSES, Limits
from memory.clock import ManualClock


def limits(clock: ManualClock, **more: float) -> Limits:
    return Limits(clock, **{"overall_per_s": 30, "burst": 30, "address_per_s": 1, **more})


def test_a_chat_bears_a_short_burst_and_then_one_a_second() -> None:
    clock = ManualClock()
    pace = limits(clock)
    for _ in range(3):
        assert pace.wait_s("42") == 0
        pace.spend("42")

    assert pace.wait_s("42") == pytest.approx(1)
    assert pace.wait_s("43") == 0
    clock.advance(0.4)
    assert pace.wait_s("42") == pytest.approx(0.6)
    clock.advance(0.6)
    assert pace.wait_s("42") == 0


def test_all_together_send_so_many_a_second() -> None:
    clock = ManualClock()
    pace = limits(clock, overall_per_s=2, burst=2)
    for n in range(2):
        pace.spend(str(n))

    assert pace.free(10) == 0
    assert pace.overall_wait_s() == pytest.approx(0.5)
    clock.advance(0.5)
    assert (pace.free(10), pace.overall_wait_s()) == (1, 0)
    clock.advance(3600)
    assert pace.free(10) == 2


def test_no_limit_is_no_limit() -> None:
    clock = ManualClock()
    pace = limits(clock, overall_per_s=0, address_per_s=0, burst=0)
    for _ in range(1000):
        pace.spend("42")

    assert (pace.free(32), pace.overall_wait_s(), pace.wait_s("42")) == (32, 0, 0)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.99])
def test_less_than_one_a_second_is_slow_and_not_never(rate: float) -> None:
    """The burst of a slow pace is less than one message."""
    clock = ManualClock()
    pace = limits(clock, overall_per_s=rate, burst=rate)
    passed = 0.0
    for _ in range(11):
        while not pace.free(1):
            clock.advance(wait := pace.overall_wait_s() + 0.000_01)
            passed += wait
        pace.spend("42")

    assert passed == pytest.approx(10 / rate, rel=0.01)


def test_few_addresses_are_remembered() -> None:
    clock = ManualClock()
    pace = limits(clock, overall_per_s=0)
    for n in range(ADDRESSES + 5):
        pace.spend(str(n))

    assert len(pace._addresses) == ADDRESSES
    assert str(ADDRESSES) in pace._addresses


@settings(max_examples=40, deadline=None)
@given(
    rate=st.floats(0.01, 100),
    burst=st.floats(0.01, 100),
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 20)), max_size=30),
)
def test_never_more_than_the_burst_and_what_time_allows(rate: float, burst: float, steps: list[tuple[float, int]]) -> None:
    clock = ManualClock()
    pace = limits(clock, overall_per_s=rate, burst=burst, address_per_s=0)
    sent, passed = 0, 0.0
    for seconds, wanted in steps:
        clock.advance(seconds)
        passed += seconds
        free = pace.free(wanted)
        assert 0 <= free <= wanted
        for _ in range(free):
            pace.spend("42")
        sent += free
        assert sent <= max(burst, 1) + rate * passed + 0.001
        if not pace.free(1):
            clock.advance(wait := pace.overall_wait_s() + 0.000_01)
            passed += wait
            assert pace.free(1) == 1
