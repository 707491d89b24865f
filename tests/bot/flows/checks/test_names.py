"""Names in flows: what nobody has, nobody sets, nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.flows.checks.names import ActionNames, ReplyNames, check_names
from tests.bot.flows.checks.helpers import DOMAIN, NLU, flow, flows_of, told
from tests.bot.flows.files.sample import DECLARED

KNOWN = ActionNames(frozenset({"action_do"}), frozenset({"set_by_action", "utter_by_action"}))
F = flow("f", "- collect: flag")


def found(
    folder: Path,
    *texts: str,
    domain: str = DOMAIN,
    nlu: str = NLU,
    replies: ReplyNames | None = None,
    actions: ActionNames | None = KNOWN,
) -> list[str]:
    flows = flows_of(folder, "flows:\n" + "".join(texts or (F,)), domain=domain, nlu=nlu)
    return told(check_names(flows, DECLARED, replies or ReplyNames({}, {}), actions))


def test_all_is_fine(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def choice(condition: str) -> str:
    return flow("f", f"- collect: flag\n  next:\n    - if: >-\n        {condition}\n      then: END\n    - else: END")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("slots.flag and slots.told = 'x'", []),
        ("slots.address.city = 'Leeds' and slots.plan is 'gold'", []),
        ("slots.action_failed is 'timeout'", []),
        (
            "slots.word = 'x'",
            ["6 warning: nobody sets the slot `word`; collect it, or give it the mapping `type: controlled` if an action sets it"],
        ),
        ("slots.kind = 'c'", ["6 mistake: `slots.kind` is never 'c': it must be one of a, b", "6 warning: nobody sets the slot `kind`"]),
        ("{'a' 'd'} contains slots.kind", ["6 mistake: `slots.kind` is never 'd'", "6 warning: nobody sets the slot `kind`"]),
        ("slots.flag = 'yes'", ["6 mistake: `slots.flag` is never 'yes': it must be true or false"]),
        ("slots.amount = '5'", ["6 mistake: `slots.amount` is never '5': it must be a number", "6 warning: nobody sets the slot `amount`"]),
        ("slots.flag is empty or slots.flag = ''", []),
        ("context.channel = 'telegram' and context.proof = 'verified'", []),
        ("context.canceled_name = 'x'", ["6 mistake: there is no `context.canceled_name`; there are context.channel, context.language, "]),
        ("customer.name = 'Ann' and customer.age > 18", []),
        ("customer.agee > 18", ["6 mistake: there is no `customer.agee`; did you mean `age`?"]),
    ],
)
def test_what_conditions_ask_about(tmp_path: Path, condition: str, expected: list[str]) -> None:
    texts = found(tmp_path, choice(condition))

    assert len(texts) == len(expected), texts
    assert all(text.startswith(start) for text, start in zip(texts, expected, strict=True)), texts


def test_a_slot_is_set_by_a_step_an_entity_a_word_of_an_action_or_from_the_start(tmp_path: Path) -> None:
    assert found(tmp_path, choice("slots.word = 'x'"), flow("g", "- set_slots: [{word: x}]", head="if: false")) == []
    assert len(found(tmp_path, choice("slots.word = 'x'"), flow("g", "- set_slots: [{word: null}]", head="if: false"))) == 1
    for more in ("{type: text, mappings: [{type: from_entity, entity: thing}]}", "{type: text, initial_value: x}"):
        assert found(tmp_path, choice("slots.word = 'x'"), domain=DOMAIN.replace("word: {type: text}", f"word: {more}")) == []
    renamed = DOMAIN.replace("word: {type: text}", "set_by_action: {type: text}")
    assert found(tmp_path, choice("slots.set_by_action = 'x'"), domain=renamed) == []
    assert found(tmp_path, choice("slots.word = 'x'"), actions=None) == []


def test_actions_have_to_be_there(tmp_path: Path) -> None:
    domain = DOMAIN.replace("[action_do]", "[action_do, action_don, action_ask_flag, validate_all]")

    assert found(tmp_path, domain=domain) == [
        "9 mistake: `validate_all` is not run by itself; write `rejections` at the `collect` steps",
        "9 mistake: an action cannot ask for `flag`: a question is the reply `utter_ask_flag`; run it in a step before",
        "9 mistake: no action is called `action_don`; did you mean `action_do`?; write it in Python in the folder actions",
    ]
    assert len(found(tmp_path, domain=domain, actions=None)) == 2


def test_intents_have_to_be_there(tmp_path: Path) -> None:
    assert found(tmp_path, flow("f", "- collect: flag", head="nlu_trigger: [goo]")) == [
        "2 mistake: there is no intent `goo`; did you mean `go`?; list it under `intents` in domain.yml"
    ]
    assert found(tmp_path, flow("f", "- collect: flag", head="nlu_trigger: [other]")) == [
        "2 mistake: the intent `other` is never understood: it has no examples; write some in nlu.yml"
    ]
    assert found(tmp_path, nlu=NLU.replace("intent: go", "intent: goo")) == [
        "2 mistake: the intent `go` is never understood: it has no examples; write some in nlu.yml",
        "2 mistake: there is no intent `goo`; did you mean `go`?; list it under `intents` in domain.yml",
    ]


def test_two_flows_of_one_intent(tmp_path: Path) -> None:
    second = flow("g", "- collect: flag")

    assert found(tmp_path, F, second) == [
        "7 warning: `f` is started by `go` too, and always first; give it an `if`, or each its own intent"
    ]
    assert found(tmp_path, flow("f", "- collect: flag", head="nlu_trigger: [go]\n    if: slots.flag"), second) == []


def test_entities_have_to_be_there(tmp_path: Path) -> None:
    domain = DOMAIN.replace("{type: text}", "{type: text, mappings: [{type: from_entity, entity: thng}]}")
    nlu = NLU + '      - take [it](thingy)\n  - regex: postcode\n    examples: |\n      - "[A-Z]{2}"\n'

    assert found(tmp_path, domain=domain, nlu=nlu) == [
        "7 mistake: there is no entity `thng`; did you mean `thing`?; list it under `entities` in domain.yml",
        "9 mistake: there is no entity `thingy`; did you mean `thing`?; list it under `entities` in domain.yml",
        "10 mistake: there is no entity `postcode`; list it under `entities` in domain.yml",
    ]
    fact = DOMAIN.replace("{type: text}", "{type: text, mappings: [{type: from_entity, entity: age}]}")
    assert found(tmp_path, domain=fact) == []


def test_replies_need_what_somebody_sets(tmp_path: Path) -> None:
    needs = {
        "utter_ask_flag": [frozenset({"word"}), frozenset({"company", "word"})],
        "utter_a": [frozenset({"word"}), frozenset({"flag", "age", "company"})],
        "utter_own": [frozenset({"body"})],
    }
    replies = ReplyNames(needs, {"utter_own": frozenset({"body"})}, frozenset({"company"}))
    text = flow("f", "- collect: flag\n- action: utter_a\n- action: utter_own")

    assert found(tmp_path, text, replies=replies) == [
        "6 warning: `utter_ask_flag` can never be said: nobody sets {word}; collect it, or give it the mapping `type: controlled`"
        " if an action does",
        "8 mistake: a flow cannot say `utter_own`, which has {body}; write a reply of its own",
    ]


def test_replies_that_nobody_says(tmp_path: Path) -> None:
    names = ("utter_ask_flag", "utter_by_action", "utter_shared", "utter_lost", "utter_elsewhere")
    places = {name: (tmp_path / "replies.yml", number) for number, name in enumerate(names[:-1], start=1)}
    replies = ReplyNames(dict.fromkeys(names, ()), {"utter_shared": frozenset()}, places=places)

    assert found(tmp_path, replies=replies) == ["4 warning: no flow and no action says `utter_lost`"]
    assert found(tmp_path, replies=replies, actions=None) == []
