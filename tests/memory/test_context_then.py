"""What was known when a turn began: recalled then and recalled long after, it is the same."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from memory.consents import keep_consent
from memory.context import Context, recall
from memory.context_then import ContextThen, person_then, recall_then
from memory.customers import Known, get_identity, ownership_of
from memory.database import Database, Row, Tx
from memory.declared import Declarations
from memory.exchanges import exchange_id, exchange_row, log
from memory.experiences import experience_row, keep_experiences
from memory.facts import Told, confirm, end_fact, fact_history, remember, retract
from memory.handoffs import claim_handoff, end_handoff, open_handoff, open_handoff_of
from memory.journeys import move_journey
from memory.known import refresh_known
from memory.merges import merge, merges_of, unmerge
from memory.promises import break_promise, make_promise, promise_history, settle_promise
from memory.proofs import prove
from memory.turns import DIALOGUE, keep_turns
from tests.memory.people import START, meet


class Life:
    """What happens to some customers, one thing after the other, each a minute later. Turns keep what they recalled."""

    def __init__(self, tx: Tx, people: list[Known]) -> None:
        self.tx = tx
        self.people = people
        self.now = START
        self.turn_id = 0
        self.recalled: dict[int, Context] = {}
        self.joined = False

    def home(self, who: Known) -> int:
        row = get_identity(self.tx, who.identity_id)
        assert row is not None
        return int(row.home_id)

    def root(self, who: Known) -> int:
        row = get_identity(self.tx, who.identity_id)
        assert row is not None
        return int(row.customer_id)

    def later(self, minutes: float = 1) -> datetime:
        self.now += timedelta(minutes=minutes)
        return self.now

    def turn(self, who: Known, text: str = "Hello", *, told: dict[str, Any] | None = None, trace: Row | None = None) -> int:
        """A turn that recalls, then says something and learns something, all at the same moment."""
        self.later()
        self.turn_id += 1
        ownership_of(self.tx, [self.root(who)])
        self.recalled[self.turn_id] = recall(self.tx, [who.identity_id])[who.identity_id]
        rows = [self.said(who, 0, text), self.said(who, 1, f"answer to {text}", direction="out", author="assistant")]
        log(self.tx, rows)
        row = {"id": self.turn_id, "customer_id": self.home(who), "lane": "turn", "decision": "answer", "trace": trace or {"hits": []}}
        keep_turns(self.tx, [{**row, "started_at": self.now, "finished_at": self.now}])
        for name, value in (told or {}).items():
            self.tell(who, name, value, exchange_id=rows[0]["id"])
        return self.turn_id

    def said(self, who: Known, n: int, text: str, **more: Any) -> Row:
        row: Row = {"direction": "in", "author": "customer", "kind": "text", "at": self.now, **more}
        id_ = exchange_id(self.turn_id, n)
        return exchange_row(id=id_, customer_id=self.home(who), identity_id=who.identity_id, turn_id=self.turn_id, text=text, **row)

    def tell(self, who: Known, name: str, value: Any, **rest: Any) -> None:
        told = Told(name, value, rest.pop("source", "customer"), **rest)
        remember(self.tx, Declarations(), self.home(who), told, at=self.now, person=[self.home(who)])
        self.gather(who)

    def gather(self, who: Known) -> None:
        refresh_known(self.tx, [self.home(who)])

    def then(self, turn_id: int) -> ContextThen:
        found = recall_then(self.tx, turn_id)
        assert found is not None
        return found


def facts(context: Context) -> dict[str, Any]:
    return {
        name: (fact.value, fact.source, fact.exchange_id, fact.since, sorted(other.value for other in fact.contested))
        for name, fact in context.facts.items()
    }


def seen(context: Context) -> dict[str, Any]:
    """What of a context is kept over time."""
    return {
        "customer": (context.customer_id, context.home_id, context.person, context.identity_id),
        "facts": facts(context),
        "proposed": sorted((one.name, one.value) for one in context.proposed),
        "consents": context.consents,
        "journeys": context.journeys,
        "experiences": context.experiences,
        "promises": context.promises,
        "exchanges": context.exchanges,
        "episode": context.last_episode,
        "handoff": context.handoff,
        "proof": (context.proof, context.proven_at),
    }


@pytest.fixture
async def people(database: Database) -> list[Known]:
    return [await meet(database, str(n)) for n in range(3)]


def agree(tx: Tx, life: Life, who: Known, granted: bool) -> None:
    keep_consent(tx, life.home(who), "offers", granted=granted, version="1", text="May we?", channel="telegram", at=life.later())
    life.gather(who)


async def test_later_changes_do_not_show(database: Database, people: list[Known]) -> None:
    cora, dora = people[:2]

    def live(tx: Tx) -> Life:
        life = Life(tx, people)
        life.turn(cora, "I moved", told={"address": "Bath", "phone": "+44 20 7946 0001"})
        life.tell(cora, "email", "cora@example.com", confidence=0.6)
        life.tell(cora, "phone", "+44 20 7946 0009", source="system")
        agree(tx, life, cora, True)
        home = life.home(cora)
        move_journey(tx, home, "card", "ordered", by="event", at=life.later())
        make_promise(tx, home, "I call you back", by="Bea", at=life.later(), due_at=life.now + timedelta(days=1), exchange_id=257)
        keep_experiences(tx, [experience_row(key="1", customer_id=home, good=False, kind="mood", weight=0.5, at=life.later())])
        life.gather(cora)
        asked = life.turn(cora, "Where is my card?", told={"card": "1234"}, trace={DIALOGUE: {"asked": "name"}})
        life.later(60 * 24 * 30)

        life.turn(cora, "I moved again", told={"address": "York"})
        life.tell(cora, "phone", "+44 20 7946 0002", corrects=True)
        proposed = [row for row in fact_history(tx, [home]) if row.standing == "proposed"]
        confirm(tx, Declarations(), proposed[0].id, exchange_id=None, at=life.later())
        agree(tx, life, cora, False)
        move_journey(tx, home, "card", "used", by="event", at=life.later(), closes=True)
        break_promise(tx, promise_history(tx, [home])[0].id, at=life.later())
        keep_experiences(tx, [experience_row(key="2", customer_id=home, good=True, kind="thanks", weight=1, at=life.later())])
        open_handoff(tx, life.turn(cora, "A person"), home, cora.identity_id, reason="asked", packet={}, at=life.later())
        life.turn(dora, "Hello from Dora", told={"address": "Hull"})
        prove(tx, cora.identity_id, "verified", how="agent", evidence={}, by="Bea", at=life.later())
        merge(tx, home, life.home(dora), evidence={"kind": "test"}, by="Bea", at=life.later())

        then = life.then(asked)
        assert seen(then.context) == seen(life.recalled[asked])
        context = then.context
        assert (context.facts["address"].value, context.facts["phone"].value) == ("Bath", "+44 20 7946 0001")
        assert [one.value for one in context.facts["phone"].contested] == ["+44 20 7946 0009"]
        assert [one.value for one in context.proposed] == ["cora@example.com"]
        assert "card" not in context.facts
        assert context.consents["offers"].granted
        assert [one.stage for one in context.journeys] == ["ordered"]
        assert [one.state for one in context.promises] == ["open"]
        assert [one.kind for one in context.experiences] == ["mood"]
        assert [one.text for one in context.exchanges] == ["I moved", "answer to I moved"]
        assert (context.handoff, context.person, context.proof, context.dialogue) == (None, (home,), "seen", {"asked": "name"})

        assert [row.text for row in (*then.arrived, *then.said)] == ["Where is my card?", "answer to Where is my card?"]
        assert then.person_now == (home, life.home(dora))
        assert {row["value"] for row in then.now["facts"] if row["name"] == "address"} == {"York", "Hull"}
        assert then.masked == ()
        return life

    await database.write(live)


async def test_there_is_nothing_of_a_turn_that_was_not(database: Database) -> None:
    assert await database.read(lambda tx: recall_then(tx, 99)) is None


async def test_what_an_agent_did_while_a_turn_waited_was_known_to_it(database: Database, people: list[Known]) -> None:
    """The agent's update came later and its deed was done earlier: a turn may wait for its worker."""
    cora = people[0]

    def live(tx: Tx) -> None:
        life = Life(tx, people)
        life.turn(cora, "first")
        life.turn_id = 8
        deed = life.said(cora, 0, "Bea here", direction="out", author="agent")
        log(tx, [deed])
        row = {"id": 8, "customer_id": life.home(cora), "lane": "desk", "decision": "relayed", "trace": {}}
        keep_turns(tx, [{**row, "started_at": life.now, "finished_at": life.now}])
        life.turn_id = 4
        waited = life.turn(cora, "waited")

        assert waited == 5
        assert [past.text for past in life.then(5).context.exchanges] == ["first", "answer to first", "Bea here"]
        assert life.then(5).context.exchanges == life.recalled[5].exchanges
        assert [past.text for past in life.then(8).context.exchanges] == ["first", "answer to first"]

    await database.write(live)


def test_who_was_one_person_then() -> None:
    class Row:
        def __init__(self, survivor: int, merged: int, at: int, undone: int | None = None) -> None:
            self.survivor_id, self.merged_id = survivor, merged
            self.at = START + timedelta(hours=at)
            self.undone_at = None if undone is None else START + timedelta(hours=undone)

    merges: Any = [Row(2, 5, 1, 7), Row(1, 2, 3), Row(2, 9, 2), Row(5, 6, 8)]

    def person(customer_id: int, hour: int) -> tuple[int, ...]:
        return person_then(merges, customer_id, START + timedelta(hours=hour))

    assert [person(5, hour) for hour in (0, 1, 2, 3, 7, 8)] == [(5,), (2, 5), (2, 5, 9), (1, 2, 5, 9), (5,), (5, 6)]
    assert person(9, 7) == person(1, 8) == (1, 2, 9)
    assert person(4, 5) == (4,)


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_later(database: Database, people: list[Known], seed: int) -> None:
    """Random lives: every turn's context, recalled at the end, is what it was."""
    chance = random.Random(seed)

    def live(tx: Tx) -> None:
        life = Life(tx, people)
        for _ in range(60):
            happen(tx, life, chance)
        life.later(60 * 24)
        for turn_id, context in life.recalled.items():
            was, then = seen(context), seen(life.then(turn_id).context)
            if life.joined:  # which of the ended ones a later merge takes for the latest is no matter
                del was["episode"], then["episode"]
            assert then == was, turn_id
        assert len(life.recalled) > 5

    await database.write(live)


def happen(tx: Tx, life: Life, chance: random.Random) -> None:
    """One more thing."""
    who = chance.choice(life.people)
    home, root = life.home(who), life.root(who)
    life.later()
    name, value = chance.choice(["address", "phone"]), chance.choice("abc")
    handoff = open_handoff_of(tx, root)
    match chance.randrange(16):
        case 0 | 1 | 2 | 3:
            life.turn(who, chance.choice("xyz"), told={name: value} if chance.random() < 0.4 else None)
        case 4 | 5:
            source = chance.choice(["agent", "system", "customer"])
            if all(row.value != value for row in fact_history(tx, [home])):  # when something was said again is not kept
                life.tell(who, name, value, source=source, confidence=chance.choice([1, 0.5]), corrects=chance.random() < 0.3)
        case 6:
            open_ = [row for row in fact_history(tx, [home]) if row.closed_at is None]
            if open_:
                retract(tx, chance.choice(open_).id, at=life.now)
        case 7:
            end_fact(tx, [home], name, at=life.now)
        case 8:
            agree(tx, life, who, chance.random() < 0.5)
        case 9:
            stage = chance.choice(["ordered", "sent", "used"])
            move_journey(tx, home, "card", stage, by="event", at=life.now, closes=stage == "used")
        case 10:
            due = life.now + timedelta(minutes=chance.randrange(30)) if chance.random() < 0.7 else None
            make_promise(tx, home, "soon", by="Bea", at=life.now, due_at=due, exchange_id=None)
        case 11:
            for row in promise_history(tx, [home]):
                if row.state == "open" and row.due_at is not None and row.due_at < life.now:
                    break_promise(tx, row.id, at=life.now)
                elif chance.random() < 0.5 and (row.due_at is None or row.due_at >= life.now):
                    settle_promise(tx, row.id, by="Bea", at=life.now)
        case 12:
            moment = experience_row(key=str(life.now), customer_id=home, good=False, kind="mood", weight=0.5, at=life.now)
            keep_experiences(tx, [moment])
        case 13 if handoff is None:
            open_handoff(tx, life.turn(who), root, who.identity_id, reason="asked", packet={}, at=life.now)
        case 13 if handoff and handoff.state == "waiting" and chance.random() < 0.5:
            claim_handoff(tx, handoff, owner="desk:1", name="Bea", at=life.now)
        case 13 if handoff:
            end_handoff(tx, handoff, ending="returned", return_packet={"note": "done"}, at=life.now)
        case 14:
            other = chance.choice([one for one in life.people if one != who])
            if life.root(other) != root:
                life.joined |= merge(tx, home, life.home(other), evidence={}, by="Bea", at=life.now).joined is not None
        case _:
            undoable = [row for row in merges_of(tx, [home]) if row.undone_at is None]
            if undoable and handoff is None:
                unmerge(tx, chance.choice(undoable).id, by="Bea", at=life.now)
    life.gather(who)
