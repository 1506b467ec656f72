"""Gateway and Asterisk on two hosts: with one folder under two names, and with none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import hosts, listening
from lab.application import SampleApplication
from lab.behaviours import draw
from lab.gateway import GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for

REASON = hosts.why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"two hosts were not tested: {REASON}")


@pytest.fixture(scope="module", params=["another name", "no folder"])
def far(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway here, and its Asterisk on a host of its own."""
    folder = tmp_path_factory.mktemp("far")
    (media := folder / "media").mkdir()
    (elsewhere := folder / "elsewhere").mkdir()
    seen_as = elsewhere if request.param == "another name" else None
    with hosts.OtherHost(media, seen_as) as host, Lab(plan=draw(each=2), host=host) as lab:
        gateway = GatewayProcess(lab)
        gateway.add_account()
        gateway.start()
        try:
            yield gateway
        finally:
            assert gateway.stop() == 0
            print(gateway.log.read_text())


def test_a_callee_hears_the_prompt_and_keys(far: GatewayProcess) -> None:
    number = far.lab.number("person-keys")
    with SampleApplication() as application:
        call_id = far.queue_call(
            phone_number=number, start_url=application.start_url, result_url=application.result_url
        )
        wait_for(lambda: application.posts.get(call_id), 60)
    assert application.posts[call_id][0]["result"] == "completed"
    assert application.keyed[call_id] == far.lab.line("person-keys").keys
    (heard,) = far.lab.heard(number)
    assert max(listening.similarity(heard, prompt) for prompt in far.media.glob("*.wav")) > listening.HEARD
