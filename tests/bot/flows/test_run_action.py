"""Running actions: the same whether they run here, on our action server, or on rasa-sdk's own, over real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from actions.records.connect import open_records
from actions.shared import lend, shared_clock, shared_database
from bot.assistants import STARTER
from bot.flows.actions import Called, Done, Uttered
from bot.flows.executor import find_actions
from bot.flows.model import Action, Domain, Slot
from bot.flows.run_action import InProcess, OverHttp, Runner, _Runner, make_runner, webhook_of
from bot.flows.tracker import domain_of, tracker_of
from bot.qa.play import play_on
from bot.qa.read import read_script
from bot.web.actions import actions_app
from bot.web.playground import serve_app
from memory.clock import ManualClock, SystemClock
from memory.database import Database
from tests.bot.flows.servers import DOUBLES, free_port, our_server, rasa_sdk_server
from tests.pipes import let_through

SECRET_WORDS = "my-pin-is-4711"

SLOTS = {
    "amount": Slot("amount", "float", initial=0),
    "card": Slot("card", entities=("card",)),
    "lines": Slot("lines", "list"),
    "phone": Slot("phone", fact=True),
    "gate": Slot("gate"),
    "book": Slot("book"),
    "size": Slot("size", "categorical", values=("small", "large")),
    "age": Slot("age", "float", low=18, high=120),
}
DOMAIN = Domain(frozenset({"lose_card"}), frozenset({"card"}), SLOTS, {"action_says": Action("action_says")})
CALLED = Called(
    "action_says",
    turn_id=7,
    call=2,
    sender="telegram:501",
    slots={"lines": ["a"], "phone": "+441"},
    text=SECRET_WORDS,
    intent="lose_card",
    entities={"card": ["1234", "5678"]},
    flow="cards",
    proof="confirmed",
)

Make = Callable[..., Awaitable[Runner]]


class _Nowhere(_Runner):
    """A kind of runner that does not say where an action is run."""


def test_what_does_not_say_where_actions_run_is_no_runner(clock: ManualClock) -> None:
    with pytest.raises(TypeError, match="_run"):
        _Nowhere(DOMAIN, clock=clock, timeout_s=1)  # type: ignore[abstract]


@pytest.fixture(scope="module")
def stock_url() -> Iterator[str]:
    with rasa_sdk_server() as url:
        yield url


@pytest.fixture(params=["here", "our server", "rasa-sdk's server"])
async def make(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[Make]:
    """Makes a runner of this kind."""
    async with contextlib.AsyncExitStack() as stack:
        if request.param == "our server":
            url = await stack.enter_async_context(our_server())
        elif request.param != "here":
            url = request.getfixturevalue("stock_url")

        async def made(timeout_s: float = 20.0, **about: Any) -> Runner:
            runner: Runner
            if request.param == "here":
                runner = InProcess(DOMAIN, clock=clock, timeout_s=timeout_s, packages=(DOUBLES,), **about)
            else:
                runner = OverHttp(DOMAIN, clock=clock, timeout_s=timeout_s, url=url, **about)
            stack.push_async_callback(runner.close)
            return runner

        yield made


async def run(make: Make, action: str, **changes: Any) -> Done:
    return await (await make())(replace(CALLED, action=action, **changes))


async def test_slots_are_set_and_the_last_value_of_one_counts(make: Make) -> None:
    assert await run(make, "action_sets_slots") == Done(slots={"amount": 13, "lines": ["a", {"b": None}]})


async def test_replies_are_said_in_order_by_name_or_as_text_with_buttons(make: Make) -> None:
    assert (await run(make, "action_says")).says == (
        Uttered("utter_sent", {"amount": "£5.00", "payee": "Ann"}),
        Uttered(None, {}, "Which <one>?", (("First", "/one"),)),
        Uttered(None, {}, "In its place"),
        Uttered(None, {}, "https://example.com/a.png"),
    )


async def test_a_person_is_asked_for(make: Make) -> None:
    assert await run(make, "action_asks") == Done(slots={"amount": 1}, handoff="fraud")
    assert await run(make, "action_asks_with_note") == Done(handoff="asked", queue="cards", note="Look at the date")


async def test_a_reset_gives_slots_their_first_values_but_not_to_facts(make: Make) -> None:
    assert (await run(make, "action_resets")).slots == {name: None for name in SLOTS if name != "phone"} | {"amount": 0, "card": "1234"}


async def test_a_reply_may_follow_and_an_action_may_not(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    assert (await run(make, "action_follows_with_reply")).says == (Uttered(None, {}, "First"), Uttered("utter_after"))
    assert caplog.messages == []

    assert await run(make, "action_follows_with_action") == Done(slots={"amount": 1})
    assert caplog.messages == [
        "action action_follows_with_action wants 'action_sets_slots' to follow, which is not run: make it the next step of the flow, "
        "with a condition on a slot"
    ]


async def test_events_that_mean_nothing_are_told_to_the_log_once(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    runner = await make()
    for _ in range(3):
        assert await runner(replace(CALLED, action="action_ends")) == Done(slots={"amount": 1})

    assert sorted(line.split("kind ")[1].split()[0] for line in caplog.messages) == ["'session_ended'", "'undo'"]


async def test_an_action_that_gives_nothing_has_done_its_work(make: Make) -> None:
    assert await run(make, "action_nothing") == Done()


@pytest.mark.parametrize(
    ("action", "failed"),
    [
        ("action_refuses", "refused"),
        ("action_fails", "error"),
        ("action_plain_fails", "error"),
        ("action_sets_a_date", "error"),
        ("action_unheard_of", "unavailable"),
    ],
)
async def test_a_failure_has_one_name_and_the_log_has_nothing_of_the_customer(
    action: str, failed: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert await run(make, action) == Done(failed=failed)

    ours = [line for line in caplog.messages if action in line]
    assert bool(ours) is (failed != "refused")
    assert not [line for line in caplog.messages if SECRET_WORDS in line or "telegram:501" in line or "+441" in line]


async def test_what_takes_too_long_is_not_waited_for(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    runner = await make(timeout_s=0.05)
    for action in ("action_waits", "action_heeds_nothing"):
        assert await asyncio.wait_for(runner(replace(CALLED, action=action)), 10) == Done(failed="timeout")
        assert caplog.messages.pop() == f"action {action} did not answer within 0.05 s"


async def test_the_tracker_and_the_domain_are_those_of_rasa(make: Make, clock: ManualClock) -> None:
    runner = await make(replies=["utter_sent", "utter_after"], more={"legato": {"facts": []}})
    seen = (await runner(replace(CALLED, action="action_tells_tracker"))).slots
    tracker, domain, message = seen["tracker"], seen["domain"], seen["tracker"]["latest_message"]

    assert tracker["sender_id"] == "telegram:501"
    assert tracker["slots"] == dict.fromkeys(SLOTS) | {"amount": 0, "lines": ["a"], "phone": "+441"}
    assert (message["text"], message["intent"]["name"], tracker["intent"]) == (SECRET_WORDS, "lose_card", "lose_card")
    assert [(one["entity"], one["value"]) for one in message["entities"]] == [("card", "1234"), ("card", "5678")]
    assert tracker["entity"] == "1234"
    assert message["metadata"] == {"turn_id": 7, "call": 2, "proof": "confirmed", "flow": "cards"}
    assert (tracker["latest_input_channel"], tracker["latest_event_time"]) == ("telegram", clock.now().timestamp())
    assert (tracker["active_loop"], tracker["paused"], tracker["followup_action"]) == ({}, False, None)
    assert [event["event"] for event in tracker["events"]] == ["action", "user"]

    assert domain["intents"] == ["lose_card"]
    assert domain["slots"]["size"]["values"] == ["small", "large"]
    assert (domain["slots"]["age"]["min_value"], domain["slots"]["age"]["max_value"]) == (18, 120)
    assert domain["slots"]["card"]["mappings"] == [{"type": "from_entity", "entity": "card"}]
    assert (sorted(domain["responses"]), domain["actions"], domain["legato"]) == (
        ["utter_after", "utter_sent"],
        ["action_says"],
        {"facts": []},
    )


async def test_an_action_can_change_nothing_of_ours(make: Make) -> None:
    runner = await make()
    for _ in range(2):
        assert (await runner(replace(CALLED, action="action_changes_what_it_gets"))).slots == {"lines": ["a", "changed"]}
    assert CALLED.slots["lines"] == ["a"]
    assert len((await runner(replace(CALLED, action="action_tells_tracker"))).slots["domain"]["slots"]) == len(SLOTS)


async def test_a_repeat_is_passed_on_with_the_same_numbers(make: Make, tmp_path: Path) -> None:
    runner = await make()
    book = tmp_path / "book"
    called = replace(CALLED, action="action_counts", slots={"book": str(book)})
    for call in (2, 2, 3):
        assert (await runner(replace(called, call=call))).slots["call"] == [7, call]

    assert book.read_text() == "7 2\n7 2\n7 3\n"


async def test_many_at_a_time_are_bounded_and_all_answered(make: Make, tmp_path: Path) -> None:
    runner = await make(at_once=3)
    called = replace(CALLED, action="action_counts", slots={"book": str(tmp_path / "book")})
    done = await asyncio.gather(*(runner(replace(called, call=call)) for call in range(20)))

    assert [one.slots["call"][1] for one in done] == list(range(20))
    assert all(one.failed is None for one in done)


async def test_the_turn_that_ends_ends_its_call(make: Make) -> None:
    runner = await make()
    turn = asyncio.create_task(_awaited(runner, replace(CALLED, action="action_waits")))
    await asyncio.sleep(0)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn


async def _awaited(runner: Runner, called: Called) -> Done:
    return await runner(called)


@pytest.mark.parametrize("server", [False, True])
async def test_a_plain_function_keeps_nobody_waiting(server: bool, clock: ManualClock, tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        about: dict[str, Any] = {"clock": clock, "timeout_s": 20.0}
        runner: Runner = InProcess(DOMAIN, packages=(DOUBLES,), **about)
        if server:
            runner = OverHttp(DOMAIN, url=await stack.enter_async_context(our_server()), **about)
        stack.push_async_callback(runner.close)
        gate = tmp_path / "gate"
        blocked = asyncio.create_task(_awaited(runner, replace(CALLED, action="action_blocks", slots={"gate": str(gate)})))
        await asyncio.sleep(0)
        for _ in range(5):
            assert (await runner(replace(CALLED, action="action_sets_slots"))).failed is None
        assert not blocked.done()

        let_through(gate)
        assert (await blocked).slots == {"thread": False}


async def test_functions_that_never_come_back_take_no_more_than_their_threads(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_actions((DOUBLES,)), "_free", threading.BoundedSemaphore(1))
    runner = InProcess(DOMAIN, clock=clock, timeout_s=20.0, packages=(DOUBLES,))
    await runner.warm()
    gate = tmp_path / "gate"
    called = replace(CALLED, action="action_blocks", slots={"gate": str(gate)})
    blocked = asyncio.create_task(_awaited(runner, called))
    assert await runner(replace(CALLED, action="action_sets_slots")) != Done()
    assert await runner(called) == Done(failed="error")

    let_through(gate)
    assert (await blocked).slots == {"thread": False}
    assert (await runner(called)).slots == {"thread": False}


async def test_an_action_that_ends_the_process_has_only_failed(clock: ManualClock) -> None:
    runner = InProcess(DOMAIN, clock=clock, timeout_s=20.0, packages=(DOUBLES,))

    assert await runner(replace(CALLED, action="action_exits")) == Done(failed="error")


async def test_actions_that_cannot_be_imported_are_told_in_words(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    runner = InProcess(DOMAIN, clock=clock, timeout_s=20.0, packages=("no_such_package",))

    await runner.warm()
    assert await runner(CALLED) == Done(failed="unavailable")
    assert "the actions in no_such_package cannot be imported" in caplog.text


async def test_the_assistants_own_memory_and_clock_are_lent(sqlite_database: Database, clock: ManualClock) -> None:
    with lend(sqlite_database, clock):
        assert (await shared_database(), shared_clock()) == (sqlite_database, clock)
        inner = asyncio.create_task(shared_database())
    assert await inner is sqlite_database
    assert shared_clock() is not clock


SCRIPT = """
name: The routing number, which an action looks up in the company's records
assistant: {assistant}
settings: {settings}
script:
  - ann: what is your routing number?
  - bot: {{reply: utter_routing_number}}
"""


FLOW = """
flows:
  ask_routing_number:
    name: routing number
    description: A customer asks for the routing number.
    nlu_trigger:
      - intent: ask_routing_number
    steps:
      - action: action_routing_number
"""


def assistant_with_a_real_action(folder: Path) -> Path:
    """The starter with one flow more."""
    shutil.copytree(STARTER, folder)
    (folder / "flows" / "ask_routing_number.yml").write_text(FLOW)
    for name, old, new in (
        ("domain.yml", "\nintents:", "\nintents:\n  - ask_routing_number"),
        ("domain.yml", "\nactions:", "\nactions:\n  - action_routing_number"),
        (
            "nlu.yml",
            "\nnlu:",
            "\nnlu:\n  - intent: ask_routing_number\n    examples: |\n" + "".join(f"      - {one}\n" for one in EXAMPLES),
        ),
        ("replies.yml", "\nresponses:", '\nresponses:\n  utter_routing_number:\n    - text: "It is {routing_number}."'),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))
    return folder


EXAMPLES = (
    "what is your routing number",
    "routing number please",
    "which routing number do I need",
    "tell me the routing number of the bank",
    "I need the routing number for a transfer",
    "can you give me your routing number",
)


@pytest.mark.parametrize("over_http", [False, True])
async def test_a_flow_runs_a_real_action_in_a_dialogue(over_http: bool, sqlite_database_url: str, tmp_path: Path) -> None:
    address = f"sample:{tmp_path / 'records.db'}"
    async with contextlib.AsyncExitStack() as stack:
        settings = {"records": address}
        if over_http:
            database, records = Database(sqlite_database_url), open_records(address, clock=SystemClock())
            stack.push_async_callback(database.close)
            stack.push_async_callback(records.close)
            app = actions_app(find_actions(), lend=lambda: lend(database, SystemClock(), records))
            settings = {"actions_url": await stack.enter_async_context(serve_app(app))}
        file = tmp_path / "script.yml"
        file.write_text(SCRIPT.format(settings=json.dumps(settings), assistant=assistant_with_a_real_action(tmp_path / "own")))
        mistakes: list[Any] = []
        script = read_script(file, mistakes)
        assert script is not None, mistakes
        played = await play_on(script, sqlite_database_url)
    assert played.passed, "\n".join(played.transcript)


# -- over HTTP only ---------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def a_server(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/webhook", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port := free_port())
    await site.start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


@contextlib.asynccontextmanager
async def over_http(url: str, clock: ManualClock, **about: Any) -> AsyncIterator[OverHttp]:
    runner = OverHttp(DOMAIN, url=url, clock=clock, timeout_s=20.0, **about)
    yield runner
    await runner.close()


@pytest.mark.parametrize(
    ("status", "body", "failed"),
    [
        (503, "{}", "unavailable"),
        (502, "<html>", "unavailable"),
        (504, "<html>", "unavailable"),
        (504, '{"action_name": "action_says"}', "timeout"),
        (429, "{}", "unavailable"),
        (401, "{}", "unavailable"),
        (404, "<html>nothing here</html>", "unavailable"),
        (302, "{}", "error"),
        (400, '{"error": "Invalid body request"}', "error"),
        (400, "<html>", "error"),
        (449, '{"error": "domain", "action_name": "action_says"}', "error"),
        (500, '{"error": "x", "request_body": {"text": "my-pin-is-4711"}}', "error"),
        (200, "", "error"),
        (200, "null", "error"),
        (200, "[]", "error"),
        (200, '{"events": {}}', "error"),
        (200, '{"events": [1]}', "error"),
        (200, '{"responses": "x"}', "error"),
        (200, '{"events": [{"event": "slot", "name": "amount", "value": NaN}]}', "error"),
        (200, '{"events": ' + "[" * 100_000, "error"),
        (200, '{"events": [], "x": "' + "x" * 1_100_000 + '"}', "error"),
        (200, "{}", None),
        (200, '{"events": null, "responses": null}', None),
        (200, '{"events": [{"event": "slot"}, {}], "responses": [{"buttons": 3, "custom": "x"}]}', None),
    ],
)
async def test_whatever_a_server_answers_is_no_exception(
    status: int, body: str, failed: str | None, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, headers={"Location": "/elsewhere"} if status == 302 else {})

    caplog.set_level(logging.DEBUG)
    async with a_server(handler) as url, over_http(url, clock) as runner:
        assert await runner(CALLED) == Done(failed=failed)
    assert SECRET_WORDS not in caplog.text


async def test_nobody_there_is_unavailable(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    async with over_http(f"http://127.0.0.1:{free_port()}", clock) as runner:
        assert await runner(CALLED) == Done(failed="unavailable")
    assert "LEGATO_ACTIONS_URL" in caplog.text


async def test_a_connection_that_breaks_is_tried_once_more(clock: ManualClock) -> None:
    calls: list[dict[str, Any]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        calls.append(await request.json())
        if len(calls) != 2:
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"events": [], "responses": []})

    async with a_server(handler) as url, over_http(url, clock) as runner:
        assert await runner(CALLED) == Done()
        assert len(calls) == 2
        assert calls[0] == calls[1]
        assert await runner(CALLED) == Done(failed="unavailable")
        assert len(calls) == 4


async def test_connections_are_used_again(clock: ManualClock) -> None:
    ports: set[Any] = set()

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        return web.json_response({"events": [], "responses": []})

    async with a_server(handler) as url, over_http(url, clock) as runner:
        for _ in range(5):
            await runner(CALLED)
    assert len(ports) == 1


async def test_the_token_is_sent_and_a_wrong_one_is_told(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    async with our_server(token="swordfish-swordfish") as url:
        async with over_http(url, clock, token="swordfish-swordfish") as runner:
            assert (await runner(CALLED)).failed is None
        async with over_http(url, clock, token="other") as runner:
            assert await runner(CALLED) == Done(failed="unavailable")
    assert "LEGATO_ACTIONS_TOKEN" in caplog.text
    assert "swordfish" not in caplog.text


def test_an_address_without_a_path_gets_that_of_action_servers() -> None:
    assert webhook_of("http://127.0.0.1:5055") == "http://127.0.0.1:5055/webhook"
    assert webhook_of("http://127.0.0.1:5055/") == "http://127.0.0.1:5055/webhook"
    assert webhook_of("https://example.com/a/webhook?x=1") == "https://example.com/a/webhook?x=1"


class Chosen:
    """Settings as far as a runner needs them."""

    def __init__(self, url: str | None, timeout_s: float = 10.0) -> None:
        self.actions_url = url
        self.actions_token = SecretStr("swordfish-swordfish")
        self.action_timeout_s = timeout_s
        self.turn_deadline_s = 10.0
        self.workers = 2


async def test_settings_choose_the_runner(clock: ManualClock) -> None:
    here = make_runner(Chosen(None), DOMAIN, clock=clock)
    assert isinstance(here, InProcess)
    async with our_server(token="swordfish-swordfish") as url:
        there = make_runner(Chosen(url), DOMAIN, clock=clock)
        assert isinstance(there, OverHttp)
        assert (await there(CALLED)).failed is None
        await there.close()


@pytest.mark.parametrize(("wanted", "given"), [(10.0, 9.0), (3.0, 3.0)])
def test_an_action_leaves_the_turn_time_to_speak(wanted: float, given: float, clock: ManualClock) -> None:
    runner = make_runner(Chosen(None, wanted), DOMAIN, clock=clock)

    assert isinstance(runner, InProcess)
    assert runner.timeout_s == given


def test_a_slot_that_nothing_fills_is_custom(clock: ManualClock) -> None:
    assert domain_of(DOMAIN)["slots"]["amount"]["mappings"] == [{"type": "custom"}]
    bare = Called("action_says", turn_id=1, call=0, sender="web:1", slots={})
    assert tracker_of(bare, DOMAIN, at=clock.now())["latest_message"]["intent"] == {"name": None, "confidence": 0.0}


def test_help_does_not_pay_for_rasa() -> None:
    import subprocess
    import sys

    code = "import sys, bot.app, bot.flows.run_action; sys.exit('rasa_sdk' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
