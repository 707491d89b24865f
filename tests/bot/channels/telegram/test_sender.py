"""Sending: every answer and failure of the Bot API is the right receipt."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any

import pytest

from bot.channels.telegram.sender import CustomerBot, CustomerFiles, FetchFailed
from bot.messages import Attachment, Button, Files, Outgoing, Postponed, Receipt, Refused, Sent, Uncertain
from bot.simulator import Person, Server, Simulator
from tests.bot.channels.telegram.conftest import TOKEN

HELLO = Outgoing(text="Hello <b>you</b>", html=True)


async def test_a_message_arrives_with_its_form_and_buttons(bot: CustomerBot, cora: Person) -> None:
    receipt = await bot.send(str(cora.id), Outgoing(text="Hello <b>you</b>", html=True, buttons=((Button("Yes", "/y"),),)))

    heard = cora.messages("legato_bot")[-1]
    assert receipt == Sent(str(heard.message_id))
    assert heard.text == "Hello you"
    assert [entity["type"] for entity in heard.entities] == ["bold"]
    assert heard.button("Yes") is not None


@pytest.mark.parametrize(
    ("fault", "receipt"),
    [
        ({"kind": "too_many_requests", "retry_after_s": 7}, Postponed(7, "429")),
        ({"kind": "server_error", "code": 502}, Postponed(2, "5xx")),
        ({"kind": "server_error", "code": 500}, Postponed(2, "5xx")),
        ({"kind": "error", "code": 401, "description": "Unauthorized"}, Postponed(60, "401", everyone=True)),
        ({"kind": "dropped_connection"}, Uncertain("ServerDisconnectedError")),
        ({"kind": "lost_answer"}, Uncertain("ServerDisconnectedError")),
        (
            {"kind": "error", "code": 403, "description": "Forbidden: user is deactivated"},
            Refused("Forbidden: user is deactivated", unreachable=True),
        ),
        ({"kind": "error", "code": 400, "description": "Bad Request: chat not found"}, Refused("Bad Request: chat not found", True)),
        ({"kind": "error", "code": 400, "description": "Bad Request: message is too long"}, Refused("Bad Request: message is too long")),
    ],
)
async def test_each_failure_is_its_receipt(bot: CustomerBot, sim: Simulator, cora: Person, fault: dict[str, Any], receipt: Receipt) -> None:
    sim.order_fault(**fault, method="sendMessage")

    got = await bot.send(str(cora.id), HELLO)

    if isinstance(got, Refused) and isinstance(receipt, Refused):
        assert got.why in receipt.why
        assert got.unreachable == receipt.unreachable
    else:
        assert got == receipt
    assert isinstance(await bot.send(str(cora.id), HELLO), Sent)


async def test_who_blocked_the_bot_is_unreachable(bot: CustomerBot, cora: Person) -> None:
    cora.block("legato_bot")

    receipt = await bot.send(str(cora.id), HELLO)
    assert isinstance(receipt, Refused)
    assert receipt.unreachable
    assert "blocked" in receipt.why


async def test_a_timeout_after_delivery_is_uncertain(sim: Simulator, server: Server, cora: Person) -> None:
    bot = CustomerBot(TOKEN, api_base=server.url, timeout_s=0.1, files={})
    try:
        sim.order_fault("lost_answer", method="sendMessage", seconds=5)
        assert await bot.send(str(cora.id), HELLO) == Uncertain("timed out")
        assert cora.messages("legato_bot")[-1].text == "Hello you"
    finally:
        await bot.close()


async def test_where_nobody_listens_nothing_went_out() -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        bot = CustomerBot(TOKEN, api_base=f"http://127.0.0.1:{nobody.getsockname()[1]}", timeout_s=5, files={})
        try:
            assert await bot.send("42", HELLO) == Postponed(2, "no connection", everyone=True)
            with pytest.raises(FetchFailed) as caught:
                await bot.fetch(None, 0)
            assert TOKEN not in str(caught.value)
        finally:
            await bot.close()


async def test_what_telegram_cannot_parse_goes_out_plain(bot: CustomerBot, cora: Person) -> None:
    assert isinstance(await bot.send(str(cora.id), Outgoing(text="<b>a &amp; b", html=True)), Sent)

    assert cora.messages("legato_bot")[-1].text == "a & b"


async def test_an_edit_and_an_edit_that_changes_nothing(bot: CustomerBot, cora: Person) -> None:
    sent = await bot.send(str(cora.id), HELLO)
    assert isinstance(sent, Sent)
    for _ in range(2):
        assert await bot.send(str(cora.id), Outgoing(kind="edit", text="Bye", about=sent.message_id)) == sent
    assert cora.messages("legato_bot")[-1].text == "Bye"
    assert isinstance(await bot.send(str(cora.id), Outgoing(kind="edit", text="Bye", about="999")), Refused)


async def test_a_press_is_answered_and_an_old_one_is_nobodys_trouble(bot: CustomerBot, sim: Simulator, cora: Person) -> None:
    await bot.send(str(cora.id), Outgoing(text="?", buttons=((Button("Yes", "/y"),),)))
    query = cora.tap("legato_bot", "Yes")

    assert await bot.send(str(cora.id), Outgoing(kind="answer", about=query, text="Noted", alert=True)) == Sent(None)
    answer = await cora.answer(query)
    assert (answer.text, answer.show_alert) == ("Noted", True)
    sim.order_fault(
        "error",
        method="answerCallbackQuery",
        code=400,
        description="Bad Request: query is too old and response timeout expired or query ID is invalid",
    )
    assert await bot.send(str(cora.id), Outgoing(kind="answer", about=query)) == Sent(None)


class Desk:
    """Files that an agent sent."""

    def __init__(self, content: bytes | Exception) -> None:
        self.content = content

    async def fetch(self, attachment: Attachment) -> bytes:
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


@pytest.mark.parametrize("kind", ["photo", "document", "voice", "audio", "video", "animation", "video_note", "sticker"])
async def test_an_agents_file_of_each_kind_goes_through_this_process(
    bot: CustomerBot, cora: Person, files: dict[str, Files], sim: Simulator, kind: str
) -> None:
    files["desk"] = Desk(
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(3) + b"\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
    )
    attachment = Attachment("desk", kind, "agents-own", "u", name="file.gif")

    assert isinstance(await bot.send(str(cora.id), Outgoing(kind="file", text="See", attachments=(attachment,))), Sent)
    assert cora.messages("legato_bot")[-1].media is not None


@pytest.mark.parametrize(
    ("content", "receipt"),
    [
        (OSError("away"), Postponed(2, "a file could not be fetched: OSError")),
        (LookupError("gone"), Refused("the file can no longer be fetched")),
    ],
)
async def test_a_file_that_cannot_be_had(
    bot: CustomerBot, cora: Person, files: dict[str, Files], content: Exception, receipt: Receipt
) -> None:
    files["desk"] = Desk(content)
    attachment = Attachment("desk", "photo", "f", "u")
    assert await bot.send(str(cora.id), Outgoing(kind="file", attachments=(attachment,))) == receipt


async def test_a_customers_file_is_fetched_and_sent_back_by_its_id(bot: CustomerBot, cora: Person) -> None:
    cora.send_file("legato_bot", "document", b"content", name="a.txt")
    raw = (await bot.fetch(None, 0))[-1]["message"]["document"]
    attachment = Attachment("telegram", "document", raw["file_id"], raw["file_unique_id"])

    assert await CustomerFiles(bot).fetch(attachment) == b"content"
    assert isinstance(await bot.send(str(cora.id), Outgoing(kind="file", attachments=(attachment, attachment))), Sent)


async def test_a_file_that_telegram_no_longer_has(bot: CustomerBot, sim: Simulator) -> None:
    gone = Attachment("telegram", "photo", "nonsense", "u")
    with pytest.raises(LookupError):
        await bot.fetch_file(gone)
    sim.order_fault("server_error", method="getFile")
    with pytest.raises(OSError, match="TelegramServerError"):
        await bot.fetch_file(gone)


async def test_a_refused_fetch_says_how_long_to_wait(bot: CustomerBot, sim: Simulator) -> None:
    sim.order_fault("too_many_requests", method="getUpdates", retry_after_s=9)

    with pytest.raises(FetchFailed) as caught:
        await bot.fetch(None, 0)
    assert caught.value.retry_after == 9
