"""What the simulated Telegram holds: people, bots, chats, topics, messages.

Plain data without rules. A message's ``data`` has the Bot API's shape and is never changed in place: an edit puts a new
dictionary there, so that updates and events which hold the old one stay as they were.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from .updates import UpdateQueue
    from .webhooks import Webhook

Json = dict[str, Any]

GENERAL = 1
"""The thread id of a forum's General topic; bots never see it on messages."""


@dataclass(slots=True, eq=False)
class Account:
    """Who can be a member of a chat: a person or a bot."""

    id: int
    first_name: str
    username: str | None = None
    last_name: str | None = None
    language_code: str | None = None
    is_bot: bool = False
    is_deactivated: bool = False
    shape: Json = field(default_factory=dict)
    """The account as the Bot API's ``User``."""

    def __post_init__(self) -> None:
        self.reshape()

    def reshape(self) -> None:
        """Renew ``shape`` after a change of name."""
        shape: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        for name in ("last_name", "username", "language_code"):
            value = getattr(self, name)
            if value is not None:
                shape[name] = value
        self.shape = shape

    @property
    def full_name(self) -> str:
        """First and last name, as Telegram shows them."""
        return f"{self.first_name} {self.last_name}" if self.last_name else self.first_name


@dataclass(slots=True, eq=False)
class Bot(Account):
    """A bot's account with its private chats, its queue of updates and its counters."""

    token: str = ""
    can_read_all_group_messages: bool = False
    queue: UpdateQueue = None  # type: ignore[assignment]  # set by the simulator that registers the bot
    webhook: Webhook | None = None
    chats: dict[int, Chat] = field(default_factory=dict)
    """Private chats by person id."""
    last_message_id: int = 0
    """One sequence for all private chats of the account."""
    requests: Counter[str] = field(default_factory=Counter)
    delivered: list[Message] = field(default_factory=list)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    """Name, description and short description by (what, language)."""
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """Command lists by (scope, language)."""
    offered_files: dict[str, str] = field(default_factory=dict)
    """File path -> unique id, for the files that getFile has prepared."""


@dataclass(slots=True, eq=False)
class Topic:
    """A forum topic; its id is that of the message which announced it."""

    id: int
    name: str
    icon_color: int = 0x6FB9F0
    icon_custom_emoji_id: str | None = None
    is_closed: bool = False
    is_deleted: bool = False
    is_hidden: bool = False


@dataclass(slots=True, eq=False)
class Member:
    """An account's place in a group: ``creator``, ``administrator``, ``member``, ``left`` or ``kicked``."""

    account: Account
    status: str = "member"

    @property
    def is_in(self) -> bool:
        return self.status not in ("left", "kicked")

    @property
    def is_admin(self) -> bool:
        return self.status in ("creator", "administrator")


@dataclass(slots=True, eq=False)
class Chat:
    """A private chat between ``bot`` and ``person``, or a group."""

    id: int
    """What the bot sees: the person's id, or the group's negative id."""
    type: str
    title: str | None = None
    username: str | None = None
    is_forum: bool = False
    bot: Bot | None = None
    person: Account | None = None
    members: dict[int, Member] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    last_message_id: int = 0
    pinned: list[int] = field(default_factory=list)
    is_started: bool = False
    """Private chats: the person has written to the bot."""
    is_blocked: bool = False
    keyboard: list[list[Json]] | None = None
    """The reply keyboard that people see under the chat."""
    migrated_to: int | None = None
    shape: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reshape()

    def reshape(self) -> None:
        """Renew ``shape``, the Bot API's ``Chat``, after a change."""
        shape: Json = {"id": self.id, "type": self.type}
        if self.person is not None:
            shape["first_name"] = self.person.first_name
            if self.person.last_name is not None:
                shape["last_name"] = self.person.last_name
            if self.person.username is not None:
                shape["username"] = self.person.username
        else:
            shape["title"] = self.title
            if self.username is not None:
                shape["username"] = self.username
            if self.is_forum:
                shape["is_forum"] = True
        self.shape = shape

    @property
    def is_private(self) -> bool:
        return self.bot is not None

    def next_message_id(self) -> int:
        """The id of the chat's next message: one sequence a group, one a bot account for all of its private chats."""
        if self.bot is not None:
            self.bot.last_message_id += 1
            return self.bot.last_message_id
        self.last_message_id += 1
        return self.last_message_id

    def member(self, account_id: int) -> Member | None:
        """The account's place, if it is in the group now."""
        member = self.members.get(account_id)
        return member if member is not None and member.is_in else None

    def is_admin(self, account_id: int) -> bool:
        member = self.members.get(account_id)
        return member is not None and member.is_admin


@dataclass(slots=True, eq=False)
class Message:
    """A message in a chat, with what the Bot API's shape has no room for."""

    chat: Chat
    id: int
    sender: Account
    data: Json
    thread_id: int | None = None
    """The topic, ``GENERAL`` included; None outside forums."""
    keyboard: list[list[Json]] | None = None
    previous: list[Json] = field(default_factory=list)
    """What ``data`` was before each edit."""
    is_deleted: bool = False
    has_media: bool = False
    """``data`` holds files, here or in the message it replies to; their ids must be written for each bot."""
    is_service: bool = False
    reactions: dict[int, list[Json]] = field(default_factory=dict)
    """Reactions by the account's id."""


@dataclass(slots=True, eq=False)
class CallbackQuery:
    """A pressed button, until the bot answers or Telegram forgets it."""

    id: str
    bot: Bot
    person: Account
    message: Message
    data: str
    created: datetime
    answer: Json | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)
