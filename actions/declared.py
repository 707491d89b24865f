"""What may be known about customers, as a call brings it along: the assistant's YAML is the bot's to read, and actions may run elsewhere.

The bot puts ``as_json(declared)`` into the domain under ``KEY``. A call without it is served strictly: see ``STRICT``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from memory.declared import PREFERENCES, Declarations, Declared, Move, Product, Purpose, Stage
from memory.errors import LegatoError
from memory.values import Type

KEY = "legato"
"""The key in the domain."""

_FACT = ("sensitivity", "fresh_days", "proof", "purpose", "identifies", "title", "example", "code")


class StrictDeclarations(Declarations):
    """For calls that say nothing of what may be known: all but a name and the preferences needs a confirmed identity."""

    def fact(self, name: str) -> Declared:
        if name in self.facts:
            return super().fact(name)
        return Declared(name, proof="confirmed", sensitivity="sensitive", title=name.replace("_", " "))


STRICT = StrictDeclarations(facts={**PREFERENCES, "name": Declared("name", title="name")})


def as_json(declared: Declarations) -> dict[str, Any]:
    """What actions need of ``declared``, as JSON. Patterns and retention are left out."""
    return {
        "region": declared.region,
        "facts": {name: _fact_json(fact) for name, fact in declared.facts.items()},
        "purposes": {
            one.name: {"title": one.title, "text": one.text, "version": one.version, "consent": one.consent}
            for one in declared.purposes.values()
        },
        "products": {
            one.name: {
                "title": one.title,
                "stages": [{"name": stage.name, "title": stage.title, "next": stage.next, "open": stage.open} for stage in one.stages],
                "moves": [{"on": move.on, "to": move.to, "from": list(move.from_)} for move in one.moves],
            }
            for one in declared.products.values()
        },
    }


def declarations_in(domain: Mapping[str, Any] | None) -> Declarations:
    """What a call's domain declares, or ``STRICT``. Raises ``LegatoError`` where it is there and cannot be read."""
    said = (domain or {}).get(KEY)
    return STRICT if said is None else _read(orjson.dumps(said))


@lru_cache(maxsize=8)
def _read(said: bytes) -> Declarations:
    """What was said, read once: every call of an assistant brings the same."""
    content = orjson.loads(said)
    try:
        return Declarations(
            facts={**PREFERENCES, **{name: _fact(name, one) for name, one in content["facts"].items()}},
            purposes={name: Purpose(name, **one) for name, one in content["purposes"].items()},
            products={name: _product(name, one) for name, one in content["products"].items()},
            region=content["region"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise LegatoError(f"the domain's {KEY} cannot be read: send what actions.declared.as_json gives, of the same version") from error


def _fact_json(fact: Declared) -> dict[str, Any]:
    said: dict[str, Any] = {name: getattr(fact, name) for name in _FACT}
    return said | {
        "type": fact.type.value,
        "choices": list(fact.choices),
        "form": fact.form.pattern if fact.form is not None else None,
        "flags": fact.form.flags if fact.form is not None else 0,
    }


def _fact(name: str, said: Mapping[str, Any]) -> Declared:
    return Declared(
        name,
        type=Type(said["type"]),
        choices=tuple(said["choices"]),
        form=re.compile(said["form"], said["flags"]) if said["form"] is not None else None,
        **{key: said[key] for key in _FACT},
    )


def _product(name: str, said: Mapping[str, Any]) -> Product:
    return Product(
        name,
        said["title"],
        tuple(Stage(**one) for one in said["stages"]),
        tuple(Move(one["on"], one["to"], tuple(one["from"])) for one in said["moves"]),
    )
