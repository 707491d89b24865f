"""What happened to exchanges after they were logged: edits, deletions, reactions, presses, delivery and reading, as one list in time order.

An exchange is never changed. What people do to it later is logged as an exchange of its own with ``about_id``; what became of it on its
way out is what the outbox knows of its outgoings::

    events = events_of(tx, [exchange.id, ...])            # {exchange id: [Event, ...]}, for an export, a replay, a screen
    present_text(exchange, events.get(exchange.id, ()))   # the words as they stand now

What a channel does not tell is not known. Telegram tells a bot of edits, presses and reactions. Of deletions and of reading in a private
chat it tells nothing: only a bot that is connected to a business account hears of deletions, which this one is not. So a message that a
customer has deleted there stays as it was. The kinds are here for channels that do tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from memory.database import Record, Tx, table
from memory.exchanges import Exchange
from memory.outbox import SENDING, WAITING, outbox_table

EDIT, DELETION, REACTION, PRESS, READ = "edit", "deletion", "reaction", "press", "read"
"""Kinds of exchange that speak of another one. The other kinds of event are the states of an outgoing (:mod:`memory.outbox`)."""

_ABOUT = 500
"""Exchanges in one statement."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to exchange ``about_id``.

    ``kind`` is edit, deletion, reaction, press or read, then ``exchange_id`` is the log's entry and ``by`` its author; or waiting, sending,
    sent, refused, uncertain or dropped, then ``outgoing_id`` is the outbox's and ``by`` the lane that it went through: the customer's
    channel, or ``handoff`` where agents were shown it. ``text`` is an edit's new words, a reaction's signs, a press's title. ``why`` says
    why an outgoing is where it is; ``resolved`` how an uncertain one was settled (arrived, again).
    """

    about_id: int
    kind: str
    at: datetime
    by: str
    text: str = ""
    why: str | None = None
    resolved: str | None = None
    exchange_id: int | None = None
    outgoing_id: int | None = None

    @property
    def is_delivery(self) -> bool:
        """Whether this is about the way of our own words, and not about what somebody did to a message."""
        return self.outgoing_id is not None


_exchange, _outbox = table(Exchange), outbox_table
_b = sa.bindparam
_about = (
    sa.select(
        _exchange.c.about_id,
        _exchange.c.id,
        _exchange.c.kind,
        _exchange.c.author,
        _exchange.c.text,
        _exchange.c.data,
        _exchange.c.at,
    )
    .where(_exchange.c.about_id.in_(_b("p_ids", expanding=True)))
    .order_by(_exchange.c.id)
)
_carried = (
    sa.select(
        _outbox.c.exchange_id,
        _outbox.c.id,
        _outbox.c.lane,
        _outbox.c.state,
        _outbox.c.why,
        _outbox.c.resolved,
        _outbox.c.created_at,
        _outbox.c.done_at,
    )
    .where(_outbox.c.exchange_id.in_(_b("p_ids", expanding=True)))
    .order_by(_outbox.c.id)
)


def events_of(tx: Tx, exchange_ids: Collection[int]) -> dict[int, list[Event]]:
    """What happened to each of these exchanges, in time order; one to which nothing happened is missing."""
    found: list[Event] = []
    ids = sorted(set(exchange_ids))
    for start in range(0, len(ids), _ABOUT):
        some = {"p_ids": ids[start : start + _ABOUT]}
        found += [_said(row) for row in tx.execute(_about, some)]
        found += [_sent(row) for row in tx.execute(_carried, some)]
    events: dict[int, list[Event]] = {}
    for event in sorted(found, key=_when):
        events.setdefault(event.about_id, []).append(event)
    return events


def present_text(exchange: Record, events: Iterable[Event]) -> str:
    """The exchange's words as they stand after its edits; empty once it was deleted. ``events`` are in time order. Pure."""
    text: str = exchange.text
    for event in events:
        if event.kind == DELETION:
            return ""
        if event.kind == EDIT:
            text = event.text
    return text


def _when(event: Event) -> tuple[datetime, bool, int]:
    """At one moment, what was logged comes before what became of it on its way."""
    return (event.at, event.is_delivery, event.exchange_id or event.outgoing_id or 0)


def _said(row: Record) -> Event:
    data: dict[str, Any] = row.data or {}
    text = row.text or str(data.get("emoji") or data.get("title") or "")
    return Event(row.about_id, row.kind, row.at, row.author, text, exchange_id=row.id)


def _sent(row: Record) -> Event:
    at = row.created_at if row.state in (WAITING, SENDING) or row.done_at is None else row.done_at
    return Event(row.exchange_id, row.state, at, row.lane, why=row.why, resolved=row.resolved, outgoing_id=row.id)
