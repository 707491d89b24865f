"""From what a message seems to want to the flow that it begins, or to the question which is meant. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.flows.ask import wanted_of
from bot.flows.commands import Command, Fill, Offer, Start
from bot.flows.message import CLEARLY, Message
from bot.flows.model import Flow
from bot.flows.stack import collects
from bot.flows.work import values_of
from bot.understand.knowledge import SURE as ARTICLE_SURE
from bot.understand.knowledge import UNSURE as ARTICLE_UNSURE
from bot.understand.said import mentioned, read_value

CLEAR = 0.85
"""What is said instead of an answer has to be understood so surely before it begins something else."""

CLOSE = 0.1
"""Two intents that are nearer to each other than this are asked about."""

BETTER = 0.2
"""An article answers instead of a flow that its score exceeds by so much."""

WITHIN = 0.8
"""What is less likely than this to want anything that is known weakens the intent by as much."""

MOST_OFFERED = 3

_MONEY = re.compile(r"[£€$] ?\d|\d ?(?:pounds?|quid|gbp|euros?|eur|dollars?|usd)\b|\d+ ?p\b", re.IGNORECASE)


def beginnings(message: Message, *, at_least: float = 0.0, but: str | None = None) -> Iterator[Command]:
    """Start what is wanted, or ask which is meant; ``but`` is a flow that is under way already."""
    best = may_be_meant(message, but)
    if not best or (message.state.stack and not message.requests() and message.scope < CLEARLY):
        return
    flow, confidence, needed = best[0]
    confidence *= min(1.0, message.scope / WITHIN)
    needed = max(needed, at_least)
    article = message.heard.hits[0].score if message.heard.hits else 0.0
    if article >= ARTICLE_SURE and article > confidence + (BETTER if confidence >= needed else 0.0):
        return
    rivals = [one for one, score, _ in best[1:] if confidence - score < CLOSE and score >= message.unsure]
    if rivals and confidence < 0.95 and (not message.state.stack or message.requests()):
        yield Offer((flow.id, *(one.id for one in rivals))[:MOST_OFFERED])
    elif confidence >= needed:
        yield Start(flow.id, round(confidence, 3))
        yield from _told_at_once(message, flow)
    elif confidence >= message.unsure and not message.state.stack and not message.facts:
        titles = [(hit.article.title, f"/article {hit.article.slug}") for hit in message.heard.hits if hit.score >= ARTICLE_UNSURE]
        others = [one.id for one, score, _ in best[1:] if score >= message.unsure]
        yield Offer((flow.id, *others)[:MOST_OFFERED], tuple(titles[:2]))


def may_be_meant(message: Message, but: str | None) -> list[tuple[Flow, float, float]]:
    """The flows that may be meant, each with how surely and with what it needs; nothing where something else is meant more surely."""
    guesses = message.judged()
    by_intent = message.engine.flows.by_intent
    found: dict[str, tuple[Flow, float, float]] = {}
    for n, guess in enumerate(guesses):
        flows = [one for one in by_intent.get(guess.intent, ()) if _may_start(message, one)]
        if not flows and n == 0 and guess.confidence >= message.unsure:
            return []
        for flow in flows:
            trigger = next(one for one in flow.triggers if one.intent == guess.intent)
            needed = trigger.confidence if trigger.confidence is not None else message.sure
            if flow.id not in found:
                found[flow.id] = (flow, guess.confidence, needed)
    best = list(found.values())
    return [] if best and best[0][0].id == but else [one for one in best if one[0].id != but]


def _may_start(message: Message, flow: Flow) -> bool:
    engine = message.engine
    return flow.guard is None or flow.guard.holds(values_of(message.state, message.situation, engine.flows, engine.declared))


def _told_at_once(message: Message, flow: Flow) -> Iterator[Command]:
    """What the message that starts a flow tells of its slots beside what it names."""
    taken = {one.name for one in message.entities}
    numbers = [name for name in collects(flow) if message.slot(name).type == "float" and not message.slot(name).entities]
    for name in collects(flow):
        slot = message.slot(name)
        if not slot.by_customer or slot.fact or taken & {*slot.entities}:
            continue
        value = mentioned(wanted_of(slot, message.engine.declared), message.situation.text)
        if value is None and numbers == [name] and _MONEY.search(message.situation.text):
            reading = read_value(wanted_of(slot, message.engine.declared), message.situation.text)
            value = reading.value if reading is not None else None
        if value is not None:
            yield Fill(name, value)
