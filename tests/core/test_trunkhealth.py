"""A trunk that fails rests for a minute, whatever is done to the clock meanwhile."""

from gateway.core.model import Millis
from gateway.core.trunkhealth import FAULTS_TO_SUSPEND, REST_MS, TrunkHealth

NOW = Millis(1_800_000_000_000)


def resting() -> TrunkHealth:
    health = TrunkHealth()
    for _ in range(FAULTS_TO_SUSPEND):
        health.fault(NOW, "no circuit")
    return health


def test_a_trunk_that_rests_is_probed_with_one_call() -> None:
    health = resting()
    assert health.may_dial(NOW) == health.may_dial(Millis(NOW + REST_MS - 1)) == 0
    assert health.may_dial(Millis(NOW + REST_MS)) == 1
    health.started()
    assert health.may_dial(Millis(NOW + REST_MS)) == 0
    assert health.worked()
    assert health.may_dial(NOW) is None


def test_a_clock_that_is_set_back_makes_no_rest_longer() -> None:
    assert resting().may_dial(Millis(NOW - 3_600_000)) == 1
