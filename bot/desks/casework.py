"""What agents' words and presses do to a case: claim, relay, edit, note, return, close.

Everything happens in the caller's transaction, together with the update's acceptance: when an agent's first word is stored, the
conversation is theirs, and whatever the assistant was about to say is dropped at send.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from bot.desks import texts
from bot.desks.act import Act, Acted, answer_only
from bot.desks.looking import FIND, find_past
from bot.desks.noting import context_of, keep, move, move_by_event, note_fact, promise, read_promise, renew
from bot.desks.people import MERGE, NOT_SAME, VERIFY, answers_to, find_said, hold_first, merge_with, not_same, present, verify
from bot.desks.relay import INTERNAL, barred, relay, relay_edit, take
from bot.desks.settle import settle
from bot.messages import Event, Incoming, Outgoing
from bot.turn.manner import manner_of
from bot.turn.mirror import AGAIN, ARRIVED, first_name, mirror
from bot.turn.packet import VERSION, ReturnPacket, open_promises, read_packet, stored
from bot.turn.reply import Replies
from memory.customers import person_of
from memory.database import Record, Tx
from memory.declared import Declarations
from memory.exchanges import PER_TURN, edits_of, exchange_id, last_said
from memory.handoffs import ENDED, OWNED, WAITING, end_handoff, get_handoff, handoff_in_topic
from memory.recaller import Stamped

CLAIM, RETURN, CLOSE = "claim", "return", "close"
"""The verbs of the card's buttons, followed by a colon and the handoff's id, and the names of the commands."""

PROMISE, KEPT, STAGE, FACT = "promise", "kept", "stage", "fact"
"""The names of the commands that note something."""

ENDINGS = {RETURN: "returned", CLOSE: "closed"}
"""How a handoff ends, by the verb that ends it."""

REPLIES = {"returned": "utter_handoff_returned", "closed": "utter_handoff_closed"}
"""What the customer is told, by how it ended."""

SAID_KEPT = 5
"""How many of the agent's last texts the return packet repeats."""

_COMMAND = re.compile(r"/([a-z_]+)(?:@\w+)?(?:\s+|$)", re.IGNORECASE)


class Casework:
    """The rules of the desk, in one assistant's words.

    ``declared`` is what may be known; ``zone`` is where agents' dates are counted; a customer who waited longer than ``late_claim_s`` until
    somebody came had a bad moment.
    """

    def __init__(self, replies: Replies, declared: Declarations | None = None, *, zone: tzinfo = UTC, late_claim_s: float = 900.0) -> None:
        self.use(replies, declared or Declarations())
        self._zone = zone
        self._late = timedelta(seconds=late_claim_s)

    def use(self, replies: Replies, declared: Declarations) -> None:
        """Speak and note with these from now on."""
        self._replies, self._declared = replies, declared

    def act(self, tx: Tx, incoming: Incoming, *, now: datetime, looked: Stamped | None = None) -> Acted:
        """Deal with one update of an agent who may act. The caller commits; a repeated update is SEEN and changes nothing.

        NOTHING: not about a case, or not meant for the customer; such an update is not stored. ``looked``: what was found before for
        :func:`wants_to_find`.
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
        return self._message(tx, incoming, handoff, now, looked)

    def _message(self, tx: Tx, incoming: Incoming, found: Record, now: datetime, looked: Stamped | None) -> Acted:
        command = _COMMAND.match(incoming.text) if incoming.kind == "text" else None
        if command is not None:
            hold_first(tx, found, command[1].lower(), incoming.text[command.end() :])
        begun = _begin(tx, incoming, found, now)
        if begun is None:
            return Acted.SEEN
        act, handoff = begun
        if incoming.data.get("anonymous"):
            problem: str | None = texts.NOT_SENT_ANONYMOUS
        elif command is not None:
            problem = self._command(act, handoff, command[1].lower(), incoming.text[command.end() :].strip(), looked)
        else:
            problem = relay(act, handoff, self._late)
        renew(act, handoff, self._declared)
        if problem is not None:
            act.post(Outgoing(text=problem))
            return act.finish("not sent", handoff=handoff.id, problem=problem)
        return act.finish(f"command {command[1].lower()}" if command else "relayed", handoff=handoff.id)

    def _edit(self, tx: Tx, incoming: Incoming, found: Record, now: datetime) -> Acted:
        original = find_said(tx, found, f"{incoming.channel}:{incoming.about}")
        if original is None:
            return Acted.NOTHING
        begun = _begin(tx, incoming, found, now, identity_id=original.identity_id)
        if begun is None:
            return Acted.SEEN
        act, handoff = begun
        return act.finish(relay_edit(act, original), handoff=handoff.id, about=original.id)

    def _command(self, act: Act, handoff: Record, name: str, note: str, looked: Stamped | None) -> str | None:
        """Carry out a command in the topic; what to post if it cannot be."""
        if name in ENDINGS:
            return self._end(act, handoff, ENDINGS[name], note)
        if name in (PROMISE, KEPT, STAGE, FACT):
            return self._note(act, handoff, name, note)
        if name == MERGE:
            return merge_with(act, handoff, note, self._declared)
        if name == NOT_SAME:
            return not_same(act, note)
        if name == FIND:
            return find_past(act, note, self._declared, looked)
        if name == VERIFY:
            return verify(act, handoff, self._late)
        if name != CLAIM:
            return texts.NOT_SENT_COMMAND.format(command=f"/{name}")
        handoff, won = take(act, handoff, self._late)
        act.post(Outgoing(text=texts.NOW_HOLDS.format(agent=handoff.owner_name) if won else _why_not_claimed(act, handoff)))
        return None

    def _note(self, act: Act, handoff: Record, name: str, words: str) -> str | None:
        """Note something about the customer. A promise is said to them, so it takes the case; the rest anybody may note at any time."""
        if name == KEPT:
            return keep(act, words)
        if name == STAGE:
            return move(act, words, self._declared)
        if name == FACT:
            return note_fact(act, words, self._declared)
        read = read_promise(words, act.now, self._zone)
        problem = read if isinstance(read, str) else barred(act, handoff)
        if problem is None and handoff.state == WAITING:
            handoff, _ = take(act, handoff, self._late)
            problem = barred(act, handoff)
        if isinstance(read, str) or problem is not None:
            return problem
        return promise(act, handoff, *read, self._zone)

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
            handoff, won = take(act, handoff, self._late)
            renew(act, handoff, self._declared)
            act.answer(texts.YOU_HOLD if won else _why_not_claimed(act, handoff), alert=not won)
            if not won:
                act.post(Outgoing(kind="card"))  # this agent's client still shows a button that does nothing
            return act.finish("claimed" if won else "claim lost", handoff=handoff.id, owner=handoff.owner)
        done = texts.IS_RETURNED if verb == RETURN else texts.IS_CLOSED_NOW
        problem = self._end(act, handoff, ENDINGS[verb], "")
        renew(act, handoff, self._declared)
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
        move_by_event(act, f"handoff {ending}", self._declared)
        agent, context = handoff.owner_name or act.incoming.name, context_of(act)
        packet = ReturnPacket(
            version=VERSION,
            agent=agent,
            first=exchange_id(handoff.id, 0),
            last=exchange_id(act.turn, PER_TURN - 1),
            said=_said(act, handoff),
            note=note,
            want=read_packet(handoff.packet).want,
            promises=open_promises(context),
        )
        end_handoff(act.tx, handoff, ending=ending, return_packet=stored(packet), at=act.now)
        manner = manner_of(context, self._replies.languages)
        said = self._replies.say(REPLIES[ending], seed=act.turn, manner=manner, agent=first_name(agent))
        exchange = act.log(author="assistant", kind="text", text=said.text, reply=said.name)
        act.tell(Outgoing(text=said.html, html=True, buttons=said.buttons), exchange)
        act.post(Outgoing(text=mirror("assistant", None, said.text), html=True))
        act.post(Outgoing(kind="card"))
        act.post(Outgoing(kind="close"))
        return None


def wants_to_find(incoming: Incoming) -> str | None:
    """The words that an agent looks for in a customer's past, in a topic; None for everything else."""
    if incoming.event is not Event.MESSAGE or incoming.kind != "text" or not incoming.place:
        return None
    command = _COMMAND.match(incoming.text)
    return (incoming.text[command.end() :].strip() or None) if command is not None and command[1].lower() == FIND else None


def _begin(tx: Tx, incoming: Incoming, found: Record, now: datetime, *, identity_id: int | None = None) -> tuple[Act, Record] | None:
    """Accept an update about a handoff, and the handoff as it stands now that nobody else can change it.

    ``identity_id`` is whom it is about where that is known; else what is said goes to where the customer wrote from last.
    """
    whom = identity_id if identity_id is not None else answers_to(tx, found)
    act = Act.begin(tx, incoming, customer_id=found.customer_id, identity_id=whom, place=str(found.id), now=now)
    return (act, present(act, found)) if act is not None else None


def _why_not_claimed(act: Act, handoff: Record) -> str:
    if handoff.state == ENDED:
        return texts.IS_CLOSED
    return texts.YOU_HOLD_ALREADY if handoff.owner == act.agent else texts.HOLDS.format(agent=handoff.owner_name)


def _said(act: Act, handoff: Record) -> tuple[str, ...]:
    """The agent's last words to the customer in this stretch, as they stand after edits."""
    since = exchange_id(handoff.id, 0)
    texts_now: dict[int, str] = {}
    for one in person_of(act.tx, act.identity.customer_id):
        said = {row.id: row.text for row in last_said(act.tx, one, "agent", since_id=since, limit=SAID_KEPT)}
        texts_now |= said | {edit.about_id: edit.text for edit in edits_of(act.tx, one, list(said))}
    return tuple(text for _, text in sorted(texts_now.items())[-SAID_KEPT:] if text)
