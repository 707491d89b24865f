"""Forum topics, as bots and as people handle them."""

from typing import Any

import pytest
import telegram

from bot.simulator import Bot, Group, Person, Refused, Simulator

from .conftest import Call, words


async def test_a_topics_life(ptb: telegram.Bot, desk: Group, ann: Person) -> None:
    topic = await ptb.create_forum_topic(desk.id, "Ann", icon_color=9367192, icon_custom_emoji_id="5")
    thread = topic.message_thread_id
    sent = await ptb.send_message(desk.id, "Hello", message_thread_id=thread)

    assert (topic.name, topic.icon_color, topic.icon_custom_emoji_id) == ("Ann", 9367192, "5")
    assert (sent.message_thread_id, sent.is_topic_message) == (thread, True)
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.forum_topic_created is not None
    assert await ptb.edit_forum_topic(desk.id, thread, name="Ann Lee", icon_custom_emoji_id="6")
    assert await ptb.close_forum_topic(desk.id, thread)
    assert await ptb.send_message(desk.id, "administrators may", message_thread_id=thread)
    assert await ptb.reopen_forum_topic(desk.id, thread)
    assert [(t.thread_id, t.name, t.is_closed) for t in desk.topics()] == [(1, "General", False), (thread, "Ann Lee", False)]
    kinds = [message.kind for message in ann.messages(desk, thread_id=thread)]
    assert kinds == [
        "forum_topic_created", "text", "forum_topic_edited", "forum_topic_closed", "text", "forum_topic_reopened",
    ]  # fmt: skip
    assert await ptb.delete_forum_topic(desk.id, thread)
    assert ann.messages(desk, thread_id=thread) == []
    assert desk.topics()[-1].is_deleted


async def test_the_general_topic(ptb: telegram.Bot, call: Call, desk: Group, ann: Person) -> None:
    assert await ptb.edit_general_forum_topic(desk.id, "Lobby")
    assert await ptb.close_general_forum_topic(desk.id)
    assert await ptb.reopen_general_forum_topic(desk.id)
    assert await ptb.hide_general_forum_topic(desk.id)
    assert words(await call("hideGeneralForumTopic", chat_id=desk.id)) == "400 Bad Request: TOPIC_NOT_MODIFIED"
    assert await ptb.unhide_general_forum_topic(desk.id)
    sent = await ptb.send_message(desk.id, "in General")
    assert (sent.message_thread_id, sent.is_topic_message) == (None, None)
    assert await ptb.pin_chat_message(desk.id, sent.message_id)
    assert await ptb.unpin_all_general_forum_topic_messages(desk.id)
    assert not any(message.is_pinned for message in desk.messages())
    answer = await call("sendMessage", chat_id=desk.id, text="x", message_thread_id=1)
    assert words(answer) == "400 Bad Request: message thread not found"
    assert desk.topics()[0].name == "Lobby"
    assert len(await ptb.get_forum_topic_icon_stickers()) == 5


async def test_refusals_of_topics(call: Call, desk: Group, sim: Simulator, ann: Person, bank: Bot) -> None:
    live = (await call("createForumTopic", chat_id=desk.id, name="a"))["result"]["message_thread_id"]
    gone = (await call("createForumTopic", chat_id=desk.id, name="b"))["result"]["message_thread_id"]
    await call("deleteForumTopic", chat_id=desk.id, message_thread_id=gone)
    plain = sim.add_group("Plain", is_forum=False, members=[ann], bots=[bank])
    watched = sim.add_group("Watched", members=[ann], bots=[bank], bots_are_admins=False)

    async def refused(method: str, group: Group = desk, **params: Any) -> str:
        return words(await call(method, chat_id=group.id, **params)).removeprefix("400 Bad Request: ")

    assert await refused("sendMessage", text="x", message_thread_id=999) == "message thread not found"
    assert await refused("sendMessage", text="x", message_thread_id=gone) == "message thread not found"
    assert await refused("sendMessage", plain, text="x", message_thread_id=999) == "message thread not found"
    assert await refused("closeForumTopic", message_thread_id=gone) == "TOPIC_DELETED"
    assert await refused("editForumTopic", message_thread_id=gone, name="x") == "TOPIC_DELETED"
    assert await refused("editForumTopic", message_thread_id=999, name="x") == "TOPIC_ID_INVALID"
    assert await refused("deleteForumTopic", message_thread_id=gone) == "TOPIC_ID_INVALID"
    assert await refused("editForumTopic", message_thread_id=live, name="a") == "TOPIC_NOT_MODIFIED"
    assert await refused("reopenForumTopic", message_thread_id=live) == "TOPIC_NOT_MODIFIED"
    assert await refused("createForumTopic", plain, name="x") == "the chat is not a forum"
    assert await refused("createForumTopic", watched, name="x") == "not enough rights to create a topic"
    assert await refused("createForumTopic", name=" ") == "topic name must be specified"
    assert await refused("createForumTopic", name="x", icon_color=1) == "wrong forum topic icon color specified"


async def test_a_closed_topic_takes_administrators_only(call: Call, sim: Simulator, ann: Person, bank: Bot) -> None:
    bob = sim.add_person("Bob")
    group = sim.add_group("Watched", admins=[ann], members=[bob], bots=[bank], bots_are_admins=False)
    topic = bob.create_topic(group, "Help")
    question = bob.send(group, "?", thread_id=topic.thread_id)
    ann.close_topic(group, topic.thread_id)

    refused = "400 Bad Request: TOPIC_CLOSED"
    params = {"chat_id": group.id, "text": "x"}
    assert words(await call("sendMessage", **params, message_thread_id=topic.thread_id)) == refused
    assert words(await call("sendMessage", **params, reply_to_message_id=question.message_id)) == refused
    with pytest.raises(Refused, match="topic is closed"):
        bob.send(group, "x", thread_id=topic.thread_id)
    ann.send(group, "I may", thread_id=topic.thread_id)
    ann.reopen_topic(group, topic.thread_id)
    assert (await call("sendMessage", **params, reply_to_message_id=question.message_id))["ok"]
    assert group.messages()[-1].thread_id == topic.thread_id


async def test_what_people_do_to_topics_reaches_bots(ptb: telegram.Bot, desk: Group, ann: Person, sim: Simulator) -> None:
    topic = ann.create_topic(desk, "Help").thread_id
    ann.send(desk, "in", thread_id=topic)
    ann.send(desk, "in General")
    ann.rename_topic(desk, topic, "Done")
    ann.close_topic(desk, topic)
    ann.reopen_topic(desk, topic)
    ann.hide_general_topic(desk)
    ann.delete_topic(desk, topic)
    messages = [update.message for update in await ptb.get_updates() if update.message]

    created, inside, general, edited, closed, reopened, hidden = messages
    assert created.forum_topic_created is not None
    assert created.message_id == created.message_thread_id == topic
    assert (inside.message_thread_id, inside.is_topic_message) == (topic, True)
    assert (general.message_thread_id, general.is_topic_message) == (None, None)
    assert edited.forum_topic_edited is not None
    assert edited.forum_topic_edited.name == "Done"
    assert closed.forum_topic_closed is not None
    assert reopened.forum_topic_reopened is not None
    assert hidden.general_forum_topic_hidden is not None
    with pytest.raises(Refused, match="no topic"):
        ann.send(desk, "x", thread_id=topic)
    with pytest.raises(Refused, match="cannot be deleted"):
        ann.delete_topic(desk, 1)
    bob = sim.add_person("Bob")
    with pytest.raises(Refused, match="not in that group"):
        bob.create_topic(desk, "x")
    bob.join(desk)
    with pytest.raises(Refused, match="not an administrator"):
        bob.close_topic(desk, 1)


async def test_pins_of_a_topic(ptb: telegram.Bot, desk: Group, ann: Person) -> None:
    topic = ann.create_topic(desk, "Help").thread_id
    inside, outside = ann.send(desk, "in", thread_id=topic), ann.send(desk, "out")
    await ptb.pin_chat_message(desk.id, inside.message_id)
    await ptb.pin_chat_message(desk.id, outside.message_id)
    await ptb.unpin_all_forum_topic_messages(desk.id, topic)

    assert [message.text for message in desk.messages() if message.is_pinned] == ["out"]
