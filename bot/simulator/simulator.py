"""The simulated Telegram: one object that holds its state and knows its people, groups, bots, faults and events."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from .errors import ApiError, Refused
from .events import Event, EventLog
from .faults import Fault, Faults, Kind
from .files import Files
from .groups import Group
from .people import Person
from .posting import membership_update, repeat_if_ordered
from .state import GENERAL, Account, Bot, CallbackQuery, Chat, Member, Topic
from .updates import ENDED_BY_POLL, FIRST_ID, REPEAT_WINDOW_S, Update, UpdateQueue
from .views import SeenMessage, seen

BotRef = Bot | str | int
"""A bot: itself, its token, its username with or without @, or its id."""

_TOKEN = re.compile(r"(?P<id>[0-9]{1,16}):[A-Za-z0-9_-]{3,}")


def utc_now() -> datetime:
    """The real time, aware."""
    return datetime.now(UTC)


class Simulator:
    """Telegram for tests: its state and rules, without HTTP.

    Everything happens in one event loop; nothing here may be called from another thread. ``now`` gives every timestamp and
    decides what has expired; waiting (long polls, ``wait_for``) counts real seconds. ``sleep`` is what webhook retries and
    late updates wait with. ``strict`` checks every request and answer against aiogram's types, which costs time.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        strict: bool = False,
        strict_tokens: bool = False,
        event_limit: int = 100_000,
        update_limit: int = 100_000,
        repeat_window_s: float = REPEAT_WINDOW_S,
        first_update_id: int = FIRST_ID,
    ) -> None:
        self.now = now
        self.sleep = sleep
        self.strict = strict
        self.strict_tokens = strict_tokens
        self.update_limit = update_limit
        self.repeat_window_s = repeat_window_s
        self.first_update_id = first_update_id
        self.events = EventLog(now, event_limit)
        self.faults = Faults()
        self.files = Files()
        self.bots: dict[str, Bot] = {}
        self.bots_by_id: dict[int, Bot] = {}
        self.accounts: dict[int, Account] = {}
        self.chats: dict[int, Chat] = {}
        self.callbacks: dict[str, CallbackQuery] = {}
        self.held: dict[int, list[Update]] = {}
        self.is_stopped = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing: set[asyncio.Task[Any]] = set()
        self._start_numbers()

    def _start_numbers(self) -> None:
        self._person_ids = itertools.count(700_000_001)
        self._group_numbers = itertools.count(1)
        self._bot_ids = itertools.count(900_000_001)
        self._serials = itertools.count(1)

    # -- life ---------------------------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run ``work`` beside everything else until it ends or the simulator is closed or reset."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def finish(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run ``work`` to its end, even if the simulator is stopped meanwhile."""
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def finished(self) -> None:
        """Wait for what a stop left to be closed."""
        await asyncio.gather(*self._closing, return_exceptions=True)

    def stop(self) -> None:
        """End open polls, webhook deliveries and everything else that waits. The state stays readable."""
        self.is_stopped = True
        for bot in self.bots.values():
            if bot.webhook is not None:
                bot.webhook.stop()
            bot.queue.end_poll(ENDED_BY_POLL)
        for task in list(self._tasks):
            task.cancel()
        self.events.wake()

    def reset(self) -> None:
        """Forget people, bots, groups, files and faults. Event numbers go on, so that watchers notice."""
        self.stop()
        self.is_stopped = False
        for store in (self.bots, self.bots_by_id, self.accounts, self.chats, self.callbacks, self.held):
            store.clear()
        self.faults.clear()
        self.files.clear()
        self.events.clear()
        self._start_numbers()
        self.events.add("reset", None)

    def serial(self) -> int:
        """A number that was not given before, for query and album ids."""
        return next(self._serials)

    # -- bots ---------------------------------------------------------------------------------------------------------

    def add_bot(
        self,
        username: str | None = None,
        *,
        token: str | None = None,
        name: str | None = None,
        can_read_all_group_messages: bool = False,
    ) -> Bot:
        """Register a bot; the token's digits are its id, and a token is made up if none is given.

        Registering the same token again changes the names and keeps everything else.
        """
        if token is None:
            token = f"{next(self._bot_ids)}:{'A' * 35}"
        hit = _TOKEN.fullmatch(token)
        if hit is None:
            raise Refused(f"{token!r} is not a bot token: digits, a colon and at least three letters are needed")
        bot_id = int(hit["id"])
        username = (username or f"simulated_{bot_id}_bot").lstrip("@")
        bot = self.bots.get(token)
        if bot is None:
            if bot_id in self.accounts:
                raise Refused(f"{bot_id} is somebody else's id")
            bot = Bot(bot_id, name or username, username, is_bot=True, token=token)
            queue = UpdateQueue(self.now, self.update_limit, self.repeat_window_s, self.first_update_id)
            queue.on_confirmed = lambda update, bot=bot: repeat_if_ordered(self, bot, update)
            bot.queue = queue
            self.bots[token] = self.bots_by_id[bot_id] = bot
            self.accounts[bot_id] = bot
        else:
            bot.username, bot.first_name = username, name or username
            bot.reshape()
        bot.can_read_all_group_messages = can_read_all_group_messages
        return bot

    def bot_with_token(self, token: str) -> Bot:
        """The bot that calls. Raises ``ApiError`` 401; an unknown well-formed token makes a bot unless tokens are strict."""
        bot = self.bots.get(token)
        if bot is None:
            hit = _TOKEN.fullmatch(token)
            if hit is None or self.strict_tokens or int(hit["id"]) in self.accounts:
                raise ApiError(401, "Unauthorized")
            bot = self.add_bot(token=token)
        return bot

    def bot(self, ref: BotRef) -> Bot:
        """The bot that ``ref`` names. Raises ``Refused``."""
        if isinstance(ref, Bot):
            return ref
        name = str(ref).lstrip("@").lower()
        for bot in self.bots.values():
            if bot.token == ref or str(bot.id) == name or (bot.username or "").lower() == name:
                return bot
        raise Refused(f"there is no bot {ref!r}")

    def pending(self, bot: BotRef) -> int:
        """How many updates the bot has not confirmed yet."""
        return len(self.bot(bot).queue)

    def requests(self, bot: BotRef) -> dict[str, int]:
        """How many requests the bot has made, by method, failed ones included."""
        return dict(self.bot(bot).requests)

    def delivered(self, bot: BotRef) -> list[SeenMessage]:
        """Every message that the bot sent, in order, with its present content."""
        return [seen(message) for message in self.bot(bot).delivered]

    # -- people and groups --------------------------------------------------------------------------------------------

    def add_person(
        self,
        first_name: str,
        *,
        id: int | None = None,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = None,
    ) -> Person:
        """Create a person. Raises ``Refused`` if the id is taken."""
        if id is None:
            id = next(number for number in self._person_ids if number not in self.accounts)
        if id in self.accounts or id <= 0:
            raise Refused(f"{id} is not free to be a person's id")
        username = username.lstrip("@") if username else None
        account = Account(id, first_name, username, last_name, language_code)
        self.accounts[id] = account
        return Person(self, account)

    def person(self, ref: int | str) -> Person:
        """The person with this id or username. Raises ``Refused``."""
        name = str(ref).lstrip("@").lower()
        for account in self.accounts.values():
            if not account.is_bot and (str(account.id) == name or (account.username or "").lower() == name):
                return Person(self, account)
        raise Refused(f"there is no person {ref!r}")

    def people(self) -> list[Person]:
        """Everybody, in order of creation."""
        return [Person(self, account) for account in self.accounts.values() if not account.is_bot]

    def add_group(
        self,
        title: str,
        *,
        id: int | None = None,
        username: str | None = None,
        is_forum: bool = True,
        kind: str = "supergroup",
        members: list[Person | int] | None = None,
        admins: list[Person | int] | None = None,
        bots: list[BotRef] | None = None,
        bots_are_admins: bool = True,
    ) -> Group:
        """Create a group. The first admin, or else the first member, is its creator; bots are told that they were added."""
        if kind not in ("supergroup", "group"):
            raise Refused(f"{kind!r} is not a kind of group: supergroup or group")
        if id is None:
            number = next(self._group_numbers)
            id = -1_001_000_000_000 - number if kind == "supergroup" else -4_000_000 - number
        if id in self.chats or id >= 0:
            raise Refused(f"{id} is not free to be a group's id")
        is_forum = is_forum and kind == "supergroup"
        chat = Chat(id, kind, title, username.lstrip("@") if username else None, is_forum)
        chat.last_message_id = 1  # message 1 is the one that says the group was created
        if is_forum:
            chat.topics[GENERAL] = Topic(GENERAL, "General")
        self.chats[id] = chat
        for account, status in self._first_members(members, admins):
            chat.members.setdefault(account.id, Member(account, status))
        group = Group(self, chat)
        creator = next((member for member in chat.members.values()), None)
        if creator is not None:
            creator.status = "creator"
        for ref in bots or []:
            bot = self.bot(ref)
            status = "administrator" if bots_are_admins else "member"
            chat.members[bot.id] = Member(bot, status)
            membership_update(self, chat, creator.account if creator else bot, bot, "left", status)
        return group

    def _first_members(self, members: list[Person | int] | None, admins: list[Person | int] | None) -> list[tuple[Account, str]]:
        places = [(ref, "administrator") for ref in admins or []] + [(ref, "member") for ref in members or []]
        return [(ref.account if isinstance(ref, Person) else self.person(ref).account, status) for ref, status in places]

    def group(self, ref: int | str) -> Group:
        """The group with this id, title or username. Raises ``Refused``."""
        name = str(ref).lstrip("@").lower()
        for chat in self.chats.values():
            if name in (str(chat.id), (chat.title or "").lower(), (chat.username or "").lower()):
                return Group(self, chat)
        raise Refused(f"there is no group {ref!r}")

    def groups(self) -> list[Group]:
        """All groups, in order of creation."""
        return [Group(self, chat) for chat in self.chats.values()]

    def private_chat(self, bot: Bot, person: Account) -> Chat:
        """The private chat of a person with a bot, made if need be; being made does not let the bot write to it."""
        chat = bot.chats.get(person.id)
        if chat is None:
            chat = bot.chats[person.id] = Chat(person.id, "private", bot=bot, person=person)
        return chat

    # -- faults and watching ------------------------------------------------------------------------------------------

    def order_fault(self, kind: Kind, **settings: Any) -> Fault:
        """Let something go wrong from now on; see ``Fault`` for kinds and settings."""
        return self.faults.order(Fault(kind, **settings))

    async def wait_for(self, predicate: Callable[[Event], bool], timeout_s: float | None = 10.0, *, after: int | None = None) -> Event:
        """The first event after number ``after`` (now, if not said) that ``predicate`` accepts.

        Raises ``TimeoutError`` when there is none within ``timeout_s`` real seconds.
        """
        number = self.events.last if after is None else after
        async with asyncio.timeout(timeout_s):
            while True:
                for event in await self.events.wait(number, None):
                    number = event.number
                    if predicate(event):
                        return event
