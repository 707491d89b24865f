"""One action for each thing that may come of one."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import date
from pathlib import Path
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionReverted, AllSlotsReset, FollowupAction, SessionEnded, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from tests.pipes import wait_at

Events = list[dict[str, Any]]


class Named(Action):  # type: ignore[misc]
    """An action that is called as its class: ``SetsSlots`` is ``action_sets_slots``."""

    def name(self) -> str:
        words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(self).__name__)
        return f"action{words}"


class SetsSlots(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return [SlotSet("amount", 12.5), SlotSet("lines", ["a", {"b": None}]), SlotSet("amount", 13)]


class SetsADate(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return [SlotSet("day", date(2026, 1, 5))]


class TellsTracker(Named):
    """Sets ``tracker`` and ``domain`` to what it was given."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        seen = tracker.current_state() | {
            "followup_action": tracker.followup_action,
            "entity": next(tracker.get_latest_entity_values("card"), None),
            "intent": tracker.get_intent_of_latest_message(),
        }
        return [SlotSet("tracker", seen), SlotSet("domain", domain)]


class Says(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        dispatcher.utter_message(response="utter_sent", amount="£5.00", payee="Ann")
        dispatcher.utter_message(text="Which <one>?", buttons=[{"title": "First", "payload": "/one"}, {"title": "No payload"}])
        dispatcher.utter_message(response="utter_sent", text="In its place")
        dispatcher.utter_message(image="https://example.com/a.png")
        dispatcher.utter_message(json_message={"other": 1}, elements=[{"title": "x"}])
        return []


class Asks(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        dispatcher.utter_message(json_message={"legato": {"handoff": "fraud"}})
        return [SlotSet("amount", 1)]


class AsksWithNote(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        dispatcher.utter_message(json_message={"legato": {"handoff": {"reason": None, "queue": "cards", "note": "Look at the date"}}})
        return []


class Resets(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return [SlotSet("amount", 1), AllSlotsReset(), SlotSet("card", "1234")]


class FollowsWithReply(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        dispatcher.utter_message(text="First")
        return [FollowupAction("utter_after"), FollowupAction("action_listen")]


class FollowsWithAction(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return [SlotSet("amount", 1), FollowupAction("action_sets_slots")]


class Ends(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return [SessionEnded(), ActionReverted(), SlotSet("amount", 1)]


class Nothing(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> None:
        return None


class Refuses(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        raise ActionExecutionRejection(self.name(), f"not for {tracker.sender_id}")


class Fails(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        raise ValueError(f"{tracker.latest_message['text']} from {tracker.sender_id}")


class Exits(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        raise SystemExit(3)


class Waits(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        await asyncio.sleep(3600)
        return []


class HeedsNothing(Named):
    """Goes on when it is cancelled, once."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)
        return []


class Blocks(Named):
    """A plain function, which holds its thread until it is let through at the file that ``gate`` names."""

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        wait_at(Path(tracker.get_slot("gate")))
        return [SlotSet("thread", threading.current_thread() is threading.main_thread())]


class PlainFails(Named):
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        raise StopIteration


class Counts(Named):
    """Adds a line to the file that ``book`` names and gives the numbers of its call."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        about = tracker.latest_message["metadata"]
        _note(tracker.get_slot("book"), f"{about['turn_id']} {about['call']}\n")
        return [SlotSet("call", [about["turn_id"], about["call"]]), SlotSet("process", os.getpid())]


def _note(book: str, line: str) -> None:
    with Path(book).open("a") as file:
        file.write(line)


class ChangesWhatItGets(Named):
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        tracker.slots["lines"].append("changed")
        domain["slots"].clear()
        return [SlotSet("lines", tracker.slots["lines"])]


class NotesItsEnd(Named):
    """Waits, and writes ``begun`` and ``ended`` into the file that ``book`` names."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        _note(tracker.get_slot("book"), "begun ")
        try:
            await asyncio.sleep(3600)
        finally:
            _note(tracker.get_slot("book"), "ended")
        return []
