"""The assistant's own brain: it understands, decides by the rules, and lets the flows go on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from bot.flows.listen import NO_PLAN
from bot.messages import Event
from bot.turn.decide import decide, fail, in_other_language
from bot.turn.decision import ARTICLE, Arrived, Decision, Reason
from bot.turn.flow import FlowTurns, without_told
from bot.turn.learn import learn, study
from bot.turn.linker import Linker
from bot.turn.linking import OPEN_GATE
from bot.understand.extract import extract
from bot.understand.hear import Heard, hear
from bot.understand.knowledge import Knowledge
from bot.understand.language import Languages
from bot.understand.mood import Mood
from memory.context import Context
from memory.declared import Declarations

ENGLISH = "en"
"""The language that moods are judged in."""


class Brain(Protocol):
    """What understands and decides; may wait for actions, with no transaction open."""

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        """The decision, and a trace of what it rests on."""


class KnowledgeBrain:
    """The assistant's own brain: understanding, then the rules.

    ``flows`` None: it has none. ``language`` is the one that it understands, ``speaks`` are others that it answers in.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        *,
        returning_after_s: float,
        declared: Declarations | None = None,
        language: str = ENGLISH,
        linker: Linker | None = None,
        flows: FlowTurns | None = None,
        speaks: Collection[str] = (),
    ) -> None:
        self._knowledge = knowledge
        self._linker = linker
        self._returning_after = timedelta(seconds=returning_after_s)
        self._declared = declared or Declarations()
        self._language = language.partition("-")[0]
        self._speaks = frozenset({self._language, *speaks})
        self._languages = Languages(self._language, knowledge.knows)
        self._mood = Mood()
        self._flows = flows

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        gate = await self._linker.gate(arrived, context) if self._linker is not None else OPEN_GATE
        heard = hear(arrived.text, self._knowledge)
        is_said = arrived.text and arrived.first.event in (Event.MESSAGE, Event.EDIT) and gate.links is None
        found = extract(arrived.text, self._declared) if is_said else ()
        lessons = study(arrived, found, context, self._declared)
        payload = str(arrived.first.data.get("payload", ""))
        plan = self._flows.plan(arrived, heard, context, found, gate) if self._flows is not None else NO_PLAN
        decision = decide(
            arrived,
            heard,
            context,
            chosen=self._knowledge.get(payload.removeprefix(ARTICLE)) if payload.startswith(ARTICLE) else None,
            returning_after=self._returning_after,
            declared=self._declared,
            found=found,
            lessons=lessons,
            speaks=self._speaks,
            gate=gate,
            plan=plan,
        )
        trace = _trace(heard)
        if self._flows is not None:
            waiting = await self._flows.elsewhere(plan, heard, arrived, context, gate)
            decision, flowed = await self._flows.finish(decision, plan, arrived, context, gate, waiting)
            trace |= flowed
            lessons = without_told(lessons, decision.deeds)
        spoken = await self._languages.of(arrived.text) if is_said else None
        if spoken is not None:
            decision = replace(decision, language=spoken)
            if spoken not in self._speaks:
                decision = in_other_language(decision, spoken, context)
        mood = self._mood_of(arrived, spoken or context.language or ENGLISH)
        decision, learned = learn(arrived, lessons, context, decision, self._declared, mood=mood, proof_fresh_for=gate.fresh_for)
        return decision, {**trace, **learned}

    def _mood_of(self, arrived: Arrived, language: str) -> float | None:
        """The mood of a message's words; None where there are none, or none that can be judged."""
        english = self._language == ENGLISH and language.startswith(ENGLISH)
        if not english or arrived.first.event is not Event.MESSAGE or not arrived.text or arrived.text.startswith("/"):
            return None
        return self._mood.of(arrived.text)


class HandOver:
    """A brain that asks a person at once: for turns that no worker came to in time."""

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        return fail(context, Reason.OVERDUE), {}


def _trace(heard: Heard) -> dict[str, Any]:
    flags = [name for name in ("asks_person", "greeting", "thanks", "goodbye", "affirm", "deny", "help") if getattr(heard, name)]
    return {"heard": flags, "hits": [[hit.article.slug, round(hit.score, 3)] for hit in heard.hits]}
