"""What a customer's message says, as far as the assistant can tell. Pure: the same text is heard the same way."""

from __future__ import annotations

from dataclasses import dataclass

from bot.understand.knowledge import SURE, Hit, Knowledge
from bot.understand.person import asks_person
from bot.understand.smalltalk import Kind, find_talk


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as understood. Except ``asks_person``, the flags are true only where the message is essentially just that.

    ``hits`` are the articles that may answer what is said beside small talk, best first.
    """

    text: str
    asks_person: bool
    greeting: bool
    thanks: bool
    goodbye: bool
    affirm: bool
    deny: bool
    help: bool
    hits: tuple[Hit, ...]

    @property
    def sure(self) -> bool:
        """The first hit may be given as the answer without asking back."""
        return bool(self.hits) and self.hits[0].score >= SURE


def hear(text: str, knowledge: Knowledge) -> Heard:
    """Understand one message."""
    talk = find_talk(text, knowledge.knows)
    return Heard(
        text=text,
        asks_person=asks_person(text),
        greeting=Kind.GREETING in talk.kinds,
        thanks=Kind.THANKS in talk.kinds,
        goodbye=Kind.GOODBYE in talk.kinds,
        affirm=bool(talk.kinds & {Kind.AFFIRM, Kind.MILD_AFFIRM}),
        deny=Kind.DENY in talk.kinds,
        help=Kind.HELP in talk.kinds,
        hits=_hits(text, talk.rest, knowledge),
    )


def _hits(text: str, rest: str, knowledge: Knowledge) -> tuple[Hit, ...]:
    """What answers the message without its small talk, or the whole of it where that says more: "not working" belongs to the matter."""
    if not rest:
        return ()
    hits = knowledge.search(rest)
    if rest != text and (whole := knowledge.search(text)) and (not hits or whole[0].score > hits[0].score):
        hits = whole
    return tuple(hits)
