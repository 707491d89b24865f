"""Files that customers and agents sent, kept once by what is in them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, table


class Blob(SQLModel, table=True):
    """A file's bytes, named by their SHA-256 in hexadecimal: the same file sent twice is kept once."""

    sha256: str = Field(primary_key=True)
    size: int
    content: bytes = Field(sa_type=sa.LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)


class BlobUse(SQLModel, table=True):
    """Which exchange carried a file, as its attachment number ``n``. A blob that nothing uses any more is removed.

    ``sha256`` is None where the file was not kept, and ``why`` says why: too large, gone, not allowed.
    """

    __tablename__ = "blob_use"
    __table_args__ = (sa.Index("blob_use_customer", "customer_id"), sa.Index("blob_use_blob", "sha256"))

    exchange_id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    n: int = Field(primary_key=True)
    customer_id: int = Field(sa_type=BigId)
    sha256: str | None = None
    why: str | None = None
    at: datetime = Field(sa_type=UtcDateTime)


blob_table: sa.Table = table(Blob)
blob_use_table: sa.Table = table(BlobUse)
