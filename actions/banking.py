"""What the bank's flows do. The table in README.md says what each action reads, sets and says."""

from __future__ import annotations

from typing import ClassVar

from actions.base import Call, Failed, RecordsAction, Result
from actions.records.interface import Record
from actions.texts import day_text, digits, fee, lines, money, read_choice, same_words

ACCOUNT_KINDS = ("current", "savings")
LOSSES = ("lost", "stolen", "damaged", "suspected")
DISPUTE_REASONS = ("not_mine", "wrong_amount", "charged_twice", "not_received")
LATEST = 10
"""How many transactions a customer is shown to choose from."""

BLOCKED, EXPIRED = "blocked", "expired"


class ListCards(RecordsAction):
    """The customer's cards, for a flow to offer."""

    def name(self) -> str:
        return "action_list_cards"

    async def act(self, call: Call) -> Result:
        cards = await _cards(call)
        listed = lines(f"{one['kind']} card ending in {one['ending']}{', blocked' if one['state'] == BLOCKED else ''}" for one in cards)
        only = {"card_ending": cards[0]["ending"]} if len(cards) == 1 else {}
        return Result({"card_count": len(cards), "card_list": listed, **only})


class BlockCard(RecordsAction):
    """Blocks a card at once."""

    def name(self) -> str:
        return "action_block_card"

    async def act(self, call: Call) -> Result:
        loss = call.choice("card_loss", LOSSES, "lost")
        card = await _card(call)
        done = await call.do("cards", "block", {"loss": loss}, id=card.id)
        reply = "utter_card_already_blocked" if done["was_blocked"] else "utter_card_blocked"
        slots = {"card_ending": card["ending"], "card_was_blocked": bool(done["was_blocked"])}
        return Result(slots, ((reply, {"ending": card["ending"]}),), journey=("card", "lost"))


class ReplaceCard(RecordsAction):
    """Orders a new card in place of one."""

    def name(self) -> str:
        return "action_replace_card"

    async def act(self, call: Call) -> Result:
        card = await _card(call)
        order = await call.do("cards", "replace", {"express": call.flag("card_express")}, id=card.id)
        told = {"arrives_by": day_text(order["arrives_by"]), "fee": fee(order["fee"], order["currency"])}
        slots = {"card_ending": card["ending"], "card_arrives_by": told["arrives_by"], "card_fee": told["fee"]}
        says = (("utter_card_ordered", {"ending": card["ending"], "address": order["address"], **told}),)
        return Result(slots, says, journey=("card", "replacement ordered"))


class ListTransactions(RecordsAction):
    """The last movements of an account, numbered so that one of them can be chosen."""

    def name(self) -> str:
        return "action_list_transactions"

    async def act(self, call: Call) -> Result:
        account = await _account(call)
        found = await call.mine("transactions", account_id=account.id, limit=LATEST)
        if not found:
            raise Failed("not_found", "transaction")
        listed = lines((_transaction_line(one) for one in found), numbered=True)
        kept = [{"id": one.id, "merchant": one["merchant"]} for one in found]
        slots = {"transactions": kept, "transaction_count": len(found), "transaction_list": listed}
        return Result(slots, (("utter_transactions", {"list": listed}),))


class Dispute(RecordsAction):
    """Disputes a charge that was chosen from the list."""

    def name(self) -> str:
        return "action_dispute"

    async def act(self, call: Call) -> Result:
        reason = call.choice("dispute_reason", DISPUTE_REASONS)
        made = await call.do("transactions", "dispute", {"reason": reason}, id=_chosen(call))
        told = {
            "merchant": made["merchant"],
            "amount": money(made["amount"], made["currency"]),
            "reference": made.id,
            "answer_by": day_text(made["answer_by"]),
        }
        return Result(
            {f"dispute_{name}": value for name, value in told.items()},
            (("utter_dispute_opened", told),),
            journey=("disputed_charge", "asked about"),
        )


class Balance(RecordsAction):
    """What is on the customer's accounts."""

    def name(self) -> str:
        return "action_balance"

    async def act(self, call: Call) -> Result:
        kind = call.choice("account_kind", ACCOUNT_KINDS, "")
        accounts = [one for one in await call.mine("accounts") if one["state"] != "closed" and kind in ("", one["kind"])]
        if not accounts:
            raise Failed("not_found", "account")
        told = [
            {
                "account": f"{one['kind']} account",
                "ending": one["number"][-4:],
                "balance": money(one["balance"], one["currency"]),
                "available": money(one["balance"] - one["pending"] + one["overdraft"], one["currency"]),
            }
            for one in accounts
        ]
        listed = lines(f"{one['account']} ending in {one['ending']}: {one['balance']} ({one['available']} available)" for one in told)
        slots = {"balance": told[0]["balance"], "available": told[0]["available"], "balance_list": listed}
        return Result(slots, (("utter_balance", told[0]) if len(told) == 1 else ("utter_balances", {"list": listed}),))


class CheckTransfer(RecordsAction):
    """Whether a transfer can be made, for the flow to read back before it is."""

    def name(self) -> str:
        return "action_check_transfer"

    async def act(self, call: Call) -> Result:
        return Result(_transfer_slots(await call.check("transfers", "check", await _transfer(call))))


class Transfer(RecordsAction):
    """Makes a transfer."""

    def name(self) -> str:
        return "action_transfer"

    async def act(self, call: Call) -> Result:
        sent = await call.do("transfers", "send", await _transfer(call))
        slots = _transfer_slots(sent) | {"transfer_reference": sent.id}
        told = {
            "amount": slots["transfer_amount_text"],
            "payee": slots["payee_name"],
            "ending": slots["payee_ending"],
            "arrives_on": slots["transfer_arrives_on"],
            "reference": sent.id,
        }
        return Result(slots, (("utter_transfer_sent", told),))


class OrderCheques(RecordsAction):
    """Orders cheque books for the current account."""

    def name(self) -> str:
        return "action_order_cheques"

    async def act(self, call: Call) -> Result:
        books = call.whole("cheque_books", 1)
        account = await _account(call)
        order = await call.do("accounts", "order_cheques", {"books": books}, id=account.id)
        told = {"books": books, "fee": fee(order["fee"], order["currency"]), "arrives_by": day_text(order["arrives_by"])}
        slots = {"cheque_books": books, "cheque_fee": told["fee"], "cheque_arrives_by": told["arrives_by"]}
        return Result(slots, (("utter_cheques_ordered", {**told, "address": order["address"]}),))


class RoutingNumber(RecordsAction):
    """The bank's routing number, which is the same for everybody."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_routing_number"

    async def act(self, call: Call) -> Result:
        found = await call.records.find("routing_numbers", {}, limit=1)
        if not found:
            raise Failed("not_found", "routing_number")
        number = _in_threes(found[0]["number"])
        return Result({"routing_number": number}, (("utter_routing_number", {"routing_number": number}),))


class ListOffers(RecordsAction):
    """What the bank offers."""

    proof: ClassVar[str] = "seen"

    def name(self) -> str:
        return "action_list_offers"

    async def act(self, call: Call) -> Result:
        listed = lines(f"{one['title']}: {one['summary']}, {one['rate']}" for one in await call.records.find("offers", {}))
        return Result({"offer_list": listed}, (("utter_offers", {"list": listed}),))


class CheckOffer(RecordsAction):
    """Whether an offer is open to the customer."""

    def name(self) -> str:
        return "action_check_offer"

    async def act(self, call: Call) -> Result:
        wanted, income, spending = call.needed("offer"), call.amount("monthly_income"), call.amount("monthly_spending")
        offers = await call.records.find("offers", {})
        offer = next((one for one in offers if read_choice(wanted, (one["kind"], one["title"]))), None)
        if offer is None:
            return call.invalid("offer")  # type: ignore[no-any-return]
        checked = await call.do("offers", "check", {"income": income, "spending": spending}, id=offer.id)
        until, answer_by = day_text(checked["valid_until"]), day_text(checked["answer_by"])
        reply = {
            "eligible": ("utter_offer_eligible", {"title": checked["title"], "rate": checked["rate"], "until": until}),
            "person": ("utter_offer_person", {"title": checked["title"], "answer_by": answer_by}),
        }.get(checked["result"], ("utter_offer_not_eligible", {"title": checked["title"]}))
        slots = {"offer_result": checked["result"], "offer_title": checked["title"], "offer_rate": checked["rate"]}
        return Result({**slots, "offer_valid_until": until or None}, (reply,))


class CheckClosing(RecordsAction):
    """Whether an account can be closed, and what would remain, for the flow to read back."""

    def name(self) -> str:
        return "action_check_closing"

    async def act(self, call: Call) -> Result:
        account = await _account(call)
        return Result(_closing_slots(await call.check("accounts", "check_closing", {}, id=account.id)))


class CloseAccount(RecordsAction):
    """Closes an account."""

    def name(self) -> str:
        return "action_close_account"

    async def act(self, call: Call) -> Result:
        account = await _account(call)
        payout = {
            "account_number": digits(call.text("payout_account_number")),
            "routing_number": digits(call.text("payout_routing_number")),
        }
        slots = _closing_slots(await call.do("accounts", "close", payout, id=account.id))
        told = {"ending": slots["closing_ending"], "closes_on": slots["closing_on"], "remaining": slots["closing_remaining"]}
        return Result(slots, (("utter_account_closing", told),), journey=("account", "closing"))


async def _cards(call: Call) -> list[Record]:
    """The cards that can still be spoken of."""
    cards = [one for one in await call.mine("cards") if one["state"] != EXPIRED]
    if not cards:
        raise Failed("not_found", "card")
    return cards


async def _card(call: Call) -> Record:
    """The card that is meant: the one of these last digits, else the only one of this kind, else the only one.

    What the customer chose just now counts before ``card_ending``, which may be what an earlier conversation was about.
    """
    said = call.text("card") or call.text("card_ending")
    if said:
        words = said.casefold().replace(".", " ").replace(",", " ").split()
        cards = await call.mine("cards")
        if {"both", "all", "every", "each"} & {*words}:
            raise Failed("several", "card")
        found = [one for one in cards if one["ending"] in (*words, digits(said))]
        found = found or [one for one in cards if one["kind"] in words and one["state"] != EXPIRED]
        if not found:
            raise Failed("not_found", "card")
        if len(found) > 1:
            raise Failed("several", "card")
        return found[0]
    cards = await _cards(call)
    if len(cards) > 1:
        raise Failed("several", "card_ending")
    return cards[0]


async def _account(call: Call) -> Record:
    """The account that is meant: the one of this kind, else the only one, else the current one."""
    kind = call.choice("account_kind", ACCOUNT_KINDS, "")
    accounts = [one for one in await call.mine("accounts") if one["state"] != "closed" and kind in ("", one["kind"])]
    if not accounts:
        raise Failed("not_found", "account")
    return next((one for one in accounts if one["kind"] == "current"), accounts[0])


def _chosen(call: Call) -> str:
    """The id of the transaction that was chosen from the list that the customer saw, by its number or its shop's name."""
    choice = call.needed("transaction_choice").removeprefix("number ").rstrip(".")
    shown = call.slots.get("transactions")
    if not isinstance(shown, list) or not shown:
        return call.missing("transactions")  # type: ignore[no-any-return]
    listed = [one for one in shown if isinstance(one, dict) and isinstance(one.get("id"), str)]
    if choice.isdecimal():
        return str(listed[int(choice) - 1]["id"]) if 1 <= int(choice) <= len(listed) else call.invalid("transaction_choice")
    named = [one for one in listed if choice.casefold() in str(one.get("merchant", "")).casefold()]
    if len(named) > 1:
        raise Failed("several", "transaction_choice")
    return str(named[0]["id"]) if named else call.invalid("transaction_choice")


async def _transfer(call: Call) -> dict[str, object]:
    """What is to be transferred, from where and to whom: a new payee by their numbers, else one who was paid before by their name."""
    amount, name = call.amount("transfer_amount"), call.needed("payee")
    account = await _account(call)
    number = call.text("payee_account_number")
    base: dict[str, object] = {"account_id": account.id, "amount": amount}
    if number:
        return {**base, "name": name, "account_number": digits(number), "routing_number": digits(call.needed("payee_routing_number"))}
    payees = await call.mine("payees", limit=100)
    found = [one for one in payees if same_words(one["name"], name)]
    found = found or [one for one in payees if name.casefold() in one["name"].casefold()]
    if not found:
        raise Failed("not_found", "payee")
    if len(found) > 1:
        raise Failed("several", "payee")
    return {**base, "payee_id": found[0].id}


def _transfer_slots(record: Record) -> dict[str, object]:
    return {
        "transfer_amount_text": money(record["amount"], record["currency"]),
        "payee_name": record["payee_name"],
        "payee_ending": record["payee_ending"],
        "payee_is_new": bool(record["is_new"]),
        "transfer_arrives_on": day_text(record["arrives_on"]),
        "transfer_fee": fee(record["fee"], record["currency"]),
    }


def _closing_slots(account: Record) -> dict[str, object]:
    return {
        "closing_ending": account["number"][-4:],
        "closing_remaining": money(account["remaining"], account["currency"]),
        "closing_on": day_text(account["closes_on"]),
    }


def _transaction_line(one: Record) -> str:
    pending = " (pending)" if one["state"] == "pending" else ""
    return f"{day_text(one['day'])}, {one['merchant']}, {money(one['amount'], one['currency'])}{pending}"


def _in_threes(number: str) -> str:
    """``000 555 010``, as it is printed."""
    return " ".join(number[start : start + 3] for start in range(0, len(number), 3))
