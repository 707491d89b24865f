"""What people do, in the simulator's verbs."""

from __future__ import annotations

import re
from typing import Any

from bot.qa.format import COMPANY, FILES, OPERATOR, Deed
from bot.qa.stage import Stage
from bot.simulator import Person, Refused, SeenMessage, SeenTopic

_CODE = re.compile(r"\b([0-9A-Z]{4}-[0-9A-Z]{4})\b")
_START = re.compile(r"\?start=([A-Za-z0-9_-]+)")

GENERAL = "General"
_GENERAL_ID = 1


class Impossible(Exception):
    """What a person cannot do: there is no such button, topic or message."""


def find_topic(stage: Stage, wanted: str | None) -> SeenTopic:
    """The topic whose name has ``wanted`` in it, the newest of them; without it the newest of all. Raises :class:`Impossible`."""
    topics = [topic for topic in stage.group.topics() if not topic.is_deleted]
    if wanted == GENERAL:
        return next(topic for topic in topics if topic.thread_id == _GENERAL_ID)
    names = [topic for topic in topics if topic.thread_id != _GENERAL_ID and (wanted is None or wanted in topic.name)]
    if not names:
        raise Impossible("the desk has no topic" + (f" with “{wanted}” in its name" if wanted else ""))
    return names[-1]


def do(stage: Stage, who: str, deed: Deed) -> str | None:
    """Let a person do something; the id of the query where a button was pressed. Raises :class:`Impossible`."""
    deed = _with_what_is_shown(stage, deed)
    person = stage.person(who)
    at_desk = who in stage.agents and deed.to is None
    try:
        if at_desk:
            return _at_desk(stage, person, deed)
        bot = stage.bot_name(stage.desk_bot if deed.to == "desk bot" else stage.bot)
        return _perform(person, bot, deed, {})
    except Refused as error:
        raise Impossible(str(error)) from None


def _with_what_is_shown(stage: Stage, deed: Deed) -> Deed:
    """A code or a link that somebody else was shown, as the words or the start that it becomes."""
    whose = deed.code_of or deed.link_of
    if whose is None:
        return deed
    if deed.code_of == COMPANY:
        code = stage.records.last_code()
        if code is None:
            raise Impossible("the company has sent no code")
        return Deed(text=code)
    pattern, what = (_CODE, "code") if deed.code_of else (_START, "link")
    bot = stage.bot_name(stage.bot)
    texts = stage.operator_sees if whose == OPERATOR else [one.text for one in stage.person(whose).messages(bot) if one.from_bot]
    found = [match[1] for text in texts for match in pattern.finditer(text)]
    if not found:
        raise Impossible(f"{whose} has been shown no {what}")
    return Deed(text=found[-1]) if deed.code_of else Deed(start=found[-1])


def _at_desk(stage: Stage, person: Person, deed: Deed) -> str | None:
    name = deed.delete_topic or deed.close_topic or deed.place
    topic = find_topic(stage, name)
    if deed.delete_topic is not None:
        person.delete_topic(stage.group, topic.thread_id)
        return None
    if deed.close_topic is not None:
        person.close_topic(stage.group, topic.thread_id)
        return None
    return _perform(person, stage.group, deed, {"thread_id": topic.thread_id})


def _perform(person: Person, chat: Any, deed: Deed, where: dict[str, Any]) -> str | None:
    kind = deed.kind
    if kind in FILES:
        file = getattr(deed, kind)
        person.send_file(chat, kind, name=file.name, size=file.size, caption=file.caption, **where)
        return None
    match kind:
        case "text":
            person.send(chat, str(deed.text) * deed.repeat, **where)
        case "start":
            person.start(chat, deed.start or "")
        case "album":
            assert deed.album is not None
            person.send_album(chat, deed.album.photos, caption=deed.album.caption, **where)
        case "location":
            assert deed.location is not None
            person.send_location(chat, deed.location[0], deed.location[1], **where)
        case "contact":
            assert deed.contact is not None
            person.send_contact(chat, deed.contact.phone, first_name=deed.contact.name, **where)
        case "block":
            (person.block if deed.block else person.unblock)(chat)
        case "rename":
            first, _, last = str(deed.rename).partition(" ")
            person.account.first_name, person.account.last_name = first, last or None
            person.account.reshape()
        case _:
            return _about_message(person, chat, deed, where)
    return None


def _about_message(person: Person, chat: Any, deed: Deed, where: dict[str, Any]) -> str | None:
    """Deeds about a message that is there already."""
    messages = person.messages(chat, **where)
    if deed.press is not None:
        with_button = [one for one in messages if one.button(deed.press)]
        if not with_button:
            shown = [button.text for one in messages for row in one.buttons for button in row]
            raise Impossible(f"there is no button “{deed.press}” here; there are: {', '.join(shown) or 'none'}")
        return person.tap(chat, deed.press, with_button[-1])
    if deed.edit is not None:
        person.edit(chat, _with(messages, deed.edit[0], own=person), deed.edit[1])
    elif deed.react is not None:
        person.react(chat, _with(messages, deed.react[0]), deed.react[1] or None)
    else:
        person.delete(chat, _with(messages, str(deed.delete)))
    return None


def _with(messages: list[SeenMessage], words: str, *, own: Person | None = None) -> SeenMessage:
    found = [one for one in messages if words in one.text and (own is None or one.from_id == own.id)]
    if not found:
        raise Impossible(f"there is no {'own ' if own else ''}message with “{words}” here")
    return found[-1]
