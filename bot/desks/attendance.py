"""Which agents are at the desk: whoever wrote or pressed something there a short while ago."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.desks.act import DESK
from bot.desks.updates import IsMember
from memory.presence import AGENT, Presence

HERE_FOR_S = 600.0
"""How long an agent counts as present after their last deed."""

Raw = dict[str, Any]
Intake = Callable[[Sequence[Raw]], Awaitable[None]]


class Attendance:
    """Notes the deeds that pass by. Nothing is held up or changed."""

    def __init__(self, presence: Presence, *, chat_id: int) -> None:
        self._presence = presence
        self._chat_id = chat_id

    def of_words(self, intake: Intake) -> Intake:
        """``intake``, with the members noted whose words it has dealt with. Only members can write in the group."""

        async def noting(raws: Sequence[Raw]) -> None:
            await intake(raws)
            for raw in raws:
                self._note_author(raw.get("message") or raw.get("edited_message"))

        return noting

    def of_presses(self, is_member: IsMember) -> IsMember:
        """``is_member``, which is asked about whoever presses a button, with those noted who are."""

        async def noting(user_id: str) -> bool:
            answer = await is_member(user_id)
            if answer:
                self._note(user_id)
            return answer

        return noting

    def _note_author(self, message: Any) -> None:
        try:
            author, chat = message["from"], message["chat"]["id"]
            is_theirs = chat == self._chat_id and not author["is_bot"]
            user_id = int(author["id"])
        except (KeyError, TypeError, ValueError):  # no message, or one that has no author
            return
        if is_theirs:
            self._note(str(user_id))

    def _note(self, user_id: str) -> None:
        self._presence.seen(AGENT, f"{DESK}:{user_id}", for_s=HERE_FOR_S)
