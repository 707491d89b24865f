"""Secrets that this installation makes for itself: what links and codes are signed with, and digests of identifying values made with.

They stand in the database and nowhere else: every process that shares the memory shares them, there is nothing to set and nothing to
forget to set. Who can read the database needs none of them to read it; a link also needs its row, which cannot be made from its key.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import Tx, insert_into, per_dialect, table

LINKS, HANDLES = "links", "handles"
"""The names of the keys: for links and codes, for values that identify people."""

KEY_BYTES = 32


class InstallKey(SQLModel, table=True):
    """One secret, made when it was first needed. It is never shown, logged or exported."""

    __tablename__ = "install_key"

    name: str = Field(primary_key=True)
    key: bytes = Field(sa_type=sa.LargeBinary)
    made_at: datetime = Field(sa_type=UtcDateTime)


_key = table(InstallKey)
_by_name = sa.select(_key.c.key).where(_key.c.name == sa.bindparam("p_name"))


@per_dialect
def _make(dialect: str) -> Any:
    return insert_into(InstallKey, dialect).on_conflict_do_nothing()


def install_key(tx: Tx, name: str, *, at: datetime) -> bytes:
    """The key of this name; where there is none yet it is made, and of two processes that make one the first one's counts."""
    found: bytes | None = tx.execute(_by_name, {"p_name": name}).scalar()
    if found is None:
        tx.execute(_make(tx), {"name": name, "key": secrets.token_bytes(KEY_BYTES), "made_at": at})
        found = tx.execute(_by_name, {"p_name": name}).scalar_one()
    return bytes(found)
