"""Posting into the agents' group: texts, files, edits. Errors come out as python-telegram-bot's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    Message,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.desks import texts
from bot.desks.receipts import says
from bot.markup import plain_of, units_of
from bot.messages import MAX_CAPTION, Attachment, Button, Files, Outgoing
from bot.turn.split import split_html

MAX_ALBUM = 10
"""The most files of one album (Bot API, sendMediaGroup)."""

WITHOUT_CAPTION = ("video_note", "sticker")

_ALBUM = {"photo": InputMediaPhoto, "video": InputMediaVideo, "document": InputMediaDocument, "audio": InputMediaAudio}
_MIXED = ({"photo", "video"}, {"document"}, {"audio"})
"""Kinds that may stand in one album."""

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file to upload."""

    kind: str
    name: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """An outgoing with its files at hand; ``html`` is its text or caption, with a line for each file that is not to be had."""

    html: str
    buttons: tuple[tuple[Button, ...], ...]
    files: tuple[Fetched, ...]


async def prepare(outgoing: Outgoing, sources: Mapping[str, Files]) -> Post:
    """Fetch the files. One that is too large or gone becomes a line in the text; ``OSError`` says that it may be had later."""
    lines = [outgoing.text if outgoing.html else escape(outgoing.text, quote=False)]
    files = []
    for attachment in outgoing.attachments:
        if attachment.too_large:
            lines.append(texts.FILE_TOO_LARGE.format(file=escape(_called(attachment), quote=False)))
            continue
        try:
            content = await sources[attachment.source].fetch(attachment)
        except LookupError:
            lines.append(texts.FILE_GONE.format(file=escape(_called(attachment), quote=False)))
        else:
            files.append(Fetched(attachment.kind, attachment.name, content))
    return Post("\n".join(line for line in lines if line), outgoing.buttons, tuple(files))


class Poster:
    """Writes into one group; ``thread`` is the topic's id, None for the general one."""

    def __init__(self, bot: Bot, chat_id: int) -> None:
        self._bot = bot
        self._chat_id = chat_id

    async def post(self, thread: int | None, post: Post) -> str | None:
        """Post everything and return the first message's id. Repeated as a whole after a failure, it may show parts twice."""
        if not post.files:
            return await self.text(thread, post.html, post.buttons)
        fits = units_of(plain_of(post.html)) <= MAX_CAPTION and not any(file.kind in WITHOUT_CAPTION for file in post.files)
        first = None if fits else await self.text(thread, post.html, post.buttons)
        caption = post.html if fits else ""
        kinds = {file.kind for file in post.files}
        albums = any(kinds <= mix for mix in _MIXED) and len(post.files) > 1
        for start in range(0, len(post.files), MAX_ALBUM if albums else 1):
            some = post.files[start : start + (MAX_ALBUM if albums else 1)]
            send = partial(self._album if len(some) > 1 else self._file, thread, some)
            message_id = await _formatted(send, caption)
            first, caption = first or message_id, ""
        return first

    async def text(self, thread: int | None, html: str, buttons: Sequence[Sequence[Button]] = ()) -> str | None:
        """Post a text, in several messages where it is too long for one; the buttons are under the last."""
        first = None
        parts = split_html(html)
        for n, part in enumerate(parts):
            markup = keyboard(buttons) if n == len(parts) - 1 else None
            message_id = await _formatted(partial(self._message, thread, markup), part)
            first = first or message_id
        return first

    async def edit(self, message_id: str, html: str, buttons: Sequence[Sequence[Button]] = ()) -> bool:
        """Give a message, or a file's caption, another text; False if it is not there any more. No change counts as changed."""
        place: dict[str, Any] = {"chat_id": self._chat_id, "message_id": int(message_id), "reply_markup": keyboard(buttons)}

        async def change_text(text: str, **mode: Any) -> None:
            await self._bot.edit_message_text(text, link_preview_options=_NO_PREVIEW, **place, **mode)

        async def change_caption(text: str, **mode: Any) -> None:
            await self._bot.edit_message_caption(caption=text, **place, **mode)

        try:
            try:
                await _formatted(change_text, html)
            except BadRequest as error:
                if not says(error, "no text in the message to edit"):
                    raise
                await _formatted(change_caption, html)
        except BadRequest as error:
            if says(error, "message to edit not found", "message_id_invalid", "message can't be edited"):
                return False
            if not says(error, "message is not modified"):
                raise
        return True

    async def _message(self, thread: int | None, markup: InlineKeyboardMarkup | None, text: str, **mode: Any) -> str:
        sent = await self._bot.send_message(
            self._chat_id, text, message_thread_id=thread, reply_markup=markup, link_preview_options=_NO_PREVIEW, **mode
        )
        return str(sent.message_id)

    async def _file(self, thread: int | None, files: Sequence[Fetched], caption: str, **mode: Any) -> str:
        file = files[0]
        send: dict[str, Callable[..., Awaitable[Message]]] = {
            "photo": self._bot.send_photo,
            "video": self._bot.send_video,
            "voice": self._bot.send_voice,
            "audio": self._bot.send_audio,
            "animation": self._bot.send_animation,
            "video_note": self._bot.send_video_note,
            "sticker": self._bot.send_sticker,
        }
        words = {"caption": caption, **mode} if caption else {}
        named = {"filename": file.name} if file.name and file.kind != "sticker" else {}
        sent = await send.get(file.kind, self._bot.send_document)(self._chat_id, file.content, message_thread_id=thread, **words, **named)
        return str(sent.message_id)

    async def _album(self, thread: int | None, files: Sequence[Fetched], caption: str, **mode: Any) -> str:
        first = {"caption": caption, **mode} if caption else {}
        media = [_ALBUM[file.kind](file.content, filename=file.name, **(first if n == 0 else {})) for n, file in enumerate(files)]
        sent = await self._bot.send_media_group(self._chat_id, media, message_thread_id=thread)
        return str(sent[0].message_id)


def keyboard(buttons: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    """Buttons as Telegram has them; None for none."""
    rows = [[InlineKeyboardButton(button.title, callback_data=button.payload) for button in row] for row in buttons]
    return InlineKeyboardMarkup(rows) if rows else None


async def _formatted(send: Callable[..., Awaitable[Any]], html: str) -> Any:
    """Send ``html``; where Telegram cannot read it, the words are worth more than their form."""
    try:
        return await send(html, parse_mode=ParseMode.HTML)
    except BadRequest as error:
        if not says(error, "can't parse entities"):
            raise
    return await send(plain_of(html))


def _called(attachment: Attachment) -> str:
    """A file in words: its kind, name and size."""
    size = f"{attachment.size / 1024 / 1024:.1f} MB" if attachment.size is not None else ""
    return ", ".join(part for part in (attachment.kind.replace("_", " "), attachment.name or "", size) if part)
