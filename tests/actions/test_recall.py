"""``action_recall``, called as rasa-sdk's action server calls it, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor

from actions.declared import KEY, as_json
from actions.recall import ActionRecall
from actions.shared import FRESH_VARIABLE, VARIABLE, close_shared_database, shared_database
from memory.clock import ManualClock
from memory.consents import keep_consent
from memory.customers import Known, Profile, find_or_make
from memory.database import Database, Tx
from memory.declared import Declarations, Declared, Purpose
from memory.errors import SchemaMismatch, SettingsError
from memory.exchanges import exchange_id, exchange_row, log
from memory.facts import Told, remember
from memory.handoffs import end_handoff, get_handoff, open_handoff
from memory.journeys import move_journey
from memory.known import refresh_known
from memory.promises import make_promise
from memory.proofs import CONFIRMED, VERIFIED, prove
from tests.memory.people import tell

ANN = "telegram:501"
SLOTS = ("phone", "customer_name", "last_seen", "handoff_open")
DECLARED = Declarations(
    facts={
        "name": Declared("name"),
        "phone": Declared("phone"),
        "city": Declared("city"),
        "account": Declared("account", proof="confirmed"),
        "plan": Declared("plan", fresh_days=30),
        "interests": Declared("interests", purpose="offers"),
    },
    purposes={"offers": Purpose("offers", "Offers", "May we?", "1", "required")},
)


@pytest.fixture(autouse=True)
async def _opened(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setenv(VARIABLE, database_url)
    yield
    await close_shared_database()


async def run(sender: str, slots: tuple[str, ...] = SLOTS, declared: Declarations | None = DECLARED) -> dict[str, Any]:
    """The slots that the action sets, by name; ``declared`` None: the call says nothing of what may be known."""
    executor = ActionExecutor()
    executor.register_action(ActionRecall)
    call = {
        "next_action": "action_recall",
        "sender_id": sender,
        "tracker": {"sender_id": sender, "slots": {}, "events": []},
        "domain": {"slots": {name: {"type": "any"} for name in slots}, **({KEY: as_json(declared)} if declared is not None else {})},
    }
    result = await executor.run(call)
    assert result is not None
    assert result.responses == []
    assert all(event["event"] == "slot" for event in result.events)
    return {event["name"]: event["value"] for event in result.events}


async def meet(database: Database, clock: ManualClock) -> Known:
    """Ann has written once and given her number."""

    def make(tx: Tx) -> Known:
        known = find_or_make(tx, "telegram", [Profile("501", "Ann Lee")], at=clock.now())["501"]
        first = exchange_row(
            id=exchange_id(1, 0),
            customer_id=known.customer_id,
            identity_id=known.identity_id,
            turn_id=1,
            direction="in",
            author="customer",
            kind="contact",
            at=clock.now(),
        )
        log(tx, [first])
        for name, value in (("phone", "+441"), ("city", "London")):
            tell(tx, known.customer_id, name, value, at=clock.now(), exchange_id=first["id"])
        return known

    return await database.write(make)


async def test_what_is_known_and_has_a_slot_is_set(database: Database, clock: ManualClock) -> None:
    await meet(database, clock)
    said_at = clock.now().isoformat()
    clock.advance(3600)

    assert await run(ANN) == {"phone": "+441", "customer_name": "Ann Lee", "last_seen": said_at, "handoff_open": False}
    assert await run(ANN, ("city",)) == {"city": "London"}
    assert await run(ANN, ()) == {}


async def test_a_second_run_says_the_same(database: Database, clock: ManualClock) -> None:
    await meet(database, clock)

    assert await run(ANN) == await run(ANN)


async def test_the_present_is_told(database: Database, clock: ManualClock) -> None:
    ann = await meet(database, clock)
    await run(ANN)

    def change(tx: Tx) -> None:
        tell(tx, ann.customer_id, "phone", "+442", source="agent", at=clock.now())
        tell(tx, ann.customer_id, "name", "Dr Lee", source="agent", at=clock.now())
        open_handoff(tx, 1, ann.customer_id, ann.identity_id, reason="asked", packet={}, at=clock.now())

    await database.write(change)
    present = await run(ANN)
    assert (present["phone"], present["customer_name"], present["handoff_open"]) == ("+442", "Dr Lee", True)

    def end(tx: Tx) -> None:
        handoff = get_handoff(tx, 1)
        assert handoff is not None
        end_handoff(tx, handoff, ending="closed", return_packet={}, at=clock.now())

    await database.write(end)
    assert (await run(ANN))["handoff_open"] is False


@pytest.mark.parametrize("sender", ["telegram:502", "web:501", "501", "telegram:", ":501", "default", ""])
async def test_an_unknown_sender_is_no_error_and_becomes_no_customer(sender: str, database: Database, clock: ManualClock) -> None:
    await meet(database, clock)

    assert await run(sender) == {}
    assert await run(ANN) != {}


async def test_one_database_a_process(database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = await shared_database()
    monkeypatch.delenv(VARIABLE)

    assert await shared_database() is opened


async def test_a_missing_variable_is_named_and_can_be_put_right(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(SettingsError, match=VARIABLE):
        await run(ANN)

    monkeypatch.setenv(VARIABLE, database_url)
    assert await run(ANN) == {}


async def test_an_empty_database_is_refused(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path / 'other.db'}")

    with pytest.raises(SchemaMismatch, match="legato migrate"):
        await run(ANN)


async def test_where_they_stand_and_what_was_promised_is_told(database: Database, clock: ManualClock) -> None:
    ann = await meet(database, clock)

    def fill(tx: Tx) -> None:
        move_journey(tx, ann.customer_id, "card", "lost", by="customer", at=clock.now())
        make_promise(tx, ann.customer_id, "We call you", by="Bea", at=clock.now(), due_at=None, exchange_id=None)
        keep_consent(tx, ann.customer_id, "offers", granted=False, version="1", text="?", channel="telegram", at=clock.now())
        refresh_known(tx, [ann.customer_id])

    await database.write(fill)

    assert await run(ANN, ("journeys", "open_promises", "consents", "earlier_matters")) == {
        "journeys": {"card": "lost"},
        "open_promises": ["We call you"],
        "consents": {"offers": False},
        "earlier_matters": [],
    }


async def confirm(database: Database, ann: Known, at: datetime, level: str = CONFIRMED) -> None:
    await database.write(lambda tx: prove(tx, ann.identity_id, level, how="link", evidence={}, by="customer", at=at))


async def test_a_fact_is_told_only_to_who_is_proven_well_enough(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await meet(database, clock)
    await database.write(lambda tx: tell(tx, ann.customer_id, "account", "12345678", at=clock.now()))
    assert await run(ANN, ("account", "proof")) == {"proof": "seen"}

    long_ago, now = datetime.now(UTC) - timedelta(days=31), datetime.now(UTC)
    await confirm(database, ann, long_ago)  # a proof ages
    assert await run(ANN, ("account", "proof")) == {"proof": "seen"}
    await confirm(database, ann, now - timedelta(hours=2))
    assert await run(ANN, ("account", "proof")) == {"account": "12345678", "proof": "confirmed"}
    monkeypatch.setenv(FRESH_VARIABLE, "3600")
    assert await run(ANN, ("account", "proof")) == {"proof": "seen"}
    await confirm(database, ann, now, VERIFIED)
    assert await run(ANN, ("account", "proof")) == {"account": "12345678", "proof": "verified"}
    monkeypatch.setenv(FRESH_VARIABLE, "a month")
    with pytest.raises(SettingsError, match=FRESH_VARIABLE):
        await run(ANN)


async def test_a_fact_is_used_only_while_its_consent_holds_and_it_is_fresh(database: Database, clock: ManualClock) -> None:
    ann = await meet(database, clock)

    def tell_all(tx: Tx) -> None:
        keep_consent(tx, ann.customer_id, "offers", granted=True, version="1", text="?", channel="telegram", at=clock.now())
        remember(tx, DECLARED, ann.customer_id, Told("interests", "loans", "customer"), at=clock.now())
        remember(tx, DECLARED, ann.customer_id, Told("plan", "gold", "customer"), at=datetime.now(UTC) - timedelta(days=29))
        refresh_known(tx, [ann.customer_id])

    await database.write(tell_all)
    assert await run(ANN, ("interests", "plan")) == {"interests": "loans", "plan": "gold"}

    def withdraw(tx: Tx) -> None:
        clock.advance(1)
        keep_consent(tx, ann.customer_id, "offers", granted=False, version="1", text="?", channel="telegram", at=clock.now())
        refresh_known(tx, [ann.customer_id])

    await database.write(withdraw)
    assert await run(ANN, ("interests", "plan")) == {"plan": "gold"}
    old = Declarations(facts={**DECLARED.facts, "plan": Declared("plan", fresh_days=28)}, purposes=DECLARED.purposes)
    assert await run(ANN, ("interests", "plan"), old) == {}


async def test_a_call_that_says_nothing_of_what_may_be_known_is_told_little(database: Database, clock: ManualClock) -> None:
    ann = await meet(database, clock)

    def more(tx: Tx) -> None:
        tell(tx, ann.customer_id, "name", "Dr Lee", at=clock.now())
        tell(tx, ann.customer_id, "language", "ga", at=clock.now())

    await database.write(more)
    wanted = ("name", "language", "phone", "city", "records_known")
    assert await run(ANN, wanted, None) == {"name": "Dr Lee", "language": "ga", "records_known": False}
    await confirm(database, ann, datetime.now(UTC))
    assert await run(ANN, wanted, None) == {
        "name": "Dr Lee",
        "language": "ga",
        "phone": "+441",
        "city": "London",
        "records_known": False,
    }
