"""A whole life in the memory: for one person, a row in every table with every column filled, whatever tables and columns there are."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from memory.clock import UtcDateTime
from memory.customers import Customer, Identity
from memory.database import Row, Tx, table
from memory.schema import METADATA
from tests.memory.people import START

SET: dict[tuple[str, str], Any] = {
    ("fact", "standing"): "current",
    ("fact", "source"): "customer",
    ("handoff", "state"): "owned",
    ("handoff", "ended_at"): None,
    ("handoff", "ending"): None,
    ("handoff", "reason"): "asked",
    ("inbox", "channel"): "telegram",
    ("inbox", "turn_id"): None,
    ("identity", "channel"): "telegram",
    ("outbox", "lane"): "telegram",
    ("outbox", "state"): "sent",
    ("outbox", "resolved"): None,
    ("promise", "state"): "open",
    ("proposal", "state"): "open",
    ("turn", "lane"): "turn",
    ("quarantine", "channel"): "telegram",
    ("journey", "closed_at"): None,
    ("customer", "merged_into_id"): None,
    ("customer", "merged_at"): None,
    ("customer", "members"): None,
    ("customer", "forgotten_at"): None,
    ("identity", "proof"): "seen",
}
"""What is not free to be anything: states, and what they go with."""

OPERATORS = {
    ("erasure", "asked_by"),
    ("handoff", "owner"),
    ("handoff", "owner_name"),
    ("inbox", "update_id"),
    ("quarantine", "update_id"),
    ("outbox", "key"),
    ("outbox", "purpose"),
    ("experience", "key"),
    ("lane", "key"),
    ("retention_mark", "rule"),
}
"""Texts that are ours or the agents' and say nothing of the customer."""

NOT_LIVED = ("erasure", "install_key", "lane", "retention_mark")
"""Tables that no life fills."""

_numbers = itertools.count(1000)


def live(tx: Tx, address: str, words: Sequence[str]) -> int:
    """Fill every table about a new person at this address; returns the customer. Each text column has one of ``words`` in it."""
    said = itertools.cycle(words)
    customer = tx.execute(sa.insert(table(Customer)).values(ownership=0, created_at=START).returning(table(Customer).c.id)).scalar_one()
    other = tx.execute(sa.insert(table(Customer)).values(ownership=0, created_at=START).returning(table(Customer).c.id)).scalar_one()
    ids: dict[str, Any] = {"customer_id": customer, "home_id": customer, "turn_id": None}
    identity = _row(table(Identity), said, ids) | {"address": address}
    ids["identity_id"] = tx.execute(sa.insert(table(Identity)).values(**identity).returning(table(Identity).c.id)).scalar_one()
    pair = {"one_id": customer, "other_id": other, "survivor_id": other, "merged_id": customer}
    for of in METADATA.sorted_tables:
        if of.name in NOT_LIVED or of.name in ("customer", "identity"):
            continue
        row = _row(of, said, ids | pair)
        if of.name == "outbox":
            row |= {
                "address": address,
                "outgoing": {"kind": "text", "text": next(said), "buttons": [[{"title": next(said), "payload": "x"}]]},
            }
        if of.name == "exchange":
            row["attachments"] = [
                {"source": "telegram", "kind": "photo", "name": next(said), "file_id": next(said), "unique_id": next(said)}
            ]
        if of.name == "handoff":
            row["packet"] = {"version": 1, "customer_id": customer, "want": next(said), "lines": [{"text": next(said)}], "near": True}
            row["topic"] = None
        if of.name == "quarantine":
            row["raw"] = '{"message": {"from": {"id": ' + address + '}, "text": "' + "odd" + '"}}'
        if of.name == "blob":
            row["sha256"] = ids["sha256"] = hashlib.sha256(str(next(_numbers)).encode()).hexdigest()
        made = tx.execute(sa.insert(of).values(**row))
        ids |= _made(of, row, made)
    return int(customer)


def _made(of: sa.Table, row: Row, made: sa.CursorResult[Any]) -> dict[str, Any]:
    key = made.inserted_primary_key
    if of.name in ("inbox", "journey", "turn", "exchange"):
        number = row.get("id") or (key[0] if key else None)
        return {f"{of.name}_id": number} | ({"turn_id": number} if of.name == "turn" else {})
    return {}


def _row(of: sa.Table, said: Iterator[str], ids: dict[str, Any]) -> Row:
    """A value for every column that is not set by the database itself."""
    row: Row = {}
    for column in of.c:
        if (of.name, column.name) in SET:
            row[column.name] = SET[of.name, column.name]
        elif column.name in ids and (column.name.endswith("_id") or column.name == "sha256"):
            row[column.name] = ids[column.name]
        elif column.primary_key and column.autoincrement in (True, "auto") and isinstance(column.type, sa.Integer | sa.BigInteger):
            if len(of.primary_key) > 1:
                row[column.name] = next(_numbers)
        else:
            row[column.name] = _value(of, column, said)
    return row


def _value(of: sa.Table, column: sa.Column[Any], said: Iterator[str]) -> Any:
    kind = column.type
    if (of.name, column.name) in OPERATORS:
        return f"ours-{next(_numbers)}"
    if isinstance(kind, UtcDateTime):
        return START
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.JSON):
        return {"said": [next(said), {"again": next(said)}], next(said): 1}
    if isinstance(kind, sa.LargeBinary):
        return next(said).encode()
    if isinstance(kind, sa.Float):
        return 0.5
    if isinstance(kind, sa.Integer | sa.BigInteger):
        return next(_numbers)
    return f"{next(said)} {next(_numbers)}" if column.unique or column.primary_key else next(said)
