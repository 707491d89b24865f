"""Whether this installation could start: its settings and its assistants, without a database and without the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.assistants import BUILT_IN, read_assistant
from bot.check_flows import check_assistant_flows
from bot.content import Mistake
from bot.settings import Settings
from memory.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Checked:
    """``problems`` are the settings', ``mistakes`` the assistants'; ``summary`` has one line for each thing that was looked at.

    ``warnings`` need not be put right.
    """

    problems: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    summary: tuple[str, ...]
    warnings: tuple[Mistake, ...] = ()

    @property
    def fine(self) -> bool:
        """Nothing has to be put right."""
        return not self.problems and not self.mistakes


def check(env_file: str | Path | None = ".env", assistants: Sequence[str | Path] | None = None, *, examples: bool = False) -> Checked:
    """Check the settings and ``assistants``: by default the one that the settings name, or all built-in ones if they cannot be read.

    ``examples``: of flows' intents each example is tried with what is learned from the others, which takes some seconds.
    """
    own_actions = True
    problems: list[str] = []
    mistakes: list[Mistake] = []
    summary: list[str] = []
    chosen: Sequence[str | Path] = BUILT_IN
    try:
        settings = Settings.load(env_file)
        chosen = (settings.assistant,)
        own_actions = settings.actions_url is None
        summary.append("settings: fine")
    except SettingsError as error:
        problems = str(error).splitlines()
        summary.append(f"settings: {_counted(len(problems), 'problem')}")
    for where in chosen if assistants is None else assistants:
        assistant, found = read_assistant(where)
        if assistant is not None:
            found = check_assistant_flows(assistant, own_actions=own_actions, examples=examples)
        mistakes += found
        if assistant is None:
            summary.append(f"assistant {where}: {_counted(len(found), 'mistake')}")
        else:
            replies, articles = len(assistant.replies.names), len(assistant.knowledge.articles)
            facts, products = len(assistant.declared.facts), len(assistant.declared.products)
            counts = (
                _counted(articles, "article"),
                _counted(replies, "reply", "replies"),
                _counted(facts, "fact"),
                _counted(products, "product"),
                *([_counted(len(assistant.flows.flows), "flow")] if assistant.flows else []),
            )
            summary.append(f"assistant {where}: {', '.join(counts)}")
    # Assistants share a file, and its mistakes are named once.
    mistakes = list(dict.fromkeys(mistakes))
    return Checked(
        tuple(problems),
        tuple(one for one in mistakes if one.severity == "mistake"),
        tuple(summary),
        tuple(one for one in mistakes if one.severity == "warning"),
    )


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
