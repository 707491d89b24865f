"""Everything that ``legato check`` says about flows that can be read: what cannot work, and what perhaps is not meant. Pure."""

from __future__ import annotations

from collections.abc import Collection

from bot.content import Mistake
from bot.flows.checks.buttons import ButtonAt, check_buttons, started
from bot.flows.checks.examples import Learn, check_examples
from bot.flows.checks.names import ActionNames, ReplyNames, check_names
from bot.flows.checks.ways import check_ways, never_starts
from bot.flows.model import Flows
from memory.declared import Declarations

__all__ = ["ActionNames", "ButtonAt", "ReplyNames", "check_flows"]


def check_flows(
    flows: Flows,
    declared: Declarations,
    replies: ReplyNames,
    *,
    actions: ActionNames | None = None,
    played: Collection[str] | None = None,
    learn: Learn | None = None,
) -> list[Mistake]:
    """Mistakes and warnings, ordered by file and line, each with what to do.

    ``actions`` None: they run elsewhere and nothing is known of them. ``played`` are the flows that scripted dialogues name; None: there is
    no looking for any. ``learn`` None: no example is tried.
    """
    found = [
        *check_ways(flows, started(replies.buttons)),
        *check_names(flows, declared, replies, actions),
        *check_buttons(flows, replies.buttons),
        *check_examples(flows, learn),
        *(_unplayed(flows, played) if played is not None else ()),
    ]
    return sorted(set(found))


def _unplayed(flows: Flows, played: Collection[str]) -> list[Mistake]:
    """Flows that customers start and no script names."""
    return [
        Mistake(
            flow.path,
            flow.line,
            f"no script in the folder dialogues plays `{flow.id}`; write one with a step `flow: {{is: {flow.id}}}`",
            "warning",
        )
        for flow in flows.flows.values()
        if flow.triggers and not never_starts(flow) and flow.id not in played
    ]
