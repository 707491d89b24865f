"""The people API's client for other processes: the verbs of ``Simulator`` and ``Person``, every one awaited."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import TypeAdapter

from .errors import Refused
from .people_api import PREFIX
from .requests import KnownBot, KnownFault, KnownGroup
from .views import Answer, SeenAccount, SeenEvent, SeenMessage, SeenTopic

T = TypeVar("T")

_POLL_S = 20.0


class PeopleClient:
    """Talks to the people API at ``url``, the server's address. Use it as an async context manager, or ``close`` it.

    Raises ``Refused`` for what cannot be done. People are named by id or username, bots by username, groups by id.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + PREFIX
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> PeopleClient:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, shape: type[T], method: str, path: str, body: Any = None, **query: Any) -> T:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        given = {name: str(value) for name, value in query.items() if value is not None}
        async with self._session.request(method, self._url + path, json=body, params=given) as response:
            if response.status == 204:
                return TypeAdapter(shape).validate_python(None)
            answer = await response.read()
            if response.status >= 400:
                raise Refused(f"{response.status}: {answer.decode()}")
            return TypeAdapter(shape).validate_json(answer)

    # -- who and where ------------------------------------------------------------------------------------------------

    async def add_bot(self, username: str | None = None, **settings: Any) -> KnownBot:
        """Register a bot; settings: ``token``, ``name``, ``can_read_all_group_messages``."""
        return await self._ask(KnownBot, "POST", "/bots", {"username": username, **settings})

    async def bot(self, bot: str | int) -> KnownBot:
        """A bot with its pending updates and requests."""
        return await self._ask(KnownBot, "GET", f"/bots/{bot}")

    async def delivered(self, bot: str | int, skip: int = 0) -> list[SeenMessage]:
        """Every message that the bot sent, in order."""
        return await self._ask(list[SeenMessage], "GET", f"/bots/{bot}/delivered", skip=skip)

    async def add_person(self, first_name: str, **settings: Any) -> SeenAccount:
        """Create a person; settings: ``id``, ``last_name``, ``username``, ``language_code``."""
        return await self._ask(SeenAccount, "POST", "/people", {"first_name": first_name, **settings})

    async def people(self) -> list[SeenAccount]:
        """Everybody."""
        return await self._ask(list[SeenAccount], "GET", "/people")

    async def add_group(self, title: str, **settings: Any) -> KnownGroup:
        """Create a group; settings as in ``GroupOrder``: ``members``, ``admins``, ``bots``, ``is_forum`` ..."""
        return await self._ask(KnownGroup, "POST", "/groups", {"title": title, **settings})

    async def group(self, group: int | str) -> KnownGroup:
        """A group with members and topics."""
        return await self._ask(KnownGroup, "GET", f"/groups/{quote(str(group))}")

    async def set_member(self, group: int | str, account: int | str, status: str = "member") -> list[SeenAccount]:
        """Add, promote, remove or ban somebody; the members afterwards."""
        path = f"/groups/{quote(str(group))}/members/{account}"
        return await self._ask(list[SeenAccount], "PUT", path, {"status": status})

    async def reset(self) -> None:
        """Forget everything."""
        await self._ask(type(None), "POST", "/reset")

    # -- what people do -----------------------------------------------------------------------------------------------

    async def send(self, person: int | str, to: int | str, text: str = "", **settings: Any) -> SeenMessage:
        """Send a text, or with ``kind`` anything else; ``content`` gives a file's bytes, the rest is as in ``MessageOrder``."""
        content = settings.pop("content", None)
        if content is not None:
            settings["content_base64"] = base64.b64encode(content).decode()
        return await self._ask(SeenMessage, "POST", f"/people/{person}/messages", {"to": str(to), "text": text, **settings})

    async def send_album(self, person: int | str, to: int | str, photos: int | list[bytes] = 3, **settings: Any) -> list[SeenMessage]:
        """Send an album: a number of made-up photos, or the given ones; ``caption``, ``thread_id``, ``reply_to``."""
        given: dict[str, Any] = (
            {"count": photos} if isinstance(photos, int) else {"photos_base64": [base64.b64encode(photo).decode() for photo in photos]}
        )
        body = {"to": str(to), **given, **settings}
        return await self._ask(list[SeenMessage], "POST", f"/people/{person}/albums", body)

    async def edit(self, person: int | str, chat: int | str, message_id: int, text: str) -> SeenMessage:
        """Edit an own message."""
        path = f"/people/{person}/chats/{chat}/messages/{message_id}"
        return await self._ask(SeenMessage, "PATCH", path, {"text": text})

    async def delete(self, person: int | str, chat: int | str, message_id: int) -> None:
        """Delete a message."""
        await self._ask(type(None), "DELETE", f"/people/{person}/chats/{chat}/messages/{message_id}")

    async def react(self, person: int | str, chat: int | str, message_id: int, emoji: str | None) -> None:
        """React with an emoji, or take the reaction back with None."""
        path = f"/people/{person}/chats/{chat}/messages/{message_id}/reaction"
        await self._ask(type(None), "PUT", path, {"emoji": emoji})

    async def press(
        self,
        person: int | str,
        chat: int | str,
        button: str,
        *,
        message_id: int | None = None,
        timeout_s: float = 10.0,
    ) -> Answer:
        """Press an inline button by text or data and wait for the answer; 0 does not wait."""
        body = {"chat": str(chat), "button": button, "message_id": message_id, "timeout_s": timeout_s}
        return await self._ask(Answer, "POST", f"/people/{person}/presses", body)

    async def choose(self, person: int | str, chat: int | str, label: str) -> SeenMessage:
        """Press a key of the reply keyboard."""
        return await self._ask(SeenMessage, "POST", f"/people/{person}/choices", {"chat": str(chat), "label": label})

    async def block(self, person: int | str, bot: str) -> None:
        """Block a bot."""
        await self._ask(type(None), "POST", f"/people/{person}/blocks", {"bot": bot})

    async def unblock(self, person: int | str, bot: str) -> None:
        """Unblock a bot."""
        await self._ask(type(None), "DELETE", f"/people/{person}/blocks/{bot}")

    async def join(self, person: int | str, group: int | str) -> None:
        """Enter a group."""
        await self._ask(type(None), "POST", f"/people/{person}/memberships", {"group": str(group)})

    async def leave(self, person: int | str, group: int | str) -> None:
        """Leave a group."""
        await self._ask(type(None), "DELETE", f"/people/{person}/memberships/{group}")

    async def create_topic(self, person: int | str, group: int | str, name: str) -> SeenTopic:
        """Open a forum topic."""
        return await self._ask(SeenTopic, "POST", f"/people/{person}/chats/{group}/topics", {"name": name})

    async def change_topic(
        self,
        person: int | str,
        group: int | str,
        thread_id: int,
        *,
        name: str | None = None,
        is_closed: bool | None = None,
    ) -> None:
        """Rename, close or reopen a topic."""
        path = f"/people/{person}/chats/{group}/topics/{thread_id}"
        await self._ask(type(None), "PATCH", path, {"name": name, "is_closed": is_closed})

    async def delete_topic(self, person: int | str, group: int | str, thread_id: int) -> None:
        """Delete a topic with its messages."""
        await self._ask(type(None), "DELETE", f"/people/{person}/chats/{group}/topics/{thread_id}")

    # -- what people see ----------------------------------------------------------------------------------------------

    async def messages(self, person: int | str, chat: int | str, thread_id: int | None = None) -> list[SeenMessage]:
        """What the person sees in a chat, oldest first."""
        path = f"/people/{person}/chats/{chat}/messages"
        return await self._ask(list[SeenMessage], "GET", path, thread_id=thread_id)

    async def file(self, unique_id: str) -> bytes:
        """A file's bytes."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.get(f"{self._url}/files/{unique_id}") as response:
            content = await response.read()
            if response.status >= 400:
                raise Refused(f"{response.status}: {content.decode()}")
            return content

    async def last_event(self) -> int:
        """The newest event's number."""
        return await self._ask(int, "GET", "/events/last")

    async def events(self, after: int, wait_s: float = 0.0) -> list[SeenEvent]:
        """Events after a number, waited for up to ``wait_s``."""
        return await self._ask(list[SeenEvent], "GET", "/events", after=after, wait=wait_s)

    async def follow(self, after: int) -> AsyncIterator[SeenEvent]:
        """All events after a number, for ever."""
        while True:
            for event in await self.events(after, _POLL_S):
                after = event.number
                yield event

    async def wait_for(self, predicate: Callable[[SeenEvent], bool], timeout_s: float | None = 10.0, *, after: int) -> SeenEvent:
        """The first event after a number that ``predicate`` accepts. Raises ``TimeoutError``."""
        async with asyncio.timeout(timeout_s):
            while True:
                for event in await self.events(after, _POLL_S):
                    after = event.number
                    if predicate(event):
                        return event

    # -- faults -------------------------------------------------------------------------------------------------------

    async def order_fault(self, kind: str, **settings: Any) -> KnownFault:
        """Let something go wrong; settings as in ``FaultOrder``."""
        return await self._ask(KnownFault, "POST", "/faults", {"kind": kind, **settings})

    async def faults(self) -> list[KnownFault]:
        """Faults that are still to happen."""
        return await self._ask(list[KnownFault], "GET", "/faults")

    async def clear_faults(self) -> None:
        """Withdraw all faults."""
        await self._ask(type(None), "DELETE", "/faults")
