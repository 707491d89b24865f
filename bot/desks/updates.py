"""From a raw update of the agents' bot to an Incoming, and who counts as an agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from telegram import Bot, CallbackQuery, ChatMember, Message, Update
from telegram.constants import ChatMemberStatus
from telegram.error import TelegramError
from telegram.ext.filters import StatusUpdate

from bot.desks.act import DESK
from bot.messages import MAX_FILE_BYTES, Attachment, Event, Incoming
from memory.clock import Clock

ALLOWED_UPDATES = ["message", "edited_message", "callback_query"]

MEMBER_FOR = timedelta(seconds=60)
"""How long an answer about somebody's membership holds; someone who was removed can press buttons until then."""

IsMember = Callable[[str], Awaitable[bool]]

_FILES = ("animation", "document", "voice", "video", "video_note", "audio", "sticker")
"""Kinds with one file; an animation stands first because it comes with a document that is the same file."""


def read_update(raw: dict[str, Any], *, chat_id: int, now: datetime) -> Incoming | None:
    """What an agent said or pressed in the group ``chat_id``, or None: another chat, a bot, a service message.

    ``now`` is the time of a press, which carries none. An agent who hides behind the group is marked with ``data["anonymous"]``. Raises
    ``ValueError`` for an update that cannot be read; the caller quarantines it.
    """
    try:
        update = Update.de_json(raw)
        if update.callback_query is not None:
            return _press(update.update_id, update.callback_query, chat_id, now)
        if update.message is not None:
            return _message(update, update.message, chat_id, Event.MESSAGE)
        if update.edited_message is not None:
            return _message(update, update.edited_message, chat_id, Event.EDIT)
    except Exception as error:  # the library has no error of its own for JSON of the wrong shape
        raise ValueError(f"not an update that can be read: {type(error).__name__}") from error
    return None


def _key(update_id: int, what: int | str) -> str:
    """What makes an update itself; its id alone begins anew at a random one after a quiet week (Bot API, Update)."""
    return f"{update_id}:{what}"


def _message(update: Update, message: Message, chat_id: int, event: Event) -> Incoming | None:
    sender, hidden_behind = message.from_user, message.sender_chat
    if message.chat.id != chat_id or sender is None or message.is_automatic_forward or StatusUpdate.ALL.check_update(update):
        return None
    if sender.is_bot and hidden_behind is None:
        return None
    kind, attachments = _content(message)
    edited = message.edit_date if event is Event.EDIT else None
    return Incoming(
        channel=DESK,
        update_id=_key(update.update_id, message.message_id),
        sender=str(sender.id),
        at=edited or message.date,
        event=event,
        kind=kind,
        text=message.text or message.caption or "",
        name=sender.full_name,
        username=sender.username,
        message_id=str(message.message_id),
        about=str(message.message_id) if event is Event.EDIT else None,
        album=message.media_group_id,
        place=_topic(message),
        attachments=attachments,
        data={"anonymous": True} if hidden_behind is not None else {},
    )


def _press(update_id: int, query: CallbackQuery, chat_id: int, now: datetime) -> Incoming | None:
    message = query.message
    if message is None or message.chat.id != chat_id or query.data is None or query.from_user.is_bot:
        return None
    return Incoming(
        channel=DESK,
        update_id=_key(update_id, query.id),
        sender=str(query.from_user.id),
        at=now,
        event=Event.PRESS,
        kind="press",
        name=query.from_user.full_name,
        username=query.from_user.username,
        about=str(message.message_id),
        place=_topic(message) if isinstance(message, Message) else None,
        data={"payload": query.data, "callback": query.id},
    )


def _topic(message: Message) -> str | None:
    """The topic's id. Replies in General carry a thread id too, but are in no topic."""
    return str(message.message_thread_id) if message.is_topic_message and message.message_thread_id is not None else None


def _content(message: Message) -> tuple[str, tuple[Attachment, ...]]:
    if message.text is not None:
        return "text", ()
    if message.photo:
        return "photo", (_attachment("photo", message.photo[-1]),)
    for kind in _FILES:
        file = getattr(message, kind)
        if file is not None:
            return kind, (_attachment(kind, file),)
    for kind in ("location", "contact"):
        if getattr(message, kind) is not None:
            return kind, ()
    return "other", ()


def _attachment(kind: str, file: Any) -> Attachment:
    size: int | None = file.file_size
    return Attachment(
        source=DESK,
        kind=kind,
        file_id=file.file_id,
        unique_id=file.file_unique_id,
        name=getattr(file, "file_name", None),
        mime=getattr(file, "mime_type", None),
        size=size,
        too_large=size is not None and size > MAX_FILE_BYTES,
    )


class Members:
    """Who is in the agents' group. A call is an :data:`IsMember`."""

    def __init__(self, bot: Bot, chat_id: int, clock: Clock) -> None:
        self._bot = bot
        self._chat_id = chat_id
        self._clock = clock
        self._known: dict[str, tuple[bool, datetime]] = {}

    async def __call__(self, user_id: str) -> bool:
        """Whether this person is in the group, by what Telegram said within ``MEMBER_FOR``. A failed look-up counts as no, once."""
        now = self._clock.now()
        known = self._known.get(user_id)
        if known is not None and now < known[1]:
            return known[0]
        try:
            member = await self._bot.get_chat_member(self._chat_id, int(user_id))
        except TelegramError:
            return False
        self._known = {key: (answer, until) for key, (answer, until) in self._known.items() if now < until}
        self._known[user_id] = (_is_in(member), now + MEMBER_FOR)
        return self._known[user_id][0]


def _is_in(member: ChatMember) -> bool:
    if member.status == ChatMemberStatus.RESTRICTED:
        return bool(getattr(member, "is_member", False))
    return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.MEMBER)
