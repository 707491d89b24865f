"""Examples: sentences without their marks, values with the phrases that name them, patterns that take no time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.flows.files.sample import NLU, changed, read


def test_examples_are_read_as_they_are_meant(tmp_path: Path) -> None:
    examples = read(tmp_path)[0].examples

    assert examples.intents == {
        "block_card": ("i lost my debit card", "my visa was stolen", "block it please"),
        "send_money": ("send money to Ann Lee", "pay Bob"),
    }
    assert examples.entities == {
        "card_kind": {"debit": "debit", "visa": "credit", "master card": "credit", "american express": "credit"},
        "payee": {"Ann Lee": "Ann Lee", "Bob": "Bob", "The Gas Company": "The Gas Company"},
    }
    assert examples.patterns == {"payee": (r"[A-Z]{2}\d{4}",)}


def test_an_intent_may_stand_in_several_places(tmp_path: Path) -> None:
    more = """\
nlu:
  - intent: block_card
    examples: |
      - block it please
      - [debit](card_kind), as i said
      - [not a mark] here
"""
    examples = read(tmp_path, {"nlu/more.yml": more})[0].examples

    assert examples.intents["block_card"] == (
        "i lost my debit card",
        "my visa was stolen",
        "block it please",
        "debit, as i said",
        "[not a mark] here",
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("      - block it please\n", "      block it please\n", "8: each example stands on a line of its own that begins with a hyphen"),
        ("      - block it please\n", "      -\n", "8: each example stands on a line of its own"),
        ("[debit](card_kind)", "[debit](card kind)", '5: `(card kind)` is not the name of an entity; with a value write [debit]{"entity"'),
        ("[debit](card_kind)", "[debit](card_kind:x)", "5: `(card_kind:x)` is not the name of an entity"),
        ('"value": "credit"}', '"role": "to"}', "6: `role` is not told apart; use two entities"),
        ('"value": "credit"}', '"vale": "credit"}', "6: unknown key `vale` in a mark; it has `entity` and `value`"),
        ('{"entity": "card_kind", "value": "credit"}', "{card_kind}", '6: write the mark as [visa]{"entity": "...", "value": "..."}'),
        ("  - intent: send_money\n", "  - intent: faq/ask\n", "9: `faq/ask`: groups of intents and their replies are not supported"),
        ("  - intent: send_money\n", "  - intent: send money\n", "9: `send money` must be letters, digits and underscores"),
        ("  - intent: send_money\n", "  - intnt: send_money\n", "9: an item of `nlu` needs one of `intent`, `synonym`"),
        ("  - intent: send_money\n    examples:", "  - intent: send_money\n    exmples:", "9: `examples` are missing"),
        (
            "  - intent: send_money\n    examples:",
            "  - intent: send_money\n    exmples:",
            "10: unknown key `exmples`; did you mean `examples`?",
        ),
        ("      - text: pay", "      - txt: pay", "12: an example is a text, or has the key `text`"),
        ("  - synonym: credit", "  - synonym: store card", "14: no entity has the value `store card`; mark one in an example"),
        ("      - master card\n", "      - master card\n      - debit\n", ""),
        ("^[A-Z]{2}\\d{4}$", "[A-Z]+", "23: this pattern cannot be used: + may go on without end; say how often at most"),
        ("nlu:\n", "rules: []\nnlu:\n", "2: `rules` is not supported; write a flow with an `nlu_trigger`"),
        ("block it please", "block it " + "please " * 100, "8: the example has 708 characters; at most 500 are allowed"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    _, mistakes = read(tmp_path, {"nlu.yml": changed(NLU, old, new)})

    if expected:
        assert any(mistake.startswith(f"nlu.yml:{expected}") for mistake in mistakes), mistakes
    else:
        assert mistakes == []


def test_a_phrase_has_one_value(tmp_path: Path) -> None:
    twice = 'nlu:\n  - intent: block_card\n    examples: |\n      - the [visa]{"entity": "card_kind", "value": "debit"} one\n'
    _, mistakes = read(tmp_path, {"nlu/more.yml": twice})

    assert mistakes == ["nlu/more.yml:4: `visa` stands for `credit` already; one phrase has one value"]


def test_a_synonym_has_one_meaning(tmp_path: Path) -> None:
    twice = "nlu:\n  - synonym: debit\n    examples: |\n      - master card\n"
    _, mistakes = read(tmp_path, {"nlu/more.yml": twice})

    assert mistakes == ["nlu/more.yml:4: `master card` stands for `credit` already"]


def test_a_file_of_examples_must_have_its_key(tmp_path: Path) -> None:
    assert read(tmp_path, {"nlu.yml": "- intent: x\n"})[1] == ["nlu.yml:1: expected the key `nlu`, with a list of intents below it"]
