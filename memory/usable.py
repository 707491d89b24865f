"""What of the known may be used: only what the customer's consent still covers, and what is not too old to rely upon. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from memory.context import Context, KnownFact
from memory.declared import SERVICE, Declarations


def needs_consent(declared: Declarations, purpose: str) -> bool:
    """Whether a purpose may be served only with the customer's consent; of one that nobody declares any more, that it may not without."""
    known = declared.purposes.get(purpose)
    return purpose != SERVICE if known is None else known.needs_consent


def has_consent(context: Context, declared: Declarations, purpose: str) -> bool:
    """Whether data may be used for ``purpose``: it needs no consent, or the customer's last word about it was yes."""
    if not needs_consent(declared, purpose):
        return True
    answer = context.consents.get(purpose)
    return answer is not None and answer.granted


def allowed(context: Context, declared: Declarations) -> dict[str, KnownFact]:
    """The facts that are gone by, without those whose consent was taken back: they are kept, as what they are, and used for nothing."""
    return {name: fact for name, fact in context.facts.items() if has_consent(context, declared, fact.purpose)}


def is_fresh(fact: KnownFact, declared: Declarations, now: datetime) -> bool:
    """Whether somebody has said so recently enough to rely upon it."""
    days = declared.fact(fact.name).fresh_days
    said = fact.fresh_at or fact.since
    return days is None or now - said <= timedelta(days=days)


def usable(context: Context, declared: Declarations, now: datetime) -> dict[str, KnownFact]:
    """What the assistant may go by now; what is missing here it has to ask for."""
    return {name: fact for name, fact in allowed(context, declared).items() if is_fresh(fact, declared, now)}
