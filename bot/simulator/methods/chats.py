"""Chats, their members and pinned messages."""

from __future__ import annotations

from ..errors import bad_request
from ..groups import Group
from ..posting import member_shape, post, quoted, render
from ..state import Chat, Json
from .common import (
    Call,
    account_in_question,
    api,
    check_admin,
    check_membership,
    known_chat,
    message_in,
    reachable_chat,
)

_NO_GIFTS = dict.fromkeys(("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False)
_PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)


def _group(call: Call) -> Chat:
    """The group that the bot asks about; it must be in it."""
    chat = known_chat(call)
    if not chat.is_private:
        check_membership(call, chat)
    return chat


@api("getChat")
def get_chat(call: Call) -> Json:
    chat = _group(call)
    info = chat.shape | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
    if chat.is_private:
        if chat.person is not None and chat.person.username:
            info["active_usernames"] = [chat.person.username]
    else:
        info["permissions"] = dict.fromkeys(_PERMISSIONS, True)
        if chat.is_forum:
            info["has_visible_history"] = True
    if chat.pinned:
        info["pinned_message"] = render(chat.messages[chat.pinned[-1]], call.bot)
    return info


@api("getChatMember")
def get_chat_member(call: Call) -> Json:
    """Somebody who never was in the group has left it, as Telegram puts it."""
    chat = _group(call)
    account = account_in_question(call)
    member = chat.members.get(account.id)
    if chat.is_private:
        return member_shape(account, "member" if account in (chat.person, chat.bot) else "left")
    return member_shape(account, "left" if member is None else member.status)


@api("getChatMemberCount")
def get_chat_member_count(call: Call) -> int:
    chat = _group(call)
    return 2 if chat.is_private else sum(member.is_in for member in chat.members.values())


@api("getChatAdministrators")
def get_chat_administrators(call: Call) -> list[Json]:
    """Other bots are left out unless ``return_bots`` asks for them."""
    chat = _group(call)
    if chat.is_private:
        raise bad_request("there are no administrators in the private chat")
    return [
        member_shape(member.account, member.status)
        for member in chat.members.values()
        if member.is_admin and (not member.account.is_bot or member.account is call.bot or call.params.get("return_bots"))
    ]


def _supergroup(call: Call, deed: str) -> Chat:
    chat = reachable_chat(call)
    if chat.is_private:
        raise bad_request("method is available only for supergroups and channels")
    check_admin(call, chat, deed)
    return chat


@api("banChatMember")
def ban_chat_member(call: Call) -> bool:
    chat = _supergroup(call, "restrict/unrestrict chat member")
    account = account_in_question(call)
    if chat.is_admin(account.id):
        raise bad_request("user is an administrator of the chat")
    Group(call.sim, chat).set_status(account, "kicked", by=call.bot)
    return True


@api("unbanChatMember")
def unban_chat_member(call: Call) -> bool:
    chat = _supergroup(call, "restrict/unrestrict chat member")
    account = account_in_question(call)
    member = chat.members.get(account.id)
    is_banned = member is not None and member.status == "kicked"
    if is_banned or (member is not None and member.is_in and not call.params.get("only_if_banned")):
        Group(call.sim, chat).set_status(account, "left", by=call.bot)
    return True


@api("leaveChat")
def leave_chat(call: Call) -> bool:
    chat = reachable_chat(call)
    if chat.is_private:
        raise bad_request("chat member status can't be changed in private chats")
    Group(call.sim, chat).set_status(call.bot, "left", by=call.bot)
    return True


# -- pins -------------------------------------------------------------------------------------------------------------


def _pinnable(call: Call) -> Chat:
    chat = reachable_chat(call)
    if not chat.is_private:
        check_admin(call, chat, "manage pinned messages in the chat")
    return chat


@api("pinChatMessage")
def pin_chat_message(call: Call) -> bool:
    chat = _pinnable(call)
    message = message_in(chat, call.params.get("message_id"), "pin")
    if message.is_service:
        raise bad_request("message can't be pinned")
    if message.id not in chat.pinned:
        chat.pinned.append(message.id)
        call.sim.events.add("pin", chat, message, is_pinned=True)
        content = {"pinned_message": quoted(message)}
        post(
            call.sim,
            chat,
            call.bot,
            content,
            thread_id=message.thread_id,
            is_service=True,
            has_media=message.has_media,
        )
    return True


@api("unpinChatMessage")
def unpin_chat_message(call: Call) -> bool:
    """The newest pin goes unless a message is named."""
    chat = _pinnable(call)
    message_id = call.params.get("message_id") or (chat.pinned[-1] if chat.pinned else None)
    if message_id is None or message_id not in chat.pinned:
        raise bad_request("message to unpin not found")
    chat.pinned.remove(message_id)
    call.sim.events.add("pin", chat, chat.messages[message_id], is_pinned=False)
    return True


@api("unpinAllChatMessages")
def unpin_all_chat_messages(call: Call) -> bool:
    chat = _pinnable(call)
    for message_id in chat.pinned:
        call.sim.events.add("pin", chat, chat.messages[message_id], is_pinned=False)
    chat.pinned = []
    return True
