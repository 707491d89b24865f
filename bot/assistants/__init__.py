"""Assistants: what each of them says and knows, loaded from its folder and checked as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from bot.assistants.declared import read_declarations
from bot.assistants.replies import read_replies
from bot.assistants.said import SaidReplies, missing_replies
from bot.content import Loaded, Mistake, read_as, read_markdown, read_yaml
from bot.flows.model import Flows
from bot.flows.read import domain_files, read_flows
from bot.markup import html_of, plain_of, units_of
from bot.turn.reply import Replies
from bot.understand.knowledge import Article, Knowledge
from bot.understand.words import words_of
from memory.declared import Declarations, Proof
from memory.errors import ContentError

BUILT_IN = ("banking", "insurance", "telecoms")
"""The assistants that come with Legato, by name."""

MAX_TITLE = 40
"""Longer article titles are cut off on a button of a narrow telephone."""

MAX_BODY = 1200
"""An article is one chat message; longer ones are not read."""

_HERE = Path(__file__).parent
STARTER = _HERE / "starter"
"""The smallest assistant, to be copied and grown (``legato new``)."""

_NAME = r"[a-z][a-z0-9-]*"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HEADING = re.compile(r" {0,3}#{1,6}\s|<[a-zA-Z/][^>]*>|\s*```")


@dataclass(frozen=True, slots=True)
class Assistant:
    """One assistant. ``expectation`` is the sentence that says how soon a person answers; ``language`` is a BCP 47 tag.

    ``declared`` is what it may know about customers; ``flows`` are what it does for them step by step, none for one that only answers.
    """

    name: str
    company: str
    language: str
    expectation: str
    replies: Replies
    knowledge: Knowledge
    folder: Path
    declared: Declarations
    flows: Flows = field(default_factory=Flows)


def shared_files() -> tuple[Path, ...]:
    """What all assistants are read from beside their own folders."""
    return (_HERE / "replies.yml", _HERE / "memory.yml")


def is_name(text: str) -> bool:
    """Whether an assistant may be called so."""
    return re.fullmatch(_NAME, text) is not None


def load_assistant(where: str | Path) -> Assistant:
    """The assistant with this built-in name, or in this folder. Raises ``ContentError`` with every mistake in its files."""
    assistant, mistakes = read_assistant(where)
    if assistant is None or mistakes:
        raise ContentError(mistakes)
    return assistant


def read_assistant(
    where: str | Path, *, shared: Path = _HERE / "replies.yml", memory: Path = _HERE / "memory.yml"
) -> tuple[Assistant | None, list[Mistake]]:
    """The assistant, or None and the mistakes, ordered by file and line. What may only be meant otherwise is left to ``legato check``.

    ``shared`` are the replies that all assistants have, ``memory`` what all of them may know.
    """
    folder = _HERE / where if where in BUILT_IN else Path(where)
    mistakes: list[Mistake] = []
    if not folder.is_dir():
        text = f"there is no such folder; write one of {', '.join(BUILT_IN)}, or the path of an assistant's folder"
        return None, [Mistake(folder, 1, text)]
    about = _read_about(folder / "assistant.yml", mistakes)
    articles = _read_articles(folder / "knowledge", mistakes)
    # By their files: a move may name an article that has a mistake of its own.
    slugs = {path.stem for path in (folder / "knowledge").glob("*.md")}
    before = len(mistakes)
    declared = read_declarations(memory, folder / "memory.yml", slugs, mistakes)
    languages = frozenset(about.languages) if about is not None else frozenset[str]()
    flows = read_flows(folder, declared, mistakes, whole=len(mistakes) == before)
    replies = read_replies(
        shared,
        folder / "replies.yml",
        mistakes,
        languages=languages,
        purposes=declared.purposes,
        allowed=SaidReplies(flows, declared, whole=len(mistakes) == before),
        domain=domain_files(folder),
    )
    if not mistakes:
        mistakes += missing_replies(flows, declared, replies.names)
    if about is None or mistakes:
        return None, sorted(set(mistakes))
    knowledge = Knowledge(articles)
    return Assistant(about.name, about.company, about.language, about.expectation, replies, knowledge, folder, declared, flows), []


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must be on one line")
    return text


def _sentence(text: str) -> str:
    if not text.endswith((".", "!", "?")):
        raise ValueError("must be a full sentence with its full stop")
    return text


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, strict=True)]
_Line = Annotated[_Text, AfterValidator(_one_line)]


_Tag = Annotated[_Line, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _About(_File):
    name: Annotated[_Line, StringConstraints(pattern=rf"^{_NAME}$")]
    company: _Line
    language: Annotated[_Line, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    languages: list[_Tag] = Field(default_factory=list)
    expectation: Annotated[_Line, AfterValidator(_sentence)]


class _Head(_File):
    title: _Line
    summary: _Line
    questions: Annotated[list[_Line], Field(min_length=1)]
    proof: Proof = "seen"


def _read_about(path: Path, mistakes: list[Mistake]) -> _About | None:
    loaded = read_yaml(path, mistakes)
    return None if loaded is None else read_as(_About, loaded, mistakes)


def _read_articles(folder: Path, mistakes: list[Mistake]) -> list[Article]:
    paths = sorted(folder.glob("*.md"))
    if not paths:
        mistakes.append(Mistake(folder, 1, "there are no articles; write at least one file with the ending .md here"))
    articles: list[Article] = []
    titles: dict[str, str] = {}
    questions: dict[tuple[str, ...], str] = {}
    for path in paths:
        loaded = read_markdown(path, mistakes)
        if loaded is None:
            continue
        mistakes += _check_body(path, loaded)
        head = read_as(_Head, loaded, mistakes)
        if head is None:
            continue
        if len(head.title) > MAX_TITLE:
            mistakes.append(loaded.mistake(("title",), f"the title has {len(head.title)} characters; at most {MAX_TITLE} are allowed"))
        other = titles.setdefault(head.title.casefold(), path.name)
        if other != path.name:
            mistakes.append(loaded.mistake(("title",), f"{other} has the same title"))
        for index, question in enumerate(head.questions):
            other = questions.setdefault(tuple(words_of(question)), path.name)
            if other != path.name:
                mistakes.append(loaded.mistake(("questions", index), f"{other} has the same question"))
        html = html_of(loaded.body)
        articles.append(Article(path.stem, head.title, head.summary, tuple(head.questions), loaded.body, html, head.proof))
    return articles


def _check_body(path: Path, loaded: Loaded) -> list[Mistake]:
    mistakes: list[Mistake] = []
    if not _SLUG.fullmatch(path.stem):
        mistakes.append(Mistake(path, 1, "the name of the file must be lower case, with hyphens between the words"))
    html = html_of(loaded.body)
    shown = units_of(plain_of(html))
    if not shown:
        mistakes.append(Mistake(path, loaded.body_line, "the article has no text after its head"))
    if len(loaded.body) > MAX_BODY:
        text = f"the text has {len(loaded.body)} characters; at most {MAX_BODY} are allowed"
        mistakes.append(Mistake(path, loaded.body_line, text))
    for number, line in enumerate(loaded.body.split("\n"), start=loaded.body_line):
        if _HEADING.match(line):
            mistakes.append(
                Mistake(path, number, "only paragraphs, lists, bold, italic, code and links can be shown: no headings, no HTML")
            )
    return mistakes
