"""What is done with whom was found, on real calls: machines, detection during the session, and the audio that is kept."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import listening
from lab.application import SampleApplication
from lab.gateway import GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for
from tests.vxml.caller import document

SPEAKS = document(
    "<form><block><prompt>This is a message for you. Please call us back at your leisure.</prompt></block></form>"
)
#: Says who answered as soon as it is told, and keeps what it knew at first.
FOLLOWS = document(
    '<var name="first" expr="session.connection.callee_type"/><catch event="com.voxgate.callee_type">'
    '<var name="told" expr="_event"/><var name="why" expr="_message"/>'
    '<var name="then" expr="session.connection.callee_type"/>'
    '<submit next="KEEP" namelist="first then told why" method="post"/></catch>'
    '<form><field name="code" type="digits?length=4"><property name="timeout" value="20s"/>'
    "<prompt>Hello. This is a rather long text, which is spoken while it is still being found out who is listening to "
    "it, and which is cut short when that is known.</prompt></field></form>"
)  # fmt: skip
#: Notices nothing.
IGNORES = document(
    '<form><field name="code" type="digits?length=4"><property name="timeout" value="3s"/>'
    "<prompt>Please key in your code.</prompt><noinput><exit/></noinput></field></form>"
)


@pytest.fixture(scope="module")
def application() -> Iterator[SampleApplication]:
    with SampleApplication() as serving:
        serving.pages["speaks"] = (0, SPEAKS.encode())
        serving.pages["follows"] = (0, FOLLOWS.replace("KEEP", serving.keep_url("follows")).encode())
        serving.pages["waits"] = (0, IGNORES.replace("3s", "25s").encode())
        serving.pages["ignores"] = (0, IGNORES.encode())
        yield serving


@pytest.fixture(scope="module")
def gateway(lab: Lab) -> Iterator[GatewayProcess]:
    running = GatewayProcess(lab, name="callee")
    running.add_account()
    running.start()
    try:
        yield running
    finally:
        assert running.stop() == 0


def call(
    running: GatewayProcess, application: SampleApplication, number: str, page: str, **fields: str
) -> dict[str, Any]:
    """A call's record once it has ended, and its result post beside it."""
    call_id = running.queue_call(
        phone_number=number, start_url=application.page_url(page), result_url=application.result_url, **fields
    )
    wait_for(lambda: application.posts.get(call_id), 90)
    (post,) = application.posts[call_id]
    return {**running.ask(f"/calls/{call_id}"), "post": post}


def evidence(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["history"][-1]["evidence"]
    return found


def test_after_beep_begins_when_the_beep_is_over_and_not_before(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    number = lab.number("machine")
    before = len(lab.heard(number))
    record = call(gateway, application, number, "speaks", machine="after_beep")
    assert (record["post"]["result"], record["post"]["callee_type"]) == ("completed", "answeringmachine")
    assert evidence(record)["spoken_to"] == "after the beep"
    _, greeted = listening.sounds(lab.said(number)[before])
    spoken, _ = listening.sounds(lab.heard(number)[before])
    assert greeted > 10  # the whole greeting was waited for
    assert greeted < spoken
    print(f"session audio began {(spoken - greeted) * 1000:.0f} ms after the beep")


def test_after_beep_a_person_is_spoken_to_at_once(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    record = call(gateway, application, lab.number("person"), "speaks", machine="after_beep")
    assert record["post"]["callee_type"] == "voice"
    assert "spoken_to" not in evidence(record)


def test_hangup_leaves_no_message_and_counts_as_completed(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    number = lab.number("machine")
    before = len(lab.heard(number))
    record = call(gateway, application, number, "speaks", machine="hangup", detection="before")
    assert (record["post"]["result"], record["post"]["callee_type"]) == ("completed", "answeringmachine")
    assert "hung up on" in record["reason"]
    assert listening.sounds(lab.heard(number)[before]) == (0.0, 0.0)


@pytest.mark.parametrize(("key", "found"), [("machine", "answeringmachine"), ("person", "voice"), ("fax", "fax")])
def test_during_tells_the_application_as_soon_as_it_is_known(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab, key: str, found: str
) -> None:
    application.kept["follows"].clear()
    record = call(gateway, application, lab.number(key), "follows", detection="during")
    (told,) = application.kept["follows"]
    assert (told["first"], told["then"], told["told"]) == ("processing", found, "com.voxgate.callee_type")
    assert str(told["why"]).startswith(f"{found}: ")
    expected = ("failed" if found == "fax" else "completed", found)
    assert (record["post"]["result"], record["post"]["callee_type"]) == expected


def test_during_a_machine_is_hung_up_on_when_it_is_known(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    record = call(gateway, application, lab.number("machine"), "waits", detection="during", machine="hangup")
    assert (record["post"]["result"], record["post"]["callee_type"]) == ("completed", "answeringmachine")
    assert "hung up on" in record["reason"]
    assert record["duration"] < 20


def test_during_disturbs_no_application_that_does_not_ask(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    record = call(gateway, application, lab.number("person"), "ignores", detection="during")
    assert record["post"]["callee_type"] == "voice"
    assert record["application_error"] is None
    assert [step["kind"] for step in evidence(record)["path"]] == ["fetch", "prompt", "noinput", "exit"]


def test_off_asks_nobody(gateway: GatewayProcess, application: SampleApplication, lab: Lab) -> None:
    record = call(gateway, application, lab.number("machine"), "speaks", detection="off")
    assert (record["post"]["result"], record["post"]["callee_type"]) == ("completed", "voice")
    assert evidence(record)["detector"] == "off"


def test_the_first_seconds_are_kept_where_the_account_wants_it(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    record = call(gateway, application, lab.number("hangs-up-in-prompt"), "speaks")
    path = gateway.folder / "evidence" / evidence(record)["audio"]
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert 5 < file.getnframes() / 8000 <= 15
    assert listening.loudness(path) > 1000  # the hello
    assert path.stat().st_mode & 0o077 == 0
    assert Path(path.parent).stat().st_mode & 0o077 == 0
