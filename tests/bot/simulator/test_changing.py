"""Edits, deletions, copies and forwards."""

import pytest
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto

from bot.simulator import Bot, Group, Person, Refused, Simulator
from bot.simulator.samples import make_image

from .conftest import Call, Clock, words

NOT_MODIFIED = (
    "400 Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("Y", callback_data="y")]])


async def test_texts_keyboards_and_their_history(ptb: telegram.Bot, ann: Person, bank: Bot, clock: Clock) -> None:
    sent = await ptb.send_message(ann.id, "one", reply_markup=KEYBOARD)
    clock.move(seconds=60)
    edited = await ptb.edit_message_text("<b>two</b>", ann.id, sent.message_id, parse_mode="HTML")

    assert isinstance(edited, telegram.Message)
    assert (edited.text, edited.edit_date, edited.reply_markup) == ("two", clock.time, None)
    assert (ann.messages(bank)[-1].previous, ann.messages(bank)[-1].buttons) == (["one"], [])
    again = await ptb.edit_message_reply_markup(ann.id, sent.message_id, reply_markup=KEYBOARD)
    assert isinstance(again, telegram.Message)
    assert again.reply_markup == KEYBOARD
    assert again.entities[0].type == "bold"


async def test_captions_and_media(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    sent = await ptb.send_document(ann.id, b"x", caption="a")
    captioned = await ptb.edit_message_caption(ann.id, sent.message_id, caption="b")
    changed = await ptb.edit_message_media(InputMediaPhoto(make_image(), caption="c"), ann.id, sent.message_id)

    assert isinstance(captioned, telegram.Message)
    assert isinstance(changed, telegram.Message)
    assert captioned.caption == "b"
    assert (changed.caption, changed.document) == ("c", None)
    assert changed.photo
    assert ann.messages(bank)[-1].kind == "photo"


async def test_refusals_of_edits(call: Call, ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    text = (await ptb.send_message(ann.id, "x", reply_markup=KEYBOARD)).message_id
    photo = (await ptb.send_photo(ann.id, make_image(), caption="c")).message_id
    own = ann.send(bank, "mine").message_id
    chat = {"chat_id": ann.id}
    keyboard = KEYBOARD.to_dict()

    same = await call("editMessageText", **chat, message_id=text, text="x ", reply_markup=keyboard)
    assert words(same) == NOT_MODIFIED
    assert words(await call("editMessageCaption", **chat, message_id=photo, caption="c")) == NOT_MODIFIED
    assert words(await call("editMessageReplyMarkup", **chat, message_id=photo)) == NOT_MODIFIED
    for method, message_id, refusal in (
        ("editMessageText", 99, "message to edit not found"),
        ("editMessageText", None, "message identifier is not specified"),
        ("editMessageText", own, "message can't be edited"),
        ("editMessageText", photo, "there is no text in the message to edit"),
        ("editMessageCaption", text, "there is no caption in the message to edit"),
        ("editMessageMedia", text, "there is no media in the message to edit"),
    ):
        answer = await call(method, **chat, message_id=message_id, text="y")
        assert words(answer) == f"400 Bad Request: {refusal}", method
    inline = await call("editMessageText", inline_message_id="x", text="y")
    assert words(inline) == "501 Not Implemented: the simulator does not cover inline messages"


async def test_people_edit_their_messages(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    message = ann.send(bank, "Helo /x")
    photo = ann.send_file(bank, "photo", caption="a")
    ann.edit(bank, message, "Hello")
    ann.edit(bank, photo.message_id, "b")
    updates = await ptb.get_updates()

    edited = [update.edited_message for update in updates if update.edited_message]
    assert [(m.text, m.caption) for m in edited] == [("Hello", None), (None, "b")]
    assert updates[0].message is not None
    assert updates[0].message.text == "Helo /x"
    sent = await ptb.send_message(ann.id, "mine")
    with pytest.raises(Refused, match="only own"):
        ann.edit(bank, sent.message_id, "yours")


async def test_deletions(call: Call, ptb: telegram.Bot, ann: Person, bank: Bot, clock: Clock) -> None:
    old = ann.send(bank, "old")
    clock.move(hours=49)
    young = ann.send(bank, "young")
    sent = await ptb.send_message(ann.id, "sent")

    assert await ptb.delete_message(ann.id, young.message_id)
    assert words(await call("deleteMessage", chat_id=ann.id, message_id=young.message_id)) == (
        "400 Bad Request: message to delete not found"
    )
    assert words(await call("deleteMessage", chat_id=ann.id, message_id=old.message_id)) == ("400 Bad Request: message can't be deleted")
    assert await ptb.delete_messages(ann.id, [sent.message_id, 999])
    assert words(await call("deleteMessages", chat_id=ann.id, message_ids=[])) == ("400 Bad Request: message identifiers are not specified")
    assert [message.text for message in ann.messages(bank)] == ["/start", "old"]
    assert [m.is_deleted for m in ann.messages(bank, include_deleted=True)] == [False, False, True, True]


async def test_only_administrators_delete_others_messages(ptb: telegram.Bot, ann: Person, bank: Bot, sim: Simulator) -> None:
    bob = sim.add_person("Bob")
    group = sim.add_group("Plain", admins=[ann], members=[bob], bots=[bank], bots_are_admins=False, is_forum=False)
    message = bob.send(group, "spam")

    with pytest.raises(telegram.error.BadRequest, match="can't be deleted"):
        await ptb.delete_message(group.id, message.message_id)
    group.promote(bank)
    assert await ptb.delete_message(group.id, message.message_id)
    of_ann = ann.send(group, "x")
    with pytest.raises(Refused, match="administrators"):
        bob.delete(group, of_ann)
    ann.delete(group, of_ann)
    assert [m for m in group.messages() if m.kind == "text"] == []


async def test_copies_and_forwards(ptb: telegram.Bot, call: Call, ann: Person, bank: Bot, desk: Group) -> None:
    topic = ann.create_topic(desk, "Ann")
    text = ann.send(bank, "Hello /x")
    photo = ann.send_file(bank, "photo", caption="c")

    copied = await ptb.copy_message(desk.id, ann.id, text.message_id, message_thread_id=topic.thread_id)
    forwarded = await ptb.forward_message(desk.id, ann.id, photo.message_id, message_thread_id=topic.thread_id)
    recaptioned = await ptb.copy_message(desk.id, ann.id, photo.message_id, caption="d", parse_mode="HTML")

    in_topic = {message.message_id: message for message in desk.messages(thread_id=topic.thread_id)}
    assert in_topic[copied.message_id].text == "Hello /x"
    assert isinstance(forwarded.forward_origin, telegram.MessageOriginUser)
    assert forwarded.forward_origin.sender_user.id == ann.id
    assert forwarded.photo
    assert desk.messages()[-1].message_id == recaptioned.message_id
    assert desk.messages()[-1].text == "d"
    assert words(await call("copyMessage", chat_id=desk.id, from_chat_id=ann.id, message_id=99)) == (
        "400 Bad Request: message to copy not found"
    )
    assert words(await call("forwardMessage", chat_id=desk.id, from_chat_id=ann.id, message_id=99)) == (
        "400 Bad Request: message to forward not found"
    )
    service = await call("copyMessage", chat_id=ann.id, from_chat_id=desk.id, message_id=topic.thread_id)
    assert words(service) == "400 Bad Request: message can't be copied"


async def test_albums_are_passed_on_as_albums(ptb: telegram.Bot, call: Call, ann: Person, bank: Bot, desk: Group) -> None:
    album = [message.message_id for message in ann.send_album(bank, 2, caption="c")]

    assert len(await ptb.forward_messages(desk.id, ann.id, album)) == 2
    await ptb.copy_messages(desk.id, ann.id, [*album, 999], remove_caption=True)

    passed = desk.messages()[-4:]
    assert len({message.album_id for message in passed}) == 2
    assert [message.text for message in passed] == ["c", "", "", ""]
    nothing = await call("copyMessages", chat_id=desk.id, from_chat_id=ann.id, message_ids=[999])
    assert words(nothing) == "400 Bad Request: there are no messages to copy"
