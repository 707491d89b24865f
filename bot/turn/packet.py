"""The packet: the typed, versioned context that goes with a handoff, and the one that comes back with its return."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from bot.turn.deeds import Deed, MoveJourney, NoteExperience, Remember
from bot.turn.experience import described
from memory.context import Context, KnownFact
from memory.declared import Declarations
from memory.experiences import Moment, near_limit
from memory.facts import CUSTOMER, SURE
from memory.usable import allowed, is_fresh, needs_consent

VERSION = 3
"""Of version 1 the parts of what is known beside facts are missing, of version 2 what is related; they are read as empty."""

LAST_MOMENTS = 5


@dataclass(frozen=True, slots=True)
class PacketFact:
    """A fact and the exchange, channel or agent that it comes from.

    ``shown`` is the value in words; of a sensitive fact both it and ``value`` are masked. ``others`` contradict it and are outranked by it.
    ``stale``: nobody has said so for longer than it can be relied upon. ``by`` is who said it, where that is not the customer.
    """

    name: str
    value: Any
    source: str
    exchange_id: int | None
    since: datetime
    title: str = ""
    shown: str | None = None
    by: str | None = None
    fresh_at: datetime | None = None
    stale: bool = False
    others: tuple[PacketFact, ...] = ()


@dataclass(frozen=True, slots=True)
class PacketLine:
    """One exchange as the agent reads it. ``author`` is customer, assistant or agent."""

    author: str
    author_name: str | None
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PacketConsent:
    """The customer's last word about a purpose that needs consent."""

    purpose: str
    title: str
    granted: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class PacketJourney:
    """Where the customer stands with a product; ``next`` is what comes next, ``open`` that something is still to be done."""

    product: str
    title: str
    matter: str
    stage: str
    next: str | None
    open: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class PacketMoment:
    """A good or bad moment, in words."""

    good: bool
    words: str
    weight: float
    at: datetime


@dataclass(frozen=True, slots=True)
class PacketPromise:
    """A promise that is open or broken."""

    id: int
    text: str
    by: str
    state: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class PacketSummary:
    """What became of an earlier conversation."""

    ended_at: datetime
    wanted: str
    done: str
    ending: str
    promised: str


@dataclass(frozen=True, slots=True)
class PacketRelated:
    """A moment of the past that belongs to what the customer wants: its day and words with those around it, and why it was found."""

    text: str
    why: str
    exchange_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Packet:
    """What a person needs to take over: who, what they want in their own words, what is known, what was tried, what was said.

    ``tried`` are the titles of articles given or offered since this matter began. ``lines`` end with what the customer wrote last.
    ``likely`` are facts that nobody has confirmed. ``careful`` are the bad moments of a customer near the limit; empty for others.
    ``related`` is from before ``lines``, however long ago, the best first.
    """

    version: int
    customer_id: int
    name: str | None
    username: str | None
    channel: str
    language: str | None
    reason: str
    want: str
    facts: tuple[PacketFact, ...]
    tried: tuple[str, ...]
    lines: tuple[PacketLine, ...]
    customer_since: datetime | None
    earlier: str | None
    proof: str = "seen"
    proven_at: datetime | None = None
    likely: tuple[PacketFact, ...] = ()
    consents: tuple[PacketConsent, ...] = ()
    journeys: tuple[PacketJourney, ...] = ()
    careful: tuple[PacketMoment, ...] = ()
    experiences: tuple[PacketMoment, ...] = ()
    promises: tuple[PacketPromise, ...] = ()
    summaries: tuple[PacketSummary, ...] = ()
    related: tuple[PacketRelated, ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnPacket:
    """What the assistant is told when a person is done. Exchanges ``first`` to ``last`` are the human stretch.

    ``said`` are the agent's last words to the customer, ``note`` what the agent wrote for the assistant, ``promises`` what is still due.
    """

    version: int
    agent: str | None
    first: int
    last: int
    said: tuple[str, ...]
    note: str
    want: str
    promises: tuple[PacketPromise, ...] = ()


_packet: TypeAdapter[Packet] = TypeAdapter(Packet)
_return_packet: TypeAdapter[ReturnPacket] = TypeAdapter(ReturnPacket)


def build_packet(
    context: Context,
    declared: Declarations,
    *,
    reason: str,
    want: str,
    tried: Sequence[str],
    now_lines: Sequence[PacketLine],
    now: datetime,
    deeds: Sequence[Deed] = (),
    told_in: int | None = None,
    related: Sequence[PacketRelated] = (),
) -> Packet:
    """The packet of a handoff that this turn opens. Pure.

    ``now_lines`` is what was said in the turn itself, ``deeds`` what the turn does with it: a number told together with the request is in
    the packet. ``told_in`` is the exchange of the customer's words.
    """
    past = tuple(PacketLine(one.author, one.author_name, one.kind, one.text, one.at) for one in context.exchanges)
    episode = context.last_episode
    earlier = None
    if episode is not None and episode.ended_at is not None:
        who = episode.owner_name or "nobody"
        earlier = f"{episode.ended_at:%d %b %Y}: with {who}, {episode.ending}"
        if episode.return_packet and episode.return_packet.get("want"):
            earlier += f" – “{episode.return_packet['want']}”"
    packet = Packet(
        version=VERSION,
        customer_id=context.customer_id,
        name=context.name,
        username=context.username,
        channel=context.channel,
        language=context.language,
        reason=reason,
        want=want,
        facts=(),
        tried=tuple(tried),
        lines=past + tuple(now_lines),
        customer_since=context.exchanges[0].at if context.exchanges else None,
        earlier=earlier,
        summaries=tuple(
            PacketSummary(one.ended_at, one.wanted, one.done, one.ending, one.promised) for one in context.summaries if one.wanted
        ),
        related=tuple(related),
    )
    return renew_packet(packet, context, declared, now, deeds, told_in)


def renew_packet(
    packet: Packet,
    context: Context,
    declared: Declarations,
    now: datetime,
    deeds: Sequence[Deed] = (),
    told_in: int | None = None,
) -> Packet:
    """The packet with what is known now; what was wanted, tried, said and found in the past stays as it was. Pure."""
    told = [deed for deed in deeds if isinstance(deed, Remember)]
    new = [_told(one, declared, told_in, now) for one in told if one.confidence >= SURE]
    likely = [_told(one, declared, told_in, now) for one in told if one.confidence < SURE]
    names = {one.name for one in new}
    facts = [_fact(one, declared, now) for name, one in allowed(context, declared).items() if name not in names]
    moments = [
        *(Moment(one.good, one.kind, one.weight, told_in, one.evidence, now) for one in deeds if isinstance(one, NoteExperience)),
        *context.experiences,
    ]
    return replace(
        packet,
        version=VERSION,
        name=next((str(one.value) for one in new if one.name == "name"), context.name),
        proof=context.proof,
        proven_at=context.proven_at,
        facts=(*new, *facts),
        likely=(*likely, *(_fact(one, declared, now) for one in context.proposed)),
        consents=tuple(_consents(context, declared)),
        journeys=tuple(_journeys(context, declared, [one for one in deeds if isinstance(one, MoveJourney)], now)),
        careful=tuple(_moment(one) for one in near_limit(moments, now)),
        experiences=tuple(_moment(one) for one in moments[:LAST_MOMENTS]),
        promises=open_promises(context),
    )


def open_promises(context: Context) -> tuple[PacketPromise, ...]:
    """What was promised and is not kept yet, the next due first."""
    waiting = sorted(context.promises, key=lambda one: (one.due_at is None, one.due_at or one.made_at))
    return tuple(PacketPromise(one.id, one.text, one.by, one.state, one.due_at) for one in waiting)


def _fact(fact: KnownFact, declared: Declarations, now: datetime) -> PacketFact:
    about = declared.fact(fact.name)
    masked = about.masked(fact.value) if about.sensitivity == "sensitive" else None
    return PacketFact(
        fact.name,
        fact.value if masked is None else masked,
        fact.source,
        fact.exchange_id,
        fact.since,
        title=about.title,
        shown=about.shown(fact.value) if masked is None else masked,
        by=fact.by,
        fresh_at=fact.fresh_at,
        stale=not is_fresh(fact, declared, now),
        others=tuple(_fact(other, declared, now) for other in fact.contested),
    )


def _told(told: Remember, declared: Declarations, told_in: int | None, now: datetime) -> PacketFact:
    fact = KnownFact(told.name, told.value, CUSTOMER, told_in, told.confidence, now, fresh_at=now)
    return _fact(fact, declared, now)


def _consents(context: Context, declared: Declarations) -> Iterable[PacketConsent]:
    for name, answer in context.consents.items():
        if needs_consent(declared, name):
            purpose = declared.purposes.get(name)
            yield PacketConsent(name, purpose.title if purpose is not None else name, answer.granted, answer.at)


def _journeys(context: Context, declared: Declarations, moves: Sequence[MoveJourney], now: datetime) -> Iterable[PacketJourney]:
    moved = {one.product: one.to_stage for one in moves}
    places = [(product, "", stage, now) for product, stage in moved.items()]
    places += [(one.product, one.matter, one.stage, one.moved_at) for one in context.journeys if one.matter or one.product not in moved]
    for name, matter, at, since in places:
        product = declared.products.get(name)
        stage = product.stage(at) if product is not None else None
        yield PacketJourney(
            name,
            product.title if product is not None else name,
            matter,
            stage.title if stage is not None else at,
            stage.next if stage is not None else None,
            stage.open if stage is not None else False,
            since,
        )


def _moment(moment: Moment) -> PacketMoment:
    return PacketMoment(moment.good, described(moment), moment.weight, moment.at)


def stored(packet: Packet | ReturnPacket) -> dict[str, Any]:
    """A packet as a JSON column keeps it."""
    return asdict(packet)


def read_packet(value: dict[str, Any]) -> Packet:
    """A packet as it was stored, of this version or an older one."""
    return _packet.validate_python(value)


def read_return_packet(value: dict[str, Any]) -> ReturnPacket:
    """A return packet as it was stored, of this version or an older one."""
    return _return_packet.validate_python(value)
