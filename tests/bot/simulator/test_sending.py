"""sendMessage and its refusals, replies, keyboards, reactions, chat actions."""

from typing import Any

import aiogram
import pytest
import telegram
from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove
from telegram.constants import ParseMode

from bot.simulator import Bot, Group, Person, Refused, Simulator

from .conftest import Call, Clock, words


async def test_a_text_arrives_with_its_formatting(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    sent = await ptb.send_message(ann.id, "<b>Hello</b> /help", parse_mode=ParseMode.HTML)

    assert (sent.text, sent.chat.id, sent.from_user and sent.from_user.username) == ("Hello /help", ann.id, "bank_bot")
    assert [(entity.type, entity.offset, entity.length) for entity in sent.entities] == [
        ("bold", 0, 5),
        ("bot_command", 6, 5),
    ]
    seen = ann.messages(bank)[-1]
    assert (seen.message_id, seen.text, seen.from_bot) == (sent.message_id, "Hello /help", True)


async def test_both_libraries_are_served(ptb: telegram.Bot, gram: aiogram.Bot, ann: Person, sim: Simulator) -> None:
    first = await ptb.send_message(ann.id, "one")
    second = await gram.send_message(ann.id, "two", parse_mode="HTML")

    assert second.message_id == first.message_id + 1
    assert [message.text for message in sim.delivered("bank_bot")] == ["one", "two"]
    assert sim.requests("bank_bot")["sendMessage"] == 2


async def test_private_message_ids_are_one_sequence_for_the_bot(ptb: telegram.Bot, ann: Person, bank: Bot, sim: Simulator) -> None:
    bob = sim.add_person("Bob")
    first = bob.send(bank, "Hi")

    assert (await ptb.send_message(ann.id, "x")).message_id == first.message_id + 1
    assert (await ptb.send_message(bob.id, "x")).message_id == first.message_id + 2


async def test_explicit_entities_and_message_dates(ptb: telegram.Bot, ann: Person, clock: Clock) -> None:
    bold = telegram.MessageEntity("bold", 0, 2)
    sent = await ptb.send_message(ann.id, "ab c", entities=[bold])

    assert sent.entities == (bold,)
    assert sent.date == clock.time


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"text": "x"}, "chat_id is empty"),
        ({"chat_id": 5, "text": "x"}, "chat not found"),
        ({"chat_id": -100123, "text": "x"}, "chat not found"),
        ({"chat_id": "@nobody", "text": "x"}, "chat not found"),
        ({"chat_id": "ANN"}, "message text is empty"),
        ({"chat_id": "ANN", "text": " \n "}, "message text is empty"),
        ({"chat_id": "ANN", "text": "<b> </b>", "parse_mode": "HTML"}, "message text is empty"),
        ({"chat_id": "ANN", "text": "x" * 4097}, "message is too long"),
        ({"chat_id": "ANN", "text": "<b>x", "parse_mode": "html"},
         'can\'t parse entities: Can\'t find end tag corresponding to start tag "b"'),
        ({"chat_id": "ANN", "text": "x", "parse_mode": "BBCode"}, "unsupported parse_mode"),
        ({"chat_id": "ANN", "text": "x", "message_thread_id": 7}, "message thread not found"),
        ({"chat_id": "ANN", "text": "x", "reply_parameters": {"message_id": 77}}, "message to be replied not found"),
        ({"chat_id": "ANN", "text": "x", "reply_markup": "[]"}, "can't parse reply keyboard markup JSON object"),
        ({"chat_id": "ANN", "text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
        ({"chat_id": "ANN", "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "é" * 33}]]}},
         "BUTTON_DATA_INVALID"),
        ({"chat_id": "ANN", "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a"}]]}},
         "text buttons are unallowed in the inline keyboard"),
    ],
)  # fmt: skip
async def test_refusals_of_send_message(call: Call, ann: Person, params: dict[str, Any], refusal: str) -> None:
    if params.get("chat_id") == "ANN":
        params = params | {"chat_id": ann.id}

    assert words(await call("sendMessage", **params)) == f"400 Bad Request: {refusal}"


async def test_the_longest_text_and_data_are_taken(ptb: telegram.Bot, ann: Person) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("a", callback_data="d" * 64)]])

    assert len((await ptb.send_message(ann.id, "x" * 4096, reply_markup=markup)).text or "") == 4096


async def test_people_who_cannot_be_written_to(call: Call, sim: Simulator, ann: Person, bank: Bot) -> None:
    bob = sim.add_person("Bob")
    other = sim.add_bot("other_bot")

    assert words(await call("sendMessage", chat_id=bob.id, text="x")) == ("403 Forbidden: bot can't initiate conversation with a user")
    ann.block(bank)
    assert words(await call("sendMessage", chat_id=ann.id, text="x")) == "403 Forbidden: bot was blocked by the user"
    ann.unblock(bank)
    assert (await call("sendMessage", chat_id=ann.id, text="x"))["ok"]
    ann.deactivate()
    assert words(await call("sendMessage", chat_id=ann.id, text="x")) == "403 Forbidden: user is deactivated"
    assert words(await call("sendMessage", chat_id=other.id, text="x")).startswith("403 Forbidden: bots can't")


async def test_groups_that_cannot_be_written_to(call: Call, desk: Group, sim: Simulator, ann: Person) -> None:
    elsewhere = sim.add_group("Elsewhere", members=[ann])
    basic = sim.add_group("Basic", kind="group", members=[ann], bots=["bank_bot"])
    new = basic.upgrade()

    assert words(await call("sendMessage", chat_id=elsewhere.id, text="x")) == ("403 Forbidden: bot is not a member of the supergroup chat")
    desk.kick("bank_bot")
    assert words(await call("sendMessage", chat_id=desk.id, text="x")) == ("403 Forbidden: bot was kicked from the supergroup chat")
    moved = await call("sendMessage", chat_id=basic.id, text="x")
    assert words(moved) == "400 Bad Request: group chat was upgraded to a supergroup chat"
    assert moved["parameters"] == {"migrate_to_chat_id": new.id}


async def test_a_group_is_found_by_its_username(ptb: telegram.Bot, sim: Simulator, ann: Person) -> None:
    open_desk = sim.add_group("Open", username="open_desk", is_forum=False, members=[ann], bots=["bank_bot"])

    assert (await ptb.send_message("@Open_Desk", "x")).chat.id == open_desk.id


async def test_what_is_not_covered_is_said(call: Call, ann: Person) -> None:
    assert words(await call("sendGame", chat_id=ann.id)) == ("501 Not Implemented: the simulator does not cover sendGame")
    answer = await call("sendMessage", chat_id=ann.id, text="*x*", parse_mode="MarkdownV2")
    assert words(answer) == "501 Not Implemented: the simulator does not cover parse mode MarkdownV2"


async def test_replies_carry_the_message_they_answer(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    question = ann.send(bank, "Why?")
    answer = await ptb.send_message(ann.id, "So.", reply_to_message_id=question.message_id)
    again = ann.send(bank, "Oh", reply_to=answer.message_id)

    assert answer.reply_to_message is not None
    assert answer.reply_to_message.text == "Why?"
    assert again.reply_to == answer.message_id
    loose = await ptb.send_message(ann.id, "x", reply_to_message_id=999, allow_sending_without_reply=True)
    assert loose.reply_to_message is None


async def test_reply_keyboards_show_under_the_chat(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    keyboard = ReplyKeyboardMarkup([["Yes", "No"], [telegram.KeyboardButton("My number", request_contact=True)]])
    await ptb.send_message(ann.id, "Sure?", reply_markup=keyboard)

    assert ann.keyboard(bank) == [["Yes", "No"], ["My number"]]
    assert ann.choose(bank, "Yes").text == "Yes"
    assert ann.choose(bank, "My number").raw["contact"]["user_id"] == ann.id
    with pytest.raises(Refused, match="no key"):
        ann.choose(bank, "Perhaps")
    await ptb.send_message(ann.id, "Tell me", reply_markup=ForceReply())
    await ptb.send_message(ann.id, "Fine", reply_markup=ReplyKeyboardRemove())
    assert ann.keyboard(bank) == []


async def test_a_pressed_button_is_answered(ptb: telegram.Bot, ann: Person, bank: Bot, sim: Simulator) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y"), InlineKeyboardButton("Site", url="https://a.example")]])
    await ptb.send_message(ann.id, "Sure?", reply_markup=markup)
    query_id = ann.tap(bank, "Yes")
    (update,) = await ptb.get_updates()

    assert update.callback_query is not None
    assert (update.callback_query.data, update.callback_query.id) == ("y", query_id)
    assert await update.callback_query.answer("Done", show_alert=True)
    answer = await ann.answer(query_id)
    assert (answer.is_answered, answer.text, answer.show_alert) == (True, "Done", True)
    with pytest.raises(Refused, match="opens a link"):
        ann.tap(bank, "Site")
    with pytest.raises(Refused, match="no button"):
        ann.tap(bank, "No")


async def test_an_unanswered_press_says_so(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    await ptb.send_message(ann.id, "?", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("Y", callback_data="y")]]))

    assert not (await ann.press(bank, "y", timeout_s=0)).is_answered


async def test_callback_queries_grow_too_old(call: Call, ann: Person, bank: Bot, clock: Clock) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Y", "callback_data": "y"}]]}
    await call("sendMessage", chat_id=ann.id, text="?", reply_markup=keyboard)
    query_id = ann.tap(bank, "Y")
    too_old = "400 Bad Request: query is too old and response timeout expired or query ID is invalid"

    assert words(await call("answerCallbackQuery", callback_query_id="1")) == too_old
    assert words(await call("answerCallbackQuery", callback_query_id=query_id, text="x" * 201)) == ("400 Bad Request: MESSAGE_TOO_LONG")
    clock.move(seconds=151)
    assert words(await call("answerCallbackQuery", callback_query_id=query_id)) == too_old


async def test_reactions_and_chat_actions(ptb: telegram.Bot, call: Call, ann: Person, bank: Bot, sim: Simulator) -> None:
    message = ann.send(bank, "Thanks")

    assert await ptb.set_message_reaction(ann.id, message.message_id, "👍")
    assert ann.messages(bank)[-1].reactions == {bank.id: ["👍"]}
    assert words(await call("setMessageReaction", chat_id=ann.id, message_id=99)) == ("400 Bad Request: message to react not found")
    assert await ptb.send_chat_action(ann.id, "typing")
    assert sim.events.after(sim.events.last - 1)[0].details["action"] == "typing"
    assert words(await call("sendChatAction", chat_id=ann.id, action="sing")) == ("400 Bad Request: wrong parameter action in request")


async def test_protected_content_is_marked(ptb: telegram.Bot, ann: Person) -> None:
    assert (await ptb.send_message(ann.id, "x", protect_content=True)).has_protected_content
