"""From a raw Telegram update to an Incoming."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiogram.enums import ContentType
from aiogram.types import (
    CallbackQuery,
    ChatMemberUpdated,
    Message,
    MessageReactionUpdated,
    ReactionTypeCustomEmoji,
    ReactionTypeEmoji,
    Update,
    User,
)
from pydantic import ValidationError

from bot.messages import MAX_FILE_BYTES, Attachment, Event, Incoming

CHANNEL = "telegram"

ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"]
"""Everything that a private chat produces; reactions are sent only to bots that ask for them."""

_FILES = ("document", "voice", "video", "video_note", "audio", "animation", "sticker")


def read_update(raw: dict[str, Any], *, now: datetime) -> Incoming | None:
    """What the update says, or None if it is none of a private chat's. ``now`` is for updates that carry no time.

    Raises ``ValueError`` for an update that is broken or of a type that no private chat has; the caller quarantines it.
    """
    try:
        update = Update.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"not an update that this program can read: {where}: {first['msg']}") from None
    if update.message is not None:
        return _message(update.update_id, update.message, Event.MESSAGE)
    if update.edited_message is not None:
        return _message(update.update_id, update.edited_message, Event.EDIT)
    if update.callback_query is not None:
        return _press(update.update_id, update.callback_query, now)
    if update.message_reaction is not None:
        return _reaction(update.update_id, update.message_reaction)
    if update.my_chat_member is not None:
        return _membership(update.update_id, update.my_chat_member)
    raise ValueError("an update of a type that was not asked for")


def _key(update_id: int, what: int | str) -> str:
    """What makes an update itself. Its id alone does not: Telegram begins anew at a random one after a quiet week (Bot API, Update)."""
    return f"{update_id}:{what}"


def _who(user: User) -> dict[str, Any]:
    return {"sender": str(user.id), "name": user.full_name, "username": user.username, "language": user.language_code}


def _message(update_id: int, message: Message, event: Event) -> Incoming | None:
    if message.chat.type != "private" or message.from_user is None or message.from_user.is_bot:
        return None
    kind, attachments, data = _content(message)
    return Incoming(
        channel=CHANNEL,
        update_id=_key(update_id, message.message_id),
        at=message.date if message.edit_date is None else _time(message.edit_date),
        event=event,
        kind=kind,
        text=message.text or message.caption or "",
        message_id=str(message.message_id),
        about=str(message.message_id) if event is Event.EDIT else None,
        album=message.media_group_id if event is Event.MESSAGE else None,
        attachments=attachments,
        data=data | _beside(message),
        **_who(message.from_user),
    )


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"a time that no clock shows: {seconds}") from error


def _content(message: Message) -> tuple[str, tuple[Attachment, ...], dict[str, Any]]:
    if message.text is not None:
        return "text", (), {}
    if message.photo:
        return "photo", (_attachment("photo", message.photo[-1]),), {}
    for kind in ("animation", *_FILES):  # an animation comes with a document that is the same file
        file = getattr(message, kind)
        if file is not None:
            return kind, (_attachment(kind, file),), {}
    if message.location is not None:
        return "location", (), {"latitude": message.location.latitude, "longitude": message.location.longitude}
    if message.contact is not None:
        contact = message.contact
        own = message.from_user is not None and contact.user_id == message.from_user.id
        name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
        return "contact", (), {"phone": contact.phone_number, "name": name, "own": own}
    return "other", (), {"type": ContentType(message.content_type).value, "message": message.model_dump(mode="json", exclude_none=True)}


def _beside(message: Message) -> dict[str, Any]:
    """What a message says beside its content: what it answers, where it was forwarded from, links and formatting in its text."""
    beside: dict[str, Any] = {}
    if message.reply_to_message is not None:
        beside["reply_to"] = str(message.reply_to_message.message_id)
    if message.forward_origin is not None:
        beside["forwarded"] = message.forward_origin.model_dump(mode="json", exclude_none=True)
    if entities := message.entities or message.caption_entities:
        beside["entities"] = [entity.model_dump(mode="json", exclude_none=True) for entity in entities]
    return beside


def _attachment(kind: str, file: Any) -> Attachment:
    size = file.file_size
    return Attachment(
        source=CHANNEL,
        kind=kind,
        file_id=file.file_id,
        unique_id=file.file_unique_id,
        name=getattr(file, "file_name", None),
        mime=getattr(file, "mime_type", None),
        size=size,
        too_large=size is not None and size > MAX_FILE_BYTES,
    )


def _press(update_id: int, query: CallbackQuery, now: datetime) -> Incoming | None:
    message = query.message
    if message is None or message.chat.type != "private" or query.data is None:
        return None
    title = None
    if isinstance(message, Message) and message.reply_markup is not None:
        titles = [button.text for row in message.reply_markup.inline_keyboard for button in row if button.callback_data == query.data]
        title = titles[0] if titles else None
    return Incoming(
        channel=CHANNEL,
        update_id=_key(update_id, query.id),
        at=now,  # a press carries no time of its own
        event=Event.PRESS,
        kind="press",
        about=str(message.message_id),
        data={"payload": query.data, "callback": query.id, "title": title},
        **_who(query.from_user),
    )


def _reaction(update_id: int, reaction: MessageReactionUpdated) -> Incoming | None:
    if reaction.chat.type != "private" or reaction.user is None:
        return None
    emojis = [
        one.emoji if isinstance(one, ReactionTypeEmoji) else "custom emoji"
        for one in reaction.new_reaction
        if isinstance(one, ReactionTypeEmoji | ReactionTypeCustomEmoji)
    ]
    return Incoming(
        channel=CHANNEL,
        update_id=_key(update_id, reaction.message_id),
        at=reaction.date,
        event=Event.REACTION,
        kind="reaction",
        about=str(reaction.message_id),
        data={"emoji": " ".join(emojis)},
        **_who(reaction.user),
    )


def _membership(update_id: int, change: ChatMemberUpdated) -> Incoming | None:
    if change.chat.type != "private":
        return None
    return Incoming(
        channel=CHANNEL,
        update_id=_key(update_id, change.from_user.id),
        at=change.date,
        event=Event.MEMBERSHIP,
        kind="membership",
        data={"status": str(change.new_chat_member.status)},
        **_who(change.from_user),
    )
