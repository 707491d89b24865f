"""The agents' supergroup, one topic a handoff: the Sender of the lane ``handoff``, and where agents' updates and files come from."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.exc import DBAPIError
from telegram import Bot, ChatMemberAdministrator
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.desks.card import render_buttons, render_card, render_title, standing_of
from bot.desks.posts import Post, Poster, prepare
from bot.desks.receipts import SOON_S, receipt_of, says
from bot.desks.updates import ALLOWED_UPDATES, Members
from bot.messages import Attachment, Files, Outgoing, Postponed, Receipt, Refused, Sent
from bot.turn.packet import read_packet
from bot.turn.write import GENERAL
from memory.clock import Clock
from memory.customers import person_of
from memory.database import Database, Record
from memory.errors import SettingsError
from memory.handoffs import ENDED, get_handoff, place_handoff
from memory.proofs import FRESH_FOR
from memory.proposals import open_proposals

logger = logging.getLogger(__name__)

TELEGRAM = "https://api.telegram.org"
CONNECTIONS = 16

UPDATES_AT_ONCE = 20
"""Agents' updates are dealt with one by one: few at a time, so that what is done is soon confirmed, whatever happens to the rest."""

POLL_MARGIN_S = 10.0
"""How much longer than a long poll its connection is given."""

GONE = ("message thread not found", "topic_deleted", "topic_id_invalid")
"""In the Bot API's words: the topic is not there any more."""


class _NotYet(Exception):
    """The topic could not be made, so that nothing of the outgoing has been sent."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.why if isinstance(receipt, Postponed) else "")
        self.receipt = receipt


class TopicDesk:
    """The agents' bot in its group. A :class:`bot.messages.Sender`, and :class:`bot.messages.Files` for what agents sent.

    ``files`` say where attachments are fetched, by their source. Times are in seconds; ``proof_fresh_s`` is how long a proof of who the
    customer is holds, and stands on their card. ``close`` lets the connections go.
    """

    def __init__(
        self,
        token: str,
        chat_id: int,
        database: Database,
        clock: Clock,
        files: Mapping[str, Files],
        *,
        base_url: str = TELEGRAM,
        timeout_s: float = 10.0,
        upload_timeout_s: float = 60.0,
        proof_fresh_s: float = FRESH_FOR.total_seconds(),
    ) -> None:
        def connections(size: int) -> HTTPXRequest:
            return HTTPXRequest(
                connection_pool_size=size,
                connect_timeout=timeout_s,
                read_timeout=timeout_s,
                write_timeout=timeout_s,
                pool_timeout=timeout_s,
                media_write_timeout=upload_timeout_s,
            )

        self._request, self._poll = connections(CONNECTIONS), connections(1)
        base_url = base_url.rstrip("/")
        api, downloads = f"{base_url}/bot", f"{base_url}/file/bot"
        self._bot = Bot(token, base_url=api, base_file_url=downloads, request=self._request, get_updates_request=self._poll)
        self._updates_url = f"{api}{token}/getUpdates"
        self._chat_id = chat_id
        self._database = database
        self._clock = clock
        self._files = files
        self._proof_fresh_for = timedelta(seconds=proof_fresh_s)
        self._poster = Poster(self._bot, chat_id)
        self.is_member = Members(self._bot, chat_id, clock)

    async def start(self) -> None:
        """Make sure that the bot can work in its group. Raises :class:`SettingsError` with what an operator has to do.

        Where Telegram cannot be reached now, nothing is raised: whatever waits is sent when it can be.
        """
        try:
            me = await self._bot.get_me()
            await self._bot.delete_webhook()
            chat = await self._bot.get_chat(self._chat_id)
            member = await self._bot.get_chat_member(self._chat_id, me.id)
        except InvalidToken:
            raise SettingsError("LEGATO_DESK_TOKEN: Telegram does not know this token; check it and LEGATO_API_BASE") from None
        except (BadRequest, Forbidden, ChatMigrated) as error:
            raise SettingsError(f"LEGATO_DESK_CHAT: Telegram answers “{error.message}”; add the agents' bot to that group") from None
        except TelegramError as error:
            logger.warning("the agents' group could not be checked (%s); it is used as it is set", type(error).__name__)
            return
        if not chat.is_forum:
            raise SettingsError("LEGATO_DESK_CHAT: that group has no topics; switch them on in its settings")
        if not isinstance(member, ChatMemberAdministrator) or not member.can_manage_topics:
            raise SettingsError("LEGATO_DESK_CHAT: the agents' bot must be an administrator there who may manage topics")

    async def close(self) -> None:
        """Close the connections; an open poll ends."""
        await self._poll.shutdown()
        await self._request.shutdown()

    async def fetch_updates(self, offset: int | None, timeout_s: int) -> list[dict[str, Any]]:
        """The next raw updates, waited for up to ``timeout_s``. Raises ``TelegramError``; confirms everything below ``offset``."""
        wanted: dict[str, Any] = {"timeout": timeout_s, "limit": UPDATES_AT_ONCE, "allowed_updates": json.dumps(ALLOWED_UPDATES)}
        if offset is not None:
            wanted["offset"] = offset
        # The library's own method would hand out its objects, and a broken update would break all that came with it.
        result: Any = await self._poll.post(f"{self._updates_url}?{urlencode(wanted)}", read_timeout=timeout_s + POLL_MARGIN_S)
        return list(result)

    async def fetch(self, attachment: Attachment) -> bytes:
        """A file that an agent sent. Raises ``OSError`` where it cannot be had now, ``LookupError`` where it is gone for good."""
        try:
            file = await self._bot.get_file(attachment.file_id)
        except BadRequest as error:
            raise LookupError(error.message) from None
        except TelegramError as error:
            raise OSError(f"asking for a file failed: {type(error).__name__}") from None
        try:
            return bytes(await file.download_as_bytearray())
        except InvalidToken:  # what the library makes of a 404
            raise LookupError("the file is gone") from None
        except (TelegramError, RuntimeError) as error:
            raise OSError(f"fetching a file failed: {type(error).__name__}") from None

    async def send(self, address: str, outgoing: Outgoing) -> Receipt:
        """Show something in the topic of handoff ``address``, which is made if it is not there, or in the general one."""
        try:
            if outgoing.kind == "answer":
                return await self._answer(outgoing)
            if outgoing.kind in ("unsend", "drop"):
                return await self._remove(outgoing)
            if address == GENERAL:
                return await self._in_general(outgoing)
            return await self._in_topic(address, outgoing)
        except _NotYet as not_yet:
            return not_yet.receipt
        except TelegramError as error:
            return receipt_of(error, repeatable=outgoing.kind in ("edit", "card", "close", "answer", "unsend", "drop"))
        except (OSError, DBAPIError) as error:
            return Postponed(SOON_S, type(error).__name__)

    async def _answer(self, outgoing: Outgoing) -> Receipt:
        try:
            await self._bot.answer_callback_query(outgoing.about or "", outgoing.text or None, show_alert=outgoing.alert)
        except BadRequest as error:
            if not says(error, "query is too old", "query id is invalid"):
                raise
        return Sent(None)

    async def _remove(self, outgoing: Outgoing) -> Receipt:
        """Delete messages, or a topic with all that is in it; what is gone already is as it should be.

        Without the right to delete, it is refused for good: the desk goes on, and who asked for it is told.
        """
        try:
            if outgoing.kind == "drop":
                await self._bot.delete_forum_topic(self._chat_id, int(outgoing.about or 0))
            else:
                await self._bot.delete_messages(self._chat_id, [int(one) for one in (outgoing.about or "").split(",")])
        except BadRequest as error:
            if not says(error, *GONE, "message to delete not found"):
                return Refused(error.message)
        return Sent(None)

    async def _in_general(self, outgoing: Outgoing) -> Receipt:
        if outgoing.kind in ("card", "close"):
            return Refused(f"the general topic has no {outgoing.kind}")
        return await self._show(None, outgoing, await prepare(outgoing, self._files))

    async def _in_topic(self, address: str, outgoing: Outgoing) -> Receipt:
        handoff = await self._database.read(lambda tx: get_handoff(tx, int(address)))
        if handoff is None:
            return Refused(f"there is no handoff {address}")
        post = await prepare(outgoing, self._files)
        for _ in range(2):
            if handoff.topic is None:
                if handoff.state == ENDED:
                    return _nothing_to_show(outgoing)
                handoff = await self._make(handoff)
            try:
                return await self._here(handoff, outgoing, post)
            except BadRequest as error:
                if says(error, "topic_closed"):
                    return await self._reopened(handoff, outgoing, post)
                if not says(error, *GONE):
                    raise
                handoff = await self._forget(handoff)
        return Postponed(SOON_S, "the topic is deleted as often as it is made")

    async def _here(self, handoff: Record, outgoing: Outgoing, post: Post) -> Receipt:
        """Show it in the topic that the handoff has."""
        if outgoing.kind == "card":
            return await self._show_card(handoff)
        if outgoing.kind == "close":
            return await self._close_topic(handoff)
        if handoff.card is None:  # a new topic begins with its card, whatever was to be shown first
            try:
                await self._show_card(handoff)
            except BadRequest:
                raise
            except TelegramError as error:  # what was to be shown has not been tried yet
                raise _NotYet(receipt_of(error, repeatable=True)) from error
        return await self._show(int(handoff.topic), outgoing, post)

    async def _show(self, thread: int | None, outgoing: Outgoing, post: Post) -> Receipt:
        if outgoing.kind == "edit" and outgoing.about and await self._poster.edit(outgoing.about, post.html, post.buttons):
            return Sent(outgoing.about)
        return Sent(await self._poster.post(thread, post))

    async def _reopened(self, handoff: Record, outgoing: Outgoing, post: Post) -> Receipt:
        """Show it in a topic that somebody has closed; the topic of an ended handoff is closed again."""
        thread = int(handoff.topic)
        await self._bot.reopen_forum_topic(self._chat_id, thread)
        receipt = await self._here(handoff, outgoing, post)
        if handoff.state == ENDED:
            await self._close_topic(handoff)
        return receipt

    async def _close_topic(self, handoff: Record) -> Receipt:
        try:
            await self._bot.close_forum_topic(self._chat_id, int(handoff.topic))
        except BadRequest as error:
            if not says(error, "topic_not_modified"):
                raise
        return Sent(None)

    async def _show_card(self, handoff: Record) -> Receipt:
        """Bring the card up to date; one that was deleted is posted anew."""
        html, buttons = await self._card(handoff)
        if handoff.card is not None and await self._poster.edit(handoff.card, html, buttons):
            return Sent(handoff.card)
        card = await self._poster.text(int(handoff.topic), html, buttons)
        topic: str = handoff.topic
        await self._database.write(lambda tx: place_handoff(tx, handoff.id, old=topic, topic=topic, card=card))
        return Sent(card)

    async def _card(self, handoff: Record) -> tuple[str, Any]:
        maybe = await self._database.read(lambda tx: open_proposals(tx, person_of(tx, handoff.customer_id)))
        standing = standing_of(handoff, maybe if handoff.state != ENDED else ())
        card = render_card(standing, read_packet(handoff.packet), self._clock.now(), self._proof_fresh_for)
        return card, render_buttons(standing)

    async def _make(self, handoff: Record) -> Record:
        """Make the handoff's topic and note it before anything stands in it; where two processes do, the second's topic is deleted.

        An agent may answer as soon as there is something to read, and by then the topic must be known. Only a crash between the making and
        the commit leaves a topic that belongs to nothing; it is empty.
        """
        try:
            made = await self._bot.create_forum_topic(self._chat_id, render_title(read_packet(handoff.packet)))
        except TelegramError as error:
            raise _NotYet(receipt_of(error, repeatable=True)) from error
        thread, placed = made.message_thread_id, False
        try:
            placed = await self._database.write(lambda tx: place_handoff(tx, handoff.id, old=None, topic=str(thread), card=None))
        finally:
            if not placed:
                await self._discard(thread)
        return await self._placed(handoff)

    async def _forget(self, handoff: Record) -> Record:
        """Note that the topic is gone, unless another process has already put the handoff elsewhere."""
        await self._database.write(lambda tx: place_handoff(tx, handoff.id, old=handoff.topic, topic=None, card=None))
        return await self._present(handoff)

    async def _placed(self, handoff: Record) -> Record:
        present = await self._present(handoff)
        if present.topic is None:
            raise _NotYet(Postponed(SOON_S, "another process is making the topic"))
        return present

    async def _present(self, handoff: Record) -> Record:
        present = await self._database.read(lambda tx: get_handoff(tx, handoff.id))
        assert present is not None  # handoffs are never deleted
        return present

    async def _discard(self, thread: int) -> None:
        try:
            await self._bot.delete_forum_topic(self._chat_id, thread)
        except TelegramError as error:
            logger.warning("topic %s of the agents' group belongs to nothing and could not be deleted (%s)", thread, type(error).__name__)


def _nothing_to_show(outgoing: Outgoing) -> Receipt:
    """An ended handoff without a topic gets none: its card and its closing need nothing more, and words have no reader there."""
    if outgoing.kind in ("card", "close"):
        return Sent(None)
    return Refused("the case is closed and has no topic")
