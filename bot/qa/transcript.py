"""What happened, as a chat log: who said what, and when on the script's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.qa.ledger import Said
from bot.simulator import Event, SeenMessage, seen
from bot.simulator.state import GENERAL

WIDTH = 160
"""How much of a text a line shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``kind`` is said, note, log, wrong; ``at`` is the script's clock."""

    at: datetime
    who: str
    text: str
    kind: str = "said"


def shortened(text: str, width: int = WIDTH) -> str:
    """A text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def lines_of(event: Event, names: dict[int, str], topics: dict[int, str], said: Said | None) -> list[Line]:
    """What an event of the simulator looks like in the log. ``names`` are people's names in the script, ``topics`` the desk's, by id."""
    message = None if event.message is None else seen(event.message, event.data)
    chat = event.chat
    if message is not None and event.kind in ("message", "edit"):
        who = "bot" if message.from_bot else names.get(message.from_id, message.from_name)
        if chat is not None and chat.is_private:
            person = names.get(chat.person.id, "?") if chat.person else "?"
            if message.from_bot:
                who = f"{said.name or said.author if said else 'bot'} → {person}" if said and said.author == "agent" else f"bot → {person}"
        else:
            who = f"{who} in {_topic(message, topics)}"
        return [Line(event.at, who, _content(message, said, edited=event.kind == "edit"))]
    person = names.get(event.details.get("account_id", 0), "?")
    match event.kind:
        case "callback_query":
            assert message is not None
            button = message.button(str(event.details["data"]))
            return [Line(event.at, person, f"[presses “{button.text if button else event.details['data']}”]")]
        case "callback_answer" if event.details.get("text"):
            return [Line(event.at, "bot", f"[answers the press: {event.details['text']}]")]
        case "block":
            return [Line(event.at, person, "[blocks the bot]" if event.details["new"] == "kicked" else "[unblocks the bot]")]
        case "reaction":
            return [Line(event.at, person, f"[reacts {event.details.get('emoji') or 'no more'}]")]
        case "topic":
            return [Line(event.at, "desk", f"[{event.details['what'].replace('_', ' ')}: {event.details['name']}]")]
        case "delete":
            return [Line(event.at, "chat", f"[deleted: {shortened(message.text) if message else ''}]")]
    return []


def _topic(message: SeenMessage, topics: dict[int, str]) -> str:
    if message.thread_id in (None, GENERAL):
        return "General"
    name = topics.get(message.thread_id or 0, "?")
    return f"“{shortened(name, 16)}”"


def _content(message: SeenMessage, said: Said | None, *, edited: bool) -> str:
    parts = []
    if edited:
        parts.append("[edits]")
    if message.kind != "text":
        parts.append(f"[{message.kind}]")
    parts.append(shortened(message.text))
    buttons = [button.text for row in message.buttons for button in row]
    if buttons:
        parts.append(" ".join(f"[{title}]" for title in buttons))
    if said is not None and said.reply:
        parts.append(f"({said.reply})")
    return " ".join(part for part in parts if part)


def render(lines: Sequence[Line]) -> list[str]:
    """The lines as text, the speakers in a column; the day stands where it changes."""
    width = max((len(line.who) for line in lines if line.kind == "said"), default=0)
    out: list[str] = []
    day = None
    for line in lines:
        if line.at.date() != day:
            if day is not None:
                out.append(f"          ── {line.at:%d %b %Y} ──")
            day = line.at.date()
        if line.kind == "wrong":
            out.append(line.text)
        else:
            mark = {"note": "·", "log": "!"}.get(line.kind)
            who = line.who.ljust(width) if mark is None else mark.ljust(width)
            out.append(f"{line.at:%H:%M:%S}  {who}  {line.text}")
    return out
