"""What a check of flows knows of actions, replies and scripts, and what comes out of the whole check."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import bot.assistants
from bot.assistants import load_assistant, read_assistant
from bot.check import check
from bot.check_flows import action_names, played_flows, reply_names
from bot.flows.check import ButtonAt
from tests.bot.flows.files.sample import DOMAIN, changed

HERE = Path(bot.assistants.__file__).parent

FLOWS = """\
flows:
  block_card:
    description: Block a card.
    nlu_trigger: [block_card]
    steps:
      - collect: card_kind
      - action: action_handoff
      - action: utter_card_blocked
"""

NLU = """\
nlu:
  - intent: block_card
    examples: |
      - i lost my card
      - block it please
"""

REPLIES = """\
responses:
  utter_ask_card_kind:
    - text: Which card?
      buttons:
        - title: Something else
          payload: /flow block_card
  utter_lost:
    - text: Nobody says this.
"""

INSTEAD = """\
  utter_card_blocked:
    - text: Your card is blocked.
      metadata: {when: customer.name is not null, instead: utter_lost}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    mine = tmp_path / "mine"
    shutil.copytree(HERE / "insurance" / "knowledge", mine / "knowledge")
    shutil.copy(HERE / "insurance" / "assistant.yml", mine)
    (mine / "flows").mkdir()
    domain = changed(DOMAIN, "  - action_block_card:\n      proof: confirmed\n  - action_send_money\n", "  - action_handoff\n")
    (mine / "domain.yml").write_text(changed(domain, "  - send_money:\n      use_entities: []\n", ""))
    (mine / "flows" / "cards.yml").write_text(FLOWS)
    (mine / "nlu.yml").write_text(NLU)
    (mine / "replies.yml").write_text(REPLIES)
    return mine


def test_our_actions_are_known_without_importing_them() -> None:
    known = action_names()

    assert {"action_recall", "action_handoff"} <= known.names
    assert "handoff_open" in known.words


def test_actions_are_found_where_rasa_finds_them(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "a.py").write_text(
        'class A:\n    def name(self):\n        return "action_a"\n\n    async def run(self):\n        say("utter_a")\n'
    )
    (tmp_path / "b.py").write_text("def name():\n    return 'not_an_action'\n")

    known = action_names([tmp_path])

    assert known.names == {"action_a"}
    assert known.words == {"action_a", "utter_a", "not_an_action"}


def test_what_flows_have_to_know_of_replies(folder: Path) -> None:
    assistant, mistakes = read_assistant(folder)
    assert assistant is not None, mistakes
    known = reply_names(assistant)

    assert known.needs["utter_card_blocked"] == (frozenset({"card_kind"}),)
    assert known.buttons == (ButtonAt("/flow block_card", folder / "replies.yml", 6),)
    assert known.places == {
        "utter_ask_card_kind": (folder / "replies.yml", 2),
        "utter_lost": (folder / "replies.yml", 7),
        "utter_card_blocked": (folder / "domain.yml", 45),
    }


def test_a_reply_may_be_said_in_place_of_another(folder: Path) -> None:
    domain = (folder / "domain.yml").read_text()
    (folder / "domain.yml").write_text(domain[: domain.index("responses:")])
    (folder / "replies.yml").write_text(REPLIES + INSTEAD)
    assistant, mistakes = read_assistant(folder)
    assert assistant is not None, mistakes

    assert reply_names(assistant).instead == {"utter_lost"}
    assert not any("utter_lost" in warning.text for warning in check(None, [folder]).warnings)


def test_the_replies_of_a_flow_that_only_speaks_name_it(tmp_path: Path) -> None:
    flows = load_assistant("banking").flows
    (tmp_path / "a.yml").write_text("name: a\nscript:\n  - bot: {reply: utter_out_of_scope}\n  - bot: {reply: utter_card_blocked}\n")

    assert played_flows(tmp_path, flows) == {"out_of_scope"}


def test_scripts_say_which_flows_they_play(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.yml").write_text(
        "name: a\nscript:\n  - flow: {of: ann, is: one, under: [two]}\n  - together:\n      - flow: {is: three}\n"
    )
    (tmp_path / "deep" / "b.yml").write_text("flow: [four]\nscript:\n  - memory: {is: five}\n")
    (tmp_path / "broken.yml").write_text("flow: [six\n")

    assert played_flows(tmp_path) == {"one", "two", "three", "four"}
    assert played_flows(tmp_path / "nowhere") == frozenset()


def test_the_whole_check(folder: Path) -> None:
    checked = check(None, [folder])

    assert checked.fine
    assert [str(warning).removeprefix(f"{folder}/") for warning in checked.warnings] == [
        "flows/cards.yml:2: warning: no script in the folder dialogues plays `block_card`; write one with a step `flow: {is: block_card}`",
        "nlu.yml:2: warning: the intent `block_card` has 2 examples; write at least 5, each in other words",
        "replies.yml:7: warning: no flow and no action says `utter_lost`",
    ]
    assert checked.summary[-1].endswith(", 1 flow")


def test_mistakes_make_it_fail(folder: Path) -> None:
    path = folder / "flows" / "cards.yml"
    path.write_text(changed(FLOWS, "action_handoff", "action_hand_off"))
    domain = folder / "domain.yml"
    domain.write_text(changed(domain.read_text(), "action_handoff", "action_hand_off"))
    checked = check(None, [folder])

    assert not checked.fine
    assert [str(mistake).removeprefix(f"{folder}/") for mistake in checked.mistakes] == [
        "domain.yml:43: no action is called `action_hand_off`; did you mean `action_handoff`?; write it in Python in the folder actions"
    ]


def test_actions_of_another_server_are_not_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test_mistakes_make_it_fail(folder)
    monkeypatch.setenv("LEGATO_ACTIONS_URL", "http://127.0.0.1:5055/webhook")

    assert check(None, [folder]).fine


def test_an_assistant_that_only_answers_has_nothing_to_be_checked(folder: Path) -> None:
    shutil.rmtree(folder / "flows")
    for file in ("domain.yml", "nlu.yml", "replies.yml"):
        (folder / file).unlink()
    checked = check(None, [folder])

    assert checked.fine
    assert not checked.warnings
    assert "flow" not in checked.summary[-1]


def test_examples_are_tried_where_that_is_asked_for(folder: Path) -> None:
    (folder / "nlu.yml").write_text(NLU.replace("      - block it please\n", "".join(f"      - block card {n}\n" for n in "abcde")))
    checked = check(None, [folder], examples=True)

    assert checked.fine  # one intent alone cannot be taken for another
