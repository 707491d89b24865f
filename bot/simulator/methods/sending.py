"""sendMessage, chat actions, reactions and answers to pressed buttons."""

from __future__ import annotations

from typing import Any

from ..errors import bad_request
from ..posting import post, render
from ..state import GENERAL, Json, Message
from ..updates import CALLBACK_RETENTION
from .common import (
    Call,
    api,
    check_open,
    markup_of,
    message_in,
    option_fields,
    reachable_chat,
    reply_of,
    text_content,
    thread_of,
)

CHAT_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
        "cancel",
    }
)
_ANSWER_LIMIT = 200
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


def send(call: Call, content: Json, *, has_media: bool = False) -> Message:
    """Post the bot's message to the chat, topic and reply that the parameters name."""
    chat = reachable_chat(call)
    reply_to = reply_of(call, chat)
    thread_id: int | None
    if reply_to is not None and chat.is_forum and not call.params.get("message_thread_id"):
        thread_id = check_open(call, chat, reply_to.thread_id or GENERAL)
    else:
        thread_id = thread_of(call, chat)
    markup = markup_of(call)
    options = option_fields(call)
    return post(
        call.sim,
        chat,
        call.bot,
        content | options if options else content,
        thread_id=thread_id,
        reply_to=reply_to,
        markup=markup,
        has_media=has_media,
    )


@api("sendMessage")
def send_message(call: Call) -> Json:
    """Telegram finds the chat before it looks at the text, and so does this."""
    reachable_chat(call)
    return render(send(call, text_content(call)), call.bot)


@api("sendChatAction")
def send_chat_action(call: Call) -> bool:
    chat = reachable_chat(call)
    action = call.params.get("action", "")
    if action not in CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    call.sim.events.add("chat_action", chat, action=action, thread_id=call.params.get("message_thread_id"))
    return True


@api("answerCallbackQuery")
def answer_callback_query(call: Call) -> bool:
    query = call.sim.callbacks.get(call.params.get("callback_query_id", ""))
    if query is None or query.bot is not call.bot or call.sim.now() - query.created > CALLBACK_RETENTION:
        raise bad_request(TOO_OLD)
    text = call.params.get("text") or None
    if text and len(text) > _ANSWER_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answer = {
        "text": text,
        "show_alert": call.params.get("show_alert", False),
        "url": call.params.get("url"),
    }
    query.answered.set()
    call.sim.events.add(
        "callback_answer",
        query.message.chat,
        query.message,
        account_id=query.person.id,
        query_id=query.id,
        **query.answer,
    )
    return True


@api("setMessageReaction")
def set_message_reaction(call: Call) -> bool:
    chat = reachable_chat(call)
    message = message_in(chat, call.params.get("message_id"), "react")
    reactions: list[dict[str, Any]] = call.params.get("reaction") or []
    if len(reactions) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    message.reactions[call.bot.id] = reactions
    emoji = reactions[0].get("emoji") if reactions else None
    call.sim.events.add("reaction", chat, message, account_id=call.bot.id, emoji=emoji)
    return True
