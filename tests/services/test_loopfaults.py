"""A port without descriptors fills no disk with its log."""

from __future__ import annotations

import asyncio
import errno

import pytest
from structlog.testing import capture_logs

from gateway import loopfaults


async def test_connections_without_a_descriptor_are_told_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, faults = asyncio.get_running_loop(), loopfaults.LoopFaults()
    context = {
        "message": "socket.accept() out of system resource",
        "exception": OSError(errno.EMFILE, "Too many open files"),
    }
    with capture_logs() as lines:
        for _ in range(100):
            faults(loop, context)
        assert [line["event"] for line in lines] == ["gateway.no_descriptors"]
        monkeypatch.setattr(loopfaults, "QUIET", 0.0)
        faults(loop, context)
        assert len(lines) == 2


async def test_all_else_is_told_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    loopfaults.LoopFaults()(asyncio.get_running_loop(), {"message": "lost", "exception": ZeroDivisionError("fault")})
    assert "ZeroDivisionError" in caplog.text
