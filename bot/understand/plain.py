"""Texts in the one form in which they are read: lower case with plain apostrophes, without what cannot be seen. Pure."""

from __future__ import annotations

import unicodedata

MAX_READ = 1000
"""Characters of a message in which values are looked for, so that a hostile text costs no more than a long one."""

_APOSTROPHES = str.maketrans("’‘‛´`", "'''''")
_DIGITS = {
    code: str(unicodedata.digit(chr(code)))
    for start in (0x660, 0x6F0, 0x966, 0xFF10)  # Arabic, Persian, Hindi, and the wide ones of East Asian keyboards
    for code in range(start, start + 10)
}


def lowered(text: str) -> str:
    """Lower case with plain apostrophes, and as long as ``text``."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(lower if len(lower := character.lower()) == 1 else character for character in text)
    return low if low.isascii() else low.translate(_APOSTROPHES)


def tidy(text: str) -> str:
    """The beginning of the text without what cannot be seen: control characters, marks of direction and of no width; with plain digits."""
    text = text[:MAX_READ]
    if not (text.isascii() and text.isprintable()):
        kept = (one for one in unicodedata.normalize("NFC", text) if one.isspace() or unicodedata.category(one) not in _UNSEEN)
        text = "".join(" " if one.isspace() and one != "\n" else one for one in kept).translate(_DIGITS)
    return text.strip()


_UNSEEN = ("Cc", "Cf", "Cs", "Co")
