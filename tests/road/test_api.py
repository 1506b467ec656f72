"""The public API on real calls: queued, followed by its events, hung up while live, its result posted again."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from gateway.core.model import CallState
from lab.application import SampleApplication
from lab.gateway import LOGIN, PIN, GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for
from voxgate import calls, models, results, system
from voxgate.client import Client, Refused


@pytest.fixture(scope="module")
def road(lab: Lab) -> Iterator[tuple[Client, SampleApplication]]:
    gateway = GatewayProcess(lab, name="api")
    gateway.add_account()
    gateway.start()
    try:
        with SampleApplication() as application:
            yield Client(gateway.base, login=LOGIN, pin=PIN), application
    finally:
        assert gateway.stop() == 0


def test_a_live_call_is_followed_and_hung_up(road: tuple[Client, SampleApplication], lab: Lab) -> None:
    client, application = road
    heard: queue.Queue[models.Event] = queue.Queue()

    def listen() -> None:
        for event in client.events(system.events(after=0)):
            heard.put(event)

    threading.Thread(target=listen, daemon=True).start()
    asked = calls.create(lab.number("silent"), application.start_url, result_url=application.result_url)
    call = client.ask(asked, key="road 1").id
    wait_for(lambda: client.ask(calls.get(call)).state is CallState.IN_CALL)
    wait_for(lambda: application.starts.get(str(call)))  # its session has begun
    assert client.ask(calls.hang_up(call)).attempt == 1
    wait_for(lambda: client.ask(calls.get(call)).state is CallState.COMPLETED)
    with pytest.raises(Refused, match="only a live call"):
        client.ask(calls.hang_up(call))
    shown = client.ask(calls.get(call))
    (attempt,) = shown.history
    assert attempt.id is not None and attempt.answered_at is not None and attempt.evidence
    kinds: list[str] = []
    while "attempt.ended" not in kinds:
        event = heard.get(timeout=20)
        if event.data.get("call_id") == call:
            kinds.append(event.kind)
    wanted = ["call.queued", "attempt.started", "attempt.ringing", "attempt.answered", "attempt.ended"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    wait_for(lambda: len(application.posts[str(call)]) == 1)
    (posted,) = client.pages(results.find(call=call))
    client.ask(results.redeliver(posted.id))
    wait_for(lambda: len(application.posts[str(call)]) == 2)
    assert len(set(application.ids[str(call)])) == 1  # the same webhook-id
    wait_for(lambda: len(client.ask(results.get(posted.id)).history) == 2)
