"""What agents note about a customer from the topic: promises, stages, facts. Everything happens inside the deed's transaction.

Each function returns what to post instead where it cannot be done, else None, and what is posted about it is posted.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from html import escape

from bot.desks import texts
from bot.desks.act import Act
from bot.markup import units_of
from bot.messages import MAX_TEXT, Outgoing
from bot.turn.experience import BAD, WAITED
from bot.turn.learn import moves
from bot.turn.mirror import first_name
from bot.turn.packet import read_packet, renew_packet, stored
from memory.context import Context, recall
from memory.database import Record
from memory.declared import Declarations
from memory.errors import ConsentMissing
from memory.experiences import experience_row, keep_experiences
from memory.facts import AGENT, Told, remember
from memory.handoffs import ENDED, get_handoff
from memory.handoffs import renew_packet as keep_packet
from memory.journeys import move_journey
from memory.known import refresh_known
from memory.promises import make_promise, settle_promise
from memory.values import ValueRefused

_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_AFTER = re.compile(r"(\d{1,4}) ?(min|m|h|d|w)\b[:,]?\s+(?=\S)")
_ON = re.compile(
    r"(?:(?P<day>\d{1,2}) (?P<month>[a-z]{3})[a-z]*\.?(?: (?P<year>\d{4}))?|(?P<near>today|tomorrow))?"
    r"(?:,? ?(?:at )?(?P<hour>\d{1,2}):(?P<minute>\d{2}))?[:,]?\s+(?=\S)",
    re.IGNORECASE,
)
END_OF_DAY = (17, 0)
"""When a promise is due that names a day and no time."""


def read_promise(words: str, now: datetime, zone: tzinfo) -> tuple[datetime, str] | str:
    """When a promise is due and what it says; or what to post instead, where that cannot be promised."""
    found = due_of(words, now, zone)
    if found is None:
        return texts.NOT_PROMISED
    return found if found[0] > now else texts.NOT_PROMISED_PAST


def promise(act: Act, handoff: Record, due_at: datetime, text: str, zone: tzinfo) -> str | None:
    """Promise something to the customer, who is told under the agent's name."""
    by = act.incoming.name or texts.SOMEBODY
    shown = shown_time(due_at, zone)
    html = f"<b>{escape(first_name(by), quote=False)}</b>:\n{escape(text, quote=False)}\n<i>By {shown}</i>"
    if units_of(html) > MAX_TEXT:
        return texts.NOT_PROMISED_LONG
    # Without an origin: an edit of the command in the topic must not reach the customer.
    exchange = act.log(author="agent", author_name=act.incoming.name, kind="text", text=f"{text} (by {shown})")
    act.tell(Outgoing(text=html, html=True), exchange)
    id_ = make_promise(
        act.tx,
        act.identity.home_id,
        text,
        by=by,
        at=act.now,
        due_at=due_at,
        exchange_id=exchange,
        identity_id=act.identity.id,
        handoff_id=handoff.id,
    )
    act.learned = True
    act.post(Outgoing(text=texts.IS_PROMISED.format(id=id_, due=shown)))
    return None


def keep(act: Act, words: str) -> str | None:
    """Note that a promise was kept."""
    waiting = [one.id for one in context_of(act).promises]
    id_ = int(words.lstrip("№# ")) if words.lstrip("№# ").isdecimal() else 0
    state = settle_promise(act.tx, id_, by=act.incoming.name or texts.SOMEBODY, at=act.now) if id_ in waiting else None
    if state is None:
        return texts.NOT_KEPT.format(numbers=", ".join(map(str, waiting)) or texts.NONE_OPEN)
    act.learned = True
    act.post(Outgoing(text=texts.IS_KEPT[state].format(id=id_)))
    return None


def move(act: Act, words: str, declared: Declarations) -> str | None:
    """Say where the customer stands with a product; a person may, whatever the declared moves are."""
    name, _, wanted = words.partition(" ")
    product = declared.products.get(name.lower())
    stage = product.stage(" ".join(wanted.lower().split())) if product is not None else None
    if product is None or stage is None:
        some = {name: product} if product is not None else declared.products
        known = "; ".join(f"{one}: {', '.join(stage.name for stage in about.stages)}" for one, about in some.items())
        return texts.NOT_MOVED.format(known=known or texts.NONE_OPEN)
    moved = move_journey(
        act.tx,
        act.identity.home_id,
        product.name,
        stage.name,
        by="agent",
        at=act.now,
        why=act.incoming.name or texts.SOMEBODY,
        turn_id=act.turn,
        person=context_of(act).person,
    )
    act.learned = act.learned or moved
    said = texts.IS_MOVED.format(product=product.title, stage=stage.title) if moved else texts.IS_THERE.format(product=product.title)
    act.post(Outgoing(text=said))
    return None


def note_fact(act: Act, words: str, declared: Declarations) -> str | None:
    """Note a fact, which ends what was gone by until now if the customer or another agent had said it."""
    name, _, raw = words.partition(" ")
    if name not in declared.facts or not raw.strip():
        return texts.NOT_NOTED.format(known=", ".join(declared.facts))
    about = declared.fact(name)
    try:
        value = about.check(raw.strip(), region=declared.region)
        told = Told(name, value, AGENT, by=act.incoming.name)
        standing = remember(act.tx, declared, act.identity.home_id, told, at=act.now, person=context_of(act).person)
    except ValueRefused as refused:
        return texts.NOT_NOTED_VALUE.format(why=refused)
    except ConsentMissing:
        return texts.NOT_NOTED_CONSENT
    act.learned = True
    act.post(Outgoing(text=texts.IS_NOTED[standing].format(title=about.title or name)))
    return None


def note_wait(act: Act, handoff: Record, late: timedelta) -> None:
    """Note it if the customer waited too long until this agent came."""
    waited = act.now - handoff.opened_at
    if waited <= late:
        return
    row = experience_row(
        key=f"{handoff.id}.{WAITED}",
        customer_id=act.identity.home_id,
        good=False,
        kind=WAITED,
        weight=BAD[WAITED].weight,
        evidence={"minutes": round(waited.total_seconds() / 60), "until": "claimed", "handoff": handoff.id},
        at=act.now,
    )
    keep_experiences(act.tx, [row])
    act.learned = True


def move_by_event(act: Act, event: str, declared: Declarations) -> None:
    """Move the customer's journeys where an event leads."""
    context = context_of(act)
    for step in moves(event, context, declared):
        moved = move_journey(
            act.tx,
            act.identity.home_id,
            step.product,
            step.to_stage,
            by="event",
            at=act.now,
            why=step.why,
            turn_id=act.turn,
            person=context.person,
        )
        act.learned = act.learned or moved


def renew(act: Act, handoff: Record, declared: Declarations) -> None:
    """If something was learned: bring what is gathered up to date, and the packet, and with it the card, of a case that is open."""
    if not act.learned:
        return
    refresh_known(act.tx, [act.identity.customer_id])
    present = get_handoff(act.tx, handoff.id)
    if present is None or present.state == ENDED:
        return
    packet = renew_packet(read_packet(present.packet), context_of(act), declared, act.now)
    keep_packet(act.tx, handoff.id, stored(packet))
    act.post(Outgoing(kind="card"))


def context_of(act: Act) -> Context:
    """What is known of the customer whom the deed is about, as it stands now."""
    return recall(act.tx, [act.identity.id])[act.identity.id]


def due_of(words: str, now: datetime, zone: tzinfo) -> tuple[datetime, str] | None:
    """When a promise is due by what ``words`` begin with, and the rest of them; None where they begin with no time.

    ``2d``, ``90 min``, ``24 Nov 17:00``, ``24 Nov 2027``, ``tomorrow 9:00`` or ``17:30``; a day of the year that has passed is next year's.
    """
    if (after := _AFTER.match(words)) is not None:
        return now + timedelta(seconds=int(after[1]) * _UNITS[after[2]]), words[after.end() :]
    on = _ON.match(words)
    if on is None or not (on["day"] or on["near"] or on["hour"]):
        return None
    local = now.astimezone(zone)
    hour, minute = (int(on["hour"]), int(on["minute"])) if on["hour"] else END_OF_DAY
    try:
        if on["day"]:
            month = _MONTHS.index(on["month"].lower()) + 1
            due = local.replace(
                int(on["year"] or local.year), month, int(on["day"]), hour=hour, minute=minute, second=0, microsecond=0, fold=0
            )
            if due <= local and not on["year"]:
                due = due.replace(due.year + 1)
        else:
            day = local + timedelta(days=(on["near"] or "").lower() == "tomorrow")
            due = day.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    except ValueError:  # no such month, day or time
        return None
    return due.astimezone(now.tzinfo), words[on.end() :]


def shown_time(at: datetime, zone: tzinfo) -> str:
    """A time for customers and agents, with the name of its zone."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M %Z}"
