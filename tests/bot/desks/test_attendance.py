"""Who counts as an agent at the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bot.desks.attendance import HERE_FOR_S, Attendance
from memory.clock import ManualClock
from memory.presence import AGENT, LocalPresence

CHAT = -100


def words(author: Any, chat: int = CHAT, kind: str = "message") -> dict[str, Any]:
    return {"update_id": 1, kind: {"message_id": 1, "from": author, "chat": {"id": chat}, "text": "Hello"}}


async def present(presence: LocalPresence) -> list[str]:
    return [one.name for one in await presence.present(AGENT)]


async def test_who_writes_or_edits_is_here_for_a_while(clock: ManualClock) -> None:
    presence = LocalPresence(clock)
    taken: list[Any] = []

    async def intake(raws: Sequence[dict[str, Any]]) -> None:
        taken.extend(raws)

    raws = [words({"id": 601, "is_bot": False}), words({"id": 602, "is_bot": False}, kind="edited_message")]
    await Attendance(presence, chat_id=CHAT).of_words(intake)(raws)

    assert taken == raws
    assert await present(presence) == ["desk:601", "desk:602"]
    clock.advance(HERE_FOR_S)
    assert await present(presence) == []


@pytest.mark.parametrize(
    "raw",
    [
        words({"id": 601, "is_bot": False}, chat=-200),
        words({"id": 1087968824, "is_bot": True}),
        words(None),
        words({"id": "x", "is_bot": False}),
        {"update_id": 1, "message": "odd"},
        {"update_id": 1, "callback_query": {"from": {"id": 601, "is_bot": False}}},
        {"update_id": 1},
    ],
)
async def test_others_are_not(clock: ManualClock, raw: dict[str, Any]) -> None:
    presence = LocalPresence(clock)

    async def intake(raws: Sequence[dict[str, Any]]) -> None:
        assert raws == [raw]

    await Attendance(presence, chat_id=CHAT).of_words(intake)([raw])
    assert await present(presence) == []


async def test_nobody_is_noted_for_what_could_not_be_dealt_with(clock: ManualClock) -> None:
    presence = LocalPresence(clock)

    async def intake(raws: Sequence[dict[str, Any]]) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await Attendance(presence, chat_id=CHAT).of_words(intake)([words({"id": 601, "is_bot": False})])
    assert await present(presence) == []


async def test_who_presses_is_here_if_they_are_a_member(clock: ManualClock) -> None:
    presence = LocalPresence(clock)

    async def is_member(user_id: str) -> bool:
        return user_id == "601"

    ask = Attendance(presence, chat_id=CHAT).of_presses(is_member)
    assert [await ask("601"), await ask("602")] == [True, False]
    assert await present(presence) == ["desk:601"]
