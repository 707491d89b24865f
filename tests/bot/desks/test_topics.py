"""The desk in a simulated Telegram, over real HTTP."""

from __future__ import annotations

import asyncio

import pytest
from telegram.error import TelegramError

from bot.desks import texts
from bot.desks.topics import TopicDesk
from bot.messages import Attachment, Button, Outgoing, Postponed, Refused, Sent, Uncertain
from bot.simulator import SeenMessage, Simulator
from bot.turn.mirror import mirror, uncertain_notice
from memory.errors import SettingsError
from memory.exchanges import exchange_id
from memory.handoffs import ENDED, OWNED, WAITING
from tests.bot.desks.cases import put_uncertain
from tests.bot.desks.conftest import DESK_TOKEN, World


def titles(message: SeenMessage) -> list[str]:
    return [button.text for row in message.buttons for button in row]


async def test_a_handoff_gets_a_topic_with_its_card(world: World) -> None:
    case = await world.case()

    [topic] = world.topics()
    assert topic.name == "Cora Cole · my card was declined <twice>"
    card = await world.card(case)
    assert titles(card) == ["Claim"]
    for part in ("Cora Cole", "@cora", "Asked for a person", "my card was declined <twice>", "12-34", "Declined card", "agent please"):
        assert part in card.text
    assert "Waiting since" in card.text


async def test_of_two_agents_who_claim_one_wins_and_the_buttons_change(world: World) -> None:
    case = await world.case()
    queries = [agent.tap(world.group, f"claim:{case.id}") for agent in (world.ann, world.bob)]

    await world.pump()

    won, lost = [await agent.answer(query) for agent, query in zip((world.ann, world.bob), queries, strict=True)]
    assert (won.text, won.show_alert) == (texts.YOU_HOLD, False)
    assert (lost.text, lost.show_alert) == ("Ann Archer holds this case.", True)
    card = await world.card(case)
    assert titles(card) == ["Return to assistant", "Close"]
    assert "Ann Archer holds this case" in card.text


async def test_the_first_answer_claims_and_others_are_not_sent(world: World) -> None:
    case = await world.case()
    thread = await world.thread(case)
    world.ann.send(world.group, "Hello, it is Ann", thread_id=thread)
    world.bob.send(world.group, "and Bob", thread_id=thread)

    await world.pump()

    assert [one.text for one in world.heard()] == ["Ann:\nHello, it is Ann"]
    assert await world.posts(case) == ["Not sent: Ann Archer holds this case."]
    assert (await case.handoff()).owner == f"desk:{world.ann.id}"


async def test_files_of_agents_reach_the_customer_and_files_of_customers_the_desk(world: World) -> None:
    case = await world.case()
    thread = await world.thread(case)
    world.ann.send_file(world.group, "photo", caption="see <here>", thread_id=thread)
    world.ann.send_file(world.group, "document", b"terms", name="terms.txt", thread_id=thread)
    await world.pump()

    photo, document = world.heard()
    assert (photo.kind, photo.text) == ("photo", "Ann:\nsee <here>")
    assert document.media is not None
    assert (document.kind, document.media.name, document.media.size) == ("document", "terms.txt", 5)

    for kind, name in (("photo", None), ("document", "bill.pdf")):
        sent = world.cora.send_file("legato_bot", kind, name=name)
        attachment = attached(world, sent)
        await world.put(case, Outgoing(kind="file", text=mirror("customer", "Cora", "look"), html=True, attachments=(attachment,)))
    await world.pump()

    shown = [one for one in await world.seen(case) if one.from_bot and one.media is not None]
    assert [(one.kind, one.text) for one in shown] == [("photo", "👤 Cora: look"), ("document", "👤 Cora: look")]
    assert shown[1].media is not None
    assert shown[1].media.name == "bill.pdf"


async def test_an_album_of_the_customer_stays_one(world: World) -> None:
    case = await world.case()
    album = tuple(attached(world, sent) for sent in world.cora.send_album("legato_bot", 3))

    await world.put(case, Outgoing(kind="file", text=mirror("customer", "Cora", ""), html=True, attachments=album))
    await world.pump()

    shown = [one for one in await world.seen(case) if one.kind == "photo"]
    assert [one.text for one in shown] == ["👤 Cora", "", ""]
    assert len({one.album_id for one in shown}) == 1


@pytest.mark.parametrize("kind", ["voice", "audio", "video", "animation", "video_note", "sticker"])
async def test_every_kind_of_file_is_shown(world: World, kind: str) -> None:
    case = await world.case()
    attachment = attached(world, world.cora.send_file("legato_bot", kind))

    await world.put(case, Outgoing(kind="file", text=mirror("customer", "Cora", ""), html=True, attachments=(attachment,)))
    await world.pump()

    shown = (await world.seen(case))[1:]
    assert kind in [one.kind for one in shown]
    assert [one.text for one in shown if one.text] == ["👤 Cora"]


async def test_a_file_that_is_not_to_be_had_leaves_its_place(world: World) -> None:
    case = await world.case()
    large = Attachment("telegram", "video", "x", "y", name="long.mp4", size=30 * 1024 * 1024, too_large=True)
    gone = Attachment("telegram", "document", "no-such-file", "z", name="a<b>.txt")

    await world.put(case, Outgoing(kind="file", text=mirror("customer", "Cora", "look"), html=True, attachments=(large, gone)))
    await world.pump()

    [post] = await world.posts(case)
    assert post.splitlines() == [
        "👤 Cora: look",
        "(video, long.mp4, 30.0 MB: too large for a bot to fetch)",
        "(document, a<b>.txt: no longer available)",
    ]


async def test_a_large_file_of_an_agent_is_not_sent_and_said_so(world: World) -> None:
    case = await world.case()
    world.ann.send_file(world.group, "document", size=30 * 1024 * 1024, name="film.mkv", thread_id=await world.thread(case))

    await world.pump()

    assert world.heard() == []
    [post] = await world.posts(case)
    assert post.startswith("Not sent: the file is larger than 20 MB")


async def test_a_long_caption_stands_above_its_file(world: World) -> None:
    case = await world.case()
    attachment = attached(world, world.cora.send_file("legato_bot", "photo"))

    await world.put(case, Outgoing(kind="file", text=mirror("customer", "Cora", "x" * 1020), html=True, attachments=(attachment,)))
    await world.pump()

    text, photo = (await world.seen(case))[1:]
    assert (text.kind, photo.kind, photo.text) == ("text", "photo", "")


async def test_edits_of_agents_reach_the_customer(world: World) -> None:
    case = await world.case()
    sent = world.ann.send(world.group, "until Mondy", thread_id=await world.thread(case))
    await world.pump()

    world.ann.edit(world.group, sent, "until Monday")
    await world.pump()

    [heard] = world.heard()
    assert (heard.text, heard.previous) == ("Ann:\nuntil Monday", ["Ann:\nuntil Mondy"])


async def test_edits_of_customers_change_what_the_desk_shows(world: World) -> None:
    case = await world.case()
    about = exchange_id(case.id, 7)
    await world.put(case, Outgoing(text=mirror("customer", "Cora", "helo"), html=True), exchange=about)
    await world.pump()

    await world.put(case, Outgoing(kind="edit", text=mirror("customer", "Cora", "hello"), html=True, about_exchange=about))
    await world.pump()

    assert await world.posts(case) == ["👤 Cora: hello"]


async def test_edits_of_captions_and_of_deleted_posts(world: World) -> None:
    case = await world.case()
    attachment = attached(world, world.cora.send_file("legato_bot", "photo"))
    receipt = await world.send(case, Outgoing(kind="file", text="old", attachments=(attachment,)))
    assert isinstance(receipt, Sent)

    assert await world.send(case, Outgoing(kind="edit", text="new", about=receipt.message_id)) == receipt
    assert await world.send(case, Outgoing(kind="edit", text="new", about=receipt.message_id)) == receipt
    assert await world.posts(case) == ["new"]

    assert receipt.message_id is not None
    world.ann.delete(world.group, int(receipt.message_id))
    assert isinstance(await world.send(case, Outgoing(kind="edit", text="newer", about=receipt.message_id)), Sent)
    assert await world.posts(case) == ["newer"]


@pytest.mark.parametrize(("verb", "ending"), [("return", "returned"), ("close", "closed")])
async def test_ending_with_a_note(world: World, verb: str, ending: str) -> None:
    case = await world.case()
    thread = await world.thread(case)
    world.ann.send(world.group, "All done", thread_id=thread)
    world.ann.send(world.group, f"/{verb} unblocked the card", thread_id=thread)

    await world.pump()

    handoff = await case.handoff()
    assert (handoff.state, handoff.ending, handoff.return_packet["note"]) == (ENDED, ending, "unblocked the card")
    assert len(world.heard()) == 2
    assert world.heard()[1].text in (await world.posts(case))[0]
    card = await world.card(case)
    assert titles(card) == []
    assert "Ann Archer" in card.text.splitlines()[-1]
    assert world.topics()[0].is_closed


async def test_ending_by_button(world: World) -> None:
    case = await world.case()
    world.ann.tap(world.group, "Claim")
    await world.pump()

    query = world.ann.tap(world.group, "Return to assistant")
    await world.pump()

    assert (await world.ann.answer(query)).text == texts.IS_RETURNED
    assert (await case.handoff()).ending == "returned"
    assert world.topics()[0].is_closed


async def test_words_in_a_closed_topic_are_answered_there(world: World) -> None:
    case = await world.case()
    thread = await world.thread(case)
    world.ann.send(world.group, "/close", thread_id=thread)
    await world.pump()

    world.ann.send(world.group, "one more thing", thread_id=thread)
    await world.pump()

    assert (await world.posts(case))[-1] == texts.NOT_SENT_ENDED
    assert world.topics()[0].is_closed


@pytest.mark.parametrize("wording", [None, "TOPIC_DELETED", "message thread not found"])
async def test_a_deleted_topic_is_made_anew_and_the_message_delivered(world: World, wording: str | None) -> None:
    case = await world.case()
    old = await world.thread(case)
    world.ann.delete_topic(world.group, old)
    if wording is not None:
        world.sim.order_fault("error", method="sendMessage", bot="legato_desk_bot", code=400, description=f"Bad Request: {wording}")

    await world.put(case, Outgoing(text=mirror("customer", "Cora", "are you there?"), html=True))
    await world.pump()

    assert await world.thread(case) != old
    assert "What they want" in (await world.card(case)).text
    assert await world.posts(case) == ["👤 Cora: are you there?"]
    assert len(world.topics()) == 1


async def test_a_card_in_a_deleted_topic_is_made_anew(world: World) -> None:
    case = await world.case()
    world.ann.delete_topic(world.group, await world.thread(case))

    assert await world.send(case, Outgoing(kind="card")) == Sent((await world.handoff(case)).card)

    assert titles(await world.card(case)) == ["Claim"]


async def test_a_deleted_card_is_posted_anew(world: World) -> None:
    case = await world.case()
    world.ann.delete(world.group, await world.card(case))

    await world.put(case, Outgoing(kind="card"))
    await world.pump()

    assert titles(await world.card(case)) == ["Claim"]
    assert len(world.topics()) == 1


async def test_a_card_that_has_not_changed_counts_as_shown(world: World) -> None:
    case = await world.case()

    assert await world.send(case, Outgoing(kind="card")) == Sent((await world.handoff(case)).card)


async def test_the_topic_of_an_ended_case_is_not_made_anew(world: World) -> None:
    case = await world.case()
    thread = await world.thread(case)
    world.ann.send(world.group, "/close", thread_id=thread)
    await world.pump()
    world.ann.delete_topic(world.group, thread)

    assert await world.send(case, Outgoing(kind="close")) == Sent(None)
    assert await world.send(case, Outgoing(kind="card")) == Sent(None)
    assert isinstance(await world.send(case, Outgoing(text="hello")), Refused)
    assert world.topics() == []


async def test_a_topic_that_was_closed_by_hand_is_opened_again(world: World) -> None:
    case = await world.case()
    world.ann.close_topic(world.group, await world.thread(case))
    world.sim.order_fault("error", method="sendMessage", code=400, description="Bad Request: TOPIC_CLOSED")

    await world.put(case, Outgoing(text="hello"))
    await world.pump()

    assert await world.posts(case) == ["hello"]
    assert not world.topics()[0].is_closed


async def test_two_processes_make_one_topic(world: World) -> None:
    case = await world.case()
    world.ann.delete_topic(world.group, await world.thread(case))
    other = TopicDesk(DESK_TOKEN, world.group.id, world.database, world.clock, {}, base_url=world.server.url)

    await asyncio.gather(*(desk.send(str(case.id), Outgoing(text="hello")) for desk in (world.desk, other)))
    await other.close()

    assert len(world.topics()) == 1
    assert await world.posts(case) == ["hello", "hello"]


async def test_a_press_by_somebody_outside_the_group_gets_nothing(world: World) -> None:
    case = await world.case()
    query = world.bob.tap(world.group, "Claim")
    world.group.kick(world.bob)

    await world.pump()

    assert (await case.handoff()).state == WAITING
    assert "answerCallbackQuery" not in world.sim.requests("legato_desk_bot")
    assert not (await world.bob.answer(query, timeout_s=0)).is_answered


async def test_membership_is_looked_up_once_a_minute_and_not_remembered_when_it_fails(world: World) -> None:
    def requests() -> int:
        return world.sim.requests("legato_desk_bot")["getChatMember"]

    desk, begun = world.desk, requests()
    world.sim.order_fault("server_error", method="getChatMember")

    assert not await desk.is_member(str(world.bob.id))
    assert await desk.is_member(str(world.bob.id))
    assert await desk.is_member(str(world.bob.id))
    assert requests() == begun + 2

    world.group.kick(world.bob)
    world.clock.advance(61)
    assert not await desk.is_member(str(world.bob.id))
    assert not await desk.is_member("12345")


async def test_the_agents_bot_ignores_private_chats_and_other_groups(world: World) -> None:
    case = await world.case()
    world.cora.start("legato_desk_bot")
    world.cora.send("legato_desk_bot", f"/close claim:{case.id}")
    other = world.sim.add_group("Elsewhere", members=[world.cora], bots=["legato_desk_bot"])
    other_thread = world.cora.create_topic(other, "mine").thread_id
    world.cora.send(other, "hello", thread_id=other_thread)

    await world.pump()

    assert world.heard() == []
    assert (await case.handoff()).state == WAITING
    assert world.cora.messages("legato_desk_bot")[-1].text.startswith("/close")
    assert [one for one in other.messages() if one.from_bot] == []


async def test_an_update_that_telegram_delivers_twice_is_dealt_with_once(world: World) -> None:
    case = await world.case()
    world.sim.order_fault("duplicate_update", method="message", times=1)
    world.ann.send(world.group, "hello", thread_id=await world.thread(case))

    await world.pump()
    await world.pump()

    assert [one.text for one in world.heard()] == ["Ann:\nhello"]


async def test_of_two_agents_who_settle_one_does_and_the_question_loses_its_buttons(world: World) -> None:
    case = await world.case()
    id_ = await put_uncertain(case, Outgoing(text="your card is on its way"))
    text, buttons = uncertain_notice(id_, "your card is on its way")
    await world.put(case, Outgoing(text=text, html=True, buttons=buttons))
    await world.pump()
    question = next(one for one in await world.seen(case) if one.button("Send again"))
    queries = [world.ann.tap(world.group, "Send again", question), world.bob.tap(world.group, "It arrived", question)]

    await world.pump()

    assert (await world.ann.answer(queries[0])).text == texts.SENT_AGAIN
    assert (await world.bob.answer(queries[1])).text == texts.ALREADY_SETTLED
    assert [one.text for one in world.heard()] == ["your card is on its way"]
    settled = next(one for one in await world.seen(case) if one.message_id == question.message_id)
    assert settled.buttons == []
    assert settled.text == "🔁 Ann Archer had this message sent again.\nyour card is on its way"


async def test_a_lost_answer_is_uncertain(world: World) -> None:
    case = await world.case()
    world.sim.order_fault("lost_answer", method="sendMessage")

    assert isinstance(await world.send(case, Outgoing(text="hello")), Uncertain)


async def test_a_timeout_is_uncertain(world: World) -> None:
    case = await world.case()
    hasty = TopicDesk(DESK_TOKEN, world.group.id, world.database, world.clock, {}, base_url=world.server.url, timeout_s=0.3)
    world.sim.order_fault("delay", method="sendMessage", seconds=5)

    assert isinstance(await hasty.send(str(case.id), Outgoing(text="hello")), Uncertain)
    await hasty.close()


async def test_what_can_be_repeated_is_never_uncertain(world: World) -> None:
    case = await world.case()
    for kind, method in (("card", "editMessageText"), ("close", "closeForumTopic"), ("answer", "answerCallbackQuery")):
        world.sim.order_fault("dropped_connection", method=method)
        assert isinstance(await world.send(case, Outgoing(kind=kind, about="1")), Postponed)  # type: ignore[arg-type]


async def test_a_topic_is_known_before_its_card_is_read(world: World) -> None:
    """The card arrives and its receipt is lost; the agent who answers it at once is heard, and nothing is made twice."""
    case = await world.case()
    world.ann.delete_topic(world.group, await world.thread(case))
    world.sim.order_fault("error", method="sendMessage", code=400, description="Bad Request: message thread not found")
    world.sim.order_fault("lost_answer", method="sendMessage")

    assert isinstance(await world.send(case, Outgoing(text="hello")), Postponed)
    [topic] = world.topics()
    assert await world.thread(case) == topic.thread_id
    world.ann.send(world.group, "I am on it", thread_id=topic.thread_id)
    await world.pump()
    assert [one.text for one in world.heard()] == ["Ann:\nI am on it"]

    assert isinstance(await world.send(case, Outgoing(text="hello")), Sent)
    assert [one.thread_id for one in world.topics()] == [topic.thread_id]
    assert (await world.posts(case))[-1] == "hello"


async def test_too_many_requests_pause_the_whole_desk(world: World) -> None:
    case = await world.case()
    world.sim.order_fault("too_many_requests", retry_after_s=7)

    assert await world.send(case, Outgoing(text="hello")) == Postponed(7.0, "too many requests", everyone=True)


async def test_server_errors_and_a_missing_connection_postpone(world: World) -> None:
    case = await world.case()
    world.sim.order_fault("server_error", code=502)
    nowhere = TopicDesk(DESK_TOKEN, world.group.id, world.database, world.clock, {}, base_url="http://127.0.0.1:1")

    assert isinstance(await world.send(case, Outgoing(text="hello")), Postponed)
    assert isinstance(await nowhere.send(str(case.id), Outgoing(text="hello")), Postponed)
    await nowhere.start()
    await nowhere.close()


async def test_a_bot_without_its_group_waits_and_says_so(world: World, caplog: pytest.LogCaptureFixture) -> None:
    case = await world.case()
    world.group.set_status(world.sim.bot("legato_desk_bot"), "kicked")

    receipt = await world.send(case, Outgoing(text="hello"))

    assert isinstance(receipt, Postponed)
    assert (receipt.seconds, receipt.everyone) == (60.0, True)
    assert "cannot use its group" in caplog.text
    assert "hello" not in caplog.text
    assert DESK_TOKEN not in caplog.text


async def test_a_bot_without_its_rights_waits(world: World) -> None:
    case = await world.case()
    world.ann.delete_topic(world.group, await world.thread(case))
    world.group.set_status(world.sim.bot("legato_desk_bot"), "member")

    receipt = await world.send(case, Outgoing(text="hello"))

    assert isinstance(receipt, Postponed)
    assert receipt.everyone


async def test_words_are_worth_more_than_their_form(world: World) -> None:
    case = await world.case()

    assert isinstance(await world.send(case, Outgoing(text="<b>broken & bold", html=True)), Sent)
    assert await world.posts(case) == ["broken & bold"]


async def test_a_long_post_goes_out_in_parts(world: World) -> None:
    case = await world.case()

    await world.send(case, Outgoing(text=mirror("customer", "Cora", "word " * 1000), html=True, buttons=((Button("Yes", "x"),),)))

    first, second = (await world.seen(case))[1:]
    assert first.buttons == []
    assert titles(second) == ["Yes"]


async def test_notices_outside_a_topic_go_to_the_general_one(world: World) -> None:
    assert isinstance(await world.desk.send("general", Outgoing(text="a < b")), Sent)
    assert isinstance(await world.desk.send("general", Outgoing(kind="close")), Refused)
    assert isinstance(await world.desk.send("999", Outgoing(text="hello")), Refused)

    assert [one.text for one in world.group.messages(thread_id=1) if one.from_bot] == ["a < b"]


async def test_an_old_press_needs_no_answer(world: World) -> None:
    case = await world.case()

    assert await world.send(case, Outgoing(kind="answer", about="123", text="Too late")) == Sent(None)


async def test_files_of_agents_that_cannot_be_had(world: World) -> None:
    gone = Attachment("desk", "photo", "no-such-file", "x")
    with pytest.raises(LookupError):
        await world.desk.fetch(gone)
    world.sim.order_fault("server_error", method="getFile")
    with pytest.raises(OSError, match="asking"):
        await world.desk.fetch(gone)


async def test_a_file_that_cannot_be_had_now_postpones(world: World) -> None:
    case = await world.case()
    attachment = attached(world, world.cora.send_file("legato_bot", "photo"))
    world.sim.order_fault("server_error", method="getFile")

    assert isinstance(await world.send(case, Outgoing(kind="file", attachments=(attachment,))), Postponed)


async def test_fetching_fails_as_the_library_says(world: World) -> None:
    world.sim.order_fault("too_many_requests", retry_after_s=3, method="getUpdates")

    with pytest.raises(TelegramError) as caught:
        await world.desk.fetch_updates(None, 0)

    assert getattr(caught.value, "retry_after", None) == 3


async def test_a_desk_that_cannot_work_says_what_to_do(world: World) -> None:
    async def problem(sim: Simulator, token: str, chat_id: int) -> str:
        desk = TopicDesk(token, chat_id, world.database, world.clock, {}, base_url=world.server.url)
        try:
            with pytest.raises(SettingsError) as caught:
                await desk.start()
        finally:
            await desk.close()
        return str(caught.value)

    sim = world.sim
    assert "check it" in await problem(sim, "nonsense:x", world.group.id)
    assert "add the agents' bot" in await problem(sim, DESK_TOKEN, -1001)
    flat = sim.add_group("Flat", is_forum=False, members=[world.ann], bots=["legato_desk_bot"])
    assert "no topics" in await problem(sim, DESK_TOKEN, flat.id)
    world.group.set_status(sim.bot("legato_desk_bot"), "member")
    assert "administrator" in await problem(sim, DESK_TOKEN, world.group.id)


async def test_an_agent_who_answers_holds_the_case_even_while_telegram_fails(world: World) -> None:
    case = await world.case()
    world.sim.order_fault("server_error", times=3)
    world.ann.send(world.group, "hello", thread_id=await world.thread(case))
    world.sim.faults.clear()

    await world.pump()

    assert (await case.handoff()).state == OWNED


def attached(world: World, sent: SeenMessage) -> Attachment:
    """The attachment of something that Cora sent, with the file id that the customers' bot got."""
    bot = world.sim.bot("legato_bot")
    message = world.sim.private_chat(bot, world.cora.account).messages[sent.message_id]
    from bot.simulator.posting import render

    raw = render(message, bot)[sent.kind]
    file = raw[-1] if isinstance(raw, list) else raw
    return Attachment("telegram", sent.kind, file["file_id"], file["file_unique_id"], name=file.get("file_name"), size=file["file_size"])
