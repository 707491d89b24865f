"""Examples: too few, the same twice, and such as would start another flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.check_flows import learner
from bot.flows.checks.examples import FOLDS, Judge, check_examples
from tests.bot.flows.checks.helpers import flow, flows_of, told

FLOWS = "flows:\n" + flow("f", "- collect: flag") + flow("g", "- collect: flag", head="nlu_trigger: [other]")


def nlu(**intents: Sequence[str]) -> str:
    lines = ["nlu:"]
    for name, sentences in intents.items():
        lines += [f"  - intent: {name}", "    examples: |", *(f"      - {sentence}" for sentence in sentences)]
    return "\n".join(lines) + "\n"


GO = ["please go", "start now", "off we went then", "let us begin", "i want to start"]
OTHER = ["where is my parcel", "has it been sent", "i am still waiting for my order", "track a delivery", "when does it arrive"]


def test_enough_different_examples_are_fine(tmp_path: Path) -> None:
    assert check_examples(flows_of(tmp_path, FLOWS, nlu=nlu(go=GO, other=OTHER))) == []


def test_few_examples(tmp_path: Path) -> None:
    found = check_examples(flows_of(tmp_path, FLOWS, nlu=nlu(go=GO[:4], other=OTHER[:1])))

    assert told(found) == [
        "2 warning: the intent `go` has 4 examples; write at least 5, each in other words",
        "8 warning: the intent `other` has 1 example; write at least 5, each in other words",
    ]


def test_the_same_example_twice(tmp_path: Path) -> None:
    same = ["Start, now!", *OTHER]
    near = ["i want to start to", "please do go on with it now my dear", "¿?"]
    found = check_examples(flows_of(tmp_path, FLOWS, nlu=nlu(go=[*GO, "please do go on with it now dear my"], other=[*same, *near])))

    assert told(found) == [
        "12 mistake: the intent `go` has the same example in nlu.yml, line 5; leave it with one of the two",
        "18 warning: the intent `go` has nearly the same example in nlu.yml, line 8",
        "19 warning: the intent `go` has nearly the same example in nlu.yml, line 9",
        "20 mistake: the example of `other` has no words in it",
    ]


def test_an_example_is_never_judged_by_what_learned_it(tmp_path: Path) -> None:
    flows = flows_of(tmp_path, FLOWS, nlu=nlu(go=GO, other=OTHER))
    judged: list[str] = []

    def learn(examples: Mapping[str, Sequence[str]]) -> Judge:
        known = {sentence for sentences in examples.values() for sentence in sentences}

        def judge(sentence: str) -> tuple[str, float] | None:
            assert sentence not in known
            judged.append(sentence)
            return ("other", 0.9) if sentence in ("start now", "track a delivery") else ("other", 0.3)

        return judge

    found = told(check_examples(flows, learn))

    assert sorted(judged) == sorted([*GO, *OTHER])
    assert found == [
        "5 warning: by its words this example of `go` is one of `other`; move it there, or write more examples like it under `go`"
    ]


def test_an_intent_with_one_example_is_not_tried(tmp_path: Path) -> None:
    tried = 0

    def learn(examples: Mapping[str, Sequence[str]]) -> Judge:
        nonlocal tried
        tried += 1
        assert all(examples.values())
        return lambda sentence: None

    check_examples(flows_of(tmp_path, FLOWS, nlu=nlu(go=GO, other=OTHER[:1])), learn)

    assert tried == FOLDS - 1


def test_the_assistants_own_learning_finds_what_is_in_the_wrong_place(tmp_path: Path) -> None:
    go = [*GO, "begin please", "can we start", "start it", "go ahead and begin", "please track my parcel and its delivery"]
    other = [*OTHER, "my parcel has not arrived", "where is the delivery", "track my parcel please", "parcel tracking", "is my parcel sent"]
    found = check_examples(flows_of(tmp_path, FLOWS, nlu=nlu(go=go, other=other)), learner("en"))

    assert [mistake.text.partition(";")[0] for mistake in found if mistake.line == 13] == [
        "by its words this example of `go` is one of `other`"
    ]
    assert len(found) <= 2
