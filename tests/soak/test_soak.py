"""A soak that is over in seconds, and that a gateway which grows, or an Asterisk which rings too often, fails it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.asterisk import Rung, rung
from tests.soak import __main__ as soaking
from tests.soak.run import Soak
from tests.soak.vitals import FLAT, MEGABYTE, Vitals


def _samples(rss: list[float]) -> list[Vitals]:
    return [Vitals(one * MEGABYTE, 0, 40, 60, 4e6, 0, 0, 0, 0, (0.0, 1.0)) for one in rss]


def test_what_fills_its_caches_and_then_stays_is_flat() -> None:
    samples = _samples([80, 120, 160, 190, *[200 + n % 3 for n in range(20)]])
    assert [bound.broken(samples) for bound in FLAT] == ["", "", ""]


def test_what_grows_with_every_call_is_not() -> None:
    samples = _samples([200 + 2 * n for n in range(40)])
    (words,) = [words for bound in FLAT if (words := bound.broken(samples))]
    assert words == "memory grew from 229 to 269 MB, and 250 would be flat"


def test_what_sqlite_caches_of_a_growing_database_is_no_leak_and_more_is() -> None:
    filling = [replace(one, database=one.rss - 150 * MEGABYTE) for one in _samples([150 + n for n in range(60)])]
    assert [bound.broken(filling) for bound in FLAT] == ["", "", ""]
    beyond = [replace(one, database=one.rss) for one in _samples([200 + 2 * n for n in range(60)])]
    assert FLAT[0].broken(beyond)


def test_a_short_soak_keeps_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    soak = soaking.on_the_fake(150, seed=5)
    # Too short for the gateway's memory to have settled.
    words = [one for one in soak.found.words if not one.startswith("memory grew")]
    assert words == []
    assert soak.found.calls == 150
    assert soak.found.rings > 150  # some were tried again
    assert "150 calls" in soak.summary()
    assert "of 150 calls ended" in capsys.readouterr().out


def test_a_phone_that_rang_once_too_often_fails_the_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_one_more(path: object) -> list[Rung]:
        rings = rung(path)  # type: ignore[arg-type]
        return [*rings, rings[0]]

    monkeypatch.setattr(soaking, "rung", with_one_more)
    soak: Soak = soaking.on_the_fake(20, seed=6)
    assert soak.found.twice
    assert soak.broken
    assert soak.summary().startswith("soak: BROKEN")
