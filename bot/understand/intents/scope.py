"""Whether a message is any of the intents at all: judged by signs that also tell intents which were left out of the training.

No message out of scope is needed: some intents are left out and a model learns the others; the examples of those left out are out of
its scope.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understand.intents.terms import Floats, Numbers, Terms
from bot.understand.intents.vectors import Vectors

SIGNS = ("sure", "ahead", "spread", "height", "nearest", "middle", "unknown", "unknown share", "length")
"""Odds of the best guess; how far it is ahead of the next; entropy; the best score over the mean; nearest example of a likely intent;
nearest middle of an intent; words that no example has, by how rare they are; their share; number of words."""

USUAL = (0.0, 0.0, 0.0, 1.0, 0.0, 0.5, 0.0, -0.3, 0.0)
"""What the signs weigh before anything is known of the assistant. Round numbers, tried on the validation part of CLINC150's messages out of
scope: left-out intents alone make too much of how sure the model is and too little of words and meanings that nobody used. With intents
left out of the training splits of three data sets, none of a dozen others was better at these and at that validation part as well."""

CLIP = 4.0
"""No sign counts for more than so many spreads."""

_COMMON = 1000.0
"""A word that nobody used in an example counts the less the commoner it is: this many words are common."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """The examples as vectors of length 1, those of one intent together: intent ``n`` has the rows from ``starts[n]`` to ``starts[n + 1]``.

    ``middles`` are the intents' means, of length 1.
    """

    examples: Floats
    starts: Numbers
    middles: Floats

    def nearest(self, intents: NDArray[np.signedinteger[Any]], vector: Floats) -> float:
        """How near the nearest example of these intents is: a cosine, 0 where nothing is known."""
        best = 0.0
        for n in intents:
            rows = self.examples[self.starts[n] : self.starts[n + 1]]
            if len(rows):
                best = max(best, float((rows @ vector).max()))
        return best


@dataclass(frozen=True, slots=True)
class Scope:
    """A logistic curve over the signs, each less its mean and divided by its spread where messages are in scope. 0.5 is the threshold."""

    means: Floats
    spreads: Floats
    weights: Floats
    bias: float

    def chance(self, found: Sequence[float]) -> float:
        """The chance that the message is any of the intents."""
        standard = np.clip((np.asarray(found, np.float32) - self.means) / self.spreads, -CLIP, CLIP)
        logit = self.bias + float(standard @ self.weights)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def signs(
    scores: Floats,
    chances: Floats,
    best: NDArray[np.signedinteger[Any]],
    words: Sequence[str],
    terms: Terms,
    vectors: Vectors | None,
    near: Nearness,
    vector: Floats,
) -> list[float]:
    """The signs of one message, in the order of :data:`SIGNS`; ``best`` are the numbers of the likeliest intents."""
    first = min(float(chances[best[0]]), 1 - 1e-6)
    second = float(chances[best[1]]) if len(best) > 1 else 1e-6
    entropy = -float(chances @ np.log(chances + 1e-9))
    length = float(np.sqrt(vector @ vector)) if len(vector) else 0.0
    unit = vector / length if length > 0 else vector
    unknown = total = 0.0
    for word in words:
        rarity = _rarity(word, vectors)
        total += rarity
        if word not in terms:
            unknown += rarity
    return [
        math.log(first / (1 - first)),
        math.log(first / max(second, 1e-9)),
        entropy,
        float(scores[best[0]] - scores.mean()),
        near.nearest(best, unit) if length > 0 else 0.0,
        float((near.middles @ unit).max()) if length > 0 else 0.0,
        math.log1p(unknown),
        unknown / total if total else 0.0,
        math.log(len(words)),
    ]


def _rarity(word: str, vectors: Vectors | None) -> float:
    """From near 0 for the commonest words to 1 for one that the table does not have."""
    place = vectors.number(word) if vectors is not None else None
    return 1.0 if place is None else place / (place + _COMMON)
