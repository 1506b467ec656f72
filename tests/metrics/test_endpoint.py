"""Who may read the metrics, and in which form."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.metrics import Instruments, MetricsEndpoint, Reading
from gateway.ports import StoreError
from tests.metrics.test_meter import READING


async def get(
    *, allow: list[str] | None, accept: str = "", read: Reading | Exception = READING
) -> tuple[int, str, str]:
    async def reading() -> Reading:
        if isinstance(read, Exception):
            raise read
        return read

    app = web.Application()
    MetricsEndpoint(Instruments(), reading).add_to(app, allow)
    async with TestClient(TestServer(app)) as client, client.get("/metrics", headers={"Accept": accept}) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


@pytest.mark.parametrize(
    ("allow", "status"), [(None, 200), (["127.0.0.0/8"], 200), (["10.0.0.0/8", "::1/128"], 404), ([], 404)]
)
async def test_the_path_is_there_for_allowed_peers_only(allow: list[str] | None, status: int) -> None:
    assert (await get(allow=allow))[0] == status


async def test_the_format_is_the_scrapers_choice() -> None:
    _, kind, text = await get(allow=None)
    assert kind.startswith("text/plain; version=")
    assert "# TYPE voxgate_ami_up gauge" in text
    _, kind, text = await get(allow=None, accept="application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")


async def test_a_database_that_cannot_be_read_is_said() -> None:
    status, _, text = await get(allow=None, read=StoreError("disk I/O error"))
    assert (status, "disk I/O error" in text) == (503, True)
