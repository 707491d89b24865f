"""What may be known about customers, as designers declare it: facts, purposes, products with their stages, and how long things are kept.

Everything here is checked by the loader that builds it, and never changes afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from memory.values import Type, ValueRefused, check_value, masked, same_value, shown

Sensitivity: TypeAlias = Literal["open", "personal", "sensitive"]
"""Who may see a value: anybody at the desk; those who serve the customer; those of them who have a reason to ask."""

Proof: TypeAlias = Literal["claimed", "seen", "confirmed", "verified"]
"""How well it is known who writes: they say so; the channel says so; they proved an address; they proved who they are."""

PROOFS: tuple[Proof, ...] = ("claimed", "seen", "confirmed", "verified")
"""Weakest first."""

SERVICE = "service"
"""The purpose that needs no consent: to do what the customer asks for."""


def at_least(level: str, needed: str) -> bool:
    """Whether an identity proven to ``level`` may do what needs ``needed``. A level that nobody knows proves nothing."""
    return level in PROOFS and PROOFS.index(level) >= PROOFS.index(needed)


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a fact looks in a customer's words.

    ``match`` is made by ``memory.patterns``, so that no text takes long and none of its matches is empty. If ``near`` is given, one of its
    phrases (lower case) has to stand shortly before the match. ``digits`` says that every match has a digit in it, so that a text
    without any need not be searched.
    """

    match: re.Pattern[str]
    confidence: float
    near: tuple[str, ...] = ()
    digits: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """One kind of fact.

    ``fresh_days``: after so many days the value is asked about again before it is relied upon; None: it does not age.
    ``proof``: what the identity needs before the value is told or used towards the customer.
    ``purpose``: what the value may be used for; if that needs consent, ``benefit`` says what the customer gets for it.
    ``identifies``: the same value at another customer proposes that they are one.
    ``ask``: the question that asks for it; None: never asked for. ``title``: what it is called towards people, as in "your e-mail address".
    ``choices``: if any, the only values. ``form``, with an ``example``: what a text has to look like.
    ``code``: it is a number on paper, so upper case, spaces and hyphens do not count and are not stored.
    """

    name: str
    type: Type = Type.TEXT
    sensitivity: Sensitivity = "personal"
    fresh_days: float | None = None
    proof: Proof = "seen"
    purpose: str = SERVICE
    identifies: bool = False
    ask: str | None = None
    benefit: str | None = None
    title: str = ""
    patterns: tuple[Pattern, ...] = ()
    choices: tuple[str, ...] = ()
    form: re.Pattern[str] | None = None
    example: str | None = None
    code: bool = False

    def check(self, raw: object, *, region: str | None = None) -> Any:
        """``raw`` as it is stored. Raises ``ValueRefused``, whose text says what is expected and never has the value in it."""
        if isinstance(raw, str):
            if self.code:
                raw = _SEPARATORS.sub("", raw).upper()
            if self.name == LANGUAGE:
                raw = _language(raw)
        value = check_value(self.type, raw, region=region)
        if self.choices:
            value = next((choice for choice in self.choices if same_value(Type.TEXT, choice, value)), None)
            if value is None:
                raise ValueRefused(f"expected one of {', '.join(self.choices)}")
        if self.form is not None and not (isinstance(value, str) and self.form.fullmatch(value)):
            raise ValueRefused(f"expected the form {self.example}" if self.example else "expected another form")
        return value

    def same(self, a: Any, b: Any) -> bool:
        """Whether two stored values say the same."""
        return same_value(self.type, a, b)

    def shown(self, value: Any) -> str:
        """A stored value for those who may see it."""
        return LANGUAGES.get(value, value) if self.name == LANGUAGE and isinstance(value, str) else shown(self.type, value)

    def masked(self, value: Any) -> str:
        """A stored value for those who may not see it. What is open to all is not masked."""
        return self.shown(value) if self.sensitivity == "open" else masked(self.type, value)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What data may be used for. A new ``version`` of ``text`` asks those again who agreed to an older one."""

    name: str
    title: str
    text: str
    version: str
    consent: Literal["required", "not needed"] = "not needed"

    @property
    def needs_consent(self) -> bool:
        return self.consent == "required"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a customer can stand with a product. ``next`` says in words what comes next; ``open``: something is still to be done."""

    name: str
    title: str
    next: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """The event ``on`` leads ``to`` a stage, from one of ``from_``, or from anywhere if that is empty.

    Events: ``article SLUG`` (the customer is given that article as the answer), ``flow ID started`` and ``flow ID finished``,
    ``handoff opened``, ``handoff returned``, ``handoff closed``, and ``by hand`` (nothing does it by itself; an action or a person may).
    """

    on: str
    to: str
    from_: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A product or matter with its stages, the first of which is where a customer begins who just has it."""

    name: str
    title: str
    stages: tuple[Stage, ...]
    moves: tuple[Move, ...] = ()

    def stage(self, name: str) -> Stage | None:
        """The stage of this name; None if there is none, as after a designer has removed it."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def after(self, on: str, stage: str | None) -> Stage | None:
        """Where the event ``on`` leads from ``stage`` (None: the customer has not been seen with the product); None: nowhere else.

        An article or a flow takes a newcomer as if from the first stage. A handoff does not: it may be about anything.
        """
        if stage is None and not on.startswith(("article ", "flow ")):
            return None
        here = self.stages[0].name if stage is None else stage
        for move in self.moves:
            if move.on == on and (not move.from_ or here in move.from_):
                return None if move.to == stage else self.stage(move.to)
        return None

    def allows(self, stage: str | None, to: str) -> bool:
        """Whether a person or an action may move the customer from ``stage`` ``to`` another: where any move leads, by event or by hand.

        Where a designer has removed the stage that somebody stands at, every stage may follow.
        """
        if self.stage(to) is None or to == stage:
            return False
        if stage is None or self.stage(stage) is None:
            return True
        return any(move.to == to and (not move.from_ or stage in move.from_) for move in self.moves)


@dataclass(frozen=True, slots=True)
class Retention:
    """What is masked or removed ``after_days``; ``what`` is a key of ``RETAINED``."""

    what: str
    after_days: float
    do: Literal["mask", "remove"]


RETAINED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text": ("mask", "remove"),
        "files": ("remove",),
        "facts": ("mask", "remove"),
        "turns": ("remove",),
        "outbox": ("mask", "remove"),
        "quarantine": ("remove",),
    }
)
"""What can be kept for a limited time, and what can be done then: ``facts`` that hold no longer, ``turns`` with their reasons."""


LANGUAGE, CHANNEL, HOURS, TONE, FREQUENCY = "language", "preferred_channel", "contact_hours", "tone", "contact_frequency"
"""The names of the preferences."""

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "ar": "Arabic",
        "bg": "Bulgarian",
        "bn": "Bengali",
        "cs": "Czech",
        "da": "Danish",
        "de": "German",
        "el": "Greek",
        "en": "English",
        "es": "Spanish",
        "et": "Estonian",
        "fa": "Persian",
        "fi": "Finnish",
        "fr": "French",
        "ga": "Irish",
        "he": "Hebrew",
        "hi": "Hindi",
        "hr": "Croatian",
        "hu": "Hungarian",
        "id": "Indonesian",
        "it": "Italian",
        "ja": "Japanese",
        "ko": "Korean",
        "lt": "Lithuanian",
        "lv": "Latvian",
        "nl": "Dutch",
        "no": "Norwegian",
        "pl": "Polish",
        "pt": "Portuguese",
        "ro": "Romanian",
        "ru": "Russian",
        "sk": "Slovak",
        "sl": "Slovenian",
        "sr": "Serbian",
        "sv": "Swedish",
        "ta": "Tamil",
        "th": "Thai",
        "tr": "Turkish",
        "uk": "Ukrainian",
        "ur": "Urdu",
        "vi": "Vietnamese",
        "zh": "Chinese",
    }
)
"""ISO 639-1 codes that a customer may ask for, with their English names."""

_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_SEPARATORS = re.compile(r"[\s\-‐‑‒–—]+")

PREFERENCES: Mapping[str, Declared] = MappingProxyType(
    {
        declared.name: declared
        for declared in (
            Declared(LANGUAGE, sensitivity="open", title="language", choices=tuple(LANGUAGES)),
            Declared(
                CHANNEL,
                sensitivity="open",
                title="preferred way to be contacted",
                choices=("telegram", "web", "email", "phone", "text message", "letter"),
            ),
            Declared(HOURS, sensitivity="open", title="hours to be contacted", form=_HOURS, example="09:00-17:00"),
            Declared(TONE, sensitivity="open", title="form of address", choices=("formal", "friendly")),
            Declared(FREQUENCY, sensitivity="open", title="how often to be contacted", choices=("any", "weekly", "monthly", "never")),
        )
    }
)
"""How a customer wants to be treated. Every assistant has these; YAML may change what is said about them, not what they may be."""


def _language(text: str) -> str:
    """The code in a tag such as ``en-GB``, or of a language's English name."""
    wanted = text.strip().casefold()
    named = next((code for code, name in LANGUAGES.items() if name.casefold() == wanted), None)
    return named or re.split("[-_]", wanted, maxsplit=1)[0]


def minutes_of(hours: str) -> tuple[int, int]:
    """The two ends of ``contact_hours`` in minutes after midnight; if the second is not later, the hours go past midnight."""
    start, _, end = hours.partition("-")
    return _minutes(start), _minutes(end)


def _minutes(time: str) -> int:
    hour, _, minute = time.partition(":")
    return int(hour) * 60 + int(minute)


@dataclass(frozen=True)
class Declarations:
    """Everything that one assistant's YAML declares. ``Declarations()`` has the preferences and nothing else.

    ``region`` is the country (ISO 3166) of telephone numbers that name none.
    """

    facts: Mapping[str, Declared] = field(default_factory=lambda: PREFERENCES)
    purposes: Mapping[str, Purpose] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    retention: tuple[Retention, ...] = ()
    region: str | None = None

    @cached_property
    def patterned(self) -> tuple[Declared, ...]:
        """The facts that have patterns."""
        return tuple(fact for fact in self.facts.values() if fact.patterns)

    def fact(self, name: str) -> Declared:
        """What is declared of this fact; of an undeclared one, that it is a personal text for service."""
        known = self.facts.get(name) or PREFERENCES.get(name)
        return known if known is not None else Declared(name, title=name.replace("_", " "))

    def needs_consent(self, name: str) -> bool:
        """Whether this fact may be kept only if the customer has agreed to its purpose."""
        wanted = self.fact(name).purpose
        purpose = self.purposes.get(wanted)
        return wanted != SERVICE if purpose is None else purpose.needs_consent
