"""One error tree.

LegatoError
├── SettingsError            configuration that cannot be used; the text names the setting and the remedy
├── ContentError             an assistant's YAML or Markdown; carries every mistake with its file and line
├── SchemaMismatch           the database's schema is older or newer than this program
├── ValueRefused             a fact's value is not of its type; the text says what is expected (memory/values.py)
├── ConsentMissing           a customer has not agreed to what their data would be used for
├── MergeRefused             customers cannot be merged or un-merged; the text says why
└── CustomerForgotten        a customer was forgotten before what concerns them could be stored
"""

from __future__ import annotations

from collections.abc import Sequence


class LegatoError(Exception):
    """Base of all errors that Legato raises on purpose; its text is written for the person who reads it."""


class SettingsError(LegatoError):
    """Configuration that cannot be used."""


class ContentError(LegatoError):
    """An assistant's content has ``mistakes``; the text lists each one as ``file:line: what is wrong``."""

    def __init__(self, mistakes: Sequence[object]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class SchemaMismatch(LegatoError):
    """The database's schema is not the one that this program was written for."""


class ConsentMissing(LegatoError):
    """A customer has not agreed to what their data would be used for."""


class MergeRefused(LegatoError):
    """Customers cannot be merged, or a merge cannot be undone."""


class CustomerForgotten(LegatoError):
    """A customer was forgotten, perhaps at this very moment: nothing about them is stored any more."""
