"""The forecast against the pacer itself, run on a clock of its own."""

from __future__ import annotations

import pytest

from gateway.core.forecast import forecast
from gateway.core.model import Millis
from gateway.core.pacing import Limit, Pacer

STEP = 10


def dialed_by_the_pacer(calls: dict[str, int], others: int, pacer: Pacer, seconds: float) -> float:
    """Seconds until the last call starts, when two campaigns take turns on each trunk."""
    ends: list[tuple[float, str]] = []
    left = {trunk: [many, others] for trunk, many in calls.items()}
    now, turn = 0, 0
    while any(mine for mine, _ in left.values()):
        ends = [one for one in ends if one[0] > now]
        live = {trunk: sum(1 for _, owner in ends if owner == trunk) for trunk in calls}
        total, free = pacer.slots(Millis(now), live)
        for trunk, slots in free.items():
            for _ in range(min(slots, total)):
                turn ^= 1
                which = turn if left[trunk][turn] else 1 - turn
                if left[trunk][which] == 0:
                    continue
                left[trunk][which] -= 1
                pacer.started(trunk)
                ends.append((now + seconds * 1000, trunk))
                total -= 1
        now += STEP
    return now / 1000


@pytest.mark.parametrize(
    ("calls", "others", "overall", "trunk", "seconds"),
    [
        ({"t": 300}, 0, Limit(100, 1000), Limit(5, 1000), 20),  # the trunk's pace
        ({"t": 300}, 0, Limit(100, 1000), Limit(50, 20), 4),  # the trunk's calls
        ({"t": 300}, 0, Limit(4, 1000), Limit(50, 500), 4),  # the gateway's pace
        ({"t": 300, "u": 300}, 0, Limit(100, 30), Limit(50, 500), 3),  # the gateway's calls
        ({"t": 200}, 500, Limit(100, 1000), Limit(5, 1000), 2),  # shared with a longer campaign
        ({"t": 200}, 50, Limit(100, 1000), Limit(5, 1000), 2),  # and with a shorter one
    ],
)  # fmt: skip
def test_the_forecast_is_what_the_pacer_does(
    calls: dict[str, int], others: int, overall: Limit, trunk: Limit, seconds: float
) -> None:
    limits = dict.fromkeys(calls, trunk)
    told = forecast(
        calls, {key: [others] for key in calls}, limits, overall, seconds, dict.fromkeys(calls, Millis(0)), None
    )
    real = dialed_by_the_pacer(calls, others, Pacer.of(overall, limits), seconds)
    assert told.finishes_at / 1000 == pytest.approx(real, rel=0.1)


def test_what_would_expire_before_its_turn() -> None:
    limits = {"t": Limit(10, 1000)}
    told = forecast({"t": 600}, {}, limits, Limit(100, 1000), 1, {"t": Millis(60_000)}, Millis(90_000))
    assert (told.starts_at, told.finishes_at, told.expiring) == (60_000, 120_000, 300)
    assert forecast({"t": 600}, {}, limits, Limit(100, 1000), 1, {"t": Millis(0)}, Millis(60_000)).expiring == 0
