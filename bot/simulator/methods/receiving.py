"""getMe, getUpdates and the webhook methods."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..errors import bad_request, conflict
from ..state import Json
from ..updates import ENDED_BY_WEBHOOK, MAX_TIMEOUT_S, check_allowed_updates
from ..webhooks import Webhook
from .common import WAITING, Call, api

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
_MAX_CONNECTIONS = 40


@api("getMe")
def get_me(call: Call) -> Json:
    bot = call.bot
    return bot.shape | {
        "can_join_groups": True,
        "can_read_all_group_messages": bot.can_read_all_group_messages,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def _set_allowed_updates(call: Call) -> None:
    names = call.params.get("allowed_updates")
    if names is not None:
        call.bot.queue.allowed = check_allowed_updates(names)


def _within(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


async def get_updates(call: Call) -> list[Json]:
    """A long poll that a newer one, or a webhook, ends."""
    if call.bot.webhook is not None:
        raise conflict(_ACTIVE)
    _set_allowed_updates(call)
    params = call.params
    limit = params.get("limit", 100)
    return await call.bot.queue.get(
        params.get("offset", 0),
        limit if 1 <= limit <= 100 else 100,
        _within(params.get("timeout", 0), 0, MAX_TIMEOUT_S),
    )


WAITING["getupdates"] = get_updates


@api("setWebhook")
def set_webhook(call: Call) -> bool:
    """An empty URL removes the webhook. Besides HTTPS, HTTP is taken, as Telegram's own local server takes it."""
    params = call.params
    url = params.get("url", "")
    if not url:
        return _remove_webhook(call)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = params.get("secret_token", "")
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    queue = call.bot.queue
    queue.end_poll(ENDED_BY_WEBHOOK)
    if call.bot.webhook is not None:
        call.bot.webhook.stop()
    if params.get("drop_pending_updates"):
        queue.drop_all()
    _set_allowed_updates(call)
    connections = _within(params.get("max_connections", _MAX_CONNECTIONS), 1, 100)
    webhook = Webhook(call.sim, call.bot, url, secret, connections)
    webhook.has_certificate = bool(params.get("certificate") or "certificate" in call.files)
    call.bot.webhook = webhook
    webhook.start()
    return True


@api("deleteWebhook")
def delete_webhook(call: Call) -> bool:
    return _remove_webhook(call)


def _remove_webhook(call: Call) -> bool:
    if call.bot.webhook is not None:
        call.bot.webhook.stop()
        call.bot.webhook = None
    if call.params.get("drop_pending_updates"):
        call.bot.queue.drop_all()
    return True


@api("getWebhookInfo")
def get_webhook_info(call: Call) -> Json:
    queue, webhook = call.bot.queue, call.bot.webhook
    info: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": len(queue)}
    if webhook is not None:
        info.update(
            url=webhook.url,
            has_custom_certificate=webhook.has_certificate,
            max_connections=webhook.max_connections,
            ip_address="127.0.0.1",
        )
        if webhook.last_error is not None:
            info["last_error_date"], info["last_error_message"] = webhook.last_error
    if queue.allowed is not None:
        info["allowed_updates"] = sorted(queue.allowed)
    return info
