"""People: what somebody with a Telegram app can do to bots and groups, and what they see."""

from __future__ import annotations

import asyncio
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from .entities import trim, with_entities
from .errors import ApiError, Refused
from .files import KINDS, Upload, media_content
from .groups import Group, seen_messages
from .posting import announce_topic, create_topic, delete, delete_topic, edit, membership_update, post, push, query_shape
from .samples import sample
from .state import GENERAL, Account, Bot, CallbackQuery, Chat, Json, Message, Topic
from .updates import CALLBACK_RETENTION
from .views import Answer, SeenMessage, SeenTopic, seen

if TYPE_CHECKING:
    from .simulator import Simulator

ChatTarget = Bot | Group | int | str
"""A chat as a person finds it: a bot or a group, by itself, by username with or without @, or by id."""
MessageRef = int | SeenMessage


def _id(message: MessageRef) -> int:
    return message if isinstance(message, int) else message.message_id


class Person:
    """A handle on one simulated person; any number of handles may stand for the same person.

    What Telegram's apps would not let them do raises ``Refused``. Nothing here waits, except ``press``.
    """

    def __init__(self, sim: Simulator, account: Account) -> None:
        self.sim = sim
        self.account = account

    def __repr__(self) -> str:
        return f"<Person {self.id} {self.name}>"

    @property
    def id(self) -> int:
        return self.account.id

    @property
    def name(self) -> str:
        return self.account.full_name

    # -- finding things -----------------------------------------------------------------------------------------------

    def chat(self, target: ChatTarget) -> Chat:
        """The chat that ``target`` names; a private chat with a bot is made if need be."""
        if isinstance(target, Group):
            return target.chat
        if isinstance(target, Bot):
            return self.sim.private_chat(target, self.account)
        try:
            return self.sim.private_chat(self.sim.bot(target), self.account)
        except Refused:
            return self.sim.group(target).chat

    def _visible(self, target: ChatTarget) -> Chat:
        chat = self.chat(target)
        if not chat.is_private and chat.member(self.id) is None:
            raise Refused(f"{self.name} is not in that group")
        return chat

    def _own_group(self, target: ChatTarget) -> Chat:
        chat = self._visible(target)
        if chat.is_private:
            raise Refused("that is no group")
        return chat

    def _administered(self, target: ChatTarget) -> Chat:
        chat = self._own_group(target)
        if not chat.is_admin(self.id):
            raise Refused(f"{self.name} is not an administrator there")
        return chat

    def _message(self, chat: Chat, message: MessageRef) -> Message:
        found = chat.messages.get(_id(message))
        if found is None or found.is_deleted:
            raise Refused(f"there is no message {_id(message)} in that chat")
        return found

    def _topic(self, chat: Chat, thread_id: int) -> Topic:
        topic = chat.topics.get(thread_id)
        if topic is None or topic.is_deleted:
            raise Refused(f"there is no topic {thread_id} in that group")
        return topic

    def _writable(self, target: ChatTarget, thread_id: int | None) -> tuple[Chat, int | None]:
        chat = self.chat(target)
        if self.account.is_deactivated:
            raise Refused(f"{self.name}'s account is deleted")
        if chat.is_private:
            if chat.is_blocked:
                raise Refused(f"{self.name} has blocked the bot")
            if thread_id is not None:
                raise Refused("private chats have no topics")
            chat.is_started = True
            return chat, None
        if chat.member(self.id) is None:
            raise Refused(f"{self.name} is not in that group")
        if chat.migrated_to is not None:
            raise Refused("that group became a supergroup")
        if not chat.is_forum:
            return chat, None
        topic = self._topic(chat, thread_id or GENERAL)
        if topic.is_closed and not chat.is_admin(self.id):
            raise Refused("the topic is closed")
        return chat, topic.id

    # -- sending ------------------------------------------------------------------------------------------------------

    def _post(
        self,
        to: ChatTarget,
        content: Json,
        thread_id: int | None,
        reply_to: MessageRef | None,
        has_media: bool = False,
    ) -> SeenMessage:
        chat, thread_id = self._writable(to, thread_id)
        answered = None if reply_to is None else self._message(chat, reply_to)
        if answered is not None and chat.is_forum:
            thread_id = answered.thread_id
        message = post(self.sim, chat, self.account, content, thread_id=thread_id, reply_to=answered, has_media=has_media)
        return seen(message)

    def send(self, to: ChatTarget, text: str, *, thread_id: int | None = None, reply_to: MessageRef | None = None) -> SeenMessage:
        """Write a text. Without a topic it goes to a forum's General one; a reply goes where its message is."""
        text, _ = trim(text, [])
        if not text:
            raise Refused("a message needs a text")
        if len(text) > 4096:
            raise Refused("a text has at most 4096 characters")
        return self._post(to, with_entities("text", text), thread_id, reply_to)

    def start(self, bot: ChatTarget, payload: str = "") -> SeenMessage:
        """Open a bot as its link does: /start with the link's payload."""
        return self.send(bot, f"/start {payload}".strip())

    def send_file(
        self,
        to: ChatTarget,
        kind: str = "document",
        content: bytes | None = None,
        *,
        name: str | None = None,
        mime: str | None = None,
        size: int | None = None,
        caption: str = "",
        thread_id: int | None = None,
        reply_to: MessageRef | None = None,
        **details: Any,
    ) -> SeenMessage:
        """Send a photo, document, voice, audio, video, animation, video_note or sticker.

        A small file is made up if there is no ``content``. ``size`` declares a size without content: such a file cannot
        be downloaded, and above 20 MB bots are told so. ``details`` go into the file's object (``duration``, ``emoji`` ...).
        """
        media = self._media(kind, content, name, mime, size, details)
        return self._post(to, {kind: media} | with_entities("caption", caption), thread_id, reply_to, True)

    def _media(
        self,
        kind: str,
        content: bytes | None,
        name: str | None = None,
        mime: str | None = None,
        size: int | None = None,
        details: Json | None = None,
    ) -> Any:
        if kind not in KINDS:
            raise Refused(f"{kind!r} is not a kind of file")
        if content is None and size is None:
            content, made_name = sample(kind)
            name = name or made_name
        try:
            file = self.sim.files.add(kind, Upload(content, name, mime, size))
        except ApiError as error:
            raise Refused(error.description.removeprefix("Bad Request: ")) from None
        return media_content(kind, file, **(details or {}))

    def send_album(
        self,
        to: ChatTarget,
        photos: int | list[bytes] = 3,
        *,
        caption: str = "",
        thread_id: int | None = None,
        reply_to: MessageRef | None = None,
    ) -> list[SeenMessage]:
        """Send 2-10 photos as one album, made up if only their number is given; the first carries the caption."""
        contents = [None] * photos if isinstance(photos, int) else photos
        if not 2 <= len(contents) <= 10:
            raise Refused("an album has 2 to 10 photos")
        album = str(13_000_000_000_000_000 + self.sim.serial())
        sent = []
        for number, content in enumerate(contents):
            shape = {"media_group_id": album, "photo": self._media("photo", content)}
            shape |= with_entities("caption", caption if number == 0 else "")
            sent.append(self._post(to, shape, thread_id, reply_to, True))
        return sent

    def send_location(
        self,
        to: ChatTarget,
        latitude: float,
        longitude: float,
        *,
        thread_id: int | None = None,
        reply_to: MessageRef | None = None,
    ) -> SeenMessage:
        """Send a point on the map."""
        location = {"latitude": latitude, "longitude": longitude}
        return self._post(to, {"location": location}, thread_id, reply_to)

    def send_contact(
        self,
        to: ChatTarget,
        phone_number: str,
        *,
        first_name: str | None = None,
        last_name: str | None = None,
        thread_id: int | None = None,
        reply_to: MessageRef | None = None,
    ) -> SeenMessage:
        """Send a contact; without a name it is the person's own, with their id, as the contact button sends it."""
        contact: Json = {"phone_number": phone_number, "first_name": first_name or self.account.first_name}
        if last_name or (first_name is None and self.account.last_name):
            contact["last_name"] = last_name or self.account.last_name
        if first_name is None:
            contact["user_id"] = self.id
        return self._post(to, {"contact": contact}, thread_id, reply_to)

    # -- changing -----------------------------------------------------------------------------------------------------

    def edit(self, chat: ChatTarget, message: MessageRef, text: str) -> SeenMessage:
        """Change the text, or the caption, of an own message."""
        found = self._message(self.chat(chat), message)
        if found.sender.id != self.id:
            raise Refused("only own messages can be edited")
        field = "text" if "text" in found.data else "caption"
        changes = {"entities": None, "caption_entities": None} | with_entities(field, text)
        edit(self.sim, found, changes)
        return seen(found)

    def delete(self, chat: ChatTarget, message: MessageRef) -> None:
        """Delete a message: in a private chat any, in a group an own one or, as an administrator, any."""
        place = self.chat(chat)
        found = self._message(place, message)
        if not place.is_private and found.sender.id != self.id and not place.is_admin(self.id):
            raise Refused("only administrators delete others' messages")
        delete(self.sim, found)

    def react(self, chat: ChatTarget, message: MessageRef, emoji: str | None) -> None:
        """React with one emoji, or take the reaction back with None."""
        place = self._visible(chat)
        found = self._message(place, message)
        old = found.reactions.get(self.id, [])
        new: list[Json] = [{"type": "emoji", "emoji": emoji}] if emoji else []
        found.reactions[self.id] = new
        body = {
            "chat": place.shape,
            "message_id": found.id,
            "user": self.account.shape,
            "date": int(self.sim.now().timestamp()),
            "old_reaction": old,
            "new_reaction": new,
        }
        self.sim.events.add("reaction", place, found, account_id=self.id, emoji=emoji)
        bots = [place.bot] if place.bot else [b for b in self.sim.bots.values() if place.is_admin(b.id)]
        for bot in bots:
            push(self.sim, bot, "message_reaction", body, lane=f"chat:{place.id}", chat_id=place.id)

    # -- buttons ------------------------------------------------------------------------------------------------------

    def tap(self, chat: ChatTarget, button: str, message: MessageRef | None = None) -> str:
        """Press an inline button by its text or data and do not wait; the id of the callback query.

        The newest message with such a button counts, unless ``message`` says which. Raises ``Refused`` if there is none.
        """
        place = self._visible(chat)
        found = self._message(place, message) if message is not None else self._newest_with(place, button)
        key = seen(found).button(button)
        if key is None:
            raise Refused(f"message {found.id} has no button {button!r}")
        if key.data is None:
            raise Refused(f"button {button!r} opens a link and tells the bot nothing")
        bot = self.sim.bots_by_id[found.sender.id]
        now = self.sim.now()
        for known in list(self.sim.callbacks.values()):
            if now - known.created <= CALLBACK_RETENTION:
                break
            del self.sim.callbacks[known.id]
        query_id = str(4_000_000_000_000_000_000 + self.sim.serial())
        query = CallbackQuery(query_id, bot, self.account, found, key.data, now)
        self.sim.callbacks[query_id] = query
        self.sim.events.add("callback_query", place, found, account_id=self.id, query_id=query_id, data=key.data)
        push(self.sim, bot, "callback_query", query_shape(query), lane=f"user:{self.id}", chat_id=place.id)
        return query_id

    def _newest_with(self, chat: Chat, button: str) -> Message:
        for message in reversed(chat.messages.values()):
            if not message.is_deleted and "reply_markup" in message.data and seen(message).button(button):
                return message
        raise Refused(f"there is no button {button!r} in that chat")

    async def press(self, chat: ChatTarget, button: str, message: MessageRef | None = None, *, timeout_s: float = 10.0) -> Answer:
        """Press an inline button and wait for the bot's answer; ``is_answered`` is False if none comes in time."""
        return await self.answer(self.tap(chat, button, message), timeout_s=timeout_s)

    async def answer(self, query_id: str, *, timeout_s: float = 10.0) -> Answer:
        """The bot's answer to a pressed button, waited for up to ``timeout_s`` real seconds."""
        query = self.sim.callbacks.get(query_id)
        if query is None or query.person is not self.account:
            raise Refused(f"{self.name} pressed no button with query id {query_id}")
        try:
            async with asyncio.timeout(timeout_s):
                await query.answered.wait()
        except TimeoutError:
            return Answer(query_id=query_id, is_answered=False)
        return Answer(query_id=query_id, is_answered=True, **(query.answer or {}))

    def choose(self, chat: ChatTarget, label: str) -> SeenMessage:
        """Press a key of the reply keyboard: sends its text, or the contact or location that it asks for."""
        place = self.chat(chat)
        key = next((key for row in place.keyboard or [] for key in row if key["text"] == label), None)
        if key is None:
            raise Refused(f"the keyboard has no key {label!r}")
        if key.get("request_contact"):
            return self.send_contact(chat, f"+1555{self.id % 10_000_000:07d}")
        if key.get("request_location"):
            return self.send_location(chat, 51.5, -0.12)
        return self.send(chat, label)

    # -- standing -----------------------------------------------------------------------------------------------------

    def block(self, bot: ChatTarget) -> None:
        """Block a bot; it is told with ``my_chat_member``."""
        self._set_blocked(bot, True)

    def unblock(self, bot: ChatTarget) -> None:
        """Unblock a bot; it is told with ``my_chat_member``."""
        self._set_blocked(bot, False)

    def _set_blocked(self, target: ChatTarget, blocked: bool) -> None:
        chat = self.chat(target)
        if chat.bot is None:
            raise Refused("only bots can be blocked")
        if chat.is_blocked != blocked:
            chat.is_blocked = blocked
            old, new = ("member", "kicked") if blocked else ("kicked", "member")
            membership_update(self.sim, chat, self.account, chat.bot, old, new)

    def deactivate(self) -> None:
        """Delete the person's account: bots that write get "user is deactivated"."""
        self.account.is_deactivated = True

    def join(self, group: ChatTarget) -> None:
        """Enter a group."""
        Group(self.sim, self.chat(group)).set_status(self.account, "member", by=self.account)

    def leave(self, group: ChatTarget) -> None:
        """Leave a group."""
        Group(self.sim, self._own_group(group)).set_status(self.account, "left", by=self.account)

    # -- topics -------------------------------------------------------------------------------------------------------

    def create_topic(self, group: ChatTarget, name: str) -> SeenTopic:
        """Open a forum topic."""
        chat = self._own_group(group)
        if not chat.is_forum:
            raise Refused("that group has no topics")
        topic = create_topic(self.sim, chat, self.account, name)
        return SeenTopic(thread_id=topic.id, name=topic.name)

    def close_topic(self, group: ChatTarget, thread_id: int) -> None:
        """Close a topic, as an administrator: from then on only administrators write there."""
        self._set_closed(group, thread_id, True)

    def reopen_topic(self, group: ChatTarget, thread_id: int) -> None:
        """Reopen a closed topic, as an administrator."""
        self._set_closed(group, thread_id, False)

    def _set_closed(self, group: ChatTarget, thread_id: int, closed: bool) -> None:
        chat = self._administered(group)
        topic = self._topic(chat, thread_id)
        if topic.is_closed != closed:
            topic.is_closed = closed
            field = "forum_topic_closed" if closed else "forum_topic_reopened"
            announce_topic(self.sim, chat, self.account, topic, field, {})

    def rename_topic(self, group: ChatTarget, thread_id: int, name: str) -> None:
        """Rename a topic, as an administrator."""
        chat = self._administered(group)
        topic = self._topic(chat, thread_id)
        topic.name = name
        announce_topic(self.sim, chat, self.account, topic, "forum_topic_edited", {"name": name})

    def delete_topic(self, group: ChatTarget, thread_id: int) -> None:
        """Delete a topic with its messages, as an administrator. Bots are not told, as with Telegram."""
        chat = self._administered(group)
        if thread_id == GENERAL:
            raise Refused("the General topic cannot be deleted")
        delete_topic(self.sim, chat, self._topic(chat, thread_id))

    def hide_general_topic(self, group: ChatTarget) -> None:
        """Hide the General topic, as an administrator; that closes it too."""
        chat = self._administered(group)
        topic = self._topic(chat, GENERAL)
        topic.is_hidden = topic.is_closed = True
        announce_topic(self.sim, chat, self.account, topic, "general_forum_topic_hidden", {})

    # -- reading ------------------------------------------------------------------------------------------------------

    def messages(self, chat: ChatTarget, *, thread_id: int | None = None, include_deleted: bool = False) -> list[SeenMessage]:
        """What the person sees in a chat, oldest first; of one topic if ``thread_id`` is given."""
        return seen_messages(self._visible(chat), thread_id=thread_id, include_deleted=include_deleted)

    def keyboard(self, chat: ChatTarget) -> list[list[str]]:
        """The reply keyboard that the chat shows now; empty if none."""
        return [[key["text"] for key in row] for row in self.chat(chat).keyboard or []]

    async def hear(self, chat: ChatTarget, *, after: MessageRef | None = None, timeout_s: float = 10.0) -> SeenMessage:
        """The first message of a bot after ``after`` (the person's own last message there, if not said), waited for.

        Raises ``TimeoutError`` when there is none within ``timeout_s`` real seconds.
        """
        place = self.chat(chat)
        own = (message.id for message in reversed(place.messages.values()) if message.sender.id == self.id)
        mark = next(own, 0) if after is None else _id(after)
        async with asyncio.timeout(timeout_s):
            while True:
                newer = takewhile(lambda message: message.id > mark, reversed(place.messages.values()))
                heard = [message for message in newer if message.sender.is_bot and not message.is_service]
                if heard:
                    return seen(heard[-1])
                await self.sim.events.changed(None)
