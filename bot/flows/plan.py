"""What a message is to the flows, and what a judge of intents says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.flows.commands import Command


class Guess(Protocol):
    """An intent, and how surely it is the one."""

    @property
    def intent(self) -> str: ...
    @property
    def confidence(self) -> float: ...


class Judged(Protocol):
    """What a message seems to want, best first; ``in_scope`` is how likely it is anything that the assistant knows, from 0 to 1."""

    @property
    def guesses(self) -> Sequence[Guess]: ...
    @property
    def in_scope(self) -> float: ...


Judge = Callable[[str], Judged]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a message is to the flows. ``active``: a flow was under way. No ``commands``: nothing of it is for them.

    ``entities`` are what it names, ``intent`` what it seems to want; ``trace`` says how it was understood, by names only.
    """

    commands: tuple[Command, ...] = ()
    active: bool = False
    entities: Mapping[str, Any] = field(default_factory=dict)
    intent: str | None = None
    trace: Mapping[str, Any] = field(default_factory=dict)


NO_PLAN = Plan()
