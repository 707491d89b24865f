"""Documents by their meaning: vectors in cells of likeness, and how like a question each document is.

A cell holds at most ``CELL`` vectors and is split in two when it is full. A customer with a few thousand documents has so few cells that
all are read; of a longer history, a search reads the cells whose centres are nearest to the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa

from memory.database import Record, Tx, insert_into, per_dialect, table
from memory.search.layout import Array, Floats
from memory.search.tables import SearchCell

CELL = 256
PROBES = 12
"""Cells that one search reads."""

CENTRES = -1
"""The number of the row with the centres of all cells: to read it from every cell's own row would take longer than all the rest."""

ROUNDS = 6
"""How often two centres are moved when a cell is split; they hardly move any more after that."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A text as the ``encoder`` of that name sees it; ``vector`` has length 1."""

    encoder: str
    vector: Floats


_cell = table(SearchCell)
_b = sa.bindparam
_centres = sa.select(_cell.c.centre).where(_cell.c.customer_id == _b("p_customer"), _cell.c.cell == CENTRES)
_all = sa.select(_cell.c.cell, _cell.c.vectors).where(_cell.c.customer_id == _b("p_customer"), _cell.c.cell > CENTRES)
_some = _all.where(_cell.c.cell.in_(_b("p_cells", expanding=True)))


@per_dialect
def _put_cell(dialect: str) -> Any:
    insert = insert_into(SearchCell, dialect)
    return insert.on_conflict_do_update(
        index_elements=["customer_id", "cell"],
        set_={"centre": insert.excluded.centre, "vectors": insert.excluded.vectors},
    )


@cache
def _vector(size: int) -> np.dtype[Any]:
    """A vector of so many dimensions in a cell: whose, how long it is in steps, and each dimension in steps."""
    return np.dtype([("doc", "<u4"), ("norm", "<f4"), ("steps", "i1", (size,))])


def packed(numbers: Array | int, vectors: Floats) -> Array:
    """Vectors as a cell keeps them: 127 steps for the greatest dimension of each. A centre's number is its cell's."""
    vectors = np.nan_to_num(np.asarray(vectors, np.float32))
    greatest = np.abs(vectors).max(axis=1, keepdims=True)
    steps = np.rint(vectors * (127 / np.maximum(greatest, 1e-9))).astype(np.int8)
    entries = np.empty(len(vectors), _vector(vectors.shape[1]))
    entries["doc"] = numbers
    entries["steps"] = steps
    entries["norm"] = np.maximum(np.sqrt(np.square(steps.astype(np.float32)).sum(axis=1)), 1)
    return entries


def likeness(tx: Tx, state: Record, meaning: Embedded, size: int) -> Floats | None:
    """The cosine of each of a customer's ``size`` documents to the question, NaN where it was not looked up; None without such vectors."""
    if not state.vectors or state.encoder != meaning.encoder:
        return None
    size_of = len(meaning.vector)
    if state.cells <= PROBES:
        rows = tx.execute(_all, {"p_customer": state.customer_id}).all()
    else:
        centres = _read_centres(tx, state.customer_id, size_of)
        nearest = np.argpartition(-_cosines(centres, meaning.vector), PROBES)[:PROBES]
        rows = tx.execute(_some, {"p_customer": state.customer_id, "p_cells": centres["doc"][nearest].tolist()}).all()
    entries = np.frombuffer(b"".join(row.vectors for row in rows), _vector(size_of))
    like = np.full(size, np.nan, np.float32)
    known = entries["doc"] < size  # more may have been indexed since the state was read
    like[entries["doc"][known]] = _cosines(entries, meaning.vector)[known]
    return like


def _cosines(entries: Array, vector: Floats) -> Floats:
    # einsum, as a product of matrices would start threads for so little
    return np.asarray(np.einsum("ij,j->i", entries["steps"].astype(np.float32), vector.astype(np.float32)) / entries["norm"])


def _read_centres(tx: Tx, customer_id: int, size: int) -> Array:
    row = tx.execute(_centres, {"p_customer": customer_id}).one()
    return np.frombuffer(row.centre, _vector(size))


def put_vectors(tx: Tx, customer_id: int, cells: int, numbers: Array, vectors: Floats) -> int:
    """Put documents' vectors into the nearest of the customer's ``cells`` cells, splitting those that grow too large; how many there are
    then.

    A cell's centre is that of the vectors which it had when it was made: only a split changes the row of the centres.
    """
    entries = packed(numbers, vectors)
    dtype = entries.dtype
    centres = _read_centres(tx, customer_id, vectors.shape[1]) if cells else packed(0, vectors.mean(axis=0, keepdims=True))
    nearest = np.argmax(vectors @ _directions(centres).T, axis=1)
    touched = np.unique(nearest).tolist()
    stored = {row.cell: row.vectors for row in tx.execute(_some, {"p_customer": customer_id, "p_cells": touched}).all()} if cells else {}
    rows = []
    made = [centres]
    count = max(cells, 1)
    for cell in touched:
        first, *others = _split(np.frombuffer(stored.get(cell, b"") + entries[nearest == cell].tobytes(), dtype))
        rows.append({"customer_id": customer_id, "cell": cell, "centre": b"", "vectors": first.tobytes()})
        if others:
            centres = centres.copy()
            centres[cell : cell + 1] = packed(cell, _centre(first)[None])
            made[0] = centres
        for part in others:
            made.append(packed(count, _centre(part)[None]))
            rows.append({"customer_id": customer_id, "cell": count, "centre": b"", "vectors": part.tobytes()})
            count += 1
    if count > cells:
        directory = b"".join(part.tobytes() for part in made)
        rows.append({"customer_id": customer_id, "cell": CENTRES, "centre": directory, "vectors": b""})
    tx.execute(_put_cell(tx), rows)
    return count


def _directions(entries: Array) -> Floats:
    directions: Floats = entries["steps"].astype(np.float32) / entries["norm"][:, None]
    return directions


def _centre(entries: Array) -> Floats:
    centre = _directions(entries).mean(axis=0)
    return np.asarray(centre / max(float(np.linalg.norm(centre)), 1e-6), np.float32)


def _split(entries: Array) -> list[Array]:
    """Parts of at most ``CELL`` vectors, each of vectors that are like each other."""
    if len(entries) <= CELL:
        return [entries]
    directions = _directions(entries)
    first = directions[np.argmin(directions @ _centre(entries))]
    pair = np.stack([first, directions[np.argmin(directions @ first)]])
    side = np.zeros(len(entries), bool)
    for _ in range(ROUNDS):
        side = np.argmax(directions @ pair.T, axis=1) == 1
        if side.all() or not side.any():
            side = np.arange(len(entries)) % 2 == 1  # all the same: any halves will do
            break
        pair = np.stack([_centre(entries[~side]), _centre(entries[side])])
    return [*_split(entries[~side]), *_split(entries[side])]
