"""Chats, members, pins, group privacy, and what a bot says about itself."""

from typing import Any

import pytest
import telegram
from telegram import BotCommand, BotCommandScopeAllPrivateChats

from bot.simulator import Bot, Group, Person, Refused, Simulator
from bot.simulator.samples import make_image

from .conftest import Call, words


async def test_chats_are_described(ptb: telegram.Bot, ann: Person, desk: Group, bank: Bot) -> None:
    private, forum = await ptb.get_chat(ann.id), await ptb.get_chat(desk.id)

    assert (private.type, private.full_name, private.active_usernames) == ("private", "Ann Lee", ("ann",))
    assert (forum.title, forum.is_forum, forum.pinned_message) == ("Desk", True, None)
    message = ann.send_file(desk, "photo")
    assert await ptb.pin_chat_message(desk.id, message.message_id)
    pinned = (await ptb.get_chat(desk.id)).pinned_message
    assert isinstance(pinned, telegram.Message)
    assert pinned.photo


async def test_members(ptb: telegram.Bot, call: Call, ann: Person, desk: Group, bank: Bot, sim: Simulator) -> None:
    bob, other = sim.add_person("Bob"), sim.add_bot("other_bot")
    desk.add(other, as_admin=True)

    assert await ptb.get_chat_member_count(desk.id) == 3
    assert await ptb.get_chat_member_count(ann.id) == 2
    assert isinstance(await ptb.get_chat_member(desk.id, ann.id), telegram.ChatMemberOwner)
    assert isinstance(await ptb.get_chat_member(desk.id, bank.id), telegram.ChatMemberAdministrator)
    assert isinstance(await ptb.get_chat_member(desk.id, bob.id), telegram.ChatMemberLeft)
    assert isinstance(await ptb.get_chat_member(ann.id, ann.id), telegram.ChatMemberMember)
    bob.join(desk)
    assert isinstance(await ptb.get_chat_member(desk.id, bob.id), telegram.ChatMemberMember)
    assert [member.user.id for member in await ptb.get_chat_administrators(desk.id)] == [ann.id, bank.id]
    assert await ptb.ban_chat_member(desk.id, bob.id)
    assert isinstance(await ptb.get_chat_member(desk.id, bob.id), telegram.ChatMemberBanned)
    assert await ptb.unban_chat_member(desk.id, bob.id)
    assert words(await call("getChatMember", chat_id=desk.id, user_id=1)) == "400 Bad Request: user not found"
    assert words(await call("banChatMember", chat_id=desk.id, user_id=ann.id)) == ("400 Bad Request: user is an administrator of the chat")
    assert words(await call("banChatMember", chat_id=ann.id, user_id=ann.id)) == (
        "400 Bad Request: method is available only for supergroups and channels"
    )
    assert words(await call("getChatAdministrators", chat_id=ann.id)) == (
        "400 Bad Request: there are no administrators in the private chat"
    )
    assert await ptb.leave_chat(desk.id)
    assert words(await call("getChatMemberCount", chat_id=desk.id)) == ("403 Forbidden: bot is not a member of the supergroup chat")
    assert words(await call("leaveChat", chat_id=ann.id)).startswith("400 Bad Request: chat member status")


async def test_pins(ptb: telegram.Bot, call: Call, ann: Person, bank: Bot, sim: Simulator, desk: Group) -> None:
    first, second = ann.send(bank, "a"), ann.send(bank, "b")
    for message in (first, second, second):
        assert await ptb.pin_chat_message(ann.id, message.message_id)
    assert [message.text for message in ann.messages(bank) if message.is_pinned] == ["a", "b"]
    assert await ptb.unpin_chat_message(ann.id)
    assert [message.text for message in ann.messages(bank) if message.is_pinned] == ["a"]
    assert await ptb.unpin_all_chat_messages(ann.id)
    assert words(await call("unpinChatMessage", chat_id=ann.id)) == "400 Bad Request: message to unpin not found"
    assert words(await call("pinChatMessage", chat_id=ann.id, message_id=99)) == ("400 Bad Request: message to pin not found")
    service = desk.messages()[0] if desk.messages() else ann.create_topic(desk, "x")
    thread = getattr(service, "thread_id", None)
    assert words(await call("pinChatMessage", chat_id=desk.id, message_id=thread)) == ("400 Bad Request: message can't be pinned")
    watched = sim.add_group("Watched", members=[ann], bots=[bank], bots_are_admins=False)
    assert words(await call("pinChatMessage", chat_id=watched.id, message_id=1)) == (
        "400 Bad Request: not enough rights to manage pinned messages in the chat"
    )


@pytest.mark.parametrize(
    ("text", "seen"),
    [("hello", False), ("/help", True), ("/help@bank_bot now", True), ("/help@other_bot", False), ("a /help", False)],
)
async def test_group_privacy(ptb: telegram.Bot, ann: Person, bank: Bot, sim: Simulator, text: str, seen: bool) -> None:
    group = sim.add_group("Plain", members=[ann], bots=[bank], bots_are_admins=False, is_forum=False)
    bank.queue.drop_all()
    ann.send(group, text)

    assert bool(await ptb.get_updates()) is seen


async def test_a_bot_sees_replies_to_it_and_everything_as_admin(ptb: telegram.Bot, ann: Person, bank: Bot, sim: Simulator) -> None:
    group = sim.add_group("Plain", members=[ann], bots=[bank], bots_are_admins=False, is_forum=False)
    sent = await ptb.send_message(group.id, "Hello")
    bank.queue.drop_all()
    ann.send(group, "reply", reply_to=sent.message_id)
    ann.send(group, "aside")
    group.promote(bank)
    ann.send(group, "to all")
    bank.can_read_all_group_messages = True
    group.set_status(bank, "member")
    ann.send(group, "read too")
    texts = [update.message.text for update in await ptb.get_updates() if update.message]

    assert texts == ["reply", "to all", "read too"]
    assert (await ptb.get_me()).can_read_all_group_messages


async def test_standing_is_told(ptb: telegram.Bot, ann: Person, bank: Bot, sim: Simulator) -> None:
    ann.block(bank)
    ann.block(bank)
    with pytest.raises(Refused, match="blocked"):
        ann.send(bank, "x")
    ann.unblock(bank)
    group = sim.add_group("New", members=[ann], bots=[bank])
    group.kick(bank)
    updates = [update.my_chat_member for update in await ptb.get_updates() if update.my_chat_member]

    changes = [(update.chat.id, update.old_chat_member.status, update.new_chat_member.status) for update in updates]
    assert changes == [
        (ann.id, "member", "kicked"),
        (ann.id, "kicked", "member"),
        (group.id, "left", "administrator"),
        (group.id, "administrator", "kicked"),
    ]
    with pytest.raises(Refused, match="only bots"):
        ann.block(group)


async def test_coming_and_going(ptb: telegram.Bot, ann: Person, desk: Group, sim: Simulator) -> None:
    await ptb.get_updates(allowed_updates=["message", "chat_member"])
    bob = sim.add_person("Bob", username="bob")
    bob.join(desk)
    bob.leave(desk)
    desk.add("@bob")
    updates = await ptb.get_updates()

    joined, left, back = [update.chat_member for update in updates if update.chat_member]
    assert (joined.new_chat_member.status, left.new_chat_member.status) == ("member", "left")
    assert back.new_chat_member.user.id == bob.id
    messages = [update.message for update in updates if update.message]
    assert [bool(message.new_chat_members) for message in messages] == [True, False, True]
    assert messages[1].left_chat_member == joined.new_chat_member.user


async def test_commands(ptb: telegram.Bot, call: Call) -> None:
    scope = BotCommandScopeAllPrivateChats()
    assert await ptb.set_my_commands([BotCommand("start", "Begin")])
    assert await ptb.set_my_commands([BotCommand("help", "Hilfe")], scope=scope, language_code="de")

    assert await ptb.get_my_commands() == (BotCommand("start", "Begin"),)
    assert await ptb.get_my_commands(scope, "de") == (BotCommand("help", "Hilfe"),)
    assert await ptb.delete_my_commands()
    assert await ptb.get_my_commands() == ()
    for command, refusal in (
        ({"command": "Start!", "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "start", "description": ""}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    ):
        assert words(await call("setMyCommands", commands=[command])) == f"400 Bad Request: {refusal}"
    many: list[dict[str, Any]] = [{"command": "a", "description": "b"}] * 101
    assert words(await call("setMyCommands", commands=many)) == "400 Bad Request: BOT_COMMANDS_TOO_MUCH"


async def test_names_and_descriptions(ptb: telegram.Bot, call: Call) -> None:
    assert (await ptb.get_my_name()).name == "Bank"
    assert await ptb.set_my_name("Better Bank")
    assert await ptb.set_my_description("Ask me", language_code="en")
    assert await ptb.set_my_short_description("Short")

    assert (await ptb.get_my_name("de")).name == (await ptb.get_me()).first_name == "Better Bank"
    assert (await ptb.get_my_description("en")).description == "Ask me"
    assert (await ptb.get_my_description()).description == ""
    assert (await ptb.get_my_short_description()).short_description == "Short"
    assert await ptb.set_my_short_description()
    assert (await ptb.get_my_short_description()).short_description == ""
    assert words(await call("setMyName", name="x" * 65)) == "400 Bad Request: bot name is too long"
    assert words(await call("getMyName", language_code="english")) == "400 Bad Request: invalid language code specified"


async def test_an_upgraded_group_keeps_its_members(ptb: telegram.Bot, sim: Simulator, ann: Person, bank: Bot) -> None:
    basic = sim.add_group("Basic", kind="group", members=[ann], bots=[bank])
    bank.queue.drop_all()
    new = basic.upgrade()
    old_message, new_message = [update.message for update in await ptb.get_updates() if update.message]

    assert (old_message.migrate_to_chat_id, new_message.migrate_from_chat_id) == (new.id, basic.id)
    assert await ptb.send_photo(new.id, make_image())
    with pytest.raises(Refused, match="became a supergroup"):
        ann.send(basic, "x")
    with pytest.raises(Refused, match="only a basic group"):
        new.upgrade()
