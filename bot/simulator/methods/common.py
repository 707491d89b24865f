"""What the Bot API methods share: the call, the way to a chat, and the refusals on that way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..entities import add_found, trim, utf16_length
from ..errors import bad_request, forbidden, not_covered
from ..files import Upload
from ..html import parse_html
from ..state import GENERAL, Account, Bot, Chat, Json, Member, Message

if TYPE_CHECKING:
    from ..simulator import Simulator

Handler = Callable[["Call"], Any]
AsyncHandler = Callable[["Call"], Awaitable[Any]]

HANDLERS: dict[str, Handler] = {}
"""Methods that are answered at once, by lower-case name."""
WAITING: dict[str, AsyncHandler] = {}
"""Methods that may wait before they answer."""

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
CALLBACK_DATA_LIMIT = 64


@dataclass(slots=True)
class Call:
    """One request of a bot: the method's checked parameters and the uploaded files."""

    sim: Simulator
    bot: Bot
    params: dict[str, Any]
    files: dict[str, Upload]


def api(*names: str) -> Callable[[Handler], Handler]:
    """Register the handler of one or more methods."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name.lower()] = handler
        return handler

    return register


# -- chats ------------------------------------------------------------------------------------------------------------


def known_chat(call: Call, name: str = "chat_id") -> Chat:
    """The chat that a parameter names, whether or not the bot may write there. Raises ``ApiError`` 400."""
    ref = call.params.get(name)
    if ref is None or ref == "":
        raise bad_request(f"{name} is empty" if name == "chat_id" else "chat not found")
    sim = call.sim
    if isinstance(ref, str):
        wanted = ref.removeprefix("@").lower()
        for chat in sim.chats.values():
            if ref.startswith("@") and (chat.username or "").lower() == wanted:
                return chat
        raise bad_request("chat not found")
    if ref > 0:
        chat_with = call.bot.chats.get(ref)
        if chat_with is not None:
            return chat_with
        account = sim.accounts.get(ref)
        if account is None:
            raise bad_request("chat not found")
        if account.is_bot:
            raise forbidden("bots can't send messages to bots")
        return sim.private_chat(call.bot, account)
    group = sim.chats.get(ref)
    if group is None:
        raise bad_request("chat not found")
    return group


def reachable_chat(call: Call, name: str = "chat_id") -> Chat:
    """The chat that a parameter names, if the bot may write and act there. Raises ``ApiError`` 400 or 403."""
    chat = known_chat(call, name)
    if chat.person is not None:
        if chat.person.is_deactivated:
            raise forbidden("user is deactivated")
        if chat.is_blocked:
            raise forbidden("bot was blocked by the user")
        if not chat.is_started:
            raise forbidden("bot can't initiate conversation with a user")
        return chat
    if chat.migrated_to is not None:
        raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
    check_membership(call, chat)
    return chat


def check_membership(call: Call, chat: Chat) -> Member:
    """The bot's place in a group. Raises ``ApiError`` 403 if it has none."""
    member = chat.members.get(call.bot.id)
    if member is None or not member.is_in:
        was_kicked = member is not None and member.status == "kicked"
        raise forbidden(f"bot {'was kicked from' if was_kicked else 'is not a member of'} the {chat.type} chat")
    return member


def check_admin(call: Call, chat: Chat, deed: str) -> None:
    """Raises ``ApiError`` 400 unless the bot administers the group; ``deed`` completes "not enough rights to ..."."""
    if not chat.is_admin(call.bot.id):
        raise bad_request(f"not enough rights to {deed}")


def account_in_question(call: Call) -> Account:
    """Whom ``user_id`` means. Raises ``ApiError`` 400."""
    account = call.sim.accounts.get(call.params.get("user_id", 0))
    if account is None:
        raise bad_request("user not found")
    return account


def thread_of(call: Call, chat: Chat) -> int | None:
    """The topic that a message goes to; General in a forum when none is given. Raises ``ApiError`` 400."""
    thread_id = call.params.get("message_thread_id") or None
    if thread_id is None:
        return check_open(call, chat, GENERAL) if chat.is_forum else None
    topic = chat.topics.get(thread_id)
    if thread_id == GENERAL or topic is None or topic.is_deleted:
        raise bad_request("message thread not found")
    return check_open(call, chat, thread_id)


def check_open(call: Call, chat: Chat, thread_id: int) -> int:
    """Only administrators write to a closed topic. Raises ``ApiError`` 400 TOPIC_CLOSED."""
    if chat.topics[thread_id].is_closed and not chat.is_admin(call.bot.id):
        raise bad_request("TOPIC_CLOSED")
    return thread_id


# -- messages ---------------------------------------------------------------------------------------------------------


def message_in(chat: Chat, message_id: int | None, deed: str) -> Message:
    """A message that is still there; ``deed`` completes "message to ... not found". Raises ``ApiError`` 400."""
    if not message_id:
        raise bad_request("message identifier is not specified")
    message = chat.messages.get(message_id)
    if message is None or message.is_deleted:
        raise bad_request(f"message to {deed} not found")
    return message


def reply_of(call: Call, chat: Chat) -> Message | None:
    """The message that is answered, from ``reply_parameters`` or the older parameters. Raises ``ApiError`` 400."""
    given: Json | None = call.params.get("reply_parameters")
    if given is None:
        message_id = call.params.get("reply_to_message_id")
        may_lack = call.params.get("allow_sending_without_reply", False)
    else:
        message_id = given.get("message_id")
        may_lack = given.get("allow_sending_without_reply", False)
        if given.get("chat_id") not in (None, chat.id, str(chat.id)):
            raise not_covered("replies to messages of another chat")
    if not message_id:
        return None
    message = chat.messages.get(int(message_id))
    if message is None or message.is_deleted:
        if may_lack:
            return None
        raise bad_request("message to be replied not found")
    return message


def formatted(call: Call, field: str, entities_field: str) -> tuple[str, list[Json]]:
    """A text with its entities, from a parse mode or given ones; trimmed as Telegram trims. Raises ``ApiError`` 400."""
    return format_text(call.params.get(field) or "", call.params.get("parse_mode") or "", call.params.get(entities_field))


def format_text(text: str, parse_mode: str, entities: list[Json] | None) -> tuple[str, list[Json]]:
    """The text and entities of ``text`` in ``parse_mode``; given ``entities`` count only without one."""
    mode = parse_mode.lower()
    given: list[Json] = []
    if mode == "html":
        text, given = parse_html(text)
    elif mode in ("markdown", "markdownv2"):
        raise not_covered(f"parse mode {parse_mode}")
    elif mode and mode != "none":
        raise bad_request("unsupported parse_mode")
    elif entities:
        end = utf16_length(text)
        given = [entity for entity in entities if entity["offset"] >= 0 and entity["offset"] + entity["length"] <= end]
    text, given = trim(text, given)
    return text, add_found(text, given)


def text_content(call: Call) -> Json:
    """The ``text`` part of a message. Raises ``ApiError`` 400."""
    text, entities = formatted(call, "text", "entities")
    if not text:
        raise bad_request("message text is empty")
    if len(text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    content: Json = {"text": text}
    if entities:
        content["entities"] = entities
    if call.params.get("link_preview_options"):
        content["link_preview_options"] = call.params["link_preview_options"]
    return content


def caption_content(text: str, entities: list[Json]) -> Json:
    """The ``caption`` part of a message; empty without a caption. Raises ``ApiError`` 400."""
    if len(text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    if not text:
        return {}
    return {"caption": text, "caption_entities": entities} if entities else {"caption": text}


def markup_of(call: Call) -> Json | None:
    """The reply markup, its buttons checked. Raises ``ApiError`` 400."""
    markup: Json | None = call.params.get("reply_markup")
    if markup:
        for row in markup.get("inline_keyboard", ()):
            for button in row:
                _check_button(button)
    return markup


def _check_button(button: Json) -> None:
    if not button.get("text"):
        raise bad_request("inline keyboard button text must be non-empty")
    if len(button) < 2:
        raise bad_request("text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= CALLBACK_DATA_LIMIT:
        raise bad_request("BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None and ("." not in url and "localhost" not in url and not url.startswith("tg://")):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def option_fields(call: Call) -> Json:
    """Fields of a sent message that repeat its options."""
    fields: Json = {}
    if call.params.get("protect_content"):
        fields["has_protected_content"] = True
    if call.params.get("message_effect_id"):
        fields["effect_id"] = call.params["message_effect_id"]
    return fields
