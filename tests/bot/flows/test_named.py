"""What customers name, beside or instead of what is asked: it fills the slot that it is for, and goes before what an action guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.flows.actions import Done
from bot.flows.model import Act, Branch, Collect, Flow, SetSlots, Slot, Step
from tests.bot.flows import talk as talk_module
from tests.bot.flows.talk import Talk

GO, THREE, END = (Branch(None, "two"),), (Branch(None, "three"),), (Branch(None, "END"),)


def _talk(flow: str, *steps: Step, slots: tuple[Slot, ...] = ()) -> Talk:
    return Talk(more=[Flow(flow, "the task", "", {one.id: one for one in steps}, "one")], slots=slots)


def test_a_thing_is_kept_for_the_slot_that_asks_for_it_though_another_slot_is_of_its_kind() -> None:
    other, asked = Slot("another_card", entities=("card",)), Slot("this_card", entities=("card",))
    first, second = Collect("one", 1, GO, "this_card", "utter_ask_card"), Collect("two", 2, END, "reason", "utter_ask_reason")
    talk = _talk("pick", first, second, slots=(other, asked))

    talk.say("my card is the blue one")
    talk.press("/flow pick")

    assert talk.names == ["utter_ask_reason"]
    assert talk.state.slots == {"this_card": "blue"}


def test_what_the_customer_named_goes_before_what_an_action_found() -> None:
    steps = Collect("two", 2, THREE, "card", "utter_ask_card"), Collect("three", 3, END, "reason", "utter_ask_reason")
    talk = _talk("pick", Act("one", 1, GO, "action_look_up_card"), *steps)
    talk.actions.answers["action_look_up_card"] = Done(slots={"card": "red"})

    talk.press("/flow pick")
    assert talk.state.slots["card"] == "red"
    talk.say("cancel")
    talk.say("yes")

    talk.say("my card is the blue one")
    talk.press("/flow pick")
    assert talk.state.slots["card"] == "blue"


def test_what_the_flow_itself_sets_goes_before_what_was_named_earlier() -> None:
    steps = Collect("two", 2, THREE, "card", "utter_ask_card"), Collect("three", 3, END, "reason", "utter_ask_reason")
    talk = _talk("pick", SetSlots("one", 1, GO, {"card": "gold"}), *steps)

    talk.say("my card is the blue one")
    talk.press("/flow pick")

    assert talk.state.slots["card"] == "gold"


def test_a_fact_that_is_told_beside_an_answer_is_not_asked_for_later() -> None:
    talk = _talk("pick", Collect("one", 1, GO, "sure", "utter_ask_sure"), Act("two", 2, END, "action_close"))
    talk.press("/flow pick")

    talk.say("yes, and my customer number is NB1234")
    talk.say("send me a new card")

    assert talk.names == ["utter_ask_card"]
    assert talk.remembered["customer_number"] == "NB1234"


def test_a_thing_that_begins_with_no_is_an_answer_and_corrects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = talk_module.assistant()
    examples = replace(loaded.flows.examples, entities={**loaded.flows.examples.entities, "wish": {"no code": "again"}})
    changed = replace(loaded, flows=replace(loaded.flows, examples=examples))
    monkeypatch.setattr(talk_module, "assistant", lambda: changed)
    first, second = Collect("one", 1, GO, "wish", "utter_ask_reason"), Collect("two", 2, END, "sure", "utter_ask_sure")
    talk = _talk("pick", first, second, slots=(Slot("wish", entities=("wish",)),))
    talk.press("/flow pick")

    talk.say("no code")

    assert talk.state.slots["wish"] == "again"
