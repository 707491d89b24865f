"""Flows as a customer meets them: asked once, interrupted, corrected, cancelled, gone on with. A brain without a database."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from bot.flows.actions import Done, Uttered
from bot.flows.model import Act, Branch, Call, Collect, Flow, Link, Noop, SetSlots, Slot, Step
from bot.flows.state import FLOWS
from bot.flows.steps import MOST_CALLS
from bot.turn.decision import Reason
from bot.turn.deeds import MoveJourney
from memory.context import Episode
from tests.bot.flows.talk import INTENTS, Talk


def test_a_flow_runs_from_its_intent_to_its_end() -> None:
    talk = Talk()

    assert talk.say("I want to transfer money") == "How much shall I transfer?"
    assert talk.say("50") == "Who is it for?"
    assert talk.say("Bob") == "Shall I transfer 50 to Bob?"
    assert talk.say("yes") == "I have transferred 50 to Bob."

    assert talk.at is None
    assert [(one.action, one.call, dict(one.slots)["recipient"]) for one in talk.actions.calls] == [("action_transfer", 0, "Bob")]
    assert talk.context.dialogue["matter"] == "your transfer"


def test_what_is_said_at_once_is_not_asked_for() -> None:
    talk = Talk()

    assert talk.say("transfer 50 pounds to Bob") == "Shall I transfer 50 to Bob?"


def test_two_questions_are_answered_at_once() -> None:
    talk = Talk()
    talk.say("I want to transfer money")

    assert talk.say("50 for Alice") == "Shall I transfer 50 to Alice?"


def test_the_slots_end_with_the_flow() -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to Bob")
    talk.say("yes")

    assert talk.say("transfer money again") == "How much shall I transfer?"
    assert talk.state.slots == {}


def test_a_question_in_between_is_answered_and_leads_back() -> None:
    talk = Talk()
    talk.say("I want to transfer money")

    answer = talk.say("what are your opening hours?")

    assert talk.names == ["utter_article", "utter_flow_back", "utter_ask_amount"]
    assert answer.endswith("How much shall I transfer?")
    assert talk.say("20") == "Who is it for?"


@pytest.mark.parametrize("text", ["thanks", "hello", "help", "bye"])
def test_small_talk_leads_back(text: str) -> None:
    talk = Talk()
    talk.say("I want to transfer money")

    assert talk.say(text).endswith("How much shall I transfer?")
    assert talk.at == ("transfer_money", "how_much")


def test_another_task_comes_first_and_this_one_afterwards() -> None:
    talk = Talk()
    talk.say("close my account")

    talk.say("please transfer 20 pounds to Bob")
    assert talk.names == ["utter_flow_switch", "utter_ask_sure"]
    assert [one.flow for one in talk.state.stack] == ["close_account", "transfer_money"]

    talk.say("yes")
    assert talk.names == ["utter_transferred", "utter_flow_back", "utter_ask_reason"]
    assert talk.say("it is too expensive for me") == "Your account will be closed."


def test_the_task_that_is_under_way_is_not_begun_again() -> None:
    talk = Talk()
    talk.say("close my account")
    talk.say("please transfer 20 pounds to somebody")

    talk.press("/flow close_account")

    assert talk.names == ["utter_flow_back", "utter_ask_reason"]
    assert [one.flow for one in talk.state.stack] == ["transfer_money", "close_account"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("no, 60", "Shall I transfer 60 to Bob?"),
        ("sorry, I meant 70 pounds", "Shall I transfer 70 to Bob?"),
        ("not 50 but 80", "Shall I transfer 80 to Bob?"),
        ("the amount should be 90", "Shall I transfer 90 to Bob?"),
        ("actually to Alice", "Shall I transfer 50 to Alice?"),
        ("no, to Carol please", "Shall I transfer 50 to Carol?"),
    ],
)
def test_an_answer_is_corrected(text: str, answer: str) -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to Bob")

    assert talk.say(text).endswith(answer)
    assert talk.names == ["utter_slot_corrected", "utter_ask_sure"]


def test_a_no_with_thanks_is_an_answer_and_corrects_nothing() -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to Bob")

    talk.say("no thanks")

    assert talk.names == ["utter_not_transferred"]


def test_a_yes_to_the_old_value_is_none_to_the_new() -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to Bob")
    talk.actions.answers["action_transfer"] = Done(handoff="a check")
    talk.say("yes")
    assert talk.state.slots["sure"] is True

    talk.context = replace(talk.context, dialogue={**talk.context.dialogue, FLOWS: {**talk.context.dialogue[FLOWS], "paused": False}})
    talk.press("/SetSlots(amount=60)")

    assert talk.names == ["utter_slot_corrected", "utter_ask_sure"]


def test_the_edit_of_an_answer_corrects_it() -> None:
    talk = Talk()
    talk.say("I want to transfer money")
    talk.say("50")

    assert talk.edit("60").endswith("Who is it for?")
    assert talk.state.slots["amount"] == 60


@pytest.mark.parametrize("text", ["never mind", "cancel", "forget it", "I don't want to any more", "/cancel"])
def test_it_is_cancelled_at_once_where_nothing_was_done(text: str) -> None:
    talk = Talk()
    talk.say("I want to transfer money")

    talk.say(text)

    assert talk.names == ["utter_flow_cancelled"]
    assert talk.context.dialogue.get(FLOWS, {}).get("stack") is None


def test_it_is_asked_before_cancelling_what_was_begun() -> None:
    talk = Talk()
    talk.say("replace both my cards")
    talk.press("/flow two_cards")
    talk.say("blue")
    assert talk.at == ("two_cards", "second")

    talk.say("never mind")
    assert talk.names == ["utter_flow_cancel_confirm"]
    talk.say("no")
    assert talk.names == ["utter_ask_reason"]
    talk.say("cancel")
    talk.say("yes")
    assert talk.names == ["utter_flow_cancelled"]


def test_what_was_only_looked_up_is_cancelled_at_once() -> None:
    look = Act("look", 1, (Branch(None, "ask"),), "action_look_up_card")
    flow = Flow(
        "look", "looking", "", {"look": look, "ask": Collect("ask", 2, (Branch(None, "END"),), "reason", "utter_ask_reason")}, "look"
    )
    talk = Talk(more=[flow])
    talk.press("/flow look")

    talk.say("never mind")

    assert talk.names == ["utter_flow_cancelled"]


def test_why_is_told_with_the_question_again() -> None:
    talk = Talk()
    talk.say("I lost my card")

    answer = talk.say("why do you need that?")

    assert "So that the right card is blocked." in answer
    assert answer.endswith("Which card is it, the blue one, the red one or the gold one?")


def test_the_question_is_repeated() -> None:
    talk = Talk()
    talk.say("I lost my card")

    talk.say("what was the question?")

    assert talk.names == ["utter_ask_card"]


def test_a_rejected_answer_is_asked_for_again() -> None:
    talk = Talk()
    talk.say("I want to transfer money")

    assert talk.say("6000") == "At most 5000 can be transferred here, and you asked for 6000.\n\nHow much shall I transfer?"
    assert talk.trace["flow"].get("asked_again") is None
    assert talk.say("600") == "Who is it for?"


def test_what_is_not_understood_is_explained_then_a_person_is_offered_then_asked_for() -> None:
    talk = Talk()
    talk.say("I lost my card")

    assert "I expect blue, red or gold." in talk.say("brumm")
    talk.say("hmpf")
    assert talk.names == ["utter_flow_person", "utter_ask_card"]
    talk.say("grmbl")
    assert talk.decision.handoff is Reason.UNSURE
    assert talk.decision.tried == ("your lost card (asked for card, not answered)",)


def test_what_cannot_be_done_without_is_asked_for_again() -> None:
    talk = Talk()
    talk.say("I want to transfer money")

    talk.say("I'd rather not say")

    assert talk.names == ["utter_slot_needed", "utter_ask_amount"]


def test_a_called_flow_comes_back_with_what_it_found() -> None:
    talk = Talk()
    talk.actions.answers["action_look_up_card"] = Done({"card_ending": "4711"})

    talk.say("show me my card details")
    assert talk.at == ("pick_card", "1_collect_card")
    assert talk.say("the gold one") == "Your gold card ends in 4711."
    assert talk.at is None


def _to(step: str) -> tuple[Branch, ...]:
    return (Branch(None, step),)


def _caller(*, keep: bool = False, link: bool = False) -> Talk:
    """A talk with a flow that asks whether to go on after another one, which it calls or which links to it, has asked for two things."""
    first = Collect("how_much", 1, _to("to_whom"), "amount", "utter_ask_amount")
    second = Collect("to_whom", 2, _to("next" if link else "END"), "recipient", "utter_ask_recipient", keep=keep)
    inner: dict[str, Step] = {"how_much": first, "to_whom": second}
    if link:
        inner["next"] = Link("next", 3, (), "outer")
    outer: dict[str, Step] = {} if link else {"call": Call("call", 1, _to("go_on"), "inner")}
    outer["go_on"] = Collect("go_on", 2, _to("END"), "sure", "utter_ask_sure")
    flows = [Flow("inner", "the questions", "", inner, "how_much"), Flow("outer", "the whole", "", outer, next(iter(outer)))]
    talk = Talk(more=flows)
    talk.press("/flow inner" if link else "/flow outer")
    talk.say("50")
    talk.say("Bob")
    assert talk.at == ("outer", "go_on")
    return talk


def test_the_slots_of_a_called_flow_end_with_its_caller_save_what_it_keeps() -> None:
    talk = _caller(keep=True)
    assert talk.state.slots == {"amount": 50, "recipient": "Bob"}

    talk.say("yes")

    assert talk.at is None
    assert talk.state.slots == {"recipient": "Bob"}


@pytest.mark.parametrize("link", [False, True])
def test_what_was_told_to_a_flow_that_is_over_is_corrected_as_long_as_the_task_is_under_way(link: bool) -> None:
    talk = _caller(link=link)

    answer = talk.say("no, 60")

    assert answer == "Thank you, I have corrected your amount: 60.\n\nShall I transfer 60 to Bob?"
    assert talk.at == ("outer", "go_on")
    assert talk.trace["flow"].get("asked_again") is None


def test_a_value_of_a_task_that_waits_is_read_back_and_stays_its_own() -> None:
    talk = Talk(proof="confirmed")
    talk.actions.answers["action_look_up_card"] = Done({"card_ending": "4711"})
    talk.say("I lost my blue card")

    assert talk.say("show me my card details").endswith("I have this as your card: blue. Is that still right?")
    assert talk.say("no, the red one").startswith("Your red card ends in 4711.")
    assert talk.at == ("report_lost_card", "where_to")
    assert talk.state.slots["card"] == "blue"


# -- what is known ------------------------------------------------------------------------------------------------------------


def test_what_the_memory_has_is_not_asked_for() -> None:
    talk = Talk()
    talk.know("customer_number", "NB1234")

    assert talk.say("I need a new card").startswith("Which card")
    assert talk.trace["flow"]["facts"] == [["customer_number", 11]]


def test_what_a_flow_empties_is_asked_for_anew_whatever_the_memory_has() -> None:
    steps: dict[str, Step] = {
        "old": SetSlots("old", 1, (Branch(None, "new"),), {"customer_number": None}),
        "new": Collect("new", 2, (Branch(None, "END"),), "customer_number", "utter_ask_customer_number"),
    }
    talk = Talk(more=[Flow("renumber", "your new number", "", steps, "old")])
    talk.know("customer_number", "NB1234")

    assert talk.press("/flow renumber").startswith("What is your customer number")
    talk.say("NB9999")
    assert talk.remembered == {"customer_number": "NB9999"}


def test_what_was_said_earlier_in_the_conversation_is_not_asked_for() -> None:
    talk = Talk()
    talk.say("hello, my number is NB7777")
    talk.say("thanks")

    assert talk.say("I need a new card").startswith("Which card")


def test_what_is_to_be_confirmed_is_read_back() -> None:
    talk = Talk(proof="confirmed")
    talk.know("address", {"text": "12 Oak Street"})

    answer = talk.say("I lost my blue card")

    assert answer == "I have this as your address: 12 Oak Street. Is that still right?"
    assert talk.buttons == ["Yes", "No"]
    assert talk.say("yes") == "Your blue card is blocked."
    assert talk.remembered["address"] == {"text": "12 Oak Street"}


@pytest.mark.parametrize("text", ["no, it's 14 Elm Road, Leeds", "14 Elm Road, Leeds", "it is 14 Elm Road, Leeds now"])
def test_another_value_is_taken_in_place_of_what_was_read_back(text: str) -> None:
    talk = Talk(proof="confirmed")
    talk.know("address", {"text": "12 Oak Street"})
    talk.say("I lost my blue card")

    assert talk.say(text) == "Your blue card is blocked."
    assert talk.remembered["address"]["text"].startswith("14 Elm Road, Leeds")


def test_a_no_to_what_was_read_back_asks_and_is_no_second_question() -> None:
    talk = Talk(proof="confirmed")
    talk.know("address", {"text": "12 Oak Street"})
    talk.say("I lost my blue card")

    assert talk.say("no").startswith("Where shall we send the new card?")
    assert talk.state.asked_again == 0


def test_a_stale_a_likely_and_a_contested_fact_are_read_back() -> None:
    stale = Talk()
    stale.know("customer_number", "NB1234", days=4000)
    likely = Talk()
    likely.know("customer_number", "NB1234", standing="proposed", confidence=0.6)
    contested = Talk()
    contested.know("customer_number", "NB1234")
    contested.know("customer_number", "NB9999", standing="contested", id=12)

    assert stale.say("I need a new card").startswith("Which card")  # it does not age
    assert likely.say("I need a new card") == "I have this as your customer number: NB1234. Is that still right?"
    assert contested.say("I need a new card") == "I have this as your customer number: NB1234. Is that still right?"


def test_an_old_fact_is_read_back() -> None:
    talk = Talk(proof="confirmed")
    talk.know("interests", ["cards"], days=500, purpose="offers")
    talk.agree("offers")

    assert talk.say("send me a brochure") == "I have this as your interests: cards. Is that still right?"


def test_what_others_may_not_be_told_is_asked_for() -> None:
    talk = Talk()
    talk.know("address", {"text": "12 Oak Street"}, source="agent")

    answer = talk.say("I lost my blue card")

    assert "Oak" not in answer
    assert answer.startswith("Where shall we send the new card?")
    assert talk.state.asked_again == 0


def test_without_its_consent_a_fact_is_not_used() -> None:
    talk = Talk()
    talk.know("interests", ["cards"], purpose="offers")

    assert talk.say("send me a brochure").startswith("Which of our products would you like to hear about?")


# -- the value exchange -----------------------------------------------------------------------------------------------------------


def test_a_new_fact_is_asked_for_with_its_benefit_and_kept_with_its_consent() -> None:
    talk = Talk()

    answer = talk.say("send me a brochure")
    assert "You only hear of offers that suit you" in answer
    assert talk.names == ["utter_slot_consent"] or talk.names == ["", "utter_slot_consent"]

    talk.say("mortgages")
    assert talk.remembered == {"interests": ["mortgages"]}
    assert talk.consents == ["offers"]


@pytest.mark.parametrize("text", ["no", "I'd rather not say", "no thanks", "that's private"])
def test_who_would_rather_not_goes_on_without(text: str) -> None:
    talk = Talk()
    talk.say("send me a brochure")

    assert talk.say(text) == "A general brochure is on its way."
    assert talk.remembered == {}
    assert talk.consents == []


# -- proof --------------------------------------------------------------------------------------------------------------------------


def test_an_action_waits_for_its_proof_and_goes_on_when_it_is_there() -> None:
    talk = Talk()
    talk.say("I lost my blue card")
    talk.say("12 Oak Street, London")
    assert talk.names == ["utter_prove_act"]
    assert talk.actions.calls == []

    talk.say("how long does it take?")
    assert talk.names[-1] == "utter_prove_act_again"

    talk.context = replace(talk.context, proof="verified", proven_at=talk.now)
    assert talk.say("done").endswith("Your blue card is blocked.")
    assert [one.action for one in talk.actions.calls] == ["action_block_card"]
    assert talk.actions.calls[0].proof == "verified"


def test_a_finished_flow_moves_a_journey() -> None:
    talk = Talk(proof="confirmed")
    talk.say("I lost my blue card")
    talk.say("12 Oak Street, London")

    assert MoveJourney("card", "lost", "flow report_lost_card finished") in talk.decision.deeds


# -- actions ------------------------------------------------------------------------------------------------------------------------


def test_what_an_action_says_is_said_with_its_variables() -> None:
    talk = Talk()
    ending = Uttered("utter_card_details", {"card": "gold", "card_ending": "1"})
    talk.actions.answers["action_close"] = Done(says=(ending, Uttered(None, text="So <long>", buttons=(("Ok", "/ok"),))))
    talk.say("close my account")

    answer = talk.say("too expensive")

    assert answer == "Your gold card ends in 1.\n\nSo <long>\n\nYour account will be closed."
    assert talk.buttons == ["Ok"]


def test_a_failure_that_the_flow_knows_of_is_its_own_business() -> None:
    talk = Talk()
    talk.actions.answers["action_transfer"] = Done(failed="error")
    talk.say("transfer 50 pounds to Bob")

    assert talk.say("yes").startswith("Transfers are not possible at the moment.")
    assert talk.decision.handoff is None


@pytest.mark.parametrize(("failed", "reply"), [("timeout", "utter_action_unavailable"), ("error", "utter_action_failed")])
def test_any_other_failure_is_told_and_passed_on(failed: str, reply: str) -> None:
    talk = Talk()
    talk.actions.answers["action_close"] = Done(failed=failed)
    talk.say("close my account")

    talk.say("too expensive")

    assert talk.names == [reply]
    assert talk.decision.handoff is Reason.FAILED
    assert talk.decision.tried == ("closing your account (reason: too expensive)", "action_close failed")
    assert talk.at is None


def test_an_action_may_ask_for_a_person() -> None:
    talk = Talk()
    talk.actions.answers["action_look_up_card"] = Done(handoff="it is not there")
    talk.say("show me my card details")

    talk.say("blue")

    assert talk.decision.handoff is Reason.ASKED
    assert talk.names == ["utter_handoff"]
    assert talk.state.paused


def test_the_same_turn_makes_the_same_calls() -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to Bob")
    before = talk.context

    talk.say("yes")
    first = talk.actions.calls[-1]
    talk.context, talk.turn = before, talk.turn - 1
    talk.now = before.exchanges[0].at
    talk.say("yes")

    assert talk.actions.calls[-1] == first


@pytest.mark.parametrize("again", [Noop("one", 1, (Branch(None, "one"),)), Act("one", 1, (Branch(None, "one"),), "action_transfer")])
def test_a_flow_in_circles_is_given_up(again: Step) -> None:
    talk = Talk(more=[Flow("circles", "going in circles", "", {"one": again}, "one")])

    talk.press("/flow circles")

    assert talk.names == ["utter_action_failed"]
    assert talk.decision.handoff is Reason.FAILED
    assert talk.trace["flow"]["dropped"] == ["circles: too many steps"]
    assert len(talk.actions.calls) <= MOST_CALLS


# -- time and change ----------------------------------------------------------------------------------------------------------------


def test_after_long_it_is_asked_whether_it_is_still_wanted_and_nothing_is_lost() -> None:
    talk = Talk()
    talk.say("transfer money to Alice")
    talk.wait(days=8)

    talk.say("40")
    assert talk.names == ["utter_flow_still_wanted"]
    assert talk.say("yes") == "Shall I transfer 40 to Alice?"


def test_what_is_not_wanted_any_more_is_dropped() -> None:
    talk = Talk()
    talk.say("transfer money to Alice")
    talk.wait(days=2)

    talk.say("what are your opening hours")
    assert talk.names[-1] == "utter_flow_still_wanted"
    talk.say("no")
    assert talk.names == ["utter_flow_cancelled"]
    assert talk.state.stack == []


def test_within_a_day_it_simply_goes_on() -> None:
    talk = Talk()
    talk.say("transfer money to Alice")
    talk.wait(hours=20)

    assert talk.say("40") == "Shall I transfer 40 to Alice?"


@pytest.mark.parametrize(
    "stack",
    [
        [{"flow": "no_such_flow", "step": "one"}],
        [{"flow": "transfer_money", "step": "no_such_step"}],
        [{"flow": "transfer_money", "step": "how_much"}, {"flow": "gone", "step": "x", "called": True}],
    ],
)
def test_a_flow_that_was_edited_away_is_dropped_honestly(stack: list[dict[str, Any]]) -> None:
    talk = Talk(dialogue={FLOWS: {"stack": stack, "waits": {"for": "slot", "slot": "amount"}, "slots": {"amount": 3}}})

    talk.say("what was the question?")

    assert "utter_flow_changed" in talk.names
    assert talk.state.stack == []
    assert talk.trace["flow"]["dropped"]


def test_a_flow_below_one_that_is_gone_goes_on() -> None:
    stack = [{"flow": "close_account", "step": "why"}, {"flow": "gone", "step": "x"}]
    talk = Talk(dialogue={FLOWS: {"stack": stack}})

    talk.say("continue")

    assert talk.names == ["utter_flow_changed", "utter_ask_reason"]
    assert talk.at == ("close_account", "why")


def test_a_button_of_a_flow_that_is_gone_says_so() -> None:
    talk = Talk()

    talk.press("/flow gone")

    assert talk.names == ["utter_flow_changed"]


# -- beginning ------------------------------------------------------------------------------------------------------------------------


def test_a_doubtful_intent_is_asked_about() -> None:
    talk = Talk()

    talk.say("perhaps a brochure")
    assert talk.names == ["utter_flow_offer_one"]
    assert talk.buttons == ["Yes", "No", "Talk to a person"]
    assert talk.say("yes").startswith("Which of our products")


def test_a_doubtful_intent_gives_way_to_what_is_told() -> None:
    talk = Talk()

    talk.say("please don't be so formal with me, perhaps in a brochure")

    assert talk.decision.rule == "told"
    assert "utter_flow_offer_one" not in talk.names


def test_a_no_to_what_was_offered_begins_nothing() -> None:
    talk = Talk()
    talk.say("perhaps a brochure")

    talk.say("no")

    assert talk.names == ["utter_flow_offer_declined"]
    assert talk.context.dialogue.get(FLOWS, {}).get("waits") is None


def test_two_that_are_close_are_asked_about() -> None:
    talk = Talk()

    talk.say("a brochure about closing, or close my account")

    assert talk.names == ["utter_flow_offer"]
    assert talk.buttons == ["Your brochure", "Closing your account", "Talk to a person"]
    assert talk.press("/flow close_account") == "Why would you like to leave us?"


def test_an_article_that_fits_better_wins() -> None:
    talk = Talk()

    talk.say("perhaps what does a transfer cost")

    assert talk.names == ["utter_article"]


def test_a_person_is_had_in_the_middle_and_knows_how_far_it_came() -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to somebody")

    talk.say("let me talk to a person")

    assert talk.decision.handoff is Reason.ASKED
    assert talk.decision.tried == ("your transfer (amount: 50; asked for recipient, not answered)",)
    assert talk.state.paused


def test_what_an_action_notes_for_the_flow_is_not_told_to_a_person() -> None:
    talk = Talk()
    talk.actions.answers["action_close"] = Done({"card_ending": "4711"})
    talk.press("/flow two_cards")
    talk.say("gold")
    assert talk.state.slots["card_ending"] == "4711"

    talk.say("let me talk to a person")

    assert talk.decision.tried == ("your two cards (card: gold; asked for reason, not answered)",)


def test_the_trace_has_names_and_no_values() -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to Bob")
    talk.say("no, to Carol")

    assert talk.trace["understood"]["entities"] == ["recipient"]
    assert talk.trace["flow"]["commands"] == ["correct recipient"]
    assert not any(word in repr(talk.trace) for word in ("Bob", "Carol", "50"))


def test_nothing_is_asked_again_in_any_of_this() -> None:
    talk = Talk(proof="confirmed")
    talk.know("address", {"text": "12 Oak Street"})
    for text in ("I lost my card", "why?", "what was the question?", "blue", "no", "what are your opening hours", "14 Elm Road, Leeds"):
        talk.say(text)

    assert talk.state.asked_again == 0
    assert talk.names == ["utter_card_blocked"]


def test_what_an_action_notes_goes_to_the_person() -> None:
    talk = Talk()
    talk.actions.answers["action_close"] = Done(handoff="asked", queue="retention", note="Offer nothing.")
    talk.say("close my account")

    talk.say("too expensive")

    assert talk.decision.tried == ("closing your account (reason: too expensive)", "Offer nothing.", "for retention")


def test_whoever_has_had_enough_is_not_asked_back() -> None:
    talk = Talk()
    moment = {"good": False, "kind": "waited", "weight": 1.0, "evidence": {}, "at": talk.now.isoformat()}
    talk.context = replace(talk.context, known={**talk.context.known, "experiences": [moment, {**moment, "kind": "rating"}]})
    talk.say("I lost my card")

    talk.say("brumm")

    assert talk.decision.handoff is Reason.CAREFUL
    assert talk.names == ["utter_handoff_careful"]
    assert talk.decision.tried == ("your lost card (asked for card, not answered)",)


def test_a_shared_contact_answers_the_question_for_a_number() -> None:
    flow = Flow("call_back", "calling you back", "", {"one": Collect("one", 1, (Branch(None, "END"),), "phone", "utter_ask_phone")}, "one")
    talk = Talk(more=[flow], slots=[Slot("phone", fact=True)])
    talk.press("/flow call_back")

    talk.share(kind="contact", phone="442079460018", own=True)

    assert talk.remembered["phone"] == "+442079460018"
    assert talk.at is None


def test_a_flow_that_a_person_brought_to_an_end_is_over() -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to somebody")
    talk.say("let me talk to a person")
    ended = Episode(1, "ended", "asked", "b", "Bea", talk.now, talk.now, "closed", None)
    talk.context = replace(talk.context, last_episode=ended)

    talk.say("what are your opening hours")

    assert talk.names == ["utter_article"]
    assert talk.state.stack == []


def test_stop_stops_the_task_and_takes_no_consent_back() -> None:
    talk = Talk()
    talk.agree("offers")
    talk.say("I want to transfer money")

    talk.say("stop")

    assert talk.names == ["utter_flow_cancelled"]


def test_a_fact_that_is_told_beside_is_noted_and_leads_back() -> None:
    talk = Talk()
    talk.say("I lost my card")

    talk.say("my number is NB4444")

    assert talk.names == ["utter_noted", "utter_flow_back", "utter_ask_card"]
    assert talk.remembered == {"customer_number": "NB4444"}


WORDS = """
yes; no; never mind; why?; what was the question?; go on; 50; 60 pounds; 6000; no, 70; sorry, I meant Alice; Bob; blue; the red one
not blue but gold; I want to transfer money; transfer 50 pounds to Bob; I lost my card; I lost my blue card; close my account
send me a brochure; card details; perhaps a brochure; I need a new card; it is too expensive for me; I'd rather not say
my number is NB4321; 12 Oak Street, London; thanks; hello; what are your opening hours?; what does a transfer cost; brumm; ???; a; NB1234
mortgages and cards; actually no; wait; that's private; /cancel; /start; stop; no thanks; maybe later; 50 to Carol; the amount should be 90
I don't know; ok
"""
PRESSES = """
/affirm; /deny; /flow two_cards; /flow transfer_money; /flow gone; /SetSlots(card=gold); /SetSlots(amount=80, recipient=Bob); /nothing; red
"""


def listed(text: str) -> list[str]:
    return [one.strip() for one in text.replace("\n", ";").split(";") if one.strip()]


@pytest.mark.parametrize("seed", range(50))
def test_whatever_is_said_it_holds_together(seed: int) -> None:
    chance = Random(seed)
    words, presses = listed(WORDS), listed(PRESSES)
    talk = Talk(proof=chance.choice(["seen", "confirmed"]))
    outcomes = [Done(), Done(failed="timeout"), Done(handoff="asked"), Done({"card_ending": "1"}), Done({"nothing": 1})]
    for _ in range(25):
        talk.actions.answers = {name: chance.choice(outcomes) for name in ("action_transfer", "action_look_up_card", "action_close")}
        before = talk.context.dialogue
        match chance.random():
            case number if number < 0.8:
                talk.say(chance.choice(words))
            case number if number < 0.95:
                talk.press(chance.choice(presses))
            case _:
                talk.edit(chance.choice(words))
        if chance.random() < 0.05:
            talk.wait(days=chance.choice([1, 8]))
        state = talk.state
        assert state.asked_again == 0, (talk.trace, before)
        assert not state.stack or state.waits is not None or state.paused
        assert len(json.dumps(talk.context.dialogue)) < 5000
        assert all(frame.flow in talk.engine.flows.flows for frame in state.stack)
        if not state.stack:
            assert state.slots == {}, (talk.trace, before)


@pytest.mark.parametrize("text", ["no, 50", "no, it is 50", "sorry, I meant 50 pounds", "I said 50"])
def test_a_correction_to_what_it_is_already_leaves_it_and_is_no_refusal(text: str) -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to Bob")

    answer = talk.say(text)

    assert answer == "That is what I have as your amount: 50.\n\nShall I transfer 50 to Bob?"
    assert talk.names == ["utter_slot_unchanged", "utter_ask_sure"]
    assert talk.say("yes") == "I have transferred 50 to Bob."


def test_a_value_that_is_there_already_is_no_answer_to_a_question_for_free_words() -> None:
    talk = Talk()
    talk.say("I want to transfer money")
    talk.say("50")

    talk.say("I said 50")

    assert talk.names == ["utter_slot_unchanged", "utter_ask_recipient"]
    assert talk.say("Bob") == "Shall I transfer 50 to Bob?"


@pytest.mark.parametrize("text", ["no, 50 is wrong", "no, not 50"])
def test_a_value_that_is_denied_is_not_taken_for_what_it_is(text: str) -> None:
    talk = Talk()
    talk.say("transfer 50 pounds to Bob")

    talk.say(text)

    assert "utter_slot_unchanged" not in talk.names


def test_the_value_that_was_read_back_said_with_a_no_is_a_yes() -> None:
    talk = Talk()
    talk.say("my blue card was stolen")
    talk.say("show me my card details please")
    assert talk.names == ["utter_flow_switch", "utter_slot_confirm"]

    talk.say("no, the blue one")

    assert talk.trace["flow"]["rule"] == "flow confirmed"
    assert talk.names[0] == "utter_card_details"


@pytest.mark.parametrize("text", ["number 1", "the first one", "No. 2, please"])
def test_a_place_in_a_list_is_an_answer_and_begins_nothing_else(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    talk = Talk()
    talk.say("close my account")
    monkeypatch.setitem(INTENTS, "order_brochure", ("number", "first", "no. 2"))

    assert talk.say(text) == "Your account will be closed."
    assert talk.actions.calls[-1].slots["reason"].startswith(text[:5])


def test_a_place_in_a_list_answers_no_question_that_wants_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk()
    talk.say("send me a new card")
    monkeypatch.setitem(INTENTS, "order_brochure", ("number",))

    talk.say("number 1")

    assert talk.at is not None
    assert talk.at[0] == "send_card"
    assert talk.names[0] == "utter_slot_help"


def test_more_than_a_place_in_a_list_begins_what_it_clearly_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk()
    talk.say("close my account")
    monkeypatch.setitem(INTENTS, "order_brochure", ("number",))

    talk.say("I want brochure number 1")

    assert talk.names[0] == "utter_flow_switch"
