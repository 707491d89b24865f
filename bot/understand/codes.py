"""Numbers on paper as customers write them: policies, accounts, serial numbers, telephones, with spaces, hyphens and words around. Pure.

A payment card's full number is never a value: :func:`without_cards` leaves its last four digits, and does so before anything is stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from memory.personal import CARD_DIGITS, personal_data

MOST_PIECES = 60
"""Pieces of a text that are tried as the beginning of a number."""

MOST_JOINED = 8
"""Pieces that one number may be written in."""

CARD_SHOWN = "•••• {}"
"""What is left of a card's number: its last four digits."""

_PIECE = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(r"[\s\-‐‑‒–—.]{1,3}")
_NUMBER = re.compile(r"(?<![\w@])(?:\+ ?|\()?\d(?:[ ().\-/–]{0,3}\d){5,16}(?![\w@])")


def without_cards(text: str) -> str:
    """``text`` with each payment card's number, told by its check digit (Luhn), cut down to its last four digits."""
    if sum(map(text.count, "0123456789")) < CARD_DIGITS.start:
        return text
    parts: list[str] = []
    at = 0
    for one in personal_data(text):
        if one.kind == "card":
            digits = re.sub(r"\D", "", text[one.start : one.end])
            parts += (text[at : one.start], CARD_SHOWN.format(digits[-4:]))
            at = one.end
    return "".join((*parts, text[at:])) if parts else text


def codes(text: str) -> Iterator[str]:
    """What in ``text`` may be a number on paper, its pieces put together, the longest first from each place on."""
    pieces = [match.span() for match, _ in zip(_PIECE.finditer(text), range(MOST_PIECES), strict=False)]
    for first, (start, end) in enumerate(pieces):
        last = first
        while last + 1 < len(pieces) and last - first < MOST_JOINED - 1 and _BETWEEN.fullmatch(text, pieces[last][1], pieces[last + 1][0]):
            last += 1
        for upto in range(last, first - 1, -1):
            candidate = text[start : pieces[upto][1]]
            if any(character.isdigit() for character in candidate) and not _goes_on(text, pieces, first, upto):
                yield candidate
        del end


def _goes_on(text: str, pieces: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether digits stand right beside that belong to the same number, so that this is only a part of it."""

    def digits(at: int) -> bool:
        return text[pieces[at][0] : pieces[at][1]].isdigit()

    before = first > 0 and digits(first) and digits(first - 1) and _BETWEEN.fullmatch(text, pieces[first - 1][1], pieces[first][0])
    after = last + 1 < len(pieces) and digits(last) and digits(last + 1) and _BETWEEN.fullmatch(text, pieces[last][1], pieces[last + 1][0])
    return bool(before or after)


def first_code(text: str, check: Callable[[str], Any]) -> tuple[Any, str] | None:
    """The first number in ``text`` that ``check`` takes (it gives None for what is none), and how it is written there."""
    for candidate in codes(text):
        if (value := check(candidate)) is not None:
            return value, candidate
    return None


def telephone_numbers(text: str) -> Iterator[str]:
    """What looks like a telephone number, as it is written."""
    for match in _NUMBER.finditer(text):
        yield match[0]
