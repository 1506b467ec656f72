"""A quick set of the faults; ``make chaos`` has them all, and more often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.world import Where, World, world

SEED = 20261127
QUICK = {
    Where.FAKE: ("kill -9", "AMI cut in Originate", "result_url fails", "disk full"),
    Where.LAB: ("kill -9", "Asterisk kill -9"),
}


@pytest.fixture(scope="module", params=list(QUICK))
def there(request: pytest.FixtureRequest) -> Iterator[World]:
    with world(request.param, SEED) as made:
        yield made
