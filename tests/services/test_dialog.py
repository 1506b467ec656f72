"""One answered call over a channel, a network and a voice that fail when they are told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.adapters.audio import wav_of_samples
from gateway.adapters.cookies import CookieStore
from gateway.adapters.media import FileMedia, in_folder
from gateway.adapters.store import SqliteStore
from gateway.core.handling import Handling
from gateway.core.hearing import Classifier
from gateway.core.model import AccountSettings, AttemptId, CalleeType, DetectionMode, MachineHandling, Millis
from gateway.core.retry import RetryPolicy
from gateway.ports import (
    AgiChannel,
    ChannelGone,
    Detection,
    FetchRequest,
    FetchResponse,
    Lane,
    PlaybackFailed,
    StoreError,
)
from gateway.services import livecalls
from gateway.services.dialog import DialogService, DialogSettings, callee, recording
from gateway.services.dialog.prompts import PromptRenderer
from gateway.services.hearing import Hearing, LineEar
from gateway.services.livecalls import LiveCall, LiveCalls
from gateway.services.tapdetector import TapLost
from tests.adapters.test_store import NOW, call, plan
from tests.services.test_rescuer import Clock, StubPbx
from tests.vxml.caller import document


@dataclass
class Channel:
    """A callee who listens. ``records`` False: Asterisk cannot write recordings."""

    path: str
    hung_up: bool = False
    records: bool = True
    played: int = 0
    takes: float = 0.0  # seconds of whatever it is asked for
    commands: list[str] = field(default_factory=list)

    def _live(self) -> None:
        if self.hung_up:
            raise ChannelGone("the callee hung up")

    async def stream_file(self, file: str, escape_digits: str = "") -> str:
        self._live()
        self.played += 1
        await asyncio.sleep(self.takes)
        return ""

    async def until_hung_up(self) -> None:
        while not self.hung_up:
            await asyncio.sleep(0.02)

    async def wait_for_digit(self, timeout_ms: int) -> str:
        self._live()
        await asyncio.sleep(timeout_ms / 1000)
        self._live()
        return ""

    async def record_file(
        self, file: str, fmt: str, escape_digits: str, timeout_ms: int, *, beep: bool, silence: int = 0
    ) -> str:
        self._live()
        if not self.records:
            raise PlaybackFailed(f"Asterisk cannot record {file}: randomerror")
        path = Path(f"{file}.{fmt}")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(wav_of_samples(b"\1\2" * 800, 8000))
        await asyncio.sleep(self.takes)
        return ""

    async def execute(self, application: str, arguments: str = "", timeout: float = 600.0) -> str:
        self._live()
        self.commands.append(f"{application}({arguments})")
        return "0"

    async def get_variable(self, name: str) -> str | None:
        return None

    async def set_variable(self, name: str, value: str) -> None:
        self._live()

    async def hangup(self) -> None:
        self._live()
        self.hung_up = True


class Person:
    async def detect(self, channel: AgiChannel) -> Detection:
        return Detection(CalleeType.VOICE, 0.9)

    async def ready(self, live: LiveCall) -> bool:
        return False


class During(Person):
    """A tap that tells a machine after a moment."""

    async def ready(self, live: LiveCall) -> bool:
        return True

    async def listen(self, live: LiveCall) -> Detection:
        await asyncio.sleep(0.1)
        if not self.lasts:
            raise TapLost("the tap's connection was lost")
        return Detection(CalleeType.ANSWERINGMACHINE, 0.9)

    def __init__(self, *, lasts: bool = True) -> None:
        self.lasts = lasts


class Machine(Person):
    """A tap that told a machine."""

    async def detect(self, channel: AgiChannel) -> Detection:
        return Detection(CalleeType.ANSWERINGMACHINE, 0.9)

    async def ready(self, live: LiveCall) -> bool:
        return live.ear is not None and live.ear.open


class Voice:
    async def render(self, ssml: str, language: str) -> bytes:
        return wav_of_samples(b"\1\2" * 80, 8000)


class Web:
    """``pages`` by path: a body, an exception, or seconds of silence before an empty answer."""

    def __init__(self) -> None:
        self.pages: dict[str, str | Exception | float] = {}
        self.answered: list[str] = []

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        page = self.pages[request.url.removeprefix("http://a")]
        if isinstance(page, Exception):
            raise page
        if isinstance(page, float):
            await asyncio.sleep(page)
            page = ""
        self.answered.append(request.url.removeprefix("http://a"))
        return FetchResponse(request.url, 200, "application/voicexml+xml", None, page.encode())


@dataclass
class Booth:
    web: Web
    channel: Channel
    live: LiveCall
    pbx: StubPbx
    service: DialogService

    async def talk(self) -> None:
        assert self.service.accept(self.channel.path)
        async with asyncio.timeout(10):
            await self.service.handle(self.channel)


@pytest.fixture
async def booth(tmp_path: Path) -> AsyncIterator[Callable[..., Booth]]:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    pbx = StubPbx()
    calls = LiveCalls(store, pbx, Clock(NOW), Hearing(pbx, None))  # type: ignore[arg-type]
    holding = asyncio.create_task(calls.run())

    async def made(judge: Person | None = None, handling: Handling | None = None, **changes: str) -> Booth:
        await store.queue_call(account.id, call(**changes), plan(), NOW)
        (claimed,) = await store.claim([Lane("t", 1)], NOW, 1)
        live, web = calls.add(claimed), Web()
        media = FileMedia(tmp_path / "media", in_folder(str(tmp_path / "media")))
        renderer = PromptRenderer(Voice(), media, web)
        service = DialogService(
            calls, pbx, judge or Person(), renderer, web, media, lambda claimed, to: None, CookieStore,
            DialogSettings(handling=handling or Handling()),  # type: ignore
        )  # fmt: skip
        return Booth(web, Channel(f"call/{AttemptId(live.id)}"), live, pbx, service)

    yield made
    holding.cancel()
    with suppress(asyncio.CancelledError):
        await holding
    await store.close()


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (document('<form><record name="r" maxtime="5s"/></form>'), "cannot record"),
        (ZeroDivisionError("a fault of ours"), "a fault of ours"),
    ],
)
async def test_a_fault_within_is_apologised_for_and_recorded(
    booth: Callable[..., Booth], page: str | Exception, words: str
) -> None:
    made = await booth()  # type: ignore[misc]
    made.web.pages["/s"] = page
    made.channel.records = False
    await made.talk()
    record = made.live.session
    assert record is not None
    assert record.began
    assert words in (record.application_error or "")
    assert made.channel.played == 1  # the apology
    assert made.channel.hung_up
    assert made.live.session_ended.is_set()


async def test_a_store_that_cannot_write_the_answer_costs_no_session_and_is_asked_until_it_can(
    booth: Callable[..., Booth], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hung up on, the callee would be rung again; unwritten, a crash would have him rung again."""
    monkeypatch.setattr(livecalls, "STORE_RETRY", 0.02)
    written, whole = asyncio.Event(), SqliteStore.mark_answered
    fails = 3

    async def mark_answered(store: SqliteStore, attempt: AttemptId, at: Millis) -> None:
        nonlocal fails
        fails -= 1
        if fails >= 0:
            raise StoreError("the database could not be written: database or disk is full")
        await whole(store, attempt, at)
        written.set()

    monkeypatch.setattr(SqliteStore, "mark_answered", mark_answered)
    made = await booth()  # type: ignore[misc]
    made.web.pages["/s"] = document("<form><block><exit/></block></form>")
    await made.talk()
    record = made.live.session
    assert record is not None and record.began and record.callee_type is CalleeType.VOICE
    async with asyncio.timeout(5):
        await written.wait()


async def test_a_store_that_takes_long_leaves_no_callee_in_silence(
    booth: Callable[..., Booth], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that another process holds is waited for during 10 s; nobody stays on the line for that."""
    monkeypatch.setattr(livecalls, "ANSWER_WITHIN", 0.05)
    held, whole = asyncio.Event(), SqliteStore.mark_answered

    async def mark_answered(store: SqliteStore, attempt: AttemptId, at: Millis) -> None:
        await held.wait()
        await whole(store, attempt, at)

    monkeypatch.setattr(SqliteStore, "mark_answered", mark_answered)
    made = await booth()  # type: ignore[misc]
    made.web.pages["/s"] = document("<form><block><exit/></block></form>")
    async with asyncio.timeout(5):
        await made.talk()
    assert made.live.session is not None and made.live.session.began
    held.set()


async def test_a_dead_fetchaudio_holds_up_no_document(booth: Callable[..., Booth]) -> None:
    made = await booth()  # type: ignore[misc]
    made.web.pages |= {
        "/s": document(
            '<property name="fetchaudio" value="/music.wav"/><property name="fetchaudiodelay" value="0s"/>'
            '<property name="fetchaudiominimum" value="0s"/><form><block><goto next="/next"/></block></form>'
        ),
        "/music.wav": 30.0,
        "/next": document("<form><block><prompt>There</prompt></block></form>"),
    }
    await made.talk()
    assert made.live.session is not None
    assert made.live.session.application_error is None
    assert made.channel.played == 1


async def test_a_long_recording_is_listened_to_off_the_loop(
    booth: Callable[..., Booth], monkeypatch: pytest.MonkeyPatch
) -> None:
    listened: list[threading.Thread] = []

    def spoken(samples: bytes) -> bool:
        listened.append(threading.current_thread())
        return True

    monkeypatch.setattr(recording, "spoken", spoken)
    made = await booth()  # type: ignore[misc]
    made.web.pages["/s"] = document('<form><record name="r" maxtime="5s"/></form>')
    await made.talk()
    assert listened
    assert threading.main_thread() not in listened


async def test_a_hang_up_while_ami_is_away_does_not_cut_a_submit_short(booth: Callable[..., Booth]) -> None:
    made = await booth()  # type: ignore[misc]
    made.web.pages |= {"/s": document('<form><block><submit next="/next"/></block></form>'), "/next": 0.6}
    made.pbx.connected = False
    asyncio.get_running_loop().call_later(0.2, setattr, made.channel, "hung_up", True)
    await made.talk()
    assert made.web.answered == ["/s", "/next"]


async def test_every_way_to_write_a_pause_pauses(booth: Callable[..., Booth]) -> None:
    made = await booth(postd="1,2p3P4w5")  # type: ignore[misc]
    made.web.pages["/s"] = document("<form/>")
    await made.talk()
    assert made.channel.commands == ["SendDTMF(1w2w3w4w5)"]


async def test_a_digit_typed_in_a_silence_that_none_may_cut_short_asks_nothing_of_asterisk(
    booth: Callable[..., Booth], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await booth()  # type: ignore[misc]
    made.web.pages["/s"] = document(
        '<form><block><prompt bargein="false"><break time="700ms"/></prompt></block></form>'
    )
    stopped = 0

    async def stop(attempt: AttemptId) -> None:
        nonlocal stopped
        stopped += 1

    monkeypatch.setattr(made.pbx, "stop_playback", stop, raising=False)
    asyncio.get_running_loop().call_later(0.1, made.live.digits.feed_ami, "5")
    await made.talk()
    assert stopped == 0


async def test_the_callee_is_judged_from_the_end_of_postd_on(booth: Callable[..., Booth]) -> None:
    made = await booth(postd="2w3")  # type: ignore[misc]
    made.web.pages["/s"] = document("<form><block><exit/></block></form>")
    ear = made.live.ear = LineEar(Classifier())
    ear.began()
    judged: list[float | None] = []
    execute = made.channel.execute

    async def sent(application: str, arguments: str = "", timeout: float = 600.0) -> str:
        judged.append(ear.answered_at)
        return await execute(application, arguments, timeout)

    made.channel.execute = sent
    await made.talk()
    assert made.channel.commands == ["SendDTMF(2w3)"]
    assert judged == [None]
    assert ear.answered_at is not None
    ear.finish()


async def test_a_tap_that_dies_before_the_beep_leaves_the_waiting_to_asterisk(booth: Callable[..., Booth]) -> None:
    made = await booth(Machine(), Handling(machine=MachineHandling.AFTER_BEEP))  # type: ignore[misc]
    made.web.pages["/s"] = document("<form><block><prompt>Hello</prompt></block></form>")
    ear = made.live.ear = LineEar(Classifier())
    ear.began()
    ear.answered()
    asyncio.get_running_loop().call_later(0.2, ear.ended, "the tap's connection was lost")
    heard_before: list[int] = []
    execute = made.channel.execute

    async def waits(application: str, arguments: str = "", timeout: float = 600.0) -> str:
        heard_before.append(made.channel.played)
        return await execute(application, arguments, timeout)

    made.channel.execute = waits
    await made.talk()
    assert made.channel.commands == ["WaitForSilence(3000,1,90)"]
    assert (heard_before, made.channel.played) == ([0], 1)
    record = made.live.session
    assert record is not None
    assert record.evidence["spoken_to"] == "after a silence, told without a tap"


@pytest.mark.parametrize("machine", MachineHandling)
async def test_persons_are_doubted_where_machines_are_spoken_to_after_the_beep(
    booth: Callable[..., Booth], machine: MachineHandling
) -> None:
    class Ear(Classifier):
        doubts = False

        def await_beep(self) -> None:
            self.doubts = True

    made = await booth(None, Handling(machine=machine))  # type: ignore[misc]
    made.web.pages["/s"] = document("<form><block><exit/></block></form>")
    classifier = Ear()
    made.live.ear = LineEar(classifier)
    await made.talk()
    assert classifier.doubts is (machine is MachineHandling.AFTER_BEEP)


FIELD = (
    '<catch event="com.voxgate.callee_type">{}</catch><form><field name="n" type="digits?length=1">'
    '<property name="timeout" value="0.6s"/><prompt>Hello</prompt><noinput><exit/></noinput></field></form>'
)


def told(made: Booth) -> list[str]:
    assert made.live.session is not None
    steps: list[dict[str, str]] = made.live.session.evidence["path"]
    return [step["kind"] for step in steps if step["kind"] != "fetch"]


@pytest.mark.parametrize(
    ("handler", "steps"),
    [
        ('<log expr="1"/>', ["prompt", "event", "noinput", "exit"]),  # it leads nowhere: the input goes on
        ("<exit/>", ["prompt", "event", "exit"]),
        ("<reprompt/>", ["prompt", "event", "prompt", "noinput", "exit"]),
        ('<goto next="/next"/>', ["prompt", "event", "prompt", "exit"]),
    ],
)
async def test_a_verdict_during_the_session_is_an_event_that_may_change_its_course(
    booth: Callable[..., Booth], handler: str, steps: list[str]
) -> None:
    made = await booth(During(), Handling(DetectionMode.DURING))  # type: ignore[misc]
    made.live.ear = LineEar(Classifier())
    made.live.ear.began()
    made.web.pages |= {
        "/s": document(FIELD.format(handler)), "/next": document("<form><block><prompt>There</prompt></block></form>"),
    }  # fmt: skip
    await made.talk()
    assert told(made) == steps
    record = made.live.session
    assert record is not None
    assert (record.callee_type, record.began, record.application_error) == (CalleeType.ANSWERINGMACHINE, True, None)
    made.live.ear.finish()


@pytest.mark.parametrize(
    "before",
    [
        "<form><block><prompt>One</prompt><break time='300ms'/></block>{}</form>",
        "<form><record name='r' maxtime='5s'/>{}</form>",
    ],
    ids=["block", "record"],
)
async def test_a_verdict_where_nothing_is_waited_for_is_told_at_the_next_input(
    booth: Callable[..., Booth], before: str
) -> None:
    made = await booth(During(), Handling(DetectionMode.DURING))  # type: ignore[misc]
    made.channel.takes = 0.3  # seconds of each prompt and recording: the verdict comes meanwhile
    made.live.ear = LineEar(Classifier())
    made.live.ear.began()
    field = '<field name="n" type="digits?length=1"><property name="timeout" value="9s"/></field>'
    made.web.pages["/s"] = document(
        '<catch event="com.voxgate.callee_type"><exit/></catch><catch event="error"/>' + before.format(field)
    )
    await made.talk()
    assert told(made)[-2:] == ["event", "exit"]
    made.live.ear.finish()


async def test_a_machine_heard_in_a_session_is_hung_up_on_once_the_ami_link_is_back(
    booth: Callable[..., Booth], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callee, "LINK_LOOK", 0.02)
    made = await booth(During(), Handling(DetectionMode.DURING, MachineHandling.HANGUP))  # type: ignore[misc]
    made.live.ear = LineEar(Classifier())
    made.live.ear.began()
    made.web.pages["/s"] = document(FIELD.format("").replace("0.6s", "2s"))
    made.pbx.connected = False
    hung_up: list[bool] = []

    async def hangup(attempt: AttemptId) -> None:
        hung_up.append(made.pbx.connected)
        made.channel.hung_up = True
        made.live.gone.set()

    monkeypatch.setattr(made.pbx, "hangup", hangup)
    talking = asyncio.create_task(made.talk())
    await asyncio.sleep(0.5)
    assert hung_up == []
    made.pbx.connected = True
    await talking
    assert hung_up == [True]
    assert made.live.session is not None and made.live.session.turned_away
    made.live.ear.finish()


async def test_a_tap_that_dies_during_the_session_makes_the_callee_a_person_and_says_so(
    booth: Callable[..., Booth],
) -> None:
    made = await booth(During(lasts=False), Handling(DetectionMode.DURING))  # type: ignore[misc]
    made.live.ear = LineEar(Classifier())
    made.live.ear.began()
    made.web.pages["/s"] = document(FIELD.format("<exit/>"))
    await made.talk()
    record = made.live.session
    assert record is not None
    assert record.callee_type is CalleeType.VOICE
    assert "connection was lost" in record.evidence["fallback"]
    made.live.ear.finish()


async def test_a_machine_that_is_to_be_hung_up_on_hears_no_session(booth: Callable[..., Booth]) -> None:
    class Machine(Person):
        async def detect(self, channel: AgiChannel) -> Detection:
            return Detection(CalleeType.ANSWERINGMACHINE, 0.9)

    made = await booth(Machine(), Handling(machine=MachineHandling.HANGUP))  # type: ignore[misc]
    await made.talk()
    record = made.live.session
    assert record is not None
    assert (record.turned_away, record.began, made.web.answered) == (True, False, [])
    assert made.channel.hung_up


async def test_an_application_that_ends_before_the_verdict_has_spoken_to_somebody(booth: Callable[..., Booth]) -> None:
    made = await booth(During(), Handling(DetectionMode.DURING))  # type: ignore[misc]
    made.live.ear = LineEar(Classifier())
    made.live.ear.began()
    made.web.pages["/s"] = document("<form><block><prompt>Good bye</prompt></block></form>")
    await made.talk()
    assert made.live.session is not None
    assert made.live.session.callee_type is CalleeType.VOICE
    made.live.ear.finish()
