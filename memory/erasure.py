"""Being forgotten: everything about a person goes, step by step; a receipt without personal data stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, table


class Erasure(SQLModel, table=True):
    """One request to be forgotten, and how far it has come.

    ``customers`` are the numbers of all who were this person, each with when it was made, so that the receipt finds them again in a
    restored backup and nobody else. ``todo`` holds what is still needed to finish (addresses, topics) and is emptied at the end; ``counts``
    and ``left`` (what could not be removed, and why) are the receipt.
    """

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customers: list[dict[str, Any]] = Field(sa_type=Json)
    asked_by: str
    state: str
    todo: dict[str, Any] | None = Field(default=None, sa_type=Json)
    counts: dict[str, Any] = Field(sa_type=Json)
    left: list[dict[str, Any]] = Field(sa_type=Json)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


erasure_table: sa.Table = table(Erasure)
