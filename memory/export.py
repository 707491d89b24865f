"""Everything that is kept about a person, as one archive: for machines (``customer.json``), for people (``conversation.html``), and files.

Read in pages, each on a snapshot of its own and off the event loop, so that nobody waits for it however long the past is. What comes while
it is being read is not in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson
import sqlalchemy as sa

from memory.attachments import blob_table, blob_use_table
from memory.database import Database, Reads, Record, Row, Tx, table
from memory.declared import Declarations
from memory.errors import LegatoError
from memory.exchanges import Exchange
from memory.facts import fact_history
from memory.inbox import inbox_table
from memory.pages import begin_page, day_line, end_page, known_lines
from memory.turns import turn_table
from memory.whose import NOBODYS, Subject, is_inbox, rows_about, subject_of

PAGE = 500
"""How many rows are read at a time."""

FORMAT, VERSION = "legato customer export", 1

WITHHELD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "link": frozenset({"digest"}),
        "handle": frozenset({"digest"}),
        "proposal": frozenset({"evidence"}),
    }
)
"""Columns that are left out: what stands for a secret, and what was seen of somebody else who may be the same person."""

NOT_EXPORTED = frozenset({"search_block", "search_posting", "search_cell", "search_state"})
"""Tables that say nothing of their own: numbers made of the exchanges, which are there."""

_exchange = table(Exchange)


class NobodyKnown(LegatoError):
    """There is no customer with this number, or they are forgotten."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What the archive holds: rows by table, and how many files."""

    path: Path
    customers: tuple[int, ...]
    rows: Mapping[str, int]
    files: int


async def export(database: Database, customer_id: int, path: Path, *, now: datetime, declared: Declarations | None = None) -> Exported:
    """Write the archive about a customer, and everybody who is the same person, to ``path``; what is there is replaced at the end.

    Only reads. Raises :class:`NobodyKnown`.
    """
    async with database.reading() as read:
        subject, last = await read(lambda tx: _begin(tx, customer_id))
        if subject is None:
            raise NobodyKnown(f"there is no customer {customer_id}, or nothing is known of them any more")
        writing = path.with_name(path.name + ".part")
        rows: dict[str, int] = {}
        with await asyncio.to_thread(ZipFile, writing, "w", ZIP_DEFLATED) as archive:
            rows = await _write_tables(read, archive, subject, last, now)
            await _write_conversation(read, archive, subject, last, now, declared or Declarations())
            files = await _write_files(read, archive, subject)
        await asyncio.to_thread(writing.replace, path)
    return Exported(path, subject.customers, rows, files)


def exported_tables() -> list[sa.Table]:
    """The tables that an archive has, in the order in which they refer to each other."""
    return [of for of in _exchange.metadata.sorted_tables if of.name not in NOBODYS and of.name not in NOT_EXPORTED]


def _begin(tx: Tx, customer_id: int) -> tuple[Subject | None, int]:
    subject = subject_of(tx, customer_id)
    last = tx.execute(sa.select(sa.func.max(_exchange.c.id)).where(_exchange.c.customer_id.in_(subject.customers))).scalar()
    return (subject if subject.identities or last is not None else None), int(last or 0)


# -- for machines -----------------------------------------------------------------------------------------------------


async def _write_tables(read: Reads, archive: ZipFile, subject: Subject, last: int, now: datetime) -> dict[str, int]:
    """``customer.json``: one object, written as it is read."""
    counts: dict[str, int] = {}
    with archive.open(_entry("customer.json", now), "w", force_zip64=True) as out:
        head = {"format": FORMAT, "version": VERSION, "made_at": now, "customers": subject.customers}
        await asyncio.to_thread(out.write, orjson.dumps(head)[:-1] + b',"tables":{')
        for n, of in enumerate(exported_tables()):
            begin = (b"," if n else b"") + b"\n" + orjson.dumps(str(of.name)) + b":["
            count = 0
            async for rows in _pages(read, of, subject, last):
                text = b",".join(b"\n" + orjson.dumps(row, default=_plain) for row in rows)
                await asyncio.to_thread(out.write, (begin if count == 0 else b",") + text)
                count += len(rows)
            await asyncio.to_thread(out.write, (begin if count == 0 else b"") + b"]")
            counts[str(of.name)] = count
        await asyncio.to_thread(out.write, b"\n}}\n")
    return counts


async def _pages(read: Reads, of: sa.Table, subject: Subject, last: int) -> AsyncIterator[list[Row]]:
    if is_inbox(of):
        async for page in _inbox_pages(read, subject):
            yield page
        return
    where = rows_about(of, subject)
    assert where is not None
    key = [of.c[column.name] for column in of.primary_key]
    after: tuple[Any, ...] | None = None
    while True:
        query = sa.select(of).where(where).order_by(*key).limit(PAGE)
        if of is _exchange:
            query = query.where(of.c.id <= last)
        if after is not None:
            query = query.where(
                sa.tuple_(*key) > sa.tuple_(*(sa.literal(value, column.type) for value, column in zip(after, key, strict=True)))
            )
        rows = await read(lambda tx, query=query: list(tx.execute(query)))  # type: ignore[misc]
        if rows:
            after = tuple(getattr(rows[-1], column.name) for column in key)
            yield [_row(of, row) for row in rows]
        if len(rows) < PAGE:
            return


async def _inbox_pages(read: Reads, subject: Subject) -> AsyncIterator[list[Row]]:
    """What waits, and by the ids of the person's turns what a turn has dealt with: the first of each turn has the turn's id."""
    mine = inbox_table.c.identity_id.in_(subject.identities)
    waits = sa.and_(mine, inbox_table.c.customer_id.in_(subject.numbers), inbox_table.c.turn_id.is_(None))
    rows = await read(lambda tx: list(tx.execute(sa.select(inbox_table).where(waits).order_by(inbox_table.c.id))))
    if rows:
        yield [_row(inbox_table, row) for row in rows]
    after = -1
    while True:
        ids = sa.select(turn_table.c.id).where(turn_table.c.customer_id.in_(subject.customers), turn_table.c.id > after)
        turns = await read(lambda tx, ids=ids: list(tx.execute(ids.order_by(turn_table.c.id).limit(PAGE)).scalars()))  # type: ignore[misc]
        if not turns:
            return
        after = turns[-1]
        found = sa.select(inbox_table).where(inbox_table.c.id.in_(turns)).order_by(inbox_table.c.id)
        rows = await read(lambda tx, found=found: list(tx.execute(found)))  # type: ignore[misc]
        if rows:
            yield [_row(inbox_table, row) for row in rows]


def _row(of: sa.Table, row: Record) -> Row:
    left_out = WITHHELD.get(str(of.name), frozenset())
    return {str(name): value for name, value in row._mapping.items() if name not in left_out}


def _entry(name: str, now: datetime) -> ZipInfo:
    entry = ZipInfo(name, now.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    return entry


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError


# -- for people -------------------------------------------------------------------------------------------------------


async def _write_conversation(read: Reads, archive: ZipFile, subject: Subject, last: int, now: datetime, declared: Declarations) -> None:
    """``conversation.html``: what is known, and everything that was said, by day."""
    known = await read(lambda tx: list(known_lines(tx, subject, fact_history(tx, subject.customers), declared)))
    with archive.open(_entry("conversation.html", now), "w", force_zip64=True) as out:

        async def write(lines: Iterator[str] | list[str]) -> None:
            await asyncio.to_thread(out.write, "".join(lines).encode())

        await write([begin_page(subject.customers, now), *known])
        day = None
        async for rows in _exchange_pages(read, subject, last):
            lines: list[str] = []
            for row in rows:
                day, line = day_line(day, row)
                lines.append(line)
            await write(lines)
        await write([end_page(day)])


async def _exchange_pages(read: Reads, subject: Subject, last: int) -> AsyncIterator[list[Record]]:
    """Exchanges of all the customers in one order, which is that of their ids."""
    after = -1
    while True:
        parts = [
            sa.select(
                sa.select(_exchange)
                .where(_exchange.c.customer_id == one, _exchange.c.id > after, _exchange.c.id <= last)
                .order_by(_exchange.c.id)
                .limit(PAGE)
                .subquery()
            )
            for one in subject.customers
        ]
        rows = await read(lambda tx, parts=parts: [row for part in parts for row in tx.execute(part)])  # type: ignore[misc]
        rows.sort(key=lambda row: row.id)
        if not rows:
            return
        page = rows[:PAGE]
        after = page[-1].id
        yield page


# -- files ------------------------------------------------------------------------------------------------------------


async def _write_files(read: Reads, archive: ZipFile, subject: Subject) -> int:
    """``files/``: each kept file once, under its SHA-256, by which the exchanges' attachments name it (table ``blob_use``)."""
    uses = sa.select(blob_use_table.c.sha256).where(
        blob_use_table.c.customer_id.in_(subject.customers), blob_use_table.c.sha256.is_not(None)
    )
    names = await read(lambda tx: sorted(set(tx.execute(uses).scalars())))
    for name in names:
        query = sa.select(blob_table.c.content).where(blob_table.c.sha256 == name)
        content = await read(lambda tx, query=query: tx.execute(query).scalar())  # type: ignore[misc]
        if content is not None:
            await asyncio.to_thread(archive.writestr, f"files/{name}", content)
    return len(names)


__all__ = ["Exported", "NobodyKnown", "export", "exported_tables"]
