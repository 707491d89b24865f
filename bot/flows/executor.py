"""rasa-sdk's executor with our actions in it, and one call answered as its action server answers it.

Importing this imports rasa-sdk, which costs a start more than all the rest of a command; so it is imported where an action runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import inspect
import json
import logging
import pkgutil
import threading
import traceback
from collections.abc import Callable, Mapping
from contextvars import copy_context
from pathlib import Path
from typing import Any

from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionMissingDomainException, ActionNotFoundException
from rasa_sdk.utils import all_subclasses

from memory.errors import LegatoError, SettingsError

logger = logging.getLogger(__name__)

PACKAGES = ("actions",)

THREADS = 32
"""How many actions whose ``run`` is a plain function may be under way at a time. A thread cannot be stopped, so there is an end to them."""

FRAMES = 3
"""How many places of a traceback the log names."""

FAILED = "the action failed; the log of the server says where"

for _name in ("rasa_sdk.executor", "rasa_sdk.interfaces"):  # at INFO and DEBUG they write slots' names and events with their values
    logging.getLogger(_name).setLevel(logging.WARNING)


class Executor(ActionExecutor):  # type: ignore[misc]
    """rasa-sdk's, with three differences: it keeps nothing from one call to the next, save for a Rasa that sends digests; it needs no
    domain; and a plain function waits in a thread of its own, so that it keeps nobody else waiting."""

    def __init__(self) -> None:
        super().__init__()
        self._free = threading.BoundedSemaphore(THREADS)

    def register_function(self, action_name: str, f: Callable[..., Any]) -> None:
        """Register ``f``, which takes the dispatcher, the tracker and the domain."""
        super().register_function(action_name, f if inspect.iscoroutinefunction(f) else self._in_thread(f))

    def update_and_return_domain(self, payload: dict[str, Any], action_name: str) -> Any:
        """The domain of this call, which :func:`answer` has put there. A Rasa that sends a digest in its place is told that it is
        missing, and sends it then."""
        return super().update_and_return_domain(payload, action_name) if payload.get("domain_digest") else payload["domain"]

    def _in_thread(self, f: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(f)
        async def run(*arguments: Any) -> Any:
            if not self._free.acquire(blocking=False):
                raise RuntimeError("all threads are taken by actions that have not come back")
            loop, context = asyncio.get_running_loop(), copy_context()
            ended: asyncio.Future[Any] = loop.create_future()

            def settle(value: Any, error: BaseException | None) -> None:
                if not ended.done():
                    ended.set_result(value) if error is None else ended.set_exception(error)

            def work() -> None:
                value: Any = None
                error: BaseException | None = None
                try:
                    value = context.run(f, *arguments)
                except (StopIteration, SystemExit):  # neither can be raised where it is waited for
                    error = RuntimeError("it ended itself")
                except BaseException as raised:
                    error = raised
                finally:
                    self._free.release()
                with contextlib.suppress(RuntimeError):  # the loop has ended before it
                    loop.call_soon_threadsafe(settle, value, error)

            # A daemon, as a process that is to end must not wait for it.
            threading.Thread(target=work, name="an action", daemon=True).start()
            value = await ended
            return await value if inspect.isawaitable(value) else value

        return run


def find_actions(packages: tuple[str, ...] = PACKAGES) -> Executor:
    """Import these packages and register every action in them; the same executor each time.

    Raises :class:`SettingsError` where a module cannot be imported, or where two actions have one name.
    """
    with _finding:
        return _found(packages)


_finding = threading.Lock()


@functools.cache
def _found(packages: tuple[str, ...]) -> Executor:
    for package in packages:
        _import_all(package)
    executor = Executor()
    by_name: dict[str, type[Action]] = {}
    for kind in all_subclasses(Action):
        # rasa-sdk knows every subclass that anybody has imported; ours are those that stand in these packages.
        if inspect.isabstract(kind) or not kind.__module__.startswith(tuple(f"{package}." for package in packages)):
            continue
        name = kind().name()
        if by_name.setdefault(name, kind) is not kind:
            raise SettingsError(f"{kind.__module__} and {by_name[name].__module__} both have an action that is called {name}")
        executor.register_action(kind)
    return executor


def _import_all(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except Exception as error:
        raise SettingsError(f"the actions in {name} cannot be imported: {type(error).__name__}: {error}") from error
    for _, inner, is_package in pkgutil.iter_modules(getattr(module, "__path__", ()), prefix=f"{name}."):
        if is_package:
            _import_all(inner)
        elif not inner.endswith(".__main__"):
            _import_module(inner)


def _import_module(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception as error:
        raise SettingsError(f"the actions in {name} cannot be imported: {type(error).__name__}: {error}") from error


async def answer(executor: Executor, call: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
    """Run the action that ``call`` names: the status and the JSON body of an action server's answer. Never raises for an action's fault.

    200 has ``events`` and ``responses``, 400 says that the action refuses to run, 404 that there is none of this name, 449 that the
    domain is missing, 500 that it failed. Unlike rasa-sdk's own, no body and no log has anything of the call in it but the action's name.
    ``more`` are keys that a domain gets where it has none of this name.
    """
    name = call.get("next_action")
    if not isinstance(name, str) or not isinstance(call.get("tracker"), dict):
        return 400, _json({"error": "a call needs next_action and tracker", "action_name": ""})
    try:
        result = await executor.run(_with_domain(call, more or {}))
        assert result is not None
    except ActionExecutionRejection:
        return 400, _json({"error": "the action refuses to run", "action_name": name})
    except ActionNotFoundException:
        logger.error("there is no action %.60r: see the name in the flow and in the domain", name)
        return 404, _json({"error": "there is no such action", "action_name": name})
    except ActionMissingDomainException:
        return 449, _json({"error": "the domain is missing: send it along", "action_name": name})
    except LegatoError as error:  # its text is written for people, and has nothing of customers in it
        logger.error("action %s failed: %s", name, error)
        return 500, _json({"error": str(error), "action_name": name})
    except (Exception, SystemExit) as error:
        logger.error("action %s failed: %s at %s", name, type(error).__name__, _places(error))
        return 500, _json({"error": FAILED, "action_name": name})
    try:
        return 200, _json({"events": result.events, "responses": result.responses})
    except (TypeError, ValueError, RecursionError) as error:
        logger.error("action %s failed: what it gives is no JSON (%s); a date, say, has to be a text", name, type(error).__name__)
        return 500, _json({"error": FAILED, "action_name": name})


def _with_domain(call: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The call with a domain. Rasa 3.6 with ``enable_selective_domain`` sends none: what an action asks of it, which slots there are,
    stands in the tracker as well."""
    domain = call.get("domain")
    if not domain:
        if call.get("domain_digest"):
            return dict(call)
        domain = {"slots": {name: {"type": "any"} for name in call["tracker"].get("slots") or {}}}
    return {**call, "domain": {**more, **domain}}


def _json(body: Any) -> bytes:
    """Strict JSON. Raises ``TypeError`` or ``ValueError`` for what is none, such as a date in a slot."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _places(error: BaseException) -> str:
    """Where it was raised, innermost first. The error's own text is left out: it often holds what a customer wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
