"""Declarations: levels of proof, defaults, checking by declaration, and where events lead."""

from __future__ import annotations

from typing import Any

import pytest

from memory.declared import (
    CHANNEL,
    FREQUENCY,
    HOURS,
    LANGUAGE,
    LANGUAGES,
    PREFERENCES,
    PROOFS,
    TONE,
    Declarations,
    Declared,
    Move,
    Pattern,
    Product,
    Purpose,
    Stage,
    at_least,
    minutes_of,
)
from memory.patterns import make_pattern
from memory.values import Type, ValueRefused

CARD = Product(
    "card",
    "Card",
    (Stage("active", "In use"), Stage("lost", "Lost", "A new one comes.", open=True), Stage("ordered", "Ordered", open=True)),
    (
        Move("article lost-card", "lost"),
        Move("article replace-card", "ordered", ("active", "lost")),
        Move("handoff opened", "ordered", ("active", "lost")),
        Move("by hand", "active", ("ordered",)),
    ),
)


def test_levels_of_proof_are_ordered() -> None:
    assert [[at_least(level, needed) for needed in PROOFS] for level in PROOFS] == [
        [index >= needed for needed in range(len(PROOFS))] for index in range(len(PROOFS))
    ]
    assert not at_least("told by a friend", "claimed")


def test_an_undeclared_fact_is_a_personal_text_for_service() -> None:
    fact = Declarations().fact("favourite_colour")

    assert (fact.type, fact.sensitivity, fact.purpose, fact.proof) == (Type.TEXT, "personal", "service", "seen")
    assert fact.title == "favourite colour"
    assert not fact.identifies
    assert fact.check(" blue ") == "blue"


def test_the_preferences_are_always_declared() -> None:
    other = Declared("phone", Type.PHONE)

    assert Declarations().facts == PREFERENCES
    assert Declarations(facts={"phone": other}).fact(TONE) is PREFERENCES[TONE]
    assert Declarations(facts={"phone": other}).fact("phone") is other


@pytest.mark.parametrize(
    ("name", "raw", "stored"),
    [
        (LANGUAGE, "de", "de"),
        (LANGUAGE, "German", "de"),
        (LANGUAGE, "pt-BR", "pt"),
        (LANGUAGE, "zh_hans", "zh"),
        (CHANNEL, "Email", "email"),
        (HOURS, "09:00-17:00", "09:00-17:00"),
        (HOURS, "00:00-24:00", "00:00-24:00"),
        (TONE, " FORMAL ", "formal"),
        (FREQUENCY, "never", "never"),
    ],
)
def test_preferences_have_their_values(name: str, raw: str, stored: str) -> None:
    assert PREFERENCES[name].check(raw) == stored
    assert PREFERENCES[name].check(stored) == stored


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        (LANGUAGE, "Klingon", "expected one of ar, bg"),
        (CHANNEL, "pigeon", "expected one of telegram, web, email"),
        (HOURS, "9-17", "expected the form 09:00-17:00"),
        (HOURS, "09:00-24:30", "expected the form 09:00-17:00"),
        (HOURS, "24:00-24:00", "expected the form 09:00-17:00"),
        (TONE, 5, "expected a text"),
    ],
)
def test_other_values_of_a_preference_are_refused_without_repeating_them(name: str, raw: Any, expected: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        PREFERENCES[name].check(raw)

    assert str(caught.value).startswith(expected)
    assert str(raw) not in str(caught.value).removeprefix(expected)


def test_a_code_is_stored_without_what_does_not_count() -> None:
    policy = Declared("policy_number", code=True, form=make_pattern(r"HP\d{6}").match, example="HP123456")

    assert policy.check(" hp 123–456 ") == "HP123456"
    assert policy.same(policy.check("hp-123456"), "HP123456")
    with pytest.raises(ValueRefused, match="expected the form HP123456"):
        policy.check("HP1234567")


def test_a_region_reaches_the_telephone_numbers() -> None:
    assert Declared("phone", Type.PHONE).check("020 7946 0018", region="GB") == "+442079460018"


def test_values_are_shown_and_masked_as_declared() -> None:
    assert Declared("phone", Type.PHONE).masked("+442079460018") == "+44 … 18"
    assert Declared("phone", Type.PHONE).shown("+442079460018") == "+442079460018"
    assert PREFERENCES[LANGUAGE].shown("de") == PREFERENCES[LANGUAGE].masked("de") == LANGUAGES["de"]
    assert PREFERENCES[LANGUAGE].shown("xx") == "xx"
    assert PREFERENCES[LANGUAGE].shown(["de"]) == "de"


@pytest.mark.parametrize(("hours", "minutes"), [("09:00-17:30", (540, 1050)), ("22:00-06:00", (1320, 360)), ("00:00-24:00", (0, 1440))])
def test_hours_are_read_as_minutes(hours: str, minutes: tuple[int, int]) -> None:
    assert minutes_of(PREFERENCES[HOURS].check(hours)) == minutes


def test_consent_is_needed_where_the_purpose_needs_it() -> None:
    declarations = Declarations(
        facts={"interests": Declared("interests", purpose="offers"), "lost": Declared("lost", purpose="removed")},
        purposes={
            "offers": Purpose("offers", "Offers", "We tell you.", "1", "required"),
            "service": Purpose("service", "Service", "We serve.", "1"),
        },
    )

    assert declarations.needs_consent("interests")
    assert not declarations.needs_consent("anything")
    assert not Declarations().needs_consent("anything")
    # A purpose that nobody describes any more is none that anybody agreed to.
    assert declarations.needs_consent("lost")


@pytest.mark.parametrize(
    ("on", "stage", "leads_to"),
    [
        ("article lost-card", None, "lost"),
        ("article lost-card", "ordered", "lost"),
        ("article lost-card", "lost", None),
        ("article replace-card", None, "ordered"),
        ("article replace-card", "ordered", None),
        ("article replace-card", "removed stage", None),
        ("article other", "active", None),
        ("handoff opened", "lost", "ordered"),
        ("handoff opened", None, None),
    ],
)
def test_events_lead_from_stage_to_stage(on: str, stage: str | None, leads_to: str | None) -> None:
    after = CARD.after(on, stage)

    assert (after.name if after else None) == leads_to


@pytest.mark.parametrize(
    ("stage", "to", "allowed"),
    [
        ("ordered", "active", True),
        ("lost", "active", False),
        ("active", "lost", True),
        ("active", "active", False),
        ("active", "nowhere", False),
        (None, "ordered", True),
        ("removed stage", "ordered", True),
    ],
)
def test_a_person_may_move_where_a_move_leads(stage: str | None, to: str, allowed: bool) -> None:
    assert CARD.allows(stage, to) is allowed


def test_facts_with_patterns_are_listed_once() -> None:
    pattern = Pattern(make_pattern("a").match, 0.9)
    declarations = Declarations(facts={"a": Declared("a", patterns=(pattern,)), "b": Declared("b")})

    assert [fact.name for fact in declarations.patterned] == ["a"]
    assert declarations.patterned is declarations.patterned
