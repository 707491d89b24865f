"""An agent's words, files and edits on their way to the customer. Everything runs inside the deed's transaction."""

from __future__ import annotations

from datetime import timedelta
from html import escape

from bot.desks import texts
from bot.desks.act import Act
from bot.desks.noting import note_wait
from bot.markup import plain_of, units_of
from bot.messages import MAX_CAPTION, MAX_FILE_BYTES, MAX_TEXT, Incoming, Outgoing
from bot.turn.mirror import first_name
from memory.database import Record
from memory.exchanges import edits_of, exchange_id, last_said
from memory.handoffs import ENDED, OWNED, WAITING, claim_handoff, get_handoff, open_handoff_of

INTERNAL = "//"
"""What a note among agents begins with."""

RELAYED = ("text", "photo", "document", "voice", "video", "video_note", "audio", "animation")
"""The kinds of message that reach the customer."""

HEADED = "headed"
"""Noted with an exchange whose words the customer sees under the agent's name, so that an edit keeps it."""


def take(act: Act, handoff: Record, late: timedelta) -> tuple[Record, bool]:
    """Claim the case if it waits: the case as it stands then, and whether this claim won. A won one shows on the card.

    That the customer has waited longer than ``late`` is noted.
    """
    name = act.incoming.name or texts.SOMEBODY
    won = handoff.state == WAITING and claim_handoff(act.tx, handoff, owner=act.agent, name=name, at=act.now)
    if won:
        note_wait(act, handoff, late)
        if not act.learned:  # else the packet, and with it the card, is renewed when all is done
            act.post(Outgoing(kind="card"))
    present = get_handoff(act.tx, handoff.id)
    assert present is not None  # handoffs are never deleted
    return present, won


def relay(act: Act, handoff: Record, late: timedelta) -> str | None:
    """Pass a message on, claiming the case if it waits; what to post instead if it may not or cannot be passed on."""
    incoming = act.incoming
    problem = barred(act, handoff) or _unfit(incoming)
    if problem is None and handoff.state == WAITING:
        handoff, _ = take(act, handoff, late)
        problem = barred(act, handoff)
    if problem is not None:
        return problem
    begins = not last_said(act.tx, act.identity.home_id, "agent", since_id=exchange_id(handoff.id, 0), limit=1)
    text, headed = _worded(incoming, headed=begins)
    exchange = act.log(
        author="agent",
        author_name=incoming.name,
        kind=incoming.kind,
        text=incoming.text,
        attachments=incoming.attachments,
        data={HEADED: True} if headed else None,
        origin=f"{incoming.channel}:{incoming.message_id}",
    )
    kind = "file" if incoming.attachments else "text"
    act.tell(Outgoing(kind=kind, text=text, html=headed, attachments=incoming.attachments), exchange)  # type: ignore[arg-type]
    return None


def relay_edit(act: Act, original: Record) -> str:
    """Give the customer the new version of words that they have, whoever holds the case by now; returns what was decided.

    A message whose file was exchanged is sent anew: what the customer has can be given another text, not another file.
    """
    incoming = act.incoming
    if incoming.text.startswith(INTERNAL):
        act.post(Outgoing(text=texts.NOT_CHANGED))
        return "edit not sent"
    before = [original, *edits_of(act.tx, original.customer_id, [original.id])][-1]
    same_files = {one["unique_id"] for one in before.attachments or ()} == {one.unique_id for one in incoming.attachments}
    if same_files and before.text == incoming.text:
        return "edit without a change"
    problem = None if same_files else _unfit(incoming)
    if problem is not None:
        act.post(Outgoing(text=problem))
        return "edit not sent"
    text, headed = _worded(incoming, headed=bool((original.data or {}).get(HEADED)))
    exchange = act.log(
        author="agent",
        author_name=incoming.name,
        kind="edit",
        text=incoming.text,
        attachments=incoming.attachments,
        about_id=original.id,
    )
    if same_files:
        act.tell(Outgoing(kind="edit", text=text, html=headed, about_exchange=original.id), exchange)
    else:
        act.tell(Outgoing(kind="file", text=text, html=headed, attachments=incoming.attachments), exchange)
    return "edit relayed"


def barred(act: Act, handoff: Record) -> str | None:
    """Why this agent may not speak to the customer here, if so."""
    if handoff.state == ENDED:
        newer = open_handoff_of(act.tx, act.identity.customer_id)
        return texts.NOT_SENT_ENDED if newer is None else texts.NOT_SENT_NEWER
    if handoff.state == OWNED and handoff.owner != act.agent:
        return texts.NOT_SENT_HELD.format(agent=handoff.owner_name)
    return None


def _unfit(incoming: Incoming) -> str | None:
    """Why this cannot be passed on, if so."""
    if incoming.kind not in RELAYED:
        return texts.NOT_SENT_KIND.format(kind=texts.KINDS.get(incoming.kind, texts.ANY_KIND))
    if any(attachment.too_large for attachment in incoming.attachments):
        return texts.NOT_SENT_LARGE.format(limit=MAX_FILE_BYTES // 1024 // 1024)
    return None


def _worded(incoming: Incoming, *, headed: bool) -> tuple[str, bool]:
    """The words as the customer gets them, and whether they are HTML, with the agent's first name above, which is left out without room."""
    if not headed:
        return incoming.text, False
    lines = [f"<b>{escape(first_name(incoming.name), quote=False)}</b>:", escape(incoming.text, quote=False)]
    html = "\n".join(line for line in lines if line)
    fits = units_of(plain_of(html)) <= (MAX_CAPTION if incoming.attachments else MAX_TEXT)
    return (html, True) if fits else (incoming.text, False)
