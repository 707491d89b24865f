"""``action_handoff``: a flow asks for a person."""

from __future__ import annotations

from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

MAX_NOTE = 500
"""Characters of what is told to the agent at most."""


class ActionHandoff(Action):  # type: ignore[misc]
    """Asks for a person, in a custom message that Legato's bot understands; it writes nothing, so a repeat asks for the same."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_handoff"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """``{"legato": {"handoff": {...}}}`` with ``reason``, ``queue`` and ``note``, each None where its slot is empty.

        A foreign Rasa server hands it to its channel as any custom message; whoever runs that channel passes the customer on.
        """
        slots = tracker.slots or {}
        asked = {name: _text(slots.get(f"handoff_{name}")) for name in ("reason", "queue", "note")}
        dispatcher.utter_message(json_message={"legato": {"handoff": asked}})
        return []


def _text(value: Any) -> str | None:
    return " ".join(value.split())[:MAX_NOTE] or None if isinstance(value, str) else None
