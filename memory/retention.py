"""How long things are kept: by kind and age, masked or removed in small steps that never hold up a turn."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, table


class RetentionMark(SQLModel, table=True):
    """How far a rule has come: rows up to ``done_to`` have been dealt with."""

    __tablename__ = "retention_mark"

    rule: str = Field(primary_key=True)
    done_to: int = Field(default=0, sa_type=BigId)
    at: datetime = Field(sa_type=UtcDateTime)


mark_table: sa.Table = table(RetentionMark)
