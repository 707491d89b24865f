"""The language that a text is written in, where it is long enough to tell. Any text is safe."""

from __future__ import annotations

import asyncio
import threading
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.understand.knowledge import STOP_WORDS
from bot.understand.words import words_of
from memory.declared import LANGUAGES

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

FEWEST_LETTERS = 10
"""Shorter texts say nothing sure: "no" and "ok" are words of many languages."""

SURE = 0.8
"""From this probability on a language is told. Of 2,785 messages of English-speaking customers with so many letters (MultiDoGO, dev) two
were taken for another language; of sentences in 23 other languages (Tatoeba) 93 % were told, 0.03 % wrongly."""

OWN = 0.5
"""A text of which so many words are known is in the assistant's own language, without any further look."""

_LONGEST = 500
_STOP = frozenset(STOP_WORDS.split())


class Languages:
    """Tells languages. ``own`` is the assistant's; ``knows`` says whether a word occurs in what it has to say.

    Most texts are in the assistant's own language, which their words show; what sees all languages is loaded once for the process, in a
    thread, as it takes about a second: by :func:`load_languages`, or when the first text needs it.
    """

    def __init__(self, own: str, knows: Callable[[str], bool]) -> None:
        self._own = own
        self._knows = knows

    async def of(self, text: str) -> str | None:
        """The language as in :data:`memory.declared.LANGUAGES`; None where nothing can be said."""
        text = text[:_LONGEST]
        if sum(unicodedata.category(sign)[0] in "LM" for sign in text) < FEWEST_LETTERS:  # many scripts write vowels as marks
            return None
        words = words_of(text)
        stop = _STOP if self._own == "en" else frozenset[str]()
        known = sum(word in stop or self._knows(word) for word in words)
        if words and known >= OWN * len(words):
            return self._own
        found, probability = (await _identifier()).classify(text)
        return found if probability >= SURE else None


async def load_languages() -> None:
    """Get ready what sees all languages, so that no turn waits for it."""
    await _identifier()


_loaded: LanguageIdentifier | None = None
_loading = threading.Lock()


async def _identifier() -> LanguageIdentifier:
    return _loaded if _loaded is not None else await asyncio.to_thread(_load)


def _load() -> LanguageIdentifier:
    global _loaded
    with _loading:  # of several that want it at once, one loads
        if _loaded is None:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier

            found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            found.set_languages(list(LANGUAGES))
            _loaded = found
    return _loaded
