"""The shared memory and the company's records as actions reach them: what runs them lends theirs, else this process opens its own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from actions.records.connect import RECORDS_VARIABLE, TOKEN_VARIABLE, open_records
from actions.records.interface import Records
from memory.clock import Clock, SystemClock
from memory.database import Database
from memory.errors import SettingsError
from memory.proofs import FRESH_FOR
from memory.schema import check_schema

VARIABLE = "LEGATO_DATABASE_URL"
"""Where the memory is; the same variable that the bot reads."""

FRESH_VARIABLE = "LEGATO_PROOF_FRESH_S"
"""For how many seconds it holds that a customer has proven who they are; the same variable that the bot reads."""


@dataclass(frozen=True, slots=True)
class Lent:
    """What actions find around them. ``records`` None: the company's systems are not set up."""

    database: Database
    clock: Clock
    records: Records | None = None
    proof_fresh_for: timedelta = FRESH_FOR


_database: Database | None = None
_records: Records | None = None
_clock: Clock = SystemClock()
_lent: ContextVar[Lent | None] = ContextVar("what is lent to actions", default=None)


@contextlib.contextmanager
def lend(
    database: Database, clock: Clock, records: Records | None = None, *, proof_fresh_s: float = FRESH_FOR.total_seconds()
) -> Iterator[None]:
    """Actions that are run inside use this database, this clock and these records: the assistant's, where it runs them itself.

    It holds for what is run from here, threads and tasks included, and not for what runs beside it. Who lends them closes them.
    """
    token = _lent.set(Lent(database, clock, records, timedelta(seconds=proof_fresh_s)))
    try:
        yield
    finally:
        _lent.reset(token)


def shared_clock() -> Clock:
    """The time for whatever actions write."""
    given = _lent.get()
    return _clock if given is None else given.clock


async def shared_database() -> Database:
    """The database that is lent, or else this process's own.

    Raises ``SettingsError`` where the variable is missing: a default would make an empty memory wherever the server was started. Raises
    ``SchemaMismatch`` where the schema is not this program's. After an error the next call tries again.
    """
    global _database
    if (given := _lent.get()) is not None:
        return given.database
    if _database is None:
        url = os.environ.get(VARIABLE)
        if not url:
            raise SettingsError(f"{VARIABLE} is not set: give the action server the same database as the bot")
        opened = Database(url)
        try:
            await check_schema(opened)
        except BaseException:
            await opened.close()
            raise
        if _database is None:
            _database = opened
        else:  # another action was faster while this one waited
            await opened.close()
    return _database


def shared_records() -> Records:
    """The records that are lent, or else this process's own; nothing is asked of them yet.

    Raises ``SettingsError`` where they are not set up.
    """
    global _records
    given = _lent.get()
    records = given.records if given is not None else _records
    if records is None:
        address = os.environ.get(RECORDS_VARIABLE) if given is None else None
        if not address:
            raise SettingsError(f"{RECORDS_VARIABLE} is not set: say where the company's records are, or sample:FILE to try made-up ones")
        try:
            records = _records = open_records(address, os.environ.get(TOKEN_VARIABLE) or None)
        except SettingsError as error:
            raise SettingsError(f"{RECORDS_VARIABLE} {error}") from error
    return records


def records_place() -> str | None:
    """Where the records are; None where they are not set up."""
    try:
        return shared_records().place
    except SettingsError:
        return None


def proof_fresh_for() -> timedelta:
    """For how long a proof holds. Raises ``SettingsError`` where the variable is no number of seconds."""
    if (given := _lent.get()) is not None:
        return given.proof_fresh_for
    text = os.environ.get(FRESH_VARIABLE)
    try:
        return timedelta(seconds=float(text)) if text else FRESH_FOR
    except (ValueError, OverflowError):
        raise SettingsError(f"{FRESH_VARIABLE} must be a number of seconds, the same as the bot's") from None


async def close_shared_database() -> None:
    """Close this process's own database and records; the next action opens them again. For whoever runs actions in an event loop that
    ends before the process."""
    global _database, _records
    closing, _database = _database, None
    ending, _records = _records, None
    if closing is not None:
        await closing.close()
    if ending is not None:
        await ending.close()
