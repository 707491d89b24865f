"""A folder of flows: everything is loaded as it is written, and what does not belong together is named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.flows.model import END, Flows
from bot.flows.read import read_flows
from memory.declared import Declarations
from tests.bot.flows.files.sample import CARDS, DOMAIN, MONEY, NLU, changed, read


def test_the_sample_is_without_a_mistake(tmp_path: Path) -> None:
    flows, mistakes = read(tmp_path)

    assert mistakes == []
    assert list(flows.flows) == ["block_card", "other_matters", "send_money", "confirm_it"]
    assert flows.domain.intents == {"block_card", "send_money"}
    assert flows.examples.intents.keys() == {"block_card", "send_money"}
    assert [flow.id for flow in flows.by_intent["block_card"]] == ["block_card"]
    assert flows


def test_an_assistant_may_do_without_flows(tmp_path: Path) -> None:
    mistakes: list[object] = []

    assert read_flows(tmp_path, Declarations(), mistakes) == Flows()  # type: ignore[arg-type]
    assert not mistakes


def test_files_may_be_empty_or_stand_in_folders(tmp_path: Path) -> None:
    flows, mistakes = read(
        tmp_path,
        {
            "domain.yml": "",
            "domain/deeper/all.yml": DOMAIN,
            "nlu.yml": "# nothing yet\n",
            "nlu/more.yaml": NLU,
            "flows/empty.yml": "",
            "flows/last.yaml": "flows:\n  later:\n    description: Something.\n    steps:\n      - noop: true\n",
        },
    )

    assert mistakes == []
    assert "later" in flows.flows
    assert flows.examples.intents["block_card"]


def test_what_has_no_line_of_its_own_can_be_found(tmp_path: Path) -> None:
    flows, _ = read(tmp_path)

    lines = {key: f"{path.name}:{line}" for key, (path, line) in flows.places.items()}
    assert lines["slot", "amount"] == "domain.yml:19"
    assert lines["action", "action_block_card"] == "domain.yml:45"
    assert lines["intent", "send_money"] == "domain.yml:7"
    assert lines["entity", "payee"] == "domain.yml:11"
    assert lines["example", "block_card", "block it please"] == "nlu.yml:8"
    assert lines["example", "send_money", "pay Bob"] == "nlu.yml:12"
    assert flows.flows["send_money"].line == 2
    assert flows.flows["send_money"].steps["send"].line == 29


def test_a_fact_is_its_slot(tmp_path: Path) -> None:
    flow = """\
flows:
  f:
    description: Asks for facts.
    steps:
      - collect: age
        next:
          - if: slots.plan = 'gold'
            then: END
          - else: END
"""
    flows, mistakes = read(tmp_path, {"flows/more.yml": flow})

    assert mistakes == []
    slots = flows.domain.slots
    assert (slots["address"].fact, slots["address"].type) == (True, "any")
    assert (slots["age"].fact, slots["age"].type) == (True, "float")
    assert (slots["plan"].type, slots["plan"].values) == ("categorical", ("basic", "gold"))
    assert not slots["amount"].fact


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "flows/cards.yml",
            "collect: card_kind",
            "collect: card_knd",
            "flows/cards.yml:12: there is no slot `card_knd`; did you mean `card_kind`?; list it under `slots` in domain.yml",
        ),
        (
            "flows/cards.yml",
            "not slots.blocked",
            "not slots.bloked",
            "flows/cards.yml:26: there is no slot `bloked`; did you mean `blocked`?",
        ),
        ("flows/cards.yml", "      - card_kind\n    steps", "      - kind\n    steps", "flows/cards.yml:3: there is no slot `kind`"),
        (
            "flows/cards.yml",
            "- card_kind: null",
            "- card_kind: gold",
            "flows/cards.yml:23: what `card_kind` is set to must be one of debit, credit, 2",
        ),
        (
            "flows/cards.yml",
            "link: other_matters",
            "link: other_matter",
            "flows/cards.yml:31: there is no flow `other_matter`; did you mean `other_matters`?",
        ),
        (
            "flows/cards.yml",
            "call: confirm_it",
            "call: confirmit",
            "flows/cards.yml:18: there is no flow `confirmit`; did you mean `confirm_it`?",
        ),
        (
            "flows/cards.yml",
            "action: action_block_card",
            "action: block_card",
            "flows/cards.yml:26: there is no action `block_card`; did you mean `action_block_card`?; list it under `actions` in domain.yml",
        ),
        (
            "flows/money.yml",
            "slots.amount <= 0",
            "slots.amout <= 0",
            "flows/money.yml:11: there is no slot `amout`; did you mean `amount`?",
        ),
        ("flows/money.yml", "\"context.channel = 'telegram'\"", "slots.x = 1", "flows/money.yml:2: there is no slot `x`"),
        ("flows/money.yml", "confirmed: false", "confirmed: nein", "flows/money.yml:31: what `confirmed` is set to must be true or false"),
        (
            "flows/money.yml",
            "  confirm_it:\n",
            "  block_card:\n",
            "flows/money.yml:35: the flow `block_card` stands in cards.yml, line 3, already",
        ),
        ("flows/money.yml", "flows:\n", "flws:\n", "flows/money.yml:1: expected the key `flows`"),
        ("flows/money.yml", "flows:\n", "nlu: []\nflows:\n", "flows/money.yml:1: `nlu` is not supported; examples stand in nlu.yml"),
        ("flows/money.yml", "flows:\n", "- a\n", "flows/money.yml:2: a value that contains a colon"),
        ("domain.yml", "  - action_send_money\n", "", "flows/money.yml:29: there is no action `action_send_money`"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, file: str, old: str, new: str, expected: str) -> None:
    sample = {"flows/cards.yml": CARDS, "flows/money.yml": MONEY, "domain.yml": DOMAIN}[file]
    _, mistakes = read(tmp_path, {file: changed(sample, old, new)})

    assert any(mistake.startswith(expected) for mistake in mistakes), mistakes


def test_one_mistake_does_not_make_others(tmp_path: Path) -> None:
    _, mistakes = read(tmp_path, {"domain.yml": changed(DOMAIN, "    type: categorical\n", "    type: catgorical\n")})

    assert mistakes == ["domain.yml:14: `catgorical` is not a type of slots; write one of text, bool, float, categorical, list, any"]


def test_every_way_out_leads_somewhere(tmp_path: Path) -> None:
    flows, _ = read(tmp_path)

    for flow in flows.flows.values():
        assert flow.first in flow.steps
        for step in flow.steps.values():
            assert all(branch.to in flow.steps or branch.to == END for branch in step.next)
