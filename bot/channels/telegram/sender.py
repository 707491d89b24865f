"""Sending to customers through aiogram: every answer and failure of the Bot API becomes a receipt."""

from __future__ import annotations

import asyncio
import html
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods.base import Response
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
)

from bot.channels.telegram.updates import ALLOWED_UPDATES, CHANNEL
from bot.messages import Attachment, Files, Outgoing, Postponed, Receipt, Refused, Sent, Uncertain
from memory.errors import SettingsError

logger = logging.getLogger(__name__)

_KEPT_MODELS = (Response[Message], Response[bool], Response[list[Message]])
"""aiogram makes these for each answer, and pydantic forgets a generic model that nobody holds: building one anew costs milliseconds."""

_TAG = re.compile(r"<[^>]+>")
_GONE = ("chat not found", "user is deactivated", "bot was blocked", "peer_id_invalid")
_FIRST_PAUSE_S = 2.0
_LOCKED_OUT_S = 60.0


class FetchFailed(Exception):
    """getUpdates was refused; ``retry_after`` is how long Telegram wants to be left alone, in seconds."""

    def __init__(self, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class CustomerBot:
    """The customers' bot: a Sender, the fetch of the poll loop, and the Files of what customers sent.

    ``files`` says where attachments of other sources (what agents sent) are fetched. ``timeout_s`` bounds one request.
    """

    def __init__(self, token: str, *, api_base: str, timeout_s: float, files: Mapping[str, Files]) -> None:
        session = AiohttpSession(api=TelegramAPIServer.from_base(api_base), timeout=timeout_s, limit=100)
        session.json_loads = orjson.loads
        session.json_dumps = lambda value: orjson.dumps(value).decode()
        self._session = session
        self._is_plain = api_base.startswith("http:")
        self.bot = Bot(token, session=session)
        self.username: str | None = None
        """The bot's name in links, known from its start on."""
        self._files = files

    async def start(self, *, webhook: str | None = None, secret: str | None = None) -> None:
        """Open the connections and tell Telegram how updates are to come: to ``webhook``, or by polling.

        Raises :class:`SettingsError` where Telegram does not know the token.
        """
        await self._session.create_session()  # once, before there are two requests at a time that would each make one
        try:
            self.username = (await self.bot.get_me()).username
            if webhook is None:
                await self.bot.delete_webhook()
            else:
                await self.bot.set_webhook(webhook, secret_token=secret, allowed_updates=ALLOWED_UPDATES)
        except AiogramError as error:
            answer = getattr(error, "message", type(error).__name__)
            raise SettingsError(f"LEGATO_TELEGRAM_TOKEN: Telegram answers “{answer}”; check the token and LEGATO_API_BASE") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._is_plain:  # aiogram waits a quarter of a second for the end of TLS where it closes connections itself
            await (await self._session.create_session()).close()
        await self._session.close()

    async def fetch(self, offset: int | None, timeout_s: int) -> list[dict[str, Any]]:
        """Raw updates by long poll. Raw, because one that aiogram cannot read must not take the others with it."""
        data = {"timeout": timeout_s, "allowed_updates": orjson.dumps(ALLOWED_UPDATES).decode()}
        if offset is not None:
            data["offset"] = offset
        http = await self._session.create_session()
        url = self._session.api.api_url(self.bot.token, "getUpdates")
        try:
            async with http.post(url, data=data, timeout=aiohttp.ClientTimeout(total=timeout_s + 15)) as response:
                answer = orjson.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            raise FetchFailed(type(error).__name__) from None  # its own text may hold the URL, and with it the token
        if not answer.get("ok"):
            parameters = answer.get("parameters") or {}
            raise FetchFailed(str(answer.get("description")), float(parameters.get("retry_after", 0)))
        result: list[dict[str, Any]] = answer["result"]
        return result

    async def send(self, address: str, outgoing: Outgoing) -> Receipt:
        """Send to the private chat ``address``; see :class:`bot.messages.Sender`."""
        try:
            return await self._send(int(address), outgoing)
        except TelegramBadRequest as error:
            if "can't parse entities" in error.message and outgoing.html:
                logger.warning("Telegram could not read the formatting of a message; it goes out as plain text")
                return await self.send(address, _plain(outgoing))
            return _refused(error, outgoing)
        except TelegramAPIError as error:
            return _receipt(error, outgoing)
        except OSError as error:
            return Postponed(_FIRST_PAUSE_S, f"a file could not be fetched: {type(error).__name__}")

    async def _send(self, chat: int, outgoing: Outgoing) -> Receipt:
        bot = self.bot
        mode = "HTML" if outgoing.html else None
        match outgoing.kind:
            case "answer":
                await bot.answer_callback_query(str(outgoing.about), text=outgoing.text or None, show_alert=outgoing.alert or None)
                return Sent(None)
            case "edit":
                return await self._edit(chat, outgoing, mode)
            case "file":
                return await self._send_files(chat, outgoing, mode)
            case "unsend":
                return await self._unsend(chat, outgoing)
            case _:
                message = await bot.send_message(chat, outgoing.text, parse_mode=mode, reply_markup=_keyboard(outgoing))
                return Sent(str(message.message_id))

    async def _edit(self, chat: int, outgoing: Outgoing, mode: str | None) -> Receipt:
        message = int(outgoing.about or 0)
        try:
            await self.bot.edit_message_text(outgoing.text, chat_id=chat, message_id=message, parse_mode=mode)
        except TelegramBadRequest as error:
            if "no text in the message" not in error.message:
                raise
            await self.bot.edit_message_caption(chat_id=chat, message_id=message, caption=outgoing.text, parse_mode=mode)
        return Sent(outgoing.about)

    async def _unsend(self, chat: int, outgoing: Outgoing) -> Receipt:
        """Delete messages; those that are gone already are as they should be. One that may not be deleted refuses all of the request."""
        messages = [int(one) for one in (outgoing.about or "").split(",")]
        try:
            if len(messages) == 1:
                await self.bot.delete_message(chat, messages[0])
            else:
                await self.bot.delete_messages(chat, messages)
        except TelegramBadRequest as error:
            if "message to delete not found" not in error.message:
                raise
        return Sent(None)

    async def _send_files(self, chat: int, outgoing: Outgoing, mode: str | None) -> Receipt:
        try:
            files = [(one, await self._input(one)) for one in outgoing.attachments]
        except LookupError:
            return Refused("the file can no longer be fetched")
        caption = outgoing.text or None
        if len(files) > 1:
            makers = {"photo": InputMediaPhoto, "video": InputMediaVideo}
            media: list[Any] = [
                makers.get(one.kind, InputMediaDocument)(media=file, caption=caption if n == 0 else None, parse_mode=mode)
                for n, (one, file) in enumerate(files)
            ]
            messages = await self.bot.send_media_group(chat, media)
            return Sent(str(messages[0].message_id))
        one, file = files[0]
        bot = self.bot
        match one.kind:
            case "photo":
                message = await bot.send_photo(chat, file, caption=caption, parse_mode=mode)
            case "voice":
                message = await bot.send_voice(chat, file, caption=caption, parse_mode=mode)
            case "audio":
                message = await bot.send_audio(chat, file, caption=caption, parse_mode=mode)
            case "video":
                message = await bot.send_video(chat, file, caption=caption, parse_mode=mode)
            case "animation":
                message = await bot.send_animation(chat, file, caption=caption, parse_mode=mode)
            case "video_note":
                message = await bot.send_video_note(chat, file)
            case "sticker":
                message = await bot.send_sticker(chat, file)
            case _:
                message = await bot.send_document(chat, file, caption=caption, parse_mode=mode)
        return Sent(str(message.message_id))

    async def _input(self, attachment: Attachment) -> str | BufferedInputFile:
        """A file id works only in the bot that it was given to; another bot's file goes through this process."""
        if attachment.source == CHANNEL:
            return attachment.file_id
        data = await self._files[attachment.source].fetch(attachment)
        return BufferedInputFile(data, filename=attachment.name or attachment.kind)

    async def fetch_file(self, attachment: Attachment) -> bytes:
        """A file that a customer sent. ``LookupError`` where Telegram no longer has it, ``OSError`` where it cannot be had now."""
        try:
            file = await self.bot.get_file(attachment.file_id)
            content = await self.bot.download(file)
        except TelegramBadRequest as error:
            raise LookupError(error.message) from None
        except (TelegramAPIError, aiohttp.ClientError, TimeoutError) as error:
            raise OSError(type(error).__name__) from None
        assert content is not None
        return content.read()


async def username_of(token: str, *, api_base: str, timeout_s: float = 5.0) -> str | None:
    """The name of the customers' bot in links; None where Telegram does not answer, or does not know the token."""
    bot = CustomerBot(token, api_base=api_base, timeout_s=timeout_s, files={})
    try:
        return (await bot.bot.get_me()).username
    except (AiogramError, aiohttp.ClientError, TimeoutError):
        return None
    finally:
        await bot.close()


class CustomerFiles:
    """The :class:`bot.messages.Files` of what customers sent."""

    def __init__(self, bot: CustomerBot) -> None:
        self._bot = bot

    async def fetch(self, attachment: Attachment) -> bytes:
        return await self._bot.fetch_file(attachment)


def _keyboard(outgoing: Outgoing) -> InlineKeyboardMarkup | None:
    if not outgoing.buttons:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=one.title, callback_data=one.payload) for one in row] for row in outgoing.buttons]
    )


def _plain(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, text=html.unescape(_TAG.sub("", outgoing.text)), html=False)


def _refused(error: TelegramBadRequest, outgoing: Outgoing) -> Receipt:
    text = error.message.lower()
    if "message is not modified" in text:
        return Sent(outgoing.about)
    if outgoing.kind == "answer" and "query is too old" in text:
        return Sent(None)
    return Refused(error.message, unreachable=any(word in text for word in _GONE))


def _receipt(error: TelegramAPIError, outgoing: Outgoing) -> Receipt:
    match error:
        case TelegramRetryAfter():
            return Postponed(error.retry_after, "429")
        case TelegramForbiddenError():
            return Refused(error.message, unreachable=True)
        case TelegramServerError():
            return Postponed(_FIRST_PAUSE_S, "5xx")
        case TelegramUnauthorizedError():
            logger.error("Telegram does not know the customers' bot any more: check LEGATO_TELEGRAM_TOKEN")
            return Postponed(_LOCKED_OUT_S, "401", everyone=True)
        case TelegramNetworkError():
            return _after_network_error(error)
        case _:
            return Refused(error.message)


def _after_network_error(error: TelegramNetworkError) -> Receipt:
    """Only a connection that was never made is certain not to have carried the message."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Postponed(_FIRST_PAUSE_S, "no connection", everyone=True)
    if isinstance(cause, asyncio.TimeoutError):
        return Uncertain("timed out")
    return Uncertain(type(cause).__name__ if cause is not None else "connection broke")
