"""Scripts as pytest tests."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
from bot.qa.pytest_plugin import collect_script

def pytest_collect_file(file_path, parent):
    return collect_script(file_path, parent)
"""


def test_scripts_are_collected_and_played(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makefile(".yml", good="name: Good\nscript:\n  - ann: hello\n  - bot: {reply: utter_welcome}\n")
    pytester.makefile(".yml", wrong="name: Wrong\nscript:\n  - ann: hello\n  - bot: {reply: utter_goodbye}\n")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*wrong.yml:4*", "*expected the reply utter_goodbye*", "*got      utter_welcome*"])


def test_a_broken_script_is_a_collection_error(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makefile(".yml", broken="name: Broken\nscript:\n  - bto: hello\n")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*broken.yml:3: `bto` is neither a person of this script*"])
