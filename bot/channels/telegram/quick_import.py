"""aiogram, imported without building every model's validator at once; pydantic builds each at its first use (``defer_build``).

aiogram calls ``model_rebuild`` on every model when it is imported, to tell each one the names that its annotations use. Here that call only
notes the names; the annotations are then resolved with them, which is quick, and the validators wait. Where aiogram has been imported
before, or this pydantic has other insides, all is as aiogram has it, only slower to start.
"""

from __future__ import annotations

import sys
from typing import Any

from pydantic import BaseModel


def _import_aiogram() -> None:
    try:
        from pydantic._internal._config import ConfigWrapper
        from pydantic._internal._fields import rebuild_model_fields
        from pydantic._internal._model_construction import build_lenient_weakvaluedict
        from pydantic._internal._namespace_utils import NsResolver
    except ImportError:
        return
    names: dict[str, Any] = {}
    rebuild = BaseModel.__dict__["model_rebuild"]

    def note_names(cls: type[BaseModel], /, *, _types_namespace: dict[str, Any] | None = None, **options: Any) -> bool | None:
        if _types_namespace is None:
            return rebuild.__func__(cls, **options)  # type: ignore[no-any-return]
        names.update(_types_namespace)
        return None

    BaseModel.model_rebuild = classmethod(note_names)  # type: ignore[assignment]
    try:
        import aiogram.methods
        import aiogram.types
        from aiogram.types.base import TelegramObject
    finally:
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]
    resolver = NsResolver(parent_namespace=names)
    parents = build_lenient_weakvaluedict(names)
    models: list[type[BaseModel]] = [TelegramObject, aiogram.methods.TelegramMethod]
    while models:
        model = models.pop()
        models += model.__subclasses__()
        model.__pydantic_parent_namespace__ = parents
        model.__pydantic_fields__, model.__pydantic_extra_info__ = rebuild_model_fields(
            model, config_wrapper=ConfigWrapper(model.model_config, check=False), ns_resolver=resolver, typevars_map={}
        )


if "aiogram.types" not in sys.modules:
    _import_aiogram()
