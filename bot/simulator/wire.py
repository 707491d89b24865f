"""Requests as they come over HTTP: JSON bodies, forms, multipart forms with files, query strings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.multipart import MultipartParser, parse_options_header

from .errors import ApiError, bad_request
from .files import UPLOAD_LIMIT, Upload

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_LIMIT = UPLOAD_LIMIT + 1024 * 1024


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises ``ApiError`` 413 for one that no Bot API server would take."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body", False):
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_LIMIT:
            raise ApiError(413, "Request Entity Too Large")
        parts.append(part)
    return b"".join(parts)


def read_request(query: bytes, content_type: bytes, body: bytes) -> tuple[dict[str, Any], dict[str, Upload]]:
    """Raw parameters and uploaded files. The body wins over the query string."""
    raw: dict[str, Any] = dict(parse_qsl(query.decode(), keep_blank_values=True)) if query else {}
    files: dict[str, Upload] = {}
    if not body:
        return raw, files
    kind = content_type.partition(b";")[0].strip().lower()
    if kind == b"application/x-www-form-urlencoded":
        try:
            raw.update(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            raise bad_request("strings must be encoded in UTF-8") from None
    elif kind == b"application/json":
        raw.update(_json_object(body))
    elif kind == b"multipart/form-data":
        _read_multipart(content_type, body, raw, files)
    return raw, files


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_request("can't parse JSON body") from None
    if not isinstance(value, dict):
        raise bad_request("can't parse JSON body: expected an object")
    return value


def _read_multipart(content_type: bytes, body: bytes, raw: dict[str, Any], files: dict[str, Upload]) -> None:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise bad_request("boundary not found")
    part = _Part()

    def on_part_begin() -> None:
        part.clear()

    def on_header_field(data: bytes, start: int, end: int) -> None:
        part.field += data[start:end]

    def on_header_value(data: bytes, start: int, end: int) -> None:
        part.value += data[start:end]

    def on_header_end() -> None:
        part.headers[part.field.lower()] = part.value
        part.field = part.value = b""

    def on_part_data(data: bytes, start: int, end: int) -> None:
        part.content.append(data[start:end])

    def on_part_end() -> None:
        part.store(raw, files)

    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": on_part_begin,
            "on_header_field": on_header_field,
            "on_header_value": on_header_value,
            "on_header_end": on_header_end,
            "on_part_data": on_part_data,
            "on_part_end": on_part_end,
        },
    )
    parser.write(body)
    parser.finalize()


class _Part:
    """The part of a multipart body that is being read."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.field = b""
        self.value = b""
        self.headers: dict[bytes, bytes] = {}
        self.content: list[bytes] = []

    def store(self, raw: dict[str, Any], files: dict[str, Upload]) -> None:
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode()
        content = b"".join(self.content)
        file_name = options.get(b"filename")
        if file_name is None:
            raw[name] = content.decode()
            return
        mime = self.headers.get(b"content-type", b"").decode() or None
        if mime == "application/octet-stream":
            mime = None
        files[name] = Upload(content, file_name.decode() or None, mime)
