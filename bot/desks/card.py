"""The card: a handoff's packet as one message that an agent understands in ten seconds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from bot.desks import texts
from bot.markup import units_of
from bot.messages import MAX_TEXT, Button
from bot.turn.mirror import SIGNS, called, shortened
from bot.turn.packet import Packet, PacketFact, PacketLine
from memory.database import Record
from memory.handoffs import ENDED, OWNED, WAITING

MAX_TITLE = 128
"""The longest name of a topic (Bot API, createForumTopic)."""

WANT_UNITS, FACT_UNITS, TRIED_UNITS, LINE_UNITS, NAME_UNITS = 700, 160, 80, 280, 64
"""How much of each is shown, in UTF-16 units of HTML; what is cut ends in an ellipsis. Together they leave room for several facts."""


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


def standing_of(handoff: Record) -> Standing:
    """How this row stands."""
    return Standing(
        id=handoff.id,
        state=handoff.state,
        opened_at=handoff.opened_at,
        owner=handoff.owner_name,
        claimed_at=handoff.claimed_at,
        ended_at=handoff.ended_at,
        ending=handoff.ending,
        ended_by=(handoff.return_packet or {}).get("agent"),
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


def render_card(standing: Standing, packet: Packet, now: datetime) -> str:
    """Telegram HTML of at most ``MAX_TEXT`` UTF-16 units, tags counted.

    Where it is too long, the oldest lines go first, then the last of what was tried, then the last facts.
    """
    lines, tried, facts = list(packet.lines), list(packet.tried), list(packet.facts)
    while True:
        card = _card(standing, packet, facts, tried, lines, now)
        if units_of(card) <= MAX_TEXT:
            return card
        if lines:
            lines.pop(0)
        elif tried:
            tried.pop()
        else:
            facts.pop()


def _card(
    standing: Standing,
    packet: Packet,
    facts: Sequence[PacketFact],
    tried: Sequence[str],
    lines: Sequence[PacketLine],
    now: datetime,
) -> str:
    def when(at: datetime) -> str:
        if at.date() == now.date():
            return f"{at:%H:%M}"
        return f"{at.day} {at:%b %H:%M}" if at.year == now.year else f"{at.day} {at:%b %Y}"

    want = _safe(packet.want, WANT_UNITS)
    sections = [
        _header(packet),
        f"<b>{texts.WHAT_THEY_WANT}</b>\n" + (f"<blockquote>{want}</blockquote>" if want else texts.NOTHING_SAID),
        _section(texts.WHAT_WE_KNOW, [_fact(fact, when) for fact in facts]),
        _section(texts.TRIED, [f"• {_safe(title, TRIED_UNITS)}" for title in tried]),
        _section(texts.LAST_EXCHANGES, _lines(packet, lines, when)),
        _state(standing, when),
    ]
    return "\n\n".join(section for section in sections if section)


def _header(packet: Packet) -> str:
    name = f"<b>{_safe(_name(packet), NAME_UNITS)}</b>"
    since = packet.customer_since
    known = texts.KNOWN_SINCE.format(since=f"{since.day} {since:%b %Y}") if since is not None else texts.FIRST_CONTACT
    about = [f"@{packet.username}" if packet.username else "", packet.channel, packet.language or "", known]
    reason = texts.REASONS.get(packet.reason, packet.reason.replace("_", " ").capitalize())
    rows = [" · ".join([name, *(escape(part, quote=False) for part in about if part)]), escape(reason, quote=False)]
    if packet.earlier:
        rows.append(_safe(texts.EARLIER.format(earlier=packet.earlier), LINE_UNITS))
    return "\n".join(rows)


def _fact(fact: PacketFact, when: Callable[[datetime], str]) -> str:
    name = _safe(fact.name.replace("_", " ").capitalize(), NAME_UNITS)
    source = texts.SOURCES.get(fact.source, fact.source)
    return f"• {name}: <b>{_safe(_value(fact.value), FACT_UNITS)}</b> – {escape(source, quote=False)}, {when(fact.since)}"


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
