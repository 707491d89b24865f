"""What agents note from the topic: promises, stages, facts, and that somebody waited too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.desks.casework import Casework
from bot.desks.noting import due_of
from bot.turn.packet import read_packet, read_return_packet
from memory.clock import ManualClock
from memory.context import Context, recall
from memory.database import Database
from memory.journeys import journey_history, move_journey
from memory.known import refresh_known
from tests.bot.desks.cases import ANN, BOB, REPLIES, Case, open_case
from tests.bot.turn.gathered import DECLARED

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
async def case(database: Database, clock: ManualClock) -> Case:
    opened = await open_case(database, clock)
    object.__setattr__(opened, "casework", Casework(REPLIES, DECLARED, late_claim_s=900))
    return opened


async def known(case: Case) -> Context:
    return (await case.database.read(lambda tx: recall(tx, [case.identity_id])))[case.identity_id]


@pytest.mark.parametrize(
    ("words", "due", "text"),
    [
        ("2d We will call", NOW + timedelta(days=2), "We will call"),
        ("90 min: We will call", NOW + timedelta(minutes=90), "We will call"),
        ("1w\nTwo\nlines", NOW + timedelta(days=7), "Two\nlines"),
        ("24 Nov 17:00: We will call", datetime(2026, 11, 24, 17, 0, tzinfo=UTC), "We will call"),
        ("4 January We will call", datetime(2027, 1, 4, 17, 0, tzinfo=UTC), "We will call"),
        ("4 Jan 2026 We will call", datetime(2026, 1, 4, 17, 0, tzinfo=UTC), "We will call"),
        ("tomorrow at 9:30, we will call", datetime(2026, 1, 6, 9, 30, tzinfo=UTC), "we will call"),
        ("17:30 We will call", datetime(2026, 1, 5, 17, 30, tzinfo=UTC), "We will call"),
    ],
)
def test_when_a_promise_is_due(words: str, due: datetime, text: str) -> None:
    assert due_of(words, NOW, UTC) == (due, text)


@pytest.mark.parametrize(
    "words", ["", "We will call", "2d", "2d ", "soon We call", "31 Feb We call", "12 Foo We call", "25:00 We call", "9 We call"]
)
def test_what_is_no_time(words: str) -> None:
    assert due_of(words, NOW, UTC) is None


def test_times_are_the_companys() -> None:
    assert due_of("1 Jul 17:00 x", NOW, ZoneInfo("Europe/London")) == (datetime(2026, 7, 1, 16, 0, tzinfo=UTC), "x")


async def test_a_promise_reaches_the_customer_and_is_remembered(case: Case) -> None:
    await case.says(ANN, "/promise 2d We call <you>")

    (told,) = await case.told()
    assert told.text == "<b>Ann</b>:\nWe call &lt;you&gt;\n<i>By 7 Jan 2026, 09:00 UTC</i>"
    (promise,) = (await known(case)).promises
    (logged,) = await case.exchanges()
    assert (promise.text, promise.by, promise.exchange_id) == ("We call <you>", "Ann Archer", logged.id)
    assert promise.due_at == case.clock.now() + timedelta(days=2)
    handoff = await case.handoff()
    assert handoff.state == "owned"
    assert [one.id for one in read_packet(handoff.packet).promises] == [promise.id]


async def test_an_edited_promise_changes_nothing(case: Case) -> None:
    await case.says(ANN, "/promise 2d We call you", message_id="m1")
    await case.edits(ANN, "m1", "/promise 3d We call you twice")

    assert len(await case.told()) == 1


@pytest.mark.parametrize("words", ["/promise soon We call you", "/promise 4 Jan 2026 We call you", "/promise"])
async def test_what_cannot_be_promised_takes_no_case(case: Case, words: str) -> None:
    await case.says(ANN, words)

    assert await case.told() == []
    assert (await case.handoff()).state == "waiting"
    assert (await case.posts())[-1].startswith("Not promised")


async def test_nobody_promises_in_anothers_case(case: Case) -> None:
    await case.says(ANN, "Hello")
    await case.says(BOB, "/promise 2d We call you")

    assert (await known(case)).promises == ()
    assert (await case.posts())[-1] == "Not sent: Ann Archer holds this case."


async def test_a_promise_is_kept_once_and_only_this_customers(case: Case, database: Database, clock: ManualClock) -> None:
    other = await open_case(database, clock, topic="78", address="43")
    await other.says(ANN, "/promise 2d We call you")
    await case.says(ANN, "/promise 2d We call you")
    (mine,), (theirs,) = (await known(case)).promises, (await known(other)).promises

    await case.says(BOB, f"/kept {theirs.id}")
    await case.says(BOB, f"/kept №{mine.id}")
    await case.says(BOB, f"/kept {mine.id}")

    assert [one.state for one in (await known(other)).promises] == ["open"]
    assert (await known(case)).promises == ()
    numbers = "Not noted: write /kept and the number of one of this customer's promises: "
    assert [post for post in await case.posts() if "№" in post or "/kept" in post][-3:] == [
        f"{numbers}{mine.id}.",
        f"№ {mine.id} is kept.",
        f"{numbers}none is open.",
    ]


async def test_the_return_packet_has_what_is_still_promised(case: Case) -> None:
    await case.says(ANN, "/promise 2d We call you")
    await case.says(ANN, "/return")

    (promise,) = read_return_packet((await case.handoff()).return_packet).promises
    assert (promise.text, promise.by) == ("We call you", "Ann Archer")


async def test_a_fact_is_checked_and_named_by_who_noted_it(case: Case) -> None:
    for words in ("/fact phone 020 7946 0018", "/fact phone 12", "/fact interests loans", "/fact shoe_size 43", "/fact phone"):
        await case.says(ANN, words)

    fact = (await known(case)).facts["phone"]
    assert (fact.value, fact.source, fact.by) == ("+442079460018", "agent", "Ann Archer")
    posts = await case.posts()
    assert posts[0] == "Noted: telephone number."
    assert posts[1].startswith("Not noted: expected a telephone number")
    assert "customer's consent" in posts[2]
    assert all(post.startswith("Not noted: write /fact") for post in posts[3:])
    (shown,) = [one for one in read_packet((await case.handoff()).packet).facts if one.name == "phone"]
    assert (shown.shown, shown.by) == ("+442079460018", "Ann Archer")
    assert (await case.handoff()).state == "waiting"


async def test_a_stage_is_moved_by_hand(case: Case) -> None:
    for words in ("/stage card with us", "/stage card with us", "/stage card nowhere", "/stage boat lost"):
        await case.says(ANN, words)

    posts = await case.posts()
    assert posts[:2] == ["Card: With a person.", "Card stands there already."]
    assert posts[2] == "Not moved: write /stage, a product and a stage: card: active, lost, with us."
    (step,) = await case.database.read(lambda tx: journey_history(tx, [case.customer_id]))
    assert (step.to_stage, step.by, step.why) == ("with us", "agent", "Ann Archer")


async def test_a_return_moves_the_journey(case: Case) -> None:
    def lose(tx: object) -> None:
        move_journey(tx, case.customer_id, "card", "with us", by="event", at=case.clock.now())  # type: ignore[arg-type]
        refresh_known(tx, [case.customer_id])  # type: ignore[arg-type]

    await case.database.write(lose)
    await case.says(ANN, "Hello")
    await case.says(ANN, "/return")

    assert [one.stage for one in (await known(case)).journeys] == ["lost"]


@pytest.mark.parametrize(("minutes", "noted"), [(15, []), (26, [("waited", {"minutes": 26, "until": "claimed"})])])
async def test_who_waited_too_long_had_a_bad_moment(case: Case, clock: ManualClock, minutes: float, noted: list[object]) -> None:
    clock.advance(minutes * 60)
    await case.presses(ANN, f"claim:{case.id}")
    await case.presses(BOB, f"claim:{case.id}")

    moments = (await known(case)).experiences
    assert [(one.kind, {k: v for k, v in (one.evidence or {}).items() if k != "handoff"}) for one in moments] == noted
