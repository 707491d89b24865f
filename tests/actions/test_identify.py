"""Who is who: a code opens one customer's records, to one person, for as long as the proof holds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actions.records.interface import RecordsUnavailable
from actions.records.sample.everybody import nth_code
from actions.records.sample.store import SampleRecords
from actions.shared import lend
from memory.clock import ManualClock
from memory.customers import Profile, find_or_make
from memory.merges import merge
from memory.proofs import CONFIRMED, SEEN, VERIFIED, proofs_of, prove
from tests.actions.calling import call, promised
from tests.actions.conftest import Stage

ANN = {"account_number": "1234 5678"}
CONFIRMED_ACTIONS = sorted(row.name for row in promised().values() if row.proof == "confirmed")


async def test_a_right_code_is_proof(stage_both: Stage) -> None:
    stage, ann = stage_both, await stage_both.meet()
    sent = await stage.twice("action_send_code", **ANN)
    assert sent.says == (("utter_code_sent", {"sent_to": "…01", "minutes": 10}),)
    assert len(await stage.sample.texts_to("+447700900101")) == 1
    assert (await stage.act("action_balance", **ANN)).failed == ("not_proven", "confirmed")

    came = await stage.twice("action_check_code", **ANN, code=f" {nth_code('N1001', 1)} ")

    assert came.slots == {"action_failed": None, "failed_reason": None, "code": None, "code_ok": True, "proof": "confirmed"}
    context = await stage.context(ann.identity_id)
    assert (context.proof, context.proven_at) == (CONFIRMED, stage.clock.now())
    (proof,) = await stage.proofs(ann.identity_id)
    assert (proof.how, proof.level, (proof.evidence or {})["record"]) == ("records", CONFIRMED, "N1001")
    assert "1234" not in str(proof.evidence)
    assert (await stage.act("action_balance", account_kind="current")).slots["balance"] == "£2,480.16"


async def test_whose_records_they_are_is_known_by_the_code_alone(stage_both: Stage) -> None:
    stage, ann = stage_both, await stage_both.meet()
    now = stage.clock.now()
    await stage.database.write(lambda tx: prove(tx, ann.identity_id, VERIFIED, how="agent", evidence={}, by="agent:1", at=now))
    assert (await stage.act("action_records_known")).slots["records_known"] is False

    await stage.act("action_send_code", **ANN)
    await stage.act("action_check_code", **ANN, code=nth_code("N1001", 1))

    assert (await stage.act("action_records_known")).slots["records_known"] is True


async def test_what_is_claimed_opens_nobody_elses_records(ann: Stage) -> None:
    for slots in ({"account_number": "31508824"}, {"customer_number": "60417738"}, {"customer_id": "N1002"}):
        came = await ann.act("action_balance", **slots)
        assert came.slots["balance_list"].count("ending in") == 2
        assert "8824" not in came.text


async def test_a_code_is_good_only_for_whom_it_was_sent(stage: Stage) -> None:
    await stage.act("action_send_code", **ANN)

    came = await stage.act("action_check_code", account_number="31508824", code=nth_code("N1001", 1))
    assert came.failed == ("refused", "no_code")
    assert (await stage.act("action_balance")).failed == ("not_proven", "confirmed")


async def test_wrong_codes_are_refused_and_asked_for_again(stage: Stage) -> None:
    await stage.act("action_send_code", **ANN)

    for _ in range(5):
        came = await stage.twice("action_check_code", **ANN, code="000000")
        assert came.slots == {"action_failed": "refused", "failed_reason": "code_wrong", "code": None, "code_ok": False}
    assert (await stage.act("action_check_code", **ANN, code=nth_code("N1001", 1))).failed == ("refused", "code_locked")
    assert (await stage.act("action_check_code", **ANN, code="let me in")).failed == ("invalid", "code")
    assert (await stage.act("action_check_code", **ANN)).failed == ("missing", "code")


@pytest.mark.parametrize(
    ("slots", "failed"),
    [
        ({}, ("missing", "account_number")),
        ({"account_number": "99999999"}, ("not_found", "account_number")),
        ({"policy_number": "HP000000"}, ("not_found", "policy_number")),
        ({"phone": "07700 900104"}, ("several", "phone")),
        ({"phone": "call me"}, ("invalid", "phone")),
        ({"account_number": "50333016"}, ("refused", "no_phone")),
    ],
)
async def test_a_code_that_cannot_be_sent(stage: Stage, slots: dict[str, str], failed: tuple[str, str]) -> None:
    assert (await stage.act("action_send_code", **slots)).failed == failed


async def test_a_telephone_number_is_read_as_people_write_it(stage: Stage) -> None:
    assert (await stage.act("action_send_code", phone="07700 900 201")).slots["code_sent_to"] == "…01"
    assert (await stage.act("action_send_code", account_number="", phone="+44 7700 900202")).slots["code_sent_to"] == "…02"


async def test_somebody_whom_no_channel_has_brought_cannot_be_proven(stage: Stage) -> None:
    stage.sender = "telegram:999"
    await stage.act("action_send_code", **ANN)

    came = await stage.act("action_check_code", **ANN, code=nth_code("N1001", 1))
    assert came.failed == ("not_proven", "seen")
    assert (await stage.act("action_balance")).failed == ("not_proven", "confirmed")


@pytest.mark.parametrize("action", CONFIRMED_ACTIONS)
async def test_every_action_that_demands_proof_looks_for_itself(action: str, stage: Stage) -> None:
    assert (await stage.act(action, **ANN)).failed == ("not_proven", "confirmed")


async def test_a_proof_that_is_not_of_these_records_opens_none(stage: Stage) -> None:
    ann = await stage.meet()
    at = stage.clock.now()
    await stage.database.write(lambda tx: prove(tx, ann.identity_id, CONFIRMED, how="link", evidence={"link": 1}, by="customer", at=at))
    assert (await stage.act("action_balance", **ANN)).failed == ("not_proven", "confirmed")


async def test_a_proof_ages(ann: Stage) -> None:
    ann.clock.advance(30 * 86_400)
    assert (await ann.act("action_balance")).failed == (None, None)
    ann.clock.advance(1)
    assert (await ann.act("action_balance")).failed == ("not_proven", "confirmed")

    await ann.prove("N1001", **ANN)
    assert (await ann.act("action_balance")).failed == (None, None)


async def test_how_long_a_proof_holds_is_a_setting(ann: Stage) -> None:
    ann.clock.advance(61)
    with lend(ann.database, ann.clock, ann.records, proof_fresh_s=60):
        came = await call("action_balance", ann.sender, turn=99)
    assert came.failed == ("not_proven", "confirmed")


async def test_the_latest_code_says_whose_records_they_are(ann: Stage) -> None:
    await ann.prove("N1002", account_number="31508824")

    assert (await ann.act("action_balance")).slots["balance"] == "£640.20"


async def test_records_elsewhere_have_other_ids(ann: Stage, tmp_path: Any, clock: ManualClock) -> None:
    other = SampleRecords(tmp_path / "other.db", clock)
    ann.records = other

    assert (await ann.act("action_balance")).failed == ("not_proven", "confirmed")
    await other.close()


async def test_whose_records_they_are_is_known_on_all_channels_and_who_writes_is_proven_on_each(stage_both: Stage) -> None:
    stage = stage_both
    await stage.prove("N1001", **ANN)
    at = stage.clock.now()
    there = (await stage.database.write(lambda tx: find_or_make(tx, "web", [Profile("7")], at=at)))["7"]
    here = await stage.meet()
    stage.sender = "web:7"
    assert (await stage.act("action_balance")).failed == ("not_proven", "confirmed")

    await stage.database.write(lambda tx: merge(tx, there.customer_id, here.customer_id, evidence={}, by="Bea", at=at))
    # one person now, but whoever writes from there has proven nothing
    assert (await stage.act("action_balance")).failed == ("not_proven", "confirmed")
    await stage.database.write(lambda tx: _verify(tx, there.identity_id, at))
    assert (await stage.act("action_balance", account_kind="current")).slots["balance"] == "£2,480.16"


def _verify(tx: Any, identity_id: int, at: Any) -> None:
    prove(tx, identity_id, VERIFIED, how="agent", evidence={}, by="Bea", at=at)


async def test_what_died_between_the_check_and_its_note_is_noted_by_the_repetition(stage: Stage) -> None:
    """The company has taken the code; the process died before the memory knew. The same call again must not need another code."""
    await stage.act("action_send_code", **ANN)
    ann, code = await stage.meet(), nth_code("N1001", 1)

    class Dies:
        """The memory's database, which cannot be written."""

        read = stage.database.read

        async def write(self, fn: Any) -> Any:
            raise RuntimeError("the process dies")

    whole = stage.database
    stage.database = Dies()  # type: ignore[assignment]
    with pytest.raises(RuntimeError):
        await stage.act("action_check_code", **ANN, code=code)
    stage.database = whole

    assert (await stage.again("action_check_code", **ANN, code=code)).failed == (None, None)
    context = await stage.context(ann.identity_id)
    assert context.proof == CONFIRMED
    assert len(await stage.database.read(lambda tx: proofs_of(tx, [ann.identity_id]))) == 1


async def test_several_at_once_prove_once(stage_both: Stage) -> None:
    stage = stage_both
    ann = await stage.meet()
    await stage.act("action_send_code", **ANN)
    stage.turn += 1
    code = nth_code("N1001", 1)

    came = await asyncio.gather(*(stage.again("action_check_code", **ANN, code=code) for _ in range(4)))
    assert {one.failed for one in came} == {(None, None)}
    assert len(await stage.proofs(ann.identity_id)) == 1


async def test_the_records_going_away_between_two_steps_proves_nobody(stage: Stage) -> None:
    await stage.act("action_send_code", **ANN)
    ann = await stage.meet()

    class Gone(SampleRecords):
        async def do(self, *_: Any, **__: Any) -> Any:
            raise RecordsUnavailable("time", uncertain=True)

    stage.records = Gone(stage.sample._path, stage.clock)
    came = await stage.act("action_check_code", **ANN, code=nth_code("N1001", 1))
    assert came.failed == ("uncertain", "time")
    assert (await stage.context(ann.identity_id)).proof == SEEN
    await stage.records.close()
