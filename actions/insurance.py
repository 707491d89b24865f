"""What the insurer's flows do. The table in README.md says what each action reads, sets and says."""

from __future__ import annotations

from typing import Any, ClassVar

from actions.base import Call, Failed, RecordsAction, Result
from actions.records.interface import Record
from actions.texts import day_text, lines, money

POLICY_KINDS = ("motor", "home", "phone")
DELIVERIES = ("email", "post")
DAMAGES = ("screen", "liquid", "breakage", "theft")
REPAIRS = ("shop", "post")
ENDED = "ended"


class ListPolicies(RecordsAction):
    """The customer's policies, for a flow to offer."""

    def name(self) -> str:
        return "action_list_policies"

    async def act(self, call: Call) -> Result:
        policies = await _policies(call)
        listed = lines(f"{one['number']}: {one['product']}, {one['item']}" for one in policies)
        only = {"policy_number": policies[0]["number"]} if len(policies) == 1 else {}
        return Result({"policy_count": len(policies), "policy_list": listed, **only})


class ProofOfInsurance(RecordsAction):
    """Issues a proof of insurance."""

    def name(self) -> str:
        return "action_proof_of_insurance"

    async def act(self, call: Call) -> Result:
        delivery = call.choice("proof_delivery", DELIVERIES, "email")
        policy = await _policy(call)
        issued = await call.do("policies", "issue_proof", {"delivery": delivery}, id=policy.id)
        arrives = day_text(issued["arrives_by"])
        told = {"item": issued["item"], "reference": issued.id}
        if delivery == "email":
            says = (("utter_proof_by_email", {**told, "email": issued["email"]}),)
        else:
            says = (("utter_proof_by_post", {**told, "arrives_by": arrives, "address": issued["address"]}),)
        return Result({"proof_reference": issued.id, "proof_arrives": arrives, "proof_item": issued["item"]}, says)


class ClaimStatus(RecordsAction):
    """Where a claim stands."""

    def name(self) -> str:
        return "action_claim_status"

    async def act(self, call: Call) -> Result:
        claim = await _claim(call)
        amount = money(claim["amount"]) if claim["amount"] is not None else ""
        told = {"claim": claim["number"], "item": claim["item"]}
        next_by = day_text(claim["next_by"])
        slots = {
            "claim_number": claim["number"],
            "claim_state": claim["state"],
            "claim_missing": claim["missing"],
            "claim_decision": claim["decision"],
            "claim_amount": amount or None,
            "claim_next_by": next_by or None,
        }
        says = (_claim_reply(claim, told, amount, next_by),)
        return Result(slots, says, journey=("claim", claim["state"]))


class CheckDamageDay(RecordsAction):
    """Writes out the day on which something was damaged: "yesterday" is another day tomorrow, when the customer comes back."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_check_damage_day"

    async def act(self, call: Call) -> Result:
        day = call.day("damaged_on", past=True)
        assert day is not None
        if day > call.today:
            raise Failed("refused", "day_future")
        return Result({"damaged_on": day_text(day.isoformat())})


class ReportBrokenPhone(RecordsAction):
    """Opens a claim for a broken or stolen phone."""

    def name(self) -> str:
        return "action_report_broken_phone"

    async def act(self, call: Call) -> Result:
        damage, day = call.choice("damage", DAMAGES), call.day("damaged_on", past=True)
        assert day is not None
        data = {
            "damage": damage,
            "damaged_on": day.isoformat(),
            "repair_by": call.choice("repair_by", REPAIRS, "post"),
            "device": call.text("device"),
            "police_reference": call.text("police_reference"),
        }
        claim = await call.do("claims", "report_phone", data)
        told = {
            "claim": claim["number"],
            "device": claim["item"],
            "excess": money(claim["excess"], claim["currency"]),
            "ready_by": day_text(claim["ready_by"]),
        }
        slots = {
            "claim_number": claim["number"],
            "claim_excess": told["excess"],
            "repair_ready_by": told["ready_by"],
            "device": claim["item"],
        }
        reply = {"shop": "utter_phone_claim_shop", "none": "utter_phone_claim_theft"}.get(claim["repair_by"], "utter_phone_claim_opened")
        return Result(slots, ((reply, told),), journey=("phone_claim", "in repair"))


async def _policies(call: Call) -> list[Record]:
    policies = [one for one in await call.mine("policies") if one["state"] != ENDED]
    if not policies:
        raise Failed("not_found", "policy")
    return policies


async def _policy(call: Call) -> Record:
    """The policy that is meant: by its number, by its kind, or the only one."""
    number = _code(call.text("policy_number"))
    if number:
        found = await call.mine("policies", number=number)
    else:
        kind = call.choice("policy_kind", POLICY_KINDS, "")
        found = [one for one in await _policies(call) if kind in ("", one["kind"])]
    if not found:
        raise Failed("not_found", "policy")
    if len(found) > 1:
        raise Failed("several", "policy_number")
    return found[0]


async def _claim(call: Call) -> Record:
    """The claim that is meant: by its number, else the only one that is not paid, else the only one."""
    number = _code(call.text("claim_number"))
    where: dict[str, Any] = {"number": number} if number else {}
    found = await call.mine("claims", **where)
    if not found:
        raise Failed("not_found", "claim")
    if len(found) > 1:
        found = [one for one in found if one["state"] != "paid"] or found
    if len(found) > 1:
        raise Failed("several", "claim_number")
    return found[0]


def _claim_reply(claim: Record, told: dict[str, Any], amount: str, next_by: str) -> tuple[str, dict[str, Any]]:
    state = claim["state"]
    if state == "paid":
        return "utter_claim_paid", {**told, "amount": amount, "paid_on": day_text(claim["paid_on"])}
    if state == "decided" and claim["decision"] == "refused":
        return "utter_claim_refused", told
    if state == "decided":
        return "utter_claim_accepted", {**told, "amount": amount, "next_by": next_by}
    if claim["missing"]:
        return "utter_claim_missing", {**told, "missing": claim["missing"]}
    return ("utter_claim_in_review" if state == "in review" else "utter_claim_received"), {**told, "next_by": next_by}


def _code(text: str) -> str:
    """A number on paper as it is stored."""
    return text.replace(" ", "").replace("-", "").upper()
