"""The table of words' meanings, and the terms beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.understand.intents import vectors as vectors_module
from bot.understand.intents.distil import distil, write
from bot.understand.intents.terms import LONGEST_WORD, Terms, runs, said
from bot.understand.intents.vectors import english
from memory.search.layout import Floats


def test_words_of_one_meaning_are_near() -> None:
    table = english()

    def near(one: str, other: str) -> float:
        return float(table.of(said(one)) @ table.of(said(other)))

    assert near("refund", "reimburse") > near("refund", "weather") + 0.2
    assert near("my card was stolen", "somebody nicked my card") > near("my card was stolen", "what is my balance") + 0.2


def test_nothing_known_has_no_direction() -> None:
    table = english()

    assert not table.of([]).any()
    assert not table.of(["qzxqzx"]).any()
    assert np.linalg.norm(table.of(["card"])) == pytest.approx(1, abs=1e-5)


def test_an_ending_does_not_make_a_word_unknown() -> None:
    table = english()
    word = next(word for word in table._numbers if len(word) > 4 and f"{word}ly" not in table._numbers)

    assert table.number(f"{word}ly") == table.number(word)
    assert "zzqqly" not in table


def test_runs_have_the_words_ends() -> None:
    assert runs("to") == [" t", "to", "o ", " to", "to ", " to "]
    assert all(2 <= len(run) <= 5 for run in runs("transfer"))


def test_a_text_has_length_one_in_each_kind() -> None:
    terms = Terms.of([said("send money to my brother"), said("send a card")])
    sparse = terms.sparse(said("sending money money"))
    words = sparse.numbers < len(terms.word_terms)

    assert np.linalg.norm(sparse.weights[~words]) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(sparse.weights[words]) == pytest.approx(0.9, abs=1e-5)
    assert not len(terms.sparse(["東京"]).numbers)


def test_rare_terms_weigh_more() -> None:
    terms = Terms.of([said("my card"), said("my money"), said("my house")])
    sparse = dict(zip(terms.sparse(said("my card")).numbers.tolist(), terms.sparse(said("my card")).weights.tolist(), strict=True))

    assert sparse[terms.word_terms.index("card")] > sparse[terms.word_terms.index("my")]


def test_words_are_cut() -> None:
    assert said("a" * 1000) == ["a" * LONGEST_WORD]


class Places:
    """An encoder that sees a text as the sum of its words' places."""

    name = "places/1"

    def __init__(self, words: Sequence[str]) -> None:
        self._rows = dict(zip(words, np.random.default_rng(1).normal(size=(len(words), 8)).astype(np.float32), strict=True))

    def encode(self, texts: Sequence[str]) -> Floats:
        rows = np.stack([np.sum([self._rows[word] * (3 if word == "loud" else 1) for word in said(text)], axis=0) for text in texts])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_a_table_is_learned_from_an_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["the", "loud", "card", "money", "house", "train", "green", "old", "letter", "street"]
    random = np.random.default_rng(2)
    texts = [" ".join(random.choice(words, 4, replace=False)) for _ in range(600)]
    encoder = Places(words)
    file = tmp_path / "vectors.npz"
    write(file, *distil(words, texts[:500], encoder, width=8))
    monkeypatch.setattr(vectors_module, "TABLE", file)
    table = english.__wrapped__()

    # A turned copy of the encoder's space: what counts is how texts lie to each other.
    seen = np.stack([table.of(said(text)) for text in texts[500:]])
    meant = encoder.encode(texts[500:])
    assert np.corrcoef((seen @ seen.T).ravel(), (meant @ meant.T).ravel())[0, 1] > 0.8
