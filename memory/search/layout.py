"""The arrays inside the index's rows: how they are packed and read. Little-endian on every machine; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[Any]
"""Of 32 bits each."""

DOCS_PER_BLOCK = 32
"""Documents in a row of ``search_block``: small enough that a few scattered documents of a long history are read at little cost."""

POSTINGS_PER_BLOCK = 512

DOC: np.dtype[Any] = np.dtype(
    [
        ("id", "<i8"),  # the exchange that was indexed
        ("about", "<i8"),  # the exchange that it stands for: itself, or the one that it edits
        ("at", "<u4"),  # seconds since 1970
        ("session", "<u4"),
        ("name", "<u4"),  # the number of the author's first name, 0 for none
        ("length", "<u2"),  # in words without stop words
        ("terms", "<u2"),  # how many of the row's terms are this document's
        ("author", "u1"),
        ("flags", "u1"),
    ]
)

POSTING: np.dtype[Any] = np.dtype([("doc", "<u4"), ("count", "u1"), ("length", "u1")])

TERM: np.dtype[Any] = np.dtype("<u4")
COUNT: np.dtype[Any] = np.dtype("u1")

OPENS_SESSION = 1
ONLY_ASKS = 2
HAS_FIGURE = 4

AUTHORS = {"customer": 0, "agent": 1, "assistant": 2}
OTHER_AUTHOR = 3

TERMS_PER_DOC = 2000
"""Different words of one exchange that are kept; a message as channels carry it has fewer."""


def seconds(at: datetime) -> int:
    """An aware time as the index keeps it."""
    return min(max(int(at.astimezone(UTC).timestamp()), 0), 2**32 - 1)


class Docs:
    """Consecutive documents with their words: ``docs`` of type :data:`DOC`, and ``terms`` and ``counts`` one document after the other."""

    __slots__ = ("counts", "docs", "terms")

    def __init__(self, docs: Array, terms: Array, counts: Array) -> None:
        self.docs = docs
        self.terms = terms
        self.counts = counts

    def __len__(self) -> int:
        return len(self.docs)

    @classmethod
    def empty(cls) -> Docs:
        """No documents."""
        return cls(np.empty(0, DOC), np.empty(0, TERM), np.empty(0, COUNT))

    @classmethod
    def of(cls, entries: Iterable[tuple[tuple[Any, ...], Mapping[int, int]]]) -> Docs:
        """Documents from their fields (without ``terms``, in :data:`DOC`'s order) and their terms' counts."""
        docs: list[tuple[Any, ...]] = []
        terms: list[int] = []
        counts: list[int] = []
        for (id_, about, at, session, name, length, author, flags), found in entries:
            kept = list(found.items())[:TERMS_PER_DOC]
            docs.append((id_, about, at, session, name, min(length, 65535), len(kept), author, flags))
            terms.extend(term for term, _ in kept)
            counts.extend(min(count, 255) for _, count in kept)
        return cls(np.array(docs, DOC), np.array(terms, TERM), np.array(counts, COUNT))

    @classmethod
    def unpack(cls, rows: Iterable[Iterable[bytes]]) -> Docs:
        """The documents of ``search_block`` rows in order; the arrays are for reading only."""
        docs, terms, counts = map(b"".join, zip(*rows, strict=True)) if (rows := list(rows)) else (b"", b"", b"")
        return cls(np.frombuffer(docs, DOC), np.frombuffer(terms, TERM), np.frombuffer(counts, COUNT))

    def pack(self) -> tuple[bytes, bytes, bytes]:
        """The columns of a ``search_block`` row."""
        return self.docs.tobytes(), self.terms.tobytes(), self.counts.tobytes()

    def part(self, start: int, end: int) -> Docs:
        """Documents ``start`` to ``end``, counted from 0."""
        edges = self.edges()
        first, last = edges[start], edges[end]
        return Docs(self.docs[start:end], self.terms[first:last], self.counts[first:last])

    def edges(self) -> Array:
        """Where each document's terms begin, and after the last one where they end."""
        edges = np.zeros(len(self.docs) + 1, np.int64)
        np.cumsum(self.docs["terms"], out=edges[1:])
        return edges

    def __add__(self, other: Docs) -> Docs:
        if not len(self):
            return other
        if not len(other):
            return self
        return Docs(
            joined((self.docs, other.docs)),
            np.concatenate([self.terms, other.terms]),
            np.concatenate([self.counts, other.counts]),
        )

    def matches(self, terms: Array) -> tuple[Array, Array, Array]:
        """Where these ``terms`` (sorted) stand: the document's place, which of the terms, and how often it is there; by document."""
        if not len(terms):
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, COUNT)
        sieve = np.zeros(1 << 16, bool)  # nearly all words are others: a table of 16 bits drops them faster than a search does
        sieve[terms & 0xFFFF] = True
        maybe = np.flatnonzero(sieve[self.terms & 0xFFFF])
        place = np.searchsorted(terms, self.terms[maybe])
        place[place == len(terms)] = 0
        is_it = terms[place] == self.terms[maybe]
        found = maybe[is_it]
        owner = np.searchsorted(self.edges(), found, side="right") - 1
        return owner, place[is_it], self.counts[found]


def joined(parts: Iterable[Array]) -> Array:
    """Arrays of documents one after the other; numpy's own joining takes long over each field's type."""
    return np.frombuffer(b"".join(part.tobytes() for part in parts), DOC)
