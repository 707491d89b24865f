"""Flows and steps: every form is read as it is meant, and whatever cannot be run is refused with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.flows.model import END, Act, Branch, Call, Collect, Link, Noop, SetSlots, Trigger
from bot.flows.predicate import parse
from tests.bot.flows.files.sample import CARDS, changed, read


def test_a_flow_is_read_as_it_is_written(tmp_path: Path) -> None:
    flow = read(tmp_path)[0].flows["block_card"]

    assert (flow.name, flow.description) == ("your lost card", "Block a card that was lost or stolen.")
    assert flow.triggers == (Trigger("block_card"),)
    assert flow.guard is None
    assert flow.keeps == {"card_kind"}
    assert (flow.path.name, flow.line, flow.first) == ("cards.yml", 3, "1_collect_card_kind")
    assert list(flow.steps) == [
        "1_collect_card_kind",
        "2_utter_debit",
        "3_call_confirm_it",
        "4_set_slots",
        "block",
        "6_link_other_matters",
        "say_so",
    ]


def test_steps_lead_where_they_say(tmp_path: Path) -> None:
    steps = read(tmp_path)[0].flows["block_card"].steps

    assert steps["1_collect_card_kind"] == Collect(
        "1_collect_card_kind",
        12,
        (
            Branch(parse('slots.card_kind is "debit"'), "2_utter_debit"),
            Branch(parse('slots.card_kind = "credit"'), "block"),
            Branch(None, "4_set_slots"),
        ),
        "card_kind",
        "utter_ask_card_kind",
        keep=True,
        why="so that the right card is blocked",
    )
    assert steps["2_utter_debit"] == Act("2_utter_debit", 17, (Branch(None, "3_call_confirm_it"),), "utter_debit")
    assert steps["3_call_confirm_it"] == Call("3_call_confirm_it", 18, (Branch(None, "block"),), "confirm_it")
    assert steps["4_set_slots"] == SetSlots("4_set_slots", 23, (Branch(None, END),), {"card_kind": None})
    assert steps["block"].next == (Branch(parse("not slots.blocked"), "6_link_other_matters"), Branch(None, "say_so"))
    assert steps["6_link_other_matters"] == Link("6_link_other_matters", 31, (), "other_matters")
    assert steps["say_so"].next == (Branch(None, END),)


def test_questions_guards_and_triggers_in_their_forms(tmp_path: Path) -> None:
    flows = read(tmp_path)[0].flows
    flow = flows["send_money"]

    assert flow.name == "send money"
    assert flow.guard == parse("context.channel = 'telegram'")
    assert flow.triggers == (Trigger("send_money", 0.8), Trigger("transfer"))
    assert flow.keeps == {"payee"}
    amount, payee = flow.steps["again"], flow.steps["2_collect_payee"]
    assert isinstance(amount, Collect)
    assert isinstance(payee, Collect)
    assert [(one.when.text, one.utter) for one in amount.rejections] == [
        ("slots.amount <= 0", "utter_not_positive"),
        ("slots.amount > 1000 and customer.age < 18", "utter_too_much"),
    ]
    assert (payee.utter, payee.confirm, payee.keep) == ("utter_ask_whom", True, True)
    assert not amount.confirm
    assert not amount.keep
    assert flow.steps["4_call_confirm_it"].next[-1] == Branch(None, END, written=False)
    assert flow.steps["6_set_slots"].next == (Branch(None, END),)
    assert flows["other_matters"].guard == parse("False")
    assert isinstance(flows["other_matters"].steps["1_noop"], Noop)


def one_step(step: str) -> str:
    """A file with a flow of one step, whose text begins in line 5."""
    return f"flows:\n  f:\n    description: d\n    steps:\n      - {step}\n"


def test_a_step_may_be_nothing_but_a_choice(tmp_path: Path) -> None:
    flows, mistakes = read(tmp_path, {"flows/more.yml": one_step("next:\n          - else: END")})

    assert mistakes == []
    assert isinstance(flows.flows["f"].steps["1_noop"], Noop)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("collect: amount\n        action: action_ask_amount", "5: a step asks or acts, not both: the question is a reply"),
        ("collect: amount\n        link: f", "5: a step does one thing, and this one has `collect` and `link`"),
        ("colect: amount", "5: unknown key `colect`"),
        ("id: x", "5: a step needs one of `collect`, `action`"),
        ("just text", "5: a step must have keys: one of collect"),
        ("collect: 5", "5: `collect` must be a text; write it in quotation marks"),
        ("collect:", "5: `collect` is empty"),
        ("collect: amount\n        utter: ask_amount", "6: `ask_amount` is not a reply; the names of replies begin with utter_"),
        ("collect: amount\n        ask_before_filling: perhaps", "6: `ask_before_filling` must be true or false"),
        (
            "collect: amount\n        force_slot_filling: true",
            "6: `force_slot_filling` is not supported; another matter is always taken up",
        ),
        ("collect: amount\n        silence_timeout: 5", "6: `silence_timeout` is not supported; there is no voice channel"),
        ("collect: amount\n        rejections: none", "6: `rejections` must be a list"),
        (
            "collect: amount\n        rejections:\n          - if: slots.amount < 0",
            "7: a rejection needs an `if`, and the reply that says why",
        ),
        ("collect: amount\n        rejections:\n          - utter_no", "7: a rejection is written `- if:` with `utter:`"),
        (
            "collect: amount\n        rejections:\n          - if: amount < 0\n            utter: no",
            "7: `amount` is not known; write slots.amount for the slot",
        ),
        (
            "collect: amount\n        rejections:\n          - if: 'true'\n            utter: no",
            "8: `utter` must be a text; write it in quot",
        ),
        ("collect: amount\n        rejections:\n          - if: 'true'\n            utter: nay", "8: `nay` is not a reply"),
        (
            "generation_prompt: Be nice.",
            "5: `generation_prompt` is not supported; nothing is generated here: write the text in replies.yml",
        ),
        ("action: action_listen", "5: `action_listen` is not run here: a `collect` step waits for the customer"),
        ("action: action_trigger_search", "5: `action_trigger_search` is not run here: questions are answered from the articles"),
        ("call: agent_x\n        agent: true", "6: `agent` is not supported; agents that decide for themselves are not called"),
        ("call: tool\n        mcp_server: x\n        mapping: {}", "6: `mcp_server` is not supported; tools are called by an action"),
        ("call: pattern_cancel_flow", "5: the flow `pattern_cancel_flow` is not there to be called; leave the step out"),
        (
            "link: pattern_human_handoff",
            "5: the flow `pattern_human_handoff` is not there to be linked to; run `action: action_handoff`",
        ),
        ("link: f", "5: a flow cannot link to itself; name the `id` of its first step in `next`"),
        ("link: send_money\n        next: 1_link", "6: nothing comes after a `link`; to come back from the other flow, `call` it"),
        ("noop: false", "5: write `noop: true`"),
        ("set_slots: []", "5: `set_slots` sets nothing"),
        ("set_slots:\n          - amount: 1\n          - amount: 2", "7: `amount` is set twice in one step"),
        ("set_slots:\n          - amount: {a: 1}", "6: `amount` can be a text, a number, true, false, null"),
        ("set_slots:\n          - amount", "6: `set_slots` must have keys of its own, such as confirmed: false"),
        ("intent: block_card", "5: `intent` is not supported; stories and rules are not supported; an intent starts a flow"),
        ("if: 'true'\n        then: END", "5: `if` is not supported; a condition stands in the `next` of the step before"),
        ("noop: true\n        next: nowhere", "6: no step of this flow has the id `nowhere`"),
        ("noop: true\n        next: end", "6: no step of this flow has the id `end`; did you mean `END`?"),
        ("noop: true\n        next: 5", "6: `next` must be a text; write it in quotation marks"),
        ("noop: true\n        next: []", "6: a list of steps is empty; write END, or a step"),
        ("noop: true\n        next:\n          if: 'true'\n          then: END", "6: the branches of `next` are a list; write a hyphen"),
        ("noop: true\n        next:\n          - END", "7: a branch is written `- if:` with `then:`, or `- else:`"),
        ("noop: true\n        next:\n          - if: 'true'", "7: `if` needs a `then`"),
        ("noop: true\n        next:\n          - if: 'true'\n            then: []\n          - else: END", "8: a list of steps is empty"),
        ("noop: true\n        next:\n          - else: END\n          - if: 'true'\n            then: END", "8: `else` is the last branch"),
        ("noop: true\n        next:\n          - if: slots.\n            then: END", "7: `slots` is not known"),
        (
            "noop: true\n        next:\n          - else:\n              - action: utter_x",
            "8: the last step of a branch says what comes next: `next: END`, or the `id` of a step",
        ),
        ("id: END\n        noop: true", "5: `END` cannot be an id"),
        ("id: a b\n        noop: true", "5: `a b` cannot be an id"),
        ("id: a\n        noop: true\n      - id: a\n        noop: true", "7: the step in line 5 has the id `a` too"),
    ],
)
def test_a_step_that_cannot_be_run_is_refused(tmp_path: Path, step: str, expected: str) -> None:
    flows, mistakes = read(tmp_path, {"flows/more.yml": one_step(step)})

    assert any(mistake.startswith(f"flows/more.yml:{expected}") for mistake in mistakes), mistakes
    assert "f" not in flows.flows


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    description: Block a card that was lost or stolen.\n", "", "3: the flow `block_card` needs a `description`"),
        ("    name: your lost card\n", "    name: 5\n", "4: `name` must be a text"),
        ("    name: your lost card\n", "    titel: x\n", "4: unknown key `titel`"),
        (
            "    name: your lost card\n",
            "    block_digressions: true\n",
            "4: `block_digressions` is not supported; another matter is always",
        ),
        ("always_include_in_prompt: true", "always_include_in_prompt: often", "6: `always_include_in_prompt` must be true or false"),
        (
            "  other_matters:\n    d",
            "  pattern_completed:\n    d",
            "36: `pattern_completed` is built in and cannot be replaced; change its replies",
        ),
        ("  other_matters:\n    d", "  other matters:\n    d", "36: `other matters` must be letters, digits and underscores"),
        ("    if: false\n", "    if: 5\n", "38: `if` must be a text"),
        ("    if: false\n", "    if: not\n", "38: the condition ends too early"),
        ("      - noop: true\n        next: END\n", "", "39: the flow `other_matters` needs `steps`"),
        ("      - intent: block_card\n", "      - name: block_card\n", "8: an item of `nlu_trigger` needs an `intent`"),
        ("      - intent: block_card\n", "      - intent: {nme: x}\n", "8: an `intent` with keys of its own needs its `name`"),
        (
            "      - intent: block_card\n",
            "      - intent: {name: x, confidence_threshold: 80}\n",
            "8: `confidence_threshold` must be between 0 and 1",
        ),
        (
            "      - intent: block_card\n",
            "      - block_card\n      - intent: block_card\n",
            "9: the intent `block_card` stands here twice",
        ),
        ("    persisted_slots:\n      - card_kind\n", "    persisted_slots: card_kind\n", "9: `persisted_slots` must be a list"),
    ],
)
def test_a_flow_that_cannot_be_run_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    _, mistakes = read(tmp_path, {"flows/cards.yml": changed(CARDS, old, new)})

    assert any(mistake.startswith(f"flows/cards.yml:{expected}") for mistake in mistakes), mistakes


def test_a_flow_must_have_keys(tmp_path: Path) -> None:
    for text in ("flows:\n  f:\n", "flows:\n  f: [1]\n"):
        assert read(tmp_path, {"flows/more.yml": text})[1] == [
            "flows/more.yml:2: the flow `f` must have keys of its own: at least `description` and `steps`"
        ]


def test_deep_nesting_is_refused_in_words(tmp_path: Path) -> None:
    text = "END"
    for _ in range(25):
        text = f"[{{noop: true, next: [{{else: {text}}}]}}]"
    _, mistakes = read(tmp_path, {"flows/more.yml": f"flows:\n  f:\n    description: d\n    steps: {text}\n"})

    assert mistakes == ["flows/more.yml:4: more than 20 lists of steps stand in each other; give a step an `id` and name it in `then`"]


def test_an_own_id_is_never_covered_by_a_made_one(tmp_path: Path) -> None:
    steps = "id: 2_noop\n        noop: true\n      - noop: true\n      - action: utter_ask_whom"
    flows, mistakes = read(tmp_path, {"flows/more.yml": one_step(steps)})

    assert mistakes == []
    assert list(flows.flows["f"].steps) == ["2_noop", "2_noop_", "3_utter_ask_whom"]
    assert flows.flows["f"].steps["2_noop"].next == (Branch(None, "2_noop_"),)
