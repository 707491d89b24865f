"""What a turn does beside speaking: each deed is done in the turn's own transaction, so it happens once, with the answer, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from memory.consents import keep_consent
from memory.context import Context
from memory.database import Tx
from memory.declared import Declarations
from memory.errors import ConsentMissing
from memory.experiences import experience_row, keep_experiences
from memory.facts import CUSTOMER, Told, confirm, remember, retract
from memory.journeys import move_journey
from memory.outbox import drop_purpose


@dataclass(frozen=True, slots=True)
class Doing:
    """The turn that a deed belongs to. ``told_in`` is the exchange that the customer's words were logged as."""

    turn_id: int
    told_in: int
    context: Context
    declared: Declarations
    now: datetime


class Deed(Protocol):
    """One thing to be done. The customer is held; what recall gathers of them is made anew when all deeds are done."""

    def do(self, tx: Tx, doing: Doing) -> None:
        """Do it; whatever this raises rolls the turn back, to be tried again."""


@dataclass(frozen=True, slots=True)
class Remember:
    """A fact that the customer told; one that is not sure enough is only proposed. ``value`` is as :meth:`memory.declared.Declared.check`
    returns it. Where the consent that it needs was taken back meanwhile, nothing is stored."""

    name: str
    value: Any
    confidence: float = 1.0

    def do(self, tx: Tx, doing: Doing) -> None:
        told = Told(self.name, self.value, CUSTOMER, self.confidence, doing.told_in)
        try:
            remember(tx, doing.declared, doing.context.home_id, told, at=doing.now, person=doing.context.person)
        except ConsentMissing:
            return


@dataclass(frozen=True, slots=True)
class Confirm:
    """What was only likely is so: the customer said yes."""

    fact_id: int

    def do(self, tx: Tx, doing: Doing) -> None:
        try:
            confirm(tx, doing.declared, self.fact_id, exchange_id=doing.told_in, at=doing.now, person=doing.context.person)
        except ConsentMissing:
            return


@dataclass(frozen=True, slots=True)
class Reject:
    """What was only likely is not so: the customer said no."""

    fact_id: int

    def do(self, tx: Tx, doing: Doing) -> None:
        retract(tx, self.fact_id, at=doing.now)


@dataclass(frozen=True, slots=True)
class GiveConsent:
    """The customer agrees to a purpose, in the version of its text that they were shown."""

    purpose: str

    def do(self, tx: Tx, doing: Doing) -> None:
        _answer(tx, doing, self.purpose, granted=True)


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    """The customer takes a consent back: from this commit on nothing is sent for it, what waits for its send included."""

    purpose: str

    def do(self, tx: Tx, doing: Doing) -> None:
        _answer(tx, doing, self.purpose, granted=False)
        drop_purpose(tx, doing.context.person, self.purpose, at=doing.now)


@dataclass(frozen=True, slots=True)
class MoveJourney:
    """Where the customer stands with a product changes. ``why`` is the event that did it."""

    product: str
    to_stage: str
    why: str

    def do(self, tx: Tx, doing: Doing) -> None:
        move_journey(
            tx,
            doing.context.home_id,
            self.product,
            self.to_stage,
            by="event",
            at=doing.now,
            why=self.why,
            turn_id=doing.turn_id,
            person=doing.context.person,
        )


@dataclass(frozen=True, slots=True)
class NoteExperience:
    """A good or a bad moment; a repeated turn notes it once."""

    good: bool
    kind: str
    weight: float
    evidence: dict[str, Any]

    def do(self, tx: Tx, doing: Doing) -> None:
        row = experience_row(
            key=f"{doing.turn_id}.{self.kind}",
            customer_id=doing.context.home_id,
            good=self.good,
            kind=self.kind,
            weight=self.weight,
            exchange_id=doing.told_in,
            evidence=self.evidence,
            at=doing.now,
        )
        keep_experiences(tx, [row])


def _answer(tx: Tx, doing: Doing, name: str, *, granted: bool) -> None:
    """Keep an answer about a purpose with the text that it was about; of a purpose that is no longer declared, its name."""
    purpose = doing.declared.purposes.get(name)
    keep_consent(
        tx,
        doing.context.home_id,
        name,
        granted=granted,
        version=purpose.version if purpose is not None else "",
        text=purpose.text if purpose is not None else name,
        channel=doing.context.channel,
        at=doing.now,
        identity_id=doing.context.identity_id,
        exchange_id=doing.told_in,
    )
