"""Statements of the hottest path on SQLite, run by the driver itself.

Core takes ten times as long to run a small SELECT as SQLite takes to answer it. A :class:`Quick` is compiled by Core once, so that it is
the same statement on both databases; on SQLite it is then run by the driver, and its rows are decoded by position. It runs inside the
transaction that the connection has begun.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from memory.clock import UtcDateTime
from memory.database import Tx


class Quick:
    """One SELECT for SQLite, whose parameters are integers or text.

    ``named``: rows have the columns' names, as Core's have; without, they are lists, for who reads many.
    """

    def __init__(self, statement: sa.Select[Any], *, named: bool = True) -> None:
        self._statement = statement
        self._named = named
        self._sql = ""
        self._fixed: dict[str, Any] = {}
        self._order: tuple[str, ...] = ()
        self._decode: tuple[tuple[int, Callable[[Any], Any]], ...] = ()
        self._row: Callable[[list[Any]], Any] = list

    def rows(self, tx: Tx, parameters: Mapping[str, Any]) -> list[Any]:
        """Run it in the transaction of ``tx``."""
        if not self._sql:
            self._compile(tx.dialect)
        values = {**self._fixed, **parameters}
        cursor = tx.connection.driver_connection.execute(self._sql, [values[name] for name in self._order])  # type: ignore[union-attr]
        rows = [list(row) for row in cursor]
        for n, decode in self._decode:
            for row in rows:
                if row[n] is not None:
                    row[n] = decode(row[n])
        return [self._row(row) for row in rows] if self._named else rows

    def _compile(self, dialect: sa.Dialect) -> None:
        compiled = self._statement.compile(dialect=dialect)
        columns = list(self._statement.selected_columns)
        decoders = ((n, _decoder(column.type)) for n, column in enumerate(columns))
        self._decode = tuple((n, decode) for n, decode in decoders if decode is not None)
        named: Any = namedtuple
        self._row = named("Row", [column.name for column in columns], rename=True)._make
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._order = tuple(compiled.positiontup or ())
        self._sql = compiled.string


def _decoder(type_: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    if isinstance(type_, UtcDateTime):
        return _utc
    return orjson.loads if isinstance(type_, sa.JSON) else None


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")
