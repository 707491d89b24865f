"""``legato actions``: as a process, where it listens and how it ends; and what it says when it cannot begin."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bot.telemetry
from bot.assistants import STARTER
from bot.cli import main
from bot.commands.actions import HOST, PORT
from tests.bot.flows.servers import ROOT, free_port

TOKEN = "swordfish-swordfish"
Refused = Callable[..., str]
COMMAND = [sys.executable, "-c", "from bot.cli import main; main()", "actions"]


def environment(**settings: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LEGATO_")}
    settings.setdefault("ASSISTANT", str(STARTER))
    return {**plain, "PYTHONPATH": str(ROOT), **{f"LEGATO_{name}": value for name, value in settings.items()}}


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Refused:
    """What the command says where it does not begin; run in this process, whose logging it leaves alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bot.telemetry, "set_up_logging", lambda settings: None)

    def refused(*arguments: str, **settings: str) -> str:
        for name in [name for name in os.environ if name.startswith("LEGATO_")]:
            monkeypatch.delenv(name)
        for name, value in environment(**settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["legato", "actions", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        return " ".join(capsys.readouterr().err.split())

    return refused


def test_it_serves_this_machine_until_it_is_told_to_end(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    settings = environment(DATABASE_URL=database_url, ACTIONS_TOKEN=TOKEN)
    with subprocess.Popen([*COMMAND, "--port", str(port)], cwd=tmp_path, env=settings, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            begun = server.stderr.readline()
            assert (HOST, PORT) == ("127.0.0.1", 5055)
            with pytest.raises(OSError), socket.create_connection((_other_address(), port), timeout=5):
                pass
            call = {
                "next_action": "action_recall",
                "sender_id": "telegram:501",
                "tracker": {"sender_id": "telegram:501", "slots": {}, "events": []},
            }
            assert post(port, call) == 401
            assert post(port, call, TOKEN) == {"events": [], "responses": []}
        finally:
            server.send_signal(signal.SIGTERM)
            _, said = server.communicate(timeout=30)
    assert server.returncode == 0
    assert f"actions are served at http://127.0.0.1:{port}/webhook" in begun
    assert TOKEN not in begun + said


def post(port: int, call: dict[str, Any], token: str = "") -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/webhook", json.dumps(call).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return error.code


def _other_address() -> str:
    """An address of this machine that is not 127.0.0.1: a server for all addresses answers there too."""
    return "127.0.0.2"


def test_a_wrong_database_is_told_at_once(refused: Refused, tmp_path: Path) -> None:
    assert "legato migrate" in refused(DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}")
    assert "LEGATO_DATABASE_URL" in refused(DATABASE_URL="mysql://x")


def test_other_addresses_need_a_token(refused: Refused) -> None:
    assert "LEGATO_ACTIONS_TOKEN is not set" in refused("--host", "0.0.0.0")


def test_a_port_that_is_taken_is_named(refused: Refused, sqlite_database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port} cannot be listened on" in refused("--port", port, DATABASE_URL=sqlite_database_url)
