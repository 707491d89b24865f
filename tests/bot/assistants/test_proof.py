"""What articles and replies demand of who is told them, in the files of an assistant."""

from __future__ import annotations

from pathlib import Path

import pytest

import bot.assistants
from bot.assistants import load_assistant
from memory.errors import ContentError
from tests.bot.assistants.plain import plain_copy

HERE = Path(bot.assistants.__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of an assistant, to be changed."""
    return plain_copy(tmp_path / "mine")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_without_a_word_everything_is_told_to_everybody() -> None:
    assistant = load_assistant("banking")

    assert assistant.replies.demands == {}
    assert {article.proof for article in assistant.knowledge.articles} == {"seen"}


def test_an_article_and_a_reply_demand_what_stands_in_their_file(folder: Path) -> None:
    change(folder / "knowledge" / "pin.md", "questions:", "proof: verified\nquestions:")
    change(folder / "replies.yml", "  utter_help:\n    - ", "  utter_help:\n    - metadata: {proof: confirmed}\n      ")

    assistant = load_assistant(folder)

    pin = assistant.knowledge.get("pin")
    assert pin is not None
    assert pin.proof == "verified"
    assert assistant.replies.demands == {"utter_help": "confirmed"}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("knowledge/pin.md", "questions:", "proof: certain\nquestions:", "pin.md:4: `proof`: input should be 'claimed', 'seen'"),
        (
            "replies.yml",
            "  utter_help:\n    - ",
            "  utter_help:\n    - metadata: {prof: seen}\n      ",
            "unknown key `responses.utter_help.0",
        ),
        (
            "replies.yml",
            "responses:\n",
            'responses:\n  utter_prove:\n    - text: "No."\n      metadata: {proof: confirmed}\n',
            "replies.yml:5: `utter_prove` is told to everybody, so it can demand no proof",
        ),
    ],
)
def test_mistakes_are_named_with_file_and_line(folder: Path, file: str, old: str, new: str, expected: str) -> None:
    change(folder / file, old, new)

    with pytest.raises(ContentError) as caught:
        load_assistant(folder)

    assert expected in str(caught.value)
