"""What a log line looks like, which lines there are, and what is in none of them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway import logs
from gateway.core.model import AttemptId, CallId
from gateway.happenings import current_call, of_call


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:], logging.root.level = handlers, level
    logging.captureWarnings(False)


def logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def written(level: str = "info", areas: dict[str, str] | None = None) -> tuple[io.StringIO, Any]:
    stream = io.StringIO()
    logs.configure(as_json=True, level=level, areas=areas, stream=stream)
    return stream, structlog.get_logger()


def test_levels_are_those_of_all_and_of_single_areas() -> None:
    stream, log = written("warning", {"ami": "debug", "vxml": "error"})
    log.info("ami.up")
    log.debug("ami.detail")
    log.info("attempt.dialing")
    log.warning("attempt.unsure")
    log.warning("vxml.fetch_failed")
    log.error("vxml.broken")
    assert [one["event"] for one in logged(stream)] == ["ami.up", "ami.detail", "attempt.unsure", "vxml.broken"]


def test_a_log_on_a_full_disk_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - it cannot be closed without an error
    monkeypatch.setattr(sys, "stderr", full)
    logs.configure(as_json=True)
    for _ in range(200):  # more than any buffer takes
        structlog.get_logger().info("attempt.dialing", words="x" * 100)
        logging.getLogger("library").warning("y" * 100)
    with pytest.raises(OSError, match="No space left"):
        full.close()


async def test_the_lines_of_a_call_name_it_in_tasks_that_begin_in_it_too() -> None:
    stream, log = written()

    async def one(number: int) -> None:
        with of_call(CallId(number), AttemptId(f"vg-a-{number}")):
            await asyncio.gather(asyncio.create_task(two()), two())
            assert current_call() == number

    async def two() -> None:
        await asyncio.sleep(0)
        log.info("prompt.played")

    await asyncio.gather(one(1), one(2))
    log.info("gateway.idle")
    assert sorted(str(line.get("call_id")) for line in logged(stream)) == ["1", "1", "2", "2", "None"]
    assert current_call() is None


def test_other_libraries_lines_are_json_too() -> None:
    stream, _ = written()
    logging.getLogger("aiohttp.server").warning("bad request from %s", "http://u:p@a/?pin=1")
    (line,) = logged(stream)
    assert (line["event"], line["library"], line["level"]) == ("library.said", "aiohttp.server", "warning")
    assert line["text"] == "bad request from http://***@a/?***"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"pin": "12345678"}, {"pin": "***"}),
        ({"Authorization": "Basic eA=="}, {"Authorization": "***"}),
        ({"url": "http://a.example/keyed?code=4711#x"}, {"url": "http://a.example/keyed?***"}),
        ({"error": "redirected to 'https://u:p@a.example/x?y=1', sorry"}, {"error": "redirected to 'https://***@a.example/x?***', sorry"}),
        ({"url": "http://a.example/start.php", "tries": 3}, {"url": "http://a.example/start.php", "tries": 3}),
    ],
)  # fmt: skip
def test_secrets_and_queries_are_masked(fields: dict[str, Any], shown: dict[str, Any]) -> None:
    stream, log = written()
    log.info("x.y", **fields)
    (line,) = logged(stream)
    assert {name: line[name] for name in shown} == shown


def test_a_traceback_is_masked_too() -> None:
    stream, log = written()
    try:
        raise ValueError("cannot fetch http://a.example/?code=4711")
    except ValueError:
        log.exception("session.failed")
    assert "4711" not in stream.getvalue()
    assert "ValueError: cannot fetch http://a.example/?***" in logged(stream)[0]["exception"]


def test_the_console_shows_the_same() -> None:
    stream = io.StringIO()
    logs.configure(as_json=False, stream=stream)
    structlog.get_logger().info("ami.up", secret="x")
    assert "ami.up" in stream.getvalue() and "***" in stream.getvalue()
