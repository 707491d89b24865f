"""Consent in the chat: shown before it is given, taken back in whatever words."""

from __future__ import annotations

import pytest

from bot.turn.consent import agree_payload, answer_consent
from bot.turn.decision import Arrived
from bot.turn.deeds import GiveConsent, WithdrawConsent
from bot.understand.extract import extract
from memory.context import Context
from memory.declared import Declarations, Purpose
from tests.bot.turn.gathered import DECLARED, OFFERS, consent, context, pressed, wrote

AGREED = context(consents=[consent("offers", True)])


def outcome(arrived: Arrived, known: Context) -> tuple[str, list[object]] | None:
    decision = answer_consent(arrived, extract(arrived.text, DECLARED), known, DECLARED)
    return None if decision is None else (decision.says[0].name, list(decision.deeds))


@pytest.mark.parametrize(
    "text",
    [
        "/stop",
        "/stop offers",
        "stop",
        "Unsubscribe me please",
        "I want to withdraw my consent",
        "please stop sending me offers",
        "withdraw all my consents",
    ],
)
def test_it_is_taken_back(text: str) -> None:
    assert outcome(wrote(text), AGREED) == ("utter_consent_withdrawn", [WithdrawConsent("offers")])


def test_a_refusal_counts_although_nothing_was_agreed_to() -> None:
    assert outcome(wrote("please stop sending me offers"), context()) == ("utter_consent_withdrawn", [WithdrawConsent("offers")])


@pytest.mark.parametrize("text", ["stop", "stop my card", "stop the cheque", "withdraw 50 pounds", "what is the fee", "I agree"])
def test_other_words_are_about_other_things(text: str) -> None:
    assert outcome(wrote(text), context()) is None


def test_nothing_to_take_back_is_said() -> None:
    assert outcome(wrote("/stop"), context()) == ("utter_consent_nothing", [])


@pytest.mark.parametrize("text", ["/consents", "what did I agree to?", "Which things have I consented to", "show me my consents"])
def test_what_was_agreed_to_is_listed(text: str) -> None:
    decision = answer_consent(wrote(text), (), AGREED, DECLARED)

    assert decision is not None
    (say,) = decision.says
    assert "We may tell you about offers." in say.variables["list"]
    assert "you agreed on 3 Jan 2026" in say.variables["list"]
    assert [button.payload for button in say.buttons] == ["/withdraw offers"]


def test_the_button_under_the_text_is_the_consent() -> None:
    assert outcome(pressed("/agree offers 2"), context()) == ("utter_consent_given", [GiveConsent("offers")])
    assert outcome(pressed("/withdraw offers"), AGREED) == ("utter_consent_withdrawn", [WithdrawConsent("offers")])


@pytest.mark.parametrize("payload", ["/agree offers 1", "/agree raffles 1"])
def test_a_button_under_another_text_shows_the_present_one(payload: str) -> None:
    assert outcome(pressed(payload), context()) == ("utter_consents", [])


def test_an_earlier_version_is_asked_for_anew() -> None:
    decision = answer_consent(wrote("/consents"), (), context(consents=[consent("offers", True, version="1")]), DECLARED)

    assert decision is not None
    assert [button.title for button in decision.says[0].buttons] == ["Withdraw: Offers", "Agree: Offers"]


def test_without_a_purpose_that_needs_consent_there_is_nothing_to_answer() -> None:
    assert answer_consent(wrote("/stop"), (), context(), Declarations()) is None


def test_a_payload_fits_into_a_button() -> None:
    assert len(agree_payload(Purpose("p" * 90, "P", "P.", "v" * 90, "required")).encode()) <= 64
    assert agree_payload(OFFERS) == "/agree offers 2"
