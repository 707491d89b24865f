"""Patterns that designers write: a small part of regular expressions, in which no text takes long, whatever somebody sends.

    literals  .  \\d \\w \\s \\D \\W \\S \\b  [classes]  (groups)  (?:groups)  a|b  ?  {3}  {2,5}

What could go back over a text again and again is not part of it: ``*`` and ``+``, and repeated groups that repeat something themselves.
What is left can be counted: in how many ways a pattern can be tried at one place of a text, each of them no longer than its longest match.
``MAX_STEPS`` limits their product, so the time for a text grows with its length and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

MAX_STEPS = 5000
"""Characters that may be looked at, at most, from one place of a text."""

MAX_REPEAT = 64
"""The most that ``{n}`` may ask for."""

MAX_LENGTH = 200
"""Characters of a pattern."""

MAX_DEPTH = 10
"""Groups in groups."""

_REPEAT = re.compile(r"\{([0-9]{1,3})(?:,([0-9]{1,3}))?\}")
_DIGITS = re.compile(r"(?:[0-9](?:-[0-9])?|\\d)+")
_CLASSES = frozenset("dwsDWS")


class PatternRefused(ValueError):
    """A pattern outside of what can be written; the text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a pattern without trying it.

    ``shortest`` and ``longest``: characters of its matches; ``digits``: every match has a digit; ``ways``: how often at most it is tried at
    one place; ``repeats``: there is more than one way to match, so it must not be repeated.
    """

    shortest: int = 0
    longest: int = 0
    digits: bool = False
    ways: int = 1
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A pattern ready to search with. It matches whole words only: no letter and no digit stands directly before or after."""

    match: re.Pattern[str]
    shape: Shape


def make_pattern(source: str) -> Made:
    """Compile ``source``, ignoring the case of letters; ``\\d`` and ``\\w`` are ASCII's. Raises ``PatternRefused``."""
    shape = _Reader(source).read()
    if shape.shortest == 0:
        raise PatternRefused("it matches the empty text; at least one part of it must not be optional")
    steps = shape.ways * shape.longest
    if steps > MAX_STEPS:
        raise PatternRefused(f"it could take {steps} steps at each place of a text; at most {MAX_STEPS} are allowed: repeat less")
    try:
        match = re.compile(rf"(?<![^\W_])(?:{source})(?![^\W_])", re.IGNORECASE | re.ASCII)
    except re.error as error:
        raise PatternRefused(f"it cannot be read: {error.msg}") from None
    return Made(match, shape)


class _Reader:
    """Reads a pattern from left to right, as its grammar is: choices of sequences of parts, each with or without a repetition."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_LENGTH:
            raise PatternRefused(f"it has {len(source)} characters; at most {MAX_LENGTH} are allowed")
        self._source = source
        self._at = 0
        self._depth = 0

    def read(self) -> Shape:
        shape = self._choice()
        if self._next() is not None:
            self._refuse("there is a ) without its (")
        return shape

    def _choice(self) -> Shape:
        shapes = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            shapes.append(self._sequence())
        return Shape(
            min(shape.shortest for shape in shapes),
            max(shape.longest for shape in shapes),
            all(shape.digits for shape in shapes),
            sum(shape.ways for shape in shapes),
            any(shape.repeats for shape in shapes) or len(shapes) > 1,
        )

    def _sequence(self) -> Shape:
        whole = Shape()
        while self._next() not in (None, "|", ")"):
            part = self._repeated(self._part())
            whole = Shape(
                whole.shortest + part.shortest,
                whole.longest + part.longest,
                whole.digits or part.digits,
                whole.ways * part.ways,
                whole.repeats or part.repeats,
            )
        return whole

    def _part(self) -> Shape:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        if character in "*+?{":
            self._refuse(f"there is nothing that {character} could repeat")
        if character in "^$":
            self._refuse(f"{character} is not needed: a pattern is looked for anywhere, and matches whole words only")
        return Shape(1, 1, digits=character in "0123456789")

    def _group(self) -> Shape:
        if self._next() == "?":
            if not self._source.startswith("?:", self._at):
                self._refuse("after (? only : is allowed")
            self._at += 2
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"there are more than {MAX_DEPTH} groups in each other")
        shape = self._choice()
        self._depth -= 1
        if self._next() != ")":
            self._refuse("a ( is not closed")
        self._at += 1
        return shape

    def _class(self) -> Shape:
        start = self._at
        if self._next() == "^":
            self._at += 1
        if self._next() == "]":
            self._refuse("a class is empty; write \\] for the bracket itself")
        while (character := self._take(inside="a [ is not closed")) != "]":
            if character == "\\":
                self._take(inside="a [ is not closed")
            elif character == "[" or (character in "-&|~" and self._next() == character):
                self._refuse(f"write \\{character} for the character itself in a class")
        return Shape(1, 1, digits=_DIGITS.fullmatch(self._source, start, self._at - 1) is not None)

    def _escape(self) -> Shape:
        character = self._take(inside="it ends in a \\")
        if character == "b":
            return Shape()
        if character in _CLASSES:
            return Shape(1, 1, digits=character == "d")
        if character.isalnum():
            self._refuse(f"\\{character} is not known here")
        return Shape(1, 1)

    def _repeated(self, part: Shape) -> Shape:
        character = self._next()
        if character is None or character not in "*+?{":
            return part
        if character in "*+":
            low = 1 if character == "+" else 0
            self._refuse(f"{character} may go on without end; say how often at most, such as {{{low},20}}")
        if character == "?":
            self._at += 1
            low, high = 0, 1
        else:
            low, high = self._times()
        if self._next() in ("?", "+", "*", "{"):
            self._refuse("something is repeated twice; put it into one pair of braces")
        if part.longest == 0:
            self._refuse("what is repeated matches nothing")
        if part.repeats and high > 1:
            self._refuse("a repeated group repeats something itself, or has a choice in it; write it out as often as it is needed")
        ways = part.ways + (1 - low) if high == 1 else high - low + 1
        return Shape(low * part.shortest, high * part.longest, part.digits and low > 0, ways, part.repeats or low != high)

    def _times(self) -> tuple[int, int]:
        match = _REPEAT.match(self._source, self._at)
        if match is None:
            self._refuse("after { write how often, such as {6} or {2,20}; for the brace itself write \\{")
        self._at = match.end()
        low = int(match[1])
        high = int(match[2]) if match[2] else low
        if high < low or high == 0 or high > MAX_REPEAT:
            self._refuse(f"something is repeated from {low} to {high} times; the second must not be less, and at most {MAX_REPEAT}")
        return low, high

    def _next(self) -> str | None:
        return self._source[self._at] if self._at < len(self._source) else None

    def _take(self, *, inside: str = "it ends too early") -> str:
        character = self._next()
        if character is None:
            self._refuse(inside)
        self._at += 1
        return character

    def _refuse(self, why: str) -> NoReturn:
        raise PatternRefused(f"{why} (at character {min(self._at, len(self._source) - 1) + 1})")
