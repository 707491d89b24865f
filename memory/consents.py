"""What customers agreed to, purpose by purpose: every word of theirs is kept, the latest one counts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Record, Tx, table


class Consent(SQLModel, table=True):
    """One answer to one question: ``granted`` or not, with the text and its version, and where and when. Rows are only added."""

    __table_args__ = (sa.Index("consent_customer", "customer_id", "purpose", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int | None = Field(default=None, sa_type=BigId)
    purpose: str
    granted: bool
    version: str
    text: str = Field(sa_type=sa.Text)
    channel: str
    exchange_id: int | None = Field(default=None, sa_type=BigId)
    by: str | None = None
    at: datetime = Field(sa_type=UtcDateTime)


consent_table: sa.Table = table(Consent)
_consent = consent_table
_b = sa.bindparam
_latest = (
    sa.select(_consent)
    .where(_consent.c.customer_id.in_(_b("p_ids", expanding=True)), _consent.c.purpose == _b("p_purpose"))
    .order_by(_consent.c.at.desc(), _consent.c.id.desc())
    .limit(1)
)


def is_granted(tx: Tx, customer_ids: Collection[int], purpose: str) -> int | None:
    """The id of the consent that holds, or None. ``customer_ids`` are all who are one person: the latest word of any of them counts."""
    row = latest_consent(tx, customer_ids, purpose)
    return int(row.id) if row is not None and row.granted else None


def latest_consent(tx: Tx, customer_ids: Collection[int], purpose: str) -> Record | None:
    """The last word about a purpose, granted or not; None if nobody has asked."""
    return tx.execute(_latest, {"p_ids": list(customer_ids), "p_purpose": purpose}).first()


def keep_consent(
    tx: Tx,
    customer_id: int,
    purpose: str,
    *,
    granted: bool,
    version: str,
    text: str,
    channel: str,
    at: datetime,
    identity_id: int | None = None,
    exchange_id: int | None = None,
    by: str | None = None,
) -> int:
    """Add an answer and return its id. What still waits to be sent for a withdrawn purpose is the caller's to stop
    (:func:`memory.outbox.drop_purpose`), as is :mod:`memory.known`."""
    row = {
        "customer_id": customer_id,
        "identity_id": identity_id,
        "purpose": purpose,
        "granted": granted,
        "version": version,
        "text": text,
        "channel": channel,
        "exchange_id": exchange_id,
        "by": by,
        "at": at,
    }
    id_: int = tx.execute(sa.insert(_consent).returning(_consent.c.id), row).scalar_one()
    return id_
