"""What is shown on a desk beside the card: mirrored words, and notices about words that did not arrive. Pure; texts are Telegram HTML."""

from __future__ import annotations

from html import escape

from bot.markup import plain_of, units_of
from bot.messages import Button

SIGNS = {"customer": "👤", "assistant": "🤖", "agent": "🎧"}
"""Who speaks, at a glance: by the author that an exchange names."""

SPEAKERS = {"customer": "Customer", "assistant": "Assistant", "agent": "Agent"}
"""How somebody without a name is called."""

AGAIN, ARRIVED = "again", "arrived"
"""The verbs of the buttons that settle an uncertain outgoing; its id follows after a colon."""

EXCERPT = 200
"""How much of a message a notice repeats, in UTF-16 units: enough to know it again."""

UNCERTAIN_TEXT = "⚠️ <b>This message may not have arrived:</b> the connection broke while it was sent."
REFUSED_TEXT = "⛔ <b>The customer did not get the last message:</b> {why}."
SETTLED_TEXT = {AGAIN: "🔁 <b>{name} had this message sent again.</b>", ARRIVED: "✅ <b>{name} says that this message arrived.</b>"}


def mirror(author: str, name: str | None, text: str) -> str:
    """Plain words with their speaker in front; ``author`` is customer, assistant or agent."""
    said = escape(text, quote=False)
    who = f"{SIGNS.get(author, '💬')} <b>{escape(called(author, name), quote=False)}</b>"
    return f"{who}: {said}" if said else who


def called(author: str, name: str | None) -> str:
    """The speaker's name, or what they are. The assistant has no other name."""
    return (name if author != "assistant" else None) or SPEAKERS.get(author, author)


def first_name(name: str | None) -> str:
    """What a customer is told of an agent's name."""
    words = (name or "").split()
    return words[0] if words else SPEAKERS["agent"]


def uncertain_notice(outgoing_id: int, text: str) -> tuple[str, tuple[tuple[Button, ...], ...]]:
    """The question whether an outgoing (``text``, plain or HTML) arrived, and its two answers."""
    buttons = ((Button("Send again", f"{AGAIN}:{outgoing_id}"), Button("It arrived", f"{ARRIVED}:{outgoing_id}")),)
    return _quoting(UNCERTAIN_TEXT, text), buttons


def settled_notice(how: str, name: str | None, text: str) -> str:
    """What the question turns into once somebody has answered it."""
    return _quoting(SETTLED_TEXT[how].format(name=escape(called("agent", name), quote=False)), text)


def refused_notice(why: str) -> str:
    """That the channel will not take what was written; ``why`` in the channel's words."""
    return REFUSED_TEXT.format(why=escape(why.rstrip("."), quote=False))


def shortened(text: str, units: int) -> str:
    """``text`` on one line and cut to at most ``units`` UTF-16 units, with an ellipsis where something is missing."""
    line = " ".join(text.split())
    if units_of(line) <= max(units, 0):
        return line
    room = max(units - 1, 0)
    kept = line[:room]
    while (over := units_of(kept) - room) > 0:
        kept = kept[: -((over + 1) // 2)]  # a character takes two units at most, so this is never more than has to go
    return kept.rstrip() + "…"


def _quoting(notice: str, text: str) -> str:
    quoted = shortened(plain_of(text), EXCERPT)
    return f"{notice}\n<blockquote>{escape(quoted, quote=False)}</blockquote>" if quoted else notice
