"""The relevance gate: what is not said to this customer now, because it does not concern them, offends, or was never agreed to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from bot.turn.contact import barred
from bot.turn.decision import Decision, Say
from bot.turn.deeds import GiveConsent
from memory.context import Context
from memory.declared import Declarations
from memory.usable import allowed

NOTHING_NOW = "utter_nothing_now"
"""Said where all that a turn had to say was withheld."""


class Condition(Protocol):
    """A condition that a designer wrote, as :class:`bot.flows.predicate.Predicate`."""

    @property
    def text(self) -> str: ...

    def holds(self, values: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether it holds; ``values`` are by namespace."""


@dataclass(frozen=True, slots=True)
class Relevance:
    """When a reply concerns a customer.

    ``purpose``: the reply serves this purpose of ours, such as offers, and is bound by all that binds a contact for it. ``when``: what has
    to hold, over ``customer`` (facts by name) and ``slots``. ``instead`` is said where it is withheld; without it nothing is, unless
    nothing would be left to answer with.
    """

    purpose: str = ""
    when: Condition | None = None
    instead: str = ""


def why_not(
    rule: Relevance, say: Say, context: Context, declared: Declarations, now: datetime, *, agreed: Collection[str] = ()
) -> str | None:
    """Why a reply is not said to this customer now, in words for people and without values; None where it is.

    ``agreed`` are purposes that this very turn gives the consent to.
    """
    if rule.purpose and (why := barred(context, declared, rule.purpose, now, agreed=agreed)) is not None:
        return why.why
    if rule.when is None:
        return None
    known = {name: fact.value for name, fact in allowed(context, declared).items()}
    if rule.when.holds({"customer": known, "slots": say.variables}):
        return None
    return f"it is for customers of whom holds: {rule.when.text}"


def sift(
    decision: Decision, rules: Mapping[str, Relevance], context: Context, declared: Declarations, now: datetime
) -> tuple[Decision, dict[str, str]]:
    """The decision without what does not concern the customer, and why not, by the names of those replies.

    What stands ``instead`` of a reply is said as it is, so that no chain of replies can come of it.
    """
    if not rules or not any(say.name in rules for say in decision.says):
        return decision, {}
    agreed = {deed.purpose for deed in decision.deeds if isinstance(deed, GiveConsent)}
    withheld: dict[str, str] = {}
    says: list[Say] = []
    for say in decision.says:
        rule = rules.get(say.name)
        why = None if rule is None else why_not(rule, say, context, declared, now, agreed=agreed)
        if rule is None or why is None:
            says.append(say)
            continue
        withheld[say.name] = why
        if rule.instead:
            says.append(Say(rule.instead, say.variables))
    return (replace(decision, says=tuple(says) or (Say(NOTHING_NOW),)), withheld) if withheld else (decision, {})
