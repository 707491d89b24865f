"""What goes between the parts: Incoming, Outgoing, Receipt, and the Sender protocol that every channel and desk fulfils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import TypeAdapter

MAX_FILE_BYTES = 20 * 1024 * 1024
"""The largest file that a Telegram bot may download (Bot API, getFile)."""

MAX_TEXT = 4096
"""The longest text of one Telegram message, in UTF-16 code units (Bot API, sendMessage)."""

MAX_CAPTION = 1024
"""The longest caption of a file, in UTF-16 code units (Bot API, sendPhoto)."""


class Event(StrEnum):
    """What an incoming says has happened."""

    MESSAGE = "message"
    EDIT = "edit"
    REACTION = "reaction"
    PRESS = "press"
    MEMBERSHIP = "membership"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file where it was sent. ``file_id`` can be fetched only through the ``source`` that it came from.

    ``too_large``: the channel does not hand the file out, only what it says of it.
    """

    source: str
    kind: str
    file_id: str
    unique_id: str
    name: str | None = None
    mime: str | None = None
    size: int | None = None
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """Something that arrived, from a customer or, on a desk, from an agent.

    ``kind`` is text, photo, document, voice, video, video_note, audio, animation, sticker, location, contact, or other. ``about`` is the
    channel's id of the message that an edit, a reaction or a press speaks of. ``data`` holds what the kind adds: a press's ``payload`` and
    ``callback``, a reaction's ``emoji``, a membership's ``status``, a contact's ``phone``, a location's ``latitude`` and
    ``longitude``; of kind other, the whole ``message``.
    ``place`` is the desk's topic. Times are aware, UTC.
    """

    channel: str
    update_id: str
    sender: str
    at: datetime
    event: Event = Event.MESSAGE
    kind: str = "text"
    text: str = ""
    name: str | None = None
    username: str | None = None
    language: str | None = None
    message_id: str | None = None
    about: str | None = None
    album: str | None = None
    place: str | None = None
    attachments: tuple[Attachment, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; ``payload`` comes back when it is pressed (at most 64 bytes on Telegram)."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something on its way out. What ``kind`` means:

    - ``text``: a message; ``html`` says that ``text`` is Telegram HTML, else it is shown as it is;
    - ``file``: the ``attachments`` with ``text`` as their caption, an album where there are several;
    - ``edit``: a new text for the message that carried exchange ``about_exchange``; ``about`` is its id, filled in just before the send;
    - ``answer``: the answer to the press ``about``; ``alert`` shows it as a box;
    - ``unsend``: delete the messages ``about``, their ids with commas between them;
    - ``card`` and ``close`` (desks only): show the handoff's packet as it stands now; close its topic;
    - ``drop`` (desks only): delete the topic ``about`` with everything in it.
    """

    kind: Literal["text", "file", "edit", "answer", "unsend", "card", "close", "drop"] = "text"
    text: str = ""
    html: bool = False
    buttons: tuple[tuple[Button, ...], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    about: str | None = None
    about_exchange: int | None = None
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel has it, under ``message_id``."""

    message_id: str | None


@dataclass(frozen=True, slots=True)
class Postponed:
    """It certainly did not go out and may be tried again after ``seconds``. ``everyone``: the whole channel is to pause."""

    seconds: float
    why: str
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The channel will never take it. ``unreachable``: nor anything else for this address."""

    why: str
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may or may not have arrived: the connection broke after the request was sent."""

    why: str


Receipt = Sent | Postponed | Refused | Uncertain


class Sender(Protocol):
    """One way out. The address's order is the caller's business: it never sends two to one address at a time."""

    async def send(self, address: str, outgoing: Outgoing) -> Receipt:
        """Send one outgoing; every foreseeable failure is a receipt. An exception counts as uncertain."""


class Files(Protocol):
    """Where attachments can be fetched."""

    async def fetch(self, attachment: Attachment) -> bytes:
        """The file's bytes. Raises ``OSError`` where it cannot be had now, ``LookupError`` where it is gone for good."""


_incoming: TypeAdapter[Incoming] = TypeAdapter(Incoming)
_outgoing: TypeAdapter[Outgoing] = TypeAdapter(Outgoing)
_attachment: TypeAdapter[Attachment] = TypeAdapter(Attachment)


def read_incoming(stored: dict[str, Any]) -> Incoming:
    """An incoming as the inbox keeps it."""
    return _incoming.validate_python(stored)


def read_outgoing(stored: dict[str, Any]) -> Outgoing:
    """An outgoing as the outbox keeps it."""
    return _outgoing.validate_python(stored)


def read_attachment(stored: dict[str, Any]) -> Attachment:
    """An attachment as an exchange keeps it."""
    return _attachment.validate_python(stored)


def rows_of(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], ...]:
    """One button a row: titles are sentences more often than words."""
    return tuple((button,) for button in buttons)
