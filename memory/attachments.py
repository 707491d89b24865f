"""Files that customers and agents sent, kept once by what is in them.

A turn that logs attachments marks a lane of kind ``files`` with its id (:func:`memory.exchanges.log`); a loop fetches them by and by and
keeps each with :func:`keep_blob`, or notes with :func:`note_unkept` why it is not kept. So every attachment has its row in the end, and
what has none is still to be fetched.

Who keeps and who removes lock the customer first, then the blob: a file that one of them is about to remove and another is about to use
again stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import Customer
from memory.database import BigId, Record, Tx, insert_into, per_dialect, table
from memory.exchanges import PER_TURN, Exchange


class Blob(SQLModel, table=True):
    """A file's bytes, named by their SHA-256 in hexadecimal: the same file sent twice is kept once."""

    sha256: str = Field(primary_key=True)
    size: int
    content: bytes = Field(sa_type=sa.LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)


class BlobUse(SQLModel, table=True):
    """Which exchange carried a file, as its attachment number ``n``. A blob that nothing uses any more is removed.

    ``sha256`` is None where the file was not kept, and ``why`` says why: too large, gone, not allowed. ``file`` is what its channel calls
    the file for good (``source:unique id``): one that was kept before need not be fetched again, and is found when the channel has lost it.
    """

    __tablename__ = "blob_use"
    __table_args__ = (
        sa.Index("blob_use_customer", "customer_id"),
        sa.Index("blob_use_blob", "sha256"),
        sa.Index("blob_use_file", "file", sqlite_where=sa.text("sha256 IS NOT NULL"), postgresql_where=sa.text("sha256 IS NOT NULL")),
    )

    exchange_id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    n: int = Field(primary_key=True)
    customer_id: int = Field(sa_type=BigId)
    sha256: str | None = None
    file: str | None = None
    why: str | None = None
    at: datetime = Field(sa_type=UtcDateTime)


blob_table: sa.Table = table(Blob)
blob_use_table: sa.Table = table(BlobUse)
_blob, _use, _exchange, _customer = blob_table, blob_use_table, table(Exchange), table(Customer)
_b = sa.bindparam
_carrying = (
    sa.select(_exchange.c.id, _exchange.c.customer_id, _exchange.c.attachments)
    .where(_exchange.c.id.between(_b("p_first"), _b("p_last")), _exchange.c.attachments.is_not(None))
    .order_by(_exchange.c.id)
)
_uses_between = sa.select(_use.c.exchange_id, _use.c.n).where(_use.c.exchange_id.between(_b("p_first"), _b("p_last")))
_still_carries = (
    sa.select(_exchange.c.id)
    .join(_customer, _customer.c.id == _exchange.c.customer_id)
    .where(_exchange.c.id == _b("p_id"), _exchange.c.attachments.is_not(None), _customer.c.forgotten_at.is_(None))
)
_uses_of = (
    sa.select(_use.c.exchange_id, _use.c.n, _use.c.sha256, _use.c.file, _use.c.why, _use.c.at, _blob.c.size)
    .select_from(_use.outerjoin(_blob, _blob.c.sha256 == _use.c.sha256))
    .where(_use.c.exchange_id.in_(_b("p_ids", expanding=True)))
    .order_by(_use.c.exchange_id, _use.c.n)
)
_content = sa.select(_blob.c.content).where(_blob.c.sha256 == _b("p_sha"))
_kept_file = sa.select(_use.c.sha256).where(_use.c.file == _b("p_file"), _use.c.sha256.is_not(None)).limit(1)
_lock = sa.select(_blob.c.sha256).where(_blob.c.sha256.in_(_b("p_shas", expanding=True))).order_by(_blob.c.sha256).with_for_update()
_used = sa.select(_use.c.sha256).where(_use.c.sha256.in_(_b("p_shas", expanding=True))).distinct()
_remove = sa.delete(_blob).where(_blob.c.sha256.in_(_b("p_shas", expanding=True)))


@per_dialect
def _keep(dialect: str) -> Any:
    """On PostgreSQL a known blob's row is locked, so that nobody removes it before its new use is committed; SQLite has one writer."""
    new = insert_into(Blob, dialect)
    if dialect == "sqlite":
        return new.on_conflict_do_nothing()
    return new.on_conflict_do_update(index_elements=["sha256"], set_={"size": _blob.c.size})


@per_dialect
def _use_it(dialect: str) -> Any:
    new = insert_into(BlobUse, dialect)
    values = {"sha256": new.excluded.sha256, "file": new.excluded.file, "why": new.excluded.why, "at": new.excluded.at}
    return new.on_conflict_do_update(index_elements=["exchange_id", "n"], set_=values, where=_use.c.sha256.is_(None))


def keep_blob(tx: Tx, exchange_id: int, n: int, customer_id: int, content: bytes, at: datetime, *, file: str | None = None) -> str:
    """Keep a file as attachment ``n`` of an exchange; returns its SHA-256. A repeat changes nothing.

    The caller holds the customer (:func:`memory.customers.ownership_of`), has seen under that lock that the exchange still carries the
    attachment (:func:`still_carries`), and commits.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    tx.execute(_keep(tx), {"sha256": sha256, "size": len(content), "content": content, "at": at})
    row = {"exchange_id": exchange_id, "n": n, "customer_id": customer_id, "sha256": sha256, "file": file, "why": None, "at": at}
    tx.execute(_use_it(tx), row)
    return sha256


def keep_again(tx: Tx, exchange_id: int, n: int, customer_id: int, file: str, at: datetime) -> bool:
    """Use a file that was kept before under the name ``file``, without fetching it. False if there is none; conditions as above."""
    sha256 = tx.execute(_kept_file, {"p_file": file}).scalar()
    if sha256 is None or not tx.execute(_lock, {"p_shas": [sha256]}).first():
        return False
    row = {"exchange_id": exchange_id, "n": n, "customer_id": customer_id, "sha256": sha256, "file": file, "why": None, "at": at}
    tx.execute(_use_it(tx), row)
    return True


def note_unkept(tx: Tx, exchange_id: int, n: int, customer_id: int, why: str, at: datetime, *, file: str | None = None) -> None:
    """Note that attachment ``n`` of an exchange is not kept, and why. One that is kept stays kept."""
    row = {"exchange_id": exchange_id, "n": n, "customer_id": customer_id, "sha256": None, "file": file, "why": why, "at": at}
    tx.execute(_use_it(tx), row)


def still_carries(tx: Tx, exchange_id: int) -> bool:
    """Whether the exchange is there and has attachments: it may have been masked, removed or forgotten meanwhile, or be about to."""
    return tx.execute(_still_carries, {"p_id": exchange_id}).first() is not None


def unkept_of(tx: Tx, turn_id: int) -> list[tuple[int, int, int, dict[str, Any]]]:
    """The attachments of a turn that have no row yet: (exchange id, n, customer id, the attachment as it was logged)."""
    span = {"p_first": turn_id * PER_TURN, "p_last": turn_id * PER_TURN + PER_TURN - 1}
    done = {(row.exchange_id, row.n) for row in tx.execute(_uses_between, span)}
    found = []
    for row in tx.execute(_carrying, span):
        for n, attachment in enumerate(row.attachments):
            if (row.id, n) not in done:
                found.append((row.id, n, row.customer_id, attachment))
    return found


def uses_of(tx: Tx, exchange_ids: Collection[int]) -> list[Record]:
    """What became of the attachments of these exchanges: exchange_id, n, sha256, file, why, at and the kept file's ``size``."""
    return list(tx.execute(_uses_of, {"p_ids": list(exchange_ids)})) if exchange_ids else []


def blob_of(tx: Tx, sha256: str) -> bytes | None:
    """A kept file's bytes, or None."""
    content: bytes | None = tx.execute(_content, {"p_sha": sha256}).scalar()
    return content


def kept_as(tx: Tx, file: str) -> bytes | None:
    """The bytes of a file by the name that its channel has for it (``source:unique id``); None if it was not kept."""
    sha256 = tx.execute(_kept_file, {"p_file": file}).scalar()
    return blob_of(tx, sha256) if sha256 is not None else None


def release(
    tx: Tx, *, exchange_ids: Sequence[int] = (), customer_ids: Sequence[int] = (), why: str | None = None, limit: int = 500
) -> tuple[int, int]:
    """Let go of files of these exchanges or customers, and remove the blobs that nothing uses any more; (uses, blobs) removed.

    At most ``limit`` uses at a time: the caller repeats it until none are left. With ``why`` the uses stay, as files that are not kept for
    that reason. The caller holds the customers, or no loop can be keeping files for them (:func:`still_carries` is false for their
    exchanges by then), and commits. Safe to repeat.
    """
    parts = []
    if exchange_ids:
        parts.append(_use.c.exchange_id.in_(list(exchange_ids)))
    if customer_ids:
        parts.append(_use.c.customer_id.in_(list(customer_ids)))
    if not parts:
        return 0, 0
    wanted = sa.select(_use.c.exchange_id, _use.c.n, _use.c.sha256).where(sa.or_(*parts)).limit(limit)
    rows = tx.execute(wanted if why is None else wanted.where(_use.c.sha256.is_not(None))).all()
    if not rows:
        return 0, 0
    shas = sorted({row.sha256 for row in rows if row.sha256 is not None})
    if shas:
        tx.execute(_lock, {"p_shas": shas}).all()
    these = sa.tuple_(_use.c.exchange_id, _use.c.n).in_([(row.exchange_id, row.n) for row in rows])
    if why is None:
        tx.execute(sa.delete(_use).where(these))
    else:
        tx.execute(sa.update(_use).where(these).values(sha256=None, why=why))
    # A statement of its own, after the lock: it sees what others have committed until then.
    unused = sorted(set(shas) - set(tx.execute(_used, {"p_shas": shas}).scalars())) if shas else []
    if unused:
        tx.execute(_remove, {"p_shas": unused})
    return len(rows), len(unused)
