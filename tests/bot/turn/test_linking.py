"""What a turn says about links and codes, and what it tells only after a proof: the rules, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.markup import Html
from bot.messages import Event
from bot.turn.decide import Decision, Reason, Say
from bot.turn.linking import OPEN_GATE, PROVING, Gate, Linked, Offered, Wish, answer_link, article_say, guard, parted, wish_of
from bot.understand.knowledge import Article
from memory.context import Context
from memory.links import TOKEN_LENGTH, Redeemed
from tests.bot.turn.test_decide import NOW, came, episode, known

BALANCE = Article("balance", "Your balance", "", (), "x", Html("x"), proof="confirmed")
LIMIT = Article("limit", "Your limit", "", (), "x", Html("x"), proof="verified")
HOURS = Article("hours", "Opening hours", "", (), "x", Html("x"))
TOKEN = "a" * TOKEN_LENGTH

CONFIRMED: dict[str, Any] = {"proof": "confirmed", "proven_at": NOW}


def gives(article: Article, **more: Any) -> Decision:
    return Decision("knowledge", says=(article_say(article),), dialogue={"matter": article.title}, article=article.slug, **more)


def waiting(slug: str) -> Context:
    """Somebody who was asked to prove themselves for this."""
    return replace(known(), dialogue={PROVING: slug})


def names(decision: Decision) -> list[str]:
    return [say.name for say in decision.says]


def matters(decision: Decision) -> dict[str, Any]:
    assert decision.dialogue is not None
    return decision.dialogue


# -- what a message wants -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("/link", Wish()),
        (" /link please", Wish()),
        (f"/start {TOKEN}", Wish(TOKEN)),
        ("/start summer-sale", None),
        ("/start", None),
        ("/other AB2C-DE5F", None),
        ("AB2C-DE5F", Wish("AB2CDE5F")),
        ("ab2cde5f", Wish("AB2CDE5F", certain=False)),
        ("it is ab2c-de5f", Wish("AB2CDE5F", certain=False)),
        ("hello", None),
        ("", None),
    ],
)
def test_what_a_message_wants_of_links(text: str, wish: Wish | None) -> None:
    assert wish_of(came(text)) == wish


@pytest.mark.parametrize("more", [{"event": Event.EDIT}, {"event": Event.PRESS}, {"kind": "photo"}, {"continued": True}])
def test_only_a_new_text_wants_anything(more: dict[str, Any]) -> None:
    assert wish_of(came("AB2C-DE5F", **more)) is None


# -- what is said -----------------------------------------------------------------------------------------------------


def test_nothing_is_said_where_nothing_was_done() -> None:
    assert answer_link(known(), now=NOW, gate=OPEN_GATE) is None


@pytest.mark.parametrize(("link", "reply"), [(None, "utter_link"), ("https://t.me/x?start=y", "utter_link_both")])
def test_a_new_code_is_the_customers_alone(link: str | None, reply: str) -> None:
    gate = Gate(links=Offered("AB2C-DE5F", link, 15))
    for context in (known(), known(episode=episode("owned"))):
        decision = answer_link(context, now=NOW, gate=gate)

        assert decision is not None
        assert names(decision) == [reply]
        assert not decision.relay
        assert decision.says[0].secrets == tuple(secret for secret in ("AB2C-DE5F", link) if secret)


@pytest.mark.parametrize("outcome", [Redeemed.OWN, Redeemed.USED, Redeemed.EXPIRED, Redeemed.WRONG, Redeemed.TOO_MANY])
def test_each_failure_has_its_own_answer(outcome: Redeemed) -> None:
    decision = answer_link(known(), now=NOW, gate=Gate(links=Linked(outcome)))

    assert decision is not None
    assert names(decision) == [f"utter_code_{outcome.value.replace(' ', '_')}"]


def test_the_matter_of_the_other_conversation_goes_on() -> None:
    there = {"matter": "Lost card", "tried": ["Lost card"], "unsure": 1, "told_waiting": 3}
    decision = answer_link(known(unsure=1), now=NOW, gate=Gate(links=Linked(Redeemed.DONE, 9, there)))

    assert decision is not None
    assert decision.says == (Say("utter_linked", {"matter": "Lost card"}),)
    asked = {"asked": "worked_out", "asked_matter": "Lost card", "matter_asked": True}
    carried = {"matter": "Lost card", "tried": ["Lost card"]}
    assert matters(decision) == {"unsure": 0, **carried, **asked, "carried": {"from": 9, **carried}}


def test_what_was_carried_over_goes_when_they_part_and_ones_own_stays() -> None:
    state = {
        "matter": "Lost card",
        "matter_asked": True,
        "tried": ["Fees", "Lost card"],
        "asked": "worked_out",
        "asked_matter": "Lost card",
        "unsure": 1,
        "carried": {"from": 9, "matter": "Lost card", "tried": ["Lost card"]},
    }

    assert parted(state, [9]) == {"tried": ["Fees"], "unsure": 1}
    assert parted({**state, "matter": "Fees"}, [9]) == {"matter": "Fees", "matter_asked": True, "tried": ["Fees"], "unsure": 1}
    assert parted(state, [8])["matter"] == "Lost card"
    assert parted({"matter": "Fees", "unsure": 0}, [9]) == {"matter": "Fees", "unsure": 0}


def test_without_a_matter_it_is_said_that_they_are_one() -> None:
    decision = answer_link(known(), now=NOW, gate=Gate(links=Linked(Redeemed.DONE)))

    assert decision is not None
    assert names(decision) == ["utter_linked_no_matter"]


def test_with_a_person_the_desk_sees_it() -> None:
    decision = answer_link(known(episode=episode("owned")), now=NOW, gate=Gate(links=Linked(Redeemed.DONE, 9, {"matter": "x"})))

    assert decision is not None
    assert (names(decision), decision.relay) == (["utter_linked_person"], True)


def test_what_waited_for_the_proof_is_given_with_it() -> None:
    context = waiting("balance")
    decision = answer_link(context, now=NOW, gate=Gate(links=Linked(Redeemed.DONE), pending=BALANCE))

    assert decision is not None
    assert (names(decision), decision.article) == (["utter_linked_no_matter", "utter_article"], "balance")
    assert matters(decision)[PROVING] is None


def test_a_code_does_not_give_what_needs_an_agents_check() -> None:
    decision = answer_link(waiting("limit"), now=NOW, gate=Gate(links=Linked(Redeemed.DONE), pending=LIMIT))

    assert decision is not None
    assert decision.article is None


def test_a_code_that_was_used_long_ago_proves_nothing_now() -> None:
    gate = Gate(links=Linked(Redeemed.AGAIN), pending=BALANCE)
    old = replace(waiting("balance"), proof="confirmed", proven_at=NOW - timedelta(days=31))

    for context, article in ((old, None), (replace(old, proven_at=NOW), "balance")):
        decision = answer_link(context, now=NOW, gate=gate)
        assert decision is not None
        assert decision.article == article


# -- who may be told --------------------------------------------------------------------------------------------------


def guarded(decision: Decision, gate: Gate = OPEN_GATE, *, state: dict[str, Any] | None = None, **context: Any) -> Decision:
    return guard(decision, replace(known(), dialogue=state or {}, **context), now=NOW, gate=gate)


def test_what_is_for_everybody_is_told_to_everybody() -> None:
    assert guarded(gives(HOURS)) == gives(HOURS)


def test_what_is_for_the_customer_alone_waits_for_a_proof() -> None:
    first = guarded(gives(BALANCE), state={"unsure": 1})
    again = guarded(gives(BALANCE), state=matters(first))

    assert (names(first), first.article) == (["utter_prove"], None)
    assert matters(first) == {"unsure": 0, PROVING: "balance"}
    assert names(again) == ["utter_prove_again"]
    assert names(guarded(gives(LIMIT))) == names(guarded(gives(LIMIT), **CONFIRMED)) == ["utter_prove_person"]


@pytest.mark.parametrize(("days", "told"), [(0, True), (30, True), (30.1, False)])
def test_a_proof_counts_while_it_is_fresh(days: float, told: bool) -> None:
    decision = guarded(gives(BALANCE), proof="confirmed", proven_at=NOW - timedelta(days=days))

    assert (decision.article == "balance") is told


def test_how_long_it_is_fresh_is_set() -> None:
    gate = Gate(fresh_for=timedelta(hours=1))

    assert guarded(gives(BALANCE), gate, proof="verified", proven_at=NOW - timedelta(hours=2)).rule == "prove"


def test_a_reply_can_demand_a_proof_too() -> None:
    gate = Gate(demands={"utter_worked_out": "confirmed"})
    decision = Decision("worked out", says=(Say("utter_worked_out"),), dialogue={})

    assert guarded(decision, gate).rule == "prove"
    assert guarded(decision, gate, **CONFIRMED) == decision


def test_who_is_passed_to_a_person_is_not_asked() -> None:
    decision = Decision("handoff asked", says=(Say("utter_handoff", proof="verified"),), handoff=Reason.ASKED)

    assert guarded(decision) == decision


def test_after_an_agents_check_a_greeting_brings_what_waited() -> None:
    gate = Gate(pending=LIMIT)
    state = {PROVING: "limit", "asked": "worked_out"}
    hello = Decision("greet", says=(Say("utter_greet"),), dialogue=state)

    assert guarded(hello, gate, state=state) == hello
    given = guarded(hello, gate, state=state, proof="verified", proven_at=NOW)
    assert (names(given), given.article) == (["utter_article"], "limit")
    assert (matters(given)[PROVING], matters(given)["asked"]) == (None, None)


def test_who_asks_for_something_else_meanwhile_gets_that() -> None:
    gate = Gate(pending=LIMIT)
    decision = guarded(gives(HOURS), gate, state={PROVING: "limit"}, proof="verified", proven_at=NOW)

    assert (decision.article, matters(decision)[PROVING]) == ("hours", None)
