"""Turns: one row for each pass of the assistant or of the desk, with why it did what it did.

The primary key is the id of the first inbox row that the turn dealt with: a turn that is run twice can be committed once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, Row, Tx, table

DIALOGUE = "dialogue"
"""Where ``trace`` has the state of the conversation that the turn began with, if it had any; its own row has only the present one."""


class Turn(SQLModel, table=True):
    """A finished turn. ``trace`` says what was understood and which rule decided."""

    id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    customer_id: int = Field(foreign_key="customer.id", index=True, sa_type=BigId)
    lane: str
    decision: str
    trace: dict[str, Any] = Field(sa_type=Json)
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime = Field(sa_type=UtcDateTime)


turn_table: sa.Table = table(Turn)


def keep_turns(tx: Tx, rows: list[Row]) -> None:
    """Store finished turns; one that was stored before breaks the primary key and the transaction with it."""
    if rows:
        tx.execute(sa.insert(turn_table), rows)
