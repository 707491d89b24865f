"""Forum topics."""

from __future__ import annotations

from ..errors import bad_request
from ..posting import announce_topic, create_topic, delete_topic
from ..state import GENERAL, Chat, Json, Topic
from .common import Call, api, check_admin, reachable_chat

ICON_COLOURS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)
_NAME_LIMIT = 128
_ICONS = ("💬", "❗", "✅", "📈", "💰")


def _forum(call: Call, deed: str) -> Chat:
    chat = reachable_chat(call)
    if not chat.is_forum:
        raise bad_request("the chat is not a forum")
    check_admin(call, chat, deed)
    return chat


def _topic(call: Call, chat: Chat) -> Topic:
    topic = chat.topics.get(call.params.get("message_thread_id", 0))
    if topic is None or topic.id == GENERAL:
        raise bad_request("TOPIC_ID_INVALID")
    if topic.is_deleted:
        raise bad_request("TOPIC_DELETED")
    return topic


def _name(call: Call) -> str:
    name: str = call.params.get("name", "").strip()
    if not name:
        raise bad_request("topic name must be specified")
    return name[:_NAME_LIMIT]


@api("createForumTopic")
def create_forum_topic(call: Call) -> Json:
    chat = _forum(call, "create a topic")
    name = _name(call)
    colour = call.params.get("icon_color") or ICON_COLOURS[0]
    if colour not in ICON_COLOURS:
        raise bad_request("wrong forum topic icon color specified")
    emoji_id = call.params.get("icon_custom_emoji_id") or None
    topic = create_topic(call.sim, chat, call.bot, name, colour, emoji_id)
    shape: Json = {"message_thread_id": topic.id, "name": topic.name, "icon_color": topic.icon_color}
    if topic.icon_custom_emoji_id:
        shape["icon_custom_emoji_id"] = topic.icon_custom_emoji_id
    return shape


def _edit(call: Call, chat: Chat, topic: Topic, name: str | None, emoji_id: str | None) -> bool:
    changes: Json = {}
    if name is not None and name != topic.name:
        topic.name = changes["name"] = name
    if emoji_id is not None and (emoji_id or None) != topic.icon_custom_emoji_id:
        topic.icon_custom_emoji_id = emoji_id or None
        changes["icon_custom_emoji_id"] = emoji_id
    if not changes:
        raise bad_request("TOPIC_NOT_MODIFIED")
    announce_topic(call.sim, chat, call.bot, topic, "forum_topic_edited", changes)
    return True


@api("editForumTopic")
def edit_forum_topic(call: Call) -> bool:
    chat = _forum(call, "manage topics")
    name = _name(call) if call.params.get("name") else None
    return _edit(call, chat, _topic(call, chat), name, call.params.get("icon_custom_emoji_id"))


@api("editGeneralForumTopic")
def edit_general_forum_topic(call: Call) -> bool:
    chat = _forum(call, "manage topics")
    return _edit(call, chat, chat.topics[GENERAL], _name(call), None)


def _set_closed(call: Call, chat: Chat, topic: Topic, closed: bool) -> bool:
    if topic.is_closed == closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.is_closed = closed
    field = "forum_topic_closed" if closed else "forum_topic_reopened"
    announce_topic(call.sim, chat, call.bot, topic, field, {})
    return True


@api("closeForumTopic")
def close_forum_topic(call: Call) -> bool:
    chat = _forum(call, "close a topic")
    return _set_closed(call, chat, _topic(call, chat), True)


@api("reopenForumTopic")
def reopen_forum_topic(call: Call) -> bool:
    chat = _forum(call, "reopen a topic")
    return _set_closed(call, chat, _topic(call, chat), False)


@api("closeGeneralForumTopic")
def close_general_forum_topic(call: Call) -> bool:
    chat = _forum(call, "close a topic")
    return _set_closed(call, chat, chat.topics[GENERAL], True)


@api("reopenGeneralForumTopic")
def reopen_general_forum_topic(call: Call) -> bool:
    chat = _forum(call, "reopen a topic")
    return _set_closed(call, chat, chat.topics[GENERAL], False)


def _set_hidden(call: Call, hidden: bool) -> bool:
    chat = _forum(call, "manage topics")
    topic = chat.topics[GENERAL]
    if topic.is_hidden == hidden:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.is_hidden = hidden
    topic.is_closed = topic.is_closed or hidden
    field = "general_forum_topic_hidden" if hidden else "general_forum_topic_unhidden"
    announce_topic(call.sim, chat, call.bot, topic, field, {})
    return True


@api("hideGeneralForumTopic")
def hide_general_forum_topic(call: Call) -> bool:
    """Hiding the General topic closes it too."""
    return _set_hidden(call, True)


@api("unhideGeneralForumTopic")
def unhide_general_forum_topic(call: Call) -> bool:
    return _set_hidden(call, False)


@api("deleteForumTopic")
def delete_forum_topic(call: Call) -> bool:
    chat = _forum(call, "delete a topic")
    topic = chat.topics.get(call.params.get("message_thread_id", 0))
    if topic is None or topic.id == GENERAL or topic.is_deleted:
        raise bad_request("TOPIC_ID_INVALID")
    delete_topic(call.sim, chat, topic)
    return True


def _unpin_all(chat: Chat, thread_id: int) -> bool:
    chat.pinned = [message_id for message_id in chat.pinned if chat.messages[message_id].thread_id != thread_id]
    return True


@api("unpinAllForumTopicMessages")
def unpin_all_forum_topic_messages(call: Call) -> bool:
    chat = _forum(call, "manage pinned messages in the chat")
    return _unpin_all(chat, _topic(call, chat).id)


@api("unpinAllGeneralForumTopicMessages")
def unpin_all_general_forum_topic_messages(call: Call) -> bool:
    return _unpin_all(_forum(call, "manage pinned messages in the chat"), GENERAL)


@api("getForumTopicIconStickers")
def get_forum_topic_icon_stickers(call: Call) -> list[Json]:
    return [
        {
            "file_id": f"CAACAgIAAxUAAWicon{number:03}",
            "file_unique_id": f"AgADicon{number:03}",
            "type": "custom_emoji",
            "width": 100,
            "height": 100,
            "is_animated": True,
            "is_video": False,
            "emoji": emoji,
            "set_name": "Topics",
            "custom_emoji_id": str(5_312_536_423_851_630_000 + number),
        }
        for number, emoji in enumerate(_ICONS, 1)
    ]
