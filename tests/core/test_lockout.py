"""Guessing gets slower, from one address and from many, and locks nobody else out."""

from __future__ import annotations

import pytest

from gateway.core.lockout import (
    BRAKE_ADDRESS,
    BRAKE_LOGIN,
    FORGOTTEN_AFTER_MS,
    FREE,
    LONGEST_WAIT_MS,
    Lockout,
    network_of,
)
from gateway.core.model import Millis

NOW = Millis(1_800_000_000_000)


def test_waits_of_one_login_from_one_address_double_up_to_a_quarter_of_an_hour() -> None:
    lockout, now, waits = Lockout(), NOW, []
    for _ in range(14):
        lockout.failed("user", "a", now)
        waits.append(lockout.wait("user", "a", now))
        now = Millis(now + waits[-1] * 1000)
    assert waits[: FREE + 2] == [0, 0, 0, 0, 30, 60, 120]
    assert waits[-1] == LONGEST_WAIT_MS // 1000
    assert lockout.wait("user", "b", now) == lockout.wait("other", "a", now) == 0
    lockout.succeeded("user", "a")
    lockout.failed("user", "a", now)
    assert lockout.wait("user", "a", now) == 0


def test_failures_are_forgotten_after_an_hour() -> None:
    lockout = Lockout()
    for _ in range(FREE - 1):
        lockout.failed("user", "a", NOW)
    later = Millis(NOW + FORGOTTEN_AFTER_MS + 1)
    lockout.failed("user", "a", later)
    assert lockout.wait("user", "a", later) == 0


def test_a_login_guessed_at_from_everywhere_has_a_pace_that_never_grows() -> None:
    lockout, free = Lockout(), BRAKE_LOGIN[0]
    lockout.succeeded("user", "home")
    for number in range(free * 5):
        lockout.failed("user", f"bot{number}", NOW)
    assert lockout.wait("user", "new", NOW) == BRAKE_LOGIN[1] // 1000
    assert lockout.wait("user", "home", NOW) == 0  # who signed in from there before is not held up
    assert lockout.wait("other", "new", NOW) == 0
    assert lockout.wait("user", "new", Millis(NOW + BRAKE_LOGIN[1])) == 0


def test_an_address_that_guesses_at_every_login_has_a_pace_that_never_grows() -> None:
    lockout = Lockout()
    lockout.succeeded("user", "a")
    for number in range(BRAKE_ADDRESS[0] * 5):
        lockout.failed(f"user{number}", "a", NOW)
    assert lockout.wait("another", "a", NOW) == BRAKE_ADDRESS[1] // 1000
    assert lockout.wait("user", "a", NOW) == lockout.wait("another", "b", NOW) == 0


def test_what_passes_a_lock_does_not_while_guesses_keep_coming() -> None:
    lockout = Lockout()
    for _ in range(10):
        assert lockout.calm("user", "a", NOW)
        lockout.refused("user", "a", NOW)
    assert not lockout.calm("user", "a", NOW) and lockout.calm("user", "b", NOW)
    assert lockout.calm("user", "a", Millis(NOW + 10_000))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"), ("", "-"), ("unix", "unix"),
    ],
)  # fmt: skip
def test_one_subscriber_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
