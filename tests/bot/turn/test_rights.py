"""What customers ask about their own data: recognised when meant, asked about once, and never done by mistake."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.messages import Event
from bot.turn.brain import KnowledgeBrain
from bot.turn.decision import Arrived, Decision
from bot.turn.linker import Linker
from bot.turn.linking import Gate
from bot.turn.rights import (
    CONFIRM,
    FORGET,
    FORGET_NO,
    FORGET_YES,
    MY_DATA,
    AskToForget,
    answer_rights,
    asks_to_be_forgotten,
    asks_what_is_known,
)
from bot.understand.hear import hear
from bot.understand.knowledge import Knowledge
from memory.clock import ManualClock
from memory.context import Context, Past
from memory.declared import Declarations, Declared
from tests.bot.turn.test_decide import NOBODY, NOW, came, episode, known

NOTHING = Knowledge([])


@pytest.mark.parametrize(
    "text",
    [
        "forget me",
        "Please forget everything you know about me.",
        "delete my data",
        "I want you to delete all my personal data!",
        "could you erase my chat history please",
        "Can you please remove all of my information",
        "I want to be forgotten",
        "I have the right to be forgotten",
        "delete everything you have about me",
        "wipe my personal information from your systems",
        "please delete me from your system",
        "Hello. Delete all my messages, thanks",
    ],
)
def test_a_wish_to_be_forgotten_is_heard(text: str) -> None:
    assert asks_to_be_forgotten(text)


@pytest.mark.parametrize(
    "text",
    [
        "don't forget me",
        "please do not delete my data",
        "did you forget me?",
        "why did you delete my data",
        "you forgot me",
        "forget it",
        "forget about it",
        "I forgot my password",
        "never forget me",
        "delete my account",
        "remove my card from the app",
        "how do I delete a payee",
        "have you deleted my details?",
        "delete the standing order",
    ],
)
def test_what_only_sounds_like_it_is_no_such_wish(text: str) -> None:
    assert not asks_to_be_forgotten(text)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("what do you know about me?", True),
        ("What data do you have on me", True),
        ("what information do you store about me", True),
        ("show me everything you know about me", True),
        ("show me my data", True),
        ("my data", True),
        ("which personal data do you hold, what do you keep about me", True),
        ("what do you know about cards?", False),
        ("what do I have to do about my card", False),
        ("tell me about the fees", False),
        ("my data roaming does not work", False),
        ("show me my balance", False),
    ],
)
def test_a_question_for_what_is_known_is_heard(text: str, asks: bool) -> None:
    assert asks_what_is_known(text) is asks


def pressed(payload: str) -> Arrived:
    return came(event=Event.PRESS, kind="press", data={"payload": payload, "callback": "1"})


def answered(arrived: Arrived, context: Context = NOBODY, declared: Declarations | None = None) -> Decision | None:
    return answer_rights(arrived, hear(arrived.text, NOTHING), context, declared or Declarations())


def asked(*after: Past, **state: Any) -> Context:
    question = Past(9, "out", "assistant", None, "text", "Shall everything be deleted?", CONFIRM, NOW)
    return replace(known(**{"asked": "forget", **state}), exchanges=(question, *after))


def test_it_is_asked_once_before_anything_is_deleted() -> None:
    for arrived in (came("delete my data"), came(FORGET), pressed(FORGET)):
        decision = answered(arrived)
        assert decision is not None
        assert (decision.says[0].name, decision.deeds) == (CONFIRM, ())
        assert decision.dialogue == {"asked": "forget", "unsure": 0}
        assert [button.payload for button in decision.says[0].buttons] == [FORGET_YES, FORGET_NO]


@pytest.mark.parametrize("arrived", [pressed(FORGET_YES), came("yes"), came("yes please")])
def test_a_yes_is_done(arrived: Arrived) -> None:
    decision = answered(arrived, asked())
    assert decision is not None
    assert decision.deeds == (AskToForget(),)
    assert decision.says[0].name == "utter_forgotten"


@pytest.mark.parametrize("arrived", [pressed(FORGET_NO), came("no"), came("no thanks")])
def test_a_no_leaves_everything(arrived: Arrived) -> None:
    decision = answered(arrived, asked())
    assert decision is not None
    assert (decision.deeds, decision.says[0].name) == ((), "utter_forget_declined")


def test_a_yes_to_something_else_deletes_nothing() -> None:
    later = Past(10, "out", "assistant", None, "text", "Did that work out?", "utter_greet_returning", NOW)
    assert answered(came("yes"), asked(later)) is None
    assert answered(came("yes"), known(asked="forget")) is None


def test_an_old_button_asks_again() -> None:
    decision = answered(pressed(FORGET_YES), known())
    assert decision is not None
    assert (decision.says[0].name, decision.deeds) == (CONFIRM, ())


def test_it_is_the_same_while_a_person_has_the_conversation_and_the_desk_sees_it() -> None:
    context = replace(asked(), last_episode=episode("owned"))
    for arrived in (came("forget me"), pressed(FORGET_YES), pressed(FORGET_NO), came(MY_DATA)):
        decision = answered(arrived, context)
        assert decision is not None
        assert decision.relay


def test_an_edit_or_a_reaction_asks_for_nothing() -> None:
    assert answered(came("forget me", event=Event.EDIT, about=1)) is None
    assert answered(came(event=Event.REACTION, data={"emoji": "👍"})) is None


DECLARED = Declarations(facts={name: Declared(name, proof=proof) for name, proof in (("city", "seen"), ("account", "confirmed"))})  # type: ignore[arg-type]


def with_facts(proof: str = "seen", days: int = 0) -> Context:
    when = NOW.isoformat()
    facts = [
        {"id": n, "customer_id": 1, "name": name, "value": value, "standing": "current", "source": "customer", "confidence": 1.0,
         "purpose": "service", "since": when, "learned_at": when, "fresh_at": when}
        for n, (name, value) in enumerate((("city", "<York>"), ("account", "4711")))
    ]  # fmt: skip
    return replace(known(), known={"facts": facts}, proof=proof, proven_at=NOW - timedelta(days=days))


def test_what_is_known_is_told_as_far_as_the_proof_goes() -> None:
    decision = answered(came("what do you know about me?"), with_facts(), DECLARED)
    assert decision is not None
    [say] = decision.says
    assert say.name == "utter_my_data_withheld"
    assert "&lt;York&gt;" in say.variables["list"]
    assert "4711" not in str(say.variables)
    assert say.variables["withheld"] == "account"


def test_who_has_proved_who_they_are_is_told_everything() -> None:
    decision = answered(came(MY_DATA), with_facts("verified"), DECLARED)
    assert decision is not None
    assert decision.says[0].name == "utter_my_data"
    assert "4711" in decision.says[0].variables["list"]


def test_a_proof_that_is_too_old_is_none() -> None:
    decision = answered(came(MY_DATA), with_facts("verified", days=400), DECLARED)
    assert decision is not None
    assert decision.says[0].name == "utter_my_data_withheld"


@pytest.mark.parametrize(("proven_days_ago", "holds_days", "named"), [(40, 50, "utter_my_data"), (10, 5, "utter_my_data_withheld")])
async def test_how_long_a_proof_holds_is_set(clock: ManualClock, proven_days_ago: int, holds_days: int, named: str) -> None:
    """The gate of the turn carries the setting to everything that goes by a proof."""
    gate = Gate(fresh_for=timedelta(days=holds_days))
    nowhere: Any = None  # no link is wished for, so no database is asked
    brain = KnowledgeBrain(NOTHING, returning_after_s=60, declared=DECLARED, linker=Linker(nowhere, clock, NOTHING, DECLARED, gate))

    decision, _ = await brain.think(came(MY_DATA), with_facts("verified", days=proven_days_ago))

    assert [say.name for say in decision.says] == [named]


def test_of_who_nothing_is_known_nothing_is_told() -> None:
    decision = answered(came(MY_DATA), replace(NOBODY, profile_name=None))
    assert decision is not None
    assert decision.says[0].name == "utter_my_data_nothing"
