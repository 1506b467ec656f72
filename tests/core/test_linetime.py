"""A stream's time against the clock."""

from __future__ import annotations

import random

from gateway.core.linetime import BYTES_A_SECOND, ON_ITS_WAY, SLACK, LineTime


def stream(seconds: float, *, drift: float = 0.0, jitter: float = 0.0, seed: int = 1) -> list[tuple[float, int]]:
    """(time, bytes) of 20 ms pieces; ``drift`` is how much slower the sender's clock runs."""
    rng = random.Random(seed)
    times = sorted(n * 0.02 * (1 + drift) + rng.uniform(0, jitter) for n in range(round(seconds / 0.02)))
    return [(time, 320) for time in times]


def filled(pieces: list[tuple[float, int]], until: float) -> tuple[LineTime, list[tuple[float, int]]]:
    """Silence that is put in, looked at every 0.1 s: (time, bytes)."""
    line, silence, at = LineTime(0.0), [], 0.0
    for time, count in [*pieces, (until, 0)]:
        while at + 0.1 <= time:
            at += 0.1
            if missing := line.missing(at):
                silence.append((at, missing))
        if count:
            line.came(count, time)
    return line, silence


def test_a_steady_line_is_left_as_it_is() -> None:
    line, silence = filled([(0.0, 320), *stream(60, jitter=0.8)[1:]], 60.0)
    assert (silence, line.gaps) == ([], 0)


def test_a_silent_line_has_the_length_of_its_time() -> None:
    line, silence = filled([], 10.0)
    assert abs(line.seconds - 10.0) <= 0.1 + ON_ITS_WAY
    assert sum(count for _, count in silence) == line.seconds * BYTES_A_SECOND


def test_a_pause_of_the_line_keeps_its_length() -> None:
    after = [(time + 5.0, count) for time, count in stream(2)]
    line, silence = filled([*stream(2), *after], 7.0)
    assert abs(line.seconds - 7.0) <= 0.1 + ON_ITS_WAY
    assert all(2.0 < at <= 5.1 for at, _ in silence)
    assert line.gaps == 1
    assert all(count % 2 == 0 for _, count in silence)


def test_a_sender_whose_clock_is_slow_is_not_torn_apart() -> None:
    """200 ppm over an hour: the lag is made good a few times, not in every second."""
    line, silence = filled(stream(3600, drift=2e-4), 3600.72)
    assert len(silence) <= 1
    assert abs(line.seconds - 3600.72) <= SLACK + 0.1


def test_a_sender_whose_clock_is_fast_loses_nothing() -> None:
    line, silence = filled(stream(3600, drift=-2e-4), 3600 * (1 - 2e-4))
    assert silence == []
    assert line.seconds == 3600


def test_a_burst_after_a_stall_of_ours_is_no_pause() -> None:
    """The loop stood still for a second and then reads everything that came meanwhile."""
    line = LineTime(0.0)
    for time, count in stream(10):
        stalled = 4.0 < time < 5.0
        line.came(count, 5.0 if stalled else time)
        assert stalled or line.missing(time) == 0
    assert line.seconds == 10.0
