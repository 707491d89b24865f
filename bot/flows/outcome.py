"""What an action server's answer means to the engine. Pure, save for the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from bot.flows.actions import Done, Uttered
from bot.flows.model import Domain

logger = logging.getLogger(__name__)

LISTEN = "action_listen"
MESSAGE_KEYS = frozenset({"text", "image", "custom", "template", "response", "attachment", "buttons", "elements"})
"""What ``utter_message`` itself puts into a response; whatever else is in it is a variable of the reply."""

MAX_ANSWER_BYTES = 1024 * 1024
"""An answer is a few kilobytes; a larger one is none of an action's."""

ASKED = "asked"
"""Why a person is asked for, where an action does not say."""


class Unreadable(Exception):
    """An answer that is none of an action server's."""


class Reader:
    """Reads answers. Each thing that is passed over is told to the log once: an action says the same thing every time."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._told: set[str] = set()

    def read(self, action: str, status: int, body: bytes) -> Done:
        """What came of ``action``. The body of a failure is not logged: rasa-sdk's own server repeats the whole call in it."""
        try:
            said = _object(body)
            if status == 400 and said.get("action_name") == action:
                return Done(failed="refused")
            if status == 504 and said.get("action_name") == action:
                return Done(failed="timeout")
            if status == 404:
                logger.error("action %s: whoever runs the actions has none of this name", action)
                return Done(failed="unavailable")
            if status != 200:
                logger.error("action %s failed where it runs (status %d); the log there says why", action, status)
                return Done(failed="error")
            return self._done(action, said)
        except Unreadable as error:
            if status != 200:
                logger.error("action %s: no action server answers like this (status %d)", action, status)
                return Done(failed="unavailable" if status in (404, 504) else "error")
            logger.error("action %s: its answer cannot be read: %s", action, error)
            return Done(failed="error")

    def _done(self, action: str, said: Mapping[str, Any]) -> Done:
        slots: dict[str, Any] = {}
        says: list[Uttered] = []
        handoff: Mapping[str, Any] | None = None
        follow: list[Uttered] = []
        for event in _objects(said, "events"):
            kind = str(event.get("event"))
            if kind == "slot" and isinstance(event.get("name"), str):
                slots[event["name"]] = event.get("value")
            elif kind == "reset_slots":
                # What is known of the customer stays: it is the memory's, and only shown to flows.
                slots = {name: slot.initial for name, slot in self._domain.slots.items() if not slot.fact}
            elif kind == "followup":
                follow += self._followed(action, event.get("name"))
            else:
                self._tell(f"event {kind}", "action %s: events of the kind %.40r mean nothing here", action, kind)
        for message in _objects(said, "responses"):
            custom = message.get("custom")
            legato = custom.get("legato") if isinstance(custom, dict) else None
            if isinstance(legato, dict) and legato.get("handoff"):
                asks = legato["handoff"]
                handoff = asks if isinstance(asks, dict) else {"reason": asks}
            elif custom:
                self._tell("custom", "action %s: of custom messages only legato's are read", action)
            if (uttered := self._uttered(action, message)) is not None:
                says.append(uttered)
        wanted = handoff or {}
        return Done(
            slots=slots,
            says=(*says, *follow),
            handoff=None if handoff is None else str(wanted.get("reason") or ASKED),
            queue=_text(wanted.get("queue")),
            note=_text(wanted.get("note")),
        )

    def _followed(self, action: str, name: Any) -> Iterator[Uttered]:
        """A reply that is to follow is said. An action is not run: it would have no number of its own, by which a repeat is known."""
        if isinstance(name, str) and name.startswith("utter_"):
            yield Uttered(name)
        elif name != LISTEN:
            self._tell(
                f"followup {name}",
                "action %s wants %.60r to follow, which is not run: make it the next step of the flow, with a condition on a slot",
                action,
                name,
            )

    def _uttered(self, action: str, message: Mapping[str, Any]) -> Uttered | None:
        name = message.get("response") or message.get("template") or None
        text = "\n".join(str(part) for key in ("text", "image", "attachment") if (part := message.get(key)) and not isinstance(part, dict))
        buttons = tuple(self._buttons(action, message.get("buttons")))
        if message.get("elements"):
            self._tell("elements", "action %s: elements cannot be shown", action)
        if name is None and not text and not buttons:
            return None
        variables = {key: value for key, value in message.items() if key not in MESSAGE_KEYS}
        # As in Rasa, a text that is given with a name is said in its place.
        return Uttered(str(name) if name and not message.get("text") else None, variables, text, buttons)

    def _buttons(self, action: str, buttons: Any) -> Iterator[tuple[str, str]]:
        for button in buttons if isinstance(buttons, list) else ():
            if isinstance(button, dict) and button.get("title") and button.get("payload"):
                yield str(button["title"]), str(button["payload"])
            else:
                self._tell("button", "action %s: a button needs a title and a payload", action)

    def _tell(self, what: str, line: str, *arguments: object) -> None:
        if what not in self._told:
            self._told.add(what)
            logger.warning(line, *arguments)


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_ANSWER_BYTES:
        raise Unreadable("it is too large")
    try:
        said = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None
    if not isinstance(said, dict):
        raise Unreadable("it is no JSON object")
    return said


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _objects(said: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    items = said.get(key)
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Unreadable(f"{key} is no list of objects")
    return items


def _text(value: Any) -> str | None:
    return str(value) if value else None
