"""What the company holds of a customer: their details, and a change of address."""

from __future__ import annotations

from actions.base import Call, RecordsAction, Result
from actions.texts import day_text


class AccountDetails(RecordsAction):
    """Tells customers what the company holds of them."""

    def name(self) -> str:
        return "action_account_details"

    async def act(self, call: Call) -> Result:
        customer = await call.customer()
        told = {name: customer[name] or "" for name in ("name", "email", "phone", "address")} | {
            "number": customer["customer_number"] or ""
        }
        return Result({f"details_{name}": value for name, value in told.items()}, (("utter_account_details", told),))


class ChangeAddress(RecordsAction):
    """Changes the address to which everything is sent."""

    def name(self) -> str:
        return "action_change_address"

    async def act(self, call: Call) -> Result:
        address = call.needed("address")
        day = call.day("address_from", needed=False) or call.today
        data = {"address": address, "from_day": day.isoformat()}
        changed = await call.do("customers", "change_address", data, id=call.customer_id)
        applies = day_text(changed["next_address_from"])
        told = {"address": changed["next_address"] or address, "from_day": applies}
        return Result({"address_applies_from": applies}, (("utter_address_changed", told),))
