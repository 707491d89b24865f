"""Scripts as pytest tests. A folder's ``conftest.py`` makes every script in it a test:

def pytest_collect_file(file_path, parent):
    return collect_script(file_path, parent)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.content import Mistake
from bot.qa.databases import source_of
from bot.qa.play import Played, play, play_on
from bot.qa.read import ENDINGS, Script, read_script
from memory.errors import ContentError


class DialogueDiffers(AssertionError):
    """A dialogue did not go as its script says; the text is its transcript."""


class DialogueFile(pytest.File):
    """One script and its tests, as :func:`collect_script` says."""

    fixtures: Sequence[str] = ()

    def collect(self) -> Iterable[pytest.Item]:
        mistakes: list[Mistake] = []
        script = read_script(self.path, mistakes)
        if script is None:
            raise self.CollectError(str(ContentError(mistakes)))
        if not self.fixtures:
            yield DialogueTest.from_parent(self, name="sqlite", callobj=_alone(script))
        for fixture in self.fixtures if script.head.databases == "both" else self.fixtures[:1]:
            yield DialogueTest.from_parent(self, name=fixture.partition("_")[0], callobj=_with(script, fixture))


class DialogueTest(pytest.Function):
    """A dialogue on one database. Where it differs, its transcript is shown instead of a traceback."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]  # as Function has it
        if isinstance(excinfo.value, DialogueDiffers):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def collect_script(file_path: Path, parent: pytest.Collector, *, fixtures: Sequence[str] = ()) -> DialogueFile | None:
    """The collector of a script, for ``pytest_collect_file``; None for any other file.

    ``fixtures`` are names of fixtures that give the URL of an empty, migrated database; without any, an SQLite file is made. Each adds a
    test, named by the fixture's first word. A script gets the first of them only, unless it says ``databases: both``.
    """
    if file_path.suffix not in ENDINGS:
        return None
    file: DialogueFile = DialogueFile.from_parent(parent, path=file_path)
    file.fixtures = fixtures
    return file


def _with(script: Script, fixture: str) -> Callable[[pytest.FixtureRequest], None]:
    def run(request: pytest.FixtureRequest) -> None:
        _judge(asyncio.run(play_on(script, request.getfixturevalue(fixture))))

    return run


def _alone(script: Script) -> Callable[[], None]:
    def run() -> None:
        with source_of(None) as source:
            _judge(asyncio.run(play(script, source)))

    return run


def _judge(played: Played) -> None:
    if not played.passed:
        raise DialogueDiffers("\n".join([played.name, *played.transcript]))
