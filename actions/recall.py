"""``action_recall``: what the shared memory knows of the customer, as slots."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.shared import shared_database
from memory.context import Context, recall
from memory.customers import Identity
from memory.database import Tx, table

_identity = table(Identity)
_by_address = sa.select(_identity.c.id).where(
    _identity.c.channel == sa.bindparam("p_channel"),
    _identity.c.address == sa.bindparam("p_address"),
)


class ActionRecall(Action):  # type: ignore[misc]
    """Fills slots from the memory. It only reads, so a repeat does no harm and tells the present."""

    def name(self) -> str:
        return "action_recall"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """A ``SlotSet`` for each thing that is known and that ``domain`` has a slot for; none for a sender who is not known.

        The tracker's sender is ``channel:address``, such as ``telegram:501``. Nothing is said to the customer.
        """
        channel, _, address = str(tracker.sender_id).partition(":")
        if not address:
            return []
        database = await shared_database()
        context = await database.read(lambda tx: _recall_sender(tx, channel, address))
        if context is None:
            return []
        wanted = (domain or {}).get("slots") or {}
        return [SlotSet(name, value) for name, value in slots_of(context).items() if name in wanted]


def _recall_sender(tx: Tx, channel: str, address: str) -> Context | None:
    """The context of the customer who writes from ``address``, or None. Makes nobody: only a channel meets new people."""
    identity_id = tx.execute(_by_address, {"p_channel": channel, "p_address": address}).scalar()
    return None if identity_id is None else recall(tx, [identity_id])[identity_id]


def slots_of(context: Context) -> dict[str, Any]:
    """Slot values by name: every current fact, and what the memory itself can say. Pure.

    ``last_seen`` is in ISO 8601, UTC, as slots hold JSON.
    """
    return {name: fact.value for name, fact in context.facts.items()} | {
        "customer_name": context.name,
        "last_seen": context.last_seen.isoformat() if context.last_seen is not None else None,
        "handoff_open": context.handoff is not None,
        "journeys": {f"{one.product}:{one.matter}" if one.matter else one.product: one.stage for one in context.journeys},
        "open_promises": [one.text for one in context.promises],
        "consents": {purpose: consent.granted for purpose, consent in context.consents.items()},
        "earlier_matters": [one.wanted for one in context.summaries],
    }
