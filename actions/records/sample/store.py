"""The sample behind the interface: one SQLite file, one transaction for each call."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

from actions.records.interface import MAX_KEY, MOST, KeyUsed, Record, RecordRefused, RecordsUnavailable, RecordsUnknown
from actions.records.sample import bank, everybody, insurer, tables, telecoms
from actions.records.sample.people import fill
from actions.records.sample.rules import Call, Rule, plain
from memory.clock import Clock, SystemClock
from memory.database import Database, Row, Tx

T = TypeVar("T")

OPERATIONS: Mapping[tuple[str, str], Rule] = {
    ("customers", "send_code"): everybody.send_code,
    ("customers", "check_code"): everybody.check_code,
    ("customers", "change_address"): everybody.change_address,
    ("cards", "block"): bank.block_card,
    ("cards", "replace"): bank.replace_card,
    ("transactions", "dispute"): bank.dispute,
    ("transfers", "check"): bank.check_transfer,
    ("transfers", "send"): bank.send_transfer,
    ("accounts", "order_cheques"): bank.order_cheques,
    ("accounts", "check_closing"): bank.check_closing,
    ("accounts", "close"): bank.close_account,
    ("offers", "check"): bank.check_offer,
    ("policies", "issue_proof"): insurer.issue_proof,
    ("claims", "report_phone"): insurer.report_phone,
    ("services", "check_start"): telecoms.check_start,
    ("services", "start"): telecoms.start,
    ("services", "move"): telecoms.move,
    ("services", "check_change"): telecoms.check_change,
    ("services", "change_plan"): telecoms.change_plan,
    ("services", "check_cancel"): telecoms.check_cancel,
    ("services", "cancel"): telecoms.cancel,
}
"""What can be done, by kind and operation."""

_done = tables.done
_before = sa.select(_done).where(_done.c.key == sa.bindparam("p_key"))
_LOOKUPS = {"account_number": (tables.accounts, "number"), "policy_number": (tables.policies, "number")}
"""Fields by which a customer is found that stand in another table."""


class SampleRecords:
    """:class:`actions.records.interface.Records` over the file at ``path``, which is made and filled when it is first asked something."""

    def __init__(self, path: str | Path, clock: Clock | None = None) -> None:
        self._path = Path(path)
        self._clock = clock or SystemClock()
        self._database: Database | None = None

    @property
    def place(self) -> str:
        return f"sample:{self._path.resolve()}"

    async def get(self, kind: str, id: str) -> Record | None:
        of = _table(kind)
        found = await self._read(lambda tx: tx.execute(sa.select(of).where(of.c.id == id)).first())
        return None if found is None else _record(kind, plain(found))

    async def find(self, kind: str, where: Mapping[str, str | int | bool], *, limit: int = 20) -> list[Record]:
        of = _table(kind)
        wanted = [_condition(of, name, value) for name, value in where.items()]
        order: list[sa.ColumnElement[Any]] = [sa.literal_column("rowid").desc() if of.info["newest"] else sa.literal_column("rowid")]
        if of.info["newest"]:
            order.insert(0, of.c[of.info["newest"]].desc())
        statement = sa.select(of).where(*wanted).order_by(*order).limit(max(0, min(limit, MOST)))
        return [_record(kind, plain(row)) for row in await self._read(lambda tx: tx.execute(statement).all())]

    async def do(self, kind: str, operation: str, data: Mapping[str, Any], *, key: str, id: str | None = None) -> Record:
        _table(kind)
        rule = OPERATIONS.get((kind, operation))
        if rule is None:
            raise RecordsUnknown("operation")
        if not 0 < len(key) <= MAX_KEY:
            raise ValueError(f"a key has 1 to {MAX_KEY} characters")
        asked = hashlib.sha256(orjson.dumps([kind, operation, id, dict(data)], option=orjson.OPT_SORT_KEYS)).hexdigest()
        now = self._clock.now()

        def run(tx: Tx) -> Row:
            before = tx.execute(_before, {"p_key": key}).first()
            if before is not None:
                if before.asked != asked:
                    raise KeyUsed
                outcome: Row = before.outcome
                return outcome
            try:
                made, row = rule(Call(tx, now, id or "", data))
                outcome = {"kind": made, "record": row}
            except RecordRefused as refusal:  # a refusal is a result: what it changed (a wrong code counts) stays, and so does the answer
                outcome = {"refused": refusal.reason}
            tx.execute(sa.insert(_done).values(key=key, asked=asked, outcome=outcome, at=now))
            return outcome

        outcome = await self._write(run)
        if "refused" in outcome:
            raise RecordRefused(outcome["refused"])
        return _record(outcome["kind"], dict(outcome["record"]))

    async def close(self) -> None:
        closing, self._database = self._database, None
        if closing is not None:
            await closing.close()

    async def texts_to(self, phone: str) -> list[str]:
        """What was texted to a number, the newest first: what its owner would read."""
        of = tables.text_messages
        statement = sa.select(of.c.text).where(of.c.phone == phone).order_by(of.c.id.desc()).limit(MOST)
        return list(await self._read(lambda tx: tx.execute(statement).scalars().all()))

    async def _read(self, fn: Callable[[Tx], T]) -> T:
        database = await self._opened()
        try:
            return await database.read(fn)
        except sa.exc.OperationalError as error:
            raise RecordsUnavailable("connection") from error

    async def _write(self, fn: Callable[[Tx], T]) -> T:
        database = await self._opened()
        try:
            return await database.write(fn)
        except sa.exc.OperationalError as error:  # locked, or the disk: SQLite has rolled back
            raise RecordsUnavailable("connection") from error

    async def _opened(self) -> Database:
        if self._database is None:
            self._database = await _open(self._path, self._clock)
        return self._database


async def fill_sample(path: str | Path, *, clock: Clock | None = None) -> None:
    """Make the file and fill it, with days that count from now; one that is filled stays as it is, with all that was done in it."""
    await (await _open(Path(path), clock or SystemClock())).close()


async def _open(path: Path, clock: Clock) -> Database:
    try:
        database = Database(f"sqlite:///{path}")
        await database.write(lambda tx: fill(tx, clock.now()))
    except (sa.exc.OperationalError, OSError) as error:
        raise RecordsUnavailable("connection") from error
    return database


def _table(kind: str) -> sa.Table:
    found = tables.KINDS.get(kind)
    if found is None:
        raise RecordsUnknown("kind")
    return found


def _condition(of: sa.Table, name: str, value: str | int | bool) -> sa.ColumnElement[bool]:
    if of is tables.customers and name in _LOOKUPS:
        other, column = _LOOKUPS[name]
        return of.c.id.in_(sa.select(other.c.customer_id).where(other.c[column] == value))
    if name not in of.c:
        raise RecordsUnknown("field")
    return of.c[name] == value


def _record(kind: str, row: Row) -> Record:
    id_ = row.pop("id")
    return Record(kind, id_, row)
