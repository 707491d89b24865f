"""Being forgotten: the request, how far it has come, and the receipt without personal data that stays.

    asked --cut--> cut --nothing is left, and what was to be deleted on a channel is settled--> clean --files are scrubbed--> done

:mod:`memory.detach` makes the cut, :mod:`memory.sweep` removes what is left in small steps, :mod:`memory.scrub` sees to the files, and
:mod:`memory.forget` goes from one to the next. A lane of kind ``erasure`` is there while one is not done: whoever holds it goes on where
the last one stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import FORGOTTEN, Customer, ownership_of, person_of
from memory.database import BigId, Json, Record, Row, Tx, table
from memory.lanes import open_lanes

ERASURE = "erasure"
"""The kind of lane that an erasure is carried out in; its key is the erasure's id."""

ASKED, CUT, CLEAN, DONE = "asked", "cut", "clean", "done"

MASKED = FORGOTTEN
"""What stands where something was: a masked address is ``forgotten:`` and the identity's number."""


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


@dataclass(frozen=True, slots=True)
class Left:
    """Something that could not be removed. ``count`` is 0 where there is nothing to count."""

    what: str
    why: str
    remedy: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure has removed and what it could not. Nothing in it is about the person but their numbers here.

    ``waits_for`` says what it still waits for where ``state`` is not ``done``.
    """

    id: int
    customers: tuple[int, ...]
    state: str
    counts: Mapping[str, int]
    left: tuple[Left, ...]
    asked_at: datetime
    done_at: datetime | None
    waits_for: str = ""

    @property
    def is_done(self) -> bool:
        return self.state == DONE


erasure_table: sa.Table = table(Erasure)
_erasure = erasure_table
_customer = table(Customer)
_b = sa.bindparam
_by_id = sa.select(_erasure).where(_erasure.c.id == _b("p_id"))
_made = sa.select(_customer.c.id, _customer.c.created_at).where(_customer.c.id.in_(_b("p_ids", expanding=True))).order_by(_customer.c.id)
_unfinished = sa.select(_erasure).where(_erasure.c.state != DONE).order_by(_erasure.c.id).limit(_b("p_limit"))


def ask_to_forget(
    tx: Tx, customer_id: int, *, asked_by: str, at: datetime, farewell: int | None = None, exactly: Sequence[int] = ()
) -> int | None:
    """Note the wish of a customer to be forgotten, with everybody who is the same person; the erasure's id, or None if nobody is there.

    One that is under way already is meant again. ``farewell`` is the turn whose answer is still to reach them. ``exactly`` names the
    customers, whatever they are merged with. What has been noted is carried out by :class:`memory.forget.Forgetting`. The caller commits.
    """
    ids = list(exactly) or person_of(tx, customer_id)
    ownership_of(tx, ids)
    made = tx.execute(_made, {"p_ids": ids}).all()
    if not made:
        return None
    for known in unfinished_erasures(tx):
        if {one["id"] for one in known.customers} >= set(ids):
            return int(known.id)
    todo: Row = {"farewell": farewell, "exactly": bool(exactly)}
    row = {
        "customers": [{"id": one.id, "created_at": one.created_at.isoformat()} for one in made],
        "asked_by": asked_by,
        "state": ASKED,
        "todo": todo,
        "counts": {},
        "left": [],
        "asked_at": at,
    }
    id_: int = tx.execute(sa.insert(_erasure).returning(_erasure.c.id), row).scalar_one()
    open_lanes(tx, ERASURE, {str(id_): at})
    return id_


def get_erasure(tx: Tx, erasure_id: int) -> Record | None:
    """One erasure, or None."""
    return tx.execute(_by_id, {"p_id": erasure_id}).first()


def unfinished_erasures(tx: Tx, *, limit: int = 100) -> list[Record]:
    """Erasures that are not done, the oldest first."""
    return list(tx.execute(_unfinished, {"p_limit": limit}))


def update_erasure(tx: Tx, erasure_id: int, **values: Any) -> None:
    """Write how far an erasure has come. The caller holds its lane and commits."""
    tx.execute(sa.update(_erasure).where(_erasure.c.id == erasure_id).values(**values))


def receipt_of(row: Record, *, waits_for: str = "") -> Receipt:
    """The receipt as it stands. Pure."""
    return Receipt(
        row.id,
        tuple(one["id"] for one in row.customers),
        row.state,
        dict(row.counts),
        tuple(Left(one["what"], one["why"], one.get("remedy", ""), one.get("count", 0)) for one in row.left),
        row.asked_at,
        row.done_at,
        waits_for,
    )


def add_left(left: Sequence[Mapping[str, Any]], more: Iterable[Left]) -> list[dict[str, Any]]:
    """``left`` with ``more``: the same thing for the same reason is counted together. Pure."""
    merged = {(one["what"], one["why"]): dict(one) for one in left}
    for one in more:
        known = merged.setdefault((one.what, one.why), {"what": one.what, "why": one.why, "remedy": one.remedy, "count": 0})
        known["count"] += one.count
    return list(merged.values())


def keep_receipt(file: Path, row: Record, at: datetime) -> None:
    """Append the receipt as a line of JSON, so that a restored backup can be made to forget again (:func:`read_receipts`)."""
    line = {"erasure": row.id, "customers": row.customers, "asked_at": row.asked_at, "done_at": at, "counts": row.counts, "left": row.left}
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as lines:
        lines.write(orjson.dumps(line) + b"\n")


def read_receipts(file: Path) -> list[list[tuple[int, datetime]]]:
    """The customers (number, when it was made) of each receipt in the file. Raises ``ValueError`` naming the line that is none."""
    found: list[list[tuple[int, datetime]]] = []
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            said = orjson.loads(line)["customers"]
            found.append([(int(one["id"]), datetime.fromisoformat(one["created_at"])) for one in said])
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"line {number} is no receipt of an erasure") from None
    return found


def ask_again(tx: Tx, customers: Sequence[tuple[int, datetime]], *, at: datetime) -> int | None:
    """Ask to forget those of a receipt's customers who are here and not forgotten; the erasure's id, or None.

    Number and time of making both have to fit: in another database the same number is somebody else. Nobody else is forgotten with them,
    whoever they were merged with when the backup was made.
    """
    wanted = dict(customers)
    rows = tx.execute(sa.select(_customer.c.id, _customer.c.created_at, _customer.c.forgotten_at).where(_customer.c.id.in_(sorted(wanted))))
    here = [row.id for row in rows if row.created_at == wanted[row.id] and row.forgotten_at is None]
    return ask_to_forget(tx, here[0], asked_by="replay", at=at, exactly=here) if here else None
