"""People in Python: finding chats, waiting for things, what they may not do, the event log."""

import asyncio

import pytest
import telegram

from bot.simulator import Bot, Event, Group, Person, Refused, Simulator, seen_event
from bot.simulator.events import EventLog

from .conftest import Clock


def test_people_are_found_and_unique(sim: Simulator, ann: Person) -> None:
    assert sim.person("@ANN").id == sim.person(ann.id).id == sim.person(str(ann.id)).id == ann.id
    assert [person.name for person in sim.people()] == ["Ann Lee"]
    with pytest.raises(Refused, match="not free"):
        sim.add_person("Bob", id=ann.id)
    with pytest.raises(Refused, match="no person"):
        sim.person("bob")
    assert sim.add_person("Carl", id=5).id == 5


def test_bots_are_registered_once(sim: Simulator, bank: Bot) -> None:
    again = sim.add_bot("better_bot", token=bank.token)

    assert again is bank is sim.bot("@Better_Bot") is sim.bot(bank.token) is sim.bot(42)
    assert bank.shape["username"] == "better_bot"
    with pytest.raises(Refused, match="not a bot token"):
        sim.add_bot("x", token="nonsense")
    with pytest.raises(Refused, match="no bot"):
        sim.bot("nobody")
    sim.add_person("Five", id=5)
    with pytest.raises(Refused, match="somebody else"):
        sim.add_bot("x", token="5:AAAA")


def test_groups_are_found(sim: Simulator, ann: Person, bank: Bot) -> None:
    group = sim.add_group("Desk", username="the_desk", members=[ann.id], bots=["bank_bot"])

    assert {sim.group(ref).id for ref in (group.id, "desk", "@The_Desk")} == {group.id}
    assert [(member.first_name, member.status) for member in group.members()] == [
        ("Ann", "creator"),
        ("Bank", "administrator"),
    ]
    assert [found.title for found in sim.groups()] == ["Desk"]
    for wrong in ({"id": group.id}, {"id": 5}, {"kind": "channel"}):
        with pytest.raises(Refused):
            sim.add_group("Other", **wrong)
    with pytest.raises(Refused, match="no group"):
        sim.group("nowhere")
    with pytest.raises(Refused, match="nobody called"):
        group.add("bob")
    with pytest.raises(Refused, match="not a place"):
        group.set_status(ann, "guest")


def test_what_people_may_not_do(sim: Simulator, ann: Person, bank: Bot, desk: Group) -> None:
    bob = sim.add_person("Bob")
    for deed in (
        lambda: ann.send(bank, "  "),
        lambda: ann.send(bank, "x" * 4097),
        lambda: ann.send(bank, "x", thread_id=3),
        lambda: ann.send(bank, "x", reply_to=99),
        lambda: ann.send(desk, "x", thread_id=99),
        lambda: ann.send("nowhere", "x"),
        lambda: bob.send(desk, "x"),
        lambda: bob.messages(desk),
        lambda: bob.leave(desk),
        lambda: ann.create_topic(bank, "x"),
    ):
        with pytest.raises(Refused):
            deed()
    ann.deactivate()
    with pytest.raises(Refused, match="deleted"):
        ann.send(bank, "x")
    plain = sim.add_group("Plain", members=[bob], is_forum=False)
    with pytest.raises(Refused, match="no topics"):
        bob.create_topic(plain, "x")


def test_a_reply_goes_where_its_message_is(ann: Person, desk: Group) -> None:
    topic = ann.create_topic(desk, "Help").thread_id
    question = ann.send(desk, "?", thread_id=topic)

    assert ann.send(desk, "!", reply_to=question).thread_id == topic


def test_starting_with_a_payload(ann: Person, bank: Bot) -> None:
    message = ann.start(bank, "from-web")

    assert (message.text, message.entities[0]["type"]) == ("/start from-web", "bot_command")


async def test_waiting_for_an_answer(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    await ptb.send_message(ann.id, "before")
    ann.send(bank, "Hi")
    hearing = asyncio.create_task(ann.hear(bank))
    first = await ptb.send_message(ann.id, "one")
    await ptb.send_message(ann.id, "two")

    assert (await hearing).text == (await ann.hear(bank)).text == "one"
    assert (await ann.hear(bank, after=first.message_id)).text == "two"
    with pytest.raises(TimeoutError):
        await ann.hear(bank, after=1000, timeout_s=0)


async def test_a_press_waits_for_its_answer(ptb: telegram.Bot, ann: Person, bank: Bot, sim: Simulator) -> None:
    markup = telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton("Y", callback_data="y")]])
    older = await ptb.send_message(ann.id, "1", reply_markup=markup)
    await ptb.send_message(ann.id, "2", reply_markup=markup)
    pressing = asyncio.create_task(ann.press(bank, "Y", older.message_id))
    event = await sim.wait_for(lambda event: event.kind == "callback_query", after=0)
    await ptb.answer_callback_query(event.details["query_id"], "ok")

    assert (await pressing).text == "ok"
    assert event.text == "1"
    with pytest.raises(Refused, match="pressed no button"):
        await sim.add_person("Bob").answer(event.details["query_id"])
    with pytest.raises(Refused, match="no button"):
        ann.tap(bank, "N", older.message_id)


async def test_everything_is_logged(ptb: telegram.Bot, ann: Person, bank: Bot, desk: Group, sim: Simulator) -> None:
    mark = sim.events.last
    message = ann.send(bank, "a")
    ann.edit(bank, message, "b")
    ann.react(bank, message, "👍")
    ann.delete(bank, message)
    ann.create_topic(desk, "T")
    await ptb.send_chat_action(ann.id, "typing")
    ann.block(bank)
    kinds = [event.kind for event in sim.events.after(mark)]

    assert kinds == ["message", "edit", "reaction", "delete", "message", "topic", "chat_action", "block"]
    numbers = [event.number for event in sim.events.after(mark)]
    assert numbers == list(range(mark + 1, mark + 9))
    shown = [seen_event(event) for event in sim.events.after(mark, limit=2)]
    assert [view.message.text for view in shown if view.message] == ["a", "b"]
    assert shown[0].chat is not None
    assert (shown[0].chat.bot, shown[0].chat.person_id) == ("bank_bot", ann.id)


async def test_waiting_for_events(sim: Simulator, ann: Person, bank: Bot) -> None:
    def is_second(event: Event) -> bool:
        return event.text == "second" and not event.from_bot

    waiting = asyncio.create_task(sim.wait_for(is_second))
    await asyncio.sleep(0)
    ann.send(bank, "first")
    ann.send(bank, "second")

    assert (await waiting).text == "second"
    with pytest.raises(TimeoutError):
        await sim.wait_for(is_second, timeout_s=0)
    assert await sim.events.wait(sim.events.last, 0) == []


def test_the_log_is_bounded(clock: Clock) -> None:
    log = EventLog(clock, limit=3)
    for _ in range(5):
        log.add("reset", None)

    assert [event.number for event in log.after(0)] == [3, 4, 5]
    assert [event.number for event in log.after(4)] == [5]
    assert log.after(5) == []


async def test_a_reset_forgets_everything_but_the_count(sim: Simulator, ann: Person, bank: Bot, desk: Group) -> None:
    sim.order_fault("error")
    last = sim.events.last
    sim.reset()

    assert (sim.people(), sim.groups(), sim.bots, sim.faults.waiting()) == ([], [], {}, [])
    assert [event.kind for event in sim.events.after(0)] == ["reset"]
    assert sim.events.last == last + 1
    assert sim.add_person("Ann").id == ann.id
