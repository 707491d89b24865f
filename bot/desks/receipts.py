"""From python-telegram-bot's errors to receipts: what certainly did not go out, what never will, and what nobody knows."""

from __future__ import annotations

import logging
from datetime import timedelta

import httpx
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.messages import Postponed, Receipt, Refused, Uncertain

logger = logging.getLogger(__name__)

SOON_S = 2.0
"""How long to wait after a failure that usually passes by itself."""

LOST_GROUP_S = 60.0
"""How long to wait while the bot cannot use its group: an operator has to put it right."""

WHY_UNITS = 200
"""How much is kept of an answer that is no JSON: a proxy's page of HTML, as a rule."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Failures before the request was written."""

GROUP_TROUBLE = (
    "chat not found",
    "not enough rights",
    "have no rights",
    "chat_admin_required",
    "chat is not a forum",
    "chat_write_forbidden",
)
"""In the Bot API's words: the group is gone, or the bot may not do in it what a desk does."""


def receipt_of(error: TelegramError, *, repeatable: bool = False) -> Receipt:
    """What a failed request means for the outgoing. ``repeatable``: doing it twice does no harm, so what is uncertain is done again."""
    if isinstance(error, RetryAfter):
        return Postponed(_seconds(error), "too many requests", everyone=True)
    if isinstance(error, Forbidden | InvalidToken | ChatMigrated) or says(error, *GROUP_TROUBLE):
        logger.error("the agents' bot cannot use its group (%s); check the token, the group's id and the bot's rights there", error.message)
        return Postponed(LOST_GROUP_S, error.message, everyone=True)
    if isinstance(error, BadRequest):
        return Refused(error.message)
    cause = error.__cause__
    if isinstance(cause, NEVER_SENT) or isinstance(error, Conflict):
        return Postponed(SOON_S, "Telegram cannot be reached")
    if isinstance(error, NetworkError) and (cause is None or isinstance(cause, TelegramError)):
        # Telegram answered, with an error of its own. All pass by themselves, save for one.
        too_large = "entity too large" in error.message.lower()
        return Refused("the file is too large to send") if too_large else Postponed(SOON_S, error.message[:WHY_UNITS])
    why = type(cause or error).__name__
    return Postponed(SOON_S, why) if repeatable else Uncertain(why)


def says(error: TelegramError, *words: str) -> bool:
    """Whether Telegram refused in one of these words, in whatever case."""
    message = error.message.lower()
    return isinstance(error, BadRequest) and any(word.lower() in message for word in words)


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)
