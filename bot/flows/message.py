"""One message while it is understood: its words as read, what it seems to want, and what the rules ask about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.flows.ask import wanted_of
from bot.flows.commands import Command, Named
from bot.flows.engine import Engine
from bot.flows.model import Flow, Slot
from bot.flows.plan import Guess, Judge, Plan
from bot.flows.stack import root_of
from bot.flows.state import State
from bot.flows.work import Situation
from bot.understand.hear import Heard
from bot.understand.said import Entity, Reading, Said, Wanted, read_value
from bot.understand.words import words_of
from memory.values import Type

IN_SCOPE, CLEARLY = 0.5, 0.86
"""Below the first chance a message is taken to want none of the intents; what neither asks nor requests anything begins something else in
the middle of a flow only from the second on."""

UNMISTAKABLE, MOST_STATED = 0.95, 12
"""Where any words would do for an answer, a statement of at most so many is something else only if both chances are so high."""

_REQUEST = re.compile(
    r"\s*(?:please |hi |hello |ok |also |and |but )*(?:i (?:want|need|would like|wish)|i'd like|can (?:i|you)|could (?:i|you)|let'?s"
    r"|(?:show|tell|give|send|get|cancel|block|open|close|change|order|transfer|report|check|find|make|book|pay|stop|start|upgrade|replace"
    r"|update|help|do))\b"
)
_BOOL = Wanted("bool")


@dataclass(slots=True)
class Message:
    """One message, while it is understood. The intents are judged only where they matter.

    ``said``, ``entities`` and ``facts`` are there once its words have been read.
    """

    engine: Engine
    judge: Judge | None
    sure: float
    unsure: float
    state: State
    situation: Situation
    heard: Heard
    said: Said = field(default_factory=lambda: Said(""))
    entities: tuple[Entity, ...] = ()
    facts: bool = False
    guesses: Sequence[Guess] | None = None
    in_scope: bool = True
    scope: float = 1.0

    def read(self, slot: str, text: str) -> Reading | None:
        """What ``text`` gives as the answer for a slot."""
        wanted = wanted_of(self.slot(slot), self.engine.declared, self.situation.now.date())
        return read_value(wanted, text, self.entities, yes=self.said.yes)

    def reads_as_yes_no(self) -> bool | None:
        """The yes or no that the words are, whatever was asked; None for neither."""
        reading = read_value(_BOOL, self.situation.text, yes=self.said.yes)
        return bool(reading.value) if reading is not None and reading.exact else None

    def requests(self) -> bool:
        """Whether something is asked or requested, whatever it is."""
        return self.said.asks or _REQUEST.match(self.situation.text.lower()) is not None

    def is_talk(self) -> bool:
        """Whether it is small talk and nothing else."""
        heard = self.heard
        return heard.greeting or heard.thanks or heard.goodbye or heard.help

    def judged(self) -> Sequence[Guess]:
        """What it seems to want, best first; nothing where it seems to want nothing that is known."""
        if self.guesses is None:
            judged = self.judge(self.situation.text) if self.judge is not None and self.situation.text else None
            self.scope = 1.0 if judged is None else float(judged.in_scope)
            self.in_scope = self.scope >= IN_SCOPE
            self.guesses = judged.guesses if judged is not None else ()
        return self.guesses if self.in_scope else ()

    def unmistakable(self) -> bool:
        """Whether a short statement can only be the beginning of something else, though any words would do for an answer."""
        slot = self.state.asked
        if slot is None or not self.is_free(self.slot(slot)) or len(words_of(self.situation.text)) > MOST_STATED:
            return False
        guesses = self.judged()
        return bool(guesses) and guesses[0].confidence >= UNMISTAKABLE and self.scope >= UNMISTAKABLE

    def clearly(self) -> bool:
        """Whether the words clearly want something that is known, whatever was asked."""
        return bool(self.judged()) and self.scope >= CLEARLY

    def names_a_place(self) -> bool:
        """Whether a place is asked for and the words have a number: "send it to 12 Oak Street" is an answer."""
        slot = self.state.asked
        is_place = slot is not None and self.slot(slot).fact and self.engine.declared.fact(slot).type is Type.PLACE
        return is_place and any(character.isdigit() for character in self.situation.text)

    def is_free_question(self) -> bool:
        """Whether any words would do for an answer to the question that stands."""
        slot = self.state.asked
        return slot is not None and self.is_free(self.slot(slot))

    @staticmethod
    def is_free(slot: Slot) -> bool:
        """Whether any words would do for this slot."""
        return not slot.fact and slot.type in ("text", "any", "list") and not slot.values

    def things(self) -> dict[str, Any]:
        """What it names, by kind; of two of a kind the first."""
        things: dict[str, Any] = {}
        for one in self.entities:
            things.setdefault(one.name, one.value)
        return things

    def slot(self, name: str) -> Slot:
        """What is declared of a slot; of an undeclared one, that it is a text."""
        return self.engine.flows.domain.slots.get(name) or Slot(name)

    def flow_id(self) -> str | None:
        """The flow that is under way, as the customer knows it."""
        root = root_of(self.state)
        return root.flow if root is not None else None

    def flow(self) -> Flow | None:
        """The flow on top, which may be one that another has called."""
        return self.engine.flows.flows.get(self.state.stack[-1].flow) if self.state.stack else None

    def plan(self, commands: list[Command]) -> Plan:
        """These commands, with what the trace is told of how they came about. Where things are only named, nothing is for the flows."""
        guesses = [[one.intent, round(one.confidence, 3)] for one in (self.guesses or ())[:3]]
        trace: dict[str, Any] = {
            "intents": guesses,
            "in_scope": self.in_scope if guesses else None,
            "scope": round(self.scope, 3) if guesses else None,
            "entities": sorted({one.name for one in self.entities}),
            "said": list(self.said.flags),
        }
        top = self.guesses[0].intent if self.guesses and self.in_scope else None
        commands = [one for one in commands if not (isinstance(one, Named) and not one.things)]
        only_named = bool(commands) and all(isinstance(one, Named) for one in commands)
        return Plan(
            tuple(commands) if not only_named else (),
            bool(self.state.stack),
            self.things(),
            top,
            {name: value for name, value in trace.items() if value not in (None, [], ())},
        )
