"""Conversations to search in: said, indexed, found."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from memory.customers import Known
from memory.database import Database, Tx, table
from memory.exchanges import exchange_id, exchange_row, log
from memory.search.find import Moment, find
from memory.search.index import index_exchanges, waiting
from memory.search.tables import SearchBlock, SearchCell, SearchPosting, SearchState
from memory.search.words import Question
from tests.memory.people import START

LATER = datetime(2030, 1, 1, tzinfo=UTC)
"""When everything that a test says has settled."""

_turns = itertools.count(1)


async def say(
    database: Database,
    who: Known,
    *texts: str,
    author: str = "customer",
    name: str | None = None,
    at: datetime = START,
    turn: int | None = None,
    **rest: Any,
) -> list[int]:
    """Log exchanges, half a minute apart, and return their ids."""
    rows = []
    for n, text in enumerate(texts):
        number = turn if turn is not None else next(_turns) * 1000
        rows.append(
            exchange_row(
                id=exchange_id(number, n if turn is not None else 0),
                customer_id=who.customer_id,
                identity_id=who.identity_id,
                turn_id=number,
                direction="in" if author == "customer" else "out",
                author=author,
                author_name=name,
                text=text,
                at=at + timedelta(seconds=30 * n),
                **({"kind": "text"} | rest),
            )
        )
    await database.write(lambda tx: log(tx, rows))
    return [row["id"] for row in rows]


async def index_all(database: Database, who: Known, *, settled: datetime = LATER, limit: int = 512) -> int:
    """Index whatever waits; returns how many documents there came to be."""
    made = 0
    while rows := await database.read(lambda tx: waiting(tx, who.customer_id, settled=settled, limit=limit)):
        made += await database.write(partial(index_exchanges, customer_id=who.customer_id, rows=rows))
    return made


async def look(database: Database, who: Known | Sequence[Known], question: Question | str, **options: Any) -> list[Moment]:
    """What is found in one person's past."""
    ids = [one.customer_id for one in ([who] if isinstance(who, Known) else who)]
    return await database.read(lambda tx: find(tx, ids, question, **options))


async def found(database: Database, who: Known | Sequence[Known], question: Question | str, **options: Any) -> list[int]:
    """The ids of what is found, best first."""
    return [moment.exchange_id for moment in await look(database, who, question, **options)]


def index_rows(tx: Tx) -> list[Any]:
    """Everything that the index holds."""
    models = (SearchState, SearchBlock, SearchPosting, SearchCell)
    return [tuple(row) for model in models for row in tx.execute(sa.select(table(model)).order_by(*table(model).primary_key.columns))]
