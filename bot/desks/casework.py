"""What agents' words and presses do to a case: claim, relay, edit, return, close.

Everything happens in the caller's transaction, together with the update's acceptance: when an agent's first word is stored, the
conversation is theirs, and whatever the assistant was about to say is dropped at send.
"""

from __future__ import annotations

import re
from datetime import datetime

from bot.desks import texts
from bot.desks.act import Act, Acted, answer_only
from bot.desks.relay import INTERNAL, relay, relay_edit, take
from bot.desks.settle import settle
from bot.messages import Event, Incoming, Outgoing
from bot.turn.mirror import AGAIN, ARRIVED, first_name, mirror
from bot.turn.packet import VERSION, ReturnPacket, read_packet, stored
from bot.turn.reply import Replies
from memory.database import Record, Tx
from memory.exchanges import PER_TURN, edits_of, exchange_id, find_origin, last_said
from memory.handoffs import ENDED, OWNED, end_handoff, get_handoff, handoff_in_topic

CLAIM, RETURN, CLOSE = "claim", "return", "close"
"""The verbs of the card's buttons, followed by a colon and the handoff's id, and the names of the commands."""

ENDINGS = {RETURN: "returned", CLOSE: "closed"}
"""How a handoff ends, by the verb that ends it."""

REPLIES = {"returned": "utter_handoff_returned", "closed": "utter_handoff_closed"}
"""What the customer is told, by how it ended."""

SAID_KEPT = 5
"""How many of the agent's last texts the return packet repeats."""

_COMMAND = re.compile(r"/([a-z_]+)(?:@\w+)?(?:\s+|$)", re.IGNORECASE)


class Casework:
    """The rules of the desk, in one assistant's words."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    def act(self, tx: Tx, incoming: Incoming, *, now: datetime) -> Acted:
        """Deal with one update of an agent who may act. The caller commits; a repeated update is SEEN and changes nothing.

        NOTHING: not about a case, or not meant for the customer; such an update is not stored.
        """
        if incoming.event is Event.PRESS:
            return self._press(tx, incoming, now)
        handoff = handoff_in_topic(tx, incoming.place) if incoming.place else None
        if handoff is None:
            return Acted.NOTHING
        if incoming.event is Event.EDIT:
            return self._edit(tx, incoming, handoff, now)
        if incoming.event is not Event.MESSAGE or incoming.text.startswith(INTERNAL):
            return Acted.NOTHING
        return self._message(tx, incoming, handoff, now)

    def _message(self, tx: Tx, incoming: Incoming, found: Record, now: datetime) -> Acted:
        begun = _begin(tx, incoming, found, now)
        if begun is None:
            return Acted.SEEN
        act, handoff = begun
        command = _COMMAND.match(incoming.text) if incoming.kind == "text" else None
        if incoming.data.get("anonymous"):
            problem: str | None = texts.NOT_SENT_ANONYMOUS
        elif command is not None:
            problem = self._command(act, handoff, command[1].lower(), incoming.text[command.end() :].strip())
        else:
            problem = relay(act, handoff)
        if problem is not None:
            act.post(Outgoing(text=problem))
            return act.finish("not sent", handoff=handoff.id, problem=problem)
        return act.finish(f"command {command[1].lower()}" if command else "relayed", handoff=handoff.id)

    def _edit(self, tx: Tx, incoming: Incoming, found: Record, now: datetime) -> Acted:
        original = find_origin(tx, found.identity_id, f"{incoming.channel}:{incoming.about}")
        if original is None:
            return Acted.NOTHING
        begun = _begin(tx, incoming, found, now)
        if begun is None:
            return Acted.SEEN
        act, handoff = begun
        return act.finish(relay_edit(act, original), handoff=handoff.id, about=original.id)

    def _command(self, act: Act, handoff: Record, name: str, note: str) -> str | None:
        """Carry out a command in the topic; what to post if it cannot be."""
        if name in ENDINGS:
            return self._end(act, handoff, ENDINGS[name], note)
        if name != CLAIM:
            return texts.NOT_SENT_COMMAND.format(command=f"/{name}")
        handoff, won = take(act, handoff)
        act.post(Outgoing(text=texts.NOW_HOLDS.format(agent=handoff.owner_name) if won else _why_not_claimed(act, handoff)))
        return None

    def _press(self, tx: Tx, incoming: Incoming, now: datetime) -> Acted:
        verb, _, number = str(incoming.data.get("payload", "")).partition(":")
        id_ = int(number) if number.isdecimal() else 0
        if verb in (AGAIN, ARRIVED):
            return settle(tx, incoming, verb, id_, now=now)
        found = get_handoff(tx, id_) if verb in (CLAIM, *ENDINGS) else None
        if found is None:
            return answer_only(tx, incoming, texts.UNKNOWN_BUTTON, now=now)
        begun = _begin(tx, incoming, found, now)
        if begun is None:
            return Acted.SEEN
        act, handoff = begun
        if verb == CLAIM:
            handoff, won = take(act, handoff)
            act.answer(texts.YOU_HOLD if won else _why_not_claimed(act, handoff), alert=not won)
            if not won:
                act.post(Outgoing(kind="card"))  # this agent's client still shows a button that does nothing
            return act.finish("claimed" if won else "claim lost", handoff=handoff.id, owner=handoff.owner)
        done = texts.IS_RETURNED if verb == RETURN else texts.IS_CLOSED_NOW
        problem = self._end(act, handoff, ENDINGS[verb], "")
        if problem is None:
            act.answer(done)
            return act.finish(f"pressed {verb}", handoff=handoff.id)
        act.answer(problem, alert=True)
        act.post(Outgoing(kind="card"))
        return act.finish(f"pressed {verb}, refused", handoff=handoff.id, problem=problem)

    def _end(self, act: Act, handoff: Record, ending: str, note: str) -> str | None:
        """Give the conversation back to the assistant; what to say instead if this agent may not."""
        if handoff.state == ENDED:
            return texts.IS_CLOSED
        if handoff.state == OWNED and handoff.owner != act.agent:
            return texts.HOLDS.format(agent=handoff.owner_name)
        agent = handoff.owner_name or act.incoming.name
        packet = ReturnPacket(
            version=VERSION,
            agent=agent,
            first=exchange_id(handoff.id, 0),
            last=exchange_id(act.turn, PER_TURN - 1),
            said=_said(act, handoff),
            note=note,
            want=read_packet(handoff.packet).want,
        )
        end_handoff(act.tx, handoff, ending=ending, return_packet=stored(packet), at=act.now)
        said = self._replies.say(REPLIES[ending], seed=act.turn, agent=first_name(agent))
        exchange = act.log(author="assistant", kind="text", text=said.text, reply=said.name)
        act.tell(Outgoing(text=said.html, html=True, buttons=said.buttons), exchange)
        act.post(Outgoing(text=mirror("assistant", None, said.text), html=True))
        act.post(Outgoing(kind="card"))
        act.post(Outgoing(kind="close"))
        return None


def _begin(tx: Tx, incoming: Incoming, found: Record, now: datetime) -> tuple[Act, Record] | None:
    """Accept an update about a handoff, and the handoff as it stands now that nobody else can change it."""
    act = Act.begin(tx, incoming, customer_id=found.customer_id, identity_id=found.identity_id, place=str(found.id), now=now)
    if act is None:
        return None
    handoff = get_handoff(tx, found.id)
    assert handoff is not None  # handoffs are never deleted
    return act, handoff


def _why_not_claimed(act: Act, handoff: Record) -> str:
    if handoff.state == ENDED:
        return texts.IS_CLOSED
    return texts.YOU_HOLD_ALREADY if handoff.owner == act.agent else texts.HOLDS.format(agent=handoff.owner_name)


def _said(act: Act, handoff: Record) -> tuple[str, ...]:
    """The agent's last words to the customer in this stretch, as they stand after edits."""
    rows = last_said(act.tx, act.identity.home_id, "agent", since_id=exchange_id(handoff.id, 0), limit=SAID_KEPT)
    present = {row.id: row.text for row in rows}
    present |= {edit.about_id: edit.text for edit in edits_of(act.tx, act.identity.home_id, list(present))}
    return tuple(text for text in present.values() if text)
