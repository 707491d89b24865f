"""The rules of a turn that need no conversation to be shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.markup import Html
from bot.messages import Attachment, Event, Incoming
from bot.turn.decide import AFFIRM, DENY, PERSON, Arrived, Decision, Reason, decide, fail
from bot.turn.deeds import NoteExperience, Remember
from bot.turn.learn import learn, study
from bot.understand.hear import hear
from bot.understand.knowledge import Article, Knowledge
from memory.context import Context, Episode, Past
from memory.declared import Declarations, Declared
from memory.values import Type

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NOBODY = Context(
    customer_id=1,
    home_id=1,
    person=(1,),
    identity_id=1,
    channel="telegram",
    address="42",
    profile_name="Cora",
    username=None,
    language=None,
    proof="seen",
    proven_at=None,
    unreachable=False,
    ownership=0,
    dialogue={},
    known={},
    version=0,
    exchanges=(),
    last_episode=None,
)


def past(id_: int, author: str = "customer", kind: str = "text", minutes: float = 1) -> Past:
    return Past(id_, "in" if author == "customer" else "out", author, None, kind, "words", None, NOW - timedelta(minutes=minutes))


def known(*exchanges: Past, episode: Episode | None = None, **state: Any) -> Context:
    return replace(NOBODY, exchanges=exchanges or (past(1), past(2, "assistant")), last_episode=episode, dialogue=state)


def episode(state: str = "waiting", **more: Any) -> Episode:
    values = {"owner": None, "owner_name": None, "ended_at": None, "ending": None, "return_packet": None, **more}
    return Episode(id=7, state=state, reason="asked", opened_at=NOW, **values)


def came(text: str = "", about: int | None = None, continued: bool = False, **more: Any) -> Arrived:
    return Arrived((Incoming("telegram", "1", "42", NOW, text=text, **more),), continued, about)


def decided(arrived: Arrived, context: Context, chosen: Article | None = None) -> Decision:
    heard = hear(arrived.text, Knowledge([]))
    return decide(arrived, heard, context, chosen=chosen, returning_after=timedelta(minutes=30))


def names(decision: Decision) -> list[str]:
    return [say.name for say in decision.says]


def press(payload: str) -> Arrived:
    return came(event=Event.PRESS, kind="press", data={"payload": payload, "callback": "c"})


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("photo", "photo"),
        ("document", "document"),
        ("voice", "voice"),
        ("audio", "voice"),
        ("video", "video"),
        ("video_note", "video"),
        ("animation", "video"),
        ("sticker", "sticker"),
        ("location", "location"),
        ("contact", "contact"),
        ("other", "other"),
        ("dice", "other"),
    ],
)
def test_what_cannot_be_read_is_acknowledged_in_words(kind: str, reply: str) -> None:
    assert names(decided(came(kind=kind), known())) == [f"utter_received_{reply}"]


def test_an_album_is_counted() -> None:
    part = came(kind="photo").first
    (say,) = decided(Arrived((part, part, part)), known()).says
    assert (say.name, say.variables) == ("utter_received_album", {"count": 3})


def test_a_file_that_cannot_be_fetched_is_said_before_anything_else() -> None:
    large = Attachment("telegram", "document", "f", "u", size=10**9, too_large=True)
    assert decided(came("How?", kind="document", attachments=(large,)), known()).rule == "too large"


def test_a_late_part_of_an_album_gets_no_second_answer() -> None:
    assert decided(came(kind="photo", continued=True), known()) == Decision("noted")


@pytest.mark.parametrize(("status", "reachable"), [("kicked", False), ("member", True)])
def test_who_blocks_gets_no_answer(status: str, reachable: bool) -> None:
    arrived = came(event=Event.MEMBERSHIP, kind="membership", data={"status": status})
    assert decided(arrived, known()) == Decision("membership", reachable=reachable)
    assert decided(arrived, known(episode=episode())).relay


@pytest.mark.parametrize(
    ("exchanges", "about", "answered"),
    [
        ((past(1), past(2, "assistant")), 1, True),
        ((past(1), past(2, "assistant"), past(3), past(4, "assistant")), 1, False),
        ((past(1), past(2, "assistant"), past(3, kind="reaction")), 1, True),
        ((past(1), past(2, "assistant"), past(3, kind="edit"), past(4, "assistant")), 1, True),
        ((past(1), past(2, "agent")), 1, False),
        ((past(1), past(2, "assistant")), None, False),
        ((past(2, "assistant"),), 2, False),
    ],
)
def test_an_edit_is_answered_only_if_it_changes_the_last_words(exchanges: tuple[Past, ...], about: int | None, answered: bool) -> None:
    decision = decided(came("Hello", about, event=Event.EDIT), known(*exchanges))
    assert (decision.rule != "edit noted") == answered


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ({"phone": "+1", "own": True}, [("phone", "+1")]),
        ({"phone": "+1", "own": False}, []),
        ({"own": True}, []),
    ],
)
def test_only_their_own_contact_is_a_fact(data: dict[str, Any], facts: list[tuple[str, str]]) -> None:
    lessons = study(came(kind="contact", data=data), (), known(), Declarations())
    assert [(one.name, one.value) for one in lessons.facts] == facts


def test_a_location_is_a_fact_also_while_with_a_person() -> None:
    arrived, context = came(kind="location", data={"latitude": 1.0, "longitude": 2.0}), known(episode=episode("owned"))
    declared = Declarations({"location": Declared("location", Type.PLACE)})
    decision, _ = learn(arrived, study(arrived, (), context, declared), context, decided(arrived, context), declared)
    assert (decision.relay, decision.deeds) == (True, (Remember("location", {"latitude": 1.0, "longitude": 2.0}),))


def test_while_with_a_person_the_assistant_is_silent() -> None:
    for arrived in (came("Hello"), came("I want a human"), press(PERSON), press(AFFIRM), came("/start")):
        assert decided(arrived, known(episode=episode("owned"))) == Decision("relay", relay=True)


@pytest.mark.parametrize("arrived", [came("I want a human"), press(PERSON)])
def test_who_asks_again_while_nobody_came_is_told_once(arrived: Arrived) -> None:
    context = known(episode=episode())
    decision = decided(arrived, context)
    assert (names(decision), decision.relay, decision.handoff) == (["utter_handoff_waiting"], True, None)
    assert decision.dialogue is not None

    assert decided(arrived, replace(context, dialogue=decision.dialogue)) == Decision("relay", relay=True)


def test_asking_for_a_person_works_in_the_middle_of_a_question() -> None:
    for arrived in (came("Can I talk to a human please"), press(PERSON)):
        decision = decided(arrived, known(asked="worked_out", asked_matter="Cards", unsure=1))
        assert (decision.handoff, names(decision)) == (Reason.ASKED, ["utter_handoff"])
        assert decision.dialogue is not None
        assert (decision.dialogue["asked"], decision.dialogue["unsure"]) == (None, 0)


@pytest.mark.parametrize(
    ("payload", "state", "rule"),
    [
        (AFFIRM, {"asked": "worked_out"}, "worked out"),
        (DENY, {"asked": "worked_out", "asked_matter": "Cards"}, "not worked out"),
        (AFFIRM, {}, "yes_what"),
        (DENY, {}, "no_what"),
    ],
)
def test_yes_and_no_depend_on_what_was_asked(payload: str, state: dict[str, Any], rule: str) -> None:
    assert decided(press(payload), known(**state)).rule == rule


def test_thanks_with_a_no_is_a_thank_you_where_nothing_was_asked() -> None:
    assert decided(came("thanks, that's all"), known()).rule == "thanks"


def test_a_chosen_article_is_given_and_remembered() -> None:
    article = Article("cards", "Cards", "", (), "So", Html("<b>So</b>"))
    decision = decided(press("/article cards"), known(unsure=1, tried=["Cards", "Loans"]), article)

    assert (decision.rule, names(decision)) == ("chosen", ["utter_article"])
    assert decision.dialogue is not None
    assert (decision.dialogue["matter"], decision.dialogue["unsure"], decision.dialogue["tried"]) == ("Cards", 0, ["Cards", "Loans"])


def test_an_episode_is_asked_about_once() -> None:
    ended = episode("ended", ended_at=NOW, ending="returned", return_packet={"agent": "Ann Archer", "want": "a card", "note": None})
    first = decided(came("Hello"), known(episode=ended))
    assert names(first) == ["utter_greet_after_handoff"]
    assert first.says[0].variables["agent"] == "Ann"
    assert first.dialogue is not None

    assert decided(came("Hello"), known(episode=ended, **first.dialogue)).rule == "greet"


def test_nothing_known_is_an_unsure_turn_and_the_second_goes_to_a_person() -> None:
    first = decided(came("qwertyuiop asdfgh"), known())
    assert (first.rule, names(first)) == ("clarify", ["utter_clarify_open"])
    assert first.dialogue is not None
    second = decided(came("zxcvbnm qwerty"), known(**first.dialogue))
    assert second.handoff is Reason.UNSURE


def test_what_fails_goes_to_a_person_or_to_the_one_who_is_there() -> None:
    failed = fail(known(), Reason.FAILED)
    assert (failed.rule, names(failed), failed.handoff) == ("failed", ["utter_handoff_failed"], Reason.FAILED)
    assert [(deed.good, deed.kind) for deed in failed.deeds if isinstance(deed, NoteExperience)] == [(False, "failed")]
    assert fail(known(episode=episode()), Reason.OVERDUE) == Decision("relay", relay=True)
