from datetime import timedelta

import orjson
import sqlalchemy as sa

from bot.web.memory_view import LAST_EXCHANGES, LAST_TURNS, CustomerView, customer_view
from memory.clock import ManualClock
from memory.customers import Known, Profile, find_or_make, set_reachable
from memory.database import Database, Tx
from memory.dialogue import keep_dialogues
from memory.exchanges import exchange_id, exchange_row, log
from memory.handoffs import claim_handoff, end_handoff, get_handoff, open_handoff
from memory.inbox import TURN, inbox_row, keep
from memory.lanes import claim_lanes
from memory.outbox import mark_done, mark_sending, outbox_row, outbox_table, put_out
from memory.turns import keep_turns
from tests.memory.people import tell

ANN, BOB = "501", "502"


async def met(database: Database, clock: ManualClock, address: str = ANN) -> Known:
    """A customer that the memory has met."""
    profile = Profile(address, name="Ann Lee", username="ann", language="en")
    known = await database.write(lambda tx: find_or_make(tx, "telegram", [profile], at=clock.now()))
    return known[address]


async def seen(database: Database, address: str = ANN) -> CustomerView:
    view = await database.read(lambda tx: customer_view(tx, "telegram", address))
    assert view is not None
    assert orjson.loads(orjson.dumps(view)) == view
    return view


def say(tx: Tx, who: Known, clock: ManualClock, turn: int, *, n: int = 0, author: str = "customer", text: str = "Hello") -> int:
    """Log one exchange and return its id."""
    id_ = exchange_id(turn, n)
    direction = "in" if author == "customer" else "out"
    row = exchange_row(
        id=id_,
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        turn_id=turn,
        direction=direction,
        author=author,
        kind="text",
        at=clock.now(),
        text=text,
        origin=f"telegram:{turn}" if direction == "in" else None,
    )
    log(tx, [row])
    return id_


def send(tx: Tx, who: Known, clock: ManualClock, key: str, exchange: int, *, lane: str = "telegram") -> int:
    """Put out what carries an exchange; its id in the outbox."""
    row = outbox_row(
        key=key,
        lane=lane,
        address=ANN if lane == "telegram" else "2",
        outgoing={"kind": "text", "text": "Hello"},
        at=clock.now(),
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        exchange_id=exchange,
    )
    put_out(tx, [row])
    id_: int = tx.execute(sa.select(outbox_table.c.id).where(outbox_table.c.key == key)).scalar_one()
    return id_


async def test_somebody_unknown_is_none(database: Database) -> None:
    assert await database.read(lambda tx: customer_view(tx, "telegram", ANN)) is None


async def test_a_customer_who_has_just_come(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)

    view = await seen(database)

    assert view["customer_id"] == who.customer_id
    assert view["ownership"] == 0
    assert [(one["channel"], one["address"], one["name"], one["username"]) for one in view["identities"]] == [
        ("telegram", ANN, "Ann Lee", "ann")
    ]
    assert not any(view[part] for part in ("facts", "dialogues", "exchanges", "turns", "handoffs", "outgoings", "incomings", "lanes"))


async def test_every_exchange_says_what_became_of_it(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)

    def fill(tx: Tx) -> None:
        heard = say(tx, who, clock, 1)
        answer = say(tx, who, clock, 1, n=1, author="assistant", text="Hi")
        other = say(tx, who, clock, 2, n=1, author="assistant", text="Anything else?")
        put = [send(tx, who, clock, "1.0", answer), send(tx, who, clock, "2.0", other)]
        shown = send(tx, who, clock, "1.1", heard, lane="handoff")
        mark_sending(tx, [*put, shown])
        for done in ((put[0], "sent", "7", None), (put[1], "uncertain", None, "timed out"), (shown, "sent", "8", None)):
            mark_done(tx, [done], at=clock.now())

    await database.write(fill)

    heard, answer, other = (await seen(database))["exchanges"]

    assert [one["state"] for one in answer["deliveries"]] == ["sent"]
    assert [(one["state"], one["why"], one["tries"]) for one in other["deliveries"]] == [("uncertain", "timed out", 1)]
    assert [(one["lane"], one["state"]) for one in heard["deliveries"]] == [("handoff", "sent")]
    assert heard["origin"] == "telegram:1"
    assert heard["at"] == clock.now().isoformat()


async def test_facts_name_their_exchange_and_keep_what_held_before(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)

    def fill(tx: Tx) -> int:
        heard = say(tx, who, clock, 1)
        tell(tx, who.customer_id, "city", "Oslo", at=clock.now(), exchange_id=heard)
        tell(tx, who.customer_id, "city", "Bergen", source="agent", at=clock.now() + timedelta(hours=1))
        return heard

    heard = await database.write(fill)

    now, before = (await seen(database))["facts"]

    assert (now["value"], now["source"], now["until"]) == ("Bergen", "agent", None)
    assert (before["value"], before["exchange_id"]) == ("Oslo", heard)
    assert before["until"] == (clock.now() + timedelta(hours=1)).isoformat()


async def test_turns_say_why_and_handoffs_who(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)
    start, end = clock.now(), clock.now() + timedelta(milliseconds=40)

    def fill(tx: Tx) -> None:
        turn = {"id": 1, "customer_id": who.customer_id, "lane": TURN, "decision": "handoff asked", "trace": {"heard": ["asks_person"]}}
        keep_turns(tx, [turn | {"started_at": start, "finished_at": end}])
        open_handoff(tx, 1, who.customer_id, who.identity_id, reason="asked", packet={"want": "my card"}, at=start)
        handoff = get_handoff(tx, 1)
        assert handoff is not None
        claim_handoff(tx, handoff, owner="desk:601", name="Bea Novak", at=end)
        end_handoff(tx, handoff, ending="returned", return_packet={"note": "a new card is under way"}, at=end)
        keep_dialogues(tx, [{"identity_id": who.identity_id, "state": {"matter": "Lost card"}, "at": end}])
        set_reachable(tx, who.identity_id, since=end, why="blocked")

    await database.write(fill)

    view = await seen(database)

    assert [(one["decision"], one["trace"], one["took_ms"]) for one in view["turns"]] == [("handoff asked", {"heard": ["asks_person"]}, 40)]
    handoff = view["handoffs"][0]
    assert (handoff["state"], handoff["owner_name"], handoff["want"], handoff["note"]) == (
        "ended",
        "Bea Novak",
        "my card",
        "a new card is under way",
    )
    assert view["dialogues"][0]["state"] == {"matter": "Lost card"}
    assert view["identities"][0]["unreachable_why"] == "blocked"
    assert view["ownership"] == 2


async def test_what_waits_is_shown_until_it_is_done(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)
    row = inbox_row(
        channel="telegram",
        update_id="9",
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        incoming={"message_id": "77", "text": "Hello"},
        received_at=clock.now(),
    )

    def fill(tx: Tx) -> int:
        keep(tx, [row])
        waiting = send(tx, who, clock, "1.0", say(tx, who, clock, 1, author="assistant"))
        claim_lanes(tx, TURN, worker="somebody", now=clock.now(), until=clock.now() + timedelta(seconds=15), limit=1)
        return waiting

    waiting = await database.write(fill)
    view = await seen(database)

    assert [one["message_id"] for one in view["incomings"]] == ["77"]
    assert [(one["state"], one["lane"], one["text"]) for one in view["outgoings"]] == [("waiting", "telegram", "Hello")]
    assert {(one["kind"], one["key"], one["worker"]) for one in view["lanes"]} == {
        ("telegram", ANN, None),
        (TURN, str(who.customer_id), "somebody"),
    }

    await database.write(lambda tx: mark_done(tx, [(waiting, "sent", "5", None)], at=clock.now()))

    assert (await seen(database))["outgoings"] == []


async def test_a_long_history_is_cut_at_its_newest(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)
    many = LAST_EXCHANGES + LAST_TURNS

    def fill(tx: Tx) -> None:
        for turn in range(1, many + 1):
            say(tx, who, clock, turn, text=f"Message {turn}")
            row = {"id": turn, "customer_id": who.customer_id, "lane": TURN, "decision": "greet", "trace": {}}
            keep_turns(tx, [row | {"started_at": clock.now(), "finished_at": clock.now()}])

    await database.write(fill)
    view = await seen(database)

    assert [one["text"] for one in view["exchanges"]] == [f"Message {n}" for n in range(many - LAST_EXCHANGES + 1, many + 1)]
    assert [one["id"] for one in view["turns"]] == list(range(many, many - LAST_TURNS, -1))


async def test_nobody_sees_another_customers_memory(database: Database, clock: ManualClock) -> None:
    ann, bob = await met(database, clock), await met(database, clock, BOB)
    await database.write(lambda tx: say(tx, ann, clock, 1, text="Mine"))
    await database.write(lambda tx: say(tx, bob, clock, 2, text="Yours"))

    assert [one["text"] for one in (await seen(database, BOB))["exchanges"]] == ["Yours"]
