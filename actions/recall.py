"""``action_recall``: what the shared memory knows of the customer, as slots."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import WITHIN_S
from actions.declared import declarations_in
from actions.shared import proof_fresh_for, records_place, shared_clock, shared_database
from actions.who import Who, find_who
from memory.declared import Declarations
from memory.proofs import may_tell
from memory.usable import usable


class ActionRecall(Action):  # type: ignore[misc]
    """Fills slots from the memory. It only reads, so a repeat does no harm and tells the present."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_recall"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """A ``SlotSet`` for each thing that is known, may be told and used now, and that ``domain`` has a slot for.

        None for a sender who is not known. The sender is ``channel:address``, such as ``telegram:501``. Nothing is said to the customer.
        Raises ``TimeoutError`` where the memory does not answer: a flow must not go on as if nothing were known.
        """
        declared, now = declarations_in(domain), shared_clock().now()
        fresh_for, place = proof_fresh_for(), records_place()
        async with asyncio.timeout(WITHIN_S):
            database = await shared_database()
            who = await database.read(lambda tx: find_who(tx, str(tracker.sender_id), now=now, fresh_for=fresh_for, place=place))
        if who is None:
            return []
        wanted = (domain or {}).get("slots") or {}
        return [SlotSet(name, value) for name, value in slots_of(who, declared, now).items() if name in wanted]


def slots_of(who: Who, declared: Declarations, now: datetime) -> dict[str, Any]:
    """Slot values by name: what the memory itself can say, and the facts that may be told to this identity and relied upon now. Pure.

    Where a fact has the name of one of the memory's own, the memory's own counts. ``last_seen`` is in ISO 8601, UTC, as slots hold JSON.
    """
    context = who.context
    facts = {name: fact.value for name, fact in usable(context, declared, now).items() if may_tell(name, declared, who.level)}
    return facts | {
        "customer_name": context.name,
        "last_seen": context.last_seen.isoformat() if context.last_seen is not None else None,
        "handoff_open": context.handoff is not None,
        "journeys": {f"{one.product}:{one.matter}" if one.matter else one.product: one.stage for one in context.journeys},
        "open_promises": [one.text for one in context.promises],
        "consents": {purpose: consent.granted for purpose, consent in context.consents.items()},
        "earlier_matters": [one.wanted for one in context.summaries],
        "proof": who.level,
        "records_known": who.record is not None,
    }
