"""aiogram, imported without building every model's validator at once; pydantic builds each at its first use (``defer_build``).

aiogram calls ``model_rebuild`` on every model when it is imported, to tell each one the names that its annotations use. Here that call only
leaves the names with the model, where pydantic looks for them when the model is first used. Where aiogram has been imported before, or this
pydantic has other insides, nothing is changed and all works as always, only slower to start.
"""

from __future__ import annotations

import sys
from typing import Any

from pydantic import BaseModel


def _import_aiogram() -> None:
    try:
        from pydantic._internal._model_construction import build_lenient_weakvaluedict
    except ImportError:
        return
    names: dict[str, Any] = {}
    rebuild = BaseModel.__dict__["model_rebuild"]

    def leave_names(cls: type[BaseModel], /, *, _types_namespace: dict[str, Any] | None = None, **options: Any) -> bool | None:
        if _types_namespace is None:
            return rebuild.__func__(cls, **options)  # type: ignore[no-any-return]
        names.update(_types_namespace)
        return None

    BaseModel.model_rebuild = classmethod(leave_names)  # type: ignore[assignment]
    try:
        import aiogram.methods
        import aiogram.types
        from aiogram.methods.base import Response
        from aiogram.types.base import TelegramObject
    finally:
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]
    if not names:
        return
    left = build_lenient_weakvaluedict(names)
    models: list[type[BaseModel]] = [TelegramObject, aiogram.methods.TelegramMethod, Response]
    while models:
        model = models.pop()
        model.__pydantic_parent_namespace__ = left
        models += model.__subclasses__()


if "aiogram.types" not in sys.modules:
    _import_aiogram()
