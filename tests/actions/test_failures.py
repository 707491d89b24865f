"""When the company's systems fail: what the flow is told, and that nothing is ever done twice or said to be undone when it may be done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest

import actions.base
import actions.recall
import actions.remember
from actions.declared import KEY, as_json
from actions.records.interface import KeyUsed, Record, RecordsMisunderstood, RecordsUnavailable, RecordsUnknown
from actions.records.sample.store import SampleRecords
from actions.shared import lend
from memory.errors import LegatoError
from tests.actions.calling import call
from tests.actions.conftest import Stage
from tests.actions.declarations import declared_by

TRANSFER = {"transfer_amount": "50", "payee": "Maria Costa"}


class Broken:
    """The sample's records, of which reads or writes fail: by ``before`` nothing was done, by ``after`` it was."""

    def __init__(self, sample: SampleRecords, *, read: Any = None, before: Any = None, after: Any = None) -> None:
        self._sample, self._read, self._before, self._after = sample, read, before, after

    @property
    def place(self) -> str:
        return self._sample.place

    async def get(self, kind: str, id: str) -> Record | None:
        await _go_wrong(self._read)
        return await self._sample.get(kind, id)

    async def find(self, kind: str, where: Mapping[str, Any], *, limit: int = 20) -> list[Record]:
        await _go_wrong(self._read)
        return await self._sample.find(kind, where, limit=limit)

    async def do(self, kind: str, operation: str, data: Mapping[str, Any], *, key: str, id: str | None = None) -> Record:
        await _go_wrong(self._before)
        done = await self._sample.do(kind, operation, data, key=key, id=id)
        await _go_wrong(self._after)
        return done

    async def close(self) -> None:
        """The test closes the sample."""


async def _go_wrong(how: Any) -> None:
    if isinstance(how, Exception):
        raise how
    if how == "silence":
        await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("how", "failed"),
    [
        ({"read": RecordsUnavailable("connection")}, ("unavailable", "connection")),
        ({"read": RecordsUnavailable("time")}, ("unavailable", "time")),
        ({"read": RecordsMisunderstood("no record")}, ("unavailable", "connection")),
        ({"read": RecordsUnknown("kind")}, ("unavailable", "connection")),
        ({"read": RecordsUnknown("accounts")}, ("not_found", "account")),
        ({"read": "silence"}, ("unavailable", "time")),
        ({"before": RecordsUnavailable("connection")}, ("unavailable", "connection")),
        ({"before": RecordsMisunderstood("the token")}, ("unavailable", "connection")),
        ({"before": RecordsUnavailable("time", uncertain=True)}, ("uncertain", "time")),
        ({"before": KeyUsed()}, ("uncertain", "connection")),
        ({"before": "silence"}, ("uncertain", "time")),
        ({"after": RecordsUnavailable("connection", uncertain=True)}, ("uncertain", "connection")),
        ({"after": RecordsMisunderstood("no record", uncertain=True)}, ("uncertain", "connection")),
        ({"after": "silence"}, ("uncertain", "time")),
    ],
)
async def test_each_failure_is_told_for_what_it_is(
    ann: Stage, how: dict[str, Any], failed: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "silence" in how.values():
        monkeypatch.setattr(actions.base, "WITHIN_S", 0.05)
    ann.records = Broken(ann.sample, **how)

    came = await ann.act("action_transfer", **TRANSFER)
    assert came.failed == failed

    # what is said to be undone is undone, and repeating the call when all is well again does it at most once
    sent = len(await ann.sample.find("transfers", {}))
    assert sent == ("after" in how)
    ann.records = ann.sample
    assert (await ann.again("action_transfer", **TRANSFER)).says[0][0] == "utter_transfer_sent"
    assert len(await ann.sample.find("transfers", {})) == 1


@pytest.mark.parametrize(
    "how", [{"before": RecordsUnavailable("time", uncertain=True)}, {"after": RecordsUnavailable("time", uncertain=True)}]
)
async def test_what_only_looks_is_never_uncertain(ann: Stage, how: dict[str, Any]) -> None:
    ann.records = Broken(ann.sample, **how)

    assert (await ann.act("action_check_transfer", **TRANSFER)).failed == ("unavailable", "time")


async def test_a_failure_is_told_to_a_domain_that_has_no_slot_for_it(stage: Stage) -> None:
    with lend(stage.database, stage.clock, stage.records):
        came = await call("action_balance", stage.sender, domain={"slots": {"balance": {"type": "text"}}})

    assert came.slots == {"action_failed": "not_proven", "failed_reason": "confirmed"}


async def test_one_action_at_a_time_takes_its_time_and_no_more(ann: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions.base, "WITHIN_S", 0.05)
    ann.records = Broken(ann.sample, read="silence")

    came = await asyncio.gather(*(ann.again("action_balance") for _ in range(10)))
    assert {one.failed for one in came} == {("unavailable", "time")}


class Hangs:
    """A memory that does not answer, to reads or to writes."""

    def __init__(self, stage: Stage, *, read: bool, write: bool) -> None:
        self._real, self._read, self._write = stage.database, read, write

    async def read(self, fn: Any) -> Any:
        await _go_wrong("silence" if self._read else None)
        return await self._real.read(fn)

    async def write(self, fn: Any) -> Any:
        await _go_wrong("silence" if self._write else None)
        return await self._real.write(fn)


async def test_a_memory_that_does_not_answer_is_not_waited_for(ann: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions.base, "WITHIN_S", 0.05)
    for module in (actions.recall, actions.remember):
        monkeypatch.setattr(module, "WITHIN_S", 0.05)
    ann.domain = {KEY: as_json(declared_by("banking"))}
    real = ann.database

    ann.database = Hangs(ann, read=True, write=True)  # type: ignore[assignment]
    assert (await ann.act("action_block_card", card_ending="4821")).failed == ("unavailable", "time")
    assert (await ann.act("action_remember", name="Ann")).failed == ("unavailable", "time")
    with pytest.raises(TimeoutError):
        await ann.act("action_recall")

    ann.database = real
    ann.database = Hangs(ann, read=False, write=True)  # type: ignore[assignment]
    assert (await ann.act("action_block_card", card_ending="4821")).failed == ("uncertain", "time")  # the journey is not moved yet
    ann.database = real
    assert (await ann.again("action_block_card", card_ending="4821")).says == (("utter_card_blocked", {"ending": "4821"}),)


async def test_records_that_are_not_set_up_are_unavailable_and_the_log_says_what_to_do(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with lend(stage.database, stage.clock):
        came = await call("action_routing_number", stage.sender)

    assert came.failed == ("unavailable", "connection")
    assert "LEGATO_RECORDS is not set" in caplog.text


async def test_no_log_has_anything_of_a_customer_in_it(ann: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="actions")
    for how in ({"read": RecordsMisunderstood("x")}, {"before": KeyUsed()}, {"read": RecordsUnavailable("time")}):
        ann.records = Broken(ann.sample, **how)
        await ann.act("action_transfer", transfer_amount="50", payee="Maria Costa", account_number="12345678")

    written = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("actions"))
    assert written
    assert not any(word in written for word in ("Maria", "12345678", "telegram:501", "501", "N1001", "50"))


# Keys


async def test_the_same_call_of_another_turn_is_another_call(ann: Stage) -> None:
    await ann.twice("action_transfer", **TRANSFER)
    await ann.twice("action_transfer", **TRANSFER)

    assert len(await ann.sample.find("transfers", {})) == 2


async def test_two_calls_in_one_turn_are_two(ann: Stage) -> None:
    with lend(ann.database, ann.clock, ann.records):
        for n in (1, 2, 2, 1):
            await call("action_transfer", ann.sender, TRANSFER, turn=900, n=n)

    assert len(await ann.sample.find("transfers", {})) == 2


async def foreign(stage: Stage, message: dict[str, Any], events: list[dict[str, Any]]) -> int:
    """Call as a foreign Rasa server does, without a turn; how many transfers there are then."""
    with lend(stage.database, stage.clock, stage.records):
        came = await call("action_transfer", stage.sender, TRANSFER, latest=message, events=events)
    assert came.failed == (None, None)
    return len(await stage.sample.find("transfers", {}))


async def test_a_foreign_rasa_servers_calls_are_told_apart_by_its_messages(ann: Stage) -> None:
    listen = {"event": "action", "name": "action_listen", "timestamp": 1.0}
    user = {"event": "user", "text": "send it", "timestamp": 2.0, "message_id": "m1"}
    ran = {"event": "action", "name": "action_transfer", "timestamp": 3.0}

    assert await foreign(ann, {"message_id": "m1"}, [listen, user]) == 1
    assert await foreign(ann, {"message_id": "m1"}, [listen, user]) == 1  # repeated
    assert await foreign(ann, {"message_id": "m1"}, [listen, user, ran]) == 2  # called a second time in the same turn
    assert await foreign(ann, {"message_id": "m2"}, [listen, user, ran, listen, {**user, "message_id": "m2"}]) == 3
    assert await foreign(ann, {}, [listen, {"event": "user", "timestamp": 4.0}]) == 4
    assert await foreign(ann, {}, [listen, {"event": "user", "timestamp": 4.0}]) == 4
    assert await foreign(ann, {"metadata": {"turn_id": "7"}}, [{"event": "user", "timestamp": 5.0}]) == 5


async def test_a_call_that_could_not_be_known_again_is_refused(ann: Stage) -> None:
    with pytest.raises(LegatoError, match="no message id"):
        await foreign(ann, {}, [])
    assert await ann.sample.find("transfers", {}) == []
