"""Raw updates of the agents' bot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.desks.updates import read_update
from bot.messages import Attachment, Event, Incoming

CHAT = -1001
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
AT = int(NOW.timestamp()) - 60
ANN = {"id": 501, "is_bot": False, "first_name": "Ann", "last_name": "Archer", "username": "ann"}


def message(**content: Any) -> dict[str, Any]:
    chat = {"id": CHAT, "type": "supergroup", "title": "Desk", "is_forum": True}
    return {"message_id": 9, "date": AT, "chat": chat, "from": ANN, "message_thread_id": 77, "is_topic_message": True, **content}


def read(**update: Any) -> Incoming | None:
    return read_update({"update_id": 5, **update}, chat_id=CHAT, now=NOW)


def test_an_update_id_that_comes_back_is_another_update() -> None:
    first, second = (read(message=message(text="hello", message_id=number)) for number in (9, 10))

    assert first is not None
    assert second is not None
    assert first.update_id != second.update_id


def test_a_text_in_a_topic() -> None:
    assert read(message=message(text="hello")) == Incoming(
        channel="desk",
        update_id="5:9",
        sender="501",
        at=datetime.fromtimestamp(AT, UTC),
        text="hello",
        name="Ann Archer",
        username="ann",
        message_id="9",
        place="77",
    )


def test_an_edit_is_about_its_message() -> None:
    edit = read(edited_message=message(text="hello", edit_date=AT + 30))

    assert edit is not None
    assert (edit.event, edit.about, edit.at) == (Event.EDIT, "9", datetime.fromtimestamp(AT + 30, UTC))


def test_a_reply_in_general_is_in_no_topic() -> None:
    reply = read(message=message(text="hello", is_topic_message=False))

    assert reply is not None
    assert reply.place is None


def test_a_press() -> None:
    press = read(callback_query={"id": "q1", "from": ANN, "message": message(text="card"), "chat_instance": "1", "data": "claim:3"})

    assert press is not None
    assert (press.event, press.about, press.place, press.at) == (Event.PRESS, "9", "77", NOW)
    assert press.data == {"payload": "claim:3", "callback": "q1"}


def test_a_press_under_a_message_that_is_too_old_to_be_shown() -> None:
    old = {"message_id": 9, "date": 0, "chat": message()["chat"]}
    press = read(callback_query={"id": "q1", "from": ANN, "message": old, "chat_instance": "1", "data": "claim:3"})

    assert press is not None
    assert (press.place, press.data["payload"]) == (None, "claim:3")


FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 10}


@pytest.mark.parametrize(
    ("content", "kind", "attachment"),
    [
        ({"photo": [{**FILE, "width": 1, "height": 1}, {**FILE, "file_id": "g", "width": 9, "height": 9}]}, "photo", ("g", None, 10)),
        ({"document": {**FILE, "file_name": "a.txt", "mime_type": "text/plain"}}, "document", ("f", "a.txt", 10)),
        ({"voice": {**FILE, "duration": 1}}, "voice", ("f", None, 10)),
        ({"animation": {**FILE, "width": 1, "height": 1, "duration": 1}, "document": FILE}, "animation", ("f", None, 10)),
        (
            {"sticker": {**FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}},
            "sticker",
            ("f", None, 10),
        ),
        ({"location": {"latitude": 1.0, "longitude": 2.0}}, "location", None),
        ({"contact": {"phone_number": "1", "first_name": "A"}}, "contact", None),
        ({"dice": {"emoji": "🎲", "value": 3}}, "other", None),
    ],
)
def test_kinds(content: dict[str, Any], kind: str, attachment: tuple[Any, ...] | None) -> None:
    incoming = read(message=message(caption="look", **content))

    assert incoming is not None
    assert (incoming.kind, incoming.text) == (kind, "look")
    assert [(one.file_id, one.name, one.size) for one in incoming.attachments] == ([attachment] if attachment else [])


def test_a_file_over_the_limit_is_marked() -> None:
    incoming = read(message=message(video={**FILE, "file_size": 21 * 1024 * 1024, "width": 1, "height": 1, "duration": 1}))

    assert incoming is not None
    assert incoming.attachments == (Attachment("desk", "video", "f", "u", size=21 * 1024 * 1024, too_large=True),)


BOT = {"id": 1, "is_bot": True, "first_name": "Bot"}
GROUP_ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}


@pytest.mark.parametrize(
    "update",
    [
        {"message": message(text="x", chat={"id": 501, "type": "private", "first_name": "Ann"})},
        {"message": message(text="x", chat={"id": -1002, "type": "supergroup", "title": "Else"})},
        {"message": message(text="x", **{"from": BOT})},
        {"message": message(text="x", is_automatic_forward=True, sender_chat={"id": -5, "type": "channel", "title": "News"})},
        {"message": message(forum_topic_closed={})},
        {"message": message(forum_topic_created={"name": "a", "icon_color": 1})},
        {"message": message(new_chat_members=[ANN])},
        {"message": message(pinned_message=message(text="x"))},
        {"callback_query": {"id": "q", "from": ANN, "chat_instance": "1", "data": "claim:1"}},
        {"callback_query": {"id": "q", "from": ANN, "message": message(text="x"), "chat_instance": "1", "game_short_name": "g"}},
        {
            "callback_query": {
                "id": "q",
                "from": ANN,
                "message": message(chat={"id": 5, "type": "private"}),
                "chat_instance": "1",
                "data": "x",
            }
        },
        {"a_type_of_tomorrow": {"id": 1}},
    ],
)
def test_what_is_not_an_agents(update: dict[str, Any]) -> None:
    assert read(**update) is None


def test_an_agent_behind_the_group_is_marked() -> None:
    hidden = read(message=message(text="x", sender_chat={"id": CHAT, "type": "supergroup", "title": "Desk"}, **{"from": GROUP_ANONYMOUS}))

    assert hidden is not None
    assert hidden.data == {"anonymous": True}


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"update_id": 1, "message": {}},
        {"update_id": 1, "message": "x"},
        {"update_id": 1, "callback_query": {"id": 1}},
        {"update_id": 1, "message": {"chat": []}},
    ],
)
def test_what_cannot_be_read_is_a_value_error(raw: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not an update"):
        read_update(raw, chat_id=CHAT, now=NOW)
