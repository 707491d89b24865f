"""Whether a customer may be written to without having asked, where, and if not, why not and from when on. Pure.

What binds: their consent to the purpose, the hours and the frequency that they asked for, the way they prefer, whether they can be reached,
and whether this is a moment for it. What serves a matter of their own (the purpose ``service``) is bound by the hours and their reach only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from types import MappingProxyType

from bot.turn.experience import careful, described
from memory.context import Context, KnownFact
from memory.declared import CHANNEL, FREQUENCY, HOURS, SERVICE, Declarations, minutes_of
from memory.experiences import Moment
from memory.promises import BROKEN
from memory.usable import has_consent, usable

EVERY = MappingProxyType({"weekly": timedelta(days=7), "monthly": timedelta(days=30)})
"""How far apart messages of ours are, by what ``contact_frequency`` says."""

RESTS = timedelta(days=7)
"""How long after a bad moment nobody is offered anything."""

COMPLAINT = "complaint"
"""The product whose open journey says that something is complained about."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The customer may be written to, through the identity of this ``context``."""

    context: Context


@dataclass(frozen=True, slots=True)
class Not:
    """The customer may not be written to: ``why``, in words for people, and from ``until`` on they may be as far as we know today."""

    why: str
    until: datetime | None = None


def may_contact(
    contexts: Sequence[Context],
    declared: Declarations,
    purpose: str,
    now: datetime,
    *,
    zone: tzinfo,
    channels: Collection[str],
    last: datetime | None,
) -> Allowed | Not:
    """Whether a person may be written to for ``purpose`` now.

    ``contexts`` are the person's, one for each identity (:func:`memory.context.recall_person`); ``zone`` is where their hours are counted;
    ``channels`` are those that can be sent through; ``last`` is when they were last written to without having asked.
    """
    if not contexts:
        return Not("there is no such customer")
    one = contexts[0]
    known = usable(one, declared, now)
    if purpose != SERVICE:
        barred = _barred(one, declared, purpose, now, _text(known.get(FREQUENCY)), last)
        if barred is not None:
            return barred
    if one.handoff is not None:
        return Not("a person has their conversation, or is being waited for")
    hours = known.get(HOURS)
    opens = _opens(str(hours.value), now, zone) if hours is not None else None
    if opens is not None:
        return Not(f"they asked to be contacted at {hours.value if hours else ''} only", opens)
    return _reached(contexts, purpose, _text(known.get(CHANNEL)), channels)


def _barred(context: Context, declared: Declarations, purpose: str, now: datetime, frequency: str, last: datetime | None) -> Not | None:
    """What keeps a customer from being written to for a purpose of ours."""
    if frequency == "never" and purpose in declared.purposes and has_consent(context, declared, purpose):
        return Not("they asked never to be contacted")
    apart = EVERY.get(frequency)
    if (why := barred(context, declared, purpose, now)) is not None:
        return why
    if apart is not None and last is not None and last + apart > now:
        return Not(f"they asked to be contacted {frequency} at most, and were on {last:%d %b %Y}", last + apart)
    return None


def barred(context: Context, declared: Declarations, purpose: str, now: datetime, *, agreed: Collection[str] = ()) -> Not | None:
    """What makes this no moment for a purpose of ours, whether the customer is written to or writes themselves.

    ``agreed`` are purposes that they have just agreed to, which ``context`` does not know yet.
    """
    if purpose not in declared.purposes:
        return Not(f"the purpose `{purpose}` is not declared; add it to memory.yml")
    if purpose not in agreed and not has_consent(context, declared, purpose):
        asked = context.consents.get(purpose)
        return Not("they took their consent back" if asked is not None else "they have not agreed to it")
    if any(journey.product == COMPLAINT for journey in context.journeys):
        return Not("a complaint of theirs is open")
    if any(promise.state == BROKEN for promise in context.promises):
        return Not("a promise to them is broken; keep it first")
    marked = careful(context, now)
    fresh = [moment for moment in context.experiences if not moment.good and now - moment.at < RESTS]
    if marked:
        return Not(f"they are near their limit: {reasons(marked)}")
    if fresh:
        return Not(f"they had a bad moment: {reasons(fresh[:1])}", max(moment.at for moment in fresh) + RESTS)
    return None


def reasons(moments: Sequence[Moment]) -> str:
    """Moments with their days, as in "waited 26 min on 3 Nov"."""
    return "; ".join(f"{described(one)} on {one.at.day} {one.at:%b}" for one in moments)


def _reached(contexts: Sequence[Context], purpose: str, preferred: str, channels: Collection[str]) -> Allowed | Not:
    """The identity to write to: on the preferred channel, else the first that can be reached."""
    here = [one for one in contexts if one.channel in channels]
    if not here:
        return Not(f"none of their addresses is on a channel that can be sent through ({', '.join(sorted(channels)) or 'none is set up'})")
    reachable = [one for one in here if not one.unreachable]
    if not reachable:
        return Not("they cannot be reached: the channel refused our last message")
    wanted = [one for one in reachable if one.channel == preferred]
    if preferred and not wanted and purpose != SERVICE:
        return Not(f"they prefer to be contacted by {preferred}, which this cannot do")
    return Allowed((wanted or reachable)[0])


def _opens(hours: str, now: datetime, zone: tzinfo) -> datetime | None:
    """When the hours begin next; None while they last."""
    start, end = minutes_of(hours)
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    inside = start <= minute < end if start < end else minute >= start or minute < end
    if inside:
        return None
    day = local.date() if minute < start else local.date() + timedelta(days=1)
    return datetime.combine(day, time(start // 60, start % 60), zone).astimezone(now.tzinfo)


def _text(fact: KnownFact | None) -> str:
    return "" if fact is None else str(fact.value)
