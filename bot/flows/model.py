"""What a flow is once it has been read: steps by their ids, with every way out of them. Nothing here changes after loading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from bot.flows.predicate import Predicate
from memory.declared import Proof

END = "END"
"""Where a flow ends; the place of no step."""

SlotType: TypeAlias = Literal["text", "bool", "float", "categorical", "list", "any"]
"""Rasa's slot types."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One way out of a step: the first whose condition holds is taken; ``when`` None always holds. ``to`` is a step's id, or ``END``.

    The last one of a step always holds. ``written`` is False where nobody wrote it: the flow ends where no condition held.
    """

    when: Predicate | None
    to: str
    written: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a flow. ``id`` is the designer's, or made from its number and kind, such as ``2_collect_amount``; unique in its flow."""

    id: str
    line: int
    next: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Rejection:
    """An answer that is refused: ``utter`` says why, and the question is asked again."""

    when: Predicate
    utter: str


@dataclass(frozen=True, slots=True)
class Collect(Step):
    """Get a slot's value: from what was said, from what is known, and only then by asking.

    ``utter`` is the reply that asks; it need not exist where the slot is a declared fact with a question of its own. ``confirm`` (Rasa's
    ``ask_before_filling``): what is known is read back to be confirmed, not taken silently and not asked for anew. ``keep``: the value
    outlives the flow (Rasa's ``reset_after_flow_ends: false``, or the flow's ``persisted_slots``). ``why`` (``description``) tells the
    customer why it is needed, where the fact has no benefit of its own.
    """

    slot: str
    utter: str
    confirm: bool = False
    keep: bool = False
    rejections: tuple[Rejection, ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Act(Step):
    """Run an action, or say a reply where the name begins with ``utter_``."""

    action: str


@dataclass(frozen=True, slots=True)
class SetSlots(Step):
    """Set slots to fixed values; None empties one."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link(Step):
    """Go on with another flow in place of this one. Always the last step; it has no ways out."""

    flow: str


@dataclass(frozen=True, slots=True)
class Call(Step):
    """Run another flow and come back."""

    flow: str


@dataclass(frozen=True, slots=True)
class Noop(Step):
    """Nothing but the choice of what comes next."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """An intent that starts a flow when understood with at least this confidence; None: the assistant's own threshold."""

    intent: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow. ``name`` is what customers read, as in "back to your lost card"; ``steps`` stand in the file's order, ``first`` leads.

    ``guard``: the flow starts only where it holds. ``keeps``: slots that outlive it. A flow without triggers is started by others only.
    """

    id: str
    name: str
    description: str
    steps: Mapping[str, Step]
    first: str
    triggers: tuple[Trigger, ...] = ()
    guard: Predicate | None = None
    keeps: frozenset[str] = frozenset()
    path: Path = Path()
    line: int = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot. ``entities`` (mapping ``from_entity``): what fills it when it is said; ``by_customer`` is False where only actions and
    ``set_slots`` do (mapping ``controlled`` or ``custom``). ``fact``: it is the declared fact of the same name, filled from the memory
    and stored there. ``secret``: what the customer answers is kept no longer than the flow that asked for it, and nobody is shown it.
    ``title`` is what people read in place of its name, as in "your amount"; a fact has its own."""

    name: str
    type: SlotType = "text"
    initial: Any = None
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    entities: tuple[str, ...] = ()
    by_customer: bool = True
    fact: bool = False
    secret: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """An action that the domain lists, with the level that the customer's identity needs before it runs.

    ``changes`` is False where it only looks something up: whoever stops afterwards need not be told that something stays done.
    """

    name: str
    proof: Proof = "seen"
    changes: bool = True


@dataclass(frozen=True, slots=True)
class Domain:
    """What flows may speak of."""

    intents: frozenset[str] = frozenset()
    entities: frozenset[str] = frozenset()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examples:
    """How customers say things (Rasa's ``nlu.yml``): sentences by intent, without their entity marks; what a marked value stands for.

    ``entities`` are lookups: for each entity the phrases that name a value, and that value. ``patterns`` are its regular expressions.
    """

    intents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entities: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flows:
    """All flows of an assistant with their domain and examples. Empty for an assistant that only answers.

    ``places`` says where things stand that have no line of their own: ``("slot", name)`` and so on, to the file and its line.
    """

    flows: Mapping[str, Flow] = field(default_factory=dict)
    domain: Domain = Domain()
    examples: Examples = Examples()
    places: Mapping[tuple[str, ...], tuple[Path, int]] = field(default_factory=dict, repr=False, compare=False)

    def __bool__(self) -> bool:
        return bool(self.flows)

    @property
    def by_intent(self) -> Mapping[str, tuple[Flow, ...]]:
        """The flows that an intent may start, in the files' order."""
        found: dict[str, tuple[Flow, ...]] = {}
        for flow in self.flows.values():
            for trigger in flow.triggers:
                found[trigger.intent] = (*found.get(trigger.intent, ()), flow)
        return found
