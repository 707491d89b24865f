"""Which documents answer a question best: scores from words, from meaning, and from how a conversation goes. Pure; arrays in and out.

What counts, and about how much, was found on long conversations (turn-level evidence of LoCoMo): an answer often follows the turn that has
the question's words, so a turn gets half of the score of the one before it; what was spoken of once is spoken of around there, so the best
sessions are favoured; the person named in a question is the one who said it; and who only asks seldom says what is looked for. Sums of
standard scores join words and meaning better than sums of reciprocal ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memory.search.layout import Array, Floats

K1 = 1.2
B = 0.3
"""BM25's usual saturation, and less regard for length than usual: exchanges are all short."""

BEFORE = 0.5
"""The part of a turn's score that the next one is given too."""

SESSION = 0.75
"""The part of its session's score that every turn is given: what is asked about is often named at the start and answered further on."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What is added to a document's score, in standard deviations of the words' score."""

    meaning: float = 1.0
    speaker: float = 0.75
    asks: float = -0.75
    figure: float = 0.75
    time: float = 1.5
    session: float = SESSION


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of each document that may answer, one row each, in the order in which they were said.

    ``words``, ``before`` and ``session`` are the words' scores of a document, of the turn before it in the same session, and of that
    session. ``mean`` and ``deviation`` are those of ``words`` with their part of ``before`` over all documents. ``meaning`` and
    ``meaning_before`` are the likeness to the question where it is known (else NaN), or None without an encoder. The others are true where
    something speaks for a document.
    """

    words: Floats
    before: Floats
    session: Floats
    asks: Array
    speaker: Array
    figure: Array
    in_time: Array
    mean: float
    deviation: float
    meaning: Floats | None = None
    meaning_before: Floats | None = None
    meaning_session: Floats | None = None


def idf(df: Array, documents: int) -> Floats:
    """How much a word tells that is in ``df`` of so many documents; never negative."""
    return np.log1p((documents - df + 0.5) / (df + 0.5)).astype(np.float32)


def saturated(counts: Array, lengths: Array, average: float) -> Floats:
    """BM25's share of a term that a document of this length has so often."""
    tf = counts.astype(np.float32)
    norm = np.float32(K1 * (1 - B)) + np.float32(K1 * B / max(average, 1.0)) * lengths.astype(np.float32)
    return (tf * np.float32(K1 + 1) / (tf + norm)).astype(np.float32)


def rank(features: Features, weights: Weights = WEIGHTS) -> Floats:
    """The score of each document; higher is better."""
    words = features.words + np.float32(BEFORE) * features.before + np.float32(weights.session) * features.session
    score = _standard(words, features.mean, features.deviation)
    if features.meaning is not None:
        score = score + np.float32(weights.meaning) * _meaning(features, weights)
    score = score + weights.speaker * features.speaker + weights.asks * features.asks
    score = score + weights.figure * features.figure + weights.time * features.in_time
    return score.astype(np.float32)


def _standard(values: Floats, mean: float, deviation: float) -> Floats:
    return (values - np.float32(mean)) / np.float32(max(deviation, 1e-6))


def _meaning(features: Features, weights: Weights) -> Floats:
    """Standard scores of the likeness, joined as the words' scores are; what is not known counts as middling."""
    own, before, session = features.meaning, features.meaning_before, features.meaning_session
    assert own is not None
    assert before is not None
    assert session is not None
    known = ~np.isnan(own)
    if not known.any():
        return np.zeros(len(own), np.float32)
    middle = own[known].mean()
    own, before, session = (np.where(np.isnan(one), middle, one) for one in (own, before, session))
    joined = own + np.float32(BEFORE) * before + np.float32(weights.session) * session
    return _standard(joined, float(joined[known].mean()), float(joined[known].std()))
