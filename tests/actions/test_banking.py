"""The bank's actions over the sample, each one repeated within its turn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.conftest import Stage


async def test_the_cards_are_listed(ann: Stage) -> None:
    came = await ann.act("action_list_cards", card_ending=None)

    assert came.slots["card_count"] == 2
    assert "card_ending" not in came.slots
    assert came.slots["card_list"] == "- debit card ending in 4821\n- credit card ending in 7730"


async def test_an_only_card_need_not_be_named(stage: Stage) -> None:
    await stage.prove("N1002", account_number="31508824")

    assert (await stage.act("action_list_cards")).slots["card_ending"] == "1936"
    assert (await stage.twice("action_block_card", card_ending=None)).slots["card_ending"] == "1936"


async def test_a_card_is_blocked(ann: Stage) -> None:
    came = await ann.twice("action_block_card", card_ending="4821", card_loss="stolen")

    assert came.says == (("utter_card_blocked", {"ending": "4821"}),)
    assert came.slots == {"action_failed": None, "failed_reason": None, "card_ending": "4821", "card_was_blocked": False}
    card = await ann.sample.get("cards", "NK1")
    assert card is not None
    assert (card["state"], card["blocked_for"]) == ("blocked", "stolen")

    later = await ann.act("action_block_card", card_ending=4821.0)
    assert later.says == (("utter_card_already_blocked", {"ending": "4821"}),)
    assert later.slots["card_was_blocked"] is True


@pytest.mark.parametrize(
    ("slots", "failed"),
    [
        ({}, ("several", "card_ending")),
        ({"card_ending": "9999"}, ("not_found", "card")),
        ({"card_ending": "1936"}, ("not_found", "card")),  # Omar's
        ({"card_ending": "the blue one"}, ("not_found", "card")),
        ({"card": "the gold one", "card_ending": "4821"}, ("not_found", "card")),  # what is meant now is not what was meant before
        ({"card": "both, please"}, ("several", "card")),
        ({"card_ending": "4821", "card_loss": "eaten"}, ("invalid", "card_loss")),
    ],
)
async def test_a_card_that_is_not_clear_is_not_blocked(ann: Stage, slots: dict[str, Any], failed: tuple[str, str]) -> None:
    came = await ann.twice("action_block_card", **slots)

    assert came.failed == failed
    assert {one["state"] for one in await ann.sample.find("cards", {"customer_id": "N1001"})} == {"active"}


@pytest.mark.parametrize("said", ["7730", "the one ending 7730.", "the credit one", "Credit", "credit, please"])
async def test_a_card_is_known_by_its_digits_or_its_kind(ann: Stage, said: str) -> None:
    came = await ann.twice("action_block_card", card=said, card_ending="4821")

    assert came.says == (("utter_card_blocked", {"ending": "7730"}),)
    states = {one["ending"]: one["state"] for one in await ann.sample.find("cards", {"customer_id": "N1001"})}
    assert states == {"4821": "active", "7730": "blocked"}


async def test_a_new_card_is_ordered(ann: Stage) -> None:
    came = await ann.twice("action_replace_card", card_ending="4821", card_express=True)
    said = {"ending": "4821", "arrives_by": "7 January 2026", "fee": "£10.00", "address": "12 Mill Lane, Leeds LS1 4AB"}
    assert came.says == (("utter_card_ordered", said),)
    assert len(await ann.sample.find("card_orders", {"customer_id": "N1001"})) == 1

    assert (await ann.act("action_replace_card", card_ending="4821")).failed == ("refused", "ordered_already")


async def test_a_charge_is_chosen_and_disputed(ann: Stage) -> None:
    listed = await ann.act("action_list_transactions", account_kind="current")
    ((_, told),) = listed.says
    assert told["list"].splitlines()[:2] == [
        "1. 4 January 2026, Petrol A64, -£48.50 (pending)",
        "2. 2 January 2026, Cafe Verde, -£8.75",
    ]
    shown = {"transactions": listed.slots["transactions"]}

    came = await ann.twice("action_dispute", **shown, transaction_choice="3", dispute_reason="charged twice")
    ((reply, said),) = came.says
    assert reply == "utter_dispute_opened"
    assert (said["merchant"], said["amount"], said["answer_by"]) == ("StreamBox", "£11.99", "19 January 2026")
    assert came.slots["dispute_reference"] == said["reference"]

    for choice, reason, failed in (
        ("3", "charged_twice", ("refused", "disputed_already")),
        ("1", "not_mine", ("refused", "pending")),
        ("streambox", "not_mine", ("several", "transaction_choice")),
        ("Bakery", "not_mine", ("invalid", "transaction_choice")),
        ("0", "not_mine", ("invalid", "transaction_choice")),
        ("11", "not_mine", ("invalid", "transaction_choice")),
        ("", "not_mine", ("missing", "transaction_choice")),
        ("cafe verde", "", ("missing", "dispute_reason")),
    ):
        came = await ann.act("action_dispute", **shown, transaction_choice=choice, dispute_reason=reason)
        assert came.failed == failed, choice
    assert (await ann.act("action_dispute", transaction_choice="1", dispute_reason="not_mine")).failed == ("missing", "transactions")


async def test_a_list_that_somebody_made_up_opens_nobody_elses_charge(ann: Stage) -> None:
    forged = [{"id": "NX11", "merchant": "Book Barn"}]  # Omar's

    came = await ann.act("action_dispute", transactions=forged, transaction_choice="1", dispute_reason="not_mine")
    assert came.failed == ("not_found", "transaction")


async def test_the_balance(ann: Stage) -> None:
    one = await ann.act("action_balance", account_kind="Current")
    told = {"account": "current account", "ending": "5678", "balance": "£2,480.16", "available": "£2,431.66"}
    assert one.says == (("utter_balance", told),)

    both = await ann.act("action_balance")
    assert both.says[0][0] == "utter_balances"
    assert both.slots["balance_list"].splitlines()[1] == "- savings account ending in 7763: £12,050.00 (£12,050.00 available)"
    assert (await ann.act("action_balance", account_kind="gold")).failed == ("invalid", "account_kind")


async def test_a_transfer_is_checked_and_made(ann: Stage) -> None:
    slots = {"transfer_amount": "£1,050", "payee": "maria costa"}
    checked = await ann.twice("action_check_transfer", **slots)
    assert checked.says == ()
    assert {name: checked.slots[name] for name in ("transfer_amount_text", "payee_name", "payee_ending", "payee_is_new")} == {
        "transfer_amount_text": "£1,050.00",
        "payee_name": "Maria Costa",
        "payee_ending": "8824",
        "payee_is_new": False,
    }
    assert await ann.sample.find("transfers", {}) == []

    sent = await ann.twice("action_transfer", **slots)
    ((reply, said),) = sent.says
    assert (reply, said["arrives_on"], said["payee"]) == ("utter_transfer_sent", "5 January 2026", "Maria Costa")
    assert len(await ann.sample.find("transfers", {"customer_id": "N1001"})) == 1
    account = await ann.sample.get("accounts", "NA1")
    assert account is not None
    assert account["balance"] == 1_430_16


async def test_a_new_payee_is_paid_by_their_numbers(ann: Stage) -> None:
    new = {"payee": "Bo Berg", "payee_account_number": "9988 7766", "payee_routing_number": "11-22-33"}

    sent = await ann.twice("action_transfer", transfer_amount=25.5, **new)
    assert (sent.slots["payee_is_new"], sent.slots["payee_ending"], sent.slots["transfer_amount_text"]) == (True, "7766", "£25.50")
    assert (await ann.act("action_transfer", transfer_amount="1000", **new)).failed == ("refused", "limit_new_payee")


@pytest.mark.parametrize(
    ("slots", "failed"),
    [
        ({"payee": "Maria Costa"}, ("missing", "transfer_amount")),
        ({"transfer_amount": "lots", "payee": "Maria Costa"}, ("invalid", "transfer_amount")),
        ({"transfer_amount": "50 dollars", "payee": "Maria Costa"}, ("invalid", "transfer_amount")),
        ({"transfer_amount": "50"}, ("missing", "payee")),
        ({"transfer_amount": "50", "payee": "Maria"}, ("several", "payee")),
        ({"transfer_amount": "50", "payee": "Zoe"}, ("not_found", "payee")),
        ({"transfer_amount": "50", "payee": "Bo", "payee_account_number": "99887766"}, ("missing", "payee_routing_number")),
        (
            {"transfer_amount": "50", "payee": "Bo", "payee_account_number": "9", "payee_routing_number": "112233"},
            ("refused", "payee_number_wrong"),
        ),
        ({"transfer_amount": "0", "payee": "Maria Costa"}, ("refused", "amount_too_small")),
        ({"transfer_amount": "9000", "payee": "Maria Costa"}, ("refused", "not_enough_money")),
        ({"transfer_amount": "10,500", "payee": "Maria Costa", "account_kind": "savings"}, ("refused", "limit_day")),
    ],
)
async def test_a_transfer_that_cannot_be_made(ann: Stage, slots: dict[str, Any], failed: tuple[str, str]) -> None:
    for action in ("action_check_transfer", "action_transfer"):
        assert (await ann.twice(action, **slots)).failed == failed
    assert await ann.sample.find("transfers", {}) == []


async def test_cheques_are_ordered(ann: Stage) -> None:
    came = await ann.twice("action_order_cheques", cheque_books="3")
    ((_, said),) = came.says
    assert said == {"books": 3, "fee": "£6.00", "arrives_by": "14 January 2026", "address": "12 Mill Lane, Leeds LS1 4AB"}
    assert (await ann.act("action_order_cheques")).slots["cheque_books"] == 1
    assert (await ann.act("action_order_cheques", cheque_books="4")).failed == ("refused", "too_many")
    assert (await ann.act("action_order_cheques", cheque_books="some")).failed == ("invalid", "cheque_books")
    assert (await ann.act("action_order_cheques", account_kind="savings")).failed == ("refused", "not_a_current_account")


async def test_the_routing_number_is_nobodys_secret(stage: Stage) -> None:
    stage.sender = "telegram:999"  # nobody whom the memory knows

    came = await stage.twice("action_routing_number")
    assert came.says == (("utter_routing_number", {"routing_number": "000 555 010"}),)


async def test_offers(ann: Stage) -> None:
    listed = await ann.act("action_list_offers")
    assert listed.slots["offer_list"].splitlines()[0] == "- Northbank Loan: £1,000 to £15,000 over one to five years, 6.9 % a year"

    open_ = await ann.twice("action_check_offer", offer="loan", monthly_income="£2,000", monthly_spending=1000)
    assert open_.says == (("utter_offer_eligible", {"title": "Northbank Loan", "rate": "6.9 % a year", "until": "4 February 2026"}),)
    person = await ann.act("action_check_offer", offer="Northbank credit card", monthly_income="2000", monthly_spending="1300")
    assert person.says == (("utter_offer_person", {"title": "Northbank Credit Card", "answer_by": "7 January 2026"}),)
    no = await ann.act("action_check_offer", offer="loan", monthly_income="900", monthly_spending="100")
    assert (no.says[0][0], no.slots["offer_result"]) == ("utter_offer_not_eligible", "not_eligible")
    yacht = await ann.act("action_check_offer", offer="yacht", monthly_income="900", monthly_spending="100")
    assert yacht.failed == ("invalid", "offer")


async def test_an_account_is_closed(ann: Stage) -> None:
    assert (await ann.act("action_check_closing")).failed == ("refused", "pending_payments")
    checked = await ann.act("action_check_closing", account_kind="savings")
    assert checked.slots["closing_remaining"] == "£12,050.00"

    assert (await ann.act("action_close_account", account_kind="savings")).failed == ("refused", "payout_missing")
    payout = {"payout_account_number": "99887766", "payout_routing_number": "112233"}
    came = await ann.twice("action_close_account", account_kind="savings", **payout)
    assert came.says == (("utter_account_closing", {"ending": "7763", "closes_on": "12 January 2026", "remaining": "£12,050.00"}),)
