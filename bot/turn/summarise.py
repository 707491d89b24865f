"""A finished conversation in a few sentences that were said in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.understand.words import words_of
from memory.database import Record, Row

OVER_AFTER = timedelta(hours=6)
"""A pause as long as this ends a conversation, as it ends a session of the search."""

SENTENCE = 160
"""Longer sentences are cut off, at a word."""

MOST_DONE = 3

SMALL = frozenset(
    words_of(
        """
        hi hello hey good morning afternoon evening day thanks thank you please bye goodbye ok okay yes no yeah sure help start a i is
        there anyone anybody person human agent talk to speak with want need can could me my
        """
    )
)
"""A message of nothing but these says nothing of the matter."""

SOLVED = ("utter_worked_out", "utter_thanks", "utter_goodbye")
UNSOLVED = ("utter_not_worked_out",)
ASKED_BACK = ("utter_clarify", "utter_clarify_open")


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and the exchange that it was said in."""

    text: str
    exchange_id: int


def conversations(rows: Sequence[Record], now: datetime) -> tuple[list[list[Record]], datetime | None]:
    """Finished conversations among a customer's exchanges in order, and when the last one, if it goes on, will be over."""
    parts: list[list[Record]] = []
    for row in rows:
        if parts and row.at - parts[-1][-1].at < OVER_AFTER:
            parts[-1].append(row)
        else:
            parts.append([row])
    if parts and now - parts[-1][-1].at < OVER_AFTER:
        return parts[:-1], parts[-1][-1].at + OVER_AFTER
    return parts, None


def summary_of(rows: Sequence[Record], promises: Sequence[Record]) -> Row | None:
    """The summary of one conversation, as a row of :class:`memory.summaries.Summary`; None where the customer said nothing in it.

    ``promises`` are those that were made in it.
    """
    own = [row for row in rows if row.author == "customer" and row.about_id is None and row.kind != "press"]
    if not own:
        return None
    wanted = _wanted(own)
    done = _done(rows)
    ending, ended_by = _ending(rows)
    return {
        "customer_id": rows[0].customer_id,
        "identity_id": own[0].identity_id,
        "first_id": rows[0].id,
        "last_id": rows[-1].id,
        "began_at": rows[0].at,
        "ended_at": rows[-1].at,
        "wanted": wanted.text,
        "done": " / ".join(one.text for one in done),
        "ending": ending,
        "promised": " / ".join(cut(one.text) for one in promises),
        "links": _links(wanted=[wanted], done=done, ending=[ended_by])
        | {"promised": [one.exchange_id for one in promises if one.exchange_id is not None]},
    }


def _links(**parts: Sequence[Said | Record]) -> dict[str, Any]:
    return {name: [one.exchange_id if isinstance(one, Said) else one.id for one in some] for name, some in parts.items()}


def _wanted(own: Sequence[Record]) -> Said:
    """The first message that says something of the matter; else the longest."""
    for row in own:
        if sum(word not in SMALL for word in words_of(row.text)) >= 2:
            return Said(cut(row.text), row.id)
    longest = max(own, key=lambda row: len(row.text))
    return Said(cut(longest.text) or f"({longest.kind})", longest.id)


def _done(rows: Sequence[Record]) -> list[Said]:
    """What was given as an answer: an agent's words before the assistant's articles, the last ones first in doubt."""
    agents = [row for row in rows if row.author == "agent" and row.about_id is None and row.text]
    answers = [row for row in rows if row.author == "assistant" and "utter_article" in (row.reply or "").split("+")]
    chosen = sorted((*agents[-2:], *answers[: MOST_DONE - len(agents[-2:])]), key=lambda row: row.id)
    return [Said(cut(row.text), row.id) for row in chosen]


def _ending(rows: Sequence[Record]) -> tuple[str, Record]:
    """How it ended, and the exchange that says so."""
    said = [row for row in rows if row.author != "customer"]
    agents = [row for row in said if row.author == "agent"]
    replies = {row.reply: row for row in said if row.reply}
    for name in UNSOLVED:
        if name in replies:
            return "unsolved", replies[name]
    for name in SOLVED:
        if name in replies:
            return "solved", replies[name]
    if agents:
        return "person", agents[-1]
    last = rows[-1]
    return ("left" if (last.reply or "") in ASKED_BACK else "told"), last


def cut(text: str) -> str:
    """The first sentences of a text on one line, as far as there is room."""
    line = " ".join(text.split())
    if len(line) <= SENTENCE:
        return line
    short = line[: SENTENCE - 1]
    return short[: max(short.rfind(" "), SENTENCE // 2)].rstrip(" ,;:–-") + "…"
