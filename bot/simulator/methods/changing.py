"""Editing, deleting, copying and forwarding messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ..errors import bad_request, not_covered
from ..files import KINDS
from ..posting import delete, edit, post, render
from ..state import Chat, Json, Message
from .common import (
    Call,
    api,
    caption_content,
    check_membership,
    formatted,
    known_chat,
    markup_of,
    message_in,
    option_fields,
    reachable_chat,
    reply_of,
    text_content,
    thread_of,
)
from .media import media_item

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
_DELETABLE = timedelta(hours=48)
_MANY = 100
_CAPTIONED = ("photo", "video", "animation", "audio", "document", "voice")
_COPIED = (
    *KINDS,
    "text",
    "entities",
    "caption",
    "caption_entities",
    "link_preview_options",
    "show_caption_above_media",
    "has_media_spoiler",
    "venue",
    "location",
    "contact",
    "dice",
)
_CONTENT_FIELDS = tuple(name for name in _COPIED if name != "link_preview_options")


def _own_message(call: Call) -> Message:
    if call.params.get("inline_message_id"):
        raise not_covered("inline messages")
    chat = reachable_chat(call)
    message = message_in(chat, call.params.get("message_id"), "edit")
    if message.sender is not call.bot or message.is_service:
        raise bad_request("message can't be edited")
    return message


def _change(call: Call, message: Message, content: Json, fields: tuple[str, ...]) -> Json:
    """Replace ``fields`` by ``content``, and the keyboard by the given one: an edit without one removes it."""
    markup = markup_of(call) or None
    if markup is not None and not markup.get("inline_keyboard"):
        markup = None
    changes: Json = dict.fromkeys(fields) | content | {"reply_markup": markup}
    if all(message.data.get(name) == value for name, value in changes.items()):
        raise bad_request(NOT_MODIFIED)
    edit(call.sim, message, changes)
    return render(message, call.bot)


@api("editMessageText")
def edit_message_text(call: Call) -> Json:
    message = _own_message(call)
    content = text_content(call)
    if "text" not in message.data:
        raise bad_request("there is no text in the message to edit")
    return _change(call, message, content, ("entities",))


@api("editMessageCaption")
def edit_message_caption(call: Call) -> Json:
    message = _own_message(call)
    if not any(kind in message.data for kind in _CAPTIONED):
        raise bad_request("there is no caption in the message to edit")
    content = caption_content(*formatted(call, "caption", "caption_entities"))
    return _change(call, message, content, ("caption", "caption_entities"))


@api("editMessageMedia")
def edit_message_media(call: Call) -> Json:
    message = _own_message(call)
    if not any(kind in message.data for kind in _CAPTIONED):
        raise bad_request("there is no media in the message to edit")
    content = media_item(call, call.params.get("media") or {})
    return _change(call, message, content, _CONTENT_FIELDS)


@api("editMessageReplyMarkup")
def edit_message_reply_markup(call: Call) -> Json:
    return _change(call, _own_message(call), {}, ())


def _check_deletable(call: Call, message: Message) -> None:
    chat = message.chat
    if not chat.is_private and chat.is_admin(call.bot.id):
        return
    is_own = message.sender is call.bot
    age_s = call.sim.now().timestamp() - message.data["date"]
    if age_s > _DELETABLE.total_seconds() or not (is_own or chat.is_private):
        raise bad_request("message can't be deleted")


@api("deleteMessage")
def delete_message(call: Call) -> bool:
    """Bots delete what is younger than 48 hours: own messages, and all in private chats; administrators delete any."""
    message = message_in(reachable_chat(call), call.params.get("message_id"), "delete")
    _check_deletable(call, message)
    delete(call.sim, message)
    return True


def _many(call: Call) -> list[int]:
    message_ids: list[int] = [int(number) for number in call.params.get("message_ids") or []]
    if not message_ids:
        raise bad_request("message identifiers are not specified")
    if len(message_ids) > _MANY:
        raise bad_request("too many message identifiers specified")
    return message_ids


@api("deleteMessages")
def delete_messages(call: Call) -> bool:
    """Messages that are not there are skipped; one that may not be deleted stops all."""
    chat = reachable_chat(call)
    found = [chat.messages.get(number) for number in _many(call)]
    present = [message for message in found if message is not None and not message.is_deleted]
    for message in present:
        _check_deletable(call, message)
    for message in present:
        delete(call.sim, message)
    return True


# -- copies -----------------------------------------------------------------------------------------------------------


def _source(call: Call) -> Chat:
    source = known_chat(call, "from_chat_id")
    if not source.is_private:
        check_membership(call, source)
    return source


def _check_passable(message: Message, deed: str) -> None:
    if message.is_service or message.data.get("has_protected_content"):
        raise bad_request(f"message can't be {deed}")


def _post_copy(call: Call, chat: Chat, source: Message, changes: Json, *, keep_album: dict[str, str] | None) -> Message:
    fields = _COPIED
    content: Json = {name: source.data[name] for name in fields if name in source.data}
    content = {name: value for name, value in (content | changes).items() if value is not None}
    album = source.data.get("media_group_id")
    if keep_album is not None and album is not None:
        if album not in keep_album:
            keep_album[album] = str(13_000_000_000_000_000 + call.sim.serial())
        content["media_group_id"] = keep_album[album]
    return post(
        call.sim,
        chat,
        call.bot,
        content | option_fields(call),
        thread_id=thread_of(call, chat),
        reply_to=reply_of(call, chat),
        markup=markup_of(call),
        has_media=any(kind in source.data for kind in KINDS),
    )


def _new_caption(call: Call, source: Message) -> Json:
    if "caption" not in call.params or not any(kind in source.data for kind in _CAPTIONED):
        return {}
    changed = caption_content(*formatted(call, "caption", "caption_entities"))
    return {"caption": None, "caption_entities": None} | changed


def _origin(message: Message) -> Json:
    known: Json | None = message.data.get("forward_origin")
    return known or {"type": "user", "sender_user": message.sender.shape, "date": message.data["date"]}


@api("copyMessage")
def copy_message(call: Call) -> Json:
    chat = reachable_chat(call)
    source = message_in(_source(call), call.params.get("message_id"), "copy")
    _check_passable(source, "copied")
    return {"message_id": _post_copy(call, chat, source, _new_caption(call, source), keep_album=None).id}


@api("forwardMessage")
def forward_message(call: Call) -> Json:
    chat = reachable_chat(call)
    source = message_in(_source(call), call.params.get("message_id"), "forward")
    _check_passable(source, "forwarded")
    message = _post_copy(call, chat, source, {"forward_origin": _origin(source)}, keep_album=None)
    return render(message, call.bot)


def _pass_many(call: Call, deed: str, changes: Any) -> list[Json]:
    """Messages that are not there or may not be passed on are skipped; albums stay albums."""
    chat, source = reachable_chat(call), _source(call)
    found = [source.messages.get(number) for number in _many(call)]
    present = [
        message
        for message in found
        if message is not None and not message.is_deleted and not message.is_service and not message.data.get("has_protected_content")
    ]
    if not present:
        raise bad_request(f"there are no messages to {deed}")
    albums: dict[str, str] = {}
    return [{"message_id": _post_copy(call, chat, m, changes(m), keep_album=albums).id} for m in present]


@api("copyMessages")
def copy_messages(call: Call) -> list[Json]:
    without_caption = {"caption": None, "caption_entities": None} if call.params.get("remove_caption") else {}
    return _pass_many(call, "copy", lambda _message: without_caption)


@api("forwardMessages")
def forward_messages(call: Call) -> list[Json]:
    return _pass_many(call, "forward", lambda message: {"forward_origin": _origin(message)})
