"""Learning intents from examples: a second for an assistant's, a minute for ten thousand. The heavy libraries load here only."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understand.intents.kept import Kept, fingerprint, load, save
from bot.understand.intents.model import Intents, Tier
from bot.understand.intents.scope import CLIP, USUAL, Nearness, Scope, signs
from bot.understand.intents.terms import Floats, Terms, said
from bot.understand.intents.vectors import Vectors, english
from memory.errors import SettingsError
from memory.search.meaning import Encoder

VERSION = 3
"""Counted up with every change of what a training gives: what was kept of another version is trained anew."""

# The weights of the model were chosen on training splits of BANKING77, CLINC150 and HWU64 only: with few examples on random samples of 10
# an intent, judged by other messages of the split; with many on a fifth that was held out, or the data set's validation split.

_SOFT = 5.0
"""How freely the softmax model follows the examples (the inverse strength of its penalty). From 2 to 12 it changes next to nothing."""

_VECTOR, _BESIDE, _MEANING = 2.0, 1.4, 3.5
"""What a text's vector from the table weighs beside its terms; the same where the encoder sees the text too, and what its vector weighs.

The first is best from 1.5 to 2; the other two were a fifth of a point better than 2 and 3.
"""

_FEW = 2500
"""Up to so many examples the softmax model is solved by the examples' likenesses; more than that have a support-vector machine as well."""

_MACHINE, _MANY_SOFT = 8.0, 20.0
"""With many examples: what the machine's scores weigh beside the softmax model's, and how freely the latter follows the examples."""

_MANY_VECTOR, _MANY_BESIDE, _MANY_MEANING = 1.4, 2.0, 3.0
"""What the vectors weigh with many examples. The terms have been seen more often and say more: 1.4 was better than 2 on each of five
held-out parts, by a quarter of a point. The other two were not moved: neither 1.4 and 3.5 nor 1 and 2.5 were better on two parts."""

_FOLDS = 5
_KEEP = 0.95
"""Of messages that are an intent's, so many are to be taken for one."""

_LEFT_OUT = 0.8
"""Of the messages of left-out intents, so many are below the room that the threshold may move into."""

_STAY = 1000.0
"""How much the detector stays with the usual weights: as much as so many left-out examples say."""

_UNSURE = 0.85
"""Where the words' confidence is lower, or ``in_scope`` lower by more than ``SLACK``, the encoder is asked. With random samples of 10
examples an intent of three training splits it is asked about a third of the other messages; a tenth of a point is lost on asking always."""

_WEIGHTS = (_VECTOR, _BESIDE, _MEANING, _MANY_VECTOR, _MANY_BESIDE, _MANY_MEANING)
_SETTINGS = (_SOFT, *_WEIGHTS, _FEW, _MACHINE, _MANY_SOFT, _FOLDS, _KEEP, _LEFT_OUT, _STAY, _UNSURE, USUAL)

Ints = NDArray[np.int64]


def train(
    examples: Mapping[str, Sequence[str]], *, folder: Path | None = None, encoder: Encoder | None = None, language: str = "en"
) -> Intents:
    """Learn intents from the sentences that have them. The same examples give the same classifier.

    With a ``folder``, what was learned is kept there under a name made of all that it depends on; where the file cannot be read, all is
    learned anew and the file replaced. ``encoder`` sees the messages that the words leave open. English has a table of words' meanings;
    other languages have words and their parts only. Raises :class:`SettingsError` where fewer than two intents have an example with a
    word in it.
    """
    cleaned = {name: sorted({text.strip() for text in texts if said(text)}) for name, texts in sorted(examples.items())}
    cleaned = {name: texts for name, texts in cleaned.items() if texts}
    if len(cleaned) < 2:
        raise SettingsError("a classifier needs at least two intents with examples; give each of them some sentences that customers write")
    vectors = english() if language == "en" else None
    kept = None
    file = None
    if folder is not None:
        settings = [VERSION, vectors.mark if vectors is not None else "", encoder.name if encoder is not None else "", *_SETTINGS]
        file = folder / f"intents-{fingerprint(cleaned, settings)[:32]}.npz"
        kept = load(file)
    if kept is None:
        kept = _learn(cleaned, vectors, encoder)
        if file is not None:
            save(file, kept)
    return Intents(
        kept.names,
        kept.terms,
        kept.words,
        vectors=vectors,
        meaning=kept.meaning,
        encoder=encoder if kept.meaning is not None else None,
        unsure=kept.unsure,
    )


@dataclass(frozen=True)
class _Set:
    """Examples: their words, their intents' numbers, and their vectors from the table (``near``) and from the encoder.

    The intents' names, which say something too, are examples that are learned but not judged (``is_name``).
    """

    words: list[list[str]]
    intents: Ints
    near: Floats
    meant: Floats | None
    is_name: NDArray[np.bool_]

    def only(self, rows: Ints) -> _Set:
        meant = None if self.meant is None else self.meant[rows]
        return _Set([self.words[n] for n in rows], self.intents[rows], self.near[rows], meant, self.is_name[rows])


def _learn(examples: Mapping[str, Sequence[str]], vectors: Vectors | None, encoder: Encoder | None) -> Kept:
    named = [(n, text, False) for n, some in enumerate(examples.values()) for text in some]
    named += [(n, text, True) for n, name in enumerate(examples) if said(text := name.replace("_", " "))]
    texts = [text for _, text, _ in named]
    words = [said(text) for text in texts]
    intents = np.array([n for n, _, _ in named])
    near = np.stack([vectors.of(one) for one in words]) if vectors is not None else np.zeros((len(words), 0), np.float32)
    meant = np.nan_to_num(encoder.encode(texts)) if encoder is not None else None
    all_ = _Set(words, intents, near, meant, np.array([is_name for _, _, is_name in named]))
    terms = _terms_of(all_)
    with _one_thread():
        words_tier = _tier(all_, len(examples), terms, vectors, meaning=False)
        meaning_tier = _tier(all_, len(examples), terms, vectors, meaning=True) if meant is not None else None
    return Kept(tuple(examples), terms, words_tier, meaning_tier, _UNSURE if meaning_tier is not None else 0.0)


def _terms_of(some: _Set) -> Terms:
    return Terms.of(some.words, at_least=1 if len(some.words) <= _FEW else 2)


def _one_thread() -> Any:
    """The matrices are small: more threads than one only wait for each other."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _tier(all_: _Set, names: int, terms: Terms, vectors: Vectors | None, *, meaning: bool) -> Tier:
    """A tier with its calibration, which comes from models of which some examples and some intents were kept away."""
    raw = _fit(all_, names, terms, meaning=meaning)
    scores, truths, found, inside = [], [], [], []
    for seen, unseen, known in _folds(all_, names):
        fold = all_.only(seen)
        fold_names = np.flatnonzero(known)
        places = np.full(names, -1)
        places[fold_names] = np.arange(len(fold_names))
        fold = _Set(fold.words, places[fold.intents], fold.near, fold.meant, fold.is_name)
        fold_terms = _terms_of(fold)
        model = _fit(fold, len(fold_names), fold_terms, meaning=meaning)
        rows = [(n, *_score(model, fold_terms, all_, n, meaning=meaning)) for n in unseen]
        mine = [(row, places[all_.intents[n]]) for n, row, _ in rows if known[all_.intents[n]]]
        model = _sharpened(model, _sharpness([row for row, _ in mine], [int(n) for _, n in mine]))
        scores += [row for row, _ in mine]
        truths += [int(n) for _, n in mine]
        for n, row, vector in rows:
            row = row * model.sharpness
            chances = np.exp(row - row.max())
            chances /= chances.sum()
            best = np.argsort(-chances)[:3]
            found.append(signs(row, chances, best, all_.words[n], fold_terms, vectors, model.near, vector))
            inside.append(bool(known[all_.intents[n]]))
    sharp = _sharpened(raw, _sharpness(scores, truths))
    return Tier(sharp.terms, sharp.dense, sharp.bias, sharp.sharpness, sharp.near, _scope(found, inside))


def _folds(all_: _Set, names: int) -> list[tuple[Ints, Ints, NDArray[np.bool_]]]:
    """Which examples are learned, which are judged, and which intents are known: each intent is left out once, each example judged."""
    random = np.random.default_rng(0)
    intents, count = all_.intents, len(all_.intents)
    folds = _FOLDS if count <= _FEW else 1
    part_of_example = np.full(count, -1)
    for n in range(names):
        mine = np.flatnonzero((intents == n) & ~all_.is_name)
        part_of_example[random.permutation(mine)] = np.arange(len(mine)) % _FOLDS
    group = random.permutation(names) % _FOLDS
    found = []
    for fold in range(folds):
        known = group != fold if names >= _FOLDS else np.ones(names, bool)
        held = part_of_example == fold
        in_known = known[intents]
        seen = np.flatnonzero(~held & in_known)
        known = known & (np.bincount(intents[seen][~all_.is_name[seen]], minlength=names) > 0)
        unseen = np.flatnonzero((held | ~known[intents]) & ~all_.is_name)
        if known.sum() >= 2:
            found.append((seen[known[intents[seen]]], unseen, known))
    return found


def _score(model: Tier, terms: Terms, all_: _Set, n: int, *, meaning: bool) -> tuple[Floats, Floats]:
    vector = all_.near[n]
    if meaning and all_.meant is not None:
        vector = np.concatenate([vector, all_.meant[n]])
    return model.scores(terms.sparse(all_.words[n]), vector), vector


def _fit(some: _Set, names: int, terms: Terms, *, meaning: bool) -> Tier:
    """The linear model alone, not yet calibrated."""
    import scipy.sparse as sp

    sparse = [terms.sparse(words) for words in some.words]
    starts = np.concatenate([[0], np.cumsum([len(one.numbers) for one in sparse])])
    numbers = np.concatenate([one.numbers for one in sparse])
    weights = np.concatenate([one.weights for one in sparse])
    matrix = sp.csr_matrix((weights, numbers, starts), (len(sparse), len(terms)))
    few = len(sparse) <= _FEW
    if meaning and some.meant is not None:
        plain = np.concatenate([some.near, some.meant], axis=1)
        factor = np.repeat([_BESIDE, _MEANING] if few else [_MANY_BESIDE, _MANY_MEANING], [some.near.shape[1], some.meant.shape[1]])
    else:
        plain = some.near
        factor = np.repeat(_VECTOR if few else _MANY_VECTOR, some.near.shape[1])
    factor = factor.astype(np.float32)
    dense: Floats = plain * factor
    if few:
        likeness = np.asarray((matrix @ matrix.T).toarray() + dense @ dense.T, np.float32)
        shares, bias = _softmax(likeness, some.intents, names)
        of_terms, of_dense = matrix.T @ shares, dense.T @ shares
    else:
        of_terms, of_dense, bias = _machine(sp.hstack([matrix, sp.csr_matrix(dense)]).tocsr(), some.intents, len(terms))
    near = _nearness(plain, some.intents, names)
    nothing = Scope(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32), 0.0)
    return Tier(of_terms.astype(np.float16), (of_dense * factor[:, None]).astype(np.float32), bias.astype(np.float32), 1.0, near, nothing)


def _nearness(vectors: Floats, intents: Ints, names: int) -> Nearness:
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    middles = np.stack([unit[intents == n].sum(0) for n in range(names)])
    middles /= np.maximum(np.linalg.norm(middles, axis=1, keepdims=True), 1e-9)
    order = np.argsort(intents, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(intents, minlength=names))]).astype(np.int32)
    return Nearness(unit[order].astype(np.float32), starts, middles.astype(np.float32))


def _softmax(likeness: Floats, intents: Ints, names: int) -> tuple[Floats, Floats]:
    """Softmax regression with a penalty, by the examples' likenesses: how much each example says for each intent, and the biases."""
    from scipy.linalg import solve_triangular
    from scipy.optimize import minimize

    count = len(likeness)
    root = np.linalg.cholesky(likeness.astype(np.float64) + 1e-4 * np.eye(count)).astype(np.float32)
    truth = np.eye(names, dtype=np.float32)[intents]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        values = flat.astype(np.float32)
        inner, bias = values[: count * names].reshape(count, names), values[count * names :]
        scores = root @ inner + bias
        scores -= scores.max(1, keepdims=True)
        weights = np.exp(scores)
        sums = weights.sum(1, keepdims=True)
        miss = weights / sums - truth
        total = float((np.log(sums[:, 0]) - scores[np.arange(count), intents]).sum()) + float((inner * inner).sum()) / (2 * _SOFT)
        return total, np.concatenate([(root.T @ miss + inner / _SOFT).ravel(), miss.sum(0)]).astype(np.float64)

    found = minimize(loss, np.zeros(count * names + names), jac=True, method="L-BFGS-B", options={"maxiter": 100, "maxcor": 8}).x
    inner = found[: count * names].reshape(count, names)
    return solve_triangular(root.T.astype(np.float64), inner, lower=False).astype(np.float32), found[count * names :].astype(np.float32)


def _machine(matrix: Any, intents: Ints, terms: int) -> tuple[Floats, Floats, Floats]:
    """A linear support-vector machine, one intent against the rest, and a softmax regression: their scores are added."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=1.0, random_state=0).fit(matrix, intents)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is stopped early on purpose: the rest of the way changes nothing
        softmax = LogisticRegression(C=_MANY_SOFT, max_iter=30).fit(matrix, intents)
    if len(machine.classes_) == 2:  # both have a single row then, for the second intent
        machine.coef_, machine.intercept_ = _both(machine.coef_), _both(machine.intercept_)
        softmax.coef_, softmax.intercept_ = _both(softmax.coef_) / 2, _both(softmax.intercept_) / 2
    weights = _MACHINE * machine.coef_.T + softmax.coef_.T
    bias = _MACHINE * machine.intercept_ + softmax.intercept_
    return weights[:terms].astype(np.float32), weights[terms:].astype(np.float32), bias.astype(np.float32)


def _both(one: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([-one, one])


def _sharpened(tier: Tier, sharpness: float) -> Tier:
    return Tier(tier.terms, tier.dense, tier.bias, sharpness, tier.near, tier.scope)


def _sharpness(scores: Sequence[Floats], truths: Sequence[int]) -> float:
    """By how much to multiply scores so that their probabilities are right: the likeliest of a grid."""
    if not scores:
        return 1.0
    best = (np.inf, 1.0)
    for sharpness in np.exp(np.linspace(np.log(0.3), np.log(20), 40)):
        loss = 0.0
        for row, truth in zip(scores, truths, strict=True):
            scaled = row * sharpness
            top = scaled.max()
            loss += float(np.log(np.exp(scaled - top).sum()) + top - scaled[truth])
        best = min(best, (loss, float(sharpness)))
    return best[1]


def _scope(found: Sequence[Sequence[float]], inside: Sequence[bool]) -> Scope:
    """The detector: :data:`USUAL`, moved a little to what tells this assistant's left-out intents from the others.

    Signs are measured by how they are spread where a message is in scope. The bias is such that at least ``_KEEP`` of those are kept.
    """
    from scipy.optimize import minimize

    table, truth = np.asarray(found, np.float64), np.asarray(inside, bool)
    usual = np.asarray(USUAL, np.float64)
    if not truth.any():
        return Scope(np.zeros(len(usual), np.float32), np.ones(len(usual), np.float32), np.zeros(len(usual), np.float32), 4.0)
    means, spreads = table[truth].mean(0), np.maximum(table[truth].std(0), 0.05)
    standard = np.clip((table - means) / spreads, -CLIP, CLIP)
    weights: NDArray[np.float64] = usual
    if not truth.all():
        even = np.where(truth, 0.5 / truth.mean(), 0.5 / (1 - truth.mean()))

        def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            logits = standard @ values[:-1] + values[-1]
            moved = values[:-1] - usual
            miss = even * (1 / (1 + np.exp(-logits)) - truth)
            total = float((even * (np.logaddexp(0, logits) - truth * logits)).sum() + _STAY * moved @ moved / 2)
            return total, np.append(standard.T @ miss + _STAY * moved, miss.sum())

        weights = minimize(loss, np.append(usual, 0.0), jac=True, method="L-BFGS-B").x[:-1]
    logits = standard @ weights
    threshold = float(np.quantile(logits[truth], 1 - _KEEP))
    if not truth.all():
        # Customers say it in other words than the examples' author: where there is room below, the threshold moves down half of it.
        threshold = min(threshold, (threshold + float(np.quantile(logits[~truth], _LEFT_OUT))) / 2)
    bias = -threshold
    return Scope(means.astype(np.float32), spreads.astype(np.float32), weights.astype(np.float32), bias)
