"""What every action over the company's records has in common: whose records, with which proof, within which time, and failures as slots."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.declared import declarations_in
from actions.records.interface import (
    KeyUsed,
    Record,
    RecordRefused,
    Records,
    RecordsError,
    RecordsMisunderstood,
    RecordsUnavailable,
    RecordsUnknown,
)
from actions.shared import proof_fresh_for, shared_clock, shared_database, shared_records
from actions.texts import read_amount, read_choice, read_day, read_flag
from actions.who import Who, find_who, write_of
from memory.context import Context
from memory.database import Tx
from memory.declared import Declarations, at_least
from memory.errors import LegatoError, SettingsError
from memory.journeys import move_journey

FAILED, REASON = "action_failed", "failed_reason"
"""The slots in which an action says that it failed, and why; both null where all went well."""

PROOF = "proof"
"""The slot that says how well it is proven who writes: what an action has just proven holds for the next one in the same turn."""

WITHIN_S = 7.0
"""How long an action may take. The engine waits for eight seconds by default, and an honest reason is worth more than none."""

_log = logging.getLogger(__name__)


class Failed(Exception):
    """The action cannot do what it was called for: the two slots' values. Never has a customer's value in it, only names."""

    def __init__(self, what: str, reason: str) -> None:
        self.what = what
        self.reason = reason
        super().__init__(f"{what}: {reason}")


@dataclass(frozen=True, slots=True)
class Result:
    """What an action did: slots to set, replies to say, and where it leads a journey (product and stage), if the assistant declares it."""

    slots: Mapping[str, Any] = field(default_factory=dict)
    says: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    journey: tuple[str, str] | None = None


@dataclass(slots=True)
class Call:
    """One call of an action: its slots, who writes, and the records, of which it reaches those of this customer only."""

    action: str
    sender: str
    slots: Mapping[str, Any]
    turn_id: int | None
    key: str
    now: datetime
    records: Records
    declared: Declarations
    who: Who | None = None
    wrote: bool = False

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def customer_id(self) -> str:
        """The id of the customer's own record."""
        if self.who is None or self.who.record is None:
            raise Failed("not_proven", "confirmed")
        return self.who.record

    # Slots

    def text(self, slot: str) -> str:
        """A slot's text, "" where it is empty."""
        value = self.slots.get(slot)
        if isinstance(value, dict) and isinstance(value.get("text"), str):  # a place, as facts have it
            value = value["text"]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        if isinstance(value, float) and value.is_integer():  # a slot of Rasa's type float
            value = int(value)
        return " ".join(str(value).split())

    def needed(self, slot: str) -> str:
        """A slot's text."""
        return self.text(slot) or self.missing(slot)

    def choice(self, slot: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """Which of the choices a slot means; ``default`` where it is empty."""
        text = self.text(slot)
        if not text:
            return default if default is not None else self.missing(slot)
        return read_choice(text, choices) or self.invalid(slot)

    def flag(self, slot: str) -> bool:
        """Whether a slot says yes."""
        return read_flag(self.slots.get(slot))

    def amount(self, slot: str, currency: str = "GBP") -> int:
        """A slot's amount of money in minor units."""
        if self.slots.get(slot) in (None, ""):
            self.missing(slot)
        amount = read_amount(self.slots[slot], currency)
        return amount if amount is not None else self.invalid(slot)

    def whole(self, slot: str, default: int) -> int:
        """A slot's whole number; ``default`` where it is empty."""
        value = self.slots.get(slot)
        if value in (None, ""):
            return default
        try:
            number = float(str(value))
        except ValueError:
            self.invalid(slot)
        return int(number) if number == int(number) and not isinstance(value, bool) else self.invalid(slot)

    def day(self, slot: str, *, past: bool = False, needed: bool = True) -> date | None:
        """A slot's day; None where it is empty and not needed."""
        if not self.text(slot):
            return self.missing(slot) if needed else None
        return read_day(self.text(slot), self.today, past=past) or self.invalid(slot)

    def missing(self, slot: str) -> Any:
        """Fail, because a slot is empty."""
        raise Failed("missing", slot)

    def invalid(self, slot: str) -> Any:
        """Fail, because a slot's value cannot be understood."""
        raise Failed("invalid", slot)

    # Records

    async def mine(self, kind: str, *, limit: int = 20, **where: str | int | bool) -> list[Record]:
        """The customer's records of a kind."""
        return await self.records.find(kind, {"customer_id": self.customer_id, **where}, limit=limit)

    async def customer(self) -> Record:
        """The customer's own record."""
        found = await self.records.get("customers", self.customer_id)
        if found is None:
            raise Failed("not_found", "customer")
        return found

    async def do(self, kind: str, operation: str, data: Mapping[str, Any], *, id: str | None = None) -> Record:
        """Do something for the customer; once, however often this call is made."""
        self.wrote = True  # from here on nobody may say that nothing was done, unless the records do
        return await self._do(kind, operation, {"customer_id": self.customer_id, **data}, id)

    async def do_to(self, kind: str, operation: str, data: Mapping[str, Any], *, id: str) -> Record:
        """Do something to a record that is not known to be the customer's."""
        self.wrote = True
        return await self._do(kind, operation, data, id)

    async def check(self, kind: str, operation: str, data: Mapping[str, Any], *, id: str | None = None) -> Record:
        """Ask what an operation would do. It changes nothing, so nothing is uncertain about it."""
        return await self._do(kind, operation, {"customer_id": self.customer_id, **data}, id)

    async def _do(self, kind: str, operation: str, data: Mapping[str, Any], id: str | None) -> Record:
        return await self.records.do(kind, operation, data, key=f"{self.key}.{operation}", id=id)


class RecordsAction(Action, ABC):  # type: ignore[misc]
    """An action over the records. ``proof`` is how well the identity has to be proven; the engine asks for it first.

    Above ``seen``, the customer's own record has to be known too.
    """

    proof: ClassVar[str] = "confirmed"

    asks_who: ClassVar[bool] = False
    """Whether the action needs to know who writes though it demands no proof."""

    @abstractmethod
    def name(self) -> str:
        """What flows call it."""

    @abstractmethod
    async def act(self, call: Call) -> Result:
        """Do it. Raises :class:`Failed` or what the records raise. It may be called again with the same ``call.key``.

        What writes comes last: after it nothing more is asked of the records, so that their silence is never taken for "nothing was done".
        """

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """Check the proof, act, and turn what comes of it into slots and replies.

        Raises ``SettingsError`` and ``SchemaMismatch`` where the memory is not set up.
        """
        declared = declarations_in(domain)
        slots: dict[str, Any]
        try:
            result = await self._within(tracker, declared)
        except Failed as failed:
            slots = {FAILED: failed.what, REASON: failed.reason, **self.after_failure()}
        else:
            slots = {FAILED: None, REASON: None, **result.slots}
            for reply, variables in result.says:
                dispatcher.utter_message(response=reply, **variables)
        return set_slots(slots, domain)

    def after_failure(self) -> Mapping[str, Any]:
        """Slots to set after a failure, beside the two that say so."""
        return {}

    async def _call(self, tracker: Tracker, declared: Declarations) -> Call:
        try:
            records = shared_records()
        except SettingsError as error:
            _log.error("%s: %s", self.name(), error)
            raise Failed("unavailable", "connection") from None
        now = shared_clock().now()
        turn_id, key = key_of(tracker, self.name())
        call = Call(self.name(), str(tracker.sender_id), dict(tracker.slots or {}), turn_id, key, now, records, declared)
        if self.proof == "seen" and not self.asks_who:
            return call
        database, fresh_for, place = await shared_database(), proof_fresh_for(), records.place
        call.who = await database.read(lambda tx: find_who(tx, call.sender, now=now, fresh_for=fresh_for, place=place))
        if self.proof != "seen" and (call.who is None or call.who.record is None or not at_least(call.who.level, self.proof)):
            raise Failed("not_proven", self.proof)
        return call

    async def _within(self, tracker: Tracker, declared: Declarations) -> Result:
        """All of it within the time limit."""
        call: Call | None = None
        try:
            async with asyncio.timeout(WITHIN_S):
                call = await self._call(tracker, declared)
                result = await self._acted(call)
                if result.journey is not None:
                    await _move(call, result.journey)
                return result
        except TimeoutError:
            _log.warning("%s: not done within %g s", self.name(), WITHIN_S)
            raise Failed("uncertain" if call is not None and call.wrote else "unavailable", "time") from None

    async def _acted(self, call: Call) -> Result:
        """Act, with every way in which the records can fail as :class:`Failed`."""
        try:
            return await self.act(call)
        except RecordRefused as refusal:
            raise Failed("refused", refusal.reason) from None
        except RecordsUnavailable as error:
            raise Failed("uncertain" if call.wrote and error.uncertain else "unavailable", error.why) from None
        except RecordsMisunderstood as error:
            _log.error("%s: %s", call.action, error)
            raise Failed("uncertain" if call.wrote and error.uncertain else "unavailable", "connection") from None
        except KeyUsed as error:  # this call was made before with other data: something was done then
            _log.error("%s: %s", call.action, error)
            raise Failed("uncertain", "connection") from None
        except RecordsUnknown as error:
            if error.what in ("kind", "operation", "field"):
                _log.error("%s: %s", call.action, error)
                raise Failed("unavailable", "connection") from None
            raise Failed("not_found", error.what.removesuffix("s")) from None
        except RecordsError as error:
            _log.error("%s: %s", call.action, error)
            raise Failed("unavailable", "connection") from None


def key_of(tracker: Tracker, action: str) -> tuple[int | None, str]:
    """The turn's id, where the assistant itself calls, and what tells this call from all others and is the same when it is repeated.

    A foreign Rasa server gives no turn; there it is made of its message's id, or the time of the customer's last message, and of how often
    the action ran since. Raises ``LegatoError`` where there is neither: then a repeat could not be known.
    """
    message: Mapping[str, Any] = tracker.latest_message or {}
    metadata = message.get("metadata") or {}
    sender = hashlib.sha256(str(tracker.sender_id).encode()).hexdigest()[:12]
    turn_id, call = metadata.get("turn_id"), metadata.get("call")
    events = list(tracker.events or [])
    last = max((n for n, event in enumerate(events) if event.get("event") == "user"), default=None)
    times = sum(event.get("event") == "action" and event.get("name") == action for event in events[(last or 0) :])
    if isinstance(turn_id, int) and not isinstance(turn_id, bool):  # a Rasa server between us and the action counts no calls
        return turn_id, f"{turn_id}.{sender}.{action}.{call if isinstance(call, int) else times}"
    said = events[last] if last is not None else {}
    which = message.get("message_id") or said.get("message_id") or said.get("timestamp")
    if which is None:
        raise LegatoError(f"{action}: the call has no message id and no events, so a repeat could not be told from a new call")
    message_digest = hashlib.sha256(str(which).encode()).hexdigest()[:24]
    return None, f"m{message_digest}.{sender}.{action}.{times}"


def set_slots(slots: Mapping[str, Any], domain: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Events that set those of the slots that the domain has; a failure and a new proof are told to every caller."""
    wanted = (domain or {}).get("slots") or {}
    always = (FAILED, REASON, PROOF)
    return [SlotSet(name, value) for name, value in slots.items() if name in wanted or (name in always and value is not None)]


async def _move(call: Call, journey: tuple[str, str]) -> None:
    """Move the customer's journey, where the assistant declares it and the way leads there; a repeat finds them there already."""
    product, stage = call.declared.products.get(journey[0]), journey[1]
    if product is None:
        return

    def move(tx: Tx, context: Context) -> None:
        here = next((one.stage for one in context.journeys if one.product == product.name and not one.matter), None)
        if product.allows(here, stage):
            move_journey(
                tx,
                context.home_id,
                product.name,
                stage,
                by="action",
                at=call.now,
                why=call.action,
                turn_id=call.turn_id,
                person=context.person,
            )

    await write_of(await shared_database(), call.sender, move)
