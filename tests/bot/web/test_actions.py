"""The action server over real HTTP, called as Rasa 3.6 calls it (``rasa.core.actions.action.RemoteAction``), and as somebody else might."""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actions.shared import lend
from bot.flows.executor import PACKAGES, find_actions
from bot.web.actions import KNOWN_TO_RASA, MAX_BODY_BYTES, actions_app
from bot.web.playground import serve_app
from memory.clock import ManualClock
from memory.customers import Profile, find_or_make
from memory.database import Database
from memory.errors import SettingsError
from tests.bot.flows.servers import DOUBLES, our_server
from tests.pipes import pipe_at

TOKEN = "swordfish-swordfish"
WORDS = "my-pin-is-4711"


def call_of(action: str, *, domain: bool = True, **slots: Any) -> dict[str, Any]:
    """What Rasa 3.6.21 posts, in short."""
    message = {"intent": {"name": "greet", "confidence": 0.99}, "entities": [], "text": WORDS, "message_id": "abc", "metadata": {}}
    call: dict[str, Any] = {
        "next_action": action,
        "sender_id": "telegram:501",
        "tracker": {
            "sender_id": "telegram:501",
            "slots": {"requested_slot": None, **slots},
            "latest_message": message,
            "latest_event_time": 1.5,
            "followup_action": None,
            "paused": False,
            "events": [{"event": "action", "name": "action_listen", "timestamp": 1.0}, {"event": "user", "text": WORDS, "timestamp": 1.5}],
            "latest_input_channel": "rest",
            "active_loop": {},
            "latest_action": {"action_name": "action_listen"},
            "latest_action_name": "action_listen",
        },
        "version": "3.6.21",
    }
    if domain:
        call["domain"] = {"version": "3.1", "slots": {name: {"type": "any"} for name in slots}, "responses": {}, "actions": [action]}
    return call


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http: aiohttp.ClientSession, url: str, call: Any, **about: Any) -> tuple[int, Any]:
    async with http.post(f"{url}/webhook", **({"json": call} if not isinstance(call, bytes) else {"data": call}), **about) as response:
        assert "access-control-allow-origin" not in response.headers
        return response.status, json.loads(await response.read())


async def test_a_call_of_rasa_is_answered(http: aiohttp.ClientSession) -> None:
    async with our_server() as url:
        status, said = await post(http, url, call_of("action_sets_slots", amount=1))
    assert status == 200
    assert [(one["event"], one["name"], one["value"]) for one in said["events"]][-1] == ("slot", "amount", 13)
    assert said["responses"] == []


async def test_no_domain_is_needed(http: aiohttp.ClientSession) -> None:
    """``enable_selective_domain``: rasa-sdk's own server answers 449 to every such call, and Rasa 3.6 then gives the turn up."""
    async with our_server() as url:
        status, said = await post(http, url, call_of("action_tells_tracker", domain=False, amount=1))
        assert status == 200
        assert next(one["value"] for one in said["events"] if one["name"] == "domain") == {
            "slots": {"requested_slot": {"type": "any"}, "amount": {"type": "any"}}
        }


async def test_a_rasa_that_knows_digests_is_told_when_the_domain_is_missing(http: aiohttp.ClientSession) -> None:
    async with our_server() as url:
        call = call_of("action_tells_tracker", domain=False) | {"domain_digest": "d1"}
        assert (await post(http, url, call))[0] == 449
        assert (await post(http, url, call | {"domain": {"slots": {"first": {}}}}))[0] == 200
        status, said = await post(http, url, call)
    assert (status, [one["value"] for one in said["events"] if one["name"] == "domain"]) == (200, [{"slots": {"first": {}}}])


async def test_events_that_rasa_does_not_know_are_left_out_and_told_once(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with our_server() as url:
        for _ in range(2):
            status, said = await post(http, url, call_of("action_ends"))
            assert (status, [one["event"] for one in said["events"]]) == (200, ["undo", "slot"])
    assert [line for line in caplog.messages if "session_ended" in line] == [
        "events of the kind 'session_ended' are left out: Rasa 3.6 does not know them, and would refuse the whole answer"
    ]
    assert {"slot", "undo"} < KNOWN_TO_RASA


@pytest.mark.parametrize("action", ["action_fails", "action_plain_fails", "action_sets_a_date", "action_exits"])
async def test_a_failure_tells_nothing_of_the_call(action: str, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with our_server() as url:
        status, said = await post(http, url, call_of(action))
    assert (status, said) == (500, {"error": "the action failed; the log of the server says where", "action_name": action})
    assert f"action {action} failed" in caplog.text
    assert WORDS not in caplog.text
    assert "telegram:501" not in caplog.text


async def test_a_rejection_names_its_action_as_rasa_reads_it(http: aiohttp.ClientSession) -> None:
    async with our_server() as url:
        status, said = await post(http, url, call_of("action_refuses"))
    assert (status, said) == (400, {"error": "the action refuses to run", "action_name": "action_refuses"})


@pytest.mark.parametrize("call", [{}, {"next_action": "action_says"}, {"next_action": 3, "tracker": {}}, [], b"{", b"", b"\xff"])
async def test_what_is_no_call_is_told_so(call: Any, http: aiohttp.ClientSession) -> None:
    async with our_server() as url:
        status, said = await post(http, url, call)
        assert (status, said["action_name"]) == (400, "")
        status, said = await post(http, url, {"next_action": "action_says", "tracker": {}, "sender_id": "x"})
        assert status == 500
        assert (await post(http, url, call_of("action_unheard_of")))[0] == 404


async def test_a_packed_call_is_read(http: aiohttp.ClientSession) -> None:
    """``COMPRESS_ACTION_SERVER_REQUEST``: aiohttp packs with zlib and says deflate."""
    async with our_server() as url:
        assert (await post(http, url, call_of("action_sets_slots"), compress="deflate"))[0] == 200
        headers = {"Content-Encoding": "deflate"}
        packed = zlib.compress(json.dumps(call_of("action_sets_slots")).encode())
        assert (await post(http, url, packed[:-6], headers=headers))[0] == 400
        assert (await post(http, url, b"no zlib", headers=headers))[0] == 400
        assert (await post(http, url, zlib.compress(b" " * (MAX_BODY_BYTES + 1)), headers=headers))[0] == 413


async def test_a_body_that_is_too_large_is_refused(http: aiohttp.ClientSession) -> None:
    async with our_server() as url:
        assert (await post(http, url, b" " * (MAX_BODY_BYTES + 1)))[0] == 413


async def test_only_who_knows_the_token_is_served(http: aiohttp.ClientSession) -> None:
    """Rasa's endpoint sends its ``token`` as ``?token=``, and what stands under ``headers`` as headers."""
    call = call_of("action_sets_slots")
    async with our_server(token=TOKEN) as url:
        for about in (
            {},
            {"params": {"token": "x"}},
            {"headers": {"Authorization": "Bearer x"}},
            {"headers": {"Authorization": f"Basic {TOKEN}"}},
        ):
            assert (await post(http, url, call, **about))[0] == 401
        assert (await post(http, url, call, params={"token": "x"}, headers={"Authorization": f"Bearer {TOKEN}"}))[0] == 200
        assert (await post(http, url, call, params={"token": TOKEN}))[0] == 200
        async with http.get(f"{url}/actions") as response:
            assert response.status == 401
        async with http.get(f"{url}/actions", params={"token": TOKEN}) as response:
            assert {"name": "action_says"} in await response.json()
        async with http.get(f"{url}/health") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_a_page_in_a_browser_is_refused(http: aiohttp.ClientSession) -> None:
    async with our_server() as url:
        assert (await post(http, url, call_of("action_sets_slots"), headers={"Origin": "https://example.com"}))[0] == 403


async def test_a_call_ends_after_its_time_and_when_its_caller_has_gone(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with serve_app(actions_app(find_actions((DOUBLES,)), limit_s=0.3)) as url, pipe_at(tmp_path / "late") as late:
        status, said = await post(http, url, call_of("action_notes_its_end", book=str(tmp_path / "late")))
        assert (status, said["action_name"]) == (504, "action_notes_its_end")
        await late.says("begun ended")
    async with our_server() as url, pipe_at(tmp_path / "gone") as gone:
        calling = asyncio.create_task(post(http, url, call_of("action_notes_its_end", book=str(tmp_path / "gone"))))
        await gone.says("begun ")
        calling.cancel()
        await gone.says("ended")


async def test_our_own_actions_work_on_the_memory_that_is_lent(http: aiohttp.ClientSession, database: Database, clock: ManualClock) -> None:
    await database.write(lambda tx: find_or_make(tx, "telegram", [Profile("501", "Ann Lee")], at=clock.now()))
    app = actions_app(find_actions(), lend=partial(lend, database, clock))
    async with serve_app(app) as url:
        for domain in (True, False):
            status, said = await post(http, url, call_of("action_recall", domain=domain, customer_name=None, handoff_open=None))
            slots = {one["name"]: one["value"] for one in said["events"]}
            assert (status, slots["customer_name"], slots["handoff_open"]) == (200, "Ann Lee", False)


def test_each_action_of_ours_has_a_name_of_its_own_and_is_found_once() -> None:
    assert "action_recall" in find_actions().actions
    assert find_actions(PACKAGES) is find_actions()
    assert not [name for name in find_actions().actions if name in find_actions((DOUBLES,)).actions]


def test_two_actions_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "twins"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("first", "second"):
        (package / f"{name}.py").write_text(
            "from rasa_sdk import Action\n\nclass Twin(Action):\n    def name(self): return 'action_twin'\n"
            "    async def run(self, dispatcher, tracker, domain): return []\n"
        )
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").write_text("import no_such_module\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SettingsError, match="action_twin"):
        find_actions(("twins",))
    with pytest.raises(SettingsError, match="no_such_module"):
        find_actions(("broken",))
