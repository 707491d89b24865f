"""One deed of an agent: what it says and logs is collected here and stored at its end, all in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.messages import Incoming, Outgoing
from bot.turn.write import GENERAL, HANDOFF
from memory.customers import get_identity, ownership_of
from memory.database import Record, Row, Tx
from memory.exchanges import exchange_id, exchange_row, log
from memory.inbox import inbox_row, keep_finished
from memory.outbox import outbox_row, put_out
from memory.turns import keep_turns

DESK = "desk"
"""The channel of agents' updates, the source of their files and the lane that their turns are noted under."""


class Acted(StrEnum):
    """What became of an agent's update."""

    DONE = "done"
    SEEN = "seen"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Put:
    """An outgoing and where it goes; ``exchange`` is the logged one that it carries to the customer."""

    lane: str
    address: str
    outgoing: Outgoing
    exchange: int | None = None


@dataclass(slots=True)
class Act:
    """A deed under way. ``turn`` is its inbox row's id, from which all its keys come; ``place`` is the address of its posts."""

    tx: Tx
    incoming: Incoming
    now: datetime
    turn: int
    identity: Record
    place: str
    exchanges: list[Row] = field(default_factory=list)
    outgoings: list[Put] = field(default_factory=list)
    learned: bool = False
    """Whether something that recall gathers was changed."""

    @classmethod
    def begin(cls, tx: Tx, incoming: Incoming, *, customer_id: int, identity_id: int, place: str, now: datetime) -> Act | None:
        """Accept the update, or None if it was accepted before.

        The customer's row is locked first, so that deeds about one customer come one after the other and what is read next is the present.
        """
        ownership_of(tx, [customer_id])
        row = inbox_row(
            channel=DESK,
            update_id=incoming.update_id,
            customer_id=customer_id,
            identity_id=identity_id,
            incoming=None,
            received_at=now,
        )
        turn = keep_finished(tx, row)
        if turn is None:
            return None
        identity = get_identity(tx, identity_id)
        assert identity is not None  # the inbox row refers to it
        return cls(tx, incoming, now, turn, identity, place)

    @property
    def agent(self) -> str:
        """The one who acts, as a handoff names its owner."""
        return f"{DESK}:{self.incoming.sender}"

    def post(self, outgoing: Outgoing) -> None:
        """Show something on the desk."""
        self.outgoings.append(Put(HANDOFF, self.place, outgoing))

    def answer(self, text: str, *, alert: bool = False) -> None:
        """Answer the press, before anything else, so that the agent's app stops waiting; at most 200 characters."""
        self.outgoings.insert(0, Put(HANDOFF, self.place, press_answer(self.incoming, text, alert=alert)))

    def tell(self, outgoing: Outgoing, exchange: int) -> None:
        """Send something to the customer, whoever owns the conversation by then: a person has said it."""
        self.outgoings.append(Put(self.identity.channel, self.identity.address, outgoing, exchange))

    def log(self, *, author: str, kind: str, **rest: Any) -> int:
        """Log an exchange towards the customer and return its id; ``rest`` as in ``exchange_row``."""
        id_ = exchange_id(self.turn, len(self.exchanges))
        row = exchange_row(
            id=id_,
            customer_id=self.identity.home_id,
            identity_id=self.identity.id,
            turn_id=self.turn,
            direction="out",
            author=author,
            kind=kind,
            at=self.now,
            **rest,
        )
        self.exchanges.append(row)
        return id_

    def finish(self, decision: str, **trace: Any) -> Acted:
        """Store everything. ``decision`` says what the rules made of it; ``trace`` with what."""
        turn: Row = {
            "id": self.turn,
            "customer_id": self.identity.home_id,
            "lane": DESK,
            "decision": decision,
            "trace": {"agent": self.agent, "event": str(self.incoming.event), **trace},
            "started_at": self.now,
            "finished_at": self.now,
        }
        keep_turns(self.tx, [turn])
        log(self.tx, self.exchanges)
        put_out(self.tx, [self._row(n, put) for n, put in enumerate(self.outgoings)])
        return Acted.DONE

    def _row(self, n: int, put: Put) -> Row:
        return outbox_row(
            key=f"{self.turn}.{n}",
            lane=put.lane,
            address=put.address,
            outgoing=put.outgoing,
            at=self.now,
            customer_id=self.identity.customer_id,
            identity_id=self.identity.id if put.lane != HANDOFF else None,
            exchange_id=put.exchange,
        )


def press_answer(press: Incoming, text: str, *, alert: bool = False) -> Outgoing:
    """The answer to a press; ``alert`` shows it as a box that has to be closed."""
    return Outgoing(kind="answer", text=text, about=str(press.data.get("callback", "")), alert=alert)


def answer_only(tx: Tx, press: Incoming, text: str, *, now: datetime) -> Acted:
    """Answer a press that is about nothing of ours; nothing else of it is kept, and a repeat changes nothing."""
    key = f"{DESK}.{press.update_id}.answer"
    put_out(tx, [outbox_row(key=key, lane=HANDOFF, address=GENERAL, outgoing=press_answer(press, text), at=now)])
    return Acted.NOTHING
