"""Writing the index: appending exchanges, and folding a long history's older part into postings. Off a turn's path.

Exchanges are appended in blocks of a few dozen documents, with their words: one row is rewritten for a short conversation, and a customer
with fewer than ``FOLD_AT`` documents is found through these blocks alone. Beyond that, the oldest documents' words are folded into
postings, so that a search reads the rows of its words instead of the whole history.

A turn that committed late may log an exchange with a smaller id than ``indexed_to``. Therefore :func:`waiting` leaves the last minutes
alone and looks again at the newest ``LOOK_BACK`` documents: what is missing there is indexed then, as a document after the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from memory.database import Record, Tx, insert_into, per_dialect, table
from memory.exchanges import Exchange
from memory.search.layout import (
    AUTHORS,
    DOC,
    DOCS_PER_BLOCK,
    HAS_FIGURE,
    ONLY_ASKS,
    OPENS_SESSION,
    OTHER_AUTHOR,
    POSTING,
    POSTINGS_PER_BLOCK,
    Array,
    Docs,
    seconds,
)
from memory.search.tables import SearchBlock, SearchCell, SearchPosting, SearchState
from memory.search.words import VERSION, date_terms, has_figure, name_number, number, only_asks, terms_of

SETTLE = timedelta(minutes=10)
"""How old an exchange is when it is indexed; until then a search reads its text. Turns of one customer that overlap have committed by
then."""

LOOK_BACK = 256
"""How many of the newest documents are looked at again for one that came late between them."""

SESSION_GAP = timedelta(hours=6)
"""A session ends with a pause as long as this; somebody who writes again on the next day comes with something new."""

FOLD_AT = 2048
FOLD = 1024
"""When so many documents are not folded yet, the oldest ``FOLD`` of them are. Both are multiples of ``DOCS_PER_BLOCK``."""

_state, _block, _posting, _cell, _exchange = (
    table(SearchState),
    table(SearchBlock),
    table(SearchPosting),
    table(SearchCell),
    table(Exchange),
)
_b = sa.bindparam
_states = sa.select(_state).where(_state.c.customer_id.in_(_b("p_customers", expanding=True)))
_lock = sa.select(_state).where(_state.c.customer_id == _b("p_customer")).with_for_update()
_blocks = (
    sa.select(_block.c.docs, _block.c.terms, _block.c.counts)
    .where(_block.c.customer_id == _b("p_customer"), _block.c.block >= _b("p_first"), _block.c.block < _b("p_end"))
    .order_by(_block.c.block)
)
_docs = sa.select(_block.c.docs).where(_block.c.customer_id == _b("p_customer"), _block.c.block >= _b("p_first")).order_by(_block.c.block)
_move = sa.update(_state).where(_state.c.customer_id == _b("p_customer"))
_heads = sa.select(_posting.c.term, _posting.c.before, _posting.c.docs).where(
    _posting.c.customer_id == _b("p_customer"), _posting.c.block == 0, _posting.c.term.in_(_b("p_terms", expanding=True))
)
_is_document = sa.and_(_exchange.c.text != "", sa.or_(_exchange.c.about_id.is_(None), _exchange.c.kind == "edit"))
COLUMNS = (
    _exchange.c.id,
    _exchange.c.about_id,
    _exchange.c.author,
    _exchange.c.author_name,
    _exchange.c.kind,
    _exchange.c.text,
    _exchange.c.at,
)
"""What the index reads of an exchange."""
_newer = (
    sa.select(*COLUMNS)
    .where(_exchange.c.customer_id == _b("p_customer"), _exchange.c.id > _b("p_after"))
    .order_by(_exchange.c.id)
    .limit(_b("p_limit"))
)
_again = (
    sa.select(*COLUMNS)
    .where(_exchange.c.customer_id == _b("p_customer"), _exchange.c.id <= _b("p_to"), _exchange.c.id > _b("p_after"), _is_document)
    .order_by(_exchange.c.id.desc())
    .limit(_b("p_limit"))
)


@per_dialect
def _begin(dialect: str) -> Any:
    return insert_into(SearchState, dialect).on_conflict_do_nothing()


@per_dialect
def _put_block(dialect: str) -> Any:
    insert = insert_into(SearchBlock, dialect)
    return insert.on_conflict_do_update(
        index_elements=["customer_id", "block"],
        set_={"docs": insert.excluded.docs, "terms": insert.excluded.terms, "counts": insert.excluded.counts},
    )


@per_dialect
def _put_posting(dialect: str) -> Any:
    insert = insert_into(SearchPosting, dialect)
    return insert.on_conflict_do_update(
        index_elements=["customer_id", "term", "block"],
        set_={"before": insert.excluded.before, "docs": insert.excluded.docs},
    )


def states(tx: Tx, customer_ids: Sequence[int]) -> dict[int, Record]:
    """The state of each customer who has an index made by this version's rules."""
    rows = tx.execute(_states, {"p_customers": list(customer_ids)})
    return {row.customer_id: row for row in rows if row.words == VERSION}


def is_document(row: Record) -> bool:
    """Whether an exchange has words of its own to be found by; an edit has, and stands for the message that it changes."""
    return bool(row.text.strip()) and (row.about_id is None or row.kind == "edit")


def waiting(tx: Tx, customer_id: int, *, settled: datetime, limit: int = 512) -> list[Record]:
    """The exchanges to index next, by id: those after ``indexed_to`` that were logged until ``settled``, and late ones before it.

    Returns at most ``limit`` new ones; the caller asks again until nothing comes.
    """
    state = states(tx, [customer_id]).get(customer_id)
    if state is None:
        late, after = [], 0
    else:
        after = state.indexed_to
        known, oldest = _known(tx, state)
        again = tx.execute(_again, {"p_customer": customer_id, "p_to": after, "p_after": oldest, "p_limit": 2 * LOOK_BACK})
        late = [row for row in again if row.id not in known and is_document(row)]
    rows = list(late[::-1])
    for row in tx.execute(_newer, {"p_customer": customer_id, "p_after": after, "p_limit": limit}):
        if row.at > settled:
            break
        rows.append(row)
    return rows


def _known(tx: Tx, state: Record) -> tuple[dict[int, int], int]:
    """The newest documents' sessions by exchange id, and the id from which on these are all (0: from the beginning)."""
    first = max(0, state.documents - LOOK_BACK) // DOCS_PER_BLOCK
    rows = tx.execute(_docs, {"p_customer": state.customer_id, "p_first": first})
    docs = np.frombuffer(b"".join(row.docs for row in rows), DOC)
    known = dict(zip(docs["id"].tolist(), docs["session"].tolist(), strict=True))
    return known, (min(known) if first else 0)


def index_exchanges(tx: Tx, customer_id: int, rows: Sequence[Record]) -> int:
    """Append exchanges, as :func:`waiting` gave them, and move ``indexed_to``; the caller commits. Returns how many became documents.

    Read ``rows`` in the same transaction: what is erased after they were read would come back as words of the index.

    What is in the index already is left out, so it may run twice. An index made by another version's rules is deleted first, and ``rows``
    are then left for the next :func:`waiting`, which begins anew.
    """
    tx.execute(_begin(tx), {"customer_id": customer_id, "words": VERSION} | _NOTHING)
    state = tx.execute(_lock, {"p_customer": customer_id}).first()
    if state is None or not rows:  # None: it was dropped at this moment, and so are perhaps the exchanges
        return 0
    if state.words != VERSION:
        drop_index(tx, customer_id)
        return 0
    known, oldest = _known(tx, state)
    fresh = [row for row in sorted(rows, key=_id) if row.id > state.indexed_to or (oldest < row.id and row.id not in known)]
    entries, sessions, last_at = entries_of([row for row in fresh if is_document(row)], state, known)
    docs = Docs.of(entries)
    _append(tx, customer_id, state.documents, docs)
    documents = state.documents + len(docs)
    folded = state.folded
    while documents - folded >= FOLD_AT:
        _fold(tx, customer_id, folded)
        folded += FOLD
    tx.execute(
        _move,
        {
            "p_customer": customer_id,
            "indexed_to": max(state.indexed_to, *(row.id for row in rows)),
            "documents": documents,
            "length": state.length + int(docs.docs["length"].sum()),
            "sessions": sessions,
            "last_at": last_at,
            "folded": folded,
        },
    )
    return len(docs)


def drop_index(tx: Tx, customer_id: int) -> None:
    """Delete a customer's index, vectors and all; the exchanges stay."""
    tx.execute(_lock, {"p_customer": customer_id})  # or what somebody else is adding would be left
    for part in (_cell, _posting, _block, _state):
        tx.execute(sa.delete(part).where(part.c.customer_id == customer_id))


_NOTHING = {"indexed_to": 0, "documents": 0, "length": 0, "sessions": 0, "folded": 0, "vectors": 0, "cells": 0}


def _id(row: Record) -> int:
    return int(row.id)


def entries_of(
    rows: Sequence[Record], state: Record | None, known: dict[int, int]
) -> tuple[list[tuple[tuple[Any, ...], dict[int, int]]], int, datetime | None]:
    """The entries of new documents, the number of sessions with them, and the time of the latest."""
    sessions = state.sessions if state is not None else 0
    last_at = state.last_at if state is not None else None
    entries = []
    for row in rows:
        opens = last_at is None or row.at - last_at > SESSION_GAP
        sessions += opens
        session = sessions
        if state is not None and row.id <= state.indexed_to:  # a late one belongs to the documents that it came between
            session = next((known[id_] for id_ in sorted(known, reverse=True) if id_ < row.id), session)
            opens = True  # what was indexed before it is not what was said before it
        last_at = row.at if last_at is None else max(last_at, row.at)
        entries.append(entry(row, session, opens=opens))
    return entries, sessions, last_at


def entry(row: Record, session: int, *, opens: bool) -> tuple[tuple[Any, ...], dict[int, int]]:
    """A document's fields and terms, as :meth:`Docs.of` takes them."""
    found = terms_of(row.text)
    terms = {number(term): count for term, count in found.items()}
    for term in date_terms(row.at):
        terms.setdefault(number(term), 1)
    flags = opens * OPENS_SESSION + only_asks(row.text) * ONLY_ASKS + has_figure(row.text) * HAS_FIGURE
    author = AUTHORS.get(row.author, OTHER_AUTHOR)
    fields = (row.id, row.about_id or row.id, seconds(row.at), session, name_number(row.author_name), found.total(), author, flags)
    return fields, terms


def _append(tx: Tx, customer_id: int, documents: int, docs: Docs) -> None:
    """Store documents after the ``documents`` there are, filling the last block up first."""
    if not len(docs):
        return
    block, filled = divmod(documents, DOCS_PER_BLOCK)
    if filled:
        docs = Docs.unpack(tx.execute(_blocks, {"p_customer": customer_id, "p_first": block, "p_end": block + 1})) + docs
    tx.execute(_put_block(tx), list(_block_rows(customer_id, block, docs)))


def _block_rows(customer_id: int, block: int, docs: Docs) -> Iterator[dict[str, Any]]:
    for start in range(0, len(docs), DOCS_PER_BLOCK):
        packed = docs.part(start, min(start + DOCS_PER_BLOCK, len(docs))).pack()
        yield dict(zip(("docs", "terms", "counts"), packed, strict=True), customer_id=customer_id, block=block + start // DOCS_PER_BLOCK)


def _fold(tx: Tx, customer_id: int, folded: int) -> None:
    """Write the words of the ``FOLD`` documents after ``folded`` into postings."""
    first = folded // DOCS_PER_BLOCK
    docs = Docs.unpack(
        map(tuple, tx.execute(_blocks, {"p_customer": customer_id, "p_first": first, "p_end": first + FOLD // DOCS_PER_BLOCK}))
    )
    owner = np.repeat(np.arange(len(docs)), docs.docs["terms"])
    postings = np.empty(len(docs.terms), POSTING)
    postings["doc"] = folded + owner
    postings["count"] = docs.counts
    postings["length"] = np.minimum(docs.docs["length"], 255)[owner]
    order = np.argsort(docs.terms, kind="stable")
    terms, starts = np.unique(docs.terms[order], return_index=True)
    parts = np.split(postings[order], starts[1:])
    for start in range(0, len(terms), 500):
        some = terms[start : start + 500].tolist()
        heads = {row.term: row for row in tx.execute(_heads, {"p_customer": customer_id, "p_terms": some})}
        new = zip(some, parts[start : start + 500], strict=True)
        tx.execute(_put_posting(tx), [row for term, part in new for row in _posting_rows(customer_id, term, heads.get(term), part)])


def _posting_rows(customer_id: int, term: int, head: Record | None, added: Array) -> Iterator[dict[str, Any]]:
    """The rows of a word that changes: its block 0, and the blocks that became full."""
    before, data = (head.before, head.docs + added.tobytes()) if head is not None else (0, added.tobytes())
    full = POSTINGS_PER_BLOCK * POSTING.itemsize
    while len(data) > full:
        before += POSTINGS_PER_BLOCK
        yield {"customer_id": customer_id, "term": term, "block": before // POSTINGS_PER_BLOCK, "before": 0, "docs": data[:full]}
        data = data[full:]
    yield {"customer_id": customer_id, "term": term, "block": 0, "before": before, "docs": data}
