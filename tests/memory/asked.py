"""What a database is asked, by Core or past it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from memory import quick
from memory.database import Tx


@contextmanager
def asked() -> Iterator[list[str]]:
    """The SELECTs that any database runs meanwhile."""
    selects: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            selects.append(statement)

    rows, fetch = quick.Quick.rows, quick._fetch

    def on_sqlite(self: quick.Quick, tx: Tx, parameters: Any) -> list[Any]:
        if tx.dialect.name == "sqlite":
            selects.append(self._for(tx.dialect).sql)
        return rows(self, tx, parameters)

    def on_postgres(connection: Any, sql: str, values: Any) -> Any:
        selects.append(sql)
        return fetch(connection, sql, values)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        with patch.object(quick.Quick, "rows", on_sqlite), patch.object(quick, "_fetch", on_postgres):
            yield selects
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
