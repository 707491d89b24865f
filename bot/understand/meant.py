"""From which part of a message a value is read, where it corrects itself, denies something, or has talk around it. Pure; English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.understand.plain import lowered
from bot.understand.wanted import Entity
from bot.understand.words import words_of

_FIXES = re.compile(
    r"\b(?:no,? wait|wait,? no|wait|sorry|scratch that|i meant?(?: to (?:say|write))?|make (?:it|that)|actually|oops|whoops|correction"
    r"|no,? no|my mistake|my bad|typo|or rather|change (?:it|that) to|should (?:be|have been))\b[\s,.:;!-]*"
)
_NOT = r"\b(?:not|isn't|wasn't|instead of|rather than|no longer)\s+(?:(?:the|my|a|for|on|to)\s+)?"
_NOT_THAT = re.compile(rf",?\s*{_NOT}[£€$]?\w[\w.,/'-]{{0,40}}(?:\s+(?:card|account|one|policy|phone|pounds?|quid)\b)?")
_DENIES = re.compile(rf"{_NOT}$")
_FROM_TO = re.compile(r"\bfrom\s+[£€$]?[\d.,]{1,12}\w?\s+to\b")
_INTRODUCES = re.compile(
    r"^\W*(?:(?:(?:it|that)(?:'s| is| should be| would be| must be| was| will be)|this is|its|my (?:[\w-]+ ){1,4}is|the (?:[\w-]+ ){0,4}is"
    r"|i live (?:at|in|on)|i(?:'m| am)|i have|i (?:think|believe|guess)(?: it(?:'s| is| was))?|i (?:said|say|meant|mean)|should be|must be"
    r"|for|to|at|on|just|only|about|around|roughly|maybe|probably|let'?s say|sure|ok(?:ay)?|yes|well|hm+|please|make (?:it|that)"
    r"|here(?:'s| is)(?: it| my (?:[\w-]+ ){1,4})?|here you (?:go|are)|of course|use|take)\b[\s,:.-]*){1,3}"
)
_ENDS = re.compile(
    r"(?:[\s,.;:!-]+(?:please|pls|thanks|thank you|thx|cheers|i (?:think|believe|guess|suppose)|if i(?:'m| am) not (?:mistaken|wrong)"
    r"|as far as i know|mate|many thanks|thanks a lot))+[\s.,;:!?]*$",
    re.IGNORECASE,
)
_ENDING = 80


def parts_meant(text: str) -> Iterator[str]:
    """The parts in which a value is looked for, the likeliest first: what comes after a correction, then all that is not denied."""
    low = lowered(text)
    last = None
    for match in _FIXES.finditer(low):
        if low[: match.start()].strip() and low[match.end() :].strip(" .!?"):
            last = match
    if last is not None:
        yield without_denied(text[last.end() :])
    yield without_denied(text)


def without_denied(text: str) -> str:
    """The text without what is denied: "54 not 45", "not 50 but 80", "from 50 to 80"."""
    low = lowered(text)
    rest, at = "", 0
    for rule in (_NOT_THAT, _FROM_TO):
        if at == 0:
            for match in rule.finditer(low):
                rest, at = f"{rest}{text[at : match.start()]} ", match.end()
    return rest + text[at:]


def thing_meant(found: Sequence[Entity], text: str) -> Entity:
    """Of several things of one kind the one that is meant: none that is denied, and the last after a correction."""
    low = lowered(text)
    kept = [one for one in found if not _DENIES.search(low, max(0, one.start - 24), one.start)] or list(found)
    return kept[-1] if len(kept) > 1 and _FIXES.search(low, kept[0].end, kept[-1].start) else kept[0]


def introduced(text: str) -> str:
    """The text without "it is", "my address is" and the like before it, and without "please", "I think" and the like after it."""
    match = _INTRODUCES.match(lowered(text))
    rest = text[match.end() :] if match is not None else text
    rest = " ".join(rest.strip(" ,:;").split()) or " ".join(text.split())
    end = _ENDS.search(rest, max(0, len(rest) - _ENDING))
    return rest[: end.start()].rstrip(" ,;:") if end is not None and end.start() else rest


def words_beside(text: str, start: int, end: int) -> int:
    """Words around what stands from ``start`` up to ``end``."""
    return len(words_of(text[:start])) + len(words_of(text[end:]))
