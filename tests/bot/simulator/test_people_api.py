"""The people API over HTTP, by its client and by hand."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import httpx
import pytest
import telegram
from fastapi import FastAPI

from bot.simulator import Bot, Group, PeopleClient, Person, Refused, Server, Simulator, people_router
from bot.simulator.samples import make_image


@pytest.fixture
async def people(server: Server) -> AsyncIterator[PeopleClient]:
    async with PeopleClient(server.url) as client:
        yield client


async def test_a_conversation_from_another_process(people: PeopleClient, ptb: telegram.Bot) -> None:
    bob = await people.add_person("Bob", username="bob", language_code="de")
    mark = await people.last_event()
    sent = await people.send("bob", "bank_bot", "Hi")
    markup = telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton("Yes", callback_data="y")]])
    await ptb.send_message(bob.id, "Sure?", reply_markup=markup, reply_to_message_id=sent.message_id)
    reply = await people.wait_for(lambda event: bool(event.message and event.message.from_bot), after=mark)
    pressing = asyncio.create_task(people.press(bob.id, "bank_bot", "Yes"))
    await people.wait_for(lambda event: event.kind == "callback_query", after=mark)
    (pressed,) = await ptb.get_updates(offset=-1)
    assert pressed.callback_query is not None
    await pressed.callback_query.answer("Done")

    assert reply.message is not None
    assert (reply.message.reply_to, reply.message.buttons[0][0].text) == (sent.message_id, "Yes")
    assert (await pressing).text == "Done"
    assert not (await people.press("bob", "bank_bot", "y", timeout_s=0)).is_answered
    assert [message.text for message in await people.messages("bob", "bank_bot")] == ["Hi", "Sure?"]
    assert [message.text for message in await people.delivered("bank_bot")] == ["Sure?"]
    assert (await people.bot("bank_bot")).requests["sendMessage"] == 1
    assert [person.username for person in await people.people()] == ["bob"]


async def test_everything_that_can_be_sent(people: PeopleClient, ann: Person) -> None:
    png = make_image()
    photo = await people.send(ann.id, "bank_bot", "caption", kind="photo", content=png)
    big = await people.send(ann.id, "bank_bot", kind="document", declared_size=30_000_000, file_name="big.pdf")
    place = await people.send(ann.id, "bank_bot", kind="location", latitude=1, longitude=2)
    contact = await people.send(ann.id, "bank_bot", kind="contact")
    made_up = await people.send_album(ann.id, "bank_bot", 2, caption="c")
    given = await people.send_album(ann.id, "bank_bot", [png, png])

    assert photo.media is not None
    assert big.media is not None
    assert await people.file(photo.media.unique_id) == png
    assert (big.media.size, big.media.name) == (30_000_000, "big.pdf")
    assert (place.kind, contact.kind) == ("location", "contact")
    assert len({message.album_id for message in made_up + given}) == 2
    with pytest.raises(Refused, match="no such file"):
        await people.file(big.media.unique_id)
    with pytest.raises(Refused, match="not base64"):
        await people.send(ann.id, "bank_bot", kind="document", content_base64="?")


async def test_changes(people: PeopleClient, ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    message = await people.send(ann.id, "bank_bot", "a")
    assert (await people.edit(ann.id, "bank_bot", message.message_id, "b")).previous == ["a"]
    await people.react(ann.id, "bank_bot", message.message_id, "👍")
    assert (await people.messages(ann.id, "bank_bot"))[-1].reactions == {ann.id: ["👍"]}
    await people.delete(ann.id, "bank_bot", message.message_id)
    assert (await people.messages(ann.id, "bank_bot"))[-1].text == "/start"
    await ptb.send_message(ann.id, "?", reply_markup=telegram.ReplyKeyboardMarkup([["Yes"]]))
    assert (await people.choose(ann.id, "bank_bot", "Yes")).text == "Yes"
    await people.block(ann.id, "bank_bot")
    with pytest.raises(telegram.error.Forbidden):
        await ptb.send_message(ann.id, "x")
    await people.unblock(ann.id, "bank_bot")
    assert await ptb.send_message(ann.id, "x")
    with pytest.raises(Refused, match="no message 999"):
        await people.delete(ann.id, "bank_bot", 999)


async def test_groups_and_topics(people: PeopleClient, ann: Person) -> None:
    other = await people.add_bot("other_bot", name="Other")
    group = await people.add_group("Desk", admins=[ann.id], bots=["other_bot"])
    bob = await people.add_person("Bob")
    await people.join(bob.id, group.id)
    topic = await people.create_topic(bob.id, group.id, "Help")
    await people.change_topic(ann.id, group.id, topic.thread_id, name="Helped", is_closed=True)

    with pytest.raises(Refused, match="closed"):
        await people.send(bob.id, group.id, "x", thread_id=topic.thread_id)
    await people.change_topic(ann.id, group.id, topic.thread_id, is_closed=False)
    await people.send(bob.id, group.id, "x", thread_id=topic.thread_id)
    assert [message.text for message in await people.messages(ann.id, group.id, topic.thread_id)][-1] == "x"
    known = await people.group(group.id)
    assert [(topic.name, topic.is_closed) for topic in known.topics] == [("General", False), ("Helped", False)]
    assert [member.id for member in known.members] == [ann.id, other.id, bob.id]
    await people.delete_topic(ann.id, group.id, topic.thread_id)
    assert (await people.group(group.id)).topics[-1].is_deleted
    await people.leave(bob.id, group.id)
    members = await people.set_member(group.id, bob.id, "administrator")
    assert members[-1].status == "administrator"


async def test_faults_and_reset(people: PeopleClient, ptb: telegram.Bot) -> None:
    fault = await people.order_fault("too_many_requests", retry_after_s=3, times=2)
    with pytest.raises(telegram.error.RetryAfter):
        await ptb.get_me()
    assert [(known.id, known.times) for known in await people.faults()] == [(fault.id, 1)]
    await people.clear_faults()
    assert await people.faults() == []
    await people.reset()
    assert [event.kind for event in await people.events(0)] == ["reset"]
    assert await people.people() == []


async def test_following(people: PeopleClient, ann: Person, bank: Bot, sim: Simulator) -> None:
    mark = sim.events.last
    assert await people.events(mark) == []
    waiting = asyncio.create_task(people.events(mark, 30))
    ann.send(bank, "a")
    assert [event.kind for event in await waiting] == ["message"]
    ann.send(bank, "b")
    texts = []
    async for event in people.follow(mark):
        texts.append(event.message.text if event.message else "")
        if len(texts) == 2:
            break
    assert texts == ["a", "b"]


async def test_a_stream_of_events(server: Server, http: aiohttp.ClientSession, ann: Person, bank: Bot, sim: Simulator) -> None:
    ann.send(bank, "a")
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(sim.events.last - 1)}
    async with http.get(f"{server.people_url}/events", headers=headers) as response:
        assert response.content_type == "text/event-stream"
        seen = []
        async for raw in response.content:
            line = raw.decode().strip()
            if line.startswith("data:"):
                seen.append(json.loads(line.removeprefix("data:"))["message"]["text"])
                if len(seen) == 2:
                    break
                ann.send(bank, "b")
    assert seen == ["a", "b"]


async def test_only_what_is_new(server: Server, http: aiohttp.ClientSession, ann: Person, bank: Bot) -> None:
    async with http.get(f"{server.people_url}/events", params={"after": "-1"}) as response:
        assert await response.json() == []


async def test_the_rest_of_the_routes(server: Server, http: aiohttp.ClientSession, ann: Person, desk: Group, sim: Simulator) -> None:
    basic = sim.add_group("Basic", kind="group", members=[ann])
    fault = sim.order_fault("error", method="close")
    url = server.people_url
    for path, count in (
        ("/bots", 1),
        ("/groups", 2),
        (f"/groups/{desk.id}/topics", 1),
        (f"/groups/{desk.id}/members", 2),
        (f"/groups/{desk.id}/messages", 0),
        ("/people/ann/chats/bank_bot/keyboard", 0),
        ("/people/ann", 7),
    ):
        async with http.get(url + path) as response:
            assert len(await response.json()) == count, path
    async with http.post(f"{url}/groups/{basic.id}/upgrade") as response:
        assert (await response.json())["kind"] == "supergroup"
    async with http.delete(f"{url}/faults/{fault.id}") as response:
        assert (response.status, sim.faults.waiting()) == (204, [])
    async with http.get(f"{url}/people/nobody") as response:
        assert (response.status, await response.json()) == (409, {"detail": "there is no person 'nobody'"})


async def test_the_docs_are_served(server: Server, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{server.people_url}/openapi.json") as response:
        schema = await response.json()
    async with http.get(f"{server.people_url}/docs") as response:
        assert response.status == 200

    assert "/people-api/people/{person}/messages" in schema["paths"]
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert all(operation.get("description") for operation in operations)


async def test_the_router_fits_into_another_app(sim: Simulator, ann: Person) -> None:
    app = FastAPI()
    app.include_router(people_router(sim), prefix="/inside")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        assert (await client.get("/inside/people/ann")).json()["first_name"] == "Ann"
