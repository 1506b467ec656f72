"""Typed digits, told by AMI and by AGI, counted once and never lost."""

from __future__ import annotations

from gateway.services.digits import DigitBuffer


def taken(digits: DigitBuffer) -> str:
    found = ""
    while (digit := digits.take()) is not None:
        found += digit
    return found


async def test_a_digit_that_both_tell_of_counts_once_whoever_is_first() -> None:
    digits = DigitBuffer(lambda: True)
    digits.command_begins()
    digits.feed_ami("5")
    await digits.feed_agi("5")
    assert taken(digits) == "5"


async def test_agi_alone_counts_while_ami_is_away() -> None:
    up = [False]
    digits = DigitBuffer(lambda: up[0])
    digits.command_begins()
    await digits.feed_agi("7")
    up[0] = True
    digits.feed_ami("7")  # a second 7: the link came up after the first
    digits.feed_ami("8")
    assert taken(digits) == "778"


async def test_a_stalled_amis_late_word_is_dropped_unless_its_link_was_lost() -> None:
    digits = DigitBuffer(lambda: True)
    for lost in (False, True):
        digits.command_begins()
        await digits.feed_agi("7")
        if lost:
            digits.ami_lost()
        digits.feed_ami("7")
        digits.feed_ami("8")
    assert taken(digits) == "78" + "778"


async def test_a_stalled_ami_loses_no_digit() -> None:
    digits = DigitBuffer(lambda: True)
    digits.command_begins()
    await digits.feed_agi("3")  # AMI never tells
    assert taken(digits) == "3"


async def test_type_ahead_keeps_its_order_and_repeats() -> None:
    digits = DigitBuffer(lambda: True)
    for digit in "1123":
        digits.feed_ami(digit)
    digits.command_begins()
    digits.feed_ami("3")
    await digits.feed_agi("3")
    assert taken(digits) == "11233"
    digits.feed_ami("1")
    digits.flush()
    assert not digits
