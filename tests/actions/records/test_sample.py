"""The sample's rules, which are those of the assistants' articles."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.records.interface import Record, RecordRefused, RecordsUnavailable
from actions.records.sample.rules import has_postcode, working_days
from actions.records.sample.store import SampleRecords, fill_sample
from memory.clock import ManualClock

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_keys: Iterator[int] = itertools.count()


async def do(records: SampleRecords, kind: str, operation: str, id: str | None = None, **data: Any) -> Record:
    return await records.do(kind, operation, data, key=f"k{next(_keys)}", id=id)


async def refused(records: SampleRecords, kind: str, operation: str, id: str | None = None, **data: Any) -> str:
    with pytest.raises(RecordRefused) as caught:
        await do(records, kind, operation, id, **data)
    return caught.value.reason


async def test_filling_again_changes_nothing(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "deep" / "records.db"
    await fill_sample(path, clock=clock)
    records = SampleRecords(path, clock)
    await do(records, "cards", "block", "NK1", customer_id="N1001")
    clock.advance(86_400 * 30)
    await fill_sample(path, clock=clock)

    card = await records.get("cards", "NK1")
    assert card is not None
    assert card["state"] == "blocked"
    assert len(await records.find("customers", {}, limit=100)) == 14
    await records.close()


async def test_the_same_moment_gives_the_same_sample(tmp_path: Path, clock: ManualClock) -> None:
    seen = []
    for name in ("one.db", "two.db"):
        records = SampleRecords(tmp_path / name, clock)
        kinds = ("customers", "accounts", "cards", "transactions", "claims", "services", "bills", "bill_items", "usage", "payees")
        seen.append([await records.find(kind, {}, limit=100) for kind in kinds])
        await records.close()
    assert seen[0] == seen[1]


async def test_a_file_that_cannot_be_opened_is_a_failure_of_the_records(tmp_path: Path) -> None:
    (tmp_path / "records.db").mkdir()
    with pytest.raises(RecordsUnavailable):
        await SampleRecords(tmp_path / "records.db").get("customers", "N1001")


async def test_cards(sample: SampleRecords) -> None:
    ann: dict[str, Any] = {"customer_id": "N1001"}
    assert (await do(sample, "cards", "block", "NK1", **ann, loss="stolen"))["was_blocked"] is False
    again = await do(sample, "cards", "block", "NK1", **ann, loss="lost")
    assert (again["was_blocked"], again["blocked_for"]) == (True, "stolen")

    order = await do(sample, "cards", "replace", "NK1", **ann)
    assert (order["fee"], order["arrives_by"], order["address"]) == (0, "2026-01-12", "12 Mill Lane, Leeds LS1 4AB")
    assert await refused(sample, "cards", "replace", "NK1", **ann) == "ordered_already"
    express = await do(sample, "cards", "replace", "NK2", **ann, express=True)
    assert (express["fee"], express["arrives_by"]) == (10_00, "2026-01-07")

    assert await refused(sample, "cards", "block", "NK6", customer_id="N1004") == "card_expired"
    await do(sample, "accounts", "close", "NA6", customer_id="N1005")
    assert await refused(sample, "cards", "replace", "NK4", customer_id="N1003") == "ordered_already"


async def test_disputes(sample: SampleRecords) -> None:
    ann: dict[str, Any] = {"customer_id": "N1001", "reason": "charged_twice"}
    made = await do(sample, "transactions", "dispute", "NX7", **ann)
    assert (made["merchant"], made["amount"], made["answer_by"], made["state"]) == ("StreamBox", 11_99, "2026-01-19", "open")
    assert await refused(sample, "transactions", "dispute", "NX7", **ann) == "disputed_already"
    assert await refused(sample, "transactions", "dispute", "NX9", **ann) == "pending"
    assert await refused(sample, "transactions", "dispute", "NX1", **ann) == "too_old"
    assert await refused(sample, "transactions", "dispute", "NX4", **ann) == "not_a_charge"
    assert await refused(sample, "transactions", "dispute", "NX6", **{**ann, "reason": "bored"}) == "reason_missing"


async def test_transfers(sample: SampleRecords, clock: ManualClock) -> None:
    ann: dict[str, Any] = {"customer_id": "N1001", "account_id": "NA1"}
    rent = await do(sample, "transfers", "check", **ann, payee_id="NP2", amount=100_00)
    assert (rent["payee_name"], rent["payee_ending"], rent["is_new"], rent["arrives_on"]) == (
        "Greenway Lettings",
        "2233",
        False,
        "2026-01-05",
    )
    assert await sample.find("transfers", {}) == []

    assert await refused(sample, "transfers", "send", **ann, payee_id="NP2", amount=0) == "amount_too_small"
    assert await refused(sample, "transfers", "send", **ann, payee_id="NP2", amount="1") == "amount_missing"
    assert await refused(sample, "transfers", "send", **ann, payee_id="NP2", amount=2_431_67) == "not_enough_money"  # some is pending
    savings = {**ann, "account_id": "NA2"}
    assert await refused(sample, "transfers", "send", **savings, payee_id="NP2", amount=10_000_01) == "limit_day"

    new = {"name": "Bo", "account_number": "99887766", "routing_number": "112233"}
    assert await refused(sample, "transfers", "send", **ann, **{**new, "account_number": "123"}, amount=1) == "payee_number_wrong"
    assert await refused(sample, "transfers", "send", **ann, **new, amount=1_000_01) == "limit_new_payee"
    assert (await do(sample, "transfers", "send", **ann, **new, amount=600_00))["is_new"] is True
    assert await refused(sample, "transfers", "send", **ann, **new, amount=400_01) == "limit_new_payee"
    clock.advance(86_400)
    later = await do(sample, "transfers", "send", **ann, **new, amount=1_200_00)
    assert (later["is_new"], later["payee_name"]) == (False, "Bo")
    assert [one["name"] for one in await sample.find("payees", {"account_number": "99887766"})] == ["Bo"]

    own = {"name": "me", "account_number": "12345678", "routing_number": "000555010"}
    assert await refused(sample, "transfers", "send", **ann, **own, amount=1) == "own_account"


async def test_a_transfer_arrives_when_the_article_says(sample: SampleRecords, clock: ManualClock) -> None:
    async def arrives(payee_id: str) -> str:
        made = await do(sample, "transfers", "check", customer_id="N1001", account_id="NA1", payee_id=payee_id, amount=1)
        return str(made["arrives_on"])

    assert (await arrives("NP1"), await arrives("NP2")) == ("2026-01-05", "2026-01-05")
    clock.advance(7 * 3600)  # 16:00
    assert (await arrives("NP1"), await arrives("NP2")) == ("2026-01-05", "2026-01-06")
    clock.advance(5 * 86_400)  # Saturday
    assert (await arrives("NP1"), await arrives("NP2")) == ("2026-01-10", "2026-01-12")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(st.tuples(st.sampled_from(["NA1", "NA3"]), st.integers(-5, 700_00), st.booleans()), max_size=8))
async def test_between_the_banks_own_accounts_no_money_comes_or_goes(tmp_path_factory: pytest.TempPathFactory, sent: list[Any]) -> None:
    records = SampleRecords(tmp_path_factory.mktemp("money") / "records.db", ManualClock(MONDAY))
    whose = {"NA1": ("N1001", "NP1"), "NA3": ("N1002", "NP3")}
    for n, (account_id, amount, again) in enumerate(sent):
        customer_id, payee_id = whose[account_id]
        data = {"customer_id": customer_id, "account_id": account_id, "payee_id": payee_id, "amount": amount}
        for _ in range(1 + again):
            with contextlib.suppress(RecordRefused):
                await records.do("transfers", "send", data, key=f"t{n}")
    accounts = {one.id: one for one in await records.find("accounts", {})}
    assert accounts["NA1"]["balance"] + accounts["NA3"]["balance"] == 2_480_16 + 640_20
    assert all(one["balance"] - one["pending"] + one["overdraft"] >= 0 for one in accounts.values())
    await records.close()


async def test_cheques(sample: SampleRecords, clock: ManualClock) -> None:
    ann: dict[str, Any] = {"customer_id": "N1001"}
    first = await do(sample, "accounts", "order_cheques", "NA1", **ann, books=3)
    assert (first["fee"], first["arrives_by"]) == (6_00, "2026-01-14")  # two a year are free
    assert (await do(sample, "accounts", "order_cheques", "NA1", **ann, books=1))["fee"] == 6_00
    clock.advance(86_400 * 365)
    assert (await do(sample, "accounts", "order_cheques", "NA1", **ann, books=2))["fee"] == 0
    assert await refused(sample, "accounts", "order_cheques", "NA1", **ann, books=4) == "too_many"
    assert await refused(sample, "accounts", "order_cheques", "NA1", **ann, books=0) == "too_many"
    assert await refused(sample, "accounts", "order_cheques", "NA2", **ann, books=1) == "not_a_current_account"


@pytest.mark.parametrize(
    ("offer", "income", "spending", "result"),
    [
        ("NF1", 2_000_00, 1_000_00, "eligible"),
        ("NF1", 2_000_00, 1_300_00, "person"),
        ("NF1", 2_000_00, 1_600_00, "not_eligible"),
        ("NF1", 1_100_00, 100_00, "not_eligible"),
        ("NF3", 0, 0, "eligible"),
    ],
)
async def test_offers(sample: SampleRecords, offer: str, income: int, spending: int, result: str) -> None:
    made = await do(sample, "offers", "check", offer, customer_id="N1001", income=income, spending=spending)
    assert made["result"] == result
    assert (made["valid_until"] is not None) == (result == "eligible")
    assert (made["answer_by"] is not None) == (result == "person")


async def test_closing_an_account(sample: SampleRecords) -> None:
    payout = {"account_number": "99887766", "routing_number": "112233"}
    for account, customer, reason in (
        ("NA1", "N1001", "pending_payments"),
        ("NA4", "N1003", "overdraft_owed"),
        ("NA5", "N1004", "joint_account"),
    ):
        assert await refused(sample, "accounts", "check_closing", account, customer_id=customer) == reason
        assert await refused(sample, "accounts", "close", account, customer_id=customer, **payout) == reason
    assert await refused(sample, "accounts", "close", "NA2", customer_id="N1001") == "payout_missing"
    closing = await do(sample, "accounts", "close", "NA2", customer_id="N1001", **payout)
    assert (closing["state"], closing["closes_on"], closing["remaining"]) == ("closing", "2026-01-12", 12_050_00)
    assert await refused(sample, "accounts", "close", "NA2", customer_id="N1001", **payout) == "closing_already"
    assert (await do(sample, "accounts", "close", "NA6", customer_id="N1005"))["remaining"] == 0


async def test_a_change_of_address(sample: SampleRecords) -> None:
    async def change(address: str, day: str = "") -> Record:
        return await do(sample, "customers", "change_address", "N1001", address=address, from_day=day)

    assert (await change("4 New  Road,\nLeeds LS2 9JT"))["next_address_from"] == "2026-01-06"
    changed = await change("5 New Road, Leeds LS29JT", "2026-02-01")
    assert (changed["next_address"], changed["next_address_from"]) == ("5 New Road, Leeds LS29JT", "2026-02-01")
    base: dict[str, Any] = {"address": "4 New Road, Leeds LS2 9JT"}
    assert await refused(sample, "customers", "change_address", "N1001", address="4 New Road, Leeds") == "address_incomplete"
    assert await refused(sample, "customers", "change_address", "N1001", **base, from_day="2026-01-04") == "day_past"
    assert await refused(sample, "customers", "change_address", "N1001", **base, from_day="2026-06-01") == "day_too_far"
    assert await refused(sample, "customers", "change_address", "N1001", **base, from_day="soon") == "from_day_wrong"


async def test_a_broken_phone(sample: SampleRecords) -> None:
    base: dict[str, Any] = {"customer_id": "H2001", "damage": "screen", "damaged_on": "2026-01-03", "repair_by": "post"}

    async def why(**other: Any) -> str:
        return await refused(sample, "claims", "report_phone", **{**base, **other})

    assert await why(customer_id="H2002") == "no_phone_cover"
    assert await why(damage="boredom") == "damage_missing"
    assert await why(damaged_on="") == "damaged_on_missing"
    assert await why(damaged_on="2026-01-06") == "day_future"
    assert await why(damaged_on="2025-12-21") == "too_late"
    assert await why(damage="theft") == "police_reference_missing"
    claim = await do(sample, "claims", "report_phone", **base)
    assert (claim["number"], claim["excess"], claim["ready_by"], claim["item"]) == ("HC400006", 50_00, "2026-01-09", "Fairphone 5")
    assert await why() == "claim_open_already"


async def test_a_proof_of_insurance(sample: SampleRecords) -> None:
    proof = await do(sample, "policies", "issue_proof", "HP1", customer_id="H2001", delivery="post")
    assert (proof["delivery"], proof["arrives_by"], proof["item"]) == ("post", "2026-01-12", "Ford Focus 2019")
    assert (await do(sample, "policies", "issue_proof", "HP1", customer_id="H2001", delivery="email"))["arrives_by"] == "2026-01-05"
    assert await refused(sample, "policies", "issue_proof", "HP6", customer_id="H2004") == "policy_ended"


async def test_services(sample: SampleRecords) -> None:
    sofia, david, yuki = ({"customer_id": f"C300{n}"} for n in (1, 2, 3))
    assert await refused(sample, "services", "start", **sofia, plan_id="CP1") == "have_already"
    assert await refused(sample, "services", "start", **yuki, plan_id="CP7") == "needs_internet"
    assert await refused(sample, "services", "start", **david, plan_id="CP7", day="2026-01-05") == "day_too_soon"
    assert await refused(sample, "services", "start", **david, plan_id="CP7", day="2026-05-05") == "day_too_far"
    tv = await do(sample, "services", "start", **david, plan_id="CP7")
    assert (tv["fee"], tv["day"], tv["price"]) == (20_00, "2026-01-12", 10_00)
    assert (await do(sample, "services", "check_start", **david, plan_id="CP4"))["fee"] == 0

    address = "8 Hill Road, Leeds LS6 1AA"
    assert await refused(sample, "services", "move", **yuki, address=address, day="2026-01-20") == "nothing_to_move"
    assert await refused(sample, "services", "move", **sofia, address=address, day="2026-01-14") == "day_too_soon"
    assert await refused(sample, "services", "move", **sofia, address=address, day="2026-04-14") == "day_too_far"
    assert await refused(sample, "services", "move", **sofia, address="8 Hill Road", day="2026-01-20") == "address_incomplete"
    assert (await do(sample, "services", "move", **sofia, address=address, day="2026-01-20"))["services"] == ["internet", "tv"]
    assert await refused(sample, "services", "move", **sofia, address=address, day="2026-01-20") == "moving_already"


async def test_another_plan(sample: SampleRecords) -> None:
    sofia: dict[str, Any] = {"customer_id": "C3001"}
    larger = await do(sample, "services", "change_plan", "CS1", **sofia, plan_id="CP3")
    assert (larger["larger"], larger["day"], larger["plan"], larger["plan_before"]) == (True, "2026-01-06", "Calla 500", "Calla 150")
    smaller = await do(sample, "services", "change_plan", "CS2", **sofia, plan_id="CP7")
    assert (smaller["larger"], smaller["day"]) == (False, "2026-02-01")
    assert await refused(sample, "services", "change_plan", "CS1", **sofia, plan_id="CP3") == "same_plan"
    assert await refused(sample, "services", "change_plan", "CS6", customer_id="C3004", plan_id="CP2") == "cancelled_already"


async def test_cancelling(sample: SampleRecords) -> None:
    sofia, david = {"customer_id": "C3001"}, {"customer_id": "C3002"}
    asked = await do(sample, "services", "check_cancel", "CS1", **sofia)
    assert (asked["day"], asked["fee"], asked["return_by"]) == ("2026-02-04", 20_00, "2026-02-18")  # bound until 11 March
    assert (await do(sample, "services", "cancel", "CS4", **david))["fee"] == 0
    assert await refused(sample, "services", "cancel", "CS4", **david) == "cancelled_already"
    assert await refused(sample, "services", "cancel", "CS3", **sofia, day="2026-02-03") == "day_too_soon"
    assert (await do(sample, "services", "cancel", "CS3", **sofia))["return_by"] is None


@pytest.mark.parametrize(
    ("text", "whether"), [("LS1 4AB", True), ("leeds ls14ab", True), ("W1A 0AX", True), ("Leeds", False), ("LS1", False), ("", False)]
)
def test_postcodes(text: str, whether: bool) -> None:
    assert has_postcode(text) is whether


@given(day=st.dates(), count=st.integers(0, 30))
def test_working_days_are_never_at_a_weekend(day: Any, count: int) -> None:
    found = working_days(day, count) if day.year < 9999 else day
    assert found >= day
    if count and day.year < 9999:
        assert found.weekday() < 5
        assert sum((day + timedelta(days=n + 1)).weekday() < 5 for n in range((found - day).days)) == count
