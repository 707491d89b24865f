"""Action servers for tests: ours in this process, and rasa-sdk's own in one of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from bot.flows.executor import find_actions
from bot.web.actions import actions_app
from bot.web.playground import serve_app

DOUBLES = "tests.bot.flows.doubles"
ROOT = Path(__file__).parents[3]
STARTS_WITHIN_S = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextlib.asynccontextmanager
async def our_server(token: str | None = None) -> AsyncIterator[str]:
    """Our action server with the doubles; its address."""
    async with serve_app(actions_app(find_actions((DOUBLES,)), token=token)) as url:
        yield url


@contextlib.contextmanager
def rasa_sdk_server() -> Iterator[str]:
    """rasa-sdk's own action server with the doubles, as its documentation starts it; its address."""
    port = free_port()
    arguments = [sys.executable, "-m", "rasa_sdk", "--actions", DOUBLES, "--port", str(port)]
    environment = {**os.environ, "SANIC_HOST": "127.0.0.1", "PYTHONPATH": str(ROOT)}
    nowhere: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(arguments, env=environment, start_new_session=True, **nowhere) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            end_now(server.pid)


def end_now(pid: int) -> None:
    """End a server that was started in a session of its own, with its workers: told to end, rasa-sdk's takes seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Return when the server answers, which says nothing when it is ready; fails where it ends before."""
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
            raise AssertionError("the server has ended")
    raise AssertionError("the server does not answer")
