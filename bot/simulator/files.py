"""Files: one store for all bots, and file ids that only one bot can use."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
import struct
from dataclasses import dataclass
from typing import Any

from .errors import bad_request

DOWNLOAD_LIMIT = 20 * 1024 * 1024
"""Bots download files up to this size."""
UPLOAD_LIMIT = 50 * 1024 * 1024

KINDS = {
    "photo": ("AgAC", "photos", "jpg", "Photo"),
    "document": ("BQAC", "documents", "bin", "Document"),
    "video": ("BAAC", "videos", "mp4", "Video"),
    "animation": ("CgAC", "animations", "mp4", "Animation"),
    "audio": ("CQAC", "music", "mp3", "Audio"),
    "voice": ("AwAC", "voice", "oga", "VoiceNote"),
    "video_note": ("DQAC", "video_notes", "mp4", "VideoNote"),
    "sticker": ("CAAC", "stickers", "webp", "Sticker"),
}
"""Kind -> prefix of its file ids, folder, extension, TDLib's name."""
_KIND_OF = {prefix: kind for kind, (prefix, *_) in KINDS.items()}
_FILE_ID = re.compile(r"(?P<prefix>[A-Za-z]{4})(?P<unique>[A-Za-z0-9_-]{15})(?P<check>[A-Za-z0-9_-]{22})")
_MIME = {
    "photo": "image/jpeg",
    "video": "video/mp4",
    "animation": "video/mp4",
    "audio": "audio/mpeg",
    "voice": "audio/ogg",
    "video_note": "video/mp4",
    "sticker": "image/webp",
}


@dataclass(slots=True, eq=False)
class File:
    """A stored file. ``content`` is None where only its size was declared."""

    unique_id: str
    kind: str
    size: int
    name: str
    mime: str
    path: str
    content: bytes | None
    width: int = 0
    height: int = 0


@dataclass(slots=True)
class Upload:
    """A file as somebody hands it over. ``size`` overrides the content's length, for files that are only declared."""

    content: bytes | None
    name: str | None = None
    mime: str | None = None
    size: int | None = None


class Files:
    """Every file of the simulated Telegram."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._paths: dict[str, File] = {}

    def clear(self) -> None:
        """Forget all files."""
        self._files.clear()
        self._paths.clear()

    def add(self, kind: str, upload: Upload) -> File:
        """Store a file. Photos must look like images. Raises ``ApiError`` 400."""
        size = len(upload.content or b"") if upload.size is None else upload.size
        if size == 0:
            raise bad_request("file must be non-empty")
        width, height = (0, 0) if upload.content is None else image_size(upload.content)
        if kind == "photo" and upload.content is not None and not width:
            raise bad_request("IMAGE_PROCESS_FAILED")
        number = len(self._files)
        prefix, folder, extension, _ = KINDS[kind]
        name = (upload.name or f"file_{number}.{extension}").rsplit("/", 1)[-1]
        mime = upload.mime or mimetypes.guess_type(name)[0] or _MIME.get(kind, "application/octet-stream")
        digest = hashlib.sha256(f"{prefix}:{number}".encode()).digest()
        unique_id = "AQAD" + base64.urlsafe_b64encode(digest)[:11].decode()
        ending = name.rsplit(".", 1)[-1] if kind == "document" and "." in name else extension
        file = File(unique_id, kind, size, name, mime, f"{folder}/file_{number}.{ending}", upload.content, width, height)
        self._files[unique_id] = file
        self._paths[file.path] = file
        return file

    def get(self, unique_id: str) -> File | None:
        return self._files.get(unique_id)

    def at(self, path: str) -> File | None:
        """The file that getFile names with this path."""
        return self._paths.get(path)

    def find(self, bot_id: int, file_id: str) -> File:
        """The file that a bot means by ``file_id``. Raises ``ApiError`` 400 for another bot's id as for nonsense."""
        hit = _FILE_ID.fullmatch(file_id)
        file = None if hit is None else self._files.get(hit["unique"])
        if hit is None or file is None or file_id != file_id_for(bot_id, hit["unique"], file.kind):
            raise bad_request("wrong file identifier/HTTP URL specified")
        return file


def file_id_for(bot_id: int, unique_id: str, kind: str) -> str:
    """The id by which this bot, and no other, can use the file."""
    digest = hashlib.blake2b(f"{bot_id}:{unique_id}".encode(), digest_size=16).digest()
    return KINDS[kind][0] + unique_id + base64.urlsafe_b64encode(digest)[:22].decode()


def with_file_ids(value: Any, bot_id: int) -> Any:
    """A copy of part of a message in which every file has this bot's ``file_id``; the store's shape has ``file_kind``."""
    if isinstance(value, list):
        return [with_file_ids(item, bot_id) for item in value]
    if not isinstance(value, dict):
        return value
    if "file_kind" in value:
        rest = {key: with_file_ids(item, bot_id) for key, item in value.items() if key != "file_kind"}
        return {"file_id": file_id_for(bot_id, value["file_unique_id"], value["file_kind"]), **rest}
    return {key: with_file_ids(item, bot_id) for key, item in value.items()}


def image_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG, GIF, JPEG or WebP image; zeros for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return struct.unpack(">II", content[16:24])
    if content[:6] in (b"GIF87a", b"GIF89a") and len(content) >= 10:
        return struct.unpack("<HH", content[6:10])
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return 512, 512
    if content.startswith(b"\xff\xd8"):
        return _jpeg_size(content)
    return 0, 0


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", content[at + 2 : at + 4])[0])
    return 1, 1


def file_content(file: File, file_kind: str | None = None, **details: Any) -> dict[str, Any]:
    """What every file object in a message starts with; ``with_file_ids`` completes it for a bot."""
    return {
        "file_unique_id": file.unique_id,
        "file_kind": file_kind or file.kind,
        "file_size": file.size,
        **details,
    }


def media_content(kind: str, file: File, **details: Any) -> Any:
    """The value of the message field ``kind`` for this file, in the store's shape. Details that are None are left out."""
    given = {key: value for key, value in details.items() if value is not None}
    if kind == "photo":
        width, height = file.width or 1280, file.height or 960
        small = min(1.0, 90 / max(width, height))
        thumbnail = file_content(file, width=max(1, int(width * small)), height=max(1, int(height * small)))
        thumbnail["file_size"] = min(file.size, 1500)
        full = file_content(file, width=width, height=height)
        return [full] if small == 1.0 else [thumbnail, full]
    content = file_content(file)
    if kind in ("document", "audio", "video", "animation"):
        content["file_name"] = file.name
    if kind in ("document", "audio", "video", "animation", "voice"):
        content["mime_type"] = file.mime
    if kind in ("video", "animation"):
        content.update(width=640, height=480, duration=1)
    elif kind == "video_note":
        content.update(length=240, duration=1)
    elif kind in ("audio", "voice"):
        content["duration"] = 1
    elif kind == "sticker":
        content.update(type="regular", width=512, height=512, is_animated=False, is_video=False)
    return content | given
