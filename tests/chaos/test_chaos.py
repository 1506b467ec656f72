"""A quick set of the faults, in small campaigns; ``make chaos`` has them all, and more often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.faults import BY_NAME, FAULTS
from tests.chaos.run import moments, run
from tests.chaos.world import Where, World, world
from tests.fakes.asterisk.faults import FAULTS as TOLD

SEED = 20261127


@pytest.fixture(scope="module")
def fake() -> Iterator[World]:
    with world(Where.FAKE, SEED, small=True) as made:
        yield made


@pytest.fixture(scope="module")
def lab() -> Iterator[World]:
    with world(Where.LAB, SEED, small=True) as made:
        yield made


@pytest.mark.parametrize(
    "name",
    ["kill -9", "Asterisk kill -9", "AMI cut in Originate", "result_url resets", "disk full"],
)
def test_on_the_fake_every_promise_is_kept(fake: World, name: str) -> None:
    fault = BY_NAME[name]
    if (why := fault.why_not()) is not None:
        pytest.skip(why)
    ran = run(fake, fault, SEED)
    assert 0 < ran.struck <= fault.times and ran.found.calls == 17 and ran.found.rings >= 17
    assert ran.found.words == []


def test_on_the_lab_a_crash_breaks_no_promise(lab: World) -> None:
    ran = run(lab, BY_NAME["kill -9"], SEED)
    assert ran.found.calls == 7 and ran.found.rings >= 7
    assert ran.found.words == []


def test_a_seed_gives_the_same_moments_again() -> None:
    fault = BY_NAME["kill -9"]
    assert moments(fault, SEED, 6) == moments(fault, SEED, 6) != moments(fault, SEED + 1, 6)
    assert moments(fault, SEED, 6) != moments(BY_NAME["AMI cut"], SEED, 6)


def test_every_fault_has_a_name_of_its_own_and_words() -> None:
    told = {fault.told for fault in FAULTS if hasattr(fault, "told")}
    assert told and told <= TOLD.keys()
    assert len(BY_NAME) == len(FAULTS)
    assert all(fault.words and fault.where and fault.times > 0 for fault in FAULTS)
