"""Actions that answer what a script says, in place of the company's systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bot.flows.actions import Called, Done, Uttered
from bot.qa.format import ActionDoes


class ScriptedActions:
    """Runs every action: those of which the script says nothing are done and change nothing.

    A call that is made again has the same turn and number; it is counted once and answered as the first time, as a real system would.
    """

    def __init__(self, answers: Mapping[str, ActionDoes]) -> None:
        self.answers = dict(answers)
        self._made: dict[tuple[int, int, str], Done] = {}

    @property
    def ran(self) -> Counter[str]:
        """How often each action was run."""
        return Counter(action for *_, action in self._made)

    async def __call__(self, called: Called) -> Done:
        key = (called.turn_id, called.call, called.action)
        if key not in self._made:
            self._made[key] = _done(self.answers.get(called.action, ActionDoes()))
        return self._made[key]


def _done(answer: ActionDoes) -> Done:
    says = tuple(Uttered(name) for name in answer.says) + ((Uttered(None, text=answer.text),) if answer.text else ())
    return Done(answer.slots, says, answer.handoff, answer.failed)
