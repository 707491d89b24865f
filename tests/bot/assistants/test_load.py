"""Loading assistants: the built-in ones are without a mistake, and every mistake in a copy is named with file and line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import bot.assistants
from bot.assistants import BUILT_IN, MAX_TITLE, load_assistant, read_assistant
from bot.markup import plain_of, units_of
from bot.messages import MAX_TEXT
from bot.turn.reply import OPTIONAL, REQUIRED
from memory.errors import ContentError
from tests.bot.assistants.plain import plain_copy

HERE = Path(bot.assistants.__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of an assistant, to be broken."""
    return plain_copy(tmp_path / "mine")


def mistakes_in(folder: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        load_assistant(folder)
    assert str(caught.value) == "\n".join(str(mistake) for mistake in caught.value.mistakes)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_assistant_is_without_a_mistake(name: str) -> None:
    assistant = load_assistant(name)

    assert assistant.name == name
    assert assistant.replies.names >= REQUIRED.keys()
    assert all(len(article.title) <= MAX_TITLE for article in assistant.knowledge.articles)
    assert all(units_of(plain_of(article.html)) <= MAX_TEXT for article in assistant.knowledge.articles)


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("known", [{}, {"name": "Ann"}], ids=["without a name", "with a name"])
def test_every_reply_can_be_said_with_what_its_caller_gives(name: str, known: dict[str, str]) -> None:
    replies = load_assistant(name).replies
    for reply, variables in REQUIRED.items():
        for seed in range(6):
            given: dict[str, Any] = {**dict.fromkeys(variables, "value"), **known}
            said = replies.say(reply, seed=seed, **given)
            assert not re.search(r"[{}]", said.html + said.text)


def test_a_copy_of_an_assistant_loads_from_its_folder(folder: Path) -> None:
    assert load_assistant(folder).folder == folder
    assert load_assistant(str(folder)).company == "Northbank"


def test_an_assistant_may_do_with_the_shared_replies(folder: Path) -> None:
    (folder / "replies.yml").unlink()

    assert load_assistant(folder).replies.names == REQUIRED.keys()


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert "write one of banking, insurance, telecoms" in mistakes_in(tmp_path / "nowhere")[0]


def test_the_readme_lists_the_variables_that_the_code_gives() -> None:
    table = re.findall(r"^\| (`\{.*?) \| .* \| (.*) \|$", (HERE / "README.md").read_text(), re.MULTILINE)
    listed = {
        (name, variable)
        for variables, names in table
        for variable in re.findall(r"\{(\w+)\}", variables)
        for name in re.findall(r"utter_\w+", names)
    }

    assert listed == {(name, variable) for name, variables in REQUIRED.items() for variable in variables}
    assert {
        variable for variables, names in table if names == "every reply" for variable in re.findall(r"\{(\w+)\}", variables)
    } == OPTIONAL


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "assistant.yml",
            "language: en",
            "langauge: en",
            ["assistant.yml:1: `language` is missing", "assistant.yml:3: unknown key `langauge`"],
        ),
        ("assistant.yml", "20:00.", "20:00", ["assistant.yml:4: `expectation` must be a full sentence"]),
        ("assistant.yml", "name: banking", "name: Banking Bot", ["assistant.yml:1: `name`: string should match pattern"]),
        (
            "assistant.yml",
            "company: Northbank",
            "company: off",
            ["assistant.yml:2: `company` is empty or not a text; write it in quotation marks"],
        ),
        ("replies.yml", "  utter_help:", "  utter_halp:", ["replies.yml:18: `utter_halp` is never said; did you mean `utter_help`?"]),
        (
            "replies.yml",
            "{company}, {name}",
            "{compny}, {name}",
            ["replies.yml:11: `utter_welcome` has no variable {compny}; it has {company}, {name}"],
        ),
        ("replies.yml", "Welcome to {company}. I", "Welcome, {name}. I", ["replies.yml:4: `utter_welcome` needs a variant without {name}"]),
        ("replies.yml", "payload: /person", f"payload: /{'é' * 32}", ["replies.yml:34: the payload has 65 bytes; Telegram takes 64"]),
        ("replies.yml", "title: Talk to a person", 'title: "Hello {name}"', ["replies.yml:33: a variable cannot stand in a button"]),
        (
            "replies.yml",
            "- I have lost my card",
            "- [I](https://x.example/{name})",
            ["replies.yml:19: a variable cannot stand in the address of a link"],
        ),
        ("replies.yml", "- I have lost my card", "x" * 4100, ["replies.yml:19: the text has"]),
        (
            "replies.yml",
            "    - text: Thank you. Your photo",
            "    - txt: Thank you. Your photo",
            ["replies.yml:31: `responses.utter_received_photo.0.text` is missing"],
        ),
        ("replies.yml", "responses:", "responses: {}\nresponses:", ["replies.yml:3: `responses` stands here a second time"]),
        (
            "knowledge/pin.md",
            "title: Forgotten PIN",
            "titel: Forgotten PIN",
            ["knowledge/pin.md:2: `title` is missing", "knowledge/pin.md:2: unknown key `titel`"],
        ),
        ("knowledge/pin.md", "title: Forgotten PIN", "title: Fees and Prices", ["knowledge/pin.md:2: fees.md has the same title"]),
        ("knowledge/pin.md", "title: Forgotten PIN", f"title: {'x' * 41}", ["knowledge/pin.md:2: the title has 41 characters; at most 40"]),
        ("knowledge/pin.md", "- i forgot my pin", "- I lost my card!", ["knowledge/pin.md:5: lost-card.md has the same question"]),
        ("knowledge/pin.md", "- i forgot my pin", "- ", ["knowledge/pin.md:5: `questions.0` is empty"]),
        (
            "knowledge/pin.md",
            "questions:",
            "questions: []\nother:",
            ["knowledge/pin.md:4: `questions` needs at least 1", "knowledge/pin.md:5: unknown key `other`"],
        ),
        ("knowledge/pin.md", "summary: See", "summary: note: See", ["knowledge/pin.md:3: a value that contains a colon"]),
        ("knowledge/pin.md", "\n---\n", "\n---\n# PIN\n", ["knowledge/pin.md:14: only paragraphs, lists, bold"]),
        ("knowledge/pin.md", "\n---\n", f"\n---\n{'word ' * 300}\n", ["knowledge/pin.md:14: the text has"]),
    ],
)
def test_each_mistake_is_named_with_file_and_line(folder: Path, file: str, old: str, new: str, expected: list[str]) -> None:
    change(folder / file, old, new)

    found = mistakes_in(folder)

    assert len(found) >= len(expected)
    assert all(any(mistake.startswith(start) for mistake in found) for start in expected), found


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    change(folder / "assistant.yml", "language: en", "language: English")
    change(folder / "replies.yml", "  utter_help:", "  utter_halp:")
    (folder / "knowledge" / "empty.md").write_text("---\ntitle: Empty\nsummary: Nothing.\nquestions:\n  - is it empty\n---\n")
    (folder / "knowledge" / "Bad Name.md").write_text("no head\n")

    found = mistakes_in(folder)

    assert [mistake.split(":")[0] for mistake in found] == ["assistant.yml", "knowledge/Bad Name.md", "knowledge/empty.md", "replies.yml"]


def test_an_assistant_without_articles_is_a_mistake(folder: Path) -> None:
    shutil.rmtree(folder / "knowledge")

    assert mistakes_in(folder) == ["knowledge:1: there are no articles; write at least one file with the ending .md here"]


def test_a_missing_reply_is_a_mistake(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared.yml"
    text = (HERE / "replies.yml").read_text()
    shared.write_text(re.sub(r"  utter_thanks:\n(    .*\n)+", "", text))

    assistant, mistakes = read_assistant(folder, shared=shared)

    assert assistant is None
    assert [mistake.text for mistake in mistakes] == ["the reply `utter_thanks` is missing"]
