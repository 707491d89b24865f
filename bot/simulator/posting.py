"""Putting messages into chats and telling the bots that may see them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .files import with_file_ids
from .state import GENERAL, Account, Bot, CallbackQuery, Chat, Json, Message, Topic
from .updates import Update

if TYPE_CHECKING:
    from .simulator import Simulator


def render(message: Message, bot: Bot) -> Json:
    """The message as ``bot`` gets it."""
    if not message.has_media:
        return message.data
    rendered: Json = with_file_ids(message.data, bot.id)
    return rendered


def query_shape(query: CallbackQuery) -> Json:
    """The Bot API's ``CallbackQuery``, as its bot gets it."""
    return {
        "id": query.id,
        "from": query.person.shape,
        "message": render(query.message, query.bot),
        "chat_instance": str(7_000_000_000_000_000_000 + abs(query.message.chat.id)),
        "data": query.data,
    }


def quoted(message: Message) -> Json:
    """The message as the ``reply_to_message`` or ``pinned_message`` of another, which nests no further."""
    return {key: value for key, value in message.data.items() if key not in ("reply_to_message", "pinned_message")}


def post(
    sim: Simulator,
    chat: Chat,
    sender: Account,
    content: Json,
    *,
    thread_id: int | None = None,
    reply_to: Message | None = None,
    markup: Json | None = None,
    has_media: bool = False,
    is_service: bool = False,
) -> Message:
    """Add a message, log it, and queue it for the bots that see it.

    ``content`` is the part of the Bot API's ``Message`` that differs by kind. In a topic a message that answers nothing
    still carries the topic's first message as ``reply_to_message``: Telegram does so.
    """
    message_id = chat.next_message_id()
    data: Json = {"message_id": message_id}
    if thread_id is not None and thread_id != GENERAL:
        data["message_thread_id"] = thread_id
        data["is_topic_message"] = True
        if reply_to is None and not is_service:
            reply_to = chat.messages.get(thread_id)
    data["from"] = sender.shape
    data["chat"] = chat.shape
    data["date"] = int(sim.now().timestamp())
    if reply_to is not None:
        data["reply_to_message"] = quoted(reply_to)
        has_media = has_media or reply_to.has_media
    data.update(content)
    message = Message(chat, message_id, sender, data, thread_id, has_media=has_media, is_service=is_service)
    if markup is not None:
        _add_markup(message, markup)
    chat.messages[message_id] = message
    sim.events.add("message", chat, message)
    if sender.is_bot:
        bot = chat.bot or sim.bots_by_id[sender.id]
        bot.delivered.append(message)
    else:
        _tell_bots(sim, message, "message")
    return message


def _add_markup(message: Message, markup: Json) -> None:
    if "inline_keyboard" in markup:
        if markup["inline_keyboard"]:
            message.data["reply_markup"] = markup
    elif "keyboard" in markup:
        rows = [[{"text": key} if isinstance(key, str) else key for key in row] for row in markup["keyboard"]]
        message.keyboard = message.chat.keyboard = rows
    elif markup.get("remove_keyboard"):
        message.chat.keyboard = None


def edit(sim: Simulator, message: Message, changes: Json, *, dated: bool = True) -> None:
    """Change a message: fields with None go. ``dated`` edits have an edit date and are kept in its history."""
    before = message.data
    data = {key: value for key, value in (before | changes).items() if value is not None}
    if dated:
        data["edit_date"] = int(sim.now().timestamp())
        message.previous.append(before)
    message.data = data
    sim.events.add("edit", message.chat, message)
    if not message.sender.is_bot:
        _tell_bots(sim, message, "edited_message")


def delete(sim: Simulator, message: Message) -> None:
    """Take a message from its chat. Bots are not told, as with Telegram."""
    message.is_deleted = True
    if message.id in message.chat.pinned:
        message.chat.pinned.remove(message.id)
    sim.events.add("delete", message.chat, message)


def announce_topic(sim: Simulator, chat: Chat, sender: Account, topic: Topic, field: str, value: Json) -> Message:
    """Post the service message about a change of a topic and log the change."""
    message = post(sim, chat, sender, {field: value}, thread_id=topic.id, is_service=True)
    log_topic(sim, chat, topic, field)
    return message


def log_topic(sim: Simulator, chat: Chat, topic: Topic, what: str) -> None:
    """Log a change of a topic; ``what`` is the service message's field, or ``forum_topic_deleted``."""
    sim.events.add("topic", chat, what=what, thread_id=topic.id, name=topic.name)


def create_topic(sim: Simulator, chat: Chat, sender: Account, name: str, icon_color: int = 0x6FB9F0, emoji_id: str | None = None) -> Topic:
    """Open a topic; its id is that of the message that announces it."""
    topic = Topic(chat.last_message_id + 1, name, icon_color, emoji_id)
    value: Json = {"name": name, "icon_color": icon_color}
    if emoji_id:
        value["icon_custom_emoji_id"] = emoji_id
    chat.topics[topic.id] = topic
    announce_topic(sim, chat, sender, topic, "forum_topic_created", value)
    return topic


def delete_topic(sim: Simulator, chat: Chat, topic: Topic) -> None:
    """Delete a topic with all of its messages."""
    topic.is_deleted = True
    for message in chat.messages.values():
        if message.thread_id == topic.id and not message.is_deleted:
            message.is_deleted = True
    log_topic(sim, chat, topic, "forum_topic_deleted")


def sees(bot: Bot, message: Message) -> bool:
    """Group privacy: an ordinary member sees commands, replies to itself and service messages only."""
    chat = message.chat
    member = chat.member(bot.id)
    if member is None:
        return False
    if member.is_admin or bot.can_read_all_group_messages or message.is_service:
        return True
    reply = message.data.get("reply_to_message")
    if reply is not None and reply.get("from", {}).get("id") == bot.id and "forum_topic_created" not in reply:
        return True
    text = message.data.get("text") or message.data.get("caption") or ""
    if not text.startswith("/"):
        return False
    _, at, addressee = text.split(maxsplit=1)[0].partition("@")
    return not at or addressee.lower() == (bot.username or "").lower()


def _tell_bots(sim: Simulator, message: Message, kind: str) -> None:
    chat = message.chat
    if chat.bot is not None:
        push(sim, chat.bot, kind, render(message, chat.bot), lane=f"chat:{chat.id}", chat_id=chat.id)
        return
    for bot in bots_in(sim, chat):
        if sees(bot, message):
            push(sim, bot, kind, render(message, bot), lane=f"chat:{chat.id}", chat_id=chat.id)


def bots_in(sim: Simulator, chat: Chat) -> list[Bot]:
    """The bots that are in a group now."""
    return [sim.bots_by_id[member.account.id] for member in chat.members.values() if member.account.is_bot and member.is_in]


def push(sim: Simulator, bot: Bot, kind: str, body: Json, *, lane: str, chat_id: int | None) -> None:
    """Queue an update for ``bot`` if it asked for this type; ordered faults are applied here."""
    queue = bot.queue
    if not queue.wants(kind):
        return
    update = queue.make(kind, body, lane)
    if sim.faults:
        fault = sim.faults.take(("late_update", "reordered_update"), bot.username, kind, chat_id)
        if fault is not None:
            update.is_late = True
            if fault.kind == "late_update":
                sim.spawn(_put_later(sim, bot, update, fault.seconds))
            else:
                sim.held.setdefault(bot.id, []).append(update)
            return
    queue.put(update)
    if sim.held:
        for held in sim.held.pop(bot.id, []):
            queue.put(held)


async def _put_later(sim: Simulator, bot: Bot, update: Update, seconds: float) -> None:
    await sim.sleep(seconds)
    bot.queue.put(update)


def repeat_if_ordered(sim: Simulator, bot: Bot, update: Update) -> None:
    """Queue a confirmed update once more if a fault orders so."""
    if not sim.faults:
        return
    chat = update.body[update.type].get("chat") or update.body[update.type].get("message", {}).get("chat") or {}
    if sim.faults.take(("duplicate_update",), bot.username, update.type, chat.get("id")):
        again = copy.copy(update)
        again.is_late = True
        bot.queue.put(again)


def membership_update(sim: Simulator, chat: Chat, actor: Account, account: Account, old: str, new: str) -> None:
    """Tell bots that an account's status in a chat changed: ``my_chat_member`` for itself, ``chat_member`` for admins."""
    body: Json = {
        "chat": chat.shape,
        "from": actor.shape,
        "date": int(sim.now().timestamp()),
        "old_chat_member": member_shape(account, old),
        "new_chat_member": member_shape(account, new),
    }
    lane = f"chat:{chat.id}"
    if account.is_bot:
        push(sim, sim.bots_by_id[account.id], "my_chat_member", body, lane=lane, chat_id=chat.id)
    for bot in [] if chat.is_private else bots_in(sim, chat):
        if bot.id != account.id and chat.is_admin(bot.id):
            push(sim, bot, "chat_member", body, lane=lane, chat_id=chat.id)
    kind = "block" if chat.is_private else "member"
    sim.events.add(kind, chat, account_id=account.id, old=old, new=new)


_ADMIN_RIGHTS = (
    "can_be_edited",
    "can_manage_chat",
    "can_change_info",
    "can_delete_messages",
    "can_invite_users",
    "can_restrict_members",
    "can_pin_messages",
    "can_manage_topics",
    "can_promote_members",
    "can_manage_video_chats",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


def member_shape(account: Account, status: str) -> Json:
    """The Bot API's ``ChatMember``."""
    shape: dict[str, Any] = {"user": account.shape, "status": status}
    if status == "creator":
        shape["is_anonymous"] = False
    elif status == "administrator":
        shape["is_anonymous"] = False
        shape.update(dict.fromkeys(_ADMIN_RIGHTS, True))
        shape["can_be_edited"] = shape["can_promote_members"] = False
        shape["can_manage_direct_messages"] = shape["can_manage_tags"] = False
        shape["can_send_welcome_messages"] = False
    elif status == "kicked":
        shape["until_date"] = 0
    return shape
