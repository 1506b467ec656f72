"""A real softphone, registered to the lab's PBX, answers a queued call, hears the prompt and keys digits."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lab import listening
from lab.application import START, SampleApplication
from lab.gateway import GatewayProcess
from lab.lab import Lab
from lab.softphone import Softphone
from tests.road.waiting import wait_for


@pytest.fixture(scope="module")
def road(lab: Lab) -> Iterator[tuple[GatewayProcess, SampleApplication, Softphone]]:
    gateway = GatewayProcess(lab, name="softphone")
    gateway.add_account()
    gateway.start()
    try:
        with SampleApplication() as application, Softphone(lab) as phone:
            yield gateway, application, phone
    finally:
        assert gateway.stop() == 0


Road = tuple[GatewayProcess, SampleApplication, Softphone]


def ring(road: Road, start_url: str) -> str:
    """Queue a call to the phone; its id."""
    gateway, application, _ = road
    return gateway.queue_call(phone_number="901", start_url=start_url, result_url=application.result_url)


def test_a_softphone_is_rung_hears_and_keys(road: Road) -> None:
    gateway, application, phone = road
    call_id = ring(road, application.start_url)
    wait_for(lambda: call_id in application.starts)
    time.sleep(4.5)  # the prompt is heard
    phone.key("2468")
    wait_for(lambda: application.keyed.get(call_id) == "2468")
    wait_for(lambda: application.posts.get(call_id))
    post = application.posts[call_id][0]
    assert (post["result"], post["callee_type"], post["phone_number"]) == ("completed", "voice", "901")
    heard = phone.recordings()
    assert heard
    prompt = max(gateway.media.glob("*.wav"), key=lambda path: path.stat().st_size)
    assert listening.similarity(heard[-1], prompt) > listening.HEARD


def test_digits_typed_while_a_document_is_fetched_are_not_lost(road: Road) -> None:
    """Typed between the answer and the first prompt, while no AGI command listens."""
    gateway, application, phone = road
    application.pages["slow"] = (4.0, START.replace('next="keyed"', 'next="/typed/keyed"').encode())
    call_id = ring(road, application.page_url("slow"))
    wait_for(lambda: gateway.logged("callee.detected", call_id))
    phone.key("1357")
    wait_for(lambda: application.keyed.get("typed") == "1357")
    wait_for(lambda: application.posts.get(call_id))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("broken", b"<vxml version='2.1'><form>"),
        ("huge", b"<vxml version='2.1'>" + b" " * 5_000_000 + b"</vxml>"),
        ("endless", b"<vxml version='2.1'><form id='a'><block><goto next='#a'/></block></form></vxml>"),
    ],
)
def test_a_broken_application_apologises_is_completed_and_says_why(road: Road, name: str, body: bytes) -> None:
    gateway, application, phone = road
    application.pages[name] = (0.0, body)
    before = len(phone.recordings())
    call_id = ring(road, application.page_url(name))
    wait_for(lambda: application.posts.get(call_id))
    assert application.posts[call_id][0]["result"] == "completed"
    call = gateway.json("calls", "show", call_id)
    assert call["application_error"].startswith(("error.badfetch", "error.voxgate.loop"))
    wait_for(lambda: len(phone.recordings()) > before)
    wait_for(lambda: listening.loudness(phone.recordings()[-1]) > 1000, 5)  # the apology is heard
