import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from bot.web.guard import FILE_POLICY, PAGE_POLICY, LocalOnly, refusal


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_this_machine_is_let_in(host: str, method: str) -> None:
    assert refusal(method, Headers({"host": host})) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost@evil.example", "192.168.1.5:8000"]
)
def test_a_name_that_is_not_this_machines_is_refused(host: str) -> None:
    assert refusal("GET", Headers({"host": host})) is not None


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_from_another_page_is_refused(method: str, said: dict[str, str]) -> None:
    assert refusal(method, Headers({"host": "127.0.0.1:8000", **said})) is not None


def test_the_page_itself_may_write() -> None:
    said = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}

    assert refusal("POST", Headers(said)) is None


async def test_sent_files_can_run_nothing() -> None:
    app = LocalOnly(PlainTextResponse("<script>alert(1)</script>", media_type="text/html"), files="/files/")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        page, file = await client.get("/"), await client.get("/files/1")

    assert page.headers["content-security-policy"] == PAGE_POLICY
    assert file.headers["content-security-policy"] == FILE_POLICY
    assert file.headers["x-content-type-options"] == "nosniff"
