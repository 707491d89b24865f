"""Statements are compiled once in a process, as in an installation, and not once for each of the thousand databases that tests open."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

AT_MOST = 4_000
"""Statements that are kept; the product has some hundreds."""


class _Shared(dict[Any, Any]):
    """SQLAlchemy's cache of compiled statements, for all engines of one kind: its keys begin with the engine's own dialect object."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_alike(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        if len(self) >= AT_MOST:
            self.clear()
        super().__setitem__(_alike(key), compiled)


def _alike(key: Any) -> Any:
    dialect, *rest = key
    return (type(dialect), dialect.paramstyle, dialect._json_serializer, dialect._json_deserializer, *rest)


_shared = _Shared()


def _get(engine: sa.Engine) -> _Shared | None:
    return None if engine.__dict__.get("_compiles_always") else _shared


def _set(engine: sa.Engine, cache: Any) -> None:
    engine.__dict__["_compiles_always"] = cache is None


def compile_once() -> None:
    """Have every engine that is made from now on use one cache, unless it was told to use none."""
    sa.Engine._compiled_cache = property(_get, _set)  # type: ignore[assignment]
