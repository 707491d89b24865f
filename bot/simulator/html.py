"""Telegram's HTML: tags become entities, and broken markup is refused in Telegram's words.

Offsets in errors count the bytes of the UTF-8 source, as Telegram's do; offsets in entities count UTF-16 units.
"""

from __future__ import annotations

import re
from typing import Any

from .entities import sort_entities, utf16_length
from .errors import ApiError, bad_request

_SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TAGS = frozenset(_SIMPLE) | {"a", "span", "tg-emoji"}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_CHARACTER = re.compile(r"&(?:#(?P<number>[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});|(?P<name>lt|gt|amp|quot);?)")
_TAG_NAME = re.compile(r"[A-Za-z0-9-]*")
_SPACE = re.compile(r"\s*")
_ATTRIBUTE = re.compile(r"\s*(?P<name>[^\s=>/\"']*)")
_BARE_VALUE = re.compile(r"[A-Za-z0-9.-]*")


def _broken(words: str) -> ApiError:
    return bad_request(f"can't parse entities: {words}")


def _unescape(text: str) -> str:
    def character(hit: re.Match[str]) -> str:
        if hit["name"]:
            return _NAMED[hit["name"]]
        digits = hit["number"]
        code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
        return chr(code) if 0 < code < 0x10FFFF and not 0xD800 <= code < 0xE000 else hit[0]

    return _CHARACTER.sub(character, text) if "&" in text else text


class _Open:
    """A tag that waits for its end."""

    def __init__(self, tag: str, entity: dict[str, Any] | None, start: int) -> None:
        self.tag = tag
        self.entity = entity
        self.start = start


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[str] = []
        self.length = 0
        self.open: list[_Open] = []
        self.entities: list[dict[str, Any]] = []

    def byte_offset(self, index: int) -> int:
        return len(self.source[:index].encode())

    def add_text(self, raw: str) -> None:
        text = _unescape(raw)
        self.parts.append(text)
        self.length += utf16_length(text)

    def parse(self) -> tuple[str, list[dict[str, Any]]]:
        at = 0
        while (start := self.source.find("<", at)) >= 0:
            self.add_text(self.source[at:start])
            at = self.end_tag(start) if self.source.startswith("</", start) else self.start_tag(start)
        self.add_text(self.source[at:])
        if self.open:
            raise _broken(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        return "".join(self.parts), sort_entities(_merged(self.entities))

    def start_tag(self, start: int) -> int:
        hit = _TAG_NAME.match(self.source, start + 1)
        name = hit.group().lower() if hit else ""
        at = start + 1 + len(name)
        if at >= len(self.source):
            raise _broken(f'Unclosed start tag "{name}" at byte offset {self.byte_offset(start)}')
        if name not in _TAGS:
            raise _broken(f'Unsupported start tag "{name}" at byte offset {self.byte_offset(start)}')
        attributes, at = self.attributes(name, start, at)
        self.open.append(_Open(name, self.entity_for(name, attributes, start), self.length))
        return at

    def attributes(self, tag: str, start: int, at: int) -> tuple[dict[str, str], int]:
        """Read up to the closing ``>``; the index behind it comes with the attributes."""
        found: dict[str, str] = {}
        where = f'"{tag}" at byte offset {self.byte_offset(start)}'
        while True:
            space = _SPACE.match(self.source, at)
            at = space.end() if space else at
            if at >= len(self.source):
                raise _broken(f"Unclosed start tag {where}")
            if self.source[at] == ">":
                return found, at + 1
            hit = _ATTRIBUTE.match(self.source, at)
            name = hit["name"].lower() if hit else ""
            if not name:
                raise _broken(f"Empty attribute name in the tag {where}")
            at = hit.end() if hit else at
            if self.source[at : at + 1] != "=":
                found[name] = ""
                continue
            at += 1
            quote = self.source[at : at + 1]
            if quote and quote in "\"'":
                end = self.source.find(quote, at + 1)
                if end < 0:
                    raise _broken(f"Unclosed start tag {where}")
                found[name], at = _unescape(self.source[at + 1 : end]), end + 1
                continue
            bare = _BARE_VALUE.match(self.source, at)
            found[name] = bare.group() if bare else ""
            at = bare.end() if bare else at
            if at < len(self.source) and not self.source[at].isspace() and self.source[at] != ">":
                raise _broken(f"Unexpected end of name token at byte offset {self.byte_offset(at)}")

    def entity_for(self, tag: str, attributes: dict[str, str], start: int) -> dict[str, Any] | None:
        if tag == "span":
            if attributes.get("class") != "tg-spoiler":
                raise _broken(f'Tag "span" must have class "tg-spoiler" at byte offset {self.byte_offset(start)}')
            return {"type": "spoiler"}
        if tag == "a":
            return {"type": "text_link", "url": attributes.get("href", "")}
        if tag == "tg-emoji":
            if not attributes.get("emoji-id"):
                raise _broken("Invalid custom emoji identifier specified")
            return {"type": "custom_emoji", "custom_emoji_id": attributes["emoji-id"]}
        if tag == "blockquote" and "expandable" in attributes:
            return {"type": "expandable_blockquote"}
        language = attributes.get("class", "")
        if tag == "code" and language.startswith("language-"):
            return {"type": "code", "language": language.removeprefix("language-")}
        return {"type": _SIMPLE[tag]}

    def end_tag(self, start: int) -> int:
        where = f"at byte offset {self.byte_offset(start)}"
        if not self.open:
            raise _broken(f"Unexpected end tag {where}")
        end = self.source.find(">", start)
        if end < 0:
            raise _broken(f"Unclosed end tag {where}")
        name = self.source[start + 2 : end].strip().lower()
        tag = self.open.pop()
        if name and name != tag.tag:
            raise _broken(f'Unmatched end tag {where}, expected "</{tag.tag}>", found "</{name}>"')
        length = self.length - tag.start
        entity = tag.entity
        if entity is not None and length > 0:
            if tag.tag == "a" and not entity["url"]:
                entity["url"] = "".join(self.parts).encode("utf-16-le")[2 * tag.start :].decode("utf-16-le")
            if tag.tag == "a" and "." not in entity["url"] and not entity["url"].startswith("tg:"):
                return end + 1
            self.entities.append({**entity, "offset": tag.start, "length": length})
        return end + 1


def _merged(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``<pre><code class=language-x>`` is one entity; a language on lone code is dropped."""
    blocks = {(entity["offset"], entity["length"]): entity for entity in entities if entity["type"] == "pre"}
    kept = []
    for entity in entities:
        if entity["type"] == "code":
            language = entity.pop("language", None)
            block = blocks.get((entity["offset"], entity["length"]))
            if block is not None:
                if language:
                    block["language"] = language
                continue
        kept.append(entity)
    return [_ordered(entity) for entity in kept]


def _ordered(entity: dict[str, Any]) -> dict[str, Any]:
    return {"type": entity["type"], "offset": entity["offset"], "length": entity["length"], **entity}


def parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """Plain text and entities of ``source``. Raises ``ApiError`` 400 with "can't parse entities: ..."."""
    if "<" not in source:
        return _unescape(source), []
    return _Parser(source).parse()
