"""Which replies an assistant says beside those that all assistants have, and with which variables: what its flows and actions say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from bot.content import Mistake
from bot.flows.model import Collect, Flows
from bot.flows.read import replies_of
from bot.turn.reply import REQUIRED
from memory.declared import Declarations

ALWAYS = frozenset({"company", "expectation"})
"""Variables that every reply of a flow may use beside its slots and the facts."""

MISSPELT = 0.9
"""A reply that nobody is known to say, and whose name is so like one that all assistants have, is taken for a slip of the pen."""


class SaidReplies(Mapping[str, frozenset[str] | None]):
    """The replies that may be said, with their variables; None: any.

    An action says replies by names that are known to it alone, so where the domain lists actions every name may be said. Only the names of
    which more is known are listed. Unless the flows are ``whole``, as when a file of theirs cannot be read, everything may be said.
    """

    def __init__(self, flows: Flows, declared: Declarations, *, whole: bool = True) -> None:
        own = ALWAYS | flows.domain.slots.keys() | declared.facts.keys()
        by_flows = {name: own for flow in flows.flows.values() for _, name in replies_of(flow)}
        self._known: Mapping[str, frozenset[str]] = {**by_flows, **REQUIRED}
        self._by_actions = bool(flows.domain.actions)
        self._whole = whole

    def __getitem__(self, name: str) -> frozenset[str] | None:
        if name in self._known and (self._whole or name in REQUIRED):
            return self._known[name]
        if self._whole and (not self._by_actions or get_close_matches(name, REQUIRED, n=1, cutoff=MISSPELT)):
            raise KeyError(name)
        return None

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def missing_replies(flows: Flows, declared: Declarations, names: Collection[str]) -> list[Mistake]:
    """What flows say that is not written; a question need not be, where the fact that is asked for has one of its own."""
    mistakes = []
    for flow in flows.flows.values():
        asked = {step.utter: step.slot for step in flow.steps.values() if isinstance(step, Collect)}
        for line, name in replies_of(flow):
            fact = declared.facts.get(asked.get(name, ""))
            if name in names or (fact is not None and fact.ask):
                continue
            near = get_close_matches(name, list(names), n=1, cutoff=0.85)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            mistakes.append(Mistake(flow.path, line, f"the reply `{name}` is missing: write it in replies.yml{hint}"))
    return mistakes
