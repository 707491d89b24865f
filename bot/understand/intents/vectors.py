"""A vector for each of the commonest English words, so that texts with other words of the same meaning are near each other.

The table was made by ``distil.py`` from the encoder all-MiniLM-L6-v2 (Apache-2.0): it holds no text of anybody's.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.understand.intents.terms import Floats

TABLE = Path(__file__).with_name("vectors.npz")

_ENDINGS = ("s", "es", "ed", "d", "ing", "ly")


class Vectors:
    """Words by their vectors. Reading from several threads is safe."""

    def __init__(self, words: Sequence[str], table: NDArray[np.int8], scales: Floats) -> None:
        self._numbers = {word: n for n, word in enumerate(words)}
        self._table, self._scales = table, scales

    def __contains__(self, word: str) -> bool:
        return self.number(word) is not None

    @property
    def width(self) -> int:
        """The length of a vector."""
        return int(self._table.shape[1])

    @property
    def mark(self) -> str:
        """What tells this table from another one, for what is learned with it and kept."""
        return f"{self.width} {zlib.crc32(self._scales.tobytes(), zlib.crc32(self._table.tobytes())):08x}"

    def number(self, word: str) -> int | None:
        """The place of a word in the table, which is by how common words are, or that of the word without its ending."""
        found = self._numbers.get(word)
        if found is None and len(word) > 4:
            for ending in _ENDINGS:
                if word.endswith(ending) and (found := self._numbers.get(word.removesuffix(ending))) is not None:
                    break
        return found

    def of(self, words: Sequence[str]) -> Floats:
        """The meaning of a text, given as its words: of length 1, or zeros where no word is known."""
        places = [n for word in words if (n := self.number(word)) is not None]
        if not places:
            return np.zeros(self.width, np.float32)
        summed = self._scales[places] @ self._table[places].astype(np.float32)
        length = float(np.sqrt(summed @ summed))
        return np.asarray(summed / length if length > 0 else summed, np.float32)


@cache
def english() -> Vectors:
    """The table that is part of this package, read once."""
    with np.load(TABLE) as kept:
        words = kept["words"].tobytes().decode("ascii").split("\n")
        return Vectors(words, kept["table"], kept["scales"])
