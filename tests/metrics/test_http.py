"""Answers are timed by the part that gives them; streams are not."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.metrics import Instruments, timed
from tests.metrics.samples import value
from tests.metrics.test_meter import scraped

NAME = "voxgate_http_request_duration_seconds_count"


async def answer(request: web.Request) -> web.StreamResponse:
    match request.match_info["rest"]:
        case "stream":
            return web.Response(text="", content_type="text/event-stream")
        case "moved":
            raise web.HTTPFound("/elsewhere")
        case "defect":
            raise ValueError
        case "strange":
            return web.Response(status=422)
    return web.Response()


@pytest.mark.parametrize(
    ("path", "part", "status"),
    [
        ("/webservice/queuecall.php", "plum", "2xx"), ("/outbound/webservice/x", "plum", "2xx"),
        ("/api/strange", "api", "4xx"), ("/calls", "pages", "2xx"), ("/pages/moved", "pages", "3xx"),
        ("/api/defect", "api", "5xx"),
    ],
)  # fmt: skip
async def test_an_answer_is_timed(path: str, part: str, status: str) -> None:
    found = await after(path)
    assert value(found, NAME, part=part, status=status) == 1


async def test_a_stream_is_not() -> None:
    assert not any(name == NAME for name, _ in await after("/api/stream"))


async def after(path: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    instruments = Instruments()
    app = web.Application(middlewares=[timed(instruments)])
    app.router.add_get("/{any:.*?}{rest:[^/]*}", answer)
    async with TestClient(TestServer(app)) as client:
        await client.get(path, allow_redirects=False)
    return scraped(instruments)
