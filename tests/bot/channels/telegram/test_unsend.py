"""Messages are taken back as far as Telegram lets a bot do that."""

from __future__ import annotations

from bot.channels.telegram.sender import CustomerBot
from bot.messages import Outgoing, Refused, Sent, Uncertain
from bot.simulator import Person, Simulator


async def said(bot: CustomerBot, cora: Person, *texts: str) -> list[str]:
    receipts = [await bot.send(str(cora.id), Outgoing(text=text)) for text in texts]
    return [str(one.message_id) for one in receipts if isinstance(one, Sent)]


def unsend(*messages: str) -> Outgoing:
    return Outgoing(kind="unsend", about=",".join(messages))


async def test_messages_are_deleted_and_a_repeat_does_no_harm(bot: CustomerBot, cora: Person) -> None:
    one, two, three = await said(bot, cora, "one", "two", "three")

    for _ in range(2):
        assert await bot.send(str(cora.id), unsend(one)) == Sent(None)
        assert await bot.send(str(cora.id), unsend(one, two)) == Sent(None)

    assert [message.text for message in cora.messages("legato_bot") if message.from_bot] == ["three"]
    assert three


async def test_what_may_not_be_deleted_is_refused(bot: CustomerBot, sim: Simulator, cora: Person) -> None:
    one, two = await said(bot, cora, "one", "two")
    sim.order_fault("error", method="deleteMessages", code=400, description="Bad Request: message can't be deleted")

    receipt = await bot.send(str(cora.id), unsend(one, two))

    assert isinstance(receipt, Refused)
    assert "can't be deleted" in receipt.why
    assert not receipt.unreachable


async def test_a_broken_connection_is_uncertain(bot: CustomerBot, sim: Simulator, cora: Person) -> None:
    [one] = await said(bot, cora, "one")
    sim.order_fault("lost_answer", method="deleteMessage")

    assert isinstance(await bot.send(str(cora.id), unsend(one)), Uncertain)
    assert await bot.send(str(cora.id), unsend(one)) == Sent(None)
