"""A call as Rasa writes it: the tracker and the domain that an action gets to see. Pure.

The shapes are Rasa 3.6's (``rasa.core.actions.action.RemoteAction`` and ``DialogueStateTracker.current_state``), which rasa-sdk reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.flows.actions import Called
from bot.flows.model import Domain, Slot

LISTEN = "action_listen"
"""What Rasa has done last when a customer's words arrive."""


def tracker_of(called: Called, domain: Domain, *, at: datetime) -> dict[str, Any]:
    """The tracker of a call. Its events are the customer's last words alone: what happened before is in the memory, not in here.

    ``latest_message.metadata`` has ``turn_id``, ``call``, ``proof`` and ``flow``; the confidence of what was understood is not handed on.
    """
    message = {
        "text": called.text,
        "intent": {"name": called.intent, "confidence": 1.0 if called.intent else 0.0},
        "intent_ranking": [{"name": called.intent, "confidence": 1.0}] if called.intent else [],
        "entities": [{"entity": name, "value": value} for name, values in called.entities.items() for value in _each(values)],
        "message_id": str(called.turn_id),
        "metadata": {"turn_id": called.turn_id, "call": called.call, "proof": called.proof, "flow": called.flow},
    }
    moment, channel = at.timestamp(), called.sender.partition(":")[0]
    user = {"event": "user", "timestamp": moment, "text": called.text, "parse_data": message, "input_channel": channel}
    return {
        "sender_id": called.sender,
        "slots": {name: slot.initial for name, slot in domain.slots.items()} | dict(called.slots),
        "latest_message": message,
        "latest_event_time": moment,
        "latest_input_channel": channel,
        "events": [
            {"event": "action", "timestamp": moment, "name": LISTEN, "policy": None, "confidence": None},
            {**user, "message_id": message["message_id"], "metadata": message["metadata"]},
        ],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": LISTEN,
    }


def domain_of(domain: Domain, replies: Iterable[str] = (), more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The domain as Rasa sends it along. ``replies`` are the names of what can be said; their texts are nobody's business but ours.

    ``more`` are keys of our own, which Rasa's domain does not have.
    """
    return {
        "version": "3.1",
        "intents": sorted(domain.intents),
        "entities": sorted(domain.entities),
        "slots": {name: _slot(slot) for name, slot in domain.slots.items()},
        "responses": {name: [] for name in sorted(replies)},
        "actions": sorted(domain.actions),
        "forms": {},
        "e2e_actions": [],
        "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
        **(more or {}),
    }


def _slot(slot: Slot) -> dict[str, Any]:
    mappings: list[dict[str, Any]] = [{"type": "from_entity", "entity": entity} for entity in slot.entities]
    said: dict[str, Any] = {
        "type": slot.type,
        "initial_value": slot.initial,
        "influence_conversation": False,
        "mappings": mappings or [{"type": "custom"}],
    }
    if slot.values:
        said["values"] = list(slot.values)
    if slot.low is not None:
        said["min_value"] = slot.low
    if slot.high is not None:
        said["max_value"] = slot.high
    return said


def _each(values: Any) -> Iterable[Any]:
    """What was said of one entity: one value, or several."""
    return values if isinstance(values, list | tuple) else (values,)
