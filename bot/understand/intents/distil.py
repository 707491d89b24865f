"""How the table of words' meanings was made; nothing at run time needs this.

``python -m bot.understand.intents.distil WORDS TEXTS FILE``: the words, commonest first, and sentences of everyday English, each on a line.
The table in this package has the commonest words of GloVe's list (public domain) and the words of the sentences; these were the comments of
GoEmotions (Apache-2.0), English sentences of Tatoeba (CC BY 2.0 FR), and definitions and examples of WordNet 3.0. No text of an intent
benchmark and no customer's was among them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.understand.intents.terms import Floats, said
from bot.understand.intents.vectors import Vectors
from memory.search.meaning import Encoder, MiniLm

WIDTH = 256
STEPS = 25
_HOLD = 1.5
"""How much a word's vector stays as the encoder sees the word alone, in sentences that have it."""

_KEPT = 24_000
"""How many of the commonest words are kept in any case; a rarer one needs two texts, or it would say no more than that it is rare."""

_COMMON = 1e-3
"""Words whose share of all words is above this count for less: a / (a + p), with Zipf's law for p."""


def distil(words: Sequence[str], texts: Sequence[str], encoder: Encoder, *, width: int = WIDTH) -> tuple[Sequence[str], Floats]:
    """Vectors for words such that their sum points where the encoder sees the text. Returns the words that are kept and a row for each.

    It starts with how the encoder sees each word alone, then moves the rows by least squares (conjugate gradients), each held where it was
    the more the fewer texts have it, and keeps the ``width`` directions in which texts differ most.
    """
    import scipy.sparse as sp

    alone = encoder.encode(words)
    shares = 1 / np.arange(2, len(words) + 2)
    shares /= shares.sum()
    start = ((alone - alone.mean(0)) * (_COMMON / (_COMMON + shares))[:, None]).astype(np.float32)
    table = Vectors(words, np.zeros((len(words), 1), np.int8), np.zeros(len(words), np.float32))
    places = [[n for word in said(text) if (n := table.number(word)) is not None] for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(some) for some in places])])
    flat = np.array([n for some in places for n in some], np.int64)
    owners = np.repeat(np.arange(len(texts)), np.diff(starts))
    counts = sp.csr_matrix((np.ones(len(flat), np.float32), flat, starts), (len(texts), len(words)))
    lengths = np.maximum(np.linalg.norm(counts @ start, axis=1), 1e-6)
    counts = (sp.diags((1 / lengths).astype(np.float32)) @ counts).tocsr()
    back = counts.T.tocsr()
    left = back @ (encoder.encode(texts) - counts @ start)
    moved, way = np.zeros_like(start), left.copy()
    size = (left * left).sum(0)
    for _ in range(STEPS):
        seen = back @ (counts @ way) + _HOLD * way
        far = size / np.maximum((way * seen).sum(0), 1e-12)
        moved += far * way
        left -= far * seen
        new = (left * left).sum(0)
        way = left + new / np.maximum(size, 1e-12) * way
        size = new
    rows = start + moved
    summed = counts @ rows
    summed /= np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9)
    directions = np.linalg.svd(summed.T @ summed)[0][:, :width]
    texts_with = np.bincount(np.unique(flat + len(words) * owners) % len(words), minlength=len(words))
    kept = np.flatnonzero((np.arange(len(words)) < _KEPT) | (texts_with >= 2))
    return [words[int(n)] for n in kept], np.asarray(rows[kept] @ directions, np.float32)


def write(file: Path, words: Sequence[str], rows: Floats) -> None:
    """The table as :func:`bot.understand.intents.vectors.english` reads it: 8 bits a number, and a scale for each word."""
    scales = np.maximum(np.abs(rows).max(1) / 127, 1e-9).astype(np.float32)
    kept = np.round(rows / scales[:, None]).astype(np.int8)
    np.savez(file, allow_pickle=False, words=np.frombuffer("\n".join(words).encode("ascii"), np.uint8), table=kept, scales=scales)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the table of words' meanings.")
    parser.add_argument("words", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    lines = [path.read_text(encoding="utf-8").splitlines() for path in (given.words, given.texts)]
    write(given.file, *distil(lines[0], lines[1], MiniLm.load()))
