"""Frames to tones: stretches in which one line, or one pair of lines, holds nearly all the power and stays in place."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import Final

from gateway.core.hearing.spectrum import SECONDS_A_FRAME, Frame

#: The part of a frame's power over the noise that its lines must hold.
PURITY: Final = 0.7
#: A second line this much (power) below the first is a harmonic or noise, and no part of a pair.
PAIR_RATIO: Final = 0.1
#: dBFS. Under it, coding noise passes for tones.
FAINTEST: Final = -48.0
#: Hz that a line may stray from its run's mean: alone, and beside another whose lobe pulls at it.
STRAY, STRAY_IN_PAIR = 12.0, 18.0
#: Seconds that may lack the tone without ending it: lost packets, ANSam's phase reversals.
BRIDGED: Final = 3.5 * SECONDS_A_FRAME
#: Frames that make a run.
FEWEST: Final = 3
#: A run's ends are where its level is this far (dB) below its highest: a frame half filled is 6 dB down.
EDGE: Final = 6.0
#: dB under a run's level at which a frame lacks a part of it.
HOLE: Final = 1.0
#: Hz between the lines of ringback's pairs, and never between two harmonics of a voice.
CLOSE_PAIR: Final = 70.0
#: Frames of a run that are kept; of a longer one the middle is forgotten.
KEPT: Final = 200
#: Frames of a run that are only half filled, so that their lines are off.
BEGINNING: Final = 2
#: Frames after which a run may be called steady while it goes on.
STEADY_AFTER: Final = 6
#: What a generator's tone keeps to and a voice does not: share of the power, dB about its level, Hz about its pitch.
STEADY_SHARE, STEADY_LEVEL, STEADY_PITCH = 0.85, 1.5, 3.0


@dataclass(frozen=True, slots=True)
class Tone:
    """One run from ``start`` to ``end`` (seconds). ``hz`` has one or two entries, lowest first; ``level`` is dBFS.

    ``steady`` says that neither pitch nor level moved, as in a generator's tone and unlike a voice or an instrument.
    ``share`` is the lines' part of the power, the octave of a single one included; ``sway`` (dB) and ``drift`` (Hz) are
    what nine frames in ten keep to; ``filled`` is the part of its time in which it was seen.
    """

    start: float
    end: float
    hz: tuple[float, ...]
    level: float
    steady: bool
    share: float
    sway: float
    drift: float
    filled: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def near(self, *hz: float, within: float) -> bool:
        """Whether it consists of exactly these lines."""
        return len(self.hz) == len(hz) and all(
            abs(own - other) <= within for own, other in zip(self.hz, hz, strict=True)
        )


class Run:
    """A tone that still goes on."""

    __slots__ = ("_count", "_highest", "_lowest", "_sums", "levels", "lines", "shares", "times")

    def __init__(self, frame: Frame, hz: tuple[float, ...]) -> None:
        self.times: list[float] = []  # of the frames' middles
        self.levels: list[float] = []
        self.lines: list[tuple[float, ...]] = []
        self.shares: list[float] = []
        self._count = 0
        self._sums = [0.0] * len(hz)
        self._lowest = self._highest = hz
        self.add(frame, hz)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def start(self) -> float:
        return self.times[0]

    @property
    def seconds(self) -> float:
        """From the first frame to the last, both of which may be half filled."""
        return self.times[-1] - self.times[0]

    @property
    def hz(self) -> tuple[float, ...]:
        return tuple(total / self._count for total in self._sums)

    @property
    def steady(self) -> bool:
        """Whether its pitch has kept still, as far as it has come."""
        if len(self) < STEADY_AFTER:
            return False
        if len(self._lowest) == 2 and self._lowest[1] - self._lowest[0] < CLOSE_PAIR:
            return True  # they pull at each other, and no voice is so low
        return all(high - low <= 2 * STEADY_PITCH for low, high in zip(self._lowest, self._highest, strict=True))

    def add(self, frame: Frame, hz: tuple[float, ...]) -> None:
        self.times.append(frame.at)
        self.levels.append(frame.clear)
        with_second = len(hz) > 1 or abs(frame.second_hz - 2 * frame.hz) <= STRAY_IN_PAIR
        self.shares.append(frame.share + (frame.second_share if with_second else 0))
        self.lines.append(hz)
        first = self._count < BEGINNING
        self._lowest = hz if first else tuple(map(min, self._lowest, hz))
        self._highest = hz if first else tuple(map(max, self._highest, hz))
        self._count += 1
        for place, one in enumerate(hz):
            self._sums[place] += one
        if len(self) > KEPT:
            for kept in (self.times, self.levels, self.lines, self.shares):
                del kept[KEPT // 2]

    def fits(self, frame: Frame, hz: tuple[float, ...]) -> tuple[float, ...] | None:
        """The frame's lines as far as they go on with this run, or None."""
        mean = self.hz
        if len(mean) == 1:
            # At a change of tones both are in the frame: it belongs to the stronger.
            return (frame.hz,) if hz and abs(frame.hz - mean[0]) <= STRAY else None
        if len(hz) == 2 and all(abs(own - new) <= STRAY_IN_PAIR for own, new in zip(mean, hz, strict=True)):
            return hz
        return None

    def ended(self) -> Tone:
        edge = max(self.levels) - EDGE
        inside = [place for place, level in enumerate(self.levels) if level >= edge]
        first, last = inside[0], inside[-1]
        # The frames at the ends and at a hole are half empty: their levels tell nothing, their pitch holds.
        full = [
            here
            for before, here, after in zip(inside, inside[1:], inside[2:], strict=False)
            if self.times[after] - self.times[before] < 2.5 * SECONDS_A_FRAME
        ] or inside
        levels = [self.levels[place] for place in full]
        level = statistics.median(levels)
        # Where the sender's packets were lost a frame is quieter, and its line is not where it was.
        whole = [place for place in full if self.levels[place] > level - HOLE]
        whole = whole if len(whole) > len(full) / 2 else full
        columns = list(zip(*(self.lines[place] for place in whole), strict=True))
        hz = tuple(statistics.median(column) for column in columns)
        share = statistics.median(self.shares[place] for place in full)
        sway = _most([abs(one - level) for one in levels])
        drift = max(_most([abs(one - middle) for one in column]) for middle, column in zip(hz, columns, strict=True))
        return Tone(
            start=max(0.0, self.times[first] - SECONDS_A_FRAME / 2),
            end=self.times[last] + SECONDS_A_FRAME / 2,
            hz=hz,
            level=level,
            steady=share >= STEADY_SHARE and sway <= STEADY_LEVEL and drift <= STEADY_PITCH,
            share=share,
            sway=sway,
            drift=drift,
            filled=len(inside) * SECONDS_A_FRAME / (self.times[last] - self.times[first] + SECONDS_A_FRAME),
        )


def _most(deviations: list[float]) -> float:
    """What nine in ten do not exceed."""
    return sorted(deviations)[math.ceil(0.9 * len(deviations)) - 1]


class Tracker:
    """Follows one tone at a time. ``run`` is the one that sounds, None where none does."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self._next: Run | None = None

    def push(self, frame: Frame) -> Tone | None:
        """The tone that this frame shows to have ended."""
        hz = _lines(frame)
        run = self.run
        if run is None and not hz:
            self._next = None
            return None
        if run is not None and (fit := run.fits(frame, hz)) is not None:
            run.add(frame, fit)
            self._next = None
            return None
        self._consider(frame, hz)
        replaced = self._next is not None and len(self._next) >= FEWEST
        if run is not None and (replaced or frame.at - run.times[-1] > BRIDGED):
            self.run, self._next = (self._next, None) if replaced else (None, self._next)
            return run.ended()
        if run is None and replaced:
            self.run, self._next = self._next, None
        return None

    def flush(self) -> Tone | None:
        """The tone that sounds at the stream's end."""
        run, self.run, self._next = self.run, None, None
        return None if run is None else run.ended()

    def _consider(self, frame: Frame, hz: tuple[float, ...]) -> None:
        """Grow, begin or drop the run that may be the next."""
        if not hz:
            self._next = None
        elif self._next is not None and (fit := self._next.fits(frame, hz)) is not None:
            self._next.add(frame, fit)
        else:
            self._next = Run(frame, hz)


def _lines(frame: Frame) -> tuple[float, ...]:
    """The lines that hold the frame's power: none, one, or two, lowest first."""
    if frame.clear < FAINTEST or frame.share + frame.second_share < PURITY:
        return ()
    if frame.second_share < PAIR_RATIO * frame.share:
        return (frame.hz,) if frame.share >= PURITY else ()
    return (min(frame.hz, frame.second_hz), max(frame.hz, frame.second_hz))
