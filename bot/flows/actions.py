"""What the engine and whoever runs actions say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Called:
    """An action to be run.

    The same ``turn_id`` and ``call`` are the same call, however often it is made: nothing is to be done twice. ``sender`` is
    ``channel:address``; ``slots`` are all values, JSON; ``text``, ``intent`` and ``entities`` are the customer's last words as understood.
    ``proof`` is how well it is known now who writes.
    """

    action: str
    turn_id: int
    call: int
    sender: str
    slots: Mapping[str, Any]
    text: str = ""
    intent: str | None = None
    entities: Mapping[str, Any] = field(default_factory=dict)
    flow: str | None = None
    proof: str = "seen"


@dataclass(frozen=True, slots=True)
class Uttered:
    """A reply that an action wants said, by its name with its variables, or a text of its own where ``name`` is None."""

    name: str | None
    variables: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    buttons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action: slots to set, replies to say in order, why a person is asked for (None: nobody is), and what failed.

    ``failed`` is ``timeout``, ``unavailable``, ``refused`` or ``error``; an honest reply follows from it unless the flow branches on it.
    ``queue`` and ``note`` go with a handoff: the department that it is for, and what the agent should know.
    """

    slots: Mapping[str, Any] = field(default_factory=dict)
    says: tuple[Uttered, ...] = ()
    handoff: str | None = None
    failed: str | None = None
    queue: str | None = None
    note: str | None = None


class RunAction(Protocol):
    """Runs an action; waits with no transaction open, and never longer than its time limit. Never raises for an action's fault."""

    async def __call__(self, called: Called) -> Done: ...
