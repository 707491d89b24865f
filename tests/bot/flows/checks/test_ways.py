"""Ways through flows: what nothing leads to, what may come to nothing, and what goes round for ever."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from bot.flows.checks.ways import _knots, check_ways
from tests.bot.flows.checks.helpers import flow, flows_of, told


def found(folder: Path, *texts: str, started: frozenset[str] = frozenset()) -> list[str]:
    return told(check_ways(flows_of(folder, "flows:\n" + "".join(texts)), started))


def test_a_plain_flow_is_fine(tmp_path: Path) -> None:
    assert found(tmp_path, flow("f", "- collect: flag\n- action: utter_done")) == []


def test_a_step_that_nothing_leads_to(tmp_path: Path) -> None:
    assert found(tmp_path, flow("f", "- action: utter_a\n  next: END\n- action: utter_b\n- id: c\n  action: utter_c\n  next: END")) == [
        "8 mistake: nothing leads to this step of `f`; name its `id` in a `next`, or delete it",
        "9 mistake: nothing leads to this step of `f`; name its `id` in a `next`, or delete it",
    ]


@pytest.mark.parametrize(
    ("step", "condition", "warned"),
    [
        ("collect: flag", "slots.flag", True),
        ("collect: flag", "slots.flag | not slots.flag", False),
        ("collect: kind", "slots.kind = 'a' | slots.kind = 'b'", False),
        ("collect: word", "slots.kind = 'a' | slots.kind = 'b'", True),
        ("collect: kind", "slots.kind = 'a' | slots.kind is not 'a'", False),
        ("collect: word", "slots.kind = 'a' | slots.kind = 'b' | slots.kind is null", False),
        ("collect: flag", "slots.flag and slots.kind = 'a' | slots.flag and slots.kind != 'a' | not slots.flag", False),
        ("collect: amount", "slots.amount > 5 | slots.amount <= 5", True),
        ("noop: true", "true", False),
    ],
)
def test_a_choice_that_may_come_to_nothing(tmp_path: Path, step: str, condition: str, warned: bool) -> None:
    branches = "".join(f"\n    - if: {one.strip()}\n      then: END" for one in condition.split("|"))
    texts = found(tmp_path, flow("f", f"- {step}\n  next:{branches}"))

    expected = "6 warning: where none of these conditions holds, the flow ends here; say so with `- else: END`, or write what comes then"
    assert texts == ([expected] if warned else [])


def test_a_flow_that_nothing_starts(tmp_path: Path) -> None:
    alone = flow("alone", "- call: below", head="if: false")
    below = flow("below", "- noop: true\n  next: END", head="if: false")
    calls = flow("calls", "- call: below")

    assert found(tmp_path, alone, below) == [
        "2 warning: nothing starts `alone`; give it an `nlu_trigger`, or `call` or `link` it from a flow that is started",
        "7 warning: nothing starts `below`; give it an `nlu_trigger`, or `call` or `link` it from a flow that is started",
    ]
    assert found(tmp_path, alone, below, started=frozenset({"alone"})) == []
    assert found(tmp_path, below, calls) == []


def test_a_trigger_that_never_starts_its_flow(tmp_path: Path) -> None:
    never = flow("never", "- noop: true\n  next: END", head="nlu_trigger: [go]\n    if: false")
    texts = found(tmp_path, never, flow("f", "- link: never"))

    assert texts == ["2 warning: `never` has triggers, but its `if` is always false, so that only other flows start it"]


ASK = "- id: again\n  collect: flag\n"
BACK = "- noop: true\n  next:\n    - if: slots.flag\n      then: again\n    - else: END"


@pytest.mark.parametrize(
    ("steps", "circle"),
    [
        ("- id: again\n  action: utter_a\n" + BACK, True),
        ("- id: again\n  action: action_do\n" + BACK, False),
        (ASK + BACK, True),
        (ASK + "- set_slots: [{flag: null}]\n" + BACK, False),
        (ASK + "- set_slots: [{flag: true}]\n" + BACK, True),
        ("- id: again\n  call: other\n" + BACK, False),
        ("- id: again\n  call: quiet\n" + BACK, True),
        ("- id: again\n  call: sure\n" + BACK, False),
    ],
)
def test_a_circle_without_a_question(tmp_path: Path, steps: str, circle: bool) -> None:
    others = [
        flow("other", "- action: action_do", head="if: false"),
        flow("quiet", "- action: utter_b", head="if: false"),
        flow("sure", "- collect: kind\n  ask_before_filling: true", head="if: false"),
        flow("uses", "- call: other\n- call: quiet\n- call: sure"),
    ]
    texts = found(tmp_path, flow("f", steps), *others)

    assert len(texts) == circle
    assert all(text.startswith("6 mistake: `f` can go round from here for ever: ") for text in texts)
    if circle and "collect" in steps:
        assert texts[0].endswith("an answer once given stays; empty its slot with `set_slots` on the way")


def test_circles_of_links_and_calls(tmp_path: Path) -> None:
    assert found(tmp_path, flow("a", "- link: b"), flow("b", "- action: utter_b\n- link: a")) == [
        "6 mistake: `a` and `b` can go round from here for ever: put a question or an action on the way"
    ]
    assert found(tmp_path, flow("a", "- action: action_do\n- link: b"), flow("b", "- link: a")) == []
    assert found(tmp_path, flow("a", "- action: action_do\n- call: b"), flow("b", "- action: action_do\n- call: a")) == [
        "7 mistake: `a` and `b` call each other without end; `link` back, or name a step's `id` in `next`"
    ]
    assert found(tmp_path, flow("a", "- action: action_do\n- call: a")) == [
        "7 mistake: `a` calls itself without end; name the `id` of its first step in `next`"
    ]


def test_the_knots_are_those_of_a_plain_search() -> None:
    """Against the definition: two steps are in one knot if each can be reached from the other."""
    dice = random.Random(7)
    for _ in range(200):
        size = dice.randint(1, 7)
        nodes = [("f", str(n)) for n in range(size)]
        graph = {at: {to for to in nodes if dice.random() < 0.2} for at in nodes}
        reach = {(a, b) for a in nodes for b in graph[a]}
        for middle, a, b in itertools.product(nodes, repeat=3):
            if (a, middle) in reach and (middle, b) in reach:
                reach.add((a, b))
        expected = {frozenset(b for b in nodes if (a, b) in reach and (b, a) in reach) for a in nodes if (a, a) in reach}

        assert {frozenset(knot) for knot in _knots(graph)} == expected


def test_a_long_flow_is_checked_in_time(tmp_path: Path) -> None:
    steps = (
        "\n".join(f"- id: s{n}\n  action: utter_a\n  next: s{n + 1}" for n in range(1500)) + "\n- id: s1500\n  action: utter_a\n  next: s0"
    )

    assert len(found(tmp_path, flow("f", steps))) == 1
