"""What becomes of every way in which a server of records can fail; a real server of this test's own gives the answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from actions.records.http import MAX_ANSWER, HttpRecords
from actions.records.interface import KeyUsed, RecordRefused, RecordsError, RecordsMisunderstood, RecordsUnavailable, RecordsUnknown
from actions.records.serve import records_app
from memory.errors import SettingsError

RECORD = {"kind": "cards", "id": "NK1", "data": {"state": "blocked"}}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Script:
    """A server that gives one answer after the other, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: Answer | tuple[int, Any]) -> None:
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        self._answers = list(answers)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path, dict(request.headers), await request.text()))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not isinstance(answer, tuple):
            return await answer(request)
        status, body = answer
        return web.Response(status=status, text=body) if isinstance(body, str) else web.json_response(body, status=status)


@asynccontextmanager
async def asking(script: Script, **options: Any) -> AsyncIterator[HttpRecords]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", script)
    server = TestServer(app)
    await server.start_server()
    records = HttpRecords(f"http://127.0.0.1:{server.port}/v1/", "secret-token", **{"pauses_s": (0, 0), **options})
    try:
        yield records
    finally:
        await records.close()
        await server.close()


async def block(records: HttpRecords) -> Any:
    return await records.do("cards", "block", {"customer_id": "N1"}, key="7.block", id="NK1")


async def drop(request: web.Request) -> web.StreamResponse:
    """Take the request, and hang up without a word."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def silent(request: web.Request) -> web.StreamResponse:
    """Take the request, and say nothing until the caller has gone."""
    await asyncio.get_running_loop().create_future()
    return web.Response()


async def test_a_write_carries_its_key_its_token_and_its_data() -> None:
    script = Script((200, RECORD))
    async with asking(script) as records:
        assert (await block(records)).data == {"state": "blocked"}

    ((method, path, headers, body),) = script.asked
    assert (method, path) == ("POST", "/v1/cards/do/block")
    assert headers["Idempotency-Key"] == "7.block"
    assert headers["Authorization"] == "Bearer secret-token"
    assert body == '{"id":"NK1","data":{"customer_id":"N1"}}'


async def test_values_that_are_looked_for_stand_in_no_address() -> None:
    script = Script((200, {"records": []}))
    async with asking(script) as records:
        assert await records.find("customers", {"phone": "+447700900101"}, limit=2) == []

    ((method, path, headers, body),) = script.asked
    assert (method, path) == ("POST", "/v1/customers/find")
    assert "Idempotency-Key" not in headers
    assert body == '{"where":{"phone":"+447700900101"},"limit":2}'


@pytest.mark.parametrize("first", [(503, "later"), (502, "later"), (429, "later"), (500, "oops"), (504, ""), drop])
async def test_it_is_tried_again_with_the_same_key(first: Answer | tuple[int, Any]) -> None:
    script = Script(first, first, (200, RECORD))
    async with asking(script) as records:
        assert (await block(records)).id == "NK1"
        assert len(script.asked) == 3
        assert {one[2]["Idempotency-Key"] for one in script.asked} == {"7.block"}


@pytest.mark.parametrize(
    ("answers", "why", "uncertain"),
    [
        (((503, "later"),), "connection", False),
        (((429, "later"),), "connection", False),
        (((502, "later"),), "connection", True),
        (((500, "oops"),), "connection", True),
        ((drop,), "connection", True),
        ((drop, (503, "later")), "connection", True),  # the first one may have been done, whatever is said later
        ((silent,), "time", True),
        (((503, "later"), silent), "time", True),
    ],
)
async def test_a_write_without_an_answer_says_whether_it_may_have_been_done(answers: Any, why: str, uncertain: bool) -> None:
    async with asking(Script(*answers), try_s=0.05) as records:
        with pytest.raises(RecordsUnavailable) as caught:
            await block(records)
        assert (caught.value.why, caught.value.uncertain) == (why, uncertain)
        with pytest.raises(RecordsUnavailable) as caught:
            await records.get("cards", "NK1")
        assert caught.value.uncertain is False


async def test_where_nobody_listens_nothing_was_done() -> None:
    records = HttpRecords(f"http://127.0.0.1:{unused_port()}", pauses_s=(0,))
    with pytest.raises(RecordsUnavailable) as caught:
        await block(records)
    await records.close()
    assert (caught.value.why, caught.value.uncertain) == ("connection", False)


async def test_a_call_ends_in_time_however_often_it_may_be_tried() -> None:
    loop = asyncio.get_running_loop()
    async with asking(Script(silent), within_s=0.2, try_s=0.15, pauses_s=(0.01,) * 50) as records:
        began = loop.time()
        with pytest.raises(RecordsUnavailable):
            await block(records)
        assert loop.time() - began < 2  # not fifty times; the machine may be busy


@pytest.mark.parametrize(
    ("status", "body", "error", "text"),
    [
        (422, {"error": "refused", "reason": "card_expired"}, RecordRefused, "card_expired"),
        (404, {"error": "unknown", "what": "operation"}, RecordsUnknown, "operation"),
        (409, {"error": "key_used"}, KeyUsed, "key"),
        (401, {"error": "token"}, RecordsMisunderstood, "LEGATO_RECORDS_TOKEN"),
        (403, "<html>no</html>", RecordsMisunderstood, "LEGATO_RECORDS_TOKEN"),
        (400, {"error": "request"}, RecordsMisunderstood, "status 400"),
        (422, {"error": "refused", "reason": "The customer Ann Lee owes 5"}, RecordsMisunderstood, "status 422"),
        (404, "not found", RecordsMisunderstood, "not JSON"),
        (302, "elsewhere", RecordsMisunderstood, "not JSON"),
        (418, {"error": "teapot"}, RecordsMisunderstood, "status 418"),
    ],
)
async def test_what_a_status_means(status: int, body: Any, error: type[RecordsError], text: str) -> None:
    script = Script((status, body))
    async with asking(script) as records:
        with pytest.raises(error, match=text) as caught:
            await block(records)
        assert "Ann Lee" not in str(caught.value)
    assert len(script.asked) == 1  # it would say the same again


async def test_the_token_goes_nowhere_else() -> None:
    async def elsewhere(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    script = Script(elsewhere, (200, RECORD))
    async with asking(script) as records:
        with pytest.raises(RecordsMisunderstood):
            await records.get("cards", "NK1")
    assert [one[1] for one in script.asked] == ["/v1/cards/NK1"]


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "[]", "null", {}, {"records": []}, {"kind": "cards", "id": 7, "data": {}}, {"kind": "A b", "id": "1", "data": {}}],
)
async def test_an_answer_that_is_no_record_is_not_taken_for_one(body: Any) -> None:
    async with asking(Script((200, body))) as records:
        with pytest.raises(RecordsMisunderstood) as caught:
            await block(records)
        assert caught.value.uncertain  # it said 200
        with pytest.raises(RecordsMisunderstood):
            await records.get("cards", "NK1")


@pytest.mark.parametrize("body", [{}, {"records": None}, {"records": ["x"]}, {"records": {"a": 1}}])
async def test_a_list_that_is_none_is_not_taken_for_one(body: Any) -> None:
    async with asking(Script((200, body))) as records:
        with pytest.raises(RecordsMisunderstood):
            await records.find("cards", {})


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async with asking(Script((200, "x" * (MAX_ANSWER + 70_000)))) as records:
        with pytest.raises(RecordsMisunderstood, match=str(MAX_ANSWER)):
            await records.get("cards", "NK1")


async def test_nothing_of_a_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with asking(Script((503, "Ann Lee owes 5")), pauses_s=()) as records:
        with pytest.raises(RecordsUnavailable):
            await records.do("customers", "check_code", {"code": "383761"}, key="7.check", id="N1001")
        with pytest.raises(RecordsUnavailable):
            await records.find("customers", {"phone": "+447700900101"})
        with pytest.raises(RecordsUnavailable):
            await records.get("customers", "N1001")

    lines = [record.getMessage() for record in caplog.records if record.name.startswith("actions")]
    assert lines == [
        "records: no answer to POST customers/do/check_code (connection)",
        "records: no answer to POST customers/find (connection)",
        "records: no answer to GET customers (connection)",
    ]
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")  # that is the test's own server
    assert not any(word in ours for word in ("383761", "+4477", "Ann", "secret-token", "N1001"))


async def test_the_service_serves_nobody_without_its_token() -> None:
    class Untouched:
        place = "nowhere"

    with pytest.raises(SettingsError, match="LEGATO_RECORDS_TOKEN"):
        records_app(Untouched(), "")  # type: ignore[arg-type]
