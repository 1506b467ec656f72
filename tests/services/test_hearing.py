"""The ear of a call and the detector behind it: the same verdicts as from a file, and what is done without a tap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gateway.core.hearing import Classifier, Evidence, Verdict
from gateway.core.model import AttemptId, CalleeType
from gateway.ports import AgiChannel, ChannelGone, Detection, Ear
from gateway.services import hearing as services_hearing
from gateway.services.hearing import Hearing, LineEar, evidence_of
from gateway.services.tapdetector import TapDetector
from tests.core.audio import joined, pcm, silence, tone, words
from tests.services.test_dialog import Channel

ATTEMPT = AttemptId("vg-abc-1")


@dataclass
class Taps:
    """Where Asterisk would connect. ``ears`` are those that expect it."""

    ears: list[Ear] = field(default_factory=list)

    def expect(self, ear: Ear) -> str:
        self.ears.append(ear)
        return "127.0.0.1:1/uuid"

    def close(self, ear: Ear) -> None:
        if ear in self.ears:
            self.ears.remove(ear)


@dataclass
class Pbx:
    refuses: str | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def open_tap(self, attempt: AttemptId, way: str) -> str | None:
        self.asked.append((attempt, way))
        return self.refuses


@dataclass
class Live:
    ear: LineEar | None
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Amd:
    """Asterisk's own detectors."""

    async def detect(self, channel: AgiChannel) -> Detection:
        if channel.hung_up:
            raise ChannelGone("the callee hung up")
        return Detection(CalleeType.ANSWERINGMACHINE, 0.8, {"detector": "agi"})


def hearing(pbx: Pbx, taps: Taps | None) -> Hearing:
    return Hearing(pbx, taps)  # type: ignore[arg-type]


def detector(made: Hearing, live: Live | None) -> TapDetector:
    return TapDetector(made, lambda path: live, Amd())  # type: ignore[arg-type,return-value]


HELLO = pcm(joined(silence(0.4), words([0.6]), silence(3.0)))


def heard(pieces: list[bytes], answered_after: int = 0) -> LineEar:
    """An ear that was given these pieces at once, as after a stall of the loop."""
    ear = LineEar(Classifier())
    ear.began()
    for number, piece in enumerate(pieces):
        if number == answered_after:
            ear.answered()
        ear.audio(piece)
    return ear


def offline(audio: bytes) -> list[Evidence | Verdict]:
    classifier = Classifier()
    classifier.answered()
    return [*classifier.feed(audio), *classifier.finish()]


@pytest.mark.parametrize("size", [1, 7, 320, 1280, 4000, 100_000])
async def test_an_ear_tells_what_a_file_tells_however_it_is_cut(size: int) -> None:
    ear = heard([HELLO[at : at + size] for at in range(0, len(HELLO), size)])
    ear.finish()
    expected = offline(HELLO)
    assert ear.timeline == [one for one in expected if isinstance(one, Evidence)]
    assert ear.verdicts == [one for one in expected if isinstance(one, Verdict)]
    assert ear.verdict is not None
    assert ear.verdict.callee_type is CalleeType.VOICE


async def test_seconds_count_from_the_taps_beginning_and_the_answer_is_among_them() -> None:
    ringing = pcm(tone(2.0, 440, 480))
    ear = heard([ringing, HELLO], answered_after=1)
    found = evidence_of(ear)
    assert found["answered"] == pytest.approx(2.0, abs=0.001)
    assert [one["sound"] for one in found["timeline"]][:2] == ["ringback", "speech"]
    assert found["detector"] == "tap"


async def test_a_line_that_sends_nothing_is_silent() -> None:
    ear = LineEar(Classifier())
    ear.began()
    ear.answered()
    await asyncio.sleep(0.5)
    assert 0.2 < ear.seconds < 0.6
    assert ear.silent_for > 0.1
    ear.finish()


@pytest.mark.parametrize(("goes_on", "lost"), [(0.03, None), (0.2, 4.0)])
async def test_a_tap_that_is_lost_while_the_call_goes_on_leaves_a_mark(
    goes_on: float, lost: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evidence would else look as if all had been heard. A hang-up ends the tap, too, and is told later."""
    monkeypatch.setattr(services_hearing, "LAST_WORDS", 0.1)
    ear = heard([HELLO])
    assert ear.verdict is not None
    ear.ended("the tap's connection was lost")
    await asyncio.sleep(goes_on)
    ear.finish()
    found = evidence_of(ear)
    assert (found.get("lost"), found.get("fallback")) == (lost, lost and "the tap's connection was lost")


@pytest.mark.parametrize("method", ["feed", "answered", "finish"])
async def test_a_fault_of_the_classifiers_ends_the_tap_and_says_so_whenever_it_comes(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(Classifier, method, fails)
    ear = LineEar(Classifier())
    ear.began()
    ear.audio(bytes(1000))  # too little to be heard at once
    ear.answered()
    ear.finish()
    assert not ear.open
    assert "a fault of ours" in ear.fallback


@pytest.mark.parametrize("records", [True, False])
async def test_who_is_not_judged_is_still_recorded_where_recordings_come_from_the_tap(records: bool) -> None:
    made = hearing(Pbx(), Taps())
    made.records = records
    live = Live(made.ear(keeps=True))
    ear = live.ear
    assert ear is not None
    ear.began()
    ear.answered()
    detector(made, live).rest(live)  # type: ignore[arg-type]
    assert ear.open is records
    recorded = bytearray()
    ear.follow(recorded.extend)
    ear.audio(HELLO)
    made.close(ear)
    assert bytes(recorded) == (HELLO if records else b"")
    assert (ear.verdicts, ear.kept) == ([], b"")


async def test_audio_is_kept_around_the_answer_and_no_longer() -> None:
    ear = LineEar(Classifier(), keeps=True)
    ear.began()
    ear.audio(b"\1\0" * 8000 * 7)
    ear.answered()
    ear.audio(b"\2\0" * 8000 * 12)
    assert ear.kept == b"\1\0" * 8000 * 5 + b"\2\0" * 8000 * 10
    assert heard([HELLO]).kept == b""


async def test_a_tap_is_asked_for_once_and_its_verdict_is_the_calls() -> None:
    pbx, taps = Pbx(), Taps()
    made = hearing(pbx, taps)
    live = Live(made.ear())
    assert live.ear is not None
    await made.open(ATTEMPT, live.ear)
    assert pbx.asked == [(ATTEMPT, "127.0.0.1:1/uuid")]
    waiting = asyncio.create_task(detector(made, live).detect(Channel(f"call/{ATTEMPT}")))
    await asyncio.sleep(0.05)
    live.ear.began()
    live.ear.answered()
    live.ear.audio(HELLO)
    found = await asyncio.wait_for(waiting, 5)
    assert (found.callee_type, dict(found.evidence)) == (CalleeType.VOICE, {})
    assert made.status()["in_use"] == "tap"


async def never(live: Live) -> None:
    pass


async def refused(live: Live) -> None:
    assert live.ear is not None
    live.ear.ended("Asterisk refuses the tap")


async def dies(live: Live) -> None:
    assert live.ear is not None
    live.ear.began()
    live.ear.answered()
    live.ear.audio(HELLO[:8000])
    live.ear.ended("the tap's connection was lost")


@pytest.mark.parametrize(
    ("happens", "words"),
    [(never, "no audio came"), (refused, "refuses the tap"), (dies, "connection was lost")],
)
async def test_without_a_verdict_of_the_tap_asterisks_detectors_are_asked_and_the_evidence_says_why(
    happens: Callable[[Live], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.services.tapdetector.BEGINS_WITHIN", 0.1)
    made = hearing(Pbx(), Taps())
    live = Live(made.ear())
    asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(happens(live)))  # type: ignore[arg-type]
    found = await asyncio.wait_for(detector(made, live).detect(Channel(f"call/{ATTEMPT}")), 5)
    assert found.callee_type is CalleeType.ANSWERINGMACHINE
    assert words in str(found.evidence["fallback"])
    status = made.status()
    assert (status["in_use"], status["calls_without"]) == ("agi", 1)
    assert words in status["last_reason"]


async def test_a_hang_up_before_the_verdict_is_none_of_the_taps_faults() -> None:
    made = hearing(Pbx(), Taps())
    live, channel = Live(made.ear()), Channel(f"call/{ATTEMPT}")
    assert live.ear is not None
    live.ear.began()
    live.ear.answered()
    asyncio.get_running_loop().call_later(0.05, live.ear.ended, "Asterisk ended the tap")
    asyncio.get_running_loop().call_later(0.1, setattr, channel, "hung_up", True)
    with pytest.raises(ChannelGone):
        await asyncio.wait_for(detector(made, live).detect(channel), 5)
    assert made.status()["calls_without"] == 0


async def test_a_tap_that_asterisk_refuses_is_not_expected_any_more() -> None:
    taps = Taps()
    made = hearing(Pbx(refuses="no AMI link to Asterisk"), taps)
    ear = made.ear()
    await made.open(ATTEMPT, ear)
    assert taps.ears == []
    assert ear.fallback == "no AMI link to Asterisk"
