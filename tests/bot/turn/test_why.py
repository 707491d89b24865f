"""A turn's reasons in plain words."""

from __future__ import annotations

from bot.flows.actions import Done
from bot.turn.why import explain
from tests.bot.flows.talk import Talk


def told(talk: Talk) -> str:
    return "\n".join(explain(talk.decision.rule, talk.trace))


def test_a_turn_without_flows() -> None:
    talk = Talk()
    talk.say("thanks")

    assert told(talk) == "Heard: thanks.\nNoted: good thanks.\nRule: thanks."


def test_what_was_understood_and_what_came_of_it() -> None:
    talk = Talk()
    talk.know("customer_number", "NB1234")
    talk.say("I need a new card, the red one")

    lines = told(talk).splitlines()

    assert "Intents: send_card (0.95)." in lines
    assert "Named: card." in lines
    assert "Commands: keep what was named: card; begin send_card." in lines
    assert "Known already, so not asked: customer_number (fact 11)." in lines
    assert "Event: flow send_card finished." in lines
    assert lines[-2:] == ["After: no flow is open.", "Rule: flow started."]


def test_an_action_with_its_outcome() -> None:
    talk = Talk()
    talk.actions.answers["action_transfer"] = Done(failed="timeout")
    talk.say("transfer 50 pounds to Bob")
    assert "After: the flow transfer_money at is_sure, waiting for the customer's answer about sure." in told(talk)

    talk.say("yes")

    assert "Action action_transfer: failed, timeout in " in told(talk)
    assert "Bob" not in told(talk)


def test_what_was_withheld_and_why() -> None:
    lines = explain("flow", {"withheld": {"utter_offer": "they have not agreed to it"}})

    assert "Not said: utter_offer, as they have not agreed to it." in lines


def test_a_failed_turn() -> None:
    assert explain("failed", {"error": "ValueError"}) == ["Rule: failed.", "It failed: ValueError."]


def test_every_command_has_its_words() -> None:
    import bot.flows.commands as commands
    from bot.turn.why import _COMMANDS

    names = {name.lower() for name, one in vars(commands).items() if isinstance(one, type) and one.__module__ == commands.__name__}
    assert names == set(_COMMANDS)
