"""A customer, and the parts of a turn on a database of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.messages import Incoming
from bot.turn.accept import Accept
from memory.clock import ManualClock
from memory.database import Database
from memory.signals import LocalSignals


@pytest.fixture
def signals() -> LocalSignals:
    return LocalSignals()


@pytest.fixture
def accept(database: Database, clock: ManualClock, signals: LocalSignals) -> Accept:
    return Accept(database, clock, signals, album_wait_s=1)


@pytest.fixture
def wrote(clock: ManualClock) -> Callable[..., Incoming]:
    """Something that a customer wrote."""

    def wrote(update_id: str, text: str = "Hello", *, sender: str = "42", **more: Any) -> Incoming:
        return Incoming(channel="telegram", update_id=update_id, sender=sender, text=text, at=clock.now(), **more)

    return wrote
