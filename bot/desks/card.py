"""The card: a handoff's packet as one message that an agent understands in ten seconds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

from bot.desks import texts
from bot.markup import units_of
from bot.messages import MAX_TEXT, Button
from bot.turn.mirror import SIGNS, called, shortened
from bot.turn.packet import Packet, PacketFact, PacketJourney, PacketLine, PacketPromise, PacketRelated, PacketSummary
from memory.database import Record
from memory.handoffs import ENDED, OWNED, WAITING
from memory.promises import BROKEN
from memory.proofs import FRESH_FOR, level_now
from memory.proposals import Maybe

MAX_TITLE = 128
"""The longest name of a topic (Bot API, createForumTopic)."""

WANT_UNITS, FACT_UNITS, TRIED_UNITS, LINE_UNITS, NAME_UNITS, PROMISE_UNITS = 700, 160, 280, 280, 64, 200
"""How much of each is shown, in UTF-16 units of HTML; what is cut ends in an ellipsis. Together they leave room for several facts."""

MOST_MOMENTS, MOST_OTHERS, MOST_PROMISES, MOST_JOURNEYS, MOST_LIKELY, MOST_SUMMARIES, MOST_RELATED = 3, 2, 4, 5, 3, 3, 3
"""How many of each are shown; the packet has more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a handoff stands: everything on the card that changes. ``ended_by`` is the agent who gave it back."""

    id: int
    state: str
    opened_at: datetime
    owner: str | None
    claimed_at: datetime | None
    ended_at: datetime | None
    ending: str | None
    ended_by: str | None
    maybe: tuple[Maybe, ...] = ()


def standing_of(handoff: Record, maybe: Sequence[Maybe] = ()) -> Standing:
    """How this row stands; ``maybe`` are those who may be the same person."""
    return Standing(
        id=handoff.id,
        state=handoff.state,
        opened_at=handoff.opened_at,
        owner=handoff.owner_name,
        claimed_at=handoff.claimed_at,
        ended_at=handoff.ended_at,
        ending=handoff.ending,
        ended_by=(handoff.return_packet or {}).get("agent"),
        maybe=tuple(maybe),
    )


def render_title(packet: Packet) -> str:
    """The topic's name: who, and in short what."""
    return shortened(" · ".join(part for part in (_name(packet), packet.want) if part), MAX_TITLE)


def render_buttons(standing: Standing) -> tuple[tuple[Button, ...], ...]:
    """What can be done with the case as it stands."""
    if standing.state == WAITING:
        return ((Button(texts.CLAIM_BUTTON, f"claim:{standing.id}"),),)
    if standing.state == OWNED:
        return ((Button(texts.RETURN_BUTTON, f"return:{standing.id}"), Button(texts.CLOSE_BUTTON, f"close:{standing.id}")),)
    return ()


def render_card(standing: Standing, packet: Packet, now: datetime, fresh_for: timedelta = FRESH_FOR) -> str:
    """Telegram HTML of at most ``MAX_TEXT`` UTF-16 units, tags counted. ``fresh_for`` is how long a proof of who they are holds.

    Where it is too long, the oldest lines go first, then earlier conversations, moments of the past, what was tried, and the last of what
    is known.
    """
    parts = _Parts(
        list(packet.lines),
        list(packet.summaries[:MOST_SUMMARIES]),
        list(packet.related[:MOST_RELATED]),
        list(packet.tried),
        list(packet.likely[:MOST_LIKELY]),
        list(packet.journeys[:MOST_JOURNEYS]),
        list(packet.facts),
        list(packet.promises[:MOST_PROMISES]),
    )
    while True:
        card = _card(standing, packet, parts, now, fresh_for)
        if units_of(card) <= MAX_TEXT or not parts.shorten():
            return card


@dataclass(slots=True)
class _Parts:
    """What of a packet is shown: all of it, until there is not enough room."""

    lines: list[PacketLine]
    summaries: list[PacketSummary]
    related: list[PacketRelated]
    tried: list[str]
    likely: list[PacketFact]
    journeys: list[PacketJourney]
    facts: list[PacketFact]
    promises: list[PacketPromise]

    def shorten(self) -> bool:
        """Leave out what is missed least; False if nothing is left to leave out."""
        if self.lines:
            self.lines.pop(0)
            return True
        keeps_one = (self.summaries, self.related, self.tried, self.likely, self.journeys)
        found = next((some for some in keeps_one if some), None) or (self.facts if len(self.facts) > 1 else self.promises or self.facts)
        if found:
            found.pop()
        return bool(found) or bool(self.facts)


def _card(standing: Standing, packet: Packet, parts: _Parts, now: datetime, fresh_for: timedelta) -> str:
    def when(at: datetime) -> str:
        if at.date() == now.date():
            return f"{at:%H:%M}"
        return f"{at.day} {at:%b %H:%M}" if at.year == now.year else f"{at.day} {at:%b %Y}"

    want = _safe(packet.want, WANT_UNITS)
    known = [_fact(fact, when) for fact in parts.facts]
    known += [_likely(fact) for fact in parts.likely]
    if known and packet.consents:
        known.append(_safe(_consents(packet), LINE_UNITS))
    sections = [
        _header(packet, now, fresh_for),
        f"<b>{texts.WHAT_THEY_WANT}</b>\n" + (f"<blockquote>{want}</blockquote>" if want else texts.NOTHING_SAID),
        _careful(packet),
        _section(texts.MAYBE, [_maybe(one) for one in standing.maybe]),
        _section(texts.PROMISED, [_promise(one, when) for one in parts.promises]),
        _section(texts.WHAT_WE_KNOW, known),
        _section(texts.WHERE_THEY_STAND, [_journey(one) for one in parts.journeys]),
        _section(texts.TRIED, [f"• {_safe(title, TRIED_UNITS)}" for title in parts.tried]),
        _section(texts.RELATED, [f"• {_safe(one.text, LINE_UNITS)}" for one in parts.related]),
        _section(texts.BEFORE, [_summary(one, when) for one in parts.summaries]),
        _section(texts.LAST_EXCHANGES, _lines(packet, parts.lines, when)),
        _state(standing, when),
    ]
    return "\n\n".join(section for section in sections if section)


def _header(packet: Packet, now: datetime, fresh_for: timedelta) -> str:
    name = f"<b>{_safe(_name(packet), NAME_UNITS)}</b>"
    since = packet.customer_since
    known = texts.KNOWN_SINCE.format(since=f"{since.day} {since:%b %Y}") if since is not None else texts.FIRST_CONTACT
    proof = texts.PROOFS.get(level_now(packet.proof, packet.proven_at, now, fresh_for), "")
    about = [f"@{packet.username}" if packet.username else "", packet.channel, packet.language or "", proof, known]
    reason = texts.REASONS.get(packet.reason, packet.reason.replace("_", " ").capitalize())
    rows = [" · ".join([name, *(escape(part, quote=False) for part in about if part)]), escape(reason, quote=False)]
    if packet.earlier:
        rows.append(_safe(texts.EARLIER.format(earlier=packet.earlier), LINE_UNITS))
    return "\n".join(rows)


def _careful(packet: Packet) -> str:
    """Why this customer is to be treated with care, if so: in one line, as it has to be read first."""
    moments = packet.careful
    if not moments:
        return ""
    count = texts.BAD_MOMENT if len(moments) == 1 else texts.BAD_MOMENTS.format(count=len(moments))
    reasons = "; ".join(f"{one.words} on {one.at.day} {one.at:%b}" for one in moments[:MOST_MOMENTS])
    return f"<b>{_safe(texts.CAREFUL.format(count=count, reasons=reasons), LINE_UNITS)}</b>"


def _maybe(one: Maybe) -> str:
    kinds = " and ".join(kind.replace("_", " ") for kind in one.kinds)
    return f"• {_safe(texts.MAYBE_ONE.format(customer=one.customer_id, kinds=kinds), FACT_UNITS)}"


def _promise(promise: PacketPromise, when: Callable[[datetime], str]) -> str:
    due = ""
    if promise.due_at is not None:
        due = (texts.OVERDUE if promise.state == BROKEN else texts.DUE).format(due=when(promise.due_at))
    text = texts.PROMISE.format(id=promise.id, text=shortened(promise.text, PROMISE_UNITS), by=promise.by, due=due)
    return f"• {_safe(text, PROMISE_UNITS + NAME_UNITS)}"


def _fact(fact: PacketFact, when: Callable[[datetime], str]) -> str:
    rest = [f"{_source(fact)}, {when(fact.since)}"]
    if fact.stale:
        rest.append(texts.STALE)
    for other in fact.others[:MOST_OTHERS]:
        value = shortened(_shown(other), FACT_UNITS // 2)
        rest.append(texts.OTHERWISE.format(value=value, source=_source(other), since=when(other.since)))
    words = _safe("; ".join(rest), LINE_UNITS)
    return f"• {_called(fact)}: <b>{_safe(_shown(fact), FACT_UNITS)}</b> – {words}"


def _likely(fact: PacketFact) -> str:
    return "• " + texts.LIKELY.format(name=_called(fact), value=_safe(_shown(fact), FACT_UNITS))


def _called(fact: PacketFact) -> str:
    name = fact.title or fact.name.replace("_", " ")
    return _safe(name[:1].upper() + name[1:], NAME_UNITS)


def _source(fact: PacketFact) -> str:
    if fact.by is not None and fact.source == "agent":
        return f"noted by {fact.by}"
    return texts.SOURCES.get(fact.source, fact.source)


def _shown(fact: PacketFact) -> str:
    return fact.shown if fact.shown is not None else _value(fact.value)


def _consents(packet: Packet) -> str:
    said = [f"{one.title} {texts.YES if one.granted else texts.NO}" for one in packet.consents]
    return "• " + texts.CONSENTS.format(consents=", ".join(said))


def _journey(journey: PacketJourney) -> str:
    what = " ".join(part for part in (journey.title, journey.matter) if part)
    return f"• {_safe(what, NAME_UNITS)}: <b>{_safe(journey.stage, NAME_UNITS)}</b>" + (
        f" – {_safe(journey.next, FACT_UNITS)}" if journey.next else ""
    )


def _summary(summary: PacketSummary, when: Callable[[datetime], str]) -> str:
    said = [summary.wanted, summary.ending]
    return f"• {when(summary.ended_at)}: {_safe(' – '.join(part for part in said if part), FACT_UNITS)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(one)}" for key, one in value.items())
    return ", ".join(_value(one) for one in value) if isinstance(value, list | tuple) else str(value)


def _lines(packet: Packet, lines: Sequence[PacketLine], when: Callable[[datetime], str]) -> list[str]:
    shown = [_line(line, when) for line in lines]
    return [texts.EARLIER_LINES, *shown] if shown and len(lines) < len(packet.lines) else shown


def _line(line: PacketLine, when: Callable[[datetime], str]) -> str:
    said = line.text if line.kind == "text" else f"({line.kind}) {line.text}"
    who = _safe(called(line.author, line.author_name), NAME_UNITS)
    return f"{when(line.at)} {SIGNS.get(line.author, '💬')} {who}: {_safe(said, LINE_UNITS)}"


def _state(standing: Standing, when: Callable[[datetime], str]) -> str:
    if standing.state == ENDED and standing.ended_at is not None:
        text = texts.ENDED.get(standing.ending or "", texts.ENDED_OTHERWISE)
        text = text.format(agent=standing.ended_by or texts.SOMEBODY, since=f"{when(standing.ended_at)} UTC")
    elif standing.state == OWNED and standing.claimed_at is not None:
        text = texts.HELD.format(agent=standing.owner or texts.SOMEBODY, since=f"{when(standing.claimed_at)} UTC")
    else:
        text = texts.WAITING.format(since=f"{when(standing.opened_at)} UTC")
    return escape(text, quote=False)


def _section(title: str, rows: Sequence[str]) -> str:
    return f"<b>{title}</b>\n" + "\n".join(rows) if rows else ""


def _name(packet: Packet) -> str:
    return packet.name or texts.CUSTOMER.format(id=packet.customer_id)


def _safe(text: str, units: int) -> str:
    """``text`` on one line as HTML of at most ``units``: a text of nothing but ampersands is not to crowd out the rest."""
    room = units
    while units_of(safe := escape(shortened(text, room), quote=False)) > units:
        room = min(room - 1, room * units // units_of(safe))
    return safe
