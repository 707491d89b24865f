"""The desk takes back what it showed of somebody who is forgotten."""

from __future__ import annotations

from bot.messages import Outgoing, Postponed, Refused, Sent
from bot.turn.write import GENERAL
from tests.bot.desks.conftest import World


async def test_a_topic_is_deleted_and_a_repeat_does_no_harm(world: World) -> None:
    case = await world.case()
    drop = Outgoing(kind="drop", about=str(await world.thread(case)))

    assert await world.send(case, drop) == Sent(None)
    assert await world.send(case, drop) == Sent(None)
    assert world.topics() == []


async def test_messages_in_the_general_topic_are_deleted(world: World) -> None:
    receipt = await world.desk.send(GENERAL, Outgoing(text="about Cora"))
    assert isinstance(receipt, Sent)

    unsend = Outgoing(kind="unsend", about=receipt.message_id)
    assert await world.desk.send(GENERAL, unsend) == Sent(None)
    assert await world.desk.send(GENERAL, unsend) == Sent(None)
    assert "about Cora" not in [one.text for one in world.group.messages()]


async def test_without_the_right_to_delete_it_is_refused_and_the_desk_goes_on(world: World) -> None:
    case = await world.case()
    fault = {"code": 400, "description": "Bad Request: not enough rights to delete a topic"}
    world.sim.order_fault("error", method="deleteForumTopic", **fault)

    receipt = await world.send(case, Outgoing(kind="drop", about=str(await world.thread(case))))

    assert isinstance(receipt, Refused)
    assert "ot enough rights" in receipt.why
    assert isinstance(await world.send(case, Outgoing(text="still here")), Sent)


async def test_a_broken_connection_is_tried_again(world: World) -> None:
    case = await world.case()
    world.sim.order_fault("lost_answer", method="deleteForumTopic")
    drop = Outgoing(kind="drop", about=str(await world.thread(case)))

    assert isinstance(await world.send(case, drop), Postponed)
    assert await world.send(case, drop) == Sent(None)
