"""Writing to a customer who has not asked: the same ledger as an answer, under a purpose that they agreed to."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape

from bot.messages import Outgoing
from bot.turn.contact import Allowed, Not, may_contact
from bot.turn.split import split_html
from memory.context import recall_person
from memory.customers import forgotten_among, ownership_of, person_of
from memory.database import Tx
from memory.declared import SERVICE, Declarations
from memory.exchanges import exchange_id, exchange_row, log
from memory.inbox import inbox_row, keep_finished
from memory.outbox import last_unasked, outbox_row, put_out
from memory.turns import keep_turns

COMPANY = "company"
"""The channel and lane of turns that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it: the ids of the ledger's rows, or why nothing was put out. ``again``: it had been put out before."""

    turn_id: int | None = None
    identity_id: int | None = None
    refused: Not | None = None
    again: bool = False


def tell(
    tx: Tx,
    declared: Declarations,
    customer_id: int,
    text: str,
    purpose: str,
    *,
    now: datetime,
    zone: tzinfo,
    channels: Collection[str],
    key: str | None = None,
) -> Told:
    """Put a message to a customer out, if they may be written to now (:func:`bot.turn.contact.may_contact`).

    The customer is held, so a consent that is taken back at the same moment either drops it or keeps it from being put out. ``key`` names
    the message: told twice with the same one, it is put out once. The caller commits and wakes the channel's lane.
    """
    ownership = ownership_of(tx, [person_of(tx, customer_id)[0]])
    if forgotten_among(tx, ownership):
        return Told(refused=Not("they were forgotten"))
    contexts = recall_person(tx, customer_id)
    last = last_unasked(tx, contexts[0].person, service=SERVICE) if contexts else None
    found = may_contact(contexts, declared, purpose, now, zone=zone, channels=channels, last=last)
    if not isinstance(found, Allowed):
        return Told(refused=found)
    context = found.context
    row = inbox_row(
        channel=COMPANY,
        update_id=f"{customer_id}:{key or secrets.token_hex(12)}",
        customer_id=context.customer_id,
        identity_id=context.identity_id,
        incoming=None,
        received_at=now,
    )
    turn_id = keep_finished(tx, row)
    if turn_id is None:
        return Told(again=True)
    turn = {
        "id": turn_id,
        "customer_id": context.home_id,
        "lane": COMPANY,
        "decision": f"told for {purpose}",
        "trace": {"purpose": purpose},
        "started_at": now,
        "finished_at": now,
    }
    keep_turns(tx, [turn])
    exchange = exchange_id(turn_id, 0)
    log(
        tx,
        [
            exchange_row(
                id=exchange,
                customer_id=context.home_id,
                identity_id=context.identity_id,
                turn_id=turn_id,
                direction="out",
                author="assistant",
                kind="text",
                text=text,
                data={"purpose": purpose},
                at=now,
            )
        ],
    )
    parts = split_html(escape(text, quote=False))
    put_out(
        tx,
        [
            outbox_row(
                key=f"{turn_id}.{n}",
                lane=context.channel,
                address=context.address,
                outgoing=Outgoing(text=part, html=True),
                at=now,
                customer_id=context.customer_id,
                identity_id=context.identity_id,
                exchange_id=exchange,
                ownership=ownership[context.customer_id],
                purpose=purpose,
            )
            for n, part in enumerate(parts)
        ],
    )
    return Told(turn_id, context.identity_id)
