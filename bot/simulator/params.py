"""Parameters of Bot API methods: from what clients send to checked Python values.

Clients send forms, where everything is a string and structures are JSON inside a string, or JSON bodies, where numbers may
still be strings. What each method takes is read from aiogram's method classes; a method's readers are compiled at its first
use. Values keep their JSON shape, and unknown parameters are ignored, as Telegram does.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Annotated, Any, Union, cast, get_args, get_origin

import aiogram.methods
import orjson
from aiogram.client.default import Default
from aiogram.types import BufferedInputFile, InputFile
from pydantic import TypeAdapter, ValidationError

from .errors import ApiError, bad_request

Reader = Callable[[Any], Any]

_TRUE = frozenset({"true", "1", "yes"})
_CACHED_LENGTH = 2048
"""Longer structures are parsed anew each time instead of being kept."""

_WORDS = {
    "reply_markup": "can't parse reply keyboard markup JSON object",
    "entities": "can't parse entities JSON object",
    "caption_entities": "can't parse entities JSON object",
    "media": "can't parse media JSON object",
    "allowed_updates": "can't parse allowed updates: expected an Array of String",
    "commands": "can't parse list of bot commands",
    "message_ids": "can't parse message identifiers: expected an Array",
    "reply_parameters": "can't parse reply parameters JSON object",
    "reaction": "can't parse reaction types JSON object",
}


def _method_classes() -> dict[str, type[aiogram.methods.TelegramMethod[Any]]]:
    found: dict[str, type[aiogram.methods.TelegramMethod[Any]]] = {}
    for name in aiogram.methods.__all__:
        candidate: Any = getattr(aiogram.methods, name)
        method: Any = getattr(candidate, "__api_method__", None)
        if inspect.isclass(candidate) and isinstance(method, str):
            found[method.lower()] = cast("type[aiogram.methods.TelegramMethod[Any]]", candidate)
    return found


METHODS = _method_classes()
"""aiogram's class for every method of the Bot API, by lower-case name."""


def _variants(annotation: Any) -> set[Any]:
    """The types of a union without None and aiogram's markers."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _variants(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return {kind for arg in get_args(annotation) for kind in _variants(arg)}
    return set() if annotation in (type(None), Default) else {annotation}


def _without_marker(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        kept = tuple(arg for arg in get_args(annotation) if arg is not Default)
        return Union[kept]  # noqa: UP007 -- built from a tuple
    return annotation


def _string(value: Any) -> Any:
    return value if isinstance(value, str) else str(value)


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value).lower() in _TRUE


def _integer(name: str) -> Reader:
    def read(value: Any) -> Any:
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f"invalid {name} specified") from None

    return read


def _number(name: str) -> Reader:
    def read(value: Any) -> Any:
        try:
            return float(value)
        except (TypeError, ValueError):
            raise bad_request(f"invalid {name} specified") from None

    return read


def _address(value: Any) -> Any:
    """A chat: its number, or @username as it is."""
    if isinstance(value, int):
        return value
    text = str(value).strip()
    return int(text) if text.removeprefix("-").isdigit() else text


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


_ATTACHED = BufferedInputFile(b"", "attached")


def _with_attached(value: Any) -> Any:
    """A copy in which references to uploads are files, which is what aiogram's types want in their place."""
    if isinstance(value, dict):
        return {key: _with_attached(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_attached(item) for item in value]
    return _ATTACHED if isinstance(value, str) and value.startswith("attach://") else value


def _structure(name: str, annotation: Any) -> Reader:
    adapter: TypeAdapter[Any] = TypeAdapter(_without_marker(annotation))
    words = _WORDS.get(name, f"can't parse {name} JSON object")

    def check(value: Any) -> Any:
        try:
            adapter.validate_python(_with_attached(value) if name == "media" else value)
        except ValidationError as error:
            raise bad_request(words) from error
        return _without_nulls(value)

    def parse(text: str) -> Any:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise bad_request(words) from error
        return check(value)

    parse_once = lru_cache(maxsize=512)(parse)

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return check(value)
        if not value:
            return None
        return parse_once(value) if len(value) <= _CACHED_LENGTH else parse(value)

    return read


def _reader(name: str, annotation: Any) -> Reader:
    variants = _variants(annotation)
    if variants == {bool}:
        return _boolean
    if variants == {str} or variants <= {str, InputFile}:
        return _string
    if variants == {int} or variants <= {int, datetime, timedelta}:
        return _integer(name)
    if variants <= {float, int}:
        return _number(name)
    if variants == {int, str}:
        return _address
    return _structure(name, annotation)


_EXTRA_INTEGERS = ("reply_to_message_id",)
_EXTRA_BOOLEANS = ("allow_sending_without_reply", "disable_web_page_preview")


@cache
def readers(method: str) -> dict[str, Reader]:
    """How to read each parameter of ``method`` (lower case, known)."""
    fields = METHODS[method].model_fields
    found = {name: _reader(name, field.annotation) for name, field in fields.items()}
    for name in _EXTRA_INTEGERS:
        found.setdefault(name, _integer(name))
    for name in _EXTRA_BOOLEANS:
        found.setdefault(name, _boolean)
    return found


def read_params(method: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Checked values of the parameters that ``method`` knows. Shared structures: do not change them in place.

    Raises ``ApiError`` 400 for a value that cannot be what the parameter must be.
    """
    known = readers(method)
    params = {}
    for name, value in raw.items():
        reader = known.get(name)
        if reader is not None and value is not None:
            params[name] = reader(value)
    return params


def check_params(method: str, params: dict[str, Any]) -> None:
    """The strict check: aiogram's whole method class must accept the parameters."""
    try:
        METHODS[method].model_validate(_with_attached(params))
    except ValidationError as error:
        raise ApiError(500, f"Internal Server Error: the parameters of {method} do not fit: {error}") from error


@cache
def _answer_adapter(method: str) -> TypeAdapter[Any]:
    return TypeAdapter(METHODS[method].__returning__)


def check_answer(method: str, result: Any) -> None:
    """The strict check of an answer's shape. Raises ``ApiError`` 500, which only a mistake in the simulator causes."""
    try:
        _answer_adapter(method).validate_python(result)
    except ValidationError as error:
        raise ApiError(500, f"Internal Server Error: the answer to {method} does not fit: {error}") from error
