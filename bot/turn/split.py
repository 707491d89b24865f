"""Long Telegram HTML in parts that can each be sent as one message."""

from __future__ import annotations

import re
from html import unescape

from bot.markup import plain_of, units_of
from bot.messages import MAX_TEXT

_TOKEN = re.compile(r"<[^<>]*>|&(?:[a-zA-Z]+|#[0-9]+|#x[0-9a-fA-F]+);|.", re.DOTALL)
_TAG_NAME = re.compile(r"</?([a-zA-Z-]+)")
_ENDS = (re.compile(r"\n\s*\n\s*"), re.compile(r"[.!?…][\"'”’)\]]*\s+|\n\s*"), re.compile(r"\s+"))
"""Ends of paragraphs, sentences and words: where to cut, best first."""


def split_html(html: str, limit: int = MAX_TEXT) -> list[str]:
    """``html`` in parts of at most ``limit`` UTF-16 units of visible text, each with its tags closed.

    ``html`` is well formed. A tag that is open at a cut is closed there and opened again in the next part. The visible text of all parts,
    joined, is the visible text of ``html``; only a part of nothing but white space is left out, since Telegram refuses it.
    """
    if units_of(plain_of(html)) <= limit:
        return [html] if plain_of(html).strip() else []
    parts = _cut(_TOKEN.findall(html), limit)
    return [part for part in parts if plain_of(part).strip()]


def _cut(tokens: list[str], limit: int) -> list[str]:
    parts: list[str] = []
    part: list[str] = []
    open_tags: list[str] = []
    room = _room(tokens, 0, limit)
    for index, token in enumerate(tokens):
        closing = token.startswith("</")
        if room == 0 and not closing:
            parts.append("".join(part) + "".join(f"</{_name(tag)}>" for tag in reversed(open_tags)))
            part = list(open_tags)
            room = _room(tokens, index, limit)
        part.append(token)
        if closing:
            open_tags.pop()
        elif _is_tag(token):
            open_tags.append(token)
        else:
            room -= 1
    return [*parts, "".join(part)]


def _room(tokens: list[str], start: int, limit: int) -> int:
    """How many visible tokens from ``start`` make the next part. An end in the part's first half is passed over for a lesser one later."""
    seen: list[str] = []
    units = 0
    for token in tokens[start:]:
        if _is_tag(token):
            continue
        shown = unescape(token)
        units += units_of(shown)
        if units > limit:
            break
        seen.append(shown)
    else:
        return len(seen) + 1  # the rest fits
    text = "".join(seen)
    if len(text) != len(seen):  # an entity of two characters; rare enough to do without a good end
        return max(1, len(seen))
    for end in _ENDS:
        cuts = [match.end() for match in end.finditer(text) if match.end() * 2 >= len(text)]
        if cuts:
            return cuts[-1]
    return max(1, len(seen))


def _is_tag(token: str) -> bool:
    return len(token) > 1 and token[0] == "<"


def _name(tag: str) -> str:
    found = _TAG_NAME.match(tag)
    return found[1] if found else ""
