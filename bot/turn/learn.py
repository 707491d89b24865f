"""What a turn learns from what a customer wrote: facts, experiences, where they stand. Pure: it becomes the decision's deeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.flows.state import FLOWS
from bot.messages import Event
from bot.turn.confirm import ASKED, ask, was_asked, without_question
from bot.turn.consent import CONSENT, ask_consent
from bot.turn.decision import Arrived, Decision, Say
from bot.turn.deeds import Deed, MoveJourney, Remember
from bot.turn.experience import late_answer, moments_of
from bot.understand.clauses import Found
from bot.understand.words import words_of
from memory.context import Context, KnownFact
from memory.declared import Declarations, at_least
from memory.facts import AGENT, CUSTOMER, SURE
from memory.proofs import FRESH_FOR as PROOF_FRESH_FOR
from memory.proofs import level_now
from memory.usable import has_consent
from memory.values import ValueRefused

FRESH_FOR = timedelta(days=1)
"""What is told again so soon is not noted again: a signature under each message would make every turn write."""

NATURAL = ("knowledge", "chosen", "thanks", "told", "worked out", "confirmed", "rejected")
"""After these rules the assistant has answered and asks nothing, so that it may ask."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a message tells. ``facts`` are new, the sure ones and the likely ones; ``missing`` are the names of facts that cannot be kept
    without a consent, ``refused`` those whose value is none. ``beside`` counts the words around what was found."""

    facts: tuple[Remember, ...] = ()
    missing: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    beside: int = 0

    @property
    def sure(self) -> tuple[Remember, ...]:
        return tuple(fact for fact in self.facts if fact.confidence >= SURE)

    @property
    def likely(self) -> tuple[Remember, ...]:
        return tuple(fact for fact in self.facts if fact.confidence < SURE)


NOTHING = Lessons()


def study(arrived: Arrived, found: Sequence[Found], context: Context, declared: Declarations) -> Lessons:
    """What there is to learn from what arrived; ``found`` is what its words tell (:func:`bot.understand.extract.extract`)."""
    first = arrived.first
    if first.event not in (Event.MESSAGE, Event.EDIT):
        return NOTHING
    told = [*stated(arrived), *(Remember(one.name, one.value, one.confidence) for one in found if not one.name.startswith(CONSENT))]
    if not told:
        return NOTHING
    facts: list[Remember] = []
    missing: list[str] = []
    refused: list[str] = []
    for one in told:
        about = declared.fact(one.name)
        try:
            value = about.check(one.value, region=declared.region)
        except ValueRefused:
            refused.append(one.name)
            continue
        if not has_consent(context, declared, about.purpose):
            missing.append(one.name)
        elif not _is_known(one, value, context, declared, first.at):
            facts.append(replace(one, value=value))
    return Lessons(tuple(facts), tuple(missing), tuple(refused), words_beside(arrived.text, found))


def learn(
    arrived: Arrived,
    lessons: Lessons,
    context: Context,
    decision: Decision,
    declared: Declarations,
    *,
    mood: float | None = None,
    proof_fresh_for: timedelta = PROOF_FRESH_FOR,
) -> tuple[Decision, dict[str, Any]]:
    """The decision with what the turn learns as its deeds, and at the next natural moment a question; and what the trace says of it.

    ``mood`` is that of the words that arrived; ``proof_fresh_for`` is how long a proof of who writes holds. No value is in the trace: it
    outlives the right to know the value.
    """
    deeds: list[Deed] = [*decision.deeds]
    trace: dict[str, Any] = {}
    says, dialogue = decision.says, decision.dialogue
    if lessons is not NOTHING and decision.rule != "edit noted":
        deeds += lessons.facts
        _note(trace, "learned", (one.name for one in lessons.sure))
        _note(trace, "likely", (one.name for one in lessons.likely))
        _note(trace, "no consent", lessons.missing)
        _note(trace, "not of its type", lessons.refused)
    if arrived.first.event in (Event.MESSAGE, Event.PRESS, Event.EDIT):
        said = arrived.text if arrived.first.event is Event.MESSAGE and not arrived.text.startswith("/") else ""
        moments = moments_of(context, decision.rule, said, mood, arrived.first.at)
        deeds += moments
        _note(trace, "experience", (f"{'good' if one.good else 'bad'} {one.kind}" for one in moments))
        says, dialogue = _with_question(decision, lessons, context, declared, arrived.first.at, proof_fresh_for)
    if decision.article is not None:
        deeds += moves(f"article {decision.article}", context, declared)
    if deeds or mood is not None or dialogue is not decision.dialogue:
        decision = replace(decision, says=says, dialogue=dialogue, deeds=tuple(deeds), mood=mood)
    return decision, trace


def follow(
    decision: Decision, arrived: Arrived, context: Context, declared: Declarations, *, waited: timedelta, limit: timedelta
) -> Decision:
    """The decision with what follows from it, whoever decided: a handoff moves journeys, an answer ``waited`` for too long is noted."""
    more: list[Deed] = []
    if decision.handoff is not None:
        more += moves("handoff opened", context, declared)
    if decision.says and waited > limit:
        moment = late_answer(context, waited, limit, arrived.first.at)
        more += [moment] if moment is not None else []
    return replace(decision, deeds=(*decision.deeds, *more)) if more else decision


def moves(event: str, context: Context, declared: Declarations) -> Iterator[MoveJourney]:
    """Where an event leads the customer, product by product."""
    if not declared.products:
        return
    here = {journey.product: journey.stage for journey in context.journeys if not journey.matter}
    for name, product in declared.products.items():
        stage = product.after(event, here.get(name))
        if stage is not None:
            yield MoveJourney(name, stage.name, event)


def stated(arrived: Arrived) -> list[Remember]:
    """Facts that the kind of message itself states."""
    data = arrived.first.data
    if arrived.first.kind == "contact" and data.get("own") and data.get("phone"):
        phone = str(data["phone"])
        return [Remember("phone", f"+{phone}" if phone.isdecimal() and not phone.startswith("0") else phone)]
    if arrived.first.kind == "location" and "latitude" in data:
        return [Remember("location", {"latitude": data["latitude"], "longitude": data["longitude"]})]
    return []


def _is_known(told: Remember, value: Any, context: Context, declared: Declarations, at: datetime) -> bool:
    """Whether this says nothing new: the same is known and fresh, or it was guessed before."""
    about = declared.fact(told.name)
    current = context.facts.get(told.name)
    is_sure = told.confidence >= SURE
    if current is not None and about.same(current.value, value):
        return not is_sure or (current.source in (CUSTOMER, AGENT) and at - (current.fresh_at or current.since) < FRESH_FOR)
    if is_sure:
        return False
    return was_asked(context.dialogue, told.name, value) or any(
        one.name == told.name and about.same(one.value, value) for one in context.proposed
    )


def _with_question(
    decision: Decision, lessons: Lessons, context: Context, declared: Declarations, at: datetime, fresh_for: timedelta
) -> tuple[tuple[Say, ...], dict[str, Any] | None]:
    """What is said, with one short question where it is natural, and the dialogue's state; a question not answered stands no more."""
    state = decision.dialogue if decision.dialogue is not None else context.dialogue
    asks_nothing = decision.relay or decision.handoff is not None
    question = None if asks_nothing else _question(decision, state, lessons, context, declared, at, fresh_for)
    if question is not None:
        say, state = question
        return (*decision.says, say), state
    if state.get("asked") == ASKED:
        return decision.says, without_question(state)
    return decision.says, decision.dialogue


def _question(
    decision: Decision,
    state: dict[str, Any],
    lessons: Lessons,
    context: Context,
    declared: Declarations,
    at: datetime,
    fresh_for: timedelta,
) -> tuple[Say, dict[str, Any]] | None:
    if not (lessons.missing or lessons.facts or context.known.get("facts")):
        return None
    if decision.rule not in NATURAL or any(say.buttons for say in decision.says):
        return None
    if (state.get(FLOWS) or {}).get("stack"):  # a flow has its own question open
        return None
    state = without_question(state)
    if state.get("asked"):
        return None
    for name in lessons.missing:
        about = declared.fact(name)
        purpose = declared.purposes.get(about.purpose)
        if purpose is not None and purpose.name not in state.get("asked_consents", ()):
            asked = [*state.get("asked_consents", ()), purpose.name]
            return ask_consent(purpose, about.title, about.benefit), {**state, "asked_consents": asked}
    settled = {deed.fact_id for deed in decision.deeds if hasattr(deed, "fact_id")}
    likely: Iterable[tuple[str, Any]] = (
        *((one.name, one.value) for one in reversed(lessons.likely)),
        *((one.name, one.value) for one in context.proposed if one.id not in settled and _may_name(one, context, declared, at, fresh_for)),
    )
    for name, value in likely:
        if not was_asked(state, name, value):
            return ask(context, declared, state, name, value)
    return None


def _may_name(proposal: KnownFact, context: Context, declared: Declarations, at: datetime, fresh_for: timedelta) -> bool:
    """Whether a value may be said to whoever writes: they told it here themselves, or they have proven enough of who they are."""
    if not has_consent(context, declared, proposal.purpose):
        return False
    level = level_now(context.proof, context.proven_at, at, fresh_for)
    return len(context.person) == 1 or at_least(level, declared.fact(proposal.name).proof)


def _note(trace: dict[str, Any], what: str, names: Iterable[str]) -> None:
    if listed := list(names):
        trace[what] = listed


def words_beside(text: str, found: Sequence[Found]) -> int:
    """How many words there are around what was found."""
    at, rest = 0, []
    for one in sorted(found, key=lambda one: one.start):
        rest.append(text[at : one.start])
        at = max(at, one.end)
    return len(words_of(" ".join([*rest, text[at:]])))
