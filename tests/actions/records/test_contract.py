"""What every implementation of the records has to do; each test runs over the sample itself and over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actions.records.interface import KeyUsed, Record, RecordRefused, Records, RecordsUnknown
from actions.records.sample.everybody import nth_code
from actions.records.sample.store import SampleRecords
from memory.clock import ManualClock

ANN, OMAR = "N1001", "N1002"


async def test_a_record_is_found_by_its_id(records: Records) -> None:
    found = await records.get("customers", ANN)

    assert found is not None
    assert (found.kind, found.id, found["name"]) == ("customers", ANN, "Ann Lee")
    assert found["no_such_field"] is None


@pytest.mark.parametrize("id", ["N9999", "", "a/b", "../accounts", "ü ?#%"])
async def test_a_record_that_is_not_there_is_none(records: Records, id: str) -> None:
    if id == "" and not isinstance(records, SampleRecords):
        id = " "  # an address has no empty part
    assert await records.get("customers", id) is None


async def test_records_are_found_by_their_fields_the_newest_first(records: Records) -> None:
    found = await records.find("transactions", {"customer_id": ANN, "card_id": "NK1"})

    days = [one["day"] for one in found]
    assert len(days) == 4
    assert days == sorted(days, reverse=True)
    assert {one["customer_id"] for one in found} == {ANN}
    assert await records.find("transactions", {"customer_id": ANN, "merchant": "nobody’s"}) == []


async def test_no_more_are_given_than_asked_for(records: Records) -> None:
    assert len(await records.find("transactions", {"customer_id": ANN}, limit=2)) == 2
    assert await records.find("transactions", {"customer_id": ANN}, limit=0) == []
    assert len(await records.find("transactions", {"customer_id": ANN}, limit=100_000)) == 9


@pytest.mark.parametrize(
    ("field", "value", "who"),
    [
        ("account_number", "20417763", ANN),
        ("policy_number", "HP310660", "H2003"),
        ("customer_number", "60417746", "C3003"),
        ("phone", "+447700900204", "H2004"),
    ],
)
async def test_a_customer_is_found_by_what_they_know(records: Records, field: str, value: str, who: str) -> None:
    assert [one.id for one in await records.find("customers", {field: value}, limit=2)] == [who]


@pytest.mark.parametrize("kind", ["nothing", "done", "code", "text_message", "Customers", "a b", ""])
async def test_an_unknown_kind_is_named(records: Records, kind: str) -> None:
    for call in (records.get(kind, "1"), records.find(kind, {}), records.do(kind, "block", {}, key="k", id="1")):
        with pytest.raises(RecordsUnknown) as caught:
            await call
        assert caught.value.what == "kind"


async def test_an_unknown_field_or_operation_is_named(records: Records) -> None:
    with pytest.raises(RecordsUnknown) as caught:
        await records.find("accounts", {"secret": "1"})
    assert caught.value.what == "field"
    for operation in ("explode", "Block", ""):
        with pytest.raises(RecordsUnknown) as caught:
            await records.do("cards", operation, {}, key="k", id="NK1")
        assert caught.value.what == "operation"


async def balances(records: Records) -> list[int]:
    return [one["balance"] for one in await records.find("accounts", {"customer_id": ANN})]


def to_maria(amount: int, **more: Any) -> dict[str, Any]:
    return {"customer_id": ANN, "account_id": "NA1", "payee_id": "NP1", "amount": amount, **more}


async def test_a_write_is_done_once_however_often_it_is_asked_for(records: Records) -> None:
    first = await records.do("transfers", "send", to_maria(50_00), key="one")
    after = await balances(records)

    assert await records.do("transfers", "send", to_maria(50_00), key="one") == first
    assert await balances(records) == after
    assert len(await records.find("transfers", {"customer_id": ANN})) == 1

    second = await records.do("transfers", "send", to_maria(50_00), key="two")
    assert second.id != first.id


async def test_the_same_write_at_the_same_time_is_done_once(records: Records) -> None:
    done = await asyncio.gather(*(records.do("transfers", "send", to_maria(10_00), key="one") for _ in range(8)))

    assert len({one.id for one in done}) == 1
    assert await balances(records) == [2_470_16, 12_050_00]


async def test_a_key_belongs_to_one_write(records: Records) -> None:
    await records.do("transfers", "send", to_maria(50_00), key="one")
    after = await balances(records)

    for other in (
        records.do("transfers", "send", to_maria(50_01), key="one"),
        records.do("transfers", "check", to_maria(50_00), key="one"),
        records.do("cards", "block", {"customer_id": ANN}, key="one", id="NK1"),
    ):
        with pytest.raises(KeyUsed):
            await other
    assert await balances(records) == after


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_that_is_none_is_a_mistake_of_the_program(records: Records, key: str) -> None:
    with pytest.raises(ValueError, match="1 to 200"):
        await records.do("transfers", "send", to_maria(1), key=key)


async def test_a_refusal_is_a_result_too(records: Records) -> None:
    with pytest.raises(RecordRefused) as caught:
        await records.do("transfers", "send", to_maria(9_000_00), key="one")
    assert caught.value.reason == "not_enough_money"

    back = {"customer_id": OMAR, "account_id": "NA3", "payee_id": "NP3", "amount": 1_100_00}
    await records.do("transfers", "send", back, key="two")  # what was too much is not any more
    with pytest.raises(RecordRefused):
        await records.do("transfers", "send", to_maria(9_000_00), key="one")


async def test_what_is_somebody_elses_is_unknown(records: Records) -> None:
    with pytest.raises(RecordsUnknown) as caught:
        await records.do("cards", "block", {"customer_id": OMAR}, key="one", id="NK1")
    assert caught.value.what == "cards"
    with pytest.raises(RecordsUnknown):
        await records.do("cards", "block", {}, key="two", id="NK1")
    with pytest.raises(RecordsUnknown):
        await records.do("transfers", "send", to_maria(1) | {"customer_id": OMAR}, key="three")

    card = await records.get("cards", "NK1")
    assert card is not None
    assert card["state"] == "active"


async def test_a_code_goes_to_the_number_that_is_held(records: Records, sample: SampleRecords) -> None:
    sent = await records.do("customers", "send_code", {}, id=ANN, key="s")
    assert sent.data == {"sent_to": "…01", "minutes": 10}
    (text,) = await sample.texts_to("+447700900101")
    assert nth_code(ANN, 1) in text

    await records.do("customers", "send_code", {}, id=ANN, key="s")
    assert len(await sample.texts_to("+447700900101")) == 1

    checked = await records.do("customers", "check_code", {"code": nth_code(ANN, 1)}, id=ANN, key="c")
    assert checked == Record("customers", ANN, {"checked": True})
    with pytest.raises(RecordRefused) as caught:  # it is good for one time
        await records.do("customers", "check_code", {"code": nth_code(ANN, 1)}, id=ANN, key="c2")
    assert caught.value.reason == "no_code"


async def refused(records: Records, operation: str, key: str, code: str = "") -> str:
    """Why something about Ann's code is refused."""
    with pytest.raises(RecordRefused) as caught:
        await records.do("customers", operation, {"code": code} if code else {}, id=ANN, key=key)
    return caught.value.reason


async def test_wrong_codes_are_counted_once_each(records: Records) -> None:
    await records.do("customers", "send_code", {}, id=ANN, key="s")
    for n in range(5):
        assert await refused(records, "check_code", f"c{n}", "000000") == "code_wrong"
        assert await refused(records, "check_code", f"c{n}", "000000") == "code_wrong"  # repeated, it is the same try
    assert await refused(records, "check_code", "c5", nth_code(ANN, 1)) == "code_locked"

    await records.do("customers", "send_code", {}, id=ANN, key="s2")
    await records.do("customers", "check_code", {"code": nth_code(ANN, 2)}, id=ANN, key="c6")


async def test_a_code_expires(records: Records, clock: ManualClock) -> None:
    assert await refused(records, "check_code", "c", "000000") == "no_code"
    await records.do("customers", "send_code", {}, id=ANN, key="s")
    clock.advance(601)
    assert await refused(records, "check_code", "c2", nth_code(ANN, 1)) == "code_expired"


async def test_only_so_many_codes_are_sent_in_an_hour(records: Records, clock: ManualClock) -> None:
    for n in range(5):
        await records.do("customers", "send_code", {}, id=ANN, key=f"s{n}")
    assert await refused(records, "send_code", "s5") == "too_many_codes"

    clock.advance(3601)
    await records.do("customers", "send_code", {}, id=ANN, key="s6")


async def test_records_can_be_asked_again_after_they_were_closed(records: Records) -> None:
    assert await records.get("customers", ANN) is not None
    await records.close()
    await records.close()
    assert await records.get("customers", ANN) is not None
