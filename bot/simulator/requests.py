"""Bodies of the people API: what callers order, and what is known about bots, groups and faults."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from .faults import Kind
from .views import SeenAccount, SeenTopic

MessageKind = Literal[
    "text",
    "photo",
    "document",
    "voice",
    "audio",
    "video",
    "animation",
    "video_note",
    "sticker",
    "location",
    "contact",
]


class BotOrder(BaseModel):
    """A bot to register. The token's digits are the bot's id; one is made up if none is given."""

    username: str | None = None
    token: str | None = None
    name: str | None = None
    can_read_all_group_messages: bool = False


class KnownBot(BaseModel):
    """A bot with its counters."""

    id: int
    token: str
    username: str
    name: str
    can_read_all_group_messages: bool
    pending: int = Field(description="Updates that the bot has not confirmed")
    requests: dict[str, int] = Field(description="Requests by method")


class PersonOrder(BaseModel):
    """A person to create."""

    first_name: str
    id: int | None = None
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None


class GroupOrder(BaseModel):
    """A group to create. People are named by id, bots by username."""

    title: str
    id: int | None = None
    username: str | None = None
    is_forum: bool = True
    kind: Literal["supergroup", "group"] = "supergroup"
    members: list[int] = []
    admins: list[int] = []
    bots: list[str] = []
    bots_are_admins: bool = True


class KnownGroup(BaseModel):
    """A group with members and topics."""

    id: int
    title: str
    kind: str
    username: str | None
    is_forum: bool
    members: list[SeenAccount]
    topics: list[SeenTopic]


class MemberOrder(BaseModel):
    """The place that an account shall have in a group."""

    status: Literal["administrator", "member", "left", "kicked"] = "member"


class MessageOrder(BaseModel):
    """A message to send. ``to`` is a bot's username, or a group's id or username."""

    to: str
    kind: MessageKind = "text"
    text: str = Field("", description="The text, or the caption")
    thread_id: int | None = None
    reply_to: int | None = None
    content_base64: str | None = Field(None, description="The file; a small one is made up without it")
    file_name: str | None = None
    mime: str | None = None
    declared_size: int | None = Field(None, description="A size without content, such as one above 20 MB")
    latitude: float | None = None
    longitude: float | None = None
    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class AlbumOrder(BaseModel):
    """An album to send: given photos, or ``count`` made-up ones."""

    to: str
    count: int = 3
    photos_base64: list[str] = []
    caption: str = ""
    thread_id: int | None = None
    reply_to: int | None = None


class EditOrder(BaseModel):
    """The new text or caption."""

    text: str


class ReactionOrder(BaseModel):
    """The new reaction; null takes it back."""

    emoji: str | None


class PressOrder(BaseModel):
    """An inline button, by text or data; the newest message with it counts unless ``message_id`` is given."""

    chat: str
    button: str
    message_id: int | None = None
    timeout_s: float = Field(10.0, ge=0, le=60)


class ChosenKey(BaseModel):
    """A key of the reply keyboard."""

    chat: str
    label: str


class BlockOrder(BaseModel):
    """The bot to block."""

    bot: str


class JoinOrder(BaseModel):
    """The group to enter."""

    group: str


class TopicOrder(BaseModel):
    """The topic to open."""

    name: str


class TopicChange(BaseModel):
    """What shall change; null stays as it is."""

    name: str | None = None
    is_closed: bool | None = None


class FaultOrder(BaseModel):
    """A fault: what goes wrong, how often, and for which requests or updates."""

    kind: Kind
    times: int = Field(1, ge=1)
    bot: str | None = Field(None, description="Username of the bot")
    method: str | None = Field(None, description="Method of the request, or type of the update")
    chat_id: int | None = None
    retry_after_s: int = Field(1, description="too_many_requests: the wait that is asked for")
    code: int | None = Field(None, description="server_error, error: the status")
    description: str | None = None
    seconds: float = Field(0.0, ge=0, description="delay, lost_answer, late_update: how long")


class KnownFault(FaultOrder):
    """An ordered fault; ``times`` is what is left."""

    id: int
