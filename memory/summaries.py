"""What became of each conversation that is over: what was wanted, what was done, how it ended, what was promised, and where that stands.

Extractive: every sentence was said by somebody, and its exchange is named.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, table


class Summary(SQLModel, table=True):
    """One conversation, from exchange ``first_id`` to ``last_id`` of one identity. ``links`` are the exchanges that each part was taken from:
    ``{"wanted": [id], "done": [...], "ending": [...], "promised": [...]}``. ``ending`` is solved, unsolved, person, left or told.
    """

    __table_args__ = (
        sa.UniqueConstraint("identity_id", "first_id"),
        sa.Index("summary_customer", "customer_id", "last_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int = Field(sa_type=BigId)
    first_id: int = Field(sa_type=BigId)
    last_id: int = Field(sa_type=BigId)
    began_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    wanted: str = Field(default="", sa_type=sa.Text)
    done: str = Field(default="", sa_type=sa.Text)
    ending: str = ""
    promised: str = Field(default="", sa_type=sa.Text)
    links: dict[str, Any] = Field(sa_type=Json)


summary_table: sa.Table = table(Summary)
