"""rasa-sdk's own action server with our actions in it, as an operator starts it: over HTTP, with settings from the environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actions.records.sample.everybody import nth_code
from actions.records.sample.store import SampleRecords
from actions.records.serve import records_app
from memory.clock import SystemClock
from memory.customers import Profile, find_or_make
from memory.database import Database
from tests.actions.records.serving import serving
from tests.bot.flows.servers import end_now

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"


@pytest.fixture
async def served(sqlite_database: Database, sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an action server, whose records are behind HTTP too."""
    clock = SystemClock()
    await sqlite_database.write(lambda tx: find_or_make(tx, "telegram", [Profile("501")], at=clock.now()))
    sample = SampleRecords(tmp_path / "records.db", clock)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with serving(records_app(sample, TOKEN)) as records:
        environment = {
            **os.environ,
            "LEGATO_DATABASE_URL": sqlite_database_url,
            "LEGATO_RECORDS": records,
            "LEGATO_RECORDS_TOKEN": TOKEN,
            "SANIC_HOST": "127.0.0.1",
            "PYTHONPATH": str(ROOT),
        }
        server = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rasa_sdk",
            "--actions",
            "actions",
            "--port",
            str(port),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            await _up(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            end_now(server.pid)
            await server.wait()


async def _up(address: str, server: asyncio.subprocess.Process) -> None:
    """Return when it answers, which says nothing when it is ready; fails where it ends before."""
    ended = asyncio.ensure_future(server.wait())
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while not ended.done():
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{address}/health") as response:
                    assert response.status == 200
                    ended.cancel()
                    return
            await asyncio.wait([ended], timeout=0.05)
    pytest.fail("the server has ended")


async def test_a_customer_is_proven_and_served_over_http(served: str) -> None:
    async with aiohttp.ClientSession() as session:

        async def run(action: str, turn: int, **slots: Any) -> dict[str, Any]:
            message = {"message_id": f"m{turn}"}  # as a foreign Rasa server says it
            tracker = {"sender_id": "telegram:501", "slots": slots, "latest_message": message, "events": []}
            names = ("action_failed", "failed_reason", "code_ok", "balance", "code_sent_to")
            body = {
                "next_action": action,
                "sender_id": "telegram:501",
                "tracker": tracker,
                "domain": {"slots": {name: {"type": "any"} for name in names}},
            }
            async with session.post(f"{served}/webhook", json=body) as response:
                assert response.status == 200, await response.text()
                said = await response.json()
            return {event["name"]: event["value"] for event in said["events"]} | {"says": [one["response"] for one in said["responses"]]}

        listed = {one["name"] for one in await (await session.get(f"{served}/actions")).json()}
        assert {"action_recall", "action_block_card", "action_claim_status", "action_bills", "action_handoff"} <= listed

        assert (await run("action_balance", 1))["action_failed"] == "not_proven"
        sent = await run("action_send_code", 2, account_number="31508824")
        assert (sent["code_sent_to"], sent["says"]) == ("…02", ["utter_code_sent"])
        checked = await run("action_check_code", 3, account_number="31508824", code=nth_code("N1002", 1))
        assert (checked["action_failed"], checked["code_ok"]) == (None, True)
        assert (await run("action_balance", 4))["balance"] == "£640.20"
        blocked = [await run("action_block_card", 5) for _ in range(2)]
        assert [one["says"] for one in blocked] == [["utter_card_blocked"], ["utter_card_blocked"]]
        assert (await run("action_block_card", 6))["says"] == ["utter_card_already_blocked"]
