"""Files, albums, places and contacts, up and down."""

import random
from typing import Any

import aiohttp
import pytest
import telegram
from aiogram import Bot as Gram
from aiogram.types import BufferedInputFile, InputMediaPhoto
from telegram import InputMediaDocument, InputMediaVideo

from bot.simulator import Bot, Person, Refused, Server, Simulator
from bot.simulator.files import DOWNLOAD_LIMIT, image_size
from bot.simulator.samples import make_image

from .conftest import Call, words

PNG = make_image(300, 200)


async def test_an_uploaded_photo_has_sizes_and_can_be_sent_again(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    sent = await ptb.send_photo(ann.id, PNG, caption="<i>See</i>", parse_mode="HTML", has_spoiler=True)
    again = await ptb.send_photo(ann.id, sent.photo[-1].file_id)

    assert [(size.width, size.height) for size in sent.photo] == [(90, 60), (300, 200)]
    assert (sent.caption, sent.caption_entities[0].type, sent.has_media_spoiler) == ("See", "italic", True)
    assert again.photo[-1].file_unique_id == sent.photo[-1].file_unique_id
    assert ann.messages(bank)[-1].kind == "photo"


async def test_every_kind_of_file_is_sent(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    document = await ptb.send_document(ann.id, b"text", filename="a.txt", caption="c", thumbnail=PNG)
    voice = await ptb.send_voice(ann.id, b"OggS", duration=7)
    audio = await ptb.send_audio(ann.id, b"ID3", filename="a.mp3", performer="P", title="T")
    video = await ptb.send_video(ann.id, b"mp4", width=10, height=20, duration=3)
    animation = await ptb.send_animation(ann.id, b"mp4")
    round_video = await ptb.send_video_note(ann.id, b"mp4", length=100)
    sticker = await ptb.send_sticker(ann.id, b"RIFF0000WEBP", emoji="🙂")

    assert document.document
    assert document.document.thumbnail
    assert (document.document.file_name, document.document.mime_type, document.document.file_size) == (
        "a.txt", "text/plain", 4,
    )  # fmt: skip
    assert voice.voice
    assert audio.audio
    assert (audio.audio.performer, audio.audio.title) == ("P", "T")
    assert video.video
    assert (video.video.width, video.video.height) == (10, 20)
    assert animation.animation
    assert animation.document
    assert animation.animation.file_id == animation.document.file_id
    assert round_video.video_note
    assert round_video.video_note.length == 100
    assert sticker.sticker
    assert sticker.sticker.emoji == "🙂"
    kinds = [message.kind for message in ann.messages(bank)[1:]]
    assert kinds == ["document", "voice", "audio", "video", "animation", "video_note", "sticker"]


async def test_what_people_send_can_be_downloaded(
    ptb: telegram.Bot, ann: Person, bank: Bot, server: Server, http: aiohttp.ClientSession
) -> None:
    ann.send_file(bank, "document", b"%PDF-1", name="contract.pdf", caption="Signed")
    (update,) = await ptb.get_updates()
    assert update.message is not None
    assert update.message.document is not None

    file = await ptb.get_file(update.message.document.file_id)

    assert bytes(await file.download_as_bytearray()) == b"%PDF-1"
    assert file.file_path is not None
    assert file.file_path.endswith(".pdf")
    async with http.get(f"{server.url}/file/bot{ptb.token}/documents/none.pdf") as response:
        assert (response.status, await response.json()) == (
            404, {"ok": False, "error_code": 404, "description": "Not Found"},
        )  # fmt: skip


async def test_too_big_a_file_cannot_be_downloaded(call: Call, ann: Person, bank: Bot) -> None:
    ann.send_file(bank, "video", size=DOWNLOAD_LIMIT + 1)
    ann.send_file(bank, "video", size=DOWNLOAD_LIMIT)
    big, small = (update["message"]["video"] for update in (await call("getUpdates"))["result"])

    assert big["file_size"] == DOWNLOAD_LIMIT + 1
    assert words(await call("getFile", file_id=big["file_id"])) == "400 Bad Request: file is too big"
    assert (await call("getFile", file_id=small["file_id"]))["ok"]


async def test_file_ids_belong_to_one_bot(call: Call, ann: Person, bank: Bot, sim: Simulator) -> None:
    other = sim.add_bot("other_bot")
    ann.start(other)
    ann.send_file(bank, "photo")
    (update,) = (await call("getUpdates"))["result"]
    file_id = update["message"]["photo"][-1]["file_id"]
    wrong = "400 Bad Request: wrong file identifier/HTTP URL specified"

    assert (await call("sendPhoto", chat_id=ann.id, photo=file_id))["ok"]
    assert words(await call("sendPhoto", other.token, chat_id=ann.id, photo=file_id)) == wrong
    assert words(await call("getFile", other.token, file_id=file_id)) == wrong
    assert words(await call("getFile", file_id="nonsense")) == wrong


@pytest.mark.parametrize(
    ("method", "params", "refusal"),
    [
        ("sendPhoto", {}, "there is no photo in the request"),
        ("sendVideoNote", {}, "there is no video note in the request"),
        ("sendPhoto", {"photo": "attach://x"}, "there is no photo in the request"),
        ("sendPhoto", {"photo": "https://a.example/x.png"}, "failed to get HTTP URL content"),
        ("sendPhoto", {"photo": "x", "caption": "c" * 1025}, "message caption is too long"),
        ("sendMediaGroup", {"media": []}, "there are no messages to send"),
        ("sendMediaGroup", {"media": [{"type": "photo", "media": "x"}] * 11}, "too many messages to send as an album"),
        ("sendMediaGroup", {"media": [{"type": "photo", "media": "x"}, {"type": "document", "media": "x"}]},
         "document can't be mixed with other media types"),
        ("sendMediaGroup", {"media": [{"type": "photo", "media": "x"}] * 2},
         "wrong file identifier/HTTP URL specified"),
        ("sendLocation", {"latitude": 100, "longitude": 0}, "wrong location specified"),
        ("sendLocation", {"latitude": "north", "longitude": 0}, "invalid latitude specified"),
        ("sendVenue", {"latitude": 1, "longitude": 1, "address": "a"}, "venue title must be non-empty"),
        ("sendContact", {"phone_number": "1"}, "contact first name must be non-empty"),
        ("sendDice", {"emoji": "x"}, "DICE_EMOJI_INVALID"),
    ],
)  # fmt: skip
async def test_refusals_of_media(call: Call, ann: Person, method: str, params: dict[str, Any], refusal: str) -> None:
    assert words(await call(method, chat_id=ann.id, **params)) == f"400 Bad Request: {refusal}"


async def test_bad_uploads_are_refused(ptb: telegram.Bot, ann: Person) -> None:
    with pytest.raises(telegram.error.BadRequest, match="Image_process_failed"):
        await ptb.send_photo(ann.id, b"not an image")
    with pytest.raises(telegram.error.BadRequest, match="File must be non-empty"):
        await ptb.send_document(ann.id, b"")
    document = await ptb.send_document(ann.id, b"x")
    assert document.document
    with pytest.raises(telegram.error.BadRequest, match="of type document as photo"):
        await ptb.send_photo(ann.id, document.document.file_id)


async def test_a_known_file_keeps_its_kind(ptb: telegram.Bot, ann: Person) -> None:
    video = await ptb.send_video(ann.id, b"mp4")
    assert video.video
    assert (await ptb.send_document(ann.id, video.video.file_id)).video


async def test_albums_of_bots(ptb: telegram.Bot, gram: Gram, ann: Person) -> None:
    first, second = await ptb.send_media_group(
        ann.id, [InputMediaDocument(b"a", filename="a.txt"), InputMediaDocument(b"b", caption="both")]
    )
    media = [InputMediaPhoto(media=BufferedInputFile(PNG, "a.png")) for _ in range(2)]
    photos = await gram.send_media_group(ann.id, list(media))
    (single,) = await ptb.send_media_group(ann.id, [InputMediaVideo(b"v")])

    assert first.media_group_id == second.media_group_id is not None
    assert second.caption == "both"
    assert {message.media_group_id for message in photos} != {first.media_group_id}
    assert single.media_group_id is None


async def test_albums_of_people(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    ann.send_album(bank, 3, caption="Damage")
    ann.send_album(bank, [PNG, PNG])
    messages = [update.message for update in await ptb.get_updates() if update.message]

    assert len({message.media_group_id for message in messages}) == 2
    assert [message.caption for message in messages] == ["Damage", None, None, None, None]
    with pytest.raises(Refused, match="2 to 10"):
        ann.send_album(bank, 11)


async def test_places_contacts_and_dice(ptb: telegram.Bot, ann: Person) -> None:
    random.seed(1)
    location = await ptb.send_location(ann.id, 1.5, 2.5)
    venue = await ptb.send_venue(ann.id, 1.5, 2.5, "Branch", "1 High St")
    contact = await ptb.send_contact(ann.id, "+1555", "Bea", last_name="Orr")
    dice = await ptb.send_dice(ann.id, emoji="🎯")

    assert location.location
    assert location.location.latitude == 1.5
    assert venue.venue
    assert venue.venue.title == "Branch"
    assert contact.contact
    assert contact.contact.last_name == "Orr"
    assert dice.dice
    assert 1 <= dice.dice.value <= 6


async def test_people_send_everything_else(ptb: telegram.Bot, ann: Person, bank: Bot) -> None:
    for kind in ("photo", "document", "voice", "audio", "video", "animation", "video_note", "sticker"):
        ann.send_file(bank, kind)
    ann.send_location(bank, 1, 2)
    ann.send_contact(bank, "+1555")
    messages = [update.message for update in await ptb.get_updates() if update.message]

    assert all(telegram_kind(message) for message in messages)
    assert len(messages) == 10
    with pytest.raises(Refused, match="not a kind of file"):
        ann.send_file(bank, "hologram")
    with pytest.raises(Refused, match="IMAGE_PROCESS_FAILED"):
        ann.send_file(bank, "photo", b"x")


def telegram_kind(message: telegram.Message) -> object:
    return message.effective_attachment


def test_sizes_of_images() -> None:
    assert image_size(make_image(5, 7)) == (5, 7)
    assert image_size(b"GIF89a\x02\x00\x03\x00") == (2, 3)
    assert image_size(b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01") == (32, 16)
    assert image_size(b"\xff\xd8\xff") == (1, 1)
    assert image_size(b"text") == (0, 0)
