"""Replies as designers write them, in Rasa's terms: read, checked, and made into what is said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.content import Loaded, Mistake, Place, read_as, read_yaml
from bot.flows.predicate import Predicate, parse
from bot.markup import units_of
from bot.messages import MAX_TEXT, Button, rows_of
from bot.turn.relevance import Relevance
from bot.turn.reply import OPTIONAL, REQUIRED, TOLD_TO_ALL, VARIABLE, Replies, Variant
from memory.declared import Proof

MAX_PAYLOAD_BYTES = 64
"""The longest payload of a button (Bot API, InlineKeyboardButton.callback_data)."""

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, strict=True)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ButtonWords(_File):
    title: _Text


class _ButtonText(_File):
    title: _Text
    payload: _Text
    translation: dict[str, _ButtonWords] = Field(default_factory=dict)


class _Metadata(_File):
    proof: Proof = "seen"
    purpose: _Text | None = None
    when: _Text | None = None
    instead: _Text | None = None


class _ConditionText(_File):
    type: Literal["slot"]
    name: _Text
    value: str | int | float | bool


class _VariantText(_File):
    text: _Text
    id: _Text | None = None
    channel: _Text | None = None
    condition: list[_ConditionText] = Field(default_factory=list)
    translation: dict[str, _Text] = Field(default_factory=dict)
    buttons: list[_ButtonText] = Field(default_factory=list)
    metadata: _Metadata = Field(default_factory=_Metadata)


class _RepliesText(_File):
    version: str | float | None = None
    responses: dict[str, Annotated[list[_VariantText], Field(min_length=1)]]


Allowed = Mapping[str, frozenset[str] | None]
"""The replies that may be said, with the variables that whoever says them gives; None: any."""


def read_replies(
    shared: Path,
    own: Path,
    mistakes: list[Mistake],
    *,
    languages: Collection[str] = (),
    purposes: Collection[str] = (),
    allowed: Allowed = REQUIRED,
    domain: Sequence[Path] = (),
) -> Replies:
    """The replies of an assistant: ``own`` over ``shared``. Every mistake is added to ``mistakes``.

    ``languages`` are those that it speaks beside its own: each reply has to be translated into all of them, and into no other. ``purposes``
    are those that are declared, so that a reply may serve them. ``domain`` are files that may have replies among other things; a reply
    stands in one of the assistant's own files.
    """
    variants: dict[str, list[Variant]] = {}
    relevance: dict[str, Relevance] = {}
    before = len(mistakes)
    places: dict[str, Path] = {}
    for path in (shared, *domain, own):
        if path == own and not own.exists():
            continue  # an assistant may do with the shared replies alone
        loaded = _only_replies(path) if path in domain else read_yaml(path, mistakes)
        file = None if loaded is None else read_as(_RepliesText, loaded, mistakes)
        if loaded is not None and file is not None:
            for name, ways in file.responses.items():
                if path != shared and places.setdefault(name, path) != path:
                    mistakes.append(loaded.mistake(("responses", name), f"the reply `{name}` stands in {places[name].name} already"))
                reader = _Reader(name, loaded, mistakes, allowed, () if path == shared else languages, purposes)
                variants[name] = reader.read(ways)
                relevance.pop(name, None)
                if (rule := reader.relevance(ways)) is not None:
                    relevance[name] = rule
    if len(mistakes) == before:
        mistakes += [Mistake(shared, 1, f"the reply `{name}` is missing") for name in sorted(REQUIRED.keys() - variants.keys())]
        for language in sorted(languages):
            missing = sorted(name for name, ways in variants.items() if not any(way.language == language for way in ways))
            mistakes += [Mistake(own, 1, f"the reply `{name}` has no translation into `{language}`") for name in missing]
        for name, rule in relevance.items():
            if rule.instead and rule.instead not in variants:
                mistakes.append(Mistake(own, 1, f"`{name}` names `{rule.instead}` as what is said instead, and there is no such reply"))
    return Replies(variants, relevance)


def _only_replies(path: Path) -> Loaded | None:
    """The replies in a file of the domain; None where it has none. What else may be wrong with the file is said by who reads the rest."""
    loaded = read_yaml(path, [])
    if loaded is None or not isinstance(loaded.data, Mapping) or loaded.data.get("responses") is None:
        return None
    return replace(loaded, data={"responses": loaded.data["responses"]})


class _Reader:
    """Reads one reply."""

    def __init__(
        self, name: str, loaded: Loaded, mistakes: list[Mistake], allowed: Allowed, languages: Collection[str], purposes: Collection[str]
    ) -> None:
        self._name = name
        self._loaded = loaded
        self._mistakes = mistakes
        self._allowed = allowed
        self._languages = languages
        self._purposes = purposes
        self._place: Place = ("responses", name)

    def read(self, ways: Sequence[_VariantText]) -> list[Variant]:
        """Its variants, each translation as one of its own; mistakes are noted."""
        name = self._name
        if name not in self._allowed:
            near = get_close_matches(name, self._allowed, n=1)
            self._wrong((), f"`{name}` is never said{f'; did you mean `{near[0]}`?' if near else ''}")
            return []
        variants = [variant for index, way in enumerate(ways) for variant in self._variants(index, way)]
        plain = [one for one in variants if not (one.channel or one.conditions or one.language)]
        if not plain:
            self._wrong((), f"`{name}` needs a variant that can always be said, without `channel` and without `condition`")
        for variable in sorted(OPTIONAL):
            if plain and all(variable in variant.needs for variant in plain):
                self._wrong((), f"`{name}` needs a variant without {{{variable}}}, which is not always known")
        return variants

    def relevance(self, ways: Sequence[_VariantText]) -> Relevance | None:
        """Whom the reply concerns; it is said once for all variants, with the first."""
        for index, way in enumerate(ways[1:], start=1):
            if way.metadata.purpose or way.metadata.when or way.metadata.instead:
                self._wrong((index, "metadata"), "whom a reply concerns is said with its first variant, and holds for all")
        about = ways[0].metadata
        if not (about.purpose or about.when):
            return None
        if self._name in REQUIRED:
            self._wrong((0, "metadata"), f"`{self._name}` is said to everybody, so it cannot be withheld")
            return None
        if about.purpose and about.purpose not in self._purposes:
            self._wrong((0, "metadata", "purpose"), f"the purpose `{about.purpose}` is not declared in memory.yml")
        return Relevance(about.purpose or "", self._condition(about.when), about.instead or "")

    def _condition(self, text: str | None) -> Predicate | None:
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self._wrong((0, "metadata", "when"), str(error))
            return None

    def _variants(self, index: int, way: _VariantText) -> list[Variant]:
        if way.metadata.proof != "seen" and self._name.startswith(TOLD_TO_ALL):
            self._wrong((index, "metadata", "proof"), f"`{self._name}` is told to everybody, so it can demand no proof")
        conditions = tuple((one.name, one.value) for one in way.condition)
        variants = [self._variant((index, "text"), way, way.text, "", conditions)]
        for language, text in way.translation.items():
            if language not in self._languages:
                self._wrong(
                    (index, "translation", language), f"add `{language}` to `languages` in assistant.yml, or delete this translation"
                )
            variants.append(self._variant((index, "translation", language), way, text, language, conditions))
        for row, button in enumerate(way.buttons):
            self._check_button(Button(button.title, button.payload), (index, "buttons", row))
        return variants

    def _variant(self, place: Place, way: _VariantText, text: str, language: str, conditions: tuple[tuple[str, object], ...]) -> Variant:
        def title(button: _ButtonText) -> str:
            said = button.translation.get(language)
            return button.title if said is None else said.title

        buttons = rows_of([Button(title(button), button.payload) for button in way.buttons])
        variant = Variant.from_markdown(
            text, buttons, way.metadata.proof, channel=way.channel or "", conditions=conditions, language=language
        )
        known = self._allowed[self._name]
        written = frozenset(VARIABLE.findall(text))
        allowed = written if known is None else known | OPTIONAL
        for unknown in sorted(written - allowed):
            shown = ", ".join(f"{{{variable}}}" for variable in sorted(allowed))
            self._wrong(place, f"`{self._name}` has no variable {{{unknown}}}; it has {shown}")
        if written & allowed != variant.needs & allowed:
            self._wrong(place, "a variable cannot stand in the address of a link")
        if units_of(variant.text) > MAX_TEXT:
            self._wrong(place, f"the text has {units_of(variant.text)} characters; Telegram takes {MAX_TEXT}")
        return variant

    def _check_button(self, button: Button, place: Place) -> None:
        size = len(button.payload.encode())
        if size > MAX_PAYLOAD_BYTES:
            self._wrong((*place, "payload"), f"the payload has {size} bytes; Telegram takes {MAX_PAYLOAD_BYTES}")
        for key, value in (("title", button.title), ("payload", button.payload)):
            if VARIABLE.search(value):
                self._wrong((*place, key), "a variable cannot stand in a button")
            if "\n" in value:
                self._wrong((*place, key), "must be on one line")

    def _wrong(self, place: Place, text: str) -> None:
        self._mistakes.append(self._loaded.mistake((*self._place, *place), text))
