"""Texts as sparse vectors: words, pairs of words, and runs of characters inside a word, weighted by how rare they are. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from snowballstemmer.english_stemmer import EnglishStemmer

from bot.understand.words import words_of

Floats = NDArray[np.float32]
Numbers = NDArray[np.int32]

LONGEST_TEXT = 4000
"""Characters of a message that are looked at; an example of an intent is a sentence."""

LONGEST_WORD = 30
"""Characters of a word that are looked at."""

CHARACTERS = (2, 5)
"""How long the runs of characters are. A word's beginning and end count as a character."""

_PAIRS = 0.9
"""What words and their pairs weigh beside the runs of characters."""


def said(text: str) -> list[str]:
    """The words of a message as they are compared; empty where it has none."""
    return [word[:LONGEST_WORD] for word in words_of(text[:LONGEST_TEXT])]


_stemmer, _one_at_a_time = EnglishStemmer(), Lock()


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A word without its English ending. The stemmer keeps the word in itself while it works, so it serves one thread at a time."""
    if not word.isascii():
        return word
    with _one_at_a_time:
        return str(_stemmer.stemWord(word))


def runs(word: str) -> list[str]:
    """The runs of characters in a word, its two ends marked with a space: ``to`` gives `` t``, ``to``, ``o ``, `` to`` and so on."""
    marked = f" {word} "
    shortest, longest = CHARACTERS
    return [marked[at : at + n] for n in range(shortest, min(longest, len(marked)) + 1) for at in range(len(marked) - n + 1)]


def pairs(words: Sequence[str]) -> Iterator[str]:
    """The words' stems and each two neighbours', with a space between. Only English words have a stem of their own."""
    stems = [stem(word) for word in words]
    yield from stems
    for first, second in pairwise(stems):
        yield f"{first} {second}"


@dataclass(frozen=True, slots=True)
class Sparse:
    """A text's terms by their numbers, and how much each weighs. Each of the two kinds has length 1, times what the kind weighs."""

    numbers: Numbers
    weights: Floats


class Terms:
    """The terms that the examples have. Reading from several threads is safe.

    Their numbers begin with the words and pairs; the runs of characters follow. ``rarity`` belongs to each. ``written`` are the words as
    the examples have them.
    """

    def __init__(self, word_terms: Sequence[str], run_terms: Sequence[str], rarity: Floats, written: Sequence[str]) -> None:
        self.word_terms, self.run_terms, self.rarity, self.written = tuple(word_terms), tuple(run_terms), rarity, tuple(written)
        self._words = {term: n for n, term in enumerate(self.word_terms)}
        self._runs = {term: n for n, term in enumerate(self.run_terms, len(self.word_terms))}
        self._of_word = lru_cache(maxsize=8192)(self._numbers_of)

    def __len__(self) -> int:
        return len(self.rarity)

    def __contains__(self, word: str) -> bool:
        return stem(word) in self._words

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]], *, at_least: int = 1) -> Terms:
        """The terms that occur in at least so many of the texts, each a list of its words."""
        found: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        total = 0
        written: set[str] = set()
        for words in texts:
            total += 1
            written.update(words)
            found[0].update(set(pairs(words)))
            found[1].update({run for word in set(words) for run in runs(word)})
        kept = [{term: n for term, n in sorted(counts.items()) if n >= at_least} for counts in found]
        counts = np.array([n for kind in kept for n in kind.values()], np.float32)
        rarity = (np.log((1 + total) / (1 + counts)) + 1).astype(np.float32)
        return cls(list(kept[0]), list(kept[1]), rarity, sorted(written))

    def sparse(self, words: Sequence[str]) -> Sparse:
        """A text, given as its words."""
        of_pairs = [n for term in pairs(words) if (n := self._words.get(term)) is not None]
        of_runs = [self._of_word(word) for word in words]
        first = self._weighed(np.array(of_pairs, np.int32), _PAIRS)
        second = self._weighed(np.concatenate(of_runs) if of_runs else np.empty(0, np.int32), 1.0)
        return Sparse(np.concatenate([first.numbers, second.numbers]), np.concatenate([first.weights, second.weights]))

    def _weighed(self, numbers: Numbers, weight: float) -> Sparse:
        if not len(numbers):
            return Sparse(numbers, np.empty(0, np.float32))
        found, counts = np.unique(numbers, return_counts=True)
        weights = (1 + np.log(counts)) * self.rarity[found]
        return Sparse(found, (weights * (weight / math.sqrt(float(weights @ weights)))).astype(np.float32))

    def _numbers_of(self, word: str) -> Numbers:
        return np.array([n for run in runs(word) if (n := self._runs.get(run)) is not None], np.int32)
