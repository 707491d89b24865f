"""The rules of the sample's bank. What they say is what the assistant's articles say."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from actions.records.interface import RecordRefused, RecordsUnknown
from actions.records.sample.rules import Call, Made, add, change, one, rows, working_days
from memory.database import Row

ROUTING = "000555010"
"""The bank's own routing number."""

EXPRESS_FEE, CHEQUES_FEE = 10_00, 6_00
FREE_CHEQUES, MOST_CHEQUES = 2, 3
MOST_A_DAY, MOST_TO_NEW = 10_000_00, 1_000_00
NEW_FOR = timedelta(hours=24)
DISPUTE_WITHIN = timedelta(days=60)
LAST_HOUR = 16
"""Transfers to other banks before this hour arrive on the same working day."""

OFFER_HOLDS = timedelta(days=30)
REASONS = ("not_mine", "wrong_amount", "charged_twice", "not_received")


def block_card(call: Call) -> Made:
    """Block a card at once. One that is blocked stays so: ``was_blocked`` says that it was."""
    card = call.mine("cards")
    if card["state"] == "expired":
        raise RecordRefused("card_expired")
    was_blocked = card["state"] == "blocked"
    if not was_blocked:
        card = change(call.tx, "cards", card["id"], state="blocked", blocked_for=call.text("loss") or "lost")
    return "cards", {**card, "was_blocked": was_blocked}


def replace_card(call: Call) -> Made:
    """Order a new card in place of one."""
    card = call.mine("cards")
    account = one(call.tx, "accounts", card["account_id"])
    if account is None or account["state"] != "open":
        raise RecordRefused("card_closed")
    if any(order["arrives_by"] >= call.today.isoformat() for order in rows(call.tx, "card_orders", card_id=card["id"])):
        raise RecordRefused("ordered_already")
    express = call.data.get("express") is True
    order = add(
        call.tx,
        "card_orders",
        "NC",
        {
            "customer_id": card["customer_id"],
            "card_id": card["id"],
            "express": express,
            "fee": EXPRESS_FEE if express else 0,
            "arrives_by": working_days(call.today, 2 if express else 5).isoformat(),
            "ordered_on": call.today.isoformat(),
        },
    )
    return "card_orders", {**order, "ending": card["ending"], "currency": account["currency"], "address": call.customer()["address"]}


def dispute(call: Call) -> Made:
    """Dispute a charge."""
    charge = call.mine("transactions")
    if call.text("reason") not in REASONS:
        raise RecordRefused("reason_missing")
    if charge["amount"] >= 0:
        raise RecordRefused("not_a_charge")
    if charge["state"] == "pending":
        raise RecordRefused("pending")
    if call.today - date.fromisoformat(charge["day"]) > DISPUTE_WITHIN:
        raise RecordRefused("too_old")
    if rows(call.tx, "disputes", transaction_id=charge["id"]):
        raise RecordRefused("disputed_already")
    made = add(
        call.tx,
        "disputes",
        "ND",
        {
            "customer_id": charge["customer_id"],
            "transaction_id": charge["id"],
            "reason": call.text("reason"),
            "state": "open",
            "opened_on": call.today.isoformat(),
            "answer_by": working_days(call.today, 10).isoformat(),
        },
    )
    return "disputes", {**made, "merchant": charge["merchant"], "amount": -charge["amount"], "currency": charge["currency"]}


def check_transfer(call: Call) -> Made:
    """Whether a transfer can be made, to whom it would go and when it would arrive. Nothing is changed."""
    account, payee = _transfer(call)
    return "transfers", {"id": "", **_transfer_facts(call, account, payee)}


def send_transfer(call: Call) -> Made:
    """Make a transfer; a new payee is kept."""
    account, payee = _transfer(call)
    facts = _transfer_facts(call, account, payee)
    amount = call.number("amount")
    if payee["is_new"] and not payee["id"]:
        kept = {name: payee[name] for name in ("customer_id", "name", "account_number", "routing_number")}
        payee = {**add(call.tx, "payees", "NP", {**kept, "added_at": call.now.isoformat()}), "is_new": True}
    change(call.tx, "accounts", account["id"], balance=account["balance"] - amount)
    _book(call, account, f"Transfer to {payee['name']}", -amount)
    if payee["routing_number"] == ROUTING:
        for other in rows(call.tx, "accounts", number=payee["account_number"]):
            change(call.tx, "accounts", other["id"], balance=other["balance"] + amount)
            _book(call, other, "Transfer in", amount)
    sent = add(
        call.tx,
        "transfers",
        "NT",
        {
            "customer_id": account["customer_id"],
            "account_id": account["id"],
            "payee_id": payee["id"],
            "amount": amount,
            "currency": account["currency"],
            "arrives_on": facts["arrives_on"],
            "sent_at": call.now.isoformat(),
        },
    )
    return "transfers", {**sent, **facts}


def order_cheques(call: Call) -> Made:
    """Order cheque books for a current account; the first ones of a year are free."""
    account = call.mine("accounts")
    if account["kind"] != "current":
        raise RecordRefused("not_a_current_account")
    if account["state"] != "open":
        raise RecordRefused("account_closed")
    books = call.number("books")
    if not 1 <= books <= MOST_CHEQUES:
        raise RecordRefused("too_many")
    year = str(call.today.year)
    before = sum(one["books"] for one in rows(call.tx, "cheque_orders", customer_id=account["customer_id"]) if one["ordered_on"] >= year)
    free = max(0, FREE_CHEQUES - before)
    made = add(
        call.tx,
        "cheque_orders",
        "NQ",
        {
            "customer_id": account["customer_id"],
            "account_id": account["id"],
            "books": books,
            "fee": max(0, books - free) * CHEQUES_FEE,
            "arrives_by": working_days(call.today, 7).isoformat(),
            "ordered_on": call.today.isoformat(),
        },
    )
    return "cheque_orders", {**made, "currency": account["currency"], "address": call.customer()["address"]}


def check_offer(call: Call) -> Made:
    """Whether an offer is open to a customer with this income and spending a month. It is noted that they asked."""
    customer = call.customer()
    offer = one(call.tx, "offers", call.id)
    if offer is None:
        raise RecordsUnknown("offers")
    income, spending = call.number("income"), call.number("spending")
    result = "eligible"
    if income < offer["least_income"] or spending * 4 > income * 3:
        result = "not_eligible"
    elif spending * 5 > income * 3:
        result = "person"
    made = add(
        call.tx,
        "offer_checks",
        "NO",
        {
            "customer_id": customer["id"],
            "offer_id": offer["id"],
            "result": result,
            "valid_until": (call.today + OFFER_HOLDS).isoformat() if result == "eligible" else None,
            "answer_by": working_days(call.today, 2).isoformat() if result == "person" else None,
            "checked_on": call.today.isoformat(),
        },
    )
    return "offer_checks", {**made, "title": offer["title"], "rate": offer["rate"]}


def check_closing(call: Call) -> Made:
    """Whether an account can be closed, when it would be, and what would remain. Nothing is changed."""
    account = _closable(call)
    return "accounts", {**account, "closes_on": working_days(call.today, 5).isoformat(), "remaining": account["balance"]}


def close_account(call: Call) -> Made:
    """Close an account; what remains goes to the account that the call names."""
    account = _closable(call)
    if account["balance"] > 0 and not (_is_account(call.text("account_number")) and _is_routing(call.text("routing_number"))):
        raise RecordRefused("payout_missing")
    closes_on = working_days(call.today, 5).isoformat()
    closing = change(call.tx, "accounts", account["id"], state="closing", closes_on=closes_on)
    return "accounts", {**closing, "remaining": account["balance"]}


def _closable(call: Call) -> Row:
    account = call.mine("accounts")
    for wrong, reason in (
        (account["state"] != "open", "closing_already"),
        (account["joint"], "joint_account"),
        (account["pending"] > 0, "pending_payments"),
        (account["balance"] < 0, "overdraft_owed"),
    ):
        if wrong:
            raise RecordRefused(reason)
    return account


def _transfer(call: Call) -> tuple[Row, Row]:
    """The account and the payee of a transfer that can be made."""
    account = call.mine("accounts", call.text("account_id"))
    payee = _payee(call)
    amount = call.number("amount")
    if account["state"] != "open":
        raise RecordRefused("account_closed")
    if amount < 1:
        raise RecordRefused("amount_too_small")
    if payee["routing_number"] == ROUTING and payee["account_number"] == account["number"]:
        raise RecordRefused("own_account")
    sent = rows(call.tx, "transfers", customer_id=account["customer_id"])
    today = call.today.isoformat()
    if amount + sum(one["amount"] for one in sent if one["sent_at"] >= today) > MOST_A_DAY:
        raise RecordRefused("limit_day")
    if payee["is_new"] and amount + sum(one["amount"] for one in sent if payee["id"] and one["payee_id"] == payee["id"]) > MOST_TO_NEW:
        raise RecordRefused("limit_new_payee")
    if amount > account["balance"] - account["pending"] + account["overdraft"]:
        raise RecordRefused("not_enough_money")
    return account, payee


def _payee(call: Call) -> Row:
    if call.text("payee_id"):
        known = call.mine("payees", call.text("payee_id"))
    else:
        number, routing = call.text("account_number"), call.text("routing_number")
        if not (_is_account(number) and _is_routing(routing)):
            raise RecordRefused("payee_number_wrong")
        wanted = {"customer_id": call.customer()["id"], "account_number": number, "routing_number": routing}
        same = rows(call.tx, "payees", **wanted)
        known = same[0] if same else {"id": "", **wanted, "name": call.text("name") or "new payee", "added_at": call.now.isoformat()}
    return {**known, "is_new": call.now - datetime.fromisoformat(known["added_at"]) < NEW_FOR}


def _transfer_facts(call: Call, account: Row, payee: Row) -> Row:
    day = call.today
    if payee["routing_number"] != ROUTING and (day.weekday() >= 5 or call.now.hour >= LAST_HOUR):
        day = working_days(day, 1)
    return {
        "amount": call.number("amount"),
        "currency": account["currency"],
        "fee": 0,
        "payee_name": payee["name"],
        "payee_ending": payee["account_number"][-4:],
        "is_new": payee["is_new"],
        "arrives_on": day.isoformat(),
    }


def _book(call: Call, account: Row, text: str, amount: int) -> None:
    row = {
        "customer_id": account["customer_id"],
        "account_id": account["id"],
        "card_id": None,
        "day": call.today.isoformat(),
        "merchant": text,
        "amount": amount,
        "currency": account["currency"],
        "state": "booked",
    }
    add(call.tx, "transactions", "NX", row)


def _is_account(text: str) -> bool:
    return re.fullmatch(r"[0-9]{8}", text) is not None


def _is_routing(text: str) -> bool:
    """A routing number of nine digits, or a sort code of six."""
    return re.fullmatch(r"[0-9]{6}(?:[0-9]{3})?", text) is not None
