"""Searching a customer's past by words: what is found, whose it is, and what the index may not change about it."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from memory.customers import Known
from memory.database import Database, Tx, table
from memory.search import index as index_module
from memory.search import past as past_module
from memory.search.find import find
from memory.search.index import drop_index, index_exchanges, waiting
from memory.search.layout import DOCS_PER_BLOCK
from memory.search.tables import SearchPosting, SearchState
from memory.search.words import VERSION, ask
from tests.memory.people import START, after, meet, pause, someone_blocked
from tests.memory.search.talks import LATER, found, index_all, index_rows, look, say

DAY = timedelta(days=1)
THINGS = ("card", "loan", "transfer", "refund", "cheque", "mortgage", "statement", "password", "branch", "deposit")
DEEDS = ("lost", "stolen", "blocked", "opened", "cancelled", "renewed", "disputed", "received", "ordered", "missed")


async def long_talk(database: Database, who: Known, exchanges: int, *, seed: int = 1) -> list[int]:
    """So many exchanges about a few things, twenty a day."""
    rng = random.Random(seed)
    ids: list[int] = []
    for day in range(-(-exchanges // 20)):
        texts = [f"The {rng.choice(THINGS)} was {rng.choice(DEEDS)} again, number {rng.randrange(10_000)}" for _ in range(20)]
        ids += await say(database, who, *texts[: exchanges - len(ids)], at=START + day * DAY, name="Cora")
    return ids


async def test_words_are_found_in_any_form_with_what_was_said_around_them(database: Database, cora: Known) -> None:
    hello, lost, asked = await say(database, cora, "Hello", "I lost my blue cards on the train", "Which branch is nearest?")
    await say(database, cora, "The weather is nice", at=START + DAY)
    await index_all(database, cora)

    first = (await look(database, cora, "card lost"))[0]

    assert (first.customer_id, first.exchange_id) == (cora.customer_id, lost)
    assert (first.before_id, first.after_id) == (hello, asked)
    assert first.why == "words: card, lost"


async def test_neighbours_end_with_the_session(database: Database, cora: Known) -> None:
    await say(database, cora, "Good morning")
    (mid,) = await say(database, cora, "The cheque arrived", at=START + DAY)
    await say(database, cora, "Good night", at=START + 2 * DAY)
    await index_all(database, cora)

    (moment,) = await look(database, cora, "cheque")

    assert (moment.exchange_id, moment.before_id, moment.after_id) == (mid, None, None)


async def test_an_answer_is_found_by_the_words_of_the_question_before_it(database: Database, cora: Known) -> None:
    await say(database, cora, "Thanks, bye")
    (asked,) = await say(database, cora, "When does the mortgage begin?", at=START + DAY)
    (answer,) = await say(database, cora, "On the first of June", author="agent", at=START + DAY + timedelta(minutes=1))
    await index_all(database, cora)

    moments = await look(database, cora, "mortgage")

    assert {moment.exchange_id for moment in moments} == {asked, answer}
    assert next(moment.why for moment in moments if moment.exchange_id == answer) == "just before: mortgage"


async def test_an_answer_further_on_is_found_by_what_its_session_is_about(database: Database, cora: Known) -> None:
    for day, thing in enumerate(("mortgage", "passport", "violin")):
        await say(database, cora, f"It is about my {thing}", "Hello?", at=START + day * DAY)
        said = await say(database, cora, f"No {day}", "You pay 300", author="agent", at=START + day * DAY + timedelta(minutes=5))
        if thing == "passport":
            answer = said[1]
    await index_all(database, cora)

    moments = await look(database, cora, "how much was it for the passport?")

    assert len(moments) == 4
    assert next(moment.why for moment in moments if moment.exchange_id == answer) == "around: passport"


async def test_nothing_of_another_customer_is_found(database: Database, cora: Known) -> None:
    other = await meet(database, "43", name="Otto")
    await say(database, cora, "My secret loan", "nothing more")
    theirs = await say(database, other, "My public loan", "nothing less")

    for indexed in (False, True):
        assert await found(database, other, "loan") == theirs
        assert await found(database, other, "secret") == []
        if not indexed:
            await index_all(database, cora)
            await index_all(database, other)


async def test_two_customers_who_are_one_person_are_searched_together(database: Database, cora: Known) -> None:
    web = await meet(database, "web-1", name="Cora")
    (here,) = await say(database, cora, "The parcel with the router is late")
    await say(database, cora, "Something else", at=START + DAY)
    (there,) = await say(database, web, "About the router: which socket?")
    await index_all(database, cora)

    moments = await look(database, [cora, web], "router")

    assert {(moment.customer_id, moment.exchange_id) for moment in moments} == {(cora.customer_id, here), (web.customer_id, there)}
    assert await look(database, [web, cora, web], "router") == await look(database, [web, cora], "router")


@pytest.mark.parametrize("indexed_part", [0.0, 0.3, 1.0])
async def test_what_is_found_does_not_depend_on_how_far_the_index_reaches(database: Database, cora: Known, indexed_part: float) -> None:
    ids = await long_talk(database, cora, 150)
    questions = ("stolen card", "which refund was disputed", "mortgage on Tuesday", "cancelled transfer 77")
    before = [await look(database, cora, question) for question in questions]
    assert all(before)

    rows = [row for row in await database.read(lambda tx: waiting(tx, cora.customer_id, settled=LATER)) if row.id <= ids[-1]]
    await database.write(lambda tx: index_exchanges(tx, cora.customer_id, rows[: int(len(rows) * indexed_part)]))

    assert [await look(database, cora, question) for question in questions] == before


async def test_indexing_in_small_steps_makes_the_same_index(database: Database, cora: Known) -> None:
    await long_talk(database, cora, 3 * DOCS_PER_BLOCK + 5)
    await index_all(database, cora)
    at_once = await database.read(index_rows)
    await database.write(lambda tx: drop_index(tx, cora.customer_id))

    assert await index_all(database, cora, limit=7) == 3 * DOCS_PER_BLOCK + 5

    assert await database.read(index_rows) == at_once


async def test_indexing_twice_changes_nothing(database: Database, cora: Known) -> None:
    await long_talk(database, cora, 70)
    rows = await database.read(lambda tx: waiting(tx, cora.customer_id, settled=LATER))

    assert await database.write(lambda tx: index_exchanges(tx, cora.customer_id, rows)) == 70
    once = await database.read(index_rows)
    assert await database.write(lambda tx: index_exchanges(tx, cora.customer_id, rows)) == 0
    assert await database.write(lambda tx: index_exchanges(tx, cora.customer_id, rows[-3:])) == 0

    assert await database.read(index_rows) == once
    assert await database.read(lambda tx: waiting(tx, cora.customer_id, settled=LATER)) == []


async def test_the_last_minutes_wait_and_are_found_all_the_same(database: Database, cora: Known) -> None:
    (old,) = await say(database, cora, "My first loan")
    (new,) = await say(database, cora, "My second loan", at=after(3600))

    rows = await database.read(lambda tx: waiting(tx, cora.customer_id, settled=after(1800)))

    assert [row.id for row in rows] == [old]
    await database.write(lambda tx: index_exchanges(tx, cora.customer_id, rows))
    assert set(await found(database, cora, "loan")) == {old, new}


async def test_an_exchange_that_came_late_is_indexed_once(database: Database, cora: Known) -> None:
    await say(database, cora, *["Nothing much"] * 40, turn=10)
    await say(database, cora, "Nothing either", turn=30, at=after(7200))
    await index_all(database, cora)
    (late,) = await say(database, cora, "The cheque bounced", turn=20, at=after(3600))

    assert await found(database, cora, "cheque") == []
    assert await index_all(database, cora) == 1
    moment = (await look(database, cora, "cheque"))[0]
    assert (moment.exchange_id, moment.why) == (late, "words: cheque")
    assert await index_all(database, cora) == 0


async def test_a_late_one_long_before_the_newest_is_known_to_be_there(
    database: Database, cora: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is below the documents that are looked at again is taken to be indexed: it is not made a document twice."""
    monkeypatch.setattr(index_module, "LOOK_BACK", DOCS_PER_BLOCK)
    ids = await long_talk(database, cora, 5 * DOCS_PER_BLOCK)
    everything = await database.read(lambda tx: waiting(tx, cora.customer_id, settled=LATER))
    await index_all(database, cora)

    assert await database.write(lambda tx: index_exchanges(tx, cora.customer_id, everything)) == 0
    assert len(everything) == len(ids)


async def test_an_edit_is_found_as_its_message(database: Database, cora: Known) -> None:
    (message,) = await say(database, cora, "I moved to Berln street")
    await say(database, cora, "I moved to Berlin street", kind="edit", about_id=message, at=after(60))
    await say(database, cora, "👍", kind="reaction", about_id=message, at=after(90))
    await say(database, cora, "Berlin", kind="press", about_id=message, at=after(95))

    for _ in range(2):
        assert await found(database, cora, "Berlin") == [message]
        assert await found(database, cora, "street") == [message]
        await index_all(database, cora)


async def test_who_is_named_has_said_it(database: Database, cora: Known) -> None:
    await say(database, cora, "The tariff is expensive", name="Cora")
    (bea,) = await say(database, cora, "The tariff is expensive", author="agent", name="Bea Miller", at=START + DAY)
    await say(database, cora, "The tariff is expensive", author="agent", name="Theo", at=START + 2 * DAY)
    await index_all(database, cora)

    moments = await look(database, cora, "What did Bea think of the tariff?")

    assert moments[0].exchange_id == bea
    assert moments[0].why == "words: tariff; who is named"


async def test_a_time_in_the_question_counts(database: Database, cora: Known) -> None:
    ids = [(await say(database, cora, "The bill was wrong", at=START + months * 30 * DAY))[0] for months in range(10)]
    await index_all(database, cora)
    now = START + 300 * DAY

    assert (await found(database, cora, ask("what was wrong with the bill in April?", now=now)))[0] == ids[3]
    assert (await found(database, cora, ask("was the bill wrong in 2026-04 or April 2026", now=now)))[0] == ids[3]


async def test_exchanges_from_one_on_are_left_out(database: Database, cora: Known) -> None:
    ids = await say(database, cora, "one loan", "two loans", "three loans")
    await index_all(database, cora)

    assert set(await found(database, cora, "loan", until_id=ids[2])) == set(ids[:2])


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   ",
        "😀🎉",
        "?!",
        "'; DROP TABLE customer; --",
        '" OR 1=1 NEAR(card) * NOT card:',
        "the of and",
        "word " * 10_000,
        " ".join(f"w{n}" for n in range(10_000)),
        "\x00\ud7ff",
        "日本語のカード",
        "a" * 50_000,
        "%_%",
    ],
)
async def test_any_question_is_safe(database: Database, cora: Known, question: str) -> None:
    (card,) = await say(database, cora, "My card is here")
    await index_all(database, cora)

    assert await found(database, cora, question) in ([], [card])


async def test_any_text_can_be_indexed_and_found_again(database: Database, cora: Known) -> None:
    texts = [
        "😀",
        "日本語のカードをなくしました",
        "I " + "really " * 9_000 + "lost the zebra",
        " ".join(f"word{n}" for n in range(10_000)),
        "Ünïcödé — naïve",
        "<b>bold</b> & 'quoted'",
        "x" * 20_000,
        "0",
    ]
    ids = await say(database, cora, *texts)
    assert (await found(database, cora, "UNICODE"))[0] == ids[4], "found before it is indexed, as what comes after it is not too long"

    await index_all(database, cora)

    assert (await found(database, cora, "カード"))[0] == ids[1]
    assert (await found(database, cora, "a zebra?"))[0] == ids[2]
    assert (await found(database, cora, "word77"))[0] == ids[3]
    assert (await found(database, cora, "UNICODE"))[0] == ids[4]


async def test_of_long_texts_that_are_not_indexed_the_newest_are_read(database: Database, cora: Known) -> None:
    ids = await say(database, cora, *[f"card {'really ' * 2000}" for _ in range(6)])

    assert set(await found(database, cora, "card")) == set(ids[-2:])
    await index_all(database, cora)
    assert set(await found(database, cora, "card")) == set(ids)


async def test_two_processes_index_the_same_exchanges_once(two: tuple[Database, Database]) -> None:
    first, second = two
    cora = await meet(first)
    ids = await long_talk(first, cora, 100)

    def index_waiting(tx: Tx) -> int:
        return index_exchanges(tx, cora.customer_id, waiting(tx, cora.customer_id, settled=LATER))

    made = await asyncio.gather(*(one.write(index_waiting) for one in (first, second, first, second)))

    assert sorted(made) == [0, 0, 0, 100]
    assert len(await found(first, cora, " ".join(THINGS), limit=1000)) == len(ids)


async def test_an_index_dropped_while_another_process_writes_it_leaves_nothing(two: tuple[Database, Database]) -> None:
    first, second = two
    cora = await meet(first)
    await long_talk(first, cora, 3 * DOCS_PER_BLOCK)
    await index_all(first, cora)
    (new,) = await say(first, cora, "One more card", at=START + 90 * DAY)

    def slowly(tx: Tx) -> None:
        index_exchanges(tx, cora.customer_id, waiting(tx, cora.customer_id, settled=LATER))
        pause(someone_blocked(first))

    await asyncio.gather(first.write(slowly), second.write(lambda tx: drop_index(tx, cora.customer_id)))

    assert await first.read(index_rows) == []
    assert new in await found(first, cora, "card")


async def test_a_customer_without_a_past_has_nothing_to_find(database: Database, cora: Known) -> None:
    assert await found(database, cora, "card") == []
    assert await database.read(lambda tx: find(tx, [], "card")) == []
    assert await database.read(lambda tx: find(tx, [987654321], "card")) == []


class TestLong:
    """A history of which the older part is folded; with small numbers, the same code as with large ones."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index_module, "FOLD", DOCS_PER_BLOCK)
        monkeypatch.setattr(index_module, "FOLD_AT", 2 * DOCS_PER_BLOCK)
        for module in (index_module, past_module):
            monkeypatch.setattr(module, "POSTINGS_PER_BLOCK", 8)

    async def test_folding_changes_nothing_that_is_found(self, database: Database, cora: Known) -> None:
        await long_talk(database, cora, 9 * DOCS_PER_BLOCK - 3)
        questions = ("stolen card", "which refund was disputed", "a cancelled transfer", "mortgage or deposit, renewed or missed")
        index_module.FOLD_AT, kept = 10**6, index_module.FOLD_AT
        await index_all(database, cora)
        unfolded = [await look(database, cora, question, limit=5) for question in questions]
        await database.write(lambda tx: drop_index(tx, cora.customer_id))
        index_module.FOLD_AT = kept

        await index_all(database, cora, limit=50)

        state = await database.read(lambda tx: tx.execute(sa.select(table(SearchState))).one())
        assert (state.documents, state.folded) == (9 * DOCS_PER_BLOCK - 3, 7 * DOCS_PER_BLOCK)
        folded = [await look(database, cora, question, limit=5) for question in questions]
        for one, other in zip(folded, unfolded, strict=True):
            assert [(m.exchange_id, m.before_id, m.after_id, m.why) for m in one] == [
                (m.exchange_id, m.before_id, m.after_id, m.why) for m in other
            ]

    async def test_a_words_postings_are_all_there_in_order(self, database: Database, cora: Known) -> None:
        await long_talk(database, cora, 6 * DOCS_PER_BLOCK)
        await index_all(database, cora)

        def blocks(tx: Tx) -> dict[int, dict[int, Any]]:
            rows: dict[int, dict[int, Any]] = {}
            for row in tx.execute(sa.select(table(SearchPosting)).order_by(table(SearchPosting).c.block)):
                rows.setdefault(row.term, {})[row.block] = row
            return rows

        for rows in (await database.read(blocks)).values():
            assert sorted(rows) == list(range(len(rows)))
            assert rows[0].before == 8 * (len(rows) - 1)
            docs = b"".join(rows[n].docs for n in [*range(1, len(rows)), 0])
            numbers = [int.from_bytes(docs[start : start + 4], "little") for start in range(0, len(docs), 6)]
            assert numbers == sorted(set(numbers))

    async def test_of_frequent_words_the_newer_part_is_read(self, database: Database, cora: Known, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(past_module, "POSTING_BLOCKS", 2)
        ids = await say(database, cora, *["The card again"] * (6 * DOCS_PER_BLOCK))
        await index_all(database, cora)

        hits = await found(database, cora, "card", limit=1000)

        assert len(hits) < len(ids)
        assert min(hits) > ids[len(ids) // 2]
        assert set(ids[-DOCS_PER_BLOCK - 16 :]) <= set(hits)


async def test_an_index_of_other_rules_is_left_aside_and_made_anew(database: Database, cora: Known) -> None:
    ids = await say(database, cora, "My card", "My other card")
    await index_all(database, cora)
    await database.write(lambda tx: tx.execute(sa.update(table(SearchState)).values(words=VERSION + 1)))

    assert set(await found(database, cora, "card")) == set(ids)
    rows = await database.read(lambda tx: waiting(tx, cora.customer_id, settled=LATER))
    assert await database.write(lambda tx: index_exchanges(tx, cora.customer_id, rows)) == 0
    assert await index_all(database, cora) == 2
    assert set(await found(database, cora, "card")) == set(ids)


async def test_dropping_an_index_leaves_the_others(database: Database, cora: Known) -> None:
    other = await meet(database, "43")
    await say(database, cora, "My card")
    await say(database, other, "My card")
    await index_all(database, cora)
    before = await database.read(index_rows)
    await index_all(database, other)

    await database.write(lambda tx: drop_index(tx, other.customer_id))

    assert await database.read(index_rows) == before
