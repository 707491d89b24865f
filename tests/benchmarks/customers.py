"""Real customers against the three assistants: how often they are understood, and how far they come.

    python -m tests.benchmarks.customers FOLDER [--conversations 100] [--json FILE] [--only understanding|playing]

FOLDER holds ``finance``, ``insurance`` and ``media`` with ``train.tsv`` and ``dev.tsv`` in the MultiDoGO layout. First the intents: what
each assistant, with the examples that were written for it and nothing else, takes the customers' requests for; then with the requests of
the train split added. Then the first conversations of the dev split, played through the simulator twice: as they were written, line by
line, answers that were meant for a person's questions included; and with the answers that the assistant's own questions need in their
place, as the customer of the company's records would give them.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import logging
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.assistants import Assistant, load_assistant
from bot.flows.listen import SURE
from bot.flows.stack import only_speaks, root_of
from bot.flows.state import State, read_state
from bot.qa.databases import Source, source_of
from bot.qa.format import CustomerIs, Head
from bot.qa.ledger import read_customers
from bot.qa.read import Script
from bot.qa.stage import Stage, Stuck, open_stage
from bot.understand.hear import hear
from bot.understand.intents import Intents, train
from memory.database import Record, Tx, table
from memory.dialogue import dialogue_table
from memory.handoffs import handoff_table
from memory.turns import Turn
from tests.benchmarks.tables import console, save, show

SECTORS = {"finance": "banking", "insurance": "insurance", "media": "telecoms"}

OURS = {
    "reportlostcard": "report_lost_card",
    "replacecard": "replace_card",
    "disputecharge": "dispute_charge",
    "checkbalance": "check_balance",
    "transfermoney": "transfer_money",
    "updateaddress": "update_address",
    "orderchecks": "order_cheques",
    "getroutingnumber": "ask_routing_number",
    "checkoffereligibility": "check_offer",
    "closeaccount": "close_account",
    "getproofofinsurance": "get_proof_of_insurance",
    "checkclaimstatus": "check_claim_status",
    "reportbrokenphone": "report_broken_phone",
    "startserviceintent": "start_service",
    "transferserviceintent": "move_service",
    "upgradeserviceintent": "upgrade_service",
    "cancelserviceintent": "cancel_service",
    "viewbillsintent": "view_bill",
    "viewdatausageintent": "view_data_usage",
    "getinformationintent": "ask_plans",
    "viewchannelpackagesintent": "view_channel_packages",
    "viewaccountdetailsintent": "view_account_details",
}
"""Their names of requests, and the assistants', which are their flows' too but for ``FLOWS``."""

FLOWS = {"ask_plans": "hear_plans"}

NOTHING_OF_OURS = "out_of_scope"
"""The flow that says so."""

TALK = {"thankyou": "thanks", "openinggreeting": "greeting", "closinggreeting": "goodbye", "confirmation": "affirm", "rejection": "deny"}

ANSWERS: dict[str, dict[str, str]] = {
    "banking": {
        "account_number": "12345678",
        "card": "4821",
        "transaction_choice": "3",
        "dispute_reason": "I did not pay this",
        "account_kind": "current",
        "payee": "Maria Costa",
        "transfer_amount": "50",
        "address": "7 Hill Street, Leeds LS2 8AA",
        "address_from": "1 February 2026",
        "interests": "travel",
        "cheque_books": "1",
        "offer": "loan",
        "monthly_income": "2400",
        "monthly_spending": "1200",
        "payout_account_number": "31508824",
        "payout_routing_number": "000555010",
    },
    "insurance": {
        "policy_number": "HP123456",
        "claim_number": "HPC-204871",
        "damage": "screen",
        "damaged_on": "yesterday",
        "proof_delivery": "email",
        "policy_kind": "motor",
        "repair_by": "post",
    },
    "telecoms": {
        "customer_number": "12345678",
        "account_number": "12345678",
        "phone": "+447700900301",
        "service_kind": "internet",
        "tv_taste": "films",
        "new_address": "7 Hill Street, Leeds LS2 8AA",
        "move_day": "1 February 2026",
        "start_day": "1 February 2026",
        "last_day": "1 March 2026",
        "bill_month": "December",
    },
}
"""What the customer of the sample's records answers to a question for a slot; to one that is not here, and to a yes or no: yes."""

PLANS = {"internet": "Calla 500", "mobile": "Mobile 10 GB", "tv": "Premium", "home phone": "Home phone"}
"""The plan that is wanted, by what the service is."""

MOST_QUESTIONS = 14
"""A customer who is asked more often than this in a row has enough."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a real customer."""

    text: str
    intent: str


def read_conversations(file: Path) -> list[list[Line]]:
    """The conversations of a file, in its order, each in turn order. A message that is two things counts as its first."""
    found: dict[str, list[tuple[float, Line]]] = defaultdict(list)
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            if text := " ".join(row["utterance"].split()):
                line = Line(text[:4096], row["intent"].split("<div>")[0])
                found[row["conversationId"]].append((float(row["turnNumber"]), line))
    return [[line for _, line in sorted(lines, key=lambda one: one[0])] for lines in found.values()]


# -- understanding ----------------------------------------------------------------------------------------------------------


def understood(folder: Path) -> Iterator[dict[str, Any]]:
    """One row a sector and kind of message: how many there are, and how many were taken for what they are."""
    for sector, name in SECTORS.items():
        assistant = load_assistant(name)
        dev = [line for one in read_conversations(folder / sector / "dev.tsv") for line in one]
        own = {intent: list(texts) for intent, texts in assistant.flows.examples.intents.items() if texts}
        more = {intent: list(texts) for intent, texts in own.items()}
        for one in read_conversations(folder / sector / "train.tsv"):
            for line in one:
                if OURS.get(line.intent) in more:
                    more[OURS[line.intent]].append(line.text)
        first, second = train(own), train({intent: list(dict.fromkeys(texts)) for intent, texts in more.items()})
        wanted = [line for line in dev if OURS.get(line.intent) in own]
        yield {
            "sector": name,
            "messages": "requests",
            "n": len(wanted),
            "right %": _share(_right(first, wanted), len(wanted)),
            "with train %": _share(_right(second, wanted), len(wanted)),
            "confused": _confused(first, wanted),
        }
        for label, flag in TALK.items():
            talk = [line for line in dev if line.intent == label]
            heard = sum(bool(getattr(hear(line.text, assistant.knowledge), flag)) for line in talk)
            yield {
                "sector": name,
                "messages": flag,
                "n": len(talk),
                "right %": _share(heard, len(talk)),
                "with train %": "",
                "confused": "",
            }
        yield from _out_of_scope(assistant, first, dev)


def _right(intents: Intents, lines: Sequence[Line]) -> int:
    return sum(bool(found := intents.judge(line.text).guesses) and found[0].intent == OURS[line.intent] for line in lines)


def _confused(intents: Intents, lines: Sequence[Line]) -> str:
    """The three commonest mistakes, as what it was and what it was taken for."""
    pairs: Counter[tuple[str, str]] = Counter()
    for line in lines:
        found = intents.judge(line.text).guesses
        taken = found[0].intent if found else "nothing"
        if taken != OURS[line.intent]:
            pairs[OURS[line.intent], taken] += 1
    return "; ".join(f"{was} as {taken} {n}" for (was, taken), n in pairs.most_common(3))


def _out_of_scope(assistant: Assistant, intents: Intents, dev: Sequence[Line]) -> Iterator[dict[str, Any]]:
    """What belongs to nothing that the assistant does: how much of it is none of the intents, or the one that says that it is none; and how
    much of it begins no task, whatever it is taken for.
    """
    lines = [line for line in dev if line.intent == "outofdomain"]
    by_intent = assistant.flows.by_intent
    none = {intent for intent, flows in by_intent.items() if NOTHING_OF_OURS in (flow.id for flow in flows)}
    tasks = {intent for intent, flows in by_intent.items() if not all(only_speaks(flow) for flow in flows)}
    judged = [intents.judge(line.text) for line in lines]
    outside = [one for one in judged if one.in_scope < intents.scope_threshold]
    inside = [one for one in judged if one.in_scope >= intents.scope_threshold]
    begun = sum(one.guesses[0].intent in tasks and one.guesses[0].confidence >= SURE for one in inside)
    yield _row(assistant.name, "out of domain", len(lines), len(outside) + sum(one.guesses[0].intent in none for one in inside))
    yield _row(assistant.name, "out of domain, no task begun", len(lines), len(lines) - begun)


def _row(name: str, messages: str, n: int, right: int) -> dict[str, Any]:
    return {"sector": name, "messages": messages, "n": n, "right %": _share(right, n), "with train %": "", "confused": ""}


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


# -- playing ----------------------------------------------------------------------------------------------------------------


@dataclass
class Came:
    """How far one customer came. ``wanted`` are the flows that they came for."""

    wanted: set[str]
    began: set[str] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)
    handed_over: bool = False
    asked_again: int = 0
    turns: int = 0
    stuck: bool = False


async def play(source: Source, name: str, lines: Sequence[Line], *, answering: bool) -> Came:
    """Play one conversation on a stage of its own."""
    head = Head(name="real", assistant=name, customers={"ann": CustomerIs(first_name="Ann", last_name="Lee")}, script=["-"])
    came = Came({FLOWS.get(intent, intent) for line in lines if (intent := OURS.get(line.intent)) is not None})
    async with source.fresh() as url, open_stage(Script(Path("real.yml"), head, ()), url) as stage:
        person, bot = stage.person("ann"), stage.bot_name(stage.bot)
        try:
            for line in lines:
                if answering and line.intent == "contentonly":
                    continue
                person.send(bot, line.text)
                await stage.settle()
                for _ in range(MOST_QUESTIONS if answering else 0):
                    answer = await _answer(stage, name)
                    if answer is None:
                        break
                    person.send(bot, answer)
                    await stage.settle()
        except Stuck:
            came.stuck = True
        await stage.store.read(lambda tx: _look(tx, came))
    return came


async def _answer(stage: Stage, name: str) -> str | None:
    """What the customer answers to the question that stands; None where none does, or a person has the case."""
    state, handed_over = await stage.store.read(lambda tx: _standing(tx, str(stage.person("ann").id)))
    if handed_over or state.waits is None or root_of(state) is None:
        return None
    slot = state.asked
    if slot is None:
        return "yes" if state.offer is not None else None
    if slot == "code":
        return stage.records.last_code()
    if slot == "plan":
        return PLANS[str(state.slots.get("service_kind"))]
    return ANSWERS[name].get(slot, "yes")


def _standing(tx: Tx, address: str) -> tuple[State, bool]:
    row = read_customers(tx).get(address)
    if row is None:
        return State(), False
    kept = tx.execute(dialogue_table.select().where(dialogue_table.c.identity_id == row.id)).first()
    open_ = tx.execute(handoff_table.select().where(handoff_table.c.state != "ended")).first()
    return read_state(kept.state if kept is not None else {}), open_ is not None


def _look(tx: Tx, came: Came) -> None:
    turns: list[Record] = list(tx.execute(table(Turn).select()))
    for turn in turns:
        flow = (turn.trace or {}).get("flow") or {}
        for event in flow.get("events", ()):
            kind, what, how = (*event.split(" "), "", "")[:3]
            if kind == "flow":
                (came.began if how == "started" else came.finished).add(what)
        came.asked_again += len(flow.get("asked_again", ()))
    came.turns = len(turns)
    came.handed_over = tx.execute(handoff_table.select()).first() is not None


async def played(source: Source, folder: Path, most: int, *, answering: bool) -> list[dict[str, Any]]:
    """One row a sector."""
    rows = []
    for sector, name in SECTORS.items():
        conversations = read_conversations(folder / sector / "dev.tsv")[:most]
        came = [await play(source, name, lines, answering=answering) for lines in conversations]
        with_wish = [one for one in came if one.wanted]
        rows.append(
            {
                "sector": name,
                "answers": "the assistant's" if answering else "as written",
                "conversations": len(came),
                "with a request": len(with_wish),
                "reached their flow": sum(bool(one.wanted & one.began) for one in with_wish),
                "finished it": sum(bool(one.wanted & one.finished) for one in with_wish),
                "handed over": sum(one.handed_over for one in came),
                "asked anything twice": sum(one.asked_again for one in came),
                "stuck": sum(one.stuck for one in came),
                "turns": sum(one.turns for one in came),
            }
        )
        console.print(f"{name}: {len(came)} played")
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--conversations", type=int, default=100)
    parser.add_argument("--only", choices=("understanding", "playing"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    figures: dict[str, Any] = {}
    if given.only != "playing":
        figures["understanding"] = list(understood(given.folder))
        show("What customers' messages are taken for", figures["understanding"])
    if given.only != "understanding":
        with source_of(None) as source:
            figures["playing"] = [
                row
                for answering in (False, True)
                for row in asyncio.run(played(source, given.folder, given.conversations, answering=answering))
            ]
        show("How far customers come", figures["playing"])
    save(given.json, figures)


if __name__ == "__main__":
    tempfile.tempdir = "/dev/shm" if Path("/dev/shm").is_dir() else None
    main()
