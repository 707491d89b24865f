"""Which of several choices is meant: by its words, a word that only it has, with a slip of the fingers, or by its place. Pure; English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.understand.words import Spelling, words_of

MOST_LISTED = 10
"""Choices from whose number on nobody counts to one of them."""

LONGER = 5
"""Letters from which on a word may have a slip in it; shorter ones are too near to each other."""

_PLACES = {
    word: n for n, word in enumerate(["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"])
}
_COUNTS = {word: n for n, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"])}
_LEAD = r"^\W*(?:(?:ok(?:ay)?|yes|well|i(?:'d| would)? ?(?:like|want|take|choose|pick|think|mean)?|it'?s|it is"
_LEAD += r"|that'?s|that would be|let'?s (?:go|say)|go|with|for|take|please|probably|the)\W+){0,5}"
_END = r"(?:\W+(?:please|thanks|thank you|then|i think|of (?:them|those|these)|from the list|on the list))*\W*$"
_PLACE = re.compile(
    rf"{_LEAD}(?:(?P<nth>{'|'.join(_PLACES)}|\d{{1,2}}(?:st|nd|rd|th)|last)(?: (?:one|option|choice|answer|of them))?"
    rf"|(?:number|no\.?|nr\.?|option|choice|answer|#) ?(?P<number>\d{{1,2}}|{'|'.join(_COUNTS)})"
    rf"|\(?(?P<digit>\d{{1,2}})[.)]?){_END}"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice that is meant. ``named``: it was called by its whole name, and not only by a part of it or its place. ``words`` count those
    that named it."""

    value: str
    named: bool
    words: int


def find_choice(values: Sequence[str], low: str) -> Choice | None:
    """The one of ``values`` that ``low``, a text in lower case, means; None where it means none, or several of them."""
    said = words_of(low)
    forms = _forms_of(tuple(values))
    joined = " ".join(said)
    found = [(len(words), value) for value, words in forms.items() if words and _has(joined, words)]
    if found:
        # the longest name counts, where another is a part of it: "home phone" beside "phone"
        names = [value for _, value in sorted(found, reverse=True)]
        whole = [one for one in names if not any(other != one and _has(" ".join(forms[other]), forms[one]) for other in names)]
        return Choice(whole[0], True, len(forms[whole[0]])) if len(whole) == 1 else None
    if both_or_none(low):
        return None
    own = [value for value, words in _owned(tuple(values)).items() if not words.isdisjoint(said)]
    if len(own) == 1:
        return Choice(own[0], False, 1)
    if own:
        return None
    if (place := _place(values, low)) is not None:
        return Choice(place, False, len(said))
    return _misspelt(tuple(values), said)


def both_or_none(low: str) -> bool:
    """Whether several of the choices are meant at once, or none."""
    return _SEVERAL.search(low) is not None


def only_a_place(low: str) -> bool:
    """Whether ``low``, a text in lower case, says nothing but a place in a list: "number 1", "the second one please"."""
    return _PLACE.match(low) is not None


_SEVERAL = re.compile(r"\b(?:both|neither|none of|either|any of them|all of them|all of those|all of the above|every one|whichever)\b")


def _has(joined: str, words: Sequence[str]) -> bool:
    return re.search(rf"(?<!\w){re.escape(' '.join(words))}(?:s|es)?(?!\w)", joined) is not None


def _own_words(value: str, forms: dict[str, list[str]]) -> set[str]:
    """The words that only this value has: "the blue one" for "blue card"."""
    mine = {word for word in forms[value] if len(word) > 2 and word not in _SMALL}
    for other, words in forms.items():
        if other != value:
            mine -= set(words)
    return mine


_SMALL = frozenset(["the", "and", "for", "not", "one", "you", "your", "with", "from", "that", "this", "are", "was", "has", "have"])


def _place(values: Sequence[str], low: str) -> str | None:
    if len(values) > MOST_LISTED or (match := _PLACE.match(low)) is None:
        return None
    if nth := match["nth"]:
        at = len(values) - 1 if nth == "last" else _PLACES[nth] if nth in _PLACES else int(re.sub(r"\D", "", nth)) - 1
    elif number := match["number"]:
        at = _COUNTS[number] if number in _COUNTS else int(number) - 1
    else:
        at = int(match["digit"]) - 1
    return values[at] if 0 <= at < len(values) else None


def _misspelt(values: tuple[str, ...], said: Sequence[str]) -> Choice | None:
    """The choice one of whose own words is a slip away."""
    owner, spelling = _spelling(values)
    found = {owner[near] for word in said if len(word) >= LONGER - 1 and (near := spelling.nearest(word)) is not None}
    return Choice(found.pop(), False, 1) if len(found) == 1 else None


# An assistant has a few dozen slots, whose choices never change.


@lru_cache(maxsize=512)
def _forms_of(values: tuple[str, ...]) -> dict[str, list[str]]:
    return {value: words_of(value.replace("_", " ")) for value in values}


@lru_cache(maxsize=512)
def _owned(values: tuple[str, ...]) -> dict[str, set[str]]:
    forms = _forms_of(values)
    return {value: _own_words(value, forms) for value in values}


@lru_cache(maxsize=512)
def _spelling(values: tuple[str, ...]) -> tuple[dict[str, str], Spelling]:
    forms = _forms_of(values)
    owner = {word: value for value, mine in _owned(values).items() for word in forms[value] if word in mine and len(word) >= LONGER}
    return owner, Spelling(owner)
