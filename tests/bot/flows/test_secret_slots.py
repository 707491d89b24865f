"""Answers that nobody keeps: a code is read, given to the actions, and shown or stored nowhere else."""

from __future__ import annotations

import pytest

from bot.flows.model import Act, Branch, Collect, Flow, Slot, Step
from tests.bot.flows.talk import Talk

STEPS: dict[str, Step] = {
    "ask": Collect("ask", 1, (Branch(None, "check"),), "code", "utter_ask_code", why="it shows that it is you"),
    "check": Act("check", 2, (Branch(None, "why"),), "action_check_code"),
    "why": Collect("why", 3, (Branch(None, "END"),), "reason", "utter_ask_reason"),
}


def talk_of_a_code() -> Talk:
    talk = Talk(more=[Flow("prove", "who you are", "", STEPS, "ask")], slots=[Slot("code", secret=True)])
    talk.press("/flow prove")
    return talk


def test_the_action_gets_the_code_and_the_log_does_not() -> None:
    talk = talk_of_a_code()

    talk.say("it is 737 919, thanks")

    assert talk.actions.calls[-1].slots["code"] == "737 919"
    assert talk.decision.secrets == ("737 919",)
    assert talk.logged == ["it is •••, thanks"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("737919", "•••"),
        ("AB-737919", "•••"),
        ("ab7379 19x please", "••• please"),
        ("swordfish", "•••"),
        ("why do you need it? 737919 is private", "why do you need it? ••• is private"),
        ("no code has come in 5 minutes", "no code has come in 5 minutes"),
    ],
)
def test_what_can_be_a_secret_is_masked_and_other_words_are_not(text: str, kept: str) -> None:
    talk = talk_of_a_code()

    talk.say(text)

    assert talk.logged == [kept]


def test_a_number_in_answer_to_another_question_stays() -> None:
    talk = talk_of_a_code()
    talk.say("737919")

    talk.say("order 737918")

    assert talk.logged == ["order 737918"]


def test_a_secret_ends_with_its_flow() -> None:
    talk = talk_of_a_code()
    talk.say("737919")
    talk.say("because I want to")

    assert talk.at is None
    assert "code" not in talk.state.recent
    assert "code" not in talk.state.slots
    assert "reason" in talk.state.recent


def test_the_person_who_takes_over_is_not_shown_it() -> None:
    talk = talk_of_a_code()
    talk.say("737919")

    talk.say("I want to talk to a person")

    assert "code: •••" in talk.decision.tried[0]
    assert "737919" not in str(talk.decision.tried) + talk.decision.want


def test_a_corrected_code_is_not_read_back() -> None:
    talk = talk_of_a_code()
    talk.say("737919")

    answer = talk.say("sorry, I meant 737918")

    assert talk.actions.calls[-1].slots["code"] == "737918"
    assert "737918" not in answer
    assert "•••" in answer
    assert talk.logged == ["sorry, I meant •••"]
