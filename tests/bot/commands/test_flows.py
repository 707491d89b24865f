"""``legato flows``: listing and drawing from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import bot.assistants
from bot.cli import app
from tests.bot.test_check_flows import FLOWS, NLU, REPLIES

HERE = Path(bot.assistants.__file__).parent

DOMAIN = """\
intents: [block_card]
slots:
  card_kind: {type: categorical, values: [debit, credit]}
actions:
  - action_handoff: {proof: confirmed}
responses:
  utter_card_blocked:
    - text: Your card is blocked.
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    mine = tmp_path / "mine"
    shutil.copytree(HERE / "insurance" / "knowledge", mine / "knowledge")
    shutil.copy(HERE / "insurance" / "assistant.yml", mine)
    (mine / "flows").mkdir()
    (mine / "domain.yml").write_text(DOMAIN)
    (mine / "flows" / "cards.yml").write_text(FLOWS)
    (mine / "nlu.yml").write_text(NLU)
    (mine / "replies.yml").write_text(REPLIES)
    return str(mine)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["flows", *arguments])
    return result.exit_code, result.output


def test_the_list_says_what_starts_a_flow(folder: str) -> None:
    code, text = run("list", "--assistant", folder)

    assert code == 0
    assert [line.split() for line in text.splitlines()[1:]] == [["block_card", "3", "block_card", "block", "card"]]


def test_an_assistant_without_flows_has_nothing_to_list(folder: str) -> None:
    shutil.rmtree(Path(folder) / "flows")
    (Path(folder) / "nlu.yml").unlink()

    assert run("list", "--assistant", folder) == (0, "This assistant has no flows.\n")


def test_a_flow_is_shown_with_its_words_and_proofs(folder: str) -> None:
    code, text = run("show", "block_card", "--assistant", folder)

    assert code == 0
    lines = [line.strip() for line in text.splitlines()]
    assert lines[lines.index("1_collect_card_kind   Ask for card_kind") + 1] == "“Which card?”"
    assert "who writes must be confirmed" in text
    assert "Say “Your card is blocked.”" in text


@pytest.mark.parametrize(
    ("name", "options", "begins"),
    [
        ("f.svg", [], "<svg"),
        ("f.mmd", [], "---\ntitle"),
        ("f.txt", [], "block_card:"),
        ("f.txt", ["--format", "svg"], "<svg"),
    ],
)
def test_a_flow_is_drawn_into_a_file(folder: str, tmp_path: Path, name: str, options: list[str], begins: str) -> None:
    code, _ = run("show", "block_card", "--assistant", folder, "--out", str(tmp_path / name), *options)

    assert code == 0
    assert (tmp_path / name).read_text().startswith(begins)


def test_a_flow_that_is_not_there_is_said_so(folder: str) -> None:
    code, text = run("show", "blok_card", "--assistant", folder)

    assert code == 1
    assert "There is no flow blok_card; there are: block_card" in text
