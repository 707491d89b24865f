"""What recall gathers of a customer, in the least words: rows as :mod:`memory.known` keeps them, and a context that has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.messages import Event, Incoming
from bot.turn.decision import Arrived
from memory.context import Context
from memory.declared import PREFERENCES, Declarations, Declared, Move, Product, Purpose, Stage
from memory.values import Type

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

OFFERS = Purpose("offers", "Offers", "We may tell you about offers.", "2", "required")
CARD = Product(
    "card",
    "Card",
    (Stage("active", "In use"), Stage("lost", "Lost or stolen", "A new one is sent.", True), Stage("with us", "With a person")),
    (Move("article lost-card", "lost"), Move("handoff opened", "with us", ("lost",)), Move("handoff returned", "lost", ("with us",))),
)
DECLARED = Declarations(
    facts={
        **PREFERENCES,
        "name": Declared("name", title="name"),
        "phone": Declared("phone", Type.PHONE, title="telephone number", fresh_days=730, proof="confirmed"),
        "email": Declared("email", Type.EMAIL, title="e-mail address"),
        "account_number": Declared("account_number", sensitivity="sensitive", title="account number"),
        "interests": Declared("interests", Type.LIST, purpose="offers", title="interests", benefit="You hear of nothing else."),
        "location": Declared("location", Type.PLACE, title="position"),
    },
    purposes={"offers": OFFERS, "service": Purpose("service", "Serving you", "We answer you.", "1")},
    products={"card": CARD},
    region="GB",
)

_NOBODY = Context(
    customer_id=1,
    home_id=1,
    person=(1,),
    identity_id=1,
    channel="telegram",
    address="42",
    profile_name="Cora Cole",
    username=None,
    language="en",
    proof="seen",
    proven_at=None,
    unreachable=False,
    ownership=0,
    dialogue={},
    known={},
    version=1,
    exchanges=(),
    last_episode=None,
)


def ago(**before: float) -> str:
    """A time before now, as it is gathered."""
    return (NOW - timedelta(**before)).isoformat()


def fact(name: str, value: Any, *, id: int = 1, standing: str = "current", source: str = "customer", **more: Any) -> dict[str, Any]:
    row = {"id": id, "customer_id": 1, "name": name, "value": value, "standing": standing, "source": source, "confidence": 1.0}
    row |= {"purpose": "service", "since": ago(days=3), "learned_at": ago(days=3), "fresh_at": ago(days=3)}
    return row | more


def consent(purpose: str, granted: bool, *, version: str = "2", at: str | None = None) -> dict[str, Any]:
    return {"id": 1, "purpose": purpose, "granted": granted, "version": version, "channel": "telegram", "at": at or ago(days=2)}


def moment(kind: str, *, good: bool = False, weight: float = 1.0, at: str | None = None, **evidence: Any) -> dict[str, Any]:
    return {"good": good, "kind": kind, "weight": weight, "evidence": evidence, "at": at or ago(days=20)}


def promise(id: int = 1, *, state: str = "open", text: str = "We will call you back", due: str | None = None) -> dict[str, Any]:
    row = {"id": id, "text": text, "by": "Bea Novak", "state": state, "made_at": ago(days=2)}
    return row | ({"due_at": due} if due is not None else {})


def journey(stage: str, product: str = "card") -> dict[str, Any]:
    return {"id": 1, "product": product, "stage": stage, "opened_at": ago(days=9), "moved_at": ago(days=9)}


def context(**parts: Any) -> Context:
    """A context; the parts in ``_GATHERED`` are lists of rows, the rest are its own fields."""
    gathered = {name: parts.pop(name) for name in tuple(parts) if name in _GATHERED}
    return replace(_NOBODY, known=gathered, **parts)


_GATHERED = ("facts", "consents", "experiences", "promises", "journeys", "summaries")


def wrote(text: str = "", **more: Any) -> Arrived:
    return Arrived((Incoming("telegram", "1", "42", NOW, text=text, **more),))


def pressed(payload: str) -> Arrived:
    return wrote(event=Event.PRESS, kind="press", data={"payload": payload, "callback": "c"})
