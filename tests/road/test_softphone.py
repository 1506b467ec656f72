"""A real softphone, registered to the lab's PBX, answers a queued call, hears the prompt and keys digits."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable
from xml.etree import ElementTree

from lab import demo, listening
from lab.application import SampleApplication
from lab.gateway import LOGIN, PIN, GatewayProcess
from lab.lab import Lab
from lab.softphone import Softphone


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_a_softphone_is_rung_hears_and_keys(lab: Lab) -> None:
    gateway = GatewayProcess(lab, name="softphone")
    gateway.add_account()
    gateway.start()
    try:
        with SampleApplication() as application, Softphone(lab) as phone:
            fields = {
                "login": LOGIN, "pin": PIN, "phone_number": "901", "start_url": application.start_url,
                "result_url": application.result_url,
            }  # fmt: skip
            reply = demo._post(gateway, "queuecall.php", urllib.parse.urlencode(fields).encode())
            call_id = ElementTree.fromstring(reply).get("call_id", "")
            assert call_id, reply
            wait_for(lambda: call_id in application.starts)
            time.sleep(4.5)  # the prompt is heard
            phone.key("2468")
            wait_for(lambda: application.keyed.get(call_id) == "2468")
            wait_for(lambda: application.posts.get(call_id))
            post = application.posts[call_id][0]
            assert (post["result"], post["callee_type"], post["phone_number"]) == ("completed", "voice", "901")
            heard = phone.recordings()
            assert heard
            prompt = max(lab.media.glob("*.wav"), key=lambda path: path.stat().st_size)
            assert listening.similarity(heard[-1], prompt) > listening.HEARD
    finally:
        assert gateway.stop() == 0
