"""What an assistant may know about customers: ``memory.yml``, shared and its own, read and checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from bot.content import Loaded, Mistake, Place, read_as, read_yaml
from bot.understand.extract import LIKELY
from memory.declared import (
    PREFERENCES,
    RETAINED,
    SERVICE,
    Declarations,
    Declared,
    Move,
    Pattern,
    Product,
    Proof,
    Purpose,
    Retention,
    Sensitivity,
    Stage,
)
from memory.patterns import PatternRefused, make_pattern
from memory.values import Type, ValueRefused

BY_HAND = "by hand"
"""The event that nothing raises: an action or a person moves the customer."""

FLOW_EVENT = re.compile(r"flow [A-Za-z_][A-Za-z0-9_-]* (?:started|finished)")
"""The events of flows, by their ids; a flow that is stopped in between is not finished."""

HANDOFF_EVENTS = ("handoff opened", "handoff returned", "handoff closed")

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_STAGE = re.compile(r"[a-z0-9]+([ -][a-z0-9]+)*")
_DURATION = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?) ?([hdw])")
_DAYS = {"h": 1 / 24, "d": 1, "w": 7}
_ABOUT_VALUES = ("type", "choices", "form", "example", "code")
"""Keys that say what a value may be: of the built-in preferences they are fixed."""


def read_declarations(shared: Path, own: Path, articles: Collection[str], mistakes: list[Mistake]) -> Declarations:
    """What both files declare, an entry of ``own`` (which need not be there) replacing the shared one of its name.

    ``articles`` are the short names of the assistant's articles. What is wrong is added to ``mistakes``.
    """
    before = len(mistakes)
    files: list[tuple[Loaded, _FileText]] = []
    for path in (shared, own):
        if path == own and not own.exists():
            continue
        loaded = read_yaml(path, mistakes)
        if loaded is None:
            continue
        text = _FileText() if loaded.data is None else read_as(_FileText, loaded, mistakes)
        if text is not None:
            files.append((loaded, text))
    if len(mistakes) > before:  # what one file lacks for that reason would look like a mistake in the other
        return Declarations()
    entries = [entry for loaded, text in files for entry in text.entries(loaded)]
    purposes = _last(_purpose(entry, mistakes) for entry in entries if entry.section == "purposes")
    facts = _last(_Fact(entry, mistakes).read() for entry in entries if entry.section == "facts")
    products = _last(_product(entry, articles, mistakes) for entry in entries if entry.section == "products")
    retention = _last(_retention(entry, mistakes) for entry in entries if entry.section == "retention")
    _check_facts(facts, {name: purpose for name, (_, purpose) in purposes.items()}, mistakes)
    region = next((text.region for _, text in reversed(files) if text.region is not None), None)
    return Declarations(
        facts={**PREFERENCES, **{name: fact for name, (_, fact) in facts.items()}},
        purposes={name: purpose for name, (_, purpose) in purposes.items()},
        products={name: product for name, (_, product) in products.items()},
        retention=tuple(rule for _, rule in retention.values()),
        region=region,
    )


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must be on one line")
    return text


def _sentence(text: str) -> str:
    if not text.endswith((".", "!", "?")):
        raise ValueError("must be a full sentence with its full stop or question mark")
    return text


def _duration(text: str) -> str:
    match = _DURATION.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise ValueError("must be a time such as 365d, 12h or 2w (days, hours, weeks)")
    return text


def _region(text: str) -> str:
    if text not in REGIONS:
        hint = "; the United Kingdom is GB" if text.upper() == "UK" else ""
        raise ValueError(f"must be a country by its two letters (ISO 3166), such as GB or DE{hint}")
    return text


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, strict=True)]
_Line = Annotated[_Text, AfterValidator(_one_line)]
_Sentence = Annotated[_Line, AfterValidator(_sentence)]
_Duration = Annotated[_Line, AfterValidator(_duration)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _PatternText(_File):
    match: _Line
    confidence: float
    near: list[_Line] = Field(default_factory=list)


class _FactText(_File):
    title: _Line
    type: Type = Type.TEXT
    sensitivity: Sensitivity = "personal"
    fresh: _Duration | None = None
    proof: Proof = "seen"
    purpose: _Line = SERVICE
    identifies: StrictBool = False
    ask: _Sentence | None = None
    benefit: _Sentence | None = None
    patterns: list[_PatternText] = Field(default_factory=list)
    choices: list[_Line] = Field(default_factory=list)
    form: _Line | None = None
    example: _Line | None = None
    code: StrictBool = False


class _PurposeText(_File):
    title: _Line
    text: _Sentence
    version: _Line
    consent: Literal["required", "not needed"]


class _StageText(_File):
    title: _Line
    next: _Sentence | None = None
    open: StrictBool = False


class _MoveText(_File):
    when: _Line
    to: _Line
    from_: list[_Line] = Field(default_factory=list, alias="from")

    @model_validator(mode="before")
    @classmethod
    def _not_on(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and True in data:
            raise ValueError("must say `when`: YAML reads `on` and `yes` as a truth value")
        return data


class _ProductText(_File):
    title: _Line
    stages: Annotated[dict[str, _StageText], Field(min_length=1)]
    moves: list[_MoveText] = Field(default_factory=list)


class _RetentionText(_File):
    after: _Duration
    do: Literal["mask", "remove"]


class _FileText(_File):
    region: Annotated[_Line, AfterValidator(_region)] | None = None
    facts: dict[str, _FactText] = Field(default_factory=dict)
    purposes: dict[str, _PurposeText] = Field(default_factory=dict)
    products: dict[str, _ProductText] = Field(default_factory=dict)
    retention: dict[str, _RetentionText] = Field(default_factory=dict)

    def entries(self, loaded: Loaded) -> Iterator[_Entry]:
        """Everything that the file declares."""
        for section in ("facts", "purposes", "products", "retention"):
            for name, text in getattr(self, section).items():
                yield _Entry(loaded, section, name, text)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of one section of one file."""

    loaded: Loaded
    section: str
    name: str
    text: Any

    def mistake(self, text: str, *inside: str | int) -> Mistake:
        place: Place = (self.section, self.name, *inside)
        return self.loaded.mistake(place, text)


def _last(read: Iterable[tuple[_Entry, Any]]) -> dict[str, tuple[_Entry, Any]]:
    """The entries by name; those of the later file count."""
    return {entry.name: (entry, made) for entry, made in read}


def _check_name(entry: _Entry, mistakes: list[Mistake]) -> None:
    if not _NAME.fullmatch(entry.name):
        mistakes.append(entry.mistake(f"`{entry.name}` must be lower case, with underscores between the words"))


class _Fact:
    """Makes a ``Declared`` of one entry."""

    def __init__(self, entry: _Entry, mistakes: list[Mistake]) -> None:
        self._entry = entry
        self._text: _FactText = entry.text
        self._mistakes = mistakes

    def read(self) -> tuple[_Entry, Declared]:
        text, entry = self._text, self._entry
        _check_name(entry, self._mistakes)
        days = None if text.fresh is None else _days(text.fresh)
        patterns = tuple(made for index, one in enumerate(text.patterns) if (made := self._pattern(one, index)) is not None)
        known = PREFERENCES.get(entry.name)
        if known is not None:
            for key in sorted(text.model_fields_set.intersection(_ABOUT_VALUES)):
                self._add(f"`{entry.name}` is built in: what it may be is fixed, so leave `{key}` out", key)
        basis = known or Declared(
            entry.name, text.type, choices=tuple(text.choices), form=self._form(), example=text.example, code=text.code
        )
        declared = replace(
            basis,
            sensitivity=text.sensitivity,
            fresh_days=days,
            proof=text.proof,
            purpose=text.purpose,
            identifies=text.identifies,
            ask=text.ask,
            benefit=text.benefit,
            title=text.title,
            patterns=patterns,
        )
        if known is None:
            self._check_values(declared)
        if text.sensitivity == "sensitive" and text.proof == "claimed":
            self._add("what is sensitive is not told to somebody who only claims to be the customer: `proof` must be seen or more", "proof")
        if text.identifies and text.type not in (Type.TEXT, Type.PHONE, Type.EMAIL):
            self._add(f"many people share a {text.type}: only a text, a phone or an email can identify a customer", "identifies")
        return entry, declared

    def _add(self, text: str, *inside: str | int) -> None:
        self._mistakes.append(self._entry.mistake(text, *inside))

    def _check_values(self, declared: Declared) -> None:
        text = self._text
        for key in ("choices", "form", "code"):
            if getattr(text, key) and text.type is not Type.TEXT:
                self._add(f"`{key}` is for the type text; this is a {text.type}", key)
                return
        if len({choice.casefold() for choice in text.choices}) < len(text.choices):
            self._add("a choice stands here twice", "choices")
        if text.choices and text.form:
            self._add("`choices` say all that it may be; leave `form` out", "form")
        elif text.form and text.example is None:
            self._add("a form needs an `example`, which is shown to whoever gets it wrong", "form")
        elif text.example is not None and (declared.form is not None or text.form is None):
            try:
                declared.check(text.example)
            except ValueRefused as refused:
                self._add(f"the example is not a value of this fact: {refused}", "example")

    def _form(self) -> re.Pattern[str] | None:
        if self._text.form is None:
            return None
        try:
            return make_pattern(self._text.form).match
        except PatternRefused as refused:
            self._add(f"this form cannot be used: {refused}", "form")
            return None

    def _pattern(self, one: _PatternText, index: int) -> Pattern | None:
        if not LIKELY <= one.confidence <= 1:
            self._add(f"`confidence` must be between {LIKELY:g}, below which nothing is kept, and 1", "patterns", index, "confidence")
        try:
            made = make_pattern(one.match)
        except PatternRefused as refused:
            self._add(f"this pattern cannot be used: {refused}", "patterns", index, "match")
            return None
        near = tuple(" ".join(phrase.lower().split()) for phrase in one.near)
        return Pattern(made.match, one.confidence, near, made.shape.digits)


def _check_facts(facts: Mapping[str, tuple[_Entry, Declared]], purposes: Mapping[str, Purpose], mistakes: list[Mistake]) -> None:
    titles: dict[str, str] = {}
    for name, (entry, fact) in facts.items():
        purpose = purposes.get(fact.purpose)
        if purpose is None:
            place = "purpose" if "purpose" in entry.text.model_fields_set else "title"
            mistakes.append(entry.mistake(f"there is no purpose `{fact.purpose}`{_meant(fact.purpose, purposes)}", place))
        elif purpose.needs_consent and fact.benefit is None:
            mistakes.append(
                entry.mistake(f"`{fact.purpose}` needs the customer's consent: say in `benefit` what they get for it", "purpose")
            )
        other = titles.setdefault(fact.title.casefold(), name)
        if other != name:
            mistakes.append(entry.mistake(f"`{other}` has the same title", "title"))


def _purpose(entry: _Entry, mistakes: list[Mistake]) -> tuple[_Entry, Purpose]:
    text: _PurposeText = entry.text
    _check_name(entry, mistakes)
    consent = text.consent
    if entry.name == SERVICE and consent == "required":
        mistakes.append(entry.mistake(f"`{SERVICE}` is what the customer writes for, and needs no consent", "consent"))
        consent = "not needed"  # or every fact would seem to lack something
    return entry, Purpose(entry.name, text.title, text.text, text.version, consent)


def _product(entry: _Entry, articles: Collection[str], mistakes: list[Mistake]) -> tuple[_Entry, Product]:
    text: _ProductText = entry.text
    _check_name(entry, mistakes)
    mistakes += [entry.mistake(f"`{name}` must be lower case", "stages", name) for name in text.stages if not _STAGE.fullmatch(name)]
    stages = tuple(Stage(name, stage.title, stage.next, stage.open) for name, stage in text.stages.items())
    moves = tuple(Move(move.when, move.to, tuple(move.from_)) for move in text.moves)
    for index, move in enumerate(moves):
        mistakes += _check_event(entry, index, move, articles)
        for key, names in (("to", [move.to]), ("from", move.from_)):
            mistakes += [
                entry.mistake(f"there is no stage `{name}`{_meant(name, text.stages)}", "moves", index, key)
                for name in names
                if name not in text.stages
            ]
        for earlier in moves[:index]:
            both = set(earlier.from_ or text.stages) & set(move.from_ or text.stages)
            if earlier.on == move.on != BY_HAND and both:
                where = ", ".join(f"`{name}`" for name in text.stages if name in both)
                mistakes.append(entry.mistake(f"`{move.on}` leads from {where} to another stage already", "moves", index))
                break
    reached = {move.to for move in moves}
    mistakes += [
        entry.mistake(
            f"no move leads to the stage `{stage.name}`; write one, with `when: {BY_HAND}` if nothing does it", "stages", stage.name
        )
        for stage in stages[1:]
        if stage.name not in reached
    ]
    return entry, Product(entry.name, text.title, stages, moves)


def _check_event(entry: _Entry, index: int, move: Move, articles: Collection[str]) -> list[Mistake]:
    place = ("moves", index, "when")
    kind, _, slug = move.on.partition(" ")
    if kind == "article" and slug:
        if slug in articles or not articles:  # that there are none is said once
            return []
        return [entry.mistake(f"there is no article `{slug}`{_meant(slug, articles)}", *place)]
    if FLOW_EVENT.fullmatch(move.on):
        return []
    if move.on in HANDOFF_EVENTS:
        if move.from_:
            return []
        return [entry.mistake(f"`{move.on}` needs `from`: otherwise each one would move every customer", *place)]
    if move.on == BY_HAND:
        return []
    known = ", ".join(("article NAME", *HANDOFF_EVENTS, "flow NAME started", "flow NAME finished", BY_HAND))
    return [entry.mistake(f"`{move.on}` never happens; write one of {known}", *place)]


def _retention(entry: _Entry, mistakes: list[Mistake]) -> tuple[_Entry, Retention]:
    text: _RetentionText = entry.text
    allowed = RETAINED.get(entry.name)
    if allowed is None:
        mistakes.append(entry.mistake(f"`{entry.name}` is nothing that is kept; write one of {', '.join(RETAINED)}"))
    elif text.do not in allowed:
        mistakes.append(entry.mistake(f"`{entry.name}` cannot be {text.do}ed; write {' or '.join(allowed)}", "do"))
    days = _days(text.after)
    if days < 1:
        mistakes.append(entry.mistake("`after` must be at least a day: conversations that go on are needed", "after"))
    return entry, Retention(entry.name, days, text.do)


def _days(duration: str) -> float:
    match = _DURATION.fullmatch(duration)
    assert match is not None
    return float(match[1]) * _DAYS[match[2]]


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


_REGION_CODES = """
    AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD CF CG CH CI CK
    CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR
    GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV
    LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL
    PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
REGIONS = frozenset(_REGION_CODES.split())
"""Countries that have telephone numbers of their own, by their ISO 3166 codes."""
