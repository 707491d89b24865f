"""May a customer be written to who has not asked?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.turn.contact import Allowed, Not, may_contact
from memory.context import Context, Episode
from tests.bot.turn.gathered import DECLARED, NOW, ago, consent, context, fact, moment, promise

YES = [consent("offers", True)]


def asked(known: Context, purpose: str = "offers", *, now: datetime = NOW, **more: Any) -> Allowed | Not:
    options = {"zone": UTC, "channels": ("telegram",), "last": None, **more}
    return may_contact([known], DECLARED, purpose, now, **options)


def test_who_agreed_may_be_written_to_where_they_are() -> None:
    known = context(consents=YES)

    assert asked(known) == Allowed(known)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({}, "not agreed"),
        ({"consents": [consent("offers", False)]}, "took their consent back"),
        ({"consents": YES, "unreachable": True}, "cannot be reached"),
        ({"consents": YES, "promises": [promise(state="broken")]}, "promise"),
        ({"consents": YES, "experiences": [moment("waited", minutes=26, at=ago(days=2))]}, "waited 26 min on 3 Jan"),
        ({"consents": YES, "experiences": [moment("waited"), moment("rating")]}, "near their limit"),
        ({"consents": YES, "facts": [fact("contact_frequency", "never")]}, "never"),
        ({"consents": YES, "facts": [fact("preferred_channel", "email")]}, "prefer to be contacted by email"),
        ({"consents": YES, "channel": "web"}, "none of their addresses"),
        ({"consents": YES, "last_episode": Episode(7, "waiting", "asked", None, None, NOW, None, None, None)}, "a person has"),
    ],
)
def test_what_keeps_them_from_it(parts: dict[str, Any], why: str) -> None:
    answer = asked(context(**parts))

    assert isinstance(answer, Not)
    assert why in answer.why


def test_an_unknown_purpose_is_none() -> None:
    assert asked(context(consents=YES), "raffles") == Not("the purpose `raffles` is not declared; add it to memory.yml")


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ("09:00-17:00", datetime(2026, 1, 5, 9, 0, tzinfo=UTC), None),
        ("09:00-17:00", datetime(2026, 1, 5, 17, 0, tzinfo=UTC), datetime(2026, 1, 6, 9, 0, tzinfo=UTC)),
        ("09:00-17:00", datetime(2026, 1, 5, 3, 0, tzinfo=UTC), datetime(2026, 1, 5, 9, 0, tzinfo=UTC)),
        ("22:00-06:00", datetime(2026, 1, 5, 23, 0, tzinfo=UTC), None),
        ("22:00-06:00", datetime(2026, 1, 5, 5, 59, tzinfo=UTC), None),
        ("22:00-06:00", datetime(2026, 1, 5, 6, 0, tzinfo=UTC), datetime(2026, 1, 5, 22, 0, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("purpose", ["offers", "service"])
def test_the_hours_that_they_asked_for(purpose: str, hours: str, now: datetime, until: datetime | None) -> None:
    answer = asked(context(consents=YES, facts=[fact("contact_hours", hours)]), purpose, now=now)

    assert (answer.until if isinstance(answer, Not) else None) == until


def test_hours_are_counted_where_the_company_is() -> None:
    known = context(consents=YES, facts=[fact("contact_hours", "09:00-17:00")])
    answer = asked(known, now=datetime(2026, 7, 1, 16, 30, tzinfo=UTC), zone=ZoneInfo("Europe/London"))

    assert isinstance(answer, Not)
    assert answer.until == datetime(2026, 7, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("often", "days", "allowed"), [("weekly", 6, False), ("weekly", 7, True), ("monthly", 29, False), ("any", 0, True)]
)
def test_no_more_often_than_they_asked_for(often: str, days: int, allowed: bool) -> None:
    last = NOW - timedelta(days=days)
    answer = asked(context(consents=YES, facts=[fact("contact_frequency", often)]), last=last)

    assert isinstance(answer, Allowed) is allowed
    if isinstance(answer, Not):
        assert answer.until == last + {"weekly": timedelta(days=7), "monthly": timedelta(days=30)}[often]


def test_their_own_matter_needs_no_consent_and_waits_for_no_better_mood() -> None:
    known = context(
        experiences=[moment("rating"), moment("waited")],
        promises=[promise(state="broken")],
        facts=[fact("contact_frequency", "never"), fact("preferred_channel", "email", id=2)],
    )

    assert asked(known, "service") == Allowed(known)


def test_of_several_addresses_the_preferred_one() -> None:
    here = context(consents=YES, facts=[fact("preferred_channel", "web")])
    there = replace(here, channel="web", identity_id=2)
    both = ("telegram", "web")

    def answered(*contexts: Context) -> Allowed | Not:
        return may_contact(contexts, DECLARED, "offers", NOW, zone=UTC, channels=both, last=None)

    assert answered(here, there) == Allowed(there)
    assert isinstance(answered(here, replace(there, unreachable=True)), Not)
    assert answered() == Not("there is no such customer")


def test_a_preference_that_has_aged_counts_no_more() -> None:
    old = fact("contact_hours", "03:00-04:00", fresh_at=ago(days=400))
    known = context(consents=YES, facts=[old])
    fresh = replace(DECLARED, facts={**DECLARED.facts, "contact_hours": replace(DECLARED.fact("contact_hours"), fresh_days=365)})

    assert isinstance(asked(known), Not)
    assert may_contact([known], fresh, "offers", NOW, zone=UTC, channels=("telegram",), last=None) == Allowed(known)
