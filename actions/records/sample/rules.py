"""What the sample's rules are made of: the call that they are asked, days, and rows. A rule runs inside the sample's one transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from actions.records.interface import RecordRefused, RecordsUnknown
from actions.records.sample import tables
from memory.database import Record as Stored
from memory.database import Row, Tx


@dataclass(frozen=True, slots=True)
class Call:
    """One operation that is asked for. ``id`` is the record that it is done to, "" where it makes one."""

    tx: Tx
    now: datetime
    id: str
    data: Mapping[str, Any]

    @property
    def today(self) -> date:
        return self.now.date()

    def text(self, name: str) -> str:
        """A field of the call, "" where there is none."""
        value = self.data.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """A whole number of the call; refused where there is none."""
        value = self.data.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise RecordRefused(f"{name}_missing")
        return value

    def day(self, name: str) -> date | None:
        """A day of the call; refused where it is not in the calendar."""
        try:
            return date.fromisoformat(self.text(name)) if self.text(name) else None
        except ValueError:
            raise RecordRefused(f"{name}_wrong") from None

    def mine(self, kind: str, id: str = "") -> Row:
        """A record, if it belongs to the customer that the call names; somebody else's is as unknown as none at all."""
        row = one(self.tx, kind, id or self.id)
        if row is None or row["customer_id"] != self.text("customer_id"):
            raise RecordsUnknown(kind)
        return row

    def customer(self) -> Row:
        """The customer that the call names."""
        row = one(self.tx, "customers", self.text("customer_id"))
        if row is None:
            raise RecordsUnknown("customers")
        return row


Made = tuple[str, Row]
"""What came of a call: the kind of the record and its row, perhaps with fields beside."""

Rule = Callable[[Call], Made]


def one(tx: Tx, kind: str, id: str) -> Row | None:
    """One row by its id."""
    of = tables.KINDS[kind]
    row = tx.execute(sa.select(of).where(of.c.id == id)).first()
    return plain(row) if row is not None else None


def rows(tx: Tx, kind: str, /, **where: Any) -> list[Row]:
    """Rows whose columns have these values, in the order in which they were made."""
    of = tables.KINDS[kind]
    found = sa.select(of).where(*(of.c[name] == value for name, value in where.items())).order_by(sa.literal_column("rowid"))
    return [plain(row) for row in tx.execute(found)]


def plain(row: Stored) -> Row:
    """A row by its columns' names; SQLAlchemy's own are a kind of text that JSON does not take."""
    return {str(name): value for name, value in row._mapping.items()}


def add(tx: Tx, kind: str, prefix: str, row: Row) -> Row:
    """Add a row under the next id of its kind, and return it. Rows are never removed, so their number is never used again."""
    of = tables.KINDS[kind]
    count = tx.execute(sa.select(sa.func.count()).select_from(of)).scalar_one()
    full = {"id": f"{prefix}{5001 + count}", **row}
    tx.execute(sa.insert(of).values(full))
    stored = one(tx, kind, full["id"])
    assert stored is not None
    return stored


def change(tx: Tx, kind: str, id: str, **values: Any) -> Row:
    """Change a row and return it."""
    of = tables.KINDS[kind]
    tx.execute(sa.update(of).where(of.c.id == id).values(values))
    row = one(tx, kind, id)
    assert row is not None
    return row


def working_days(day: date, count: int) -> date:
    """The working day (Monday to Friday) that comes ``count`` of them after ``day``."""
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


_POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\b", re.IGNORECASE)


def has_postcode(address: str) -> bool:
    """Whether an address has a British postcode in it."""
    return _POSTCODE.search(address) is not None
