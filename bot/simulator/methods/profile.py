"""What a bot says about itself: commands, name and descriptions."""

from __future__ import annotations

import re
from typing import Any

import orjson

from ..errors import bad_request
from ..state import Json
from .common import Call, api

_COMMAND = re.compile(r"/?[a-z0-9_]{1,32}")
_MANY = 100
_DESCRIPTION_LIMIT = 256
_TEXTS = {
    "name": ("MyName", 64),
    "description": ("MyDescription", 512),
    "short_description": ("MyShortDescription", 120),
}
"""What -> the end of its methods' names, and its limit."""


def _language(call: Call) -> str:
    language: str = call.params.get("language_code") or ""
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("invalid language code specified")
    return language


def _place(call: Call) -> tuple[str, str]:
    scope = call.params.get("scope") or {"type": "default"}
    return orjson.dumps(scope, option=orjson.OPT_SORT_KEYS).decode(), _language(call)


@api("setMyCommands")
def set_my_commands(call: Call) -> bool:
    commands: list[Json] = call.params.get("commands") or []
    if len(commands) > _MANY:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.fullmatch(command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= _DESCRIPTION_LIMIT:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.commands[_place(call)] = [
        {"command": command["command"].removeprefix("/"), "description": command["description"]} for command in commands
    ]
    return True


@api("getMyCommands")
def get_my_commands(call: Call) -> list[Json]:
    """Exactly this scope and language; there is no falling back to wider ones."""
    return call.bot.commands.get(_place(call), [])


@api("deleteMyCommands")
def delete_my_commands(call: Call) -> bool:
    call.bot.commands.pop(_place(call), None)
    return True


def _setter(what: str, limit: int) -> Any:
    def set_text(call: Call) -> bool:
        text: str = call.params.get(what) or ""
        if len(text) > limit:
            raise bad_request(f"bot {what.replace('_', ' ')} is too long")
        language = _language(call)
        if text:
            call.bot.texts[what, language] = text
        else:
            call.bot.texts.pop((what, language), None)
        if what == "name" and not language and text:
            call.bot.first_name = text
            call.bot.reshape()
        return True

    return set_text


def _getter(what: str) -> Any:
    def get_text(call: Call) -> Json:
        texts = call.bot.texts
        default = texts.get((what, ""), call.bot.first_name if what == "name" else "")
        return {what: texts.get((what, _language(call)), default)}

    return get_text


for _what, (_ending, _limit) in _TEXTS.items():
    api(f"set{_ending}")(_setter(_what, _limit))
    api(f"get{_ending}")(_getter(_what))
