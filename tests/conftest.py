"""One lab, two real Asterisks, serves the whole run; it starts when the first test asks for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import fetch
from lab.behaviours import draw
from lab.lab import Lab

pytest.register_assert_rewrite("tests.vxml.cases", "tests.vxml.caller")  # their assertions are shown in full


def pytest_configure() -> None:
    """A run that a shell began in the background ignores Ctrl-C, and so would every command that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab(plan=draw(each=2), ring_timeout=10.0) as running:
        print(f"numbers drawn from seed {running.plan.seed}")
        yield running


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' tool, from Debian's package where it is not installed."""
    try:
        root = fetch.unpacked("promtool", ("prometheus",))
    except fetch.FetchFailed as error:
        pytest.skip(f"promtool could not be had: {error}")
    return root / "usr/bin/promtool"
