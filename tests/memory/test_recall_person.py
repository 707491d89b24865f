"""recall(): what is most useful comes first, within the budget, each with why and from where; nothing of anybody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from memory.consents import keep_consent
from memory.customers import Known
from memory.database import Database, Tx
from memory.declared import Declarations, Declared, Product, Stage
from memory.exchanges import exchange_row, log
from memory.experiences import experience_row, keep_experiences
from memory.facts import AGENT, SYSTEM
from memory.journeys import move_journey
from memory.known import refresh_known
from memory.promises import make_promise
from memory.recall import Recalled, recall
from memory.summaries import keep_summaries
from memory.values import Type
from tests.memory.asked import asked
from tests.memory.people import START, after, meet, tell

CARD = Product("card", "Your card", (Stage("active", "in use"), Stage("lost", "reported lost", next="send a new one", open=True)))
DECLARED = Declarations(
    facts={
        "phone": Declared("phone", Type.PHONE, title="phone number", fresh_days=30),
        "balance": Declared("balance", title="balance", proof="confirmed"),
    },
    products={"card": CARD},
)


@pytest.fixture
async def cora(database: Database) -> Known:
    return await meet(database, name="Cora Bell")


def said(who: Known, n: int, text: str, *, author: str = "customer", at: float | None = None) -> dict[str, Any]:
    return exchange_row(
        id=n,
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        turn_id=n,
        direction="in" if author == "customer" else "out",
        author=author,
        kind="text",
        text=text,
        at=after(n if at is None else at),
    )


async def recalled(database: Database, who: Known, **options: Any) -> Recalled:
    given: dict[str, Any] = {"declared": DECLARED, "now": after(3600), **options}
    found = await database.read(lambda tx: recall(tx, who.customer_id, **given))
    assert found is not None
    return found


def kinds(found: Recalled) -> list[str]:
    return list(dict.fromkeys(item.kind for item in found.items))


async def fill(database: Database, who: Known) -> None:
    def everything(tx: Tx) -> None:
        log(tx, [said(who, 1, "I lost my card in Leeds"), said(who, 2, "It is blocked now.", author="assistant")])
        tell(tx, who.customer_id, "phone", "+441132496000", at=START, exchange_id=1)
        tell(tx, who.customer_id, "phone", "+441132496111", at=after(5), source=SYSTEM)
        tell(tx, who.customer_id, "balance", "12 pounds", at=START, source=AGENT, by="Bea")
        tell(tx, who.customer_id, "tone", "formal", at=START)
        tell(tx, who.customer_id, "city", "Leeds", at=START, confidence=0.6)
        keep_consent(tx, who.customer_id, "offers", granted=False, version="1", text="Offers?", channel="telegram", at=START)
        move_journey(tx, who.customer_id, "card", "lost", by="customer", at=START)
        for n in (1, 2):
            row = experience_row(key=f"{n}.failed", customer_id=who.customer_id, good=False, kind="failed", weight=1.0, at=after(n))
            keep_experiences(tx, [row])
        make_promise(tx, who.customer_id, "A new card is sent", by="Bea", at=START, due_at=after(60), exchange_id=2)
        row = {
            "customer_id": who.customer_id,
            "identity_id": who.identity_id,
            "first_id": 1,
            "last_id": 2,
            "began_at": START,
            "ended_at": after(2),
            "wanted": "I lost my card",
            "done": "It is blocked now.",
            "ending": "told",
            "promised": "",
            "links": {"wanted": [1], "done": [2]},
        }
        keep_summaries(tx, [row])
        refresh_known(tx, [who.customer_id])

    await database.write(everything)


async def test_an_agent_is_given_what_must_not_be_got_wrong_first(database: Database, cora: Known) -> None:
    await fill(database, cora)

    found = await recalled(database, cora)

    assert kinds(found) == [
        "warning",
        "promise",
        "contradiction",
        "fact",
        "identity",
        "journey",
        "exchange",
        "summary",
        "preference",
        "proposal",
        "consent",
        "experience",
    ]
    assert found.left_out == 0
    by_kind = {item.kind: item for item in reversed(found.items)}
    assert "failed on 05 Jan" in by_kind["warning"].text
    assert (by_kind["promise"].why, by_kind["promise"].source) == ("promised and overdue", "Bea")
    assert by_kind["contradiction"].source == "system"
    assert by_kind["journey"].text == "Your card: reported lost; next: send a new one"
    assert by_kind["summary"].exchange_id == 1
    assert all(item.why and item.source for item in found.items)


async def test_an_action_is_given_values_first(database: Database, cora: Known) -> None:
    await fill(database, cora)

    assert kinds(await recalled(database, cora, for_="action"))[:3] == ["fact", "consent", "preference"]


async def test_a_budget_keeps_the_most_useful(database: Database, cora: Known) -> None:
    await fill(database, cora)

    found = await recalled(database, cora, budget=200)

    assert sum(len(item.text) + len(item.why) + len(item.source) for item in found.items) <= 200
    assert found.items[0].kind == "warning"
    assert found.left_out > 5


async def test_a_talkative_past_does_not_crowd_out_the_rest(database: Database, cora: Known) -> None:
    await fill(database, cora)
    await database.write(lambda tx: log(tx, [said(cora, n, "on and on " * 30) for n in range(10, 30)]))

    found = await recalled(database, cora, budget=2000)

    assert {"summary", "fact", "consent"} <= set(kinds(found))


async def test_what_needs_a_better_proof_is_withheld_and_named(database: Database, cora: Known) -> None:
    await fill(database, cora)

    seen, confirmed = await recalled(database, cora, level="seen"), await recalled(database, cora, level="confirmed")

    assert seen.withheld == ("balance",)
    assert "12 pounds" not in seen.text
    assert confirmed.withheld == ()
    assert "12 pounds" in confirmed.text


async def test_an_old_fact_is_recalled_as_stale(database: Database, cora: Known) -> None:
    await fill(database, cora)

    young = next(item for item in (await recalled(database, cora)).items if item.kind == "fact" and "phone" in item.text)
    old = await recalled(database, cora, now=START + timedelta(days=31))

    assert not young.stale
    assert next(item for item in old.items if item.kind == "fact" and "phone" in item.text).stale


async def test_a_query_brings_the_moment_with_what_was_said_around_it(database: Database, cora: Known) -> None:
    dora = await meet(database, "43", name="Dora")
    rows = [said(cora, n, f"small talk number {n}") for n in range(1, 40)]
    rows[4] = said(cora, 5, "the courier dropped my parcel in Whitby harbour")
    await database.write(lambda tx: log(tx, rows))
    await database.write(lambda tx: log(tx, [said(dora, 100, "my parcel is in Whitby harbour too")]))

    found = await recalled(database, cora, query="what happened to the parcel in the harbour?")

    moment = next(item for item in found.items if item.kind == "moment")
    assert moment.exchange_id == 5
    assert "courier dropped" in moment.text
    assert "number 6" in moment.text
    assert "too" not in found.text


async def test_a_stranger_has_no_memory(database: Database) -> None:
    assert await database.read(lambda tx: recall(tx, 4711, declared=DECLARED, now=START)) is None


async def test_it_takes_as_many_round_trips_however_long_the_history(database: Database, cora: Known) -> None:
    await fill(database, cora)
    counts = []
    for first in (10, 2000):
        await database.write(lambda tx, first=first: log(tx, [said(cora, n, "words and words") for n in range(first, first + 1990)]))  # type: ignore[misc]
        with asked() as executed:
            await recalled(database, cora)
        counts.append(len(executed))

    assert counts == ([2, 2] if database.is_sqlite else [1, 1])
