"""Small files for people who send one without giving it."""

from __future__ import annotations

import struct
import zlib

_SAMPLES = {
    "document": (b"A small document.\n", "note.txt"),
    "voice": (b"OggS" + bytes(60), "voice.oga"),
    "audio": (b"ID3" + bytes(61), "song.mp3"),
    "video": (b"\x00\x00\x00\x18ftypmp42" + bytes(52), "clip.mp4"),
    "animation": (b"\x00\x00\x00\x18ftypmp42" + bytes(52), "moving.mp4"),
    "video_note": (b"\x00\x00\x00\x18ftypmp42" + bytes(52), "round.mp4"),
    "sticker": (b"RIFF\x1a\x00\x00\x00WEBPVP8 " + bytes(20), "sticker.webp"),
}


def sample(kind: str) -> tuple[bytes, str | None]:
    """Content and name of a small file of this kind."""
    if kind == "photo":
        return make_image(), None
    return _SAMPLES[kind]


def make_image(width: int = 64, height: int = 48, colour: tuple[int, int, int] = (70, 130, 180)) -> bytes:
    """A small PNG of one colour, for people who send a photo without giving one."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\x00" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
