"""What a turn does beside speaking: each deed is done in the turn's own transaction, so it happens once, with the answer, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from memory.context import Context
from memory.database import Tx
from memory.declared import Declarations


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
