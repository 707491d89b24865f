"""What flows have the memory keep: facts that a customer told, and their word about what data may be used for."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import FAILED, REASON, WITHIN_S, Failed, key_of, set_slots
from actions.declared import declarations_in
from actions.shared import shared_clock, shared_database
from actions.texts import read_flag
from actions.who import write_of
from memory.consents import keep_consent, latest_consent
from memory.context import Context
from memory.database import Tx
from memory.declared import Declarations
from memory.errors import ConsentMissing
from memory.exchanges import exchange_id
from memory.facts import CUSTOMER, Told, remember
from memory.outbox import drop_purpose
from memory.values import ValueRefused

_EMPTY: tuple[Any, ...] = (None, "", [], {})


class _Keep(Action, ABC):  # type: ignore[misc]
    """An action that has the memory keep something of the customer, in one transaction."""

    proof: ClassVar[str] = "seen"

    @abstractmethod
    def name(self) -> str:
        """What flows call it."""

    @abstractmethod
    def wanted(self, slots: Mapping[str, Any], declared: Declarations) -> Mapping[str, Any]:
        """What is to be kept. Raises :class:`Failed`. Pure."""

    @abstractmethod
    def keep(
        self, tx: Tx, context: Context, wanted: Mapping[str, Any], declared: Declarations, told_in: int | None, now: datetime
    ) -> Mapping[str, Any]:
        """Keep it, and return the slots to set. The customer is held. ``told_in`` is the exchange that their words are logged as."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """Keep what the slots say, and turn what comes of it into slots. A repeat finds it kept."""
        declared, now = declarations_in(domain), shared_clock().now()
        turn_id, _ = key_of(tracker, self.name())
        told_in = exchange_id(turn_id, 0) if turn_id is not None else None
        try:
            wanted = self.wanted(tracker.slots or {}, declared)
            async with asyncio.timeout(WITHIN_S):
                slots = await write_of(
                    await shared_database(),
                    str(tracker.sender_id),
                    lambda tx, context: self.keep(tx, context, wanted, declared, told_in, now),
                )
            if slots is None:  # nobody whom the memory knows
                raise Failed("not_proven", "seen")
        except TimeoutError:
            return set_slots({FAILED: "unavailable", REASON: "time"}, domain)
        except Failed as failed:
            return set_slots({FAILED: failed.what, REASON: failed.reason}, domain)
        return set_slots({FAILED: None, REASON: None, **slots}, domain)


class ActionRemember(_Keep):
    """Keeps facts from slots of their names, as what the customer told."""

    def name(self) -> str:
        return "action_remember"

    def wanted(self, slots: Mapping[str, Any], declared: Declarations) -> Mapping[str, Any]:
        asked = slots.get("remember")
        names = [asked] if isinstance(asked, str) and asked else asked if isinstance(asked, list) else []
        for name in names:
            if name not in declared.facts:
                raise Failed("not_kept", str(name))
            if slots.get(name) in _EMPTY:
                raise Failed("missing", name)
        found = {}
        for name in names or [name for name in declared.facts if slots.get(name) not in _EMPTY]:
            try:
                found[name] = declared.fact(name).check(slots[name], region=declared.region)
            except ValueRefused:
                raise Failed("invalid", name) from None
        return found

    def keep(
        self, tx: Tx, context: Context, wanted: Mapping[str, Any], declared: Declarations, told_in: int | None, now: datetime
    ) -> Mapping[str, Any]:
        known = context.facts
        # what action_recall has put there was not told anew
        news = {
            name: value for name, value in wanted.items() if name not in known or not declared.fact(name).same(known[name].value, value)
        }
        for name, value in news.items():
            try:
                remember(tx, declared, context.home_id, Told(name, value, CUSTOMER, exchange_id=told_in), at=now, person=context.person)
            except ConsentMissing:
                raise Failed("not_kept", name) from None
        return {"remembered": sorted(wanted)}


class ActionConsent(_Keep):
    """Keeps the customer's yes or no to a purpose."""

    def name(self) -> str:
        return "action_consent"

    def wanted(self, slots: Mapping[str, Any], declared: Declarations) -> Mapping[str, Any]:
        purpose = slots.get("consent_purpose")
        if purpose in _EMPTY or slots.get("consent_given") in (None, ""):
            raise Failed("missing", "consent_purpose" if purpose in _EMPTY else "consent_given")
        if purpose not in declared.purposes:
            raise Failed("not_kept", str(purpose))
        return {"purpose": purpose, "granted": read_flag(slots["consent_given"])}

    def keep(
        self, tx: Tx, context: Context, wanted: Mapping[str, Any], declared: Declarations, told_in: int | None, now: datetime
    ) -> Mapping[str, Any]:
        purpose, granted = declared.purposes[wanted["purpose"]], wanted["granted"]
        last = latest_consent(tx, context.person, purpose.name)
        if last is None or (last.granted, last.version) != (granted, purpose.version):
            keep_consent(
                tx,
                context.home_id,
                purpose.name,
                granted=granted,
                version=purpose.version,
                text=purpose.text,
                channel=context.channel,
                at=now,
                identity_id=context.identity_id,
                exchange_id=told_in,
            )
        if not granted:
            drop_purpose(tx, context.person, purpose.name, at=now)
        return {"consent_given": granted}
