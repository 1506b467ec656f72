"""The two sides of the contract: the fake Asterisk, and the lab's real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.contract.gear import Agi, Ami
from tests.contract.sides import Side, side_of
from tests.fakes.asterisk import FakeAsterisk


@pytest.fixture(scope="module", params=["fake", "real"])
def asterisk(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "real":
        yield request.getfixturevalue("lab")
    else:
        with FakeAsterisk() as fake:
            yield fake


@pytest.fixture
async def side(asterisk: Any) -> AsyncIterator[Side]:
    agi = Agi()
    async with agi.listening(asterisk.agi_port):
        yield side_of(asterisk, agi)


@pytest.fixture
async def ami(side: Side) -> AsyncIterator[Ami]:
    async with Ami.linked(side.asterisk.ami_port) as link:
        yield await side.logged_in(link)
