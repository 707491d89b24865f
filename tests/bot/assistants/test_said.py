"""Replies of flows and actions: which may be said, with which variables, and which are missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import bot.assistants
from bot.assistants import load_assistant, read_assistant
from tests.bot.flows.files.sample import CARDS, DOMAIN, NLU, changed

HERE = Path(bot.assistants.__file__).parent

REPLIES = """\
responses:
  utter_ask_card_kind:
    - text: Is it {company}'s debit or credit card? {expectation}
  utter_debit:
    - text: The debit card of {email}.
    - text: The debit card, {name}.
  utter_ask_confirmed:
    - text: Shall I?
  utter_of_an_action:
    - text: There are {anything} left.
"""

CONFIRM = """\
flows:
  confirm_it:
    description: Ask whether it is right.
    if: False
    steps:
      - collect: confirmed
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An assistant with flows."""
    mine = tmp_path / "mine"
    shutil.copytree(HERE / "insurance" / "knowledge", mine / "knowledge")
    shutil.copy(HERE / "insurance" / "assistant.yml", mine)
    (mine / "flows").mkdir()
    (mine / "domain.yml").write_text(DOMAIN)
    (mine / "nlu.yml").write_text(NLU)
    (mine / "flows" / "cards.yml").write_text(CARDS)
    (mine / "flows" / "confirm.yml").write_text(CONFIRM)
    (mine / "replies.yml").write_text(REPLIES)
    return mine


def mistakes_in(folder: Path) -> list[str]:
    assistant, mistakes = read_assistant(folder)
    assert (assistant is None) == bool(mistakes)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in mistakes]


def test_an_assistant_has_its_flows(folder: Path) -> None:
    assert mistakes_in(folder) == []
    assistant, _ = read_assistant(folder)
    assert assistant is not None
    assert list(assistant.flows.flows) == ["block_card", "other_matters", "confirm_it"]
    assert assistant.flows.domain.slots["address"].fact
    said = assistant.replies.say("utter_card_blocked", seed=0, card_kind="debit")
    assert said.text == "Your debit card is blocked."
    assert assistant.replies.say("utter_debit", seed=0, email="a@b.example").text == "The debit card of a@b.example."
    assert assistant.replies.say("utter_of_an_action", seed=0, anything=3).text == "There are 3 left."


def test_an_assistant_without_flows_has_none(folder: Path) -> None:
    shutil.rmtree(folder / "flows")
    for file in ("domain.yml", "nlu.yml", "replies.yml"):
        (folder / file).unlink()

    assert not load_assistant(folder).flows


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "replies.yml",
            "  utter_debit:",
            "  utter_debt:",
            "flows/cards.yml:17: the reply `utter_debit` is missing: write it in replies.yml; did you mean `utter_debt`?",
        ),
        (
            "replies.yml",
            "  utter_of_an_action:",
            "  utter_halp:",
            "replies.yml:9: `utter_halp` is never said; did you mean `utter_help`?",
        ),
        (
            "replies.yml",
            "  utter_debit:",
            "  utter_elsewhere:",
            "flows/cards.yml:17: the reply `utter_debit` is missing: write it in replies.yml",
        ),
        ("replies.yml", "{email}", "{emial}", "replies.yml:5: `utter_debit` has no variable {emial}; it has {"),
        (
            "replies.yml",
            "  utter_ask_confirmed:",
            "  utter_ask_confirm:",
            "flows/confirm.yml:6: the reply `utter_ask_confirmed` is missing",
        ),
        (
            "replies.yml",
            "The debit card of {email}.",
            "The debit card of {name}.",
            "replies.yml:4: `utter_debit` needs a variant without {name}",
        ),
        ("domain.yml", "utter_card_blocked:", "utter_debit:", "replies.yml:4: the reply `utter_debit` stands in domain.yml already"),
        ("domain.yml", "    - text: Your", "    - txt: Your", "domain.yml:50: `responses.utter_card_blocked.0.text` is missing"),
        ("domain.yml", "    - text: Your", "    - text: '{wrong} Your", "domain.yml:51: a quotation mark is not closed"),
    ],
)
def test_replies_and_flows_have_to_fit(folder: Path, file: str, old: str, new: str, expected: str) -> None:
    path = folder / file
    path.write_text(changed(path.read_text(), old, new))
    found = mistakes_in(folder)

    assert len(found) == (2 if "txt" in new else 1)  # a key that is missing, and one that is not known
    assert found[0].startswith(expected)


def test_without_actions_every_reply_has_to_be_known(folder: Path) -> None:
    shutil.rmtree(folder / "flows")
    (folder / "flows").mkdir()
    (folder / "domain.yml").write_text("version: '3.1'\n")
    (folder / "nlu.yml").unlink()

    found = mistakes_in(folder)

    assert len(found) == 4
    assert found[-1].startswith("replies.yml:9: `utter_of_an_action` is never said")


def test_a_question_need_not_be_where_the_fact_has_one(folder: Path) -> None:
    (folder / "flows" / "confirm.yml").write_text(CONFIRM + "      - collect: address\n")

    assert mistakes_in(folder) == []


def test_a_mistake_in_the_memory_does_not_make_others(folder: Path) -> None:
    (folder / "memory.yml").write_text("facts:\n  card: {titel: card}\n")
    (folder / "flows" / "confirm.yml").write_text(CONFIRM + "      - collect: card\n")
    (folder / "replies.yml").write_text(REPLIES + "  utter_ask_card:\n    - text: Which one, {card}?\n")

    assert {mistake.partition(":")[0] for mistake in mistakes_in(folder)} == {"memory.yml"}
