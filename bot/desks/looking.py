"""Looking into a customer's past, from the topic; only agents see what is found."""

from __future__ import annotations

from bot.desks import texts
from bot.desks.act import Act
from bot.messages import Outgoing
from memory.declared import Declarations
from memory.recall import recall

FIND = "find"
"""The name of the command."""

ROOM = 6000
"""Characters of everything that is recalled; what is found in the past is a part of it, and fits one post."""


def find_past(act: Act, words: str, declared: Declarations) -> str | None:
    """Post the moments of this person's whole past that belong to ``words``; what to post instead where there are none."""
    if not words:
        return texts.NOT_FOUND_WORDS
    found = recall(act.tx, act.identity.customer_id, declared=declared, now=act.now, query=words, budget=ROOM)
    moments = [item for item in found.items if item.kind == "moment"] if found is not None else []
    if not moments:
        return texts.NOT_FOUND
    lines = [f"• {item.text} ({item.why})" for item in moments]
    act.post(Outgoing(text="\n".join([texts.FOUND, *lines])))
    return None
