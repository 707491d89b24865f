"""Statements of the hottest path, run by the driver itself.

Core takes several times as long to run a small SELECT as a database takes to answer it. A :class:`Quick` is compiled by Core once for each
database; it is then run by the driver, and its rows are decoded by position. It runs inside the transaction of who asks, or alone, without
one (:meth:`memory.database.Database.ask`).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from memory.clock import UtcDateTime
from memory.database import Tx

Decode = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A statement as one driver takes it. ``fixed`` are values that it brings itself, ``order`` the names of all, as they stand in it."""

    sql: str
    fixed: Mapping[str, Any]
    order: tuple[str, ...]
    decode: tuple[tuple[int, Decode], ...]
    row: Callable[[list[Any]], Any]

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        values = {**self.fixed, **parameters}
        return [values[name] for name in self.order]

    def read(self, found: Sequence[Any]) -> list[Any]:
        rows = [list(row) for row in found]
        for n, decode in self.decode:
            for row in rows:
                if row[n] is not None:
                    row[n] = decode(row[n])
        return rows if self.row is list else [self.row(row) for row in rows]


class Quick:
    """One SELECT, whose parameters are integers or text, or on PostgreSQL lists of them.

    ``named``: rows have the columns' names, as Core's have; without, they are lists, for who reads many.
    """

    def __init__(self, statement: sa.Select[Any], *, named: bool = True) -> None:
        self._statement = statement
        self._named = named
        self._spelled: dict[str, _Spelled] = {}

    def rows(self, tx: Tx, parameters: Mapping[str, Any]) -> list[Any]:
        """Run it in the transaction of ``tx``."""
        spelled = self._for(tx.dialect)
        values = spelled.values(parameters)
        if tx.dialect.name == "sqlite":
            return spelled.read(tx.connection.driver_connection.execute(spelled.sql, values).fetchall())  # type: ignore[union-attr]
        if tx.connection.driver_connection.is_in_transaction():  # type: ignore[union-attr]
            try:
                return spelled.read(_fetch(tx.connection, spelled.sql, values))
            except Exception:  # noqa: S110 - asked below once more, the way of Core, which raises what callers know
                pass
        # Core begins a transaction at its first statement, and not before.
        return spelled.read(tx.exec_driver_sql(spelled.sql, tuple(values)).all())

    def alone(self, connection: Any, dialect: sa.Dialect, parameters: Mapping[str, Any]) -> list[Any]:
        """Run it on a pooled connection of PostgreSQL that is in no transaction: the statement is one of its own."""
        spelled = self._for(dialect)
        return spelled.read(_fetch(connection, spelled.sql, spelled.values(parameters)))

    def _for(self, dialect: sa.Dialect) -> _Spelled:
        spelled = self._spelled.get(dialect.name)
        if spelled is None:
            spelled = self._spelled[dialect.name] = self._spell(dialect)
        return spelled

    def _spell(self, dialect: sa.Dialect) -> _Spelled:
        compiled = self._statement.compile(dialect=dialect)
        columns = list(self._statement.selected_columns)
        # asyncpg decodes times and, as SQLAlchemy sets it up, JSON.
        decoders = ((n, _decoder(column.type)) for n, column in enumerate(columns) if dialect.name == "sqlite")
        named: Any = namedtuple
        return _Spelled(
            compiled.string,
            {name: value for name, value in compiled.params.items() if value is not None},
            tuple(compiled.positiontup or ()),
            tuple((n, decode) for n, decode in decoders if decode is not None),
            named("Row", [column.name for column in columns], rename=True)._make if self._named else list,
        )


def _fetch(connection: Any, sql: str, values: Sequence[Any]) -> Sequence[Any]:
    """What asyncpg gives; ``connection`` is one of SQLAlchemy's pool."""
    rows: Sequence[Any] = connection.dbapi_connection.run_async(lambda driver: driver.fetch(sql, *values))
    return rows


def _decoder(type_: sa.types.TypeEngine[Any]) -> Decode | None:
    if isinstance(type_, UtcDateTime):
        return utc
    return orjson.loads if isinstance(type_, sa.JSON) else None


def utc(text: str) -> datetime:
    """A time as SQLite keeps it, and as PostgreSQL writes one in UTC without its zone."""
    return datetime.fromisoformat(text + "+00:00")
