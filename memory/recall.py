"""recall(): a person's memory for whoever asks, as short as they need it: the most useful first, each with why it is there and its source.

A turn has its :class:`memory.context.Context`; this is for agents and actions, and for a turn that wants to know more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from memory.context import Context, KnownFact, Past, recall_person
from memory.database import Record, Tx, table
from memory.declared import PREFERENCES, Declarations, at_least
from memory.exchanges import Exchange
from memory.experiences import near_limit
from memory.usable import allowed, is_fresh

if TYPE_CHECKING:
    from memory.search.cells import Embedded

For = Literal["turn", "agent", "action"]

BUDGET = 4000
"""Characters: about what a person reads in a minute, and a card in a topic holds."""

MOMENTS = 6
"""How many moments of the past a query brings, beside their neighbours."""

LINE = 400
"""One item is cut off at so many characters."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing recalled. ``text`` is for reading; ``why`` says why it is here, ``source`` who or what it comes from.

    ``kind`` is identity, warning, handoff, promise, fact, contradiction, proposal, preference, consent, journey, exchange, moment, summary
    or experience. ``stale``: a fact that is older than it stays fresh. ``exchange_id`` is where it was said.
    """

    kind: str
    text: str
    why: str
    source: str
    at: datetime | None = None
    exchange_id: int | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was recalled within the budget. ``left_out`` counts what did not fit; ``withheld`` names facts that need a better proof."""

    customer_id: int
    person: tuple[int, ...]
    items: tuple[Item, ...]
    left_out: int
    withheld: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything as lines for reading."""
        return "\n".join(f"{item.text} ({item.why}; {item.source})" for item in self.items)


_USEFUL: dict[For, tuple[str, ...]] = {
    "agent": (
        "warning",
        "handoff",
        "promise",
        "contradiction",
        "moment",
        "fact",
        "identity",
        "journey",
        "exchange",
        "summary",
        "preference",
        "proposal",
        "consent",
        "experience",
    ),
    "turn": (
        "handoff",
        "promise",
        "fact",
        "preference",
        "journey",
        "moment",
        "exchange",
        "summary",
        "warning",
        "consent",
        "contradiction",
        "proposal",
        "identity",
        "experience",
    ),
    "action": (
        "fact",
        "consent",
        "preference",
        "identity",
        "journey",
        "handoff",
        "promise",
        "moment",
        "summary",
        "exchange",
        "contradiction",
        "proposal",
        "warning",
        "experience",
    ),
}
"""What is most useful to whom. An agent needs what must not be got wrong, an action needs values, a turn what to go on with."""

_SHARE = {"exchange": 0.4, "summary": 0.25, "moment": 0.35, "experience": 0.15, "fact": 0.5}
"""The most of the budget that one kind may take, so that a talkative past does not crowd out the rest; the others are few and short."""

_exchange = table(Exchange)
_texts = sa.select(_exchange.c.id, _exchange.c.author, _exchange.c.author_name, _exchange.c.kind, _exchange.c.text, _exchange.c.at).where(
    _exchange.c.id.in_(sa.bindparam("p_ids", expanding=True))
)


def recall(
    tx: Tx,
    customer_id: int,
    *,
    declared: Declarations,
    now: datetime,
    for_: For = "agent",
    query: str | None = None,
    budget: int = BUDGET,
    level: str | None = None,
    meaning: Embedded | None = None,
) -> Recalled | None:
    """A person's memory within ``budget`` characters; None for a number that nobody has.

    ``customer_id`` is any of the customers who are this person. ``level`` is the proof that the one who asks for the customer has reached
    (:mod:`memory.proofs`): facts that need more are withheld; None for agents, who see everything. Facts whose consent was taken back are
    not there for anybody. ``query`` brings the moments of the whole past that belong to it, by words, and by meaning where ``meaning`` is
    given. One round trip without a query, however long the history; a query adds a bounded number (:mod:`memory.search.find`).
    """
    contexts = recall_person(tx, customer_id)
    moments = _moments(tx, contexts[0], query, now, meaning) if contexts and query else ()
    return told(contexts, declared=declared, now=now, for_=for_, budget=budget, level=level, moments=moments)


def told(
    contexts: Sequence[Context],
    *,
    declared: Declarations,
    now: datetime,
    for_: For = "agent",
    budget: int = BUDGET,
    level: str | None = None,
    moments: Iterable[Item] = (),
) -> Recalled | None:
    """What there is to tell of a person who has these contexts (:func:`memory.context.recall_person`); None where there are none. Pure."""
    if not contexts:
        return None
    context = contexts[0]
    facts = allowed(context, declared)
    withheld = tuple(name for name in facts if level is not None and not at_least(level, declared.fact(name).proof))
    items = [item for one in contexts for item in _identity(one)]
    items += _items(context, declared, now, {name: fact for name, fact in facts.items() if name not in withheld})
    items += moments
    chosen = _fit(items, _USEFUL[for_], budget)
    return Recalled(context.customer_id, context.person, chosen, len(items) - len(chosen), withheld)


def _fit(items: Sequence[Item], order: Sequence[str], budget: int) -> tuple[Item, ...]:
    """The most useful items that fit, in the order of their kinds; within a kind the first given is the most useful."""
    chosen: list[tuple[int, int, Item]] = []
    left, used = budget, dict.fromkeys(order, 0)
    shares = {kind: int(budget * _SHARE.get(kind, 1.0)) for kind in order}
    for n, item in sorted(enumerate(items), key=lambda one: (order.index(one[1].kind), one[0])):
        size = len(item.text) + len(item.why) + len(item.source)
        if size <= left and used[item.kind] + size <= shares[item.kind]:
            chosen.append((order.index(item.kind), n, item))
            left -= size
            used[item.kind] += size
    return tuple(item for _, _, item in chosen)


def _identity(one: Context) -> Iterator[Item]:
    name = one.profile_name or one.username or "no name"
    proven = f"{one.proof} since {one.proven_at:%d %b %Y}" if one.proven_at is not None else one.proof
    yield Item("identity", f"{name} on {one.channel}", f"how they can be reached, {proven}", one.channel)


def _items(context: Context, declared: Declarations, now: datetime, facts: Mapping[str, KnownFact]) -> Iterator[Item]:
    if bad := near_limit(context.experiences, now):
        moments = ", ".join(f"{one.kind} on {one.at:%d %b}" for one in bad[:4])
        yield Item("warning", f"Near the limit: {moments}", "one more bad moment may be the last", "experiences", bad[0].at)
    if (episode := context.last_episode) is not None:
        state = "open handoff" if context.handoff is not None else "last handoff"
        who = episode.owner_name or "nobody yet"
        note = str((episode.return_packet or {}).get("note") or "")
        text = f"{state.capitalize()} ({episode.reason}), with {who}" + (f": {note}" if note else "")
        yield Item("handoff", _cut(text), state, who, episode.opened_at)
    for promise in sorted(context.promises, key=lambda one: (one.due_at is None, one.due_at)):
        due = f", due {promise.due_at:%d %b %Y %H:%M} UTC" if promise.due_at is not None else ""
        late = promise.state == "broken" or (promise.due_at is not None and promise.due_at < now)
        why = "promised and overdue" if late else "promised"
        yield Item("promise", _cut(f"{promise.text}{due}"), why, promise.by, promise.made_at, promise.exchange_id)
    for fact in facts.values():
        yield from _fact(fact, declared, now)
    for fact in context.proposed:
        if fact.name in facts or fact.name not in context.facts:
            about = declared.fact(fact.name)
            text = f"{about.title or fact.name}: {about.shown(fact.value)}?"
            yield Item("proposal", _cut(text), "likely, nobody has confirmed it", _said_by(fact), fact.learned_at, fact.exchange_id)
    for purpose, consent in context.consents.items():
        word = "agreed to" if consent.granted else "refused"
        yield Item("consent", f"{word} {purpose}", f"their last word, text version {consent.version}", consent.channel, consent.at)
    for journey in context.journeys:
        yield _journey(journey.product, journey.matter, journey.stage, journey.moved_at, declared)
    for past in reversed(context.exchanges):
        yield Item("exchange", _line(past), "one of the last exchanges", past.author, past.at, past.id)
    for summary in context.summaries:
        parts = [f"wanted “{summary.wanted}”", f"was told “{summary.done}”" if summary.done else "", summary.ending]
        promised = f"; promised: {summary.promised}" if summary.promised else ""
        text = f"{summary.began_at:%d %b %Y}: {', '.join(part for part in parts if part)}{promised}"
        first = summary.links.get("wanted") or [summary.first_id]
        source = f"exchanges {summary.first_id}–{summary.last_id}"
        yield Item("summary", _cut(text), "an earlier conversation", source, summary.ended_at, first[0])
    for moment in context.experiences:
        kind = "good" if moment.good else "bad"
        text = f"{kind}: {moment.kind}, weight {moment.weight:g}"
        yield Item("experience", text, f"a {kind} moment", "noted", moment.at, moment.exchange_id)


def _fact(fact: KnownFact, declared: Declarations, now: datetime) -> Iterator[Item]:
    about = declared.fact(fact.name)
    fresh_at = fact.fresh_at or fact.since
    stale = not is_fresh(fact, declared, now)
    kind = "preference" if fact.name in PREFERENCES else "fact"
    why = f"not confirmed since {fresh_at:%d %b %Y}: ask again before relying on it" if stale else f"holds since {fact.since:%d %b %Y}"
    text = _cut(f"{about.title or fact.name}: {about.shown(fact.value)}")
    yield Item(kind, text, why, _said_by(fact), fact.since, fact.exchange_id, stale)
    for other in fact.contested:
        text = _cut(f"{about.title or fact.name}: {about.shown(other.value)}")
        yield Item("contradiction", text, "contradicts what is gone by", _said_by(other), other.learned_at, other.exchange_id)


def _said_by(fact: KnownFact) -> str:
    return f"{fact.source} {fact.by}" if fact.by else fact.source


def _journey(product: str, matter: str, stage: str, at: datetime, declared: Declarations) -> Item:
    known = declared.products.get(product)
    here = known.stage(stage) if known is not None else None
    title = known.title if known is not None else product
    text = f"{title}{f' ({matter})' if matter else ''}: {here.title if here is not None else stage}"
    if here is not None and here.next:
        text += f"; next: {here.next}"
    return Item("journey", _cut(text), "where they stand", product, at)


def _line(past: Past) -> str:
    who = past.author_name or past.author
    said = past.text if past.kind == "text" else f"({past.kind}) {past.text}"
    return _cut(f"{past.at:%d %b %Y %H:%M} {who}: {said}")


def _moments(tx: Tx, context: Context, query: str, now: datetime, meaning: Embedded | None) -> Iterator[Item]:
    from memory.search.find import find  # it brings numpy, which most who recall do not need
    from memory.search.words import ask

    names = {past.author_name for past in context.exchanges if past.author_name} | ({context.name} if context.name else set())
    question = ask(query, names=sorted(names), now=now)
    shown = {past.id for past in context.exchanges}
    moments = find(tx, context.person, question, limit=MOMENTS, meaning=meaning, until_id=min(shown, default=None))
    ids = {id_ for one in moments for id_ in (one.before_id, one.exchange_id, one.after_id) if id_ is not None}
    if not ids:
        return
    texts = {row.id: row for row in tx.execute(_texts, {"p_ids": sorted(ids)})}
    for one in moments:
        row = texts.get(one.exchange_id)
        if row is None or one.exchange_id in shown:
            continue
        around = [texts[id_] for id_ in (one.before_id, one.after_id) if id_ in texts]
        context_text = " / ".join(_said(other) for other in around)
        text = _said(row) + (f" [around it: {_cut(context_text)}]" if around else "")
        yield Item("moment", f"{row.at:%d %b %Y} {_cut(text)}", one.why, row.author_name or row.author, row.at, row.id)


def _said(row: Record) -> str:
    return f"{row.author_name or row.author}: {row.text or f'({row.kind})'}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LINE else line[: LINE - 1].rstrip() + "…"
