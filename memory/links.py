"""Links and short codes that carry a customer from one channel to another: single-use, expiring, and stored only as digests."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, table


class Link(SQLModel, table=True):
    """One link or code that was handed out. ``digest`` is of the token, so that who reads the store cannot use it.

    ``identity_id`` is where it was asked for; None where an operator made it for a customer.
    """

    __table_args__ = (sa.Index("link_customer", "customer_id"),)

    digest: str = Field(primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int | None = Field(default=None, sa_type=BigId)
    kind: str
    by: str
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_by_id: int | None = Field(default=None, sa_type=BigId)


link_table: sa.Table = table(Link)
