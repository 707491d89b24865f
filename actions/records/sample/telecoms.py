"""The rules of the sample's telecoms company. What they say is what the assistant's articles say."""

from __future__ import annotations

from datetime import date, timedelta

from actions.records.interface import RecordRefused, RecordsUnknown
from actions.records.sample.rules import Call, Made, add, change, has_postcode, one, rows, working_days
from memory.database import Row

CONNECTING, MONTH_LEFT = 20_00, 10_00
"""What connecting costs, and what each month that is left of a contract does."""

NOTICE, MOVE_NOTICE, FURTHEST, RETURN_WITHIN = timedelta(days=30), timedelta(days=10), timedelta(days=60), timedelta(days=14)
BOUND_FOR = 365
"""Days of a contract; it runs from month to month afterwards."""

AT_HOME = ("internet", "tv", "home phone")
"""Services that belong to an address."""

WITH_EQUIPMENT = ("internet", "tv")


def check_start(call: Call) -> Made:
    """Whether a service can be ordered, from when and for how much. Nothing is changed."""
    plan, day = _startable(call)
    return "orders", {"id": "", **_order(call, "start", plan=plan, day=day, fee=_connecting(plan))}


def start(call: Call) -> Made:
    """Order a service."""
    plan, day = _startable(call)
    service = add(
        call.tx,
        "services",
        "CS",
        {
            "customer_id": call.text("customer_id"),
            "plan_id": plan["id"],
            "kind": plan["kind"],
            "plan": plan["name"],
            "price": plan["price"],
            "state": "ordered",
            "started_on": day.isoformat(),
            "bound_until": (day + timedelta(days=BOUND_FOR)).isoformat(),
        },
    )
    return _ordered(call, _order(call, "start", plan=plan, day=day, fee=_connecting(plan), service_id=service["id"]))


def move(call: Call) -> Made:
    """Move the services of a home, or one of them, to another address on a day."""
    wanted = call.text("service_kind")
    mine = [one for one in rows(call.tx, "services", customer_id=call.customer()["id"]) if one["kind"] in AT_HOME]
    mine = [one for one in mine if one["state"] not in ("ended", "cancelling") and wanted in ("", one["kind"])]
    if not mine:
        raise RecordRefused("nothing_to_move")
    if any(one["state"] == "moving" for one in mine):
        raise RecordRefused("moving_already")
    address = " ".join(call.text("address").split())
    if not has_postcode(address):
        raise RecordRefused("address_incomplete")
    day = call.day("day")
    if day is None or day - call.today < MOVE_NOTICE:
        raise RecordRefused("day_too_soon")
    if day - call.today > FURTHEST:
        raise RecordRefused("day_too_far")
    for service in mine:
        change(call.tx, "services", service["id"], state="moving")
    return _ordered(call, _order(call, "move", day=day, address=address, services=[one["kind"] for one in mine]))


def check_change(call: Call) -> Made:
    """Whether a service can have another plan, from when and for how much. Nothing is changed."""
    service, plan, day, larger = _changeable(call)
    row = _order(call, "change", plan=plan, day=day, service_id=service["id"], before=service["plan"])
    return "orders", {"id": "", **row, "larger": larger}


def change_plan(call: Call) -> Made:
    """Change a service's plan: a larger one begins the next day, a smaller one with the next bill."""
    service, plan, day, larger = _changeable(call)
    if larger:
        change(call.tx, "services", service["id"], plan=plan["name"], plan_id=plan["id"], price=plan["price"])
    kind, row = _ordered(call, _order(call, "change", plan=plan, day=day, service_id=service["id"], before=service["plan"]))
    return kind, {**row, "larger": larger}


def check_cancel(call: Call) -> Made:
    """What cancelling a service would cost, and what would have to be sent back. Nothing is changed."""
    service, day = _cancellable(call)
    return "orders", {"id": "", **_cancelled(call, service, day)}


def cancel(call: Call) -> Made:
    """Cancel a service on a day, 30 days from now at the earliest."""
    service, day = _cancellable(call)
    change(call.tx, "services", service["id"], state="cancelling", ends_on=day.isoformat())
    return _ordered(call, _cancelled(call, service, day))


def _startable(call: Call) -> tuple[Row, date]:
    plan = one(call.tx, "plans", call.text("plan_id"))
    if plan is None:
        raise RecordsUnknown("plans")
    mine = [one["kind"] for one in rows(call.tx, "services", customer_id=call.customer()["id"]) if one["state"] != "ended"]
    if plan["kind"] in mine and plan["kind"] != "mobile":
        raise RecordRefused("have_already")
    if plan["kind"] == "tv" and "internet" not in mine:
        raise RecordRefused("needs_internet")
    day = call.day("day") or working_days(call.today, 2 if plan["kind"] == "mobile" else 5)
    if day <= call.today:
        raise RecordRefused("day_too_soon")
    if day - call.today > FURTHEST:
        raise RecordRefused("day_too_far")
    return plan, day


def _connecting(plan: Row) -> int:
    return 0 if plan["kind"] == "mobile" else CONNECTING


def _changeable(call: Call) -> tuple[Row, Row, date, bool]:
    service = call.mine("services")
    if service["state"] in ("cancelling", "ended"):
        raise RecordRefused("cancelled_already")
    plan, before = one(call.tx, "plans", call.text("plan_id")), one(call.tx, "plans", service["plan_id"])
    if plan is None or before is None or plan["kind"] != service["kind"]:
        raise RecordsUnknown("plans")
    if plan["id"] == before["id"]:
        raise RecordRefused("same_plan")
    larger = plan["size"] > before["size"]
    next_month = (call.today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return service, plan, call.today + timedelta(days=1) if larger else next_month, larger


def _cancellable(call: Call) -> tuple[Row, date]:
    service = call.mine("services")
    if service["state"] in ("cancelling", "ended"):
        raise RecordRefused("cancelled_already")
    day = call.day("day") or call.today + NOTICE
    if day - call.today < NOTICE:
        raise RecordRefused("day_too_soon")
    return service, day


def _cancelled(call: Call, service: Row, day: date) -> Row:
    left = 0
    if service["bound_until"] is not None:
        bound = date.fromisoformat(service["bound_until"])
        months = (bound.year - day.year) * 12 + bound.month - day.month + (bound.day > day.day)
        left = max(0, months)
    back = (day + RETURN_WITHIN).isoformat() if service["kind"] in WITH_EQUIPMENT else None
    row = _order(call, "cancel", day=day, fee=left * MONTH_LEFT, service_id=service["id"], return_by=back)
    return {**row, "plan": service["plan"], "services": [service["kind"]]}


def _order(
    call: Call,
    kind: str,
    *,
    day: date,
    plan: Row | None = None,
    fee: int = 0,
    service_id: str | None = None,
    before: str | None = None,
    return_by: str | None = None,
    address: str | None = None,
    services: list[str] | None = None,
) -> Row:
    return {
        "customer_id": call.text("customer_id"),
        "service_id": service_id,
        "kind": kind,
        "plan": plan["name"] if plan is not None else None,
        "plan_before": before,
        "price": plan["price"] if plan is not None else None,
        "fee": fee,
        "day": day.isoformat(),
        "return_by": return_by,
        "address": address,
        "services": services or ([plan["kind"]] if plan is not None else []),
        "ordered_on": call.today.isoformat(),
    }


def _ordered(call: Call, row: Row) -> Made:
    return "orders", add(call.tx, "orders", "CO", row)
