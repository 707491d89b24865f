"""Conditions in flows: Rasa's ``slots.amount > 100 and not slots.confirmed``, read once and then only evaluated. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition. ``text`` is what the designer wrote; ``reads`` are the names it asks about, such as ``slots.amount``."""

    text: str
    reads: frozenset[str]

    def holds(self, values: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether it holds for ``values`` by namespace: ``slots``, ``context``, ``customer``. A name that has no value is None there."""
        raise NotImplementedError
