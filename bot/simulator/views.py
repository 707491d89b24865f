"""What people and watchers are shown: messages, events, topics as plain models, the same in Python and over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from .events import Event
from .files import KINDS
from .state import GENERAL, Chat, Json, Message

_SERVICE_FIELDS = (
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "pinned_message",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
)
_CONTENT_FIELDS = (
    "animation",
    "photo",
    "document",
    "video",
    "audio",
    "voice",
    "video_note",
    "sticker",
    "venue",
    "location",
    "contact",
    "dice",
)


class ChatRef(BaseModel):
    """Which chat: a private one has ``bot`` and ``person_id``, a group has a title."""

    id: int = Field(description="The chat's id as bots see it: the person's id, or the group's")
    type: str
    title: str | None = None
    bot: str | None = Field(None, description="Username of the bot, for private chats")
    person_id: int | None = None


class Button(BaseModel):
    """An inline button."""

    text: str
    data: str | None = None
    url: str | None = None


class Media(BaseModel):
    """A file in a message; its bytes are at ``/people-api/files/{unique_id}``."""

    kind: str
    unique_id: str
    size: int | None = None
    name: str | None = None
    mime: str | None = None


class SeenMessage(BaseModel):
    """A message as the people in its chat see it."""

    message_id: int
    chat: ChatRef
    kind: str = Field(description='"text", a kind of media such as "photo", or the name of the service message')
    from_id: int
    from_name: str
    from_bot: bool
    at: datetime
    text: str = Field("", description="The text or the caption")
    entities: list[dict[str, Any]] = []
    thread_id: int | None = Field(None, description="The forum topic; 1 is General")
    reply_to: int | None = None
    media: Media | None = None
    album_id: str | None = None
    buttons: list[list[Button]] = []
    keyboard: list[list[str]] | None = Field(None, description="The reply keyboard that came with the message")
    reactions: dict[int, list[str]] = Field({}, description="Emoji by the account's id")
    edited_at: datetime | None = None
    previous: list[str] = Field([], description="Texts before each edit, oldest first")
    is_deleted: bool = False
    is_pinned: bool = False
    raw: dict[str, Any] = Field({}, description="The message in the Bot API's shape, without file ids")

    def button(self, wanted: str) -> Button | None:
        """The button with this text or this data."""
        for row in self.buttons:
            for button in row:
                if wanted in (button.text, button.data):
                    return button
        return None


class SeenEvent(BaseModel):
    """One entry of the event log."""

    number: int
    kind: str
    at: datetime
    chat: ChatRef | None = None
    message: SeenMessage | None = None
    details: dict[str, Any] = {}


class SeenTopic(BaseModel):
    """A forum topic."""

    thread_id: int
    name: str
    is_closed: bool = False
    is_deleted: bool = False
    is_hidden: bool = False


class SeenAccount(BaseModel):
    """A person or a bot; ``status`` is their place in the group that was asked about."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False
    status: str | None = None


class Answer(BaseModel):
    """What a bot answered to a pressed button; ``is_answered`` is False while it has not."""

    query_id: str
    is_answered: bool
    text: str | None = None
    show_alert: bool = False
    url: str | None = None


def chat_ref(chat: Chat) -> ChatRef:
    """Which chat this is."""
    if chat.bot is not None and chat.person is not None:
        return ChatRef(id=chat.id, type=chat.type, bot=chat.bot.username, person_id=chat.person.id)
    return ChatRef(id=chat.id, type=chat.type, title=chat.title)


def kind_of(data: Json) -> str:
    """What sort of message ``data`` is."""
    if "text" in data:
        return "text"
    for field in (*_CONTENT_FIELDS, *_SERVICE_FIELDS):
        if field in data:
            return field
    return "unknown"


def _media(kind: str, data: Json) -> Media | None:
    if kind not in KINDS:
        return None
    content = data[kind][-1] if kind == "photo" else data[kind]
    return Media(
        kind=kind,
        unique_id=content["file_unique_id"],
        size=content.get("file_size"),
        name=content.get("file_name"),
        mime=content.get("mime_type"),
    )


def _buttons(data: Json) -> list[list[Button]]:
    rows = data.get("reply_markup", {}).get("inline_keyboard", [])
    return [[Button(text=key["text"], data=key.get("callback_data"), url=key.get("url")) for key in row] for row in rows]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def seen(message: Message, data: Json | None = None) -> SeenMessage:
    """The message as people see it now, or as it was when ``data`` was its content."""
    data = message.data if data is None else data
    kind = kind_of(data)
    reply = data.get("reply_to_message")
    edited = data.get("edit_date")
    return SeenMessage(
        message_id=message.id,
        chat=chat_ref(message.chat),
        kind=kind,
        from_id=message.sender.id,
        from_name=message.sender.full_name,
        from_bot=message.sender.is_bot,
        at=_time(data["date"]),
        text=data.get("text") or data.get("caption") or "",
        entities=data.get("entities") or data.get("caption_entities") or [],
        thread_id=message.thread_id,
        reply_to=reply["message_id"] if reply and "forum_topic_created" not in reply else None,
        media=_media(kind, data),
        album_id=data.get("media_group_id"),
        buttons=_buttons(data),
        keyboard=None if message.keyboard is None else [[key["text"] for key in row] for row in message.keyboard],
        reactions={
            who: [item.get("emoji") or item.get("custom_emoji_id", "") for item in given] for who, given in message.reactions.items()
        },
        edited_at=None if edited is None else _time(edited),
        previous=[old.get("text") or old.get("caption") or "" for old in message.previous],
        is_deleted=message.is_deleted,
        is_pinned=message.id in message.chat.pinned,
        raw=data,
    )


def seen_event(event: Event) -> SeenEvent:
    """The event as watchers get it."""
    return SeenEvent(
        number=event.number,
        kind=event.kind,
        at=event.at,
        chat=None if event.chat is None else chat_ref(event.chat),
        message=None if event.message is None else seen(event.message, event.data),
        details=event.details,
    )


def seen_topics(chat: Chat) -> list[SeenTopic]:
    """All topics that a group ever had, oldest first; General comes first."""
    return [
        SeenTopic(
            thread_id=topic.id,
            name=topic.name,
            is_closed=topic.is_closed,
            is_deleted=topic.is_deleted,
            is_hidden=topic.is_hidden,
        )
        for topic in sorted(chat.topics.values(), key=lambda topic: (topic.id != GENERAL, topic.id))
    ]


def seen_members(chat: Chat) -> list[SeenAccount]:
    """Everyone who is in the group now."""
    return [
        SeenAccount(
            id=member.account.id,
            first_name=member.account.first_name,
            last_name=member.account.last_name,
            username=member.account.username,
            language_code=member.account.language_code,
            is_bot=member.account.is_bot,
            status=member.status,
        )
        for member in chat.members.values()
        if member.is_in
    ]
