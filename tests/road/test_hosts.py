"""Gateway and Asterisk on two hosts: with one folder under two names, and with none."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import fetch, hosts, listening
from lab.application import SampleApplication
from lab.behaviours import draw
from lab.gateway import GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for

#: What the machine says some seconds after the answer.
GREETING = fetch.asterisk().sounds / "en/vm-msginstruct.wav"
RECORD = """<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form>
  <record name="message" beep="true" maxtime="8s" finalsilence="3s" dtmfterm="true">
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
    assert kept[0] == "audio/wav"
    (uploaded := tmp_path / "uploaded.wav").write_bytes(kept[1])
    with wave.open(str(tmp_path / "end.wav"), "wb") as end:  # of the greeting, wherever in it the session began
        end.setparams((1, 2, 8000, 0, "NONE", ""))
        end.writeframes(kept[1][-4 * 16_000 :])
    assert listening.similarity(GREETING, tmp_path / "end.wav", 4.0) > listening.HEARD
    assert listening.similarity(far.lab.heard(number)[-1], uploaded) > listening.HEARD  # played back
    assert not list(far.media.glob("recording-*"))  # nothing of it is kept
