"""What the store says about a dialogue: who said what the customer got, and the rows that expectations and invariants look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.channels.telegram.updates import CHANNEL
from bot.markup import plain_of
from bot.simulator import SeenMessage
from memory.customers import Customer, Identity, person_of
from memory.database import Record, Tx, table
from memory.exchanges import Exchange
from memory.inbox import Quarantine, inbox_table
from memory.outbox import SENT, outbox_table
from memory.turns import turn_table

NOT_MESSAGES = ("answer", "edit", "unsend")
"""Kinds of outgoing that put no message of their own into a chat."""

exchange_table, identity_table, customer_table = table(Exchange), table(Identity), table(Customer)
quarantine_table = table(Quarantine)


@dataclass(frozen=True, slots=True)
class Said:
    """Where a delivered message comes from; ``outgoing`` is the outbox row's id."""

    outgoing: int
    author: str
    name: str | None
    reply: str | None


def read_outbox(tx: Tx) -> list[Record]:
    """Everything on its way to customers, with the exchange that it carries."""
    columns = (outbox_table, exchange_table.c.author, exchange_table.c.author_name, exchange_table.c.reply)
    joined = outbox_table.outerjoin(exchange_table, exchange_table.c.id == outbox_table.c.exchange_id)
    return list(tx.execute(sa.select(*columns).select_from(joined).where(outbox_table.c.lane == CHANNEL).order_by(outbox_table.c.id)))


def read_customers(tx: Tx) -> dict[str, Record]:
    """Identities with their customers' ownership, by address."""
    joined = identity_table.join(customer_table, customer_table.c.id == identity_table.c.customer_id)
    query = sa.select(identity_table, customer_table.c.handoff_id).select_from(joined).where(identity_table.c.channel == CHANNEL)
    return {row.address: row for row in tx.execute(query)}


def read_exchanges(tx: Tx, customer_id: int) -> list[Record]:
    """A person's exchanges in order."""
    ids = person_of(tx, customer_id)
    return list(tx.execute(sa.select(exchange_table).where(exchange_table.c.customer_id.in_(ids)).order_by(exchange_table.c.id)))


def read_inbox(tx: Tx) -> list[Record]:
    """Every accepted update, and the turn that dealt with it where there is one."""
    joined = inbox_table.outerjoin(turn_table, turn_table.c.id == inbox_table.c.turn_id)
    query = sa.select(inbox_table, turn_table.c.id.label("has_turn")).select_from(joined).order_by(inbox_table.c.id)
    return list(tx.execute(query))


def count_rows(tx: Tx) -> dict[str, int]:
    """How many rows there are, by the words of a script's ``ledger``."""
    counts = dict.fromkeys(("waiting", "sending", "sent", "refused", "uncertain", "dropped", "again", "arrived"), 0)
    for row in read_outbox(tx):
        if row.outgoing.get("kind", "text") != "answer":
            counts[row.state] += 1
            if row.resolved is not None:
                counts[row.resolved] += 1
    queries = {
        "inbox": sa.select(sa.func.count()).select_from(inbox_table).where(inbox_table.c.channel == CHANNEL),
        "turns": sa.select(sa.func.count()).select_from(turn_table).where(turn_table.c.lane == "turn"),
        "quarantine": sa.select(sa.func.count()).select_from(quarantine_table),
    }
    return counts | {name: int(tx.execute(query).scalar_one()) for name, query in queries.items()}


def find_said(rows: Sequence[Record], address: str, message: SeenMessage) -> Said | None:
    """The outgoing that became this message. One whose receipt was lost is known again by its words."""
    own = [row for row in rows if row.address == address and row.outgoing.get("kind", "text") not in NOT_MESSAGES]
    found = next((row for row in own if row.state == SENT and row.message_id == str(message.message_id)), None)
    if found is None:
        lost = [row for row in own if row.message_id is None and _words(row) == " ".join(message.text.split())]
        found = lost[0] if lost else None
    return None if found is None else Said(found.id, found.author or "assistant", found.author_name, found.reply)


def _words(row: Record) -> str:
    text = row.outgoing.get("text", "")
    return " ".join((plain_of(text) if row.outgoing.get("html") else text).split())
