"""``action_look_back``: what was said before about what the customer writes now, however long ago."""

from __future__ import annotations

from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.past import related_to

ABOUT, RELATED = "look_back_about", "related"
"""The slots: what to look for (without it, the customer's last words), and what is found."""


class ActionLookBack(Action):  # type: ignore[misc]
    """Fills ``related`` with moments of the past. It only reads, so a repeat does no harm and tells the present."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_look_back"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """A list of lines, the best first, each with its day and who said it; empty where there is nothing. Nothing is said."""
        latest = tracker.latest_message or {}
        words = tracker.slots.get(ABOUT) or latest.get("text") or ""
        return [SlotSet(RELATED, [item.text for item in await related_to(str(tracker.sender_id), str(words))])]
