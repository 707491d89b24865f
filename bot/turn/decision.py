"""What a turn deals with and what it decides: the words of its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.messages import Attachment, Button, Incoming
from bot.turn.deeds import Deed

ARTICLE, PERSON, AFFIRM, DENY = "/article ", "/person", "/affirm", "/deny"
"""Payloads of the assistant's own buttons; an article's slug follows the first."""


FLOW = "flow"
"""The rule that leaves a turn to the flows, until they have said what it was (:mod:`bot.turn.flow`)."""


class Reason(StrEnum):
    """Why a person is asked to take over."""

    ASKED = "asked"
    UNSURE = "unsure"
    CAREFUL = "careful"
    FAILED = "failed"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a turn deals with: one incoming, or all parts of an album. ``continued``: an earlier turn has answered this album.

    ``about_id`` is the logged exchange that an edit, a reaction or a press speaks of, where it is known. ``turn_id`` is the same however
    often the turn is run.
    """

    parts: tuple[Incoming, ...]
    continued: bool = False
    about_id: int | None = None
    turn_id: int = 0

    @property
    def first(self) -> Incoming:
        return self.parts[0]

    @property
    def text(self) -> str:
        """The words: of a message, or an album's captions."""
        if len(self.parts) == 1:
            return self.parts[0].text
        return "\n".join(part.text for part in self.parts if part.text)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(attachment for part in self.parts for attachment in part.attachments)


@dataclass(frozen=True, slots=True)
class Say:
    """A reply by its name, with the variables that only this turn knows, and buttons beside the reply's own.

    ``proof`` is the level that the customer's identity needs to be told this. ``secrets`` are values that the log does not keep. Where
    ``name`` is empty, ``text`` is said as it is. ``spare`` buttons stand only where the reply has none. ``lenient``: a variable that is not
    known is shown as missing, as a designer's reply about slots can come before they are filled; ``slots`` are their values for the
    conditions of its variants.
    """

    name: str
    variables: dict[str, Any] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()
    proof: str = "seen"
    secrets: tuple[str, ...] = ()
    text: str = ""
    spare: tuple[Button, ...] = ()
    lenient: bool = False
    slots: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens. ``says`` become one answer. ``dialogue`` is the conversation's new state, None where it stays as it was.

    ``article`` is the short name of the article that was given. ``mood`` is that of the customer's words, None where nobody judged it;
    ``language`` is the one that they are in, None where that cannot be told.
    ``deeds`` are done in the turn's own transaction. ``tried``: what the person is told beside, where one is asked for.
    ``want``: the words with which the customer came, where what they wrote now is only the answer to a question. ``secrets``: parts of what
    they wrote that nothing keeps, such as a code.
    """

    rule: str
    says: tuple[Say, ...] = ()
    handoff: Reason | None = None
    relay: bool = False
    dialogue: dict[str, Any] | None = None
    reachable: bool | None = None
    deeds: tuple[Deed, ...] = ()
    article: str | None = None
    mood: float | None = None
    language: str | None = None
    tried: tuple[str, ...] = ()
    want: str = ""
    secrets: tuple[str, ...] = ()
