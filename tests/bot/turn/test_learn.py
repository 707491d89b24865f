"""What is learned from what customers write, and when they are asked whether it is so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.markup import Html
from bot.messages import Button, Event
from bot.turn.confirm import DROP, KEEP, mark_of
from bot.turn.decide import decide
from bot.turn.decision import Arrived, Decision, Reason, Say
from bot.turn.deeds import Confirm, MoveJourney, NoteExperience, Reject, Remember, WithdrawConsent
from bot.turn.learn import follow, learn, study
from bot.understand.extract import extract
from bot.understand.hear import hear
from bot.understand.knowledge import Article, Knowledge
from memory.context import Context, Episode, Past
from tests.bot.turn.gathered import DECLARED, NOW, ago, consent, context, fact, journey, pressed, wrote

SMITH, JONES = "+442079460018", "+442079460099"
LOST = Article("lost-card", "Lost card", "", ("i lost my card",), "Block it.", Html("Block it."))


def taken(arrived: Arrived, known: Context, *, knowledge: Knowledge | None = None, **more: Any) -> tuple[Decision, dict[str, Any]]:
    """The whole of a turn's thinking."""
    found = extract(arrived.text, DECLARED)
    lessons = study(arrived, found, known, DECLARED)
    decision = decide(
        arrived,
        hear(arrived.text, knowledge or Knowledge([LOST])),
        known,
        chosen=None,
        returning_after=timedelta(minutes=30),
        declared=DECLARED,
        found=found,
        lessons=lessons,
    )
    return learn(arrived, lessons, known, decision, DECLARED, **more)


def names(decision: Decision) -> list[str]:
    return [say.name for say in decision.says]


def test_what_is_sure_is_kept_and_acknowledged() -> None:
    decision, trace = taken(wrote("My phone number is 020 7946 0018"), context())

    assert decision.deeds == (Remember("phone", SMITH, 0.95),)
    assert [(say.name, say.variables) for say in decision.says] == [("utter_noted", {"what": f"telephone number: {SMITH}"})]
    assert trace == {"learned": ["phone"]}


def test_a_matter_comes_before_the_acknowledgement() -> None:
    decision, _ = taken(wrote("I lost my card, my number is 020 7946 0018"), context(), knowledge=Knowledge([LOST]))

    assert names(decision)[0] in ("utter_article", "utter_clarify")
    assert [deed for deed in decision.deeds if isinstance(deed, Remember)] == [Remember("phone", SMITH, 0.95)]


def test_a_likely_value_is_asked_about_once() -> None:
    decision, trace = taken(wrote("020 7946 0018"), context())

    (say,) = decision.says
    assert say == Say(
        "utter_confirm_fact",
        {"title": "telephone number", "value": SMITH},
        (Button("Yes", KEEP + mark_of("phone", SMITH)), Button("No", DROP + mark_of("phone", SMITH))),
    )
    assert trace == {"likely": ["phone"]}
    assert decision.dialogue is not None
    assert decision.dialogue["asked"] == "confirm"

    proposed = [fact("phone", SMITH, id=7, standing="proposed", confidence=0.7)]
    again, trace = taken(wrote("020 7946 0018"), context(facts=proposed, dialogue=decision.dialogue))
    assert "utter_confirm_fact" not in names(again)
    assert trace == {}
    assert again.dialogue is not None
    assert again.dialogue["asked"] is None


def test_a_likely_value_is_asked_about_whatever_was_asked_before_and_after_an_edit() -> None:
    asked = context(dialogue={"asked": "worked_out", "asked_matter": "Lost card"})
    assert names(taken(wrote("020 7946 0018"), asked)[0]) == ["utter_confirm_fact"]

    known = context(exchanges=(said("Hello", author="customer", id_=256),))
    edited = Arrived(wrote("020 7946 0018", event=Event.EDIT).parts, about_id=256)
    assert names(taken(edited, known)[0]) == ["utter_confirm_fact"]


def test_a_value_in_place_of_another_is_asked_about_as_such() -> None:
    decision, _ = taken(wrote("020 7946 0099"), context(facts=[fact("phone", SMITH)]))

    assert names(decision) == ["utter_confirm_fact_instead"]


@pytest.mark.parametrize(
    ("arrived", "deeds", "rule"),
    [
        (wrote("yes"), (Confirm(7),), "confirmed"),
        (wrote("no"), (Reject(7),), "rejected"),
        (pressed(KEEP + mark_of("phone", SMITH)), (Confirm(7),), "confirmed"),
        (pressed(DROP + mark_of("phone", SMITH)), (Reject(7),), "rejected"),
        (pressed(KEEP + mark_of("phone", JONES)), (), "settled already"),
    ],
)
def test_the_answer_settles_the_proposal(arrived: Arrived, deeds: tuple[object, ...], rule: str) -> None:
    proposed = [fact("phone", SMITH, id=7, standing="proposed", confidence=0.7)]
    mark = mark_of("phone", SMITH)
    known = context(facts=proposed, dialogue={"asked": "confirm", "asked_fact": mark, "asked_facts": [mark]}, exchanges=(said("Hello"),))

    decision, _ = taken(arrived, known)

    assert (decision.rule, decision.deeds) == (rule, deeds)
    assert decision.dialogue is not None
    assert decision.dialogue["asked"] is None


def test_an_old_button_does_not_answer_a_later_question() -> None:
    proposed = [fact("phone", JONES, id=8, standing="proposed"), fact("phone", SMITH, id=7, standing="proposed")]
    known = context(facts=proposed, dialogue={"asked": "confirm", "asked_fact": mark_of("phone", JONES)})

    decision, _ = taken(pressed(KEEP + mark_of("phone", SMITH)), known)

    assert decision.deeds == (Confirm(7),)


def test_a_yes_to_nothing_confirms_nothing() -> None:
    known = context(facts=[fact("phone", SMITH, id=7, standing="proposed")], exchanges=(said("Hello"),))

    assert taken(wrote("yes"), known)[0].deeds == ()


def test_who_is_handed_over_is_not_asked() -> None:
    known = context(facts=[fact("phone", SMITH, id=7, standing="proposed")])

    decision, _ = taken(wrote("I want to talk to a person"), known)

    assert (decision.handoff, names(decision)) == (Reason.ASKED, ["utter_handoff"])


AGREED = [consent("offers", True)]


def test_a_consent_is_taken_back_whatever_else_is_said() -> None:
    both, _ = taken(wrote("Please stop sending me offers. And I want to talk to a person"), context(consents=AGREED))
    assert (both.handoff, both.deeds) == (Reason.ASKED, (WithdrawConsent("offers"),))
    assert names(both) == ["utter_consent_withdrawn", "utter_handoff"]

    known = context(consents=AGREED, last_episode=Episode(7, "owned", "asked", None, None, NOW, None, None, None))
    silent, _ = taken(wrote("please stop sending me offers"), known)
    assert (silent.relay, names(silent), silent.deeds) == (True, ["utter_consent_withdrawn"], (WithdrawConsent("offers"),))


def test_another_identitys_proposal_is_named_only_to_who_has_proven_enough() -> None:
    known = context(facts=[fact("phone", SMITH, id=7, standing="proposed")], person=(1, 2))

    assert names(taken(wrote("thanks"), known)[0]) == ["utter_thanks"]
    arrived = wrote("thanks")
    proven = replace(known, proof="confirmed", proven_at=arrived.first.at - timedelta(days=1))
    assert "utter_confirm_fact" in names(taken(arrived, proven)[0])
    stale = replace(known, proof="confirmed", proven_at=arrived.first.at - timedelta(days=60))
    assert names(taken(arrived, stale)[0]) == ["utter_thanks"]
    assert "utter_confirm_fact" in names(taken(arrived, stale, proof_fresh_for=timedelta(days=61))[0])
    assert names(taken(arrived, proven, proof_fresh_for=timedelta(hours=1))[0]) == ["utter_thanks"]


def test_what_needs_a_missing_consent_is_not_kept_and_the_consent_is_asked_for_once() -> None:
    arrived = wrote("hello there")
    found = [replace(one, name="interests", value=["loans"]) for one in extract("my e-mail is a@b.example", DECLARED)]
    lessons = study(arrived, found, context(), DECLARED)

    assert (lessons.facts, lessons.missing) == ((), ("interests",))
    first, trace = learn(arrived, lessons, context(), Decision("told"), DECLARED)
    assert trace == {"no consent": ["interests"]}
    assert [(say.name, say.buttons[0].payload) for say in first.says] == [("utter_consent_needed", "/agree offers 2")]
    second, _ = learn(arrived, lessons, context(dialogue=first.dialogue or {}), Decision("told"), DECLARED)
    assert second.says == ()

    agreed = context(consents=[consent("offers", True)])
    assert study(arrived, found, agreed, DECLARED).facts == (Remember("interests", ["loans"], found[0].confidence),)


def test_a_value_that_does_not_fit_is_noted_and_nothing_breaks() -> None:
    decision, trace = taken(wrote(kind="contact", data={"own": True, "phone": "12"}), context())

    assert decision.deeds == ()
    assert trace == {"not of its type": ["phone"]}


def test_a_shared_contact_has_its_plus() -> None:
    lessons = study(wrote(kind="contact", data={"own": True, "phone": "442079460018"}), (), context(), DECLARED)

    assert lessons.facts == (Remember("phone", SMITH),)


@pytest.mark.parametrize(
    ("row", "again"),
    [
        (fact("phone", SMITH, fresh_at=ago(hours=1)), False),
        (fact("phone", SMITH, fresh_at=ago(days=2)), True),
        (fact("phone", SMITH, fresh_at=ago(hours=1), source="channel"), True),
        (fact("phone", JONES, fresh_at=ago(hours=1)), True),
    ],
)
def test_what_is_told_again_within_a_day_is_not_noted_again(row: dict[str, Any], again: bool) -> None:
    decision, _ = taken(wrote("My phone number is 020 7946 0018"), context(facts=[row]))

    assert bool(decision.deeds) is again


def test_an_old_edit_teaches_nothing() -> None:
    arrived = wrote("My phone number is 020 7946 0018", event=Event.EDIT)

    assert taken(arrived, context())[0] == Decision("edit noted")


def test_an_article_moves_the_journey_and_a_handoff_the_next() -> None:
    decision, _ = taken(wrote("i lost my card"), context())
    assert decision.deeds == (MoveJourney("card", "lost", "article lost-card"),)
    assert taken(wrote("i lost my card"), context(journeys=[journey("lost")]))[0].deeds == ()

    asked = Decision("handoff asked", handoff=Reason.ASKED)
    known = context(journeys=[journey("lost")])
    followed = follow(asked, wrote("agent"), known, DECLARED, waited=timedelta(0), limit=timedelta(minutes=2))
    assert followed.deeds == (MoveJourney("card", "with us", "handoff opened"),)


def test_an_answer_that_comes_late_is_a_bad_moment() -> None:
    greeted = Decision("greet", says=(Say("utter_greet"),))

    def late(seconds: float, decision: Decision = greeted) -> tuple[object, ...]:
        limit = timedelta(minutes=2)
        return follow(decision, wrote("Hello"), context(), DECLARED, waited=timedelta(seconds=seconds), limit=limit).deeds

    assert late(120) == ()
    assert late(600) == (NoteExperience(False, "waited", 1.0, {"minutes": 10, "until": "answered"}),)
    assert late(600, Decision("relay", relay=True)) == ()


def said(text: str, *, author: str = "assistant", id_: int = 1, minutes: float = 60) -> Past:
    direction = "in" if author == "customer" else "out"
    return Past(id_, direction, author, None, "text", text, None, NOW - timedelta(minutes=minutes))
