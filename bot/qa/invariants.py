"""What holds at the end of every dialogue, whether its script asks or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import sqlalchemy as sa

from bot.channels.telegram.updates import CHANNEL
from bot.qa.ledger import NOT_MESSAGES, exchange_table, quarantine_table, read_customers, read_exchanges, read_inbox, read_outbox
from bot.qa.stage import Stage
from bot.simulator import SeenMessage
from memory.database import Record, Tx
from memory.doctor import CHECKS as DOCTORS
from memory.doctor import examine
from memory.erasure import MASKED, erasure_table
from memory.handoffs import handoff_table
from memory.outbox import SENDING, SENT, UNCERTAIN, WAITING
from memory.turns import turn_table

Broken = tuple[str, str]
"""An invariant that does not hold: what was expected, and what was got."""


async def find_broken(stage: Stage) -> list[Broken]:
    """Every invariant that does not hold now."""
    found: list[Broken] = []
    for check in CHECKS:
        found += await stage.store.read(lambda tx, check=check: list(check(tx, stage)))  # type: ignore[misc]
    for one in await examine(stage.store, now=stage.clock.now(), checks=[one for one in DOCTORS if one.name not in _TAKES_TIME]):
        found += [(one.name, f"{breach.table} {breach.id} {breach.what}") for breach in one.breaches]
    return found


_TAKES_TIME = ("what is uncertain is settled within a day", "erasures come to their end", "every lane of turns has something waiting")
"""What a script may leave to people, or to a process that it does not have."""


def _updates(tx: Tx, stage: Stage) -> Iterator[Broken]:
    """Every update that the customers' bot confirmed is in the inbox once, or in quarantine, and nothing else is."""
    rows = [*read_inbox(tx), *tx.execute(sa.select(quarantine_table))]
    kept = Counter(
        int(row.update_id.partition(":")[0]) for row in rows if row.channel == CHANNEL
    )  # what follows the colon tells bots apart
    confirmed = set(stage.confirmed[CHANNEL])
    if missing := sorted(confirmed - kept.keys()):
        yield "every confirmed update in the inbox", f"{missing} missing"
    if twice := sorted(one for one, count in kept.items() if count > 1):
        yield "every update in the inbox once", f"{twice} more than once"
    if stage.app is not None and (early := sorted(kept.keys() - confirmed)):
        yield "only confirmed updates in the inbox", f"{early} as well"


def _forgets(tx: Tx) -> bool:
    """Whether anybody has asked to be forgotten in this dialogue."""
    return tx.execute(sa.select(erasure_table.c.id).limit(1)).first() is not None


def _turns(tx: Tx, stage: Stage) -> Iterator[Broken]:
    """Every inbox row has a turn that dealt with it."""
    without = [row.id for row in read_inbox(tx) if row.has_turn is None]
    if without and stage.script.head.ends == "settled":
        yield "a turn for every inbox row", f"none for {without}"


def _exchanges(tx: Tx, stage: Stage) -> Iterator[Broken]:
    """Each customer's messages are in the log once, in the order in which they were sent, unless a fault let one come late."""
    late = any(step.kind == "fault" and step.body is not None and step.body.kind == "late update" for step in stage.script.steps)
    known = read_customers(tx)
    for name, person in stage.customers.items():
        chat = person.messages(stage.bot_name(stage.bot), include_deleted=True)
        sent = [f"{CHANNEL}:{one.message_id}" for one in chat if one.from_id == person.id]
        row = known.get(str(person.id))
        rows = read_exchanges(tx, row.customer_id) if row is not None else []
        own = [one for one in rows if row is not None and one.identity_id == row.id]
        logged = [one.origin for one in own if one.direction == "in" and one.origin is not None]
        if stage.script.head.ends == "unsettled" or _forgets(tx):  # of who is forgotten, nothing from before is in the log
            sent = [one for one in sent if one in logged]
        if late:
            sent, logged = sorted(sent), sorted(logged)
        if sent != logged:
            yield f"{name}'s messages in the log once and in order: {', '.join(sent)}", ", ".join(logged) or "none"


def _outgoings(tx: Tx, stage: Stage) -> Iterator[Broken]:
    """Nothing waits to be sent; and what was delivered is known as sent, or as uncertain, once."""
    rows = read_outbox(tx)
    open_ = [f"{row.key} ({row.state})" for row in rows if row.state in (WAITING, SENDING)]
    if open_ and stage.script.head.ends == "settled":
        yield "no outgoing left over", ", ".join(open_)
    for name, person in stage.customers.items():
        own = [row for row in rows if row.address == str(person.id) and row.outgoing.get("kind", "text") not in NOT_MESSAGES]
        own += [row for row in rows if row.address.startswith(f"{MASKED}:") and row.state in (SENT, UNCERTAIN) and _forgets(tx)]
        yield from _delivered(name, _messages_of(stage, person.id), own)


def _delivered(name: str, delivered: list[SeenMessage], rows: list[Record]) -> Iterator[Broken]:
    sent = Counter(row.message_id for row in rows if row.state == SENT and not row.address.startswith(MASKED))
    unsure = sum(row.state in (UNCERTAIN, SENDING) or row.address.startswith(MASKED) for row in rows)
    unknown = [one for one in delivered if str(one.message_id) not in sent]
    if len(unknown) > unsure:
        texts = "; ".join(f"“{one.text[:80]}”" for one in unknown)
        yield f"an outgoing for every message that {name} got", f"{len(unknown)} without one, {unsure} uncertain outgoings: {texts}"
    there = {str(one.message_id) for one in delivered}
    if wrong := sorted(str(one) for one, count in sent.items() if count > 1 or one not in there):
        yield f"a message of {name}'s for every sent outgoing", f"none, or one for several: message {', '.join(wrong)}"


def _messages_of(stage: Stage, person_id: int) -> list[SeenMessage]:
    """What the customers' bot delivered to a person; of an album only the first, which carries its id."""
    seen: list[SeenMessage] = []
    albums: set[str] = set()
    for one in stage.sim.delivered(stage.bot):
        if one.chat.person_id != person_id or one.album_id in albums:
            continue
        if one.album_id:
            albums.add(one.album_id)
        seen.append(one)
    return seen


def _handoffs(tx: Tx, stage: Stage) -> Iterator[Broken]:
    """A customer's handoffs do not overlap, and each was acknowledged once."""
    by_customer: dict[int, list[Record]] = {}  # by whom they were opened with: before a merge, both could have one
    for row in tx.execute(sa.select(handoff_table).order_by(handoff_table.c.id)):
        by_customer.setdefault(row.identity_id, []).append(row)
        if MASKED in row.packet:  # its acknowledgement is forgotten with the rest
            continue
        query = sa.select(exchange_table.c.reply).where(exchange_table.c.turn_id == row.id, exchange_table.c.author == "assistant")
        replies = list(tx.execute(query).scalars())
        if len(replies) != 1:
            yield f"one acknowledgement of handoff {row.id}", ", ".join(str(one) for one in replies) or "none"
    for customer, rows in by_customer.items():
        for earlier, later in pairwise(rows):
            if earlier.ended_at is None or later.opened_at < earlier.ended_at:
                yield f"one open handoff at a time for customer {customer}", f"{earlier.id} and {later.id}"


def _presses(tx: Tx, stage: Stage) -> Iterator[Broken]:
    """Every button that a customer pressed was answered: until then it shows that it is waiting. Faults may lose an answer."""
    if any(step.kind in ("fault", "restart") for step in stage.script.steps):
        return
    open_ = [one.data for one in stage.sim.callbacks.values() if one.bot is stage.bot and not one.answered.is_set()]
    if open_:
        yield "an answer to every press", f"none for {', '.join(open_)}"


def _questions(tx: Tx, stage: Stage) -> Iterator[Broken]:
    """No flow asked for what was known or answered already."""
    for row in tx.execute(sa.select(turn_table.c.id, turn_table.c.trace).order_by(turn_table.c.id)):
        again = ((row.trace or {}).get("flow") or {}).get("asked_again")
        if again:
            yield "no question for something known or answered", f"turn {row.id} asked for {', '.join(again)}"


CHECKS: tuple[Callable[[Tx, Stage], Iterator[Broken]], ...] = (_updates, _turns, _exchanges, _outgoings, _handoffs, _presses, _questions)
