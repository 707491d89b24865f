"""The packet: the typed, versioned context that goes with a handoff, and the one that comes back with its return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from memory.context import Context

VERSION = 1


@dataclass(frozen=True, slots=True)
class PacketFact:
    """A fact and the exchange, channel or agent that it comes from."""

    name: str
    value: Any
    source: str
    exchange_id: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class PacketLine:
    """One exchange as the agent reads it. ``author`` is customer, assistant or agent."""

    author: str
    author_name: str | None
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Packet:
    """What a person needs to take over: who, what they want in their own words, what is known, what was tried, what was said.

    ``tried`` are the titles of articles given or offered since this matter began. ``lines`` end with what the customer wrote last.
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


@dataclass(frozen=True, slots=True)
class ReturnPacket:
    """What the assistant is told when a person is done. Exchanges ``first`` to ``last`` are the human stretch.

    ``said`` are the agent's last words to the customer, ``note`` what the agent wrote for the assistant.
    """

    version: int
    agent: str | None
    first: int
    last: int
    said: tuple[str, ...]
    note: str
    want: str


_packet: TypeAdapter[Packet] = TypeAdapter(Packet)
_return_packet: TypeAdapter[ReturnPacket] = TypeAdapter(ReturnPacket)


def build_packet(context: Context, *, reason: str, want: str, tried: Sequence[str], now_lines: Sequence[PacketLine]) -> Packet:
    """The packet of a handoff that this turn opens. Pure. ``now_lines`` is what was said in the turn itself."""
    past = tuple(PacketLine(one.author, one.author_name, one.kind, one.text, one.at) for one in context.exchanges)
    episode = context.last_episode
    earlier = None
    if episode is not None and episode.ended_at is not None:
        who = episode.owner_name or "nobody"
        earlier = f"{episode.ended_at:%d %b %Y}: with {who}, {episode.ending}"
        if episode.return_packet and episode.return_packet.get("want"):
            earlier += f" – “{episode.return_packet['want']}”"
    return Packet(
        version=VERSION,
        customer_id=context.customer_id,
        name=context.name,
        username=context.username,
        channel=context.channel,
        language=context.language,
        reason=reason,
        want=want,
        facts=tuple(PacketFact(f.name, f.value, f.source, f.exchange_id, f.since) for f in context.facts.values()),
        tried=tuple(tried),
        lines=past + tuple(now_lines),
        customer_since=context.exchanges[0].at if context.exchanges else None,
        earlier=earlier,
    )


def stored(packet: Packet | ReturnPacket) -> dict[str, Any]:
    """A packet as a JSON column keeps it."""
    return asdict(packet)


def read_packet(value: dict[str, Any]) -> Packet:
    """A packet as it was stored."""
    return _packet.validate_python(value)


def read_return_packet(value: dict[str, Any]) -> ReturnPacket:
    """A return packet as it was stored."""
    return _return_packet.validate_python(value)
