"""The rules of the sample's insurer. What they say is what the assistant's articles say."""

from __future__ import annotations

from datetime import timedelta

from actions.records.interface import RecordRefused
from actions.records.sample.rules import Call, Made, add, rows, working_days

REPORT_WITHIN = timedelta(days=14)
DAMAGES = ("screen", "liquid", "breakage", "theft")


def issue_proof(call: Call) -> Made:
    """Issue a proof of insurance, by e-mail or by post."""
    policy = call.mine("policies")
    if policy["state"] == "ended":
        raise RecordRefused("policy_ended")
    by_post = call.text("delivery") == "post"
    made = add(
        call.tx,
        "proofs",
        "HD",
        {
            "customer_id": policy["customer_id"],
            "policy_id": policy["id"],
            "delivery": "post" if by_post else "email",
            "arrives_by": (working_days(call.today, 5) if by_post else call.today).isoformat(),
            "issued_at": call.now.isoformat(),
        },
    )
    customer = call.customer()
    return "proofs", {**made, "item": policy["item"], "email": customer["email"], "address": customer["address"]}


def report_phone(call: Call) -> Made:
    """Open a claim for a broken or stolen phone under the customer's phone policy."""
    customer = call.customer()
    cover = [one for one in rows(call.tx, "policies", customer_id=customer["id"], kind="phone") if one["state"] != "ended"]
    if not cover:
        raise RecordRefused("no_phone_cover")
    policy = cover[0]
    damage, day = call.text("damage"), call.day("damaged_on")
    if damage not in DAMAGES:
        raise RecordRefused("damage_missing")
    if day is None:
        raise RecordRefused("damaged_on_missing")
    if day > call.today:
        raise RecordRefused("day_future")
    if call.today - day > REPORT_WITHIN:
        raise RecordRefused("too_late")
    if damage == "theft" and not call.text("police_reference"):
        raise RecordRefused("police_reference_missing")
    if any(claim["state"] != "paid" for claim in rows(call.tx, "claims", policy_id=policy["id"])):
        raise RecordRefused("claim_open_already")
    shop = call.text("repair_by") == "shop"
    days = 5 if damage != "screen" else 2 if shop else 4
    made = add(
        call.tx,
        "claims",
        "HK",
        {
            "customer_id": customer["id"],
            "policy_id": policy["id"],
            "number": f"HC{400_001 + len(rows(call.tx, 'claims'))}",
            "item": call.text("device") or policy["item"],
            "damage": damage,
            "state": "received",
            "excess": policy["excess"],
            "opened_on": call.today.isoformat(),
            "next_by": working_days(call.today, 1).isoformat(),
            "repair_by": "none" if damage == "theft" else "shop" if shop else "post",
            "ready_by": working_days(call.today, days).isoformat(),
            "police_reference": call.text("police_reference") or None,
        },
    )
    return "claims", {**made, "currency": "GBP"}
