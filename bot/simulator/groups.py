"""A group from outside: its members, topics and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import Refused
from .posting import membership_update, post
from .state import Account, Chat, Member
from .views import SeenAccount, SeenMessage, SeenTopic, seen, seen_members, seen_topics

if TYPE_CHECKING:
    from .people import Person
    from .simulator import Simulator


class Group:
    """A handle on one group; any number of handles may stand for the same group."""

    def __init__(self, sim: Simulator, chat: Chat) -> None:
        self.sim = sim
        self.chat = chat

    def __repr__(self) -> str:
        return f"<Group {self.id} {self.title}>"

    @property
    def id(self) -> int:
        return self.chat.id

    @property
    def title(self) -> str:
        return self.chat.title or ""

    def topics(self) -> list[SeenTopic]:
        """Every topic, General first, deleted ones too."""
        return seen_topics(self.chat)

    def members(self) -> list[SeenAccount]:
        """Everyone who is in the group, bots included."""
        return seen_members(self.chat)

    def messages(self, *, thread_id: int | None = None, include_deleted: bool = False) -> list[SeenMessage]:
        """The group's messages, oldest first; of one topic if ``thread_id`` is given."""
        return seen_messages(self.chat, thread_id=thread_id, include_deleted=include_deleted)

    def _account(self, who: Person | Account | int | str) -> Account:
        if isinstance(who, Account):
            return who
        if isinstance(who, int | str):
            name = str(who).lstrip("@").lower()
            for account in self.sim.accounts.values():
                if name in (str(account.id), (account.username or "").lower()):
                    return account
            raise Refused(f"there is nobody called {who!r}")
        return who.account

    def _owner(self) -> Account | None:
        return next((member.account for member in self.chat.members.values() if member.is_in), None)

    def set_status(self, who: Person | Account | int | str, status: str, *, by: Account | None = None) -> None:
        """Give an account its place: ``administrator``, ``member``, ``left`` or ``kicked``.

        Bots are told; coming and going also shows as a service message.
        """
        if status not in ("creator", "administrator", "member", "left", "kicked"):
            raise Refused(f"{status!r} is not a place in a group")
        account = self._account(who)
        member = self.chat.members.get(account.id)
        old = "left" if member is None else member.status
        if old == status:
            return
        actor = by or (account if not account.is_bot and status in ("member", "left") else self._owner()) or account
        if member is None:
            member = self.chat.members[account.id] = Member(account, old)
        was_in = member.is_in
        if was_in and status in ("left", "kicked"):
            self._announce(actor, {"left_chat_member": account.shape})
        member.status = status
        if not was_in and member.is_in:
            self._announce(actor, {"new_chat_members": [account.shape]})
        membership_update(self.sim, self.chat, actor, account, old, status)

    def _announce(self, actor: Account, content: dict[str, object]) -> None:
        post(self.sim, self.chat, actor, content, is_service=True)

    def add(self, who: Person | Account | int | str, *, as_admin: bool = False) -> None:
        """Add a person or a bot."""
        self.set_status(who, "administrator" if as_admin else "member")

    def promote(self, who: Person | Account | int | str) -> None:
        """Make a member an administrator."""
        self.set_status(who, "administrator")

    def kick(self, who: Person | Account | int | str) -> None:
        """Remove and ban."""
        self.set_status(who, "kicked")

    def upgrade(self) -> Group:
        """Turn a basic group into a supergroup, which has another id; bots learn it from both chats' service messages."""
        if self.chat.type != "group":
            raise Refused("only a basic group becomes a supergroup")
        new = self.sim.add_group(self.title, is_forum=False)
        new.chat.members.update(self.chat.members)
        owner = self._owner()
        if owner is not None:
            post(self.sim, self.chat, owner, {"migrate_to_chat_id": new.id}, is_service=True)
            post(self.sim, new.chat, owner, {"migrate_from_chat_id": self.id}, is_service=True)
        self.chat.migrated_to = new.id
        return new


def seen_messages(chat: Chat, *, thread_id: int | None = None, include_deleted: bool = False) -> list[SeenMessage]:
    """A chat's messages, oldest first."""
    return [
        seen(message)
        for message in chat.messages.values()
        if (include_deleted or not message.is_deleted) and (thread_id is None or message.thread_id == thread_id)
    ]
