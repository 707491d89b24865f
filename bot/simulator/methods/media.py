"""Sending files, albums and the other things that are not text, and downloading files."""

from __future__ import annotations

import random
from typing import Any

from ..errors import bad_request
from ..files import DOWNLOAD_LIMIT, KINDS, File, file_content, media_content
from ..posting import post, render
from ..state import Json, Message
from .common import (
    Call,
    api,
    caption_content,
    format_text,
    formatted,
    option_fields,
    reachable_chat,
    reply_of,
    thread_of,
)
from .sending import send

ALBUM_LIMIT = 10
_DETAILS = ("duration", "width", "height", "length", "performer", "title", "emoji")
_FIXED_KINDS = frozenset({"photo", "sticker"})
"""Kinds whose files cannot be sent as another kind."""
_DICE = {"🎲": 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "🎰": 64}


def resolve_file(call: Call, kind: str, value: str | None) -> File:
    """The file that a parameter gives: an upload, or the id of a file that this bot knows. Raises ``ApiError`` 400.

    Web addresses are refused as Telegram refuses those that it cannot load: nothing here reaches into the network.
    """
    if not value:
        raise bad_request(f"there is no {kind.replace('_', ' ')} in the request")
    if value.startswith("attach://"):
        upload = call.files.get(value.removeprefix("attach://"))
        if upload is None:
            raise bad_request(f"there is no {kind.replace('_', ' ')} in the request")
        return call.sim.files.add(kind, upload)
    if value.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    file = call.sim.files.find(call.bot.id, value)
    if file.kind != kind and (file.kind in _FIXED_KINDS or kind in _FIXED_KINDS):
        raise bad_request(f"can't use file of type {KINDS[file.kind][3]} as {KINDS[kind][3]}")
    return file


def file_part(call: Call, kind: str, value: str | None, options: Json) -> Json:
    """The part of a message that holds a file. A known file keeps its kind, whatever it is sent as."""
    file = resolve_file(call, kind, value)
    kind = file.kind
    details: Json = {}
    if kind != "photo":
        details = {name: options[name] for name in _DETAILS if options.get(name) is not None}
        thumbnail = options.get("thumbnail")
        if thumbnail and kind not in ("voice", "sticker"):
            small = resolve_file(call, "photo", thumbnail)
            details["thumbnail"] = file_content(small, width=small.width or 90, height=small.height or 90)
    media = media_content(kind, file, **details)
    content: Json = {kind: media}
    if kind == "animation":
        content["document"] = {key: value for key, value in media.items() if key not in ("width", "height", "duration", "thumbnail")}
    if options.get("has_spoiler"):
        content["has_media_spoiler"] = True
    if options.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    return content


def _sender(kind: str) -> Any:
    def send_file(call: Call) -> Json:
        reachable_chat(call)
        caption = caption_content(*formatted(call, "caption", "caption_entities"))
        content = file_part(call, kind, call.params.get(kind), call.params)
        if kind in ("video_note", "sticker"):
            caption = {}
        return render(send(call, content | caption, has_media=True), call.bot)

    return send_file


for _kind in KINDS:
    api(f"send{_kind.replace('_', '')}")(_sender(_kind))


def _check_album(media: list[Json]) -> None:
    if not media:
        raise bad_request("there are no messages to send")
    if len(media) > ALBUM_LIMIT:
        raise bad_request("too many messages to send as an album")
    kinds = {item.get("type") for item in media}
    for kind in ("document", "audio"):
        if kind in kinds and len(kinds) > 1:
            raise bad_request(f"{kind} can't be mixed with other media types")
    if not kinds <= {"photo", "video", "document", "audio"}:
        raise bad_request("wrong type of the media in the album")


def media_item(call: Call, item: Json) -> Json:
    """The content that one ``InputMedia`` describes, with its caption. Raises ``ApiError`` 400."""
    kind = item.get("type", "")
    if kind not in KINDS:
        raise bad_request("type of the media is unsupported")
    text, entities = format_text(item.get("caption") or "", item.get("parse_mode") or "", item.get("caption_entities"))
    return file_part(call, kind, item.get("media"), item) | caption_content(text, entities)


@api("sendMediaGroup")
def send_media_group(call: Call) -> list[Json]:
    """Nothing of an album is sent when one of its files is refused."""
    chat = reachable_chat(call)
    media: list[Json] = call.params.get("media") or []
    _check_album(media)
    reply_to = reply_of(call, chat)
    thread_id = thread_of(call, chat)
    contents = [media_item(call, item) for item in media]
    album: Json = {"media_group_id": str(13_000_000_000_000_000 + call.sim.serial())} if len(media) > 1 else {}
    extra = album | option_fields(call)
    sent: list[Message] = [
        post(call.sim, chat, call.bot, content | extra, thread_id=thread_id, reply_to=reply_to, has_media=True) for content in contents
    ]
    return [render(message, call.bot) for message in sent]


def _location(call: Call) -> Json:
    latitude, longitude = call.params.get("latitude"), call.params.get("longitude")
    if latitude is None or longitude is None:
        raise bad_request("latitude and longitude must be specified")
    if not -90 <= latitude <= 90 or not -180 <= longitude <= 180:
        raise bad_request("wrong location specified")
    location: Json = {"latitude": latitude, "longitude": longitude}
    for name in ("horizontal_accuracy", "live_period", "heading", "proximity_alert_radius"):
        if call.params.get(name):
            location[name] = call.params[name]
    return location


@api("sendLocation")
def send_location(call: Call) -> Json:
    return render(send(call, {"location": _location(call)}), call.bot)


@api("sendVenue")
def send_venue(call: Call) -> Json:
    venue: Json = {"location": _location(call)}
    for name in ("title", "address"):
        if not call.params.get(name):
            raise bad_request(f"venue {name} must be non-empty")
    for name in ("title", "address", "foursquare_id", "foursquare_type", "google_place_id", "google_place_type"):
        if call.params.get(name):
            venue[name] = call.params[name]
    return render(send(call, {"venue": venue, "location": venue["location"]}), call.bot)


@api("sendContact")
def send_contact(call: Call) -> Json:
    contact: Json = {}
    for name in ("phone_number", "first_name"):
        if not call.params.get(name):
            raise bad_request(f"contact {name.replace('_', ' ')} must be non-empty")
    for name in ("phone_number", "first_name", "last_name", "vcard"):
        if call.params.get(name):
            contact[name] = call.params[name]
    return render(send(call, {"contact": contact}), call.bot)


@api("sendDice")
def send_dice(call: Call) -> Json:
    emoji = (call.params.get("emoji") or "🎲").removesuffix("\ufe0f")
    if emoji not in _DICE:
        raise bad_request("DICE_EMOJI_INVALID")
    return render(send(call, {"dice": {"emoji": emoji, "value": random.randint(1, _DICE[emoji])}}), call.bot)


@api("getFile")
def get_file(call: Call) -> Json:
    """Files above the download limit are refused; the path works for this bot only."""
    file_id = call.params.get("file_id", "")
    file = call.sim.files.find(call.bot.id, file_id)
    if file.size > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    call.bot.offered_files[file.path] = file.unique_id
    return {
        "file_id": file_id,
        "file_unique_id": file.unique_id,
        "file_size": file.size,
        "file_path": file.path,
    }
