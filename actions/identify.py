"""How customers prove which of the company's records are theirs: a code goes to the number that the company holds, and they enter it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from actions.base import Call, Failed, RecordsAction, Result
from actions.records.interface import Record
from actions.shared import proof_fresh_for, shared_database
from actions.texts import digits
from actions.who import prove_record, write_of
from memory.context import Context
from memory.database import Tx
from memory.proofs import CONFIRMED
from memory.values import Type, ValueRefused, check_value

BY = ("account_number", "policy_number", "customer_number", "phone")
"""The slots by which a customer is found; the first that is set counts."""

HOME = "GB"
"""The country of telephone numbers that name none, where the call does not say."""


class SendCode(RecordsAction):
    """Has the company text a code to the number that it holds."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_send_code"

    async def act(self, call: Call) -> Result:
        sent = await call.do_to("customers", "send_code", {}, id=(await _customer(call)).id)
        told = {"sent_to": sent["sent_to"], "minutes": sent["minutes"]}
        return Result({"code_sent_to": told["sent_to"], "code_minutes": told["minutes"]}, (("utter_code_sent", told),))


class RecordsKnown(RecordsAction):
    """Whether it is known which of the company's records are the customer's: a person's word, or a link, proves who writes and not that."""

    proof: ClassVar[str] = "seen"
    asks_who: ClassVar[bool] = True

    def name(self) -> str:
        return "action_records_known"

    async def act(self, call: Call) -> Result:
        return Result({"records_known": call.who is not None and call.who.record is not None})


class CheckCode(RecordsAction):
    """Checks the code that the customer entered, and notes that they are proven."""

    proof: ClassVar[str] = "seen"
    asks_who: ClassVar[bool] = True

    def name(self) -> str:
        return "action_check_code"

    def after_failure(self) -> Mapping[str, Any]:
        return {"code": None, "code_ok": False}

    async def act(self, call: Call) -> Result:
        if call.who is None:  # nobody whom the memory knows, so there is nobody of whom it could be noted
            raise Failed("not_proven", "seen")
        code = digits(call.needed("code")) or call.invalid("code")
        customer = await _customer(call)
        await call.do_to("customers", "check_code", {"code": code}, id=customer.id)
        fresh_for, place = proof_fresh_for(), call.records.place

        def note(tx: Tx, context: Context) -> bool:
            prove_record(tx, context, customer.id, place=place, call=call.key, at=call.now, fresh_for=fresh_for)
            return True

        if not await write_of(await shared_database(), call.sender, note):
            raise Failed("not_proven", "seen")
        return Result({"code": None, "code_ok": True, "proof": CONFIRMED})


async def _customer(call: Call) -> Record:
    """The customer whom a slot names. Where one is found by their telephone only, there must be one."""
    by = next((slot for slot in BY if call.text(slot)), None)
    if by is None:
        return call.missing(BY[0])  # type: ignore[no-any-return]
    value = call.text(by)
    if by == "phone":
        try:
            value = check_value(Type.PHONE, value, region=call.declared.region or HOME)
        except ValueRefused:
            call.invalid(by)
    else:
        value = value.replace(" ", "").replace("-", "").upper()
    found = await call.records.find("customers", {by: value}, limit=2)
    if not found:
        raise Failed("not_found", by)
    if len(found) > 1:
        raise Failed("several", by)
    return found[0]
