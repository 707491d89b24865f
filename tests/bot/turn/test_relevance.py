"""The relevance gate: what is said to whom, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.turn.decision import Decision, Say
from bot.turn.deeds import GiveConsent
from bot.turn.relevance import NOTHING_NOW, Relevance, sift
from tests.bot.turn.gathered import DECLARED, NOW, ago, consent, context, fact, journey, moment

YES = [consent("offers", True)]


@dataclass(frozen=True)
class NotSingle:
    text: str = "not customer.household = 'single'"

    def holds(self, values: Mapping[str, Mapping[str, Any]]) -> bool:
        return values["customer"].get("household") != "single"


OFFER = {"utter_couples": Relevance("offers", NotSingle())}
OFFERED = Decision("knowledge", says=(Say("utter_article"), Say("utter_couples")))


def test_an_offer_is_made_to_who_agreed_to_offers() -> None:
    assert sift(OFFERED, OFFER, context(consents=YES), DECLARED, NOW) == (OFFERED, {})


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({}, "they have not agreed to it"),
        ({"consents": [consent("offers", False)]}, "they took their consent back"),
        ({"consents": YES, "facts": [fact("household", "single")]}, "it is for customers of whom holds: not customer.household = 'single'"),
        ({"consents": YES, "journeys": [journey("open", "complaint")]}, "a complaint of theirs is open"),
        ({"consents": YES, "experiences": [moment("mood", at=ago(days=2))]}, "they had a bad moment"),
    ],
)
def test_what_does_not_concern_them_is_left_out_with_the_reason(parts: dict[str, Any], why: str) -> None:
    decision, withheld = sift(OFFERED, OFFER, context(**parts), DECLARED, NOW)

    assert [say.name for say in decision.says] == ["utter_article"]
    assert withheld["utter_couples"].startswith(why)


def test_who_agrees_in_this_very_turn_has_agreed() -> None:
    agreed = replace(OFFERED, deeds=(GiveConsent("offers"),))

    assert sift(agreed, OFFER, context(), DECLARED, NOW) == (agreed, {})
    assert sift(replace(OFFERED, deeds=(GiveConsent("service"),)), OFFER, context(), DECLARED, NOW)[1] != {}


def test_a_complaint_that_is_settled_long_ago_is_no_reason() -> None:
    old = context(consents=YES, experiences=[moment("mood", at=ago(days=9))])

    assert sift(OFFERED, OFFER, old, DECLARED, NOW) == (OFFERED, {})


def test_something_else_is_said_instead() -> None:
    rules = {"utter_couples": Relevance("offers", instead="utter_cards")}

    decision, withheld = sift(OFFERED, rules, context(), DECLARED, NOW)

    assert [say.name for say in decision.says] == ["utter_article", "utter_cards"]
    assert list(withheld) == ["utter_couples"]


def test_a_customer_is_never_left_without_an_answer() -> None:
    decision, _ = sift(Decision("flow", says=(Say("utter_couples"),)), OFFER, context(), DECLARED, NOW)

    assert decision.says == (Say(NOTHING_NOW),)


def test_facts_whose_consent_was_taken_back_decide_nothing() -> None:
    known = context(facts=[fact("household", "single", purpose="offers")])
    rules = {"utter_couples": Relevance(when=NotSingle())}

    assert sift(OFFERED, rules, known, DECLARED, NOW) == (OFFERED, {})
