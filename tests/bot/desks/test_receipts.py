"""What a failed request means for what was to be sent."""

from __future__ import annotations

import httpx
import pytest
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.desks.receipts import receipt_of
from bot.messages import Postponed, Refused, Uncertain


def caused(error: TelegramError, cause: Exception) -> TelegramError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "seconds", "everyone"),
    [
        (RetryAfter(30), 30.0, True),
        (Forbidden("Forbidden: bot was kicked from the supergroup chat"), 60.0, True),
        (BadRequest("Bad Request: chat not found"), 60.0, True),
        (BadRequest("Bad Request: not enough rights to create a topic"), 60.0, True),
        (BadRequest("Bad Request: the chat is not a forum"), 60.0, True),
        (InvalidToken("Unauthorized"), 60.0, True),
        (ChatMigrated(-1002), 60.0, True),
        (Conflict("Conflict: terminated by other getUpdates request"), 2.0, False),
        (NetworkError("Internal Server Error (500)"), 2.0, False),
        (caused(NetworkError("Bad Gateway (502)"), TelegramError("Invalid server response")), 2.0, False),
        (caused(NetworkError("x"), httpx.ConnectError("x")), 2.0, False),
        (caused(TimedOut(), httpx.ConnectTimeout("x")), 2.0, False),
        (caused(TimedOut(), httpx.PoolTimeout("x")), 2.0, False),
    ],
)
def test_what_certainly_did_not_go_out(error: TelegramError, seconds: float, everyone: bool) -> None:
    receipt = receipt_of(error)

    assert isinstance(receipt, Postponed)
    assert (receipt.seconds, receipt.everyone) == (seconds, everyone)


@pytest.mark.parametrize(
    "error",
    [
        caused(TimedOut(), httpx.ReadTimeout("x")),
        caused(TimedOut(), httpx.WriteTimeout("x")),
        caused(NetworkError("x"), httpx.RemoteProtocolError("x")),
        caused(NetworkError("x"), httpx.ReadError("x")),
        caused(TelegramError("Invalid server response"), ValueError("x")),
    ],
)
def test_what_nobody_knows(error: TelegramError) -> None:
    assert isinstance(receipt_of(error), Uncertain)
    assert isinstance(receipt_of(error, repeatable=True), Postponed)


@pytest.mark.parametrize("error", [BadRequest("Bad Request: message text is empty"), NetworkError("Request Entity Too Large (413)")])
def test_what_telegram_will_never_take(error: TelegramError) -> None:
    assert isinstance(receipt_of(error), Refused)
