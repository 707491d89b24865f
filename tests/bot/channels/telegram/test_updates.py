"""Reading updates: what a private chat can bring, and what is broken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.updates import read_update
from bot.messages import MAX_FILE_BYTES, Event, Incoming

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CORA = {"id": 42, "is_bot": False, "first_name": "Cora", "last_name": "Lee", "username": "cora", "language_code": "de"}
CHAT = {"id": 42, "type": "private", "first_name": "Cora"}
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 10}
SIZED = {**FILE, "width": 1, "height": 1}
TIMED = {**FILE, "duration": 1}


def message(**content: Any) -> dict[str, Any]:
    return {"update_id": 9, "message": {"message_id": 7, "date": 1767603600, "chat": CHAT, "from": CORA, **content}}


def read(raw: dict[str, Any]) -> Incoming:
    incoming = read_update(raw, now=NOW)
    assert incoming is not None
    return incoming


def test_a_text_says_who_when_and_what() -> None:
    incoming = read(message(text="Hello"))

    assert (incoming.channel, incoming.sender, incoming.name, incoming.username, incoming.language) == (
        "telegram",
        "42",
        "Cora Lee",
        "cora",
        "de",
    )
    assert (incoming.text, incoming.kind, incoming.event, incoming.message_id) == ("Hello", "text", Event.MESSAGE, "7")
    assert incoming.at == datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"photo": [{**SIZED, "file_id": "small"}, SIZED]}, "photo"),
        ({"document": FILE}, "document"),
        ({"voice": TIMED}, "voice"),
        ({"audio": TIMED}, "audio"),
        ({"video": {**SIZED, "duration": 1}}, "video"),
        ({"video_note": {**TIMED, "length": 1}}, "video_note"),
        ({"animation": {**SIZED, "duration": 1}, "document": FILE}, "animation"),
        ({"sticker": {**SIZED, "type": "regular", "is_animated": False, "is_video": False}}, "sticker"),
    ],
)
def test_every_kind_of_file(content: dict[str, Any], kind: str) -> None:
    incoming = read(message(**content, caption="Look", media_group_id="a"))

    assert (incoming.kind, incoming.text, incoming.album) == (kind, "Look", "a")
    (attachment,) = incoming.attachments
    assert (attachment.source, attachment.kind, attachment.file_id, attachment.unique_id) == ("telegram", kind, "f", "u")
    assert not attachment.too_large


@pytest.mark.parametrize(("size", "too_large"), [(MAX_FILE_BYTES, False), (MAX_FILE_BYTES + 1, True), (None, False)])
def test_a_file_over_the_limit_is_marked(size: int | None, too_large: bool) -> None:
    (attachment,) = read(message(document={**FILE, "file_size": size})).attachments
    assert attachment.too_large is too_large


@pytest.mark.parametrize(
    ("content", "kind", "data"),
    [
        ({"location": {"latitude": 1.5, "longitude": 2.5}}, "location", {"latitude": 1.5, "longitude": 2.5}),
        (
            {"contact": {"phone_number": "+1", "first_name": "C", "last_name": "L", "user_id": 42}},
            "contact",
            {"phone": "+1", "name": "C L", "own": True},
        ),
        ({"contact": {"phone_number": "+1", "first_name": "C", "user_id": 43}}, "contact", {"phone": "+1", "name": "C", "own": False}),
        ({"dice": {"emoji": "🎲", "value": 3}}, "other", {"type": "dice"}),
        ({"pinned_message": {"message_id": 1, "date": 0, "chat": CHAT}}, "other", {"type": "pinned_message"}),
        ({}, "other", {"type": "unknown"}),
    ],
)
def test_what_has_neither_words_nor_files(content: dict[str, Any], kind: str, data: dict[str, Any]) -> None:
    incoming = read(message(**content))
    assert (incoming.kind, {name: value for name, value in incoming.data.items() if name in data}) == (kind, data)


def test_an_edit_speaks_of_its_message_at_its_own_time() -> None:
    raw = message(text="Helo", edit_date=1767603660, media_group_id="a")
    raw["edited_message"] = raw.pop("message")
    incoming = read(raw)

    assert (incoming.event, incoming.about, incoming.album) == (Event.EDIT, "7", None)
    assert incoming.at == datetime(2026, 1, 5, 9, 1, tzinfo=UTC)


def test_a_press_knows_its_buttons_title() -> None:
    keyboard = {"inline_keyboard": [[{"text": "No", "callback_data": "n"}], [{"text": "Yes", "callback_data": "y"}]]}
    shown = {"message_id": 7, "date": 1, "chat": CHAT, "text": "?", "reply_markup": keyboard}
    query = {"id": "q", "from": CORA, "chat_instance": "c", "data": "y", "message": shown}
    incoming = read({"update_id": 9, "callback_query": query})

    assert (incoming.event, incoming.about, incoming.at) == (Event.PRESS, "7", NOW)
    assert incoming.data == {"payload": "y", "callback": "q", "title": "Yes"}
    inaccessible = {"message_id": 7, "date": 0, "chat": CHAT}
    assert read({"update_id": 9, "callback_query": {**query, "message": inaccessible}}).data["title"] is None


@pytest.mark.parametrize(
    ("new", "emoji"),
    [([{"type": "emoji", "emoji": "👍"}], "👍"), ([], ""), ([{"type": "custom_emoji", "custom_emoji_id": "1"}], "custom emoji")],
)
def test_a_reaction(new: list[dict[str, Any]], emoji: str) -> None:
    reaction = {"chat": CHAT, "message_id": 7, "user": CORA, "date": 1, "old_reaction": [], "new_reaction": new}
    incoming = read({"update_id": 9, "message_reaction": reaction})
    assert (incoming.event, incoming.about, incoming.data) == (Event.REACTION, "7", {"emoji": emoji})


@pytest.mark.parametrize("status", ["kicked", "member"])
def test_a_block_and_its_end(status: str) -> None:
    user = {"id": 1, "is_bot": True, "first_name": "Bot"}
    new: dict[str, Any] = {"user": user, "status": status} | ({"until_date": 0} if status == "kicked" else {})
    change = {"chat": CHAT, "from": CORA, "date": 1, "old_chat_member": {"user": user, "status": "left"}, "new_chat_member": new}
    incoming = read({"update_id": 9, "my_chat_member": change})
    assert (incoming.event, incoming.data) == (Event.MEMBERSHIP, {"status": status})


def test_an_update_is_known_by_more_than_its_id() -> None:
    """Telegram begins anew at a random id after a quiet week."""
    again = message(text="Hello")
    again["message"]["message_id"] = 8
    assert read(message(text="Hello")).update_id != read(again).update_id
    assert read(message(text="Hello")).update_id == read(message(text="Hello")).update_id


GROUP = {"id": -1, "type": "group", "title": "G"}


@pytest.mark.parametrize(
    "raw",
    [
        message(text="Hello", chat=GROUP),
        message(text="Hello", **{"from": {**CORA, "is_bot": True}}),
        {"update_id": 9, "message": {"message_id": 7, "date": 1, "chat": CHAT, "text": "nobody's"}},
        {"update_id": 9, "callback_query": {"id": "q", "from": CORA, "chat_instance": "c", "data": "y"}},
        {"update_id": 9, "message_reaction": {"chat": GROUP, "message_id": 7, "date": 1, "old_reaction": [], "new_reaction": []}},
    ],
)
def test_what_no_customer_said_is_passed_over(raw: dict[str, Any]) -> None:
    assert read_update(raw, now=NOW) is None


def edited(**content: Any) -> dict[str, Any]:
    raw = message(text="Hello", **content)
    return {"update_id": 9, "edited_message": raw["message"]}


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"update_id": 9},
        {"update_id": "nine", "message": {}},
        {"update_id": 9, "message": None},
        {"update_id": 9, "message": []},
        {"update_id": 9, "poll": {"id": "p"}},
        {"update_id": 9, "channel_post": {"message_id": 7, "date": 1, "chat": {"id": -1, "type": "channel"}}},
        {"message": message(text="no id")["message"]},
        message(text="Hello", date="yesterday"),
        message(text="Hello", date=2**62),
        message(text="Hello", chat={"id": 42}),
        message(photo=[{"file_id": "f"}]),
        edited(edit_date=2**40),
        edited(edit_date=2**62),
        edited(edit_date=-(2**62)),
    ],
)
def test_what_is_broken_is_a_value_error(raw: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not an update|not asked for|no clock"):
        read_update(raw, now=NOW)


def test_what_is_said_of_a_broken_update_holds_none_of_its_words() -> None:
    with pytest.raises(ValueError) as caught:
        read_update(message(text="my PIN is 1234", date="my PIN is 1234"), now=NOW)
    assert "1234" not in str(caught.value)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "file_id", "date"]), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["text", "date", "edit_date", "chat", "from", "photo", "document", "contact", "location", "media_group_id", "message_id"]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["message", "edited_message", "callback_query", "message_reaction"]), st.dictionaries(st.sampled_from(FIELDS), json))
def test_nothing_but_a_value_error_ever_comes_out(kind: str, content: dict[str, Any]) -> None:
    raw = {"update_id": 9, kind: message(text="Hello")["message"] | content}
    try:
        incoming = read_update(raw, now=NOW)
    except ValueError:
        return
    assert incoming is None or isinstance(incoming, Incoming)
