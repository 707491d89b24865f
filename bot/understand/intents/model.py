"""Which intent a message has, and whether it has any: scored by numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.understand.intents.scope import Nearness, Scope, signs
from bot.understand.intents.terms import Floats, Sparse, Terms, said
from bot.understand.intents.vectors import Vectors
from bot.understand.words import Spelling
from memory.search.meaning import Encoder

WORDS, MEANING = "words", "meaning"
"""Who decided: the words alone, or the encoder with them."""

GUESSES = 3

SLACK = 0.15
"""By so much less sure may the words be that it is any intent than of which one, before the encoder is asked: to ask more often for such
doubts made no guess better, by the measurement that ``_UNSURE`` of the training was chosen by."""

Halves = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Guess:
    """An intent that a message may have. ``confidence`` is a calibrated probability: of guesses at 0.8, eight in ten are right."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What a message wants. ``guesses`` are the best first, at most three; none for a text without any word.

    ``in_scope`` is the chance, from 0 to 1, that it is any of the intents; below :attr:`Intents.scope_threshold` it is none of them.
    ``tier`` says who decided: ``words`` or ``meaning``.
    """

    guesses: tuple[Guess, ...]
    in_scope: float
    tier: str


@dataclass(frozen=True, slots=True)
class Tier:
    """A linear model: what each term (``terms``) and each number of the text's vector (``dense``) says for each intent.

    ``sharpness`` multiplies the scores before they become probabilities. ``near`` are the examples as vectors, ``scope`` the detector.
    """

    terms: Halves
    dense: Floats
    bias: Floats
    sharpness: float
    near: Nearness
    scope: Scope

    def scores(self, sparse: Sparse, vector: Floats) -> Floats:
        """One number for each intent."""
        scores = self.bias + vector @ self.dense
        if len(sparse.numbers):
            scores = scores + sparse.weights @ self.terms[sparse.numbers].astype(np.float32)
        return np.asarray(scores * self.sharpness, np.float32)


class Intents:
    """A trained classifier, made by :func:`train`. Threads may share it."""

    def __init__(
        self,
        names: Sequence[str],
        terms: Terms,
        words: Tier,
        *,
        vectors: Vectors | None = None,
        meaning: Tier | None = None,
        encoder: Encoder | None = None,
        unsure: float = 0.0,
    ) -> None:
        self._names = tuple(names)
        self._terms, self._vectors = terms, vectors
        self._words, self._meaning, self._encoder = words, meaning, encoder
        self._unsure = unsure
        self._spelling = Spelling(terms.written)
        self._meant = lru_cache(maxsize=4096)(self._look_up)

    @property
    def names(self) -> tuple[str, ...]:
        """The intents, sorted."""
        return self._names

    @property
    def scope_threshold(self) -> float:
        """Below this ``in_scope`` a message is taken to be none of the intents; it is the same for every training."""
        return 0.5

    @property
    def has_meaning(self) -> bool:
        """Whether the encoder is asked about messages that the words leave open."""
        return self._meaning is not None and self._encoder is not None

    def asking(self, unsure: float) -> Intents:
        """The same classifier, which asks the encoder where the words are less sure than this: 0 asks it never, 2 about every message."""
        other = copy(self)
        other._unsure = unsure
        return other

    def judge(self, text: str) -> Judged:
        """What ``text`` wants. Any text is safe."""
        words = [self._meant(word) for word in said(text)]
        if not words:
            return Judged((), 0.0, WORDS)
        sparse = self._terms.sparse(words)
        vector = self._vectors.of(words) if self._vectors is not None else np.zeros(0, np.float32)
        judged, sureness = self._by(self._words, WORDS, words, sparse, vector)
        if self._meaning is None or self._encoder is None or sureness >= self._unsure:
            return judged
        meant = self._encoder.encode([text])[0]
        if not np.isfinite(meant).all():
            return judged
        return self._by(self._meaning, MEANING, words, sparse, np.concatenate([vector, meant]))[0]

    def _look_up(self, word: str) -> str:
        """The word itself, or the examples' word that it was meant to be where nobody knows it."""
        if word in self._terms or (self._vectors is not None and word in self._vectors):
            return word
        return self._spelling.nearest(word) or word

    def _by(self, tier: Tier, name: str, words: Sequence[str], sparse: Sparse, vector: Floats) -> tuple[Judged, float]:
        scores = tier.scores(sparse, vector)
        weights = np.exp(scores - scores.max())
        chances = weights / weights.sum()
        best = np.argsort(-chances, kind="stable")[:GUESSES]
        found = signs(scores, chances, best, words, self._terms, self._vectors, tier.near, vector)
        guesses = tuple(Guess(self._names[n], min(1.0, float(chances[n]))) for n in best)
        in_scope = tier.scope.chance(found)
        return Judged(guesses, in_scope, name), min(guesses[0].confidence, in_scope + SLACK)
