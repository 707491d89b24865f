from datetime import timedelta

import orjson
import sqlalchemy as sa

from bot.web.memory_view import LAST_EXCHANGES, LAST_FACTS, LAST_TURNS, CustomerView, customer_view
from memory.clock import ManualClock
from memory.consents import keep_consent
from memory.customers import Customer, Identity, Known, Profile, find_or_make, set_reachable
from memory.database import Database, Tx, table
from memory.dialogue import keep_dialogues
from memory.exchanges import exchange_id, exchange_row, log
from memory.experiences import experience_row, keep_experiences
from memory.handoffs import claim_handoff, end_handoff, get_handoff, open_handoff
from memory.inbox import TURN, inbox_row, keep
from memory.journeys import move_journey
from memory.lanes import claim_lanes
from memory.outbox import mark_done, mark_sending, outbox_row, outbox_table, put_out
from memory.promises import make_promise, settle_promise
from memory.summaries import summary_table
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


async def test_everything_that_is_known_beside_the_log(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)
    now = clock.now()

    def fill(tx: Tx) -> None:
        heard = say(tx, who, clock, 1)
        tell(tx, who.customer_id, "phone", "+44", at=now, exchange_id=heard)
        tell(tx, who.customer_id, "phone", "+45", at=now, source="system")
        tell(tx, who.customer_id, "phone", "+46", at=now, confidence=0.7)
        about = {"version": "2", "text": "We may.", "channel": "telegram", "at": now}
        keep_consent(tx, who.customer_id, "offers", granted=True, exchange_id=heard, **about)  # type: ignore[arg-type]
        keep_consent(tx, who.customer_id, "offers", granted=False, **about)  # type: ignore[arg-type]
        move_journey(tx, who.customer_id, "card", "lost", by="event", at=now, why="article lost-card")
        move_journey(tx, who.customer_id, "card", "active", by="agent", at=now, why="Bea")
        rows = [
            experience_row(key=f"{n}", customer_id=who.customer_id, good=False, kind=kind, weight=1.0, at=now, evidence={"minutes": 26})
            for n, kind in enumerate(("waited", "rating"))
        ]
        keep_experiences(tx, rows)
        kept = make_promise(tx, who.customer_id, "A card", by="Bea", at=now, due_at=now, exchange_id=heard)
        settle_promise(tx, kept, by="Bob", at=now)
        make_promise(tx, who.customer_id, "A letter", by="Bea", at=now, due_at=None, exchange_id=None)
        summary = {"first_id": 1, "last_id": 2, "began_at": now, "ended_at": now, "wanted": "a card", "links": {"wanted": [heard]}}
        tx.execute(
            sa.insert(summary_table), {"customer_id": who.customer_id, "identity_id": who.identity_id, "ending": "solved", **summary}
        )

    await database.write(fill)
    view = await seen(database)

    assert {(one["value"], one["standing"], one["until"]) for one in view["facts"]} == {
        ("+44", "current", None),
        ("+45", "contested", None),
        ("+46", "proposed", None),
    }
    assert [(one["purpose"], one["granted"], one["version"]) for one in view["consents"]] == [("offers", False, "2"), ("offers", True, "2")]
    (journey,) = view["journeys"]
    assert (journey["stage"], [(one["from_stage"], one["to_stage"], one["by"]) for one in journey["moves"]]) == (
        "active",
        [("lost", "active", "agent"), (None, "lost", "event")],
    )
    assert [(one["words"], one["marks"]) for one in view["experiences"]] == [("said it did not work", True), ("waited 26 min", True)]
    assert [(one["text"], one["state"], one["settled_by"]) for one in view["promises"]] == [
        ("A letter", "open", None),
        ("A card", "kept", "Bob"),
    ]
    assert [(one["wanted"], one["ending"]) for one in view["summaries"]] == [("a card", "solved")]


async def test_open_facts_are_shown_before_what_held_before(database: Database, clock: ManualClock) -> None:
    who = await met(database, clock)

    def fill(tx: Tx) -> None:
        tell(tx, who.customer_id, "name", "Ann", at=clock.now())
        for n in range(LAST_FACTS + 5):
            tell(tx, who.customer_id, "city", f"City {n}", at=clock.now() + timedelta(minutes=n))

    await database.write(fill)
    facts = (await seen(database))["facts"]

    assert len(facts) == LAST_FACTS
    assert {one["value"] for one in facts[:2]} == {"Ann", f"City {LAST_FACTS + 4}"}
    assert all(one["standing"] == "ended" for one in facts[2:])


async def test_one_person_who_was_met_as_two(database: Database, clock: ManualClock) -> None:
    ann, other = await met(database, clock), await met(database, clock, BOB)

    def merge(tx: Tx) -> None:
        say(tx, ann, clock, 1, text="As one")
        say(tx, other, clock, 2, text="As the other")
        tell(tx, ann.customer_id, "name", "Ann", at=clock.now())
        tell(tx, other.customer_id, "phone", "+44", at=clock.now())
        customer, identity = table(Customer), table(Identity)
        tx.execute(sa.update(customer).where(customer.c.id == other.customer_id).values(merged_into_id=ann.customer_id))
        tx.execute(sa.update(customer).where(customer.c.id == ann.customer_id).values(members=[other.customer_id]))
        tx.execute(sa.update(identity).where(identity.c.id == other.identity_id).values(customer_id=ann.customer_id))

    await database.write(merge)

    for address in (ANN, BOB):
        view = await seen(database, address)
        assert (view["customer_id"], view["members"]) == (ann.customer_id, [other.customer_id])
        assert [one["address"] for one in view["identities"]] == [ANN, BOB]
        assert [one["text"] for one in view["exchanges"]] == ["As one", "As the other"]
        assert {one["name"] for one in view["facts"]} == {"name", "phone"}
