"""The server: tokens, unknown methods, the forms of a request, starting and stopping."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
import telegram

from bot.simulator import Bot, Person, Server, Simulator, run, serve
from bot.simulator.errors import ApiError
from bot.simulator.methods import HANDLERS, WAITING
from bot.simulator.params import METHODS, check_answer
from bot.simulator.server import serve_forever

from .conftest import TOKEN, Call, until, words


async def test_who_the_bot_is(ptb: telegram.Bot) -> None:
    me = await ptb.get_me()

    assert (me.id, me.username, me.first_name, me.is_bot) == (42, "bank_bot", "Bank", True)


async def test_unknown_methods_and_tokens(call: Call, sim: Simulator, ann: Person) -> None:
    assert words(await call("makeCoffee")) == "404 Not Found: method not found"
    assert (await call("GETME"))["ok"]
    assert (await call("getMe", "77:fresh"))["result"]["username"] == "simulated_77_bot"
    for token in ("nonsense", "42:other", f"{ann.id}:AAAA"):
        assert words(await call("getMe", token)) == "401 Unauthorized"
    sim.strict_tokens = True
    assert words(await call("getMe", "78:fresh")) == "401 Unauthorized"
    assert (await call("getMe"))["ok"]


@pytest.mark.parametrize("form", ["query", "urlencoded", "json", "json_of_strings", "multipart"])
async def test_every_form_of_a_request(form: str, server: Server, http: aiohttp.ClientSession, ann: Person) -> None:
    markup = {"inline_keyboard": [[{"text": "Y", "callback_data": "y", "url": None}]]}
    params = {"chat_id": str(ann.id), "text": "a & b ü", "disable_notification": "True", "unknown": "kept out"}
    params["reply_markup"] = json.dumps(markup)
    sent: dict[str, Any] = {"data": params}
    if form == "query":
        sent = {"params": params}
    elif form == "json":
        sent = {"json": params | {"chat_id": ann.id, "reply_markup": markup}}
    elif form == "json_of_strings":
        sent = {"json": params}
    elif form == "multipart":
        with aiohttp.MultipartWriter("form-data") as writer:
            for name, value in params.items():
                writer.append(value).set_content_disposition("form-data", name=name)
        sent = {"data": writer}
    async with http.post(f"{server.url}/bot{TOKEN}/sendMessage", **sent) as response:
        answer = await response.json()

    assert answer["ok"], answer
    assert answer["result"]["text"] == "a & b ü"
    assert answer["result"]["reply_markup"] == {"inline_keyboard": [[{"text": "Y", "callback_data": "y"}]]}


@pytest.mark.parametrize(
    ("kind", "body", "refusal"),
    [
        ("application/json", b"{", "can't parse JSON body"),
        ("application/json", b"[]", "can't parse JSON body: expected an object"),
        ("application/x-www-form-urlencoded", b"text=\xff", "strings must be encoded in UTF-8"),
        ("multipart/form-data", b"x", "boundary not found"),
    ],
)
async def test_broken_requests(server: Server, http: aiohttp.ClientSession, bank: Bot, kind: str, body: bytes, refusal: str) -> None:
    url = f"{server.url}/bot{TOKEN}/sendMessage"
    async with http.post(url, data=body, headers={"Content-Type": kind}) as response:
        assert words(await response.json()) == f"400 Bad Request: {refusal}"


async def test_a_file_may_be_a_field_of_its_own(server: Server, http: aiohttp.ClientSession, ann: Person) -> None:
    form = aiohttp.FormData({"chat_id": str(ann.id)})
    form.add_field("document", b"x", filename="note.txt", content_type="application/octet-stream")
    async with http.post(f"{server.url}/bot{TOKEN}/sendDocument", data=form) as response:
        document = (await response.json())["result"]["document"]

    assert (document["file_name"], document["mime_type"], document["file_size"]) == ("note.txt", "text/plain", 1)


async def test_bodies_have_a_limit(server: Server, http: aiohttp.ClientSession, bank: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.simulator.wire.BODY_LIMIT", 100_000)
    async with http.post(f"{server.url}/bot{TOKEN}/sendDocument", data=b"x" * 1_000_000) as response:
        assert words(await response.json()) == "413 Request Entity Too Large"


async def test_a_mistake_in_the_simulator_is_a_500(call: Call, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_call: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(HANDLERS, "getme", broken)

    assert words(await call("getMe")) == "500 Internal Server Error"
    assert "getMe failed" in caplog.text


def test_every_method_here_is_one_of_telegrams() -> None:
    assert set(HANDLERS) | set(WAITING) <= set(METHODS)
    assert not set(HANDLERS) & set(WAITING)


def test_the_strict_check_finds_a_wrong_answer() -> None:
    with pytest.raises(ApiError, match="does not fit"):
        check_answer("getme", {"id": 1})


async def test_two_servers_run_side_by_side() -> None:
    async with serve(Simulator()) as one, serve(Simulator()) as two:
        assert one.url != two.url
        assert one.people_url == f"{one.url}/people-api"


async def test_the_command_says_where_everything_is(capsys: pytest.CaptureFixture[str]) -> None:
    sim = Simulator()
    serving = asyncio.create_task(serve_forever(sim, "127.0.0.1", 0))
    said: list[str] = []

    def has_spoken() -> bool:
        said.append(capsys.readouterr().out)
        return "docs" in "".join(said)

    await until(has_spoken)
    lines = "".join(said).splitlines()
    url = lines[0].split()[-1].removesuffix("/bot<token>/<method>")
    async with aiohttp.ClientSession() as http, http.get(f"{url}/bot77:fresh/getMe") as response:
        assert (await response.json())["ok"]
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)

    assert lines[1].split()[-1] == f"{url}/people-api"
    assert lines[2].split()[-1] == f"{url}/people-api/docs"
    assert sim.is_stopped


def test_the_command_ends_quietly_when_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[bool, str, int]] = []

    async def serve_forever(sim: Simulator, host: str, port: int) -> None:
        started.append((sim.strict_tokens, host, port))
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.simulator.server.serve_forever", serve_forever)
    run(1234, "127.0.0.2", strict_tokens=True)

    assert started == [(True, "127.0.0.2", 1234)]
