"""Entities that Telegram finds by itself in plain text: commands, mentions, links, addresses, hashtags."""

from __future__ import annotations

import re
from typing import Any

_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,;:!?')\]])"
    r"|(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<mention>(?<![\w@/])@[A-Za-z]\w{2,31}\b)"
    r"|(?P<bot_command>(?<![\w/<>.])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z]\w{2,31})?(?![\w/]))"
    r"|(?P<hashtag>(?<![\w#])#\w*[^\W\d_]\w*)"
)
_MAYBE = re.compile(r"[@/#]")


def utf16_length(text: str) -> int:
    """Length as Telegram counts it, in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def find_entities(text: str) -> list[dict[str, Any]]:
    """Entities of ``text`` in the Bot API's shape, in order."""
    if not _MAYBE.search(text):
        return []
    return [
        {"type": hit.lastgroup, "offset": utf16_length(text[: hit.start()]), "length": utf16_length(hit.group())}
        for hit in _FOUND.finditer(text)
    ]


def add_found(text: str, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``given`` entities and those that Telegram would find outside of links and code, sorted as Telegram sorts them."""
    closed = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in given
        if entity["type"] in ("code", "pre", "text_link", "text_mention", "url")
    ]
    found = [
        entity
        for entity in find_entities(text)
        if not any(entity["offset"] < end and start < entity["offset"] + entity["length"] for start, end in closed)
    ]
    return sort_entities([*given, *found])


def sort_entities(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outer entities before inner ones."""
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def trim(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Drop the white space around a text, and what entities lose by that."""
    shorter = text.strip()
    if len(shorter) == len(text):
        return text, entities
    shift = utf16_length(text[: len(text) - len(text.lstrip())])
    end = utf16_length(shorter)
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - shift)
        stop = min(end, entity["offset"] + entity["length"] - shift)
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    return shorter, kept


def with_entities(field: str, text: str) -> dict[str, Any]:
    """The message fields for a text or caption that somebody typed; none for an empty one."""
    if not text:
        return {}
    entities = find_entities(text)
    if not entities:
        return {field: text}
    return {field: text, "entities" if field == "text" else "caption_entities": entities}
