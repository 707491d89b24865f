"""Markdown to the HTML subset that Telegram takes, and back to what the reader sees.

Paragraphs, lists, bold, italic, code and links are rendered; anything else, such as headings and raw HTML, stays as it is typed, escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape, unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

_TAG = re.compile(r"<[^<>]*>")
_INLINE_TAGS = {"strong_open": "<b>", "strong_close": "</b>", "em_open": "<i>", "em_close": "</i>", "link_close": "</a>"}
_markdown = MarkdownIt("zero").enable(["list", "emphasis", "backticks", "link", "autolink", "escape", "entity", "newline"])


class Html(str):
    """Text that is Telegram HTML already and is inserted as it is."""

    __slots__ = ()


def html_of(markdown: str) -> Html:
    """Markdown as Telegram HTML. A line break stays a line break; paragraphs are set apart by an empty line."""
    tokens = _markdown.parse(markdown)
    blocks: list[str] = []
    at = 0
    while at < len(tokens):
        end = _closing(tokens, at)
        blocks.append(_block(tokens[at : end + 1], indent=""))
        at = end + 1
    return Html("\n\n".join(blocks))


def plain_of(html: str) -> str:
    """What the reader sees of Telegram HTML: no tags, entities resolved."""
    return unescape(_TAG.sub("", html))


def units_of(text: str) -> int:
    """The length of ``text`` as Telegram counts it, in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _closing(tokens: Sequence[Token], start: int) -> int:
    """The index of the token that closes the one at ``start`` (itself, where it opens nothing)."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1


def _block(tokens: Sequence[Token], *, indent: str) -> str:
    """One paragraph or one whole list."""
    if tokens[0].type in ("bullet_list_open", "ordered_list_open"):
        return _list(tokens, indent=indent)
    return "".join(_inline(token.children or ()) for token in tokens if token.type == "inline")


def _list(tokens: Sequence[Token], *, indent: str) -> str:
    ordered = tokens[0].type == "ordered_list_open"
    number = int(tokens[0].attrGet("start") or 1) if ordered else 0
    lines: list[str] = []
    at = 1
    while at < len(tokens) - 1:
        end = _closing(tokens, at)
        mark = f"{number}. " if ordered else "• "
        lines.append(_item(tokens[at + 1 : end], mark=mark, indent=indent))
        number += 1
        at = end + 1
    return "\n".join(lines)


def _item(tokens: Sequence[Token], *, mark: str, indent: str) -> str:
    """A list's item with its mark; the lists inside it stand two spaces further in, since Telegram has no lists of its own."""
    lines: list[str] = []
    at = 0
    while at < len(tokens):
        end = _closing(tokens, at)
        lines.append(_block(tokens[at : end + 1], indent=indent + "  "))
        at = end + 1
    return indent + mark + "\n".join(lines)


def _inline(tokens: Sequence[Token]) -> str:
    out: list[str] = []
    for token in tokens:
        if token.type in _INLINE_TAGS:
            out.append(_INLINE_TAGS[token.type])
        elif token.type == "link_open":
            out.append(f'<a href="{escape(str(token.attrGet("href")))}">')
        elif token.type == "code_inline":
            out.append(f"<code>{escape(token.content, quote=False)}</code>")
        elif token.type in ("softbreak", "hardbreak"):
            out.append("\n")
        else:
            out.append(escape(token.content, quote=False))
    return "".join(out)
