"""Words: how a text is taken apart, and which known word a misspelt one was meant to be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"(?<=\w)['’‘`´](?=\w)")

MAX_WORDS = 200
"""Words beyond these are not looked at, so that a hostile text costs no more than a long one."""

MIN_LENGTH = 4
"""Shorter words are not corrected: too many of them are one letter apart."""


def words_of(text: str) -> list[str]:
    """The words of ``text``: lower case, without accents and apostrophes ("don't" is dont), at most ``MAX_WORDS``."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    words = _WORD.findall(_APOSTROPHE.sub("", text).lower())
    return words[:MAX_WORDS]


class Spelling:
    """Finds the known word that is one slip away: a letter more, less, changed, or two swapped.

    Words that share a form with one letter left out are near each other, so a look-up costs one set look-up a letter.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._near: dict[str, list[str]] = {}
        for word in sorted(set(words)):
            if len(word) >= MIN_LENGTH:
                for form in _forms(word):
                    self._near.setdefault(form, []).append(word)

    def nearest(self, word: str) -> str | None:
        """The known word that ``word`` was meant to be, or None. The first letter is taken to be right."""
        if not MIN_LENGTH - 1 <= len(word) <= 30 or not word.isalpha():
            return None
        best: tuple[int, str] | None = None
        for form in _forms(word):
            for known in self._near.get(form, ()):
                if known[0] != word[0]:
                    continue
                # Swapped letters leave the same letters, which is the surest sign; then the nearest length.
                slip = 0 if sorted(known) == sorted(word) else 1 + abs(len(known) - len(word))
                if best is None or (slip, known) < best:
                    best = (slip, known)
        return None if best is None else best[1]


def _forms(word: str) -> set[str]:
    """``word`` and what is left of it without any one of its letters."""
    return {word, *(word[:index] + word[index + 1 :] for index in range(len(word)))}
