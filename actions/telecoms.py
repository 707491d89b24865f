"""What the telecoms company's flows do. The table in README.md says what each action reads, sets and says."""

from __future__ import annotations

from typing import Any, ClassVar

from actions.base import Call, Failed, RecordsAction, Result
from actions.records.interface import Record
from actions.texts import day_text, fee, lines, money, month_text, read_choice, read_month

SERVICE_KINDS = ("internet", "mobile", "tv", "home phone")
TV, INTERNET, MOBILE = "tv", "internet", "mobile"
ENDED = "ended"
MONTHS_KEPT = 24
"""For how many months bills are kept."""


class ListServices(RecordsAction):
    """The customer's services."""

    def name(self) -> str:
        return "action_list_services"

    async def act(self, call: Call) -> Result:
        services = await _services(call)
        listed = lines(_service_line(one) for one in services)
        # which service is meant may have been said already, and it need not be the one that there is
        only = {"service_kind": services[0]["kind"]} if len(services) == 1 and not call.text("service_kind") else {}
        return Result({"service_count": len(services), "service_list": listed, **only}, (("utter_services", {"list": listed}),))


class ListPlans(RecordsAction):
    """The plans of a kind of service."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_list_plans"

    async def act(self, call: Call) -> Result:
        kind = call.choice("service_kind", SERVICE_KINDS)
        listed = lines(_plan_line(one) for one in await _plans(call, kind))
        return Result({"plan_list": listed}, (("utter_plans", {"service": _service(kind), "list": listed}),))


class ChannelPackages(RecordsAction):
    """The TV packages."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_channel_packages"

    async def act(self, call: Call) -> Result:
        listed = lines(_plan_line(one) for one in await _plans(call, TV))
        return Result({"package_list": listed}, (("utter_channel_packages", {"list": listed}),))


class CheckStart(RecordsAction):
    """Whether a service can be ordered, for the flow to read back."""

    def name(self) -> str:
        return "action_check_start"

    async def act(self, call: Call) -> Result:
        return Result(_order_slots(await call.check("services", "check_start", await _start(call))))


class StartService(RecordsAction):
    """Orders a service."""

    def name(self) -> str:
        return "action_start_service"

    async def act(self, call: Call) -> Result:
        order = await call.do("services", "start", await _start(call))
        slots = _order_slots(order) | {"order_reference": order.id}
        kind = order["services"][0]
        told = {
            "service": _service(kind),
            "plan": slots["plan_name"],
            "price": slots["plan_price"],
            "day": slots["order_day"],
            "fee": slots["order_fee"],
            "reference": order.id,
        }
        return Result(slots, (("utter_service_ordered", told),), journey=("internet", "ordered") if kind == INTERNET else None)


class MoveService(RecordsAction):
    """Moves the services of a home to another address."""

    def name(self) -> str:
        return "action_move_service"

    async def act(self, call: Call) -> Result:
        day = call.day("move_day")
        assert day is not None
        kind = call.choice("service_kind", SERVICE_KINDS, "")
        order = await call.do("services", "move", {"address": call.needed("new_address"), "day": day.isoformat(), "service_kind": kind})
        names = ", ".join(_service(one) for one in order["services"])
        told = {"services": names, "address": order["address"], "day": day_text(order["day"]), "reference": order.id}
        slots = {"order_reference": order.id, "order_day": told["day"], "new_address": order["address"]}
        return Result(slots, (("utter_service_moving", told),), journey=("internet", "moving") if INTERNET in order["services"] else None)


class CheckUpgrade(RecordsAction):
    """What another plan would cost and when it would begin, for the flow to read back."""

    def name(self) -> str:
        return "action_check_upgrade"

    async def act(self, call: Call) -> Result:
        service, plan = await _change(call)
        return Result(_change_slots(await call.check("services", "check_change", {"plan_id": plan.id}, id=service.id)))


class UpgradeService(RecordsAction):
    """Changes a service's plan."""

    def name(self) -> str:
        return "action_upgrade_service"

    async def act(self, call: Call) -> Result:
        service, plan = await _change(call)
        order = await call.do("services", "change_plan", {"plan_id": plan.id}, id=service.id)
        slots = _change_slots(order) | {"order_reference": order.id}
        told = {
            "service": _service(service["kind"]),
            "plan": slots["plan_name"],
            "before": slots["plan_before"],
            "price": slots["plan_price"],
            "day": slots["order_day"],
            "reference": order.id,
        }
        return Result(slots, (("utter_service_changed", told),))


class CheckCancel(RecordsAction):
    """What cancelling would cost, for the flow to read back."""

    def name(self) -> str:
        return "action_check_cancel"

    async def act(self, call: Call) -> Result:
        service, data = await _cancel(call)
        return Result(_cancel_slots(await call.check("services", "check_cancel", data, id=service.id)))


class CancelService(RecordsAction):
    """Cancels a service."""

    def name(self) -> str:
        return "action_cancel_service"

    async def act(self, call: Call) -> Result:
        service, data = await _cancel(call)
        order = await call.do("services", "cancel", data, id=service.id)
        slots = _cancel_slots(order) | {"order_reference": order.id}
        told = {
            "service": _service(service["kind"]),
            "plan": service["plan"],
            "day": slots["order_day"],
            "fee": slots["order_fee"],
            "reference": order.id,
        }
        reply = ("utter_service_cancelled", told)
        if slots["return_by"] is not None:
            reply = ("utter_service_cancelled_return", {**told, "return_by": slots["return_by"]})
        return Result(slots, (reply,), journey=("internet", "cancelling") if service["kind"] == INTERNET else None)


class Bills(RecordsAction):
    """The customer's bills."""

    def name(self) -> str:
        return "action_bills"

    async def act(self, call: Call) -> Result:
        bills = await _bills(call)
        listed = lines(f"{month_text(one['month'])}: {money(one['total'], one['currency'])}, {one['state']}" for one in bills)
        open_ = sum(one["total"] for one in bills if one["state"] != "paid")
        slots = {"bill_count": len(bills), "bill_list": listed, "bill_open": money(open_, bills[0]["currency"])}
        return Result(slots, (("utter_bills", {"list": listed}),))


class Bill(RecordsAction):
    """One bill with what is on it."""

    def name(self) -> str:
        return "action_bill"

    async def act(self, call: Call) -> Result:
        wanted = call.text("bill_month")
        month = read_month(wanted, call.today) or call.invalid("bill_month") if wanted else None
        bill = next((one for one in await _bills(call) if month in (None, one["month"])), None)
        if bill is None:
            raise Failed("not_found", "bill")
        currency = bill["currency"]
        items = await call.mine("bill_items", bill_id=bill.id, limit=100)
        listed = lines(f"{one['text']}: {money(one['amount'], currency)}" for one in items)
        told = {"month": month_text(bill["month"]), "total": money(bill["total"], currency), "list": listed}
        due_on = day_text(bill["due_on"])
        slots = {
            "bill_month": told["month"],
            "bill_total": told["total"],
            "bill_due_on": due_on,
            "bill_items": listed,
            "bill_state": bill["state"],
        }
        paid = bill["state"] == "paid"
        return Result(slots, (("utter_bill_paid", told) if paid else ("utter_bill_open", {**told, "due_on": due_on}),))


class DataUsage(RecordsAction):
    """How much mobile data is used."""

    def name(self) -> str:
        return "action_data_usage"

    async def act(self, call: Call) -> Result:
        found = await call.mine("usage", month=call.today.isoformat()[:7]) or await call.mine("usage", limit=1)
        if not found:
            raise Failed("not_found", "mobile")
        used, allowance = sum(one["used_mb"] for one in found), sum(one["allowance_mb"] for one in found)
        percent = used * 100 // allowance if allowance else 100
        first = call.today.replace(day=1)
        resets = first.replace(year=first.year + 1, month=1) if first.month == 12 else first.replace(month=first.month + 1)
        told = {
            "used": _gigabytes(used),
            "allowance": _gigabytes(allowance),
            "percent": percent,
            "resets_on": day_text(resets.isoformat()),
        }
        reply = "utter_data_used_up" if percent >= 100 else "utter_data_usage"
        return Result({f"data_{name}": value for name, value in told.items()}, ((reply, told),))


async def _services(call: Call) -> list[Record]:
    services = [one for one in await call.mine("services") if one["state"] != ENDED]
    if not services:
        raise Failed("not_found", "service")
    return services


async def _one_service(call: Call) -> Record:
    """The service that is meant: the one of this kind, else the only one."""
    kind = call.choice("service_kind", SERVICE_KINDS, "")
    found = [one for one in await _services(call) if kind in ("", one["kind"])]
    if not found:
        raise Failed("not_found", "service")
    if len(found) > 1:
        raise Failed("several", "service_kind")
    return found[0]


async def _plans(call: Call, kind: str) -> list[Record]:
    plans = await call.records.find("plans", {"kind": kind})
    if not plans:
        raise Failed("not_found", "plan")
    return plans


async def _plan(call: Call, kind: str) -> Record:
    """The plan that is meant, by its name or a part of it that no other has; of a kind with one plan only, that one."""
    plans = await _plans(call, kind)
    wanted = call.text("plan")
    if not wanted:
        return plans[0] if len(plans) == 1 else call.missing("plan")
    named = next((one for one in plans if read_choice(wanted, (one["name"],))), None)
    if named is not None:
        return named
    parts = set(wanted.casefold().split())
    found = [one for one in plans if parts <= set(one["name"].casefold().split())]
    if len(found) > 1:
        raise Failed("several", "plan")
    return found[0] if found else call.invalid("plan")


async def _start(call: Call) -> dict[str, Any]:
    kind = call.choice("service_kind", SERVICE_KINDS)
    day = call.day("start_day", needed=False)
    return {"plan_id": (await _plan(call, kind)).id, "day": day.isoformat() if day is not None else None}


async def _change(call: Call) -> tuple[Record, Record]:
    service = await _one_service(call)
    return service, await _plan(call, service["kind"])


async def _cancel(call: Call) -> tuple[Record, dict[str, Any]]:
    day = call.day("last_day", needed=False)
    return await _one_service(call), {"day": day.isoformat() if day is not None else None}


async def _bills(call: Call) -> list[Record]:
    bills = await call.mine("bills", limit=MONTHS_KEPT)
    if not bills:
        raise Failed("not_found", "bill")
    return bills


def _order_slots(order: Record) -> dict[str, Any]:
    return {
        "plan_name": order["plan"],
        "plan_price": money(order["price"]),
        "order_day": day_text(order["day"]),
        "order_fee": fee(order["fee"]),
    }


def _change_slots(order: Record) -> dict[str, Any]:
    return {
        "plan_name": order["plan"],
        "plan_price": money(order["price"]),
        "plan_before": order["plan_before"],
        "order_day": day_text(order["day"]),
        "plan_is_larger": bool(order["larger"]),
    }


def _cancel_slots(order: Record) -> dict[str, Any]:
    return {"order_day": day_text(order["day"]), "order_fee": fee(order["fee"]), "return_by": day_text(order["return_by"]) or None}


def _service(kind: str) -> str:
    """A kind of service for people."""
    return "TV" if kind == TV else kind


def _service_line(one: Record) -> str:
    state = "" if one["state"] == "active" else f", {one['state']}"
    until = f" until {day_text(one['ends_on'])}" if one["ends_on"] else ""
    return f"{_service(one['kind'])}: {one['plan']}, {money(one['price'])} a month{state}{until}"


def _plan_line(one: Record) -> str:
    return f"{one['name']}: {one['summary']}, {money(one['price'])} a month"


def _gigabytes(megabytes: int) -> str:
    text = f"{megabytes / 1000:.1f}".removesuffix(".0")
    return f"{text} GB"
