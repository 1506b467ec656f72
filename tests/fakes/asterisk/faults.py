"""What can be made to go wrong, by name, seeded; switched on and off while calls run."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

#: Every fault and what it does. All take ``times`` (how often, default 1; 0 is until healed), ``chance`` (of each
#: occasion, default 1) and ``seconds`` (for how long from now, default for ever), and some a word of their own.
FAULTS: dict[str, str] = {
    "cut": "every AMI link is cut at once; with `seconds` no new one is taken for so long",
    "cut_in_originate": "the AMI link is cut in the middle of an Originate: it is not carried out",
    "cut_in_answer": "the AMI link is cut in the middle of an Originate's answer: it is carried out",
    "stall": "for `seconds` (5) AMI takes and tells nothing; calls go on",
    "slow": "every AMI message comes `delay` (0.2) seconds late, until healed or for `seconds`",
    "duplicate": "an event is told twice",
    "reorder": "an event is told after the next one",
    "lose": "an event is not told; here as with the two before, `event` names which, as Hangup (default any)",
    "response_first": "OriginateResponse comes before Newchannel",
    "refuse_originate": "an Originate is answered by an error and rings nobody",
    "originate_unheard": "an Originate is answered as queued, and neither rings nor tells anything more",
    "shutting_down": "every action and login is answered `Asterisk is shutting down`, until healed or for `seconds`",
    "refuse_login": "a login is answered `Authentication failed`",
    "agi_dies": "the FastAGI connection breaks at a command; `command` is its count from 1 or its first words",
    "agi_silent": "a FastAGI command is never answered; `command` as above",
    "agi_never": "an answered call never reaches FastAGI, and stays up until its limit",
    "tap_dies": "a tap's connection breaks `after` (1) seconds",
    "tap_never": "a tap is queued and never connects",
}
#: Those that last until they are healed, or for their ``seconds``, rather than strike once.
LASTING = frozenset({"slow", "shutting_down"})


@dataclass(slots=True)
class Fault:
    left: int  # occasions; 0 is any number
    chance: float
    until: float  # on the monotonic clock
    more: dict[str, Any]


@dataclass(slots=True)
class Faults:
    """The faults that are in force. ``struck`` counts how often each did anything."""

    seed: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    _active: dict[str, Fault] = field(default_factory=dict)
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    def set(
        self, name: str, *, times: int | None = None, chance: float = 1.0, seconds: float = float("inf"), **more: Any
    ) -> None:
        """Raises :class:`ValueError` for a name that is none."""
        if name not in FAULTS:
            raise ValueError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
        left = times if times is not None else 0 if name in LASTING else 1
        self._active[name] = Fault(left, chance, time.monotonic() + seconds, more)

    def heal(self, name: str | None = None) -> None:
        """End one fault, or all."""
        if name is None:
            self._active.clear()
        else:
            self._active.pop(name, None)

    def strike(self, name: str, **here: object) -> Fault | None:
        """Whether the fault happens on this occasion; ``here`` must agree with the fault's own words, if it has them."""
        fault = self._active.get(name)
        if fault is None:
            return None
        if time.monotonic() > fault.until:
            del self._active[name]
            return None
        if any(key in fault.more and fault.more[key] not in _words(value) for key, value in here.items()):
            return None
        if fault.chance < 1 and self._rng.random() >= fault.chance:
            return None
        self.struck[name] += 1
        if fault.left == 1:
            del self._active[name]
        elif fault.left > 1:
            fault.left -= 1
        return fault


def _words(value: object) -> tuple[object, ...]:
    """What an occasion may be called: several names for one."""
    return value if isinstance(value, tuple) else (value,)
