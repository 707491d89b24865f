"""Faults ordered in advance: what goes wrong, for whom, how many times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

RequestKind = Literal["too_many_requests", "server_error", "error", "delay", "lost_answer", "dropped_connection"]
UpdateKind = Literal["duplicate_update", "late_update", "reordered_update"]
Kind = Literal[
    "too_many_requests",
    "server_error",
    "error",
    "delay",
    "lost_answer",
    "dropped_connection",
    "duplicate_update",
    "late_update",
    "reordered_update",
]
UPDATE_KINDS: frozenset[str] = frozenset(get_args(UpdateKind))


@dataclass(slots=True, eq=False)
class Fault:
    """One ordered fault.

    Requests: ``too_many_requests`` answers 429 with ``retry_after_s``; ``server_error`` answers ``code`` (500 unless
    said); ``error`` answers ``code`` and ``description``; ``delay`` waits ``seconds`` first; ``lost_answer`` executes the
    method, waits ``seconds`` and closes the connection without an answer; ``dropped_connection`` closes it before
    anything is executed.

    Updates: ``duplicate_update`` serves an update once more after it was confirmed; ``late_update`` queues it
    ``seconds`` later; ``reordered_update`` queues it behind the next one.

    ``times`` counts down; the fault goes when it reaches 0. Filters that are None match everything. ``method`` is the
    method's name, or an update's type.
    """

    kind: Kind
    times: int = 1
    bot: str | None = None
    method: str | None = None
    chat_id: int | None = None
    retry_after_s: int = 1
    code: int | None = None
    description: str | None = None
    seconds: float = 0.0
    id: int = field(default=0)

    def matches(self, bot: str | None, method: str, chat_id: int | None) -> bool:
        """Whether the filters let it through. ``method`` is compared without regard to case."""
        return (
            (self.bot is None or self.bot.lstrip("@").lower() == (bot or "").lower())
            and (self.method is None or self.method.lower() == method.lower())
            and (self.chat_id is None or self.chat_id == chat_id)
        )


class Faults:
    """The ordered faults, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._last_id = 0

    def __bool__(self) -> bool:
        return bool(self._faults)

    def order(self, fault: Fault) -> Fault:
        """Let ``fault`` happen from now on; it gets its ``id`` here."""
        self._last_id += 1
        fault.id = self._last_id
        self._faults.append(fault)
        return fault

    def waiting(self) -> list[Fault]:
        """Faults that have not happened often enough yet."""
        return list(self._faults)

    def clear(self, fault_id: int | None = None) -> None:
        """Withdraw one fault, or all of them."""
        self._faults = [] if fault_id is None else [fault for fault in self._faults if fault.id != fault_id]

    def take(self, kinds: Iterable[str], bot: str | None, method: str, chat_id: int | None) -> Fault | None:
        """The oldest matching fault of these kinds, counted as having happened."""
        for fault in self._faults:
            if fault.kind in kinds and fault.matches(bot, method, chat_id):
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None
