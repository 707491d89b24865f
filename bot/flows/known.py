"""What a flow need not ask: what the memory has of a slot, and how far it may be gone by. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from memory.context import Context, KnownFact
from memory.declared import Declarations, at_least
from memory.facts import CUSTOMER, SURE
from memory.usable import allowed, has_consent, is_fresh


@dataclass(frozen=True, slots=True)
class Known:
    """A value that the memory has. ``sure``: it may be taken silently; else it is old, only likely, or disputed, and is read back first."""

    value: Any = field(repr=False)
    fact_id: int
    sure: bool


def known_value(
    name: str, context: Context, declared: Declarations, level: str, now: datetime, *, facts: Mapping[str, KnownFact] | None = None
) -> Known | None:
    """What is known of this fact and may be used towards whoever writes; None where it has to be asked for.

    Whoever told it on this very conversation may be told it; anybody else needs the proof that the fact demands. ``facts`` are those that
    are allowed, where somebody who asks more than once has gathered them.
    """
    fact = (allowed(context, declared) if facts is None else facts).get(name)
    if fact is not None and _may_use(fact, context, declared, level):
        sure = fact.confidence >= SURE and not fact.contested and is_fresh(fact, declared, now)
        return Known(fact.value, fact.id, sure)
    likely = next((one for one in context.proposed if one.name == name), None)
    if (
        fact is None
        and likely is not None
        and has_consent(context, declared, likely.purpose)
        and _may_use(likely, context, declared, level)
    ):
        return Known(likely.value, likely.id, False)
    return None


def _may_use(fact: KnownFact, context: Context, declared: Declarations, level: str) -> bool:
    told_here = fact.source == CUSTOMER and len(context.person) == 1
    return told_here or at_least(level, declared.fact(fact.name).proof)
