"""How well it is proven that an identity is who it says: levels, their evidence, and for how long they hold.

    claimed < seen < confirmed < verified

``claimed``: somebody said so. ``seen``: the channel itself vouches for the address. ``confirmed``: by a code or a link that was sent
somewhere else. ``verified``: an agent has checked it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, table


class Proof(SQLModel, table=True):
    """One time that an identity was proven, with the evidence; rows are only added. ``how`` is channel, code, link, contact or agent."""

    __table_args__ = (sa.Index("proof_identity", "identity_id", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    identity_id: int = Field(foreign_key="identity.id", sa_type=BigId)
    level: str
    how: str
    evidence: dict[str, Any] | None = Field(default=None, sa_type=Json)
    by: str | None = None
    at: datetime = Field(sa_type=UtcDateTime)


proof_table: sa.Table = table(Proof)
