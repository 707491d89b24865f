"""The people API over HTTP: everything that ``Simulator`` and ``Person`` do, for web pages and other processes."""

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from .errors import Refused
from .events import Event
from .faults import Fault
from .groups import Group
from .people import Person
from .requests import (
    AlbumOrder,
    BlockOrder,
    BotOrder,
    ChosenKey,
    EditOrder,
    FaultOrder,
    GroupOrder,
    JoinOrder,
    KnownBot,
    KnownFault,
    KnownGroup,
    MemberOrder,
    MessageOrder,
    PersonOrder,
    PressOrder,
    ReactionOrder,
    TopicChange,
    TopicOrder,
)
from .simulator import Simulator
from .state import Bot
from .views import Answer, SeenAccount, SeenEvent, SeenMessage, SeenTopic, seen_event

PREFIX = "/people-api"
_MAX_WAIT_S = 60.0


def _shown_person(person: Person) -> SeenAccount:
    account = person.account
    return SeenAccount(
        id=account.id,
        first_name=account.first_name,
        last_name=account.last_name,
        username=account.username,
        language_code=account.language_code,
    )


def _shown_bot(bot: Bot) -> KnownBot:
    return KnownBot(
        id=bot.id,
        token=bot.token,
        username=bot.username or "",
        name=bot.first_name,
        can_read_all_group_messages=bot.can_read_all_group_messages,
        pending=len(bot.queue),
        requests=dict(bot.requests),
    )


def _shown_group(group: Group) -> KnownGroup:
    chat = group.chat
    return KnownGroup(
        id=group.id,
        title=group.title,
        kind=chat.type,
        username=chat.username,
        is_forum=chat.is_forum,
        members=group.members(),
        topics=group.topics(),
    )


def _shown_fault(fault: Fault) -> KnownFault:
    return KnownFault.model_validate(fault, from_attributes=True)


def _content(order: MessageOrder) -> bytes | None:
    if order.content_base64 is None:
        return None
    try:
        return base64.b64decode(order.content_base64, validate=True)
    except binascii.Error:
        raise Refused("content_base64 is not base64") from None


def _send(person: Person, order: MessageOrder) -> SeenMessage:
    place: dict[str, Any] = {"thread_id": order.thread_id, "reply_to": order.reply_to}
    match order.kind:
        case "text":
            return person.send(order.to, order.text, **place)
        case "location":
            return person.send_location(order.to, order.latitude or 0.0, order.longitude or 0.0, **place)
        case "contact":
            phone = order.phone_number or f"+1555{person.id % 10_000_000:07d}"
            return person.send_contact(order.to, phone, first_name=order.first_name, last_name=order.last_name, **place)
    return person.send_file(
        order.to,
        order.kind,
        _content(order),
        name=order.file_name,
        mime=order.mime,
        size=order.declared_size,
        caption=order.text,
        **place,
    )


def people_router(sim: Simulator) -> APIRouter:
    """The routes of the people API, to be put under any prefix."""
    router = APIRouter()
    _add_registry(router, sim)
    _add_groups(router, sim)
    _add_watching(router, sim)
    _add_faults(router, sim)
    _add_deeds(router, sim)
    return router


def _add_registry(router: APIRouter, sim: Simulator) -> None:
    @router.get("/bots", tags=["bots"])
    async def list_bots() -> list[KnownBot]:
        """Every bot with its counters."""
        return [_shown_bot(bot) for bot in sim.bots.values()]

    @router.post("/bots", status_code=201, tags=["bots"])
    async def add_bot(order: BotOrder) -> KnownBot:
        """Register a bot; registering a token again changes its names."""
        return _shown_bot(sim.add_bot(**order.model_dump()))

    @router.get("/bots/{bot}", tags=["bots"])
    async def show_bot(bot: str) -> KnownBot:
        """One bot, by username, id or token: its pending updates and its requests by method."""
        return _shown_bot(sim.bot(bot))

    @router.get("/bots/{bot}/delivered", tags=["bots"])
    async def delivered(bot: str, skip: int = 0) -> list[SeenMessage]:
        """Every message that the bot sent, in order, after the first ``skip``."""
        return sim.delivered(bot)[skip:]

    @router.get("/people", tags=["people"])
    async def list_people() -> list[SeenAccount]:
        """Everybody."""
        return [_shown_person(person) for person in sim.people()]

    @router.post("/people", status_code=201, tags=["people"])
    async def add_person(order: PersonOrder) -> SeenAccount:
        """Create a person."""
        return _shown_person(sim.add_person(**order.model_dump()))

    @router.get("/people/{person}", tags=["people"])
    async def show_person(person: str) -> SeenAccount:
        """One person, by id or username."""
        return _shown_person(sim.person(person))

    @router.post("/reset", status_code=204, tags=["simulator"])
    async def reset() -> None:
        """Forget everything; bots keep nothing but their tokens in their own hands."""
        sim.reset()


def _add_groups(router: APIRouter, sim: Simulator) -> None:
    @router.get("/groups", tags=["groups"])
    async def list_groups() -> list[KnownGroup]:
        """Every group with members and topics."""
        return [_shown_group(group) for group in sim.groups()]

    @router.post("/groups", status_code=201, tags=["groups"])
    async def add_group(order: GroupOrder) -> KnownGroup:
        """Create a group; its bots are told that they were added."""
        settings: dict[str, Any] = order.model_dump()
        return _shown_group(sim.add_group(**settings))

    @router.get("/groups/{group}", tags=["groups"])
    async def show_group(group: str) -> KnownGroup:
        """One group, by id, title or username."""
        return _shown_group(sim.group(group))

    @router.get("/groups/{group}/topics", tags=["groups"])
    async def topics(group: str) -> list[SeenTopic]:
        """A group's topics, General first, deleted ones too."""
        return sim.group(group).topics()

    @router.get("/groups/{group}/members", tags=["groups"])
    async def members(group: str) -> list[SeenAccount]:
        """Everyone who is in the group now."""
        return sim.group(group).members()

    @router.get("/groups/{group}/messages", tags=["groups"])
    async def messages(group: str, thread_id: int | None = None, include_deleted: bool = False) -> list[SeenMessage]:
        """A group's messages, oldest first."""
        return sim.group(group).messages(thread_id=thread_id, include_deleted=include_deleted)

    @router.put("/groups/{group}/members/{account}", tags=["groups"])
    async def set_member(group: str, account: str, order: MemberOrder) -> list[SeenAccount]:
        """Add, promote, remove or ban a person or a bot; the members afterwards."""
        found = sim.group(group)
        found.set_status(account, order.status)
        return found.members()

    @router.post("/groups/{group}/upgrade", tags=["groups"])
    async def upgrade(group: str) -> KnownGroup:
        """Turn a basic group into a supergroup; the new group."""
        return _shown_group(sim.group(group).upgrade())


def _event_line(event: Event) -> str:
    return f"id: {event.number}\nevent: {event.kind}\ndata: {seen_event(event).model_dump_json()}\n\n"


def _add_watching(router: APIRouter, sim: Simulator) -> None:
    async def stream(request: Request, number: int) -> AsyncIterator[str]:
        yield ": following\n\n"
        while not await request.is_disconnected():
            for event in await sim.events.wait(number, 15.0, 500):
                number = event.number
                yield _event_line(event)
            if sim.is_stopped:
                return

    @router.get("/events", tags=["events"], response_model=list[SeenEvent])
    async def events(
        request: Request,
        after: Annotated[int, Query(description="The last number that you know; -1 means only what is new")] = 0,
        wait: Annotated[float, Query(ge=0, le=_MAX_WAIT_S, description="Seconds to wait for the first event")] = 0.0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
        accept: Annotated[str, Header()] = "",
        last_event_id: Annotated[int | None, Header()] = None,
    ) -> Any:
        """What happened after number ``after``, oldest first: long poll, or a stream with Accept: text/event-stream."""
        number = after if last_event_id is None else last_event_id
        number = sim.events.last if number < 0 else number
        if "text/event-stream" in accept:
            return StreamingResponse(stream(request, number), media_type="text/event-stream")
        found = await sim.events.wait(number, wait, limit) if wait else sim.events.after(number, limit)
        return [seen_event(event) for event in found]

    @router.get("/events/last", tags=["events"])
    async def last_event() -> int:
        """The newest event's number."""
        return sim.events.last

    @router.get("/files/{unique_id}", tags=["events"], response_class=Response)
    async def download(unique_id: str) -> Response:
        """A file's bytes, as a person's app would show it."""
        file = sim.files.get(unique_id)
        if file is None or file.content is None:
            raise Refused("there is no such file, or only its size was declared")
        return Response(file.content, media_type=file.mime)


def _add_faults(router: APIRouter, sim: Simulator) -> None:
    @router.get("/faults", tags=["faults"])
    async def list_faults() -> list[KnownFault]:
        """Faults that are still to happen."""
        return [_shown_fault(fault) for fault in sim.faults.waiting()]

    @router.post("/faults", status_code=201, tags=["faults"])
    async def order_fault(order: FaultOrder) -> KnownFault:
        """Let something go wrong from now on."""
        return _shown_fault(sim.faults.order(Fault(**order.model_dump())))

    @router.delete("/faults", status_code=204, tags=["faults"])
    async def clear_faults() -> None:
        """Withdraw all faults."""
        sim.faults.clear()

    @router.delete("/faults/{fault_id}", status_code=204, tags=["faults"])
    async def clear_fault(fault_id: int) -> None:
        """Withdraw one fault."""
        sim.faults.clear(fault_id)


def _add_deeds(router: APIRouter, sim: Simulator) -> None:
    def who(person: str) -> Person:
        return sim.person(person)

    Who = Annotated[Person, Depends(who)]
    deeds = APIRouter(prefix="/people/{person}", tags=["deeds"])

    @deeds.get("/chats/{chat}/messages")
    async def messages(person: Who, chat: str, thread_id: int | None = None, include_deleted: bool = False) -> list[SeenMessage]:
        """What the person sees in a chat: a bot's username, or a group's id or username."""
        return person.messages(chat, thread_id=thread_id, include_deleted=include_deleted)

    @deeds.get("/chats/{chat}/keyboard")
    async def keyboard(person: Who, chat: str) -> list[list[str]]:
        """The reply keyboard that the chat shows now."""
        return person.keyboard(chat)

    @deeds.post("/messages", status_code=201)
    async def send(person: Who, order: MessageOrder) -> SeenMessage:
        """Send a text, a file, a location or a contact."""
        return _send(person, order)

    @deeds.post("/albums", status_code=201)
    async def send_album(person: Who, order: AlbumOrder) -> list[SeenMessage]:
        """Send an album of photos."""
        photos = [base64.b64decode(photo) for photo in order.photos_base64] or order.count
        place = {"thread_id": order.thread_id, "reply_to": order.reply_to}
        return person.send_album(order.to, photos, caption=order.caption, **place)

    @deeds.post("/choices", status_code=201)
    async def choose(person: Who, order: ChosenKey) -> SeenMessage:
        """Press a key of the reply keyboard."""
        return person.choose(order.chat, order.label)

    @deeds.patch("/chats/{chat}/messages/{message_id}")
    async def edit(person: Who, chat: str, message_id: int, order: EditOrder) -> SeenMessage:
        """Edit an own message."""
        return person.edit(chat, message_id, order.text)

    @deeds.delete("/chats/{chat}/messages/{message_id}", status_code=204)
    async def delete(person: Who, chat: str, message_id: int) -> None:
        """Delete a message."""
        person.delete(chat, message_id)

    @deeds.put("/chats/{chat}/messages/{message_id}/reaction", status_code=204)
    async def react(person: Who, chat: str, message_id: int, order: ReactionOrder) -> None:
        """React with an emoji, or take the reaction back with null."""
        person.react(chat, message_id, order.emoji)

    @deeds.post("/presses")
    async def press(person: Who, order: PressOrder) -> Answer:
        """Press an inline button and wait up to ``timeout_s`` for the answer; 0 does not wait."""
        query_id = person.tap(order.chat, order.button, order.message_id)
        return await person.answer(query_id, timeout_s=order.timeout_s)

    @deeds.post("/blocks", status_code=204)
    async def block(person: Who, order: BlockOrder) -> None:
        """Block a bot."""
        person.block(order.bot)

    @deeds.delete("/blocks/{bot}", status_code=204)
    async def unblock(person: Who, bot: str) -> None:
        """Unblock a bot."""
        person.unblock(bot)

    @deeds.post("/memberships", status_code=204)
    async def join(person: Who, order: JoinOrder) -> None:
        """Enter a group."""
        person.join(order.group)

    @deeds.delete("/memberships/{group}", status_code=204)
    async def leave(person: Who, group: str) -> None:
        """Leave a group."""
        person.leave(group)

    @deeds.post("/chats/{group}/topics", status_code=201)
    async def create_topic(person: Who, group: str, order: TopicOrder) -> SeenTopic:
        """Open a forum topic."""
        return person.create_topic(group, order.name)

    @deeds.patch("/chats/{group}/topics/{thread_id}", status_code=204)
    async def change_topic(person: Who, group: str, thread_id: int, order: TopicChange) -> None:
        """Rename, close or reopen a topic, as an administrator."""
        if order.name is not None:
            person.rename_topic(group, thread_id, order.name)
        if order.is_closed is not None:
            (person.close_topic if order.is_closed else person.reopen_topic)(group, thread_id)

    @deeds.delete("/chats/{group}/topics/{thread_id}", status_code=204)
    async def delete_topic(person: Who, group: str, thread_id: int) -> None:
        """Delete a topic with its messages, as an administrator."""
        person.delete_topic(group, thread_id)

    router.include_router(deeds)


async def _on_refused(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, status_code=409)


def create_people_app(sim: Simulator) -> FastAPI:
    """The people API as an app of its own, with its docs page beside it."""
    app = FastAPI(
        title="Legato simulator: people API",
        description="Simulated people, groups and bots around a local Bot API server. What cannot be done is a 409.",
        docs_url=f"{PREFIX}/docs",
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )
    app.include_router(people_router(sim), prefix=PREFIX)
    app.add_exception_handler(Refused, _on_refused)
    return app
