"""The format of a script: what can stand in its file. README.md shows every step; this module says what each one may contain."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

PAINS = 20
"""Scripts name the promises that they show as P1 to P20."""

_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h|d)")
_SIZES = {"B": 1, "KB": 1024, "MB": 1024 * 1024}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB)")


def seconds_of(value: object) -> float:
    """``2 h`` as seconds; units are s, min, h and d. Raises ``ValueError``."""
    hit = _TIME.fullmatch(str(value).strip())
    if hit is None:
        raise ValueError("must be a time with its unit, such as 30 s, 5 min, 2 h or 1 d")
    return float(hit[1]) * _UNITS[hit[2]]


def _bytes_of(value: object) -> int:
    hit = _SIZE.fullmatch(str(value).strip())
    if hit is None:
        raise ValueError("must be a size with its unit, such as 500 KB or 21 MB")
    return int(float(hit[1]) * _SIZES[hit[2]])


def _compiles(value: object) -> object:
    if isinstance(value, str):
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from None
    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _or_nothing(value: object) -> object:
    return {} if value is None else value


Time = Annotated[float, BeforeValidator(seconds_of)]
Size = Annotated[int, BeforeValidator(_bytes_of)]
Pattern = Annotated[str, BeforeValidator(_compiles)]
Texts = Annotated[list[str], BeforeValidator(_listed)]
"""One text or a list of texts."""


class Part(BaseModel):
    """Anything that stands in a script: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class SentFile(Part):
    """A file that a person sends; one is made up. ``size`` declares a size without content."""

    caption: str = ""
    name: str | None = None
    size: Size | None = None


class SentAlbum(Part):
    """Photos that are sent together."""

    photos: int = Field(default=3, ge=2, le=10)
    caption: str = ""


class SentContact(Part):
    """A contact; without a name it is the sender's own."""

    phone: str
    name: str | None = None


File = Annotated[SentFile, BeforeValidator(_or_nothing)]
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]

COMPANY = "company"
"""Whose code it is that the company's systems sent by text message."""

OPERATOR = "operator"
"""Who acts at the command line, and is shown codes and links there."""

FILES = ("photo", "document", "voice", "audio", "video", "animation", "video_note", "sticker")
DEEDS = (
    *("text", "start", *FILES, "album", "location", "contact", "press", "edit", "react", "delete", "block"),
    *("rename", "delete topic", "close topic", "code of", "link of"),
)
"""What a person can do; a step names exactly one."""


class Deed(Part):
    """What a person does: one of ``DEEDS``, and where. ``in`` names a topic by a part of its name."""

    text: str | None = None
    start: str | None = None
    photo: File | None = None
    document: File | None = None
    voice: File | None = None
    audio: File | None = None
    video: File | None = None
    animation: File | None = None
    video_note: File | None = None
    sticker: File | None = None
    album: Annotated[SentAlbum, BeforeValidator(_or_nothing)] | None = None
    location: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    contact: Annotated[SentContact, BeforeValidator(lambda value: {"phone": value} if isinstance(value, str) else value)] | None = None
    press: str | None = None
    edit: Pair | None = None
    react: Pair | None = None
    delete: str | None = None
    block: bool | None = None
    rename: str | None = None
    delete_topic: str | None = Field(default=None, alias="delete topic")
    close_topic: str | None = Field(default=None, alias="close topic")
    code_of: str | None = Field(default=None, alias="code of")
    link_of: str | None = Field(default=None, alias="link of")
    repeat: int = Field(default=1, ge=1, le=5000)
    to: Literal["bot", "desk bot"] | None = None
    place: str | None = Field(default=None, alias="in")

    @model_validator(mode="after")
    def _one_deed(self) -> Self:
        given = self.kinds
        if len(given) != 1:
            said = f"does {' and '.join(given)} at once" if given else "does nothing"
            raise ValueError(f"{said}; write exactly one of {', '.join(DEEDS)}")
        return self

    @property
    def kinds(self) -> list[str]:
        """The deeds that were written."""
        return [name for name in DEEDS if name.replace(" ", "_") in self.model_fields_set]

    @property
    def kind(self) -> str:
        """The one deed."""
        return self.kinds[0]


class Words(Part):
    """What a text has to be: ``text`` are parts of it, ``pattern`` and ``not`` regular expressions that it has and has not."""

    text: Texts = Field(default_factory=list)
    pattern: Pattern | None = None
    without: Pattern | None = Field(default=None, alias="not")


class Hears(Words):
    """The next message that a customer gets. ``from`` is assistant or agent; ``buttons`` are all of its buttons, by title."""

    to: str | None = None
    reply: str | None = None
    author: Literal["assistant", "agent"] | None = Field(default=None, alias="from")
    buttons: Texts | None = None
    file: Literal["photo", "document", "voice", "audio", "video", "animation", "video_note", "sticker", "none"] | None = None


class Sees(Words):
    """Messages that a customer's chat shows now, from whoever. ``count`` is how many have the words; without it, at least one."""

    edited: bool | None = None
    count: int | None = Field(default=None, ge=0)


class Told(Words):
    """The answer to the last button that a person pressed; ``alert`` says that it is shown as a box."""

    alert: bool | None = None


class Desk(Words):
    """What agents see. ``shows`` are parts of one message in the topic; ``not`` is in none of them."""

    place: str | None = Field(default=None, alias="in")
    shows: Texts = Field(default_factory=list)
    count: int | None = Field(default=None, ge=0)
    buttons: Texts | None = None
    file: Literal["photo", "document", "voice", "audio", "video", "animation", "video_note", "sticker"] | None = None
    topic: str | None = None
    topics: int | None = Field(default=None, ge=0)
    closed: bool | None = None


class HandoffIs(Part):
    """A customer's latest handoff."""

    of: str | None = None
    state: Literal["none", "waiting", "owned", "ended"] | None = None
    reason: Literal["asked", "unsure", "careful", "failed", "overdue"] | None = None
    owner: str | None = None
    ending: Literal["returned", "closed", "forgotten", "joined"] | None = None
    want: str | None = None
    note: str | None = None
    count: int | None = Field(default=None, ge=0)


class MemoryHas(Part):
    """What is remembered of a customer. ``log`` are their last exchanges, each as ``author: part of the text``.

    ``likely`` are facts that nobody has confirmed. ``experiences`` counts moments as in ``bad waited: 1``, ``promises`` by their state;
    both name all that there are. ``intents`` are what the customer's last messages were taken for.
    """

    of: str | None = None
    fact: dict[str, Any] = Field(default_factory=dict)
    exchanges: int | None = Field(default=None, ge=0)
    log: list[dict[Literal["customer", "assistant", "agent"], str]] = Field(default_factory=list)
    kinds: dict[str, int] = Field(default_factory=dict)
    dialogue: dict[str, Any] = Field(default_factory=dict)
    reachable: bool | None = None
    name: str | None = None
    customers: int | None = Field(default=None, ge=0)
    likely: dict[str, Any] = Field(default_factory=dict)
    consents: dict[str, bool] = Field(default_factory=dict)
    journeys: dict[str, str] = Field(default_factory=dict)
    experiences: dict[str, int] | None = None
    promises: dict[str, int] | None = None
    careful: bool | None = None
    intents: list[str | None] = Field(default_factory=list)


class Company(Part):
    """The company writes to a customer who has not asked. ``refused`` is a part of why it may not; without it, the message is put out."""

    to: str
    text: str = Field(min_length=1)
    purpose: str = "offers"
    key: str | None = None
    refused: str | None = None


class LedgerHas(Part):
    """How many rows there are. The states count messages to customers; ``again`` and ``arrived`` are settled uncertain ones."""

    inbox: int | None = None
    turns: int | None = None
    quarantine: int | None = None
    waiting: int | None = None
    sending: int | None = None
    sent: int | None = None
    refused: int | None = None
    uncertain: int | None = None
    dropped: int | None = None
    again: int | None = None
    arrived: int | None = None


class FlowIs(Part):
    """Where a customer's flows stand. ``is`` is the flow on top, "none" for none; ``at`` its step; ``under`` the flows that wait below.

    ``slots`` are values; null says that a slot is empty. ``waits`` is what is waited for: slot, proof or offer, perhaps with its name.
    """

    of: str | None = None
    name: str | None = Field(default=None, alias="is")
    at: str | None = None
    under: Texts | None = None
    slots: dict[str, Any] = Field(default_factory=dict)
    waits: str | None = None


class WhyIs(Part):
    """What ``legato why`` says of the customer's last turn: ``contains`` are parts of it, ``not`` is a pattern that it has not."""

    of: str | None = None
    contains: Texts = Field(default_factory=list)
    without: Pattern | None = Field(default=None, alias="not")


class ActionDoes(Part):
    """What an action answers in this script: slots, replies by their names, a handoff's reason, or how it fails."""

    slots: dict[str, Any] = Field(default_factory=dict)
    says: Texts = Field(default_factory=list)
    text: str | None = None
    handoff: str | None = None
    failed: Literal["timeout", "unavailable", "refused", "error"] | None = None


class Ran(Part):
    """How often actions were run; the same call made again, as by a turn that is tried again, counts once."""

    actions: dict[str, int]


class OperatorDoes(Part):
    """What an operator does with the command line: one of these. ``unmerge`` undoes the latest merge that this customer was part of."""

    link: str | None = None
    merge: Pair | None = None
    unmerge: str | None = None

    @model_validator(mode="after")
    def _one_deed(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"is exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def customers(self) -> list[str]:
        """Whom it is about."""
        return [one for one in (self.link, *(self.merge or ()), self.unmerge) if one is not None]


FAULTS = {
    "too many requests": "too_many_requests",
    "server error": "server_error",
    "error": "error",
    "delay": "delay",
    "lost answer": "lost_answer",
    "no answer": "lost_answer",
    "dropped connection": "dropped_connection",
    "duplicate update": "duplicate_update",
    "late update": "late_update",
    "reordered update": "reordered_update",
}
"""What can go wrong, in words, and what the simulator calls it."""


class FaultIs(Part):
    """A fault from now on. ``no answer`` is a lost answer for which the bot waits until it is restarted."""

    kind: Literal[
        "too many requests",
        "server error",
        "error",
        "delay",
        "lost answer",
        "no answer",
        "dropped connection",
        "duplicate update",
        "late update",
        "reordered update",
    ]
    times: int = Field(default=1, ge=1)
    method: str | None = None
    bot: Literal["customers", "desk"] | None = None
    to: str | None = None
    after: Time | None = None
    code: int | None = None
    description: str | None = None


MODES = ("own", "failing", "failing once", "slow", "hanging", "hanging late")
Mode = Literal["own", "failing", "failing once", "slow", "hanging", "hanging late"]
"""How the assistant thinks: by itself; it raises; it takes longer than a turn may; it never ends, until a crash; so too, after it."""


class Restart(Part):
    """The process ends, is away while ``meanwhile`` happens, and starts again. A crash finishes nothing that is under way."""

    how: Literal["graceful", "crash"]
    meanwhile: list[Any] = Field(default_factory=list)


class CustomerIs(Part):
    """A simulated customer."""

    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = "en"


class Head(Part):
    """A script's file. ``script`` is read step by step."""

    name: str = Field(min_length=1)
    shows: list[str] = Field(default_factory=list)
    assistant: str = "banking"
    settings: dict[str, Any] = Field(default_factory=dict)
    parts: list[Literal["channels", "worker", "watchdog"]] = ["channels", "worker", "watchdog"]
    brain: Mode | None = None
    customers: dict[str, CustomerIs] = Field(default_factory=lambda: {"ann": CustomerIs(first_name="Ann", last_name="Lee")})
    agents: dict[str, str] = Field(default_factory=dict)
    strangers: dict[str, str] = Field(default_factory=dict)
    actions: dict[str, Annotated[ActionDoes, BeforeValidator(_or_nothing)]] | None = None
    flows: bool = True
    ends: Literal["settled", "unsettled"] = "settled"
    databases: Literal["sqlite", "both"] = "sqlite"
    script: list[Any] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for one in self.shows:
            if one not in {f"P{n}" for n in range(1, PAINS + 1)}:
                raise ValueError(f"shows {one!r}; write P1 to P{PAINS}")
        everybody = [*self.customers, *self.agents, *self.strangers]
        twice = {one for one in everybody if everybody.count(one) > 1}
        if twice:
            raise ValueError(f"names {', '.join(sorted(twice))} twice; customers, agents and strangers need names of their own")
        return self
