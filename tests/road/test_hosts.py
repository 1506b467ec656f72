"""Gateway and Asterisk on two hosts: with one folder under two names, and with none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import fetch, hosts, listening
from lab.application import SampleApplication
from lab.behaviours import draw
from lab.gateway import GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for

PHRASES = fetch.asterisk().sounds / "en"
RECORD = """<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form>
  <record name="message" beep="true" maxtime="20s" finalsilence="2s" dtmfterm="true">
    <filled><prompt><audio expr="message"/></prompt>
      <submit next="{keep}" method="post" enctype="multipart/form-data" namelist="message"/></filled>
  </record></form></vxml>"""

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


def test_what_a_callee_says_is_recorded_played_back_and_uploaded(far: GatewayProcess, tmp_path: Path) -> None:
    number = far.lab.number("machine")
    with SampleApplication() as application:
        application.pages["record"] = (0.0, RECORD.replace("{keep}", application.keep_url("record")).encode())
        call_id = far.queue_call(
            phone_number=number, start_url=application.page_url("record"), result_url=application.result_url
        )
        wait_for(lambda: application.posts.get(call_id), 90)
    kept = application.kept["record"][-1]["message"]
    assert isinstance(kept, tuple)
    (uploaded := tmp_path / "uploaded.wav").write_bytes(kept[1])
    assert kept[0] == "audio/wav"
    assert listening.similarity(uploaded, PHRASES / "vm-intro.wav") > listening.HEARD  # the greeting's end
    assert listening.similarity(far.lab.heard(number)[-1], PHRASES / "vm-intro.wav") > listening.HEARD
    assert not list(far.media.glob("recording-*"))  # nothing of it is kept
