"""Digits are not lost when the AMI link is cut in the midst of a call, and the call's end is found afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.application import START, SampleApplication
from lab.gateway import GatewayProcess
from lab.lab import Lab
from lab.proxy import Proxy
from tests.road.waiting import wait_for

Road = tuple[GatewayProcess, SampleApplication, Proxy]


@pytest.fixture(scope="module")
def road(lab: Lab) -> Iterator[Road]:
    with Proxy(lab.ami_port) as proxy, SampleApplication() as application:
        gateway = GatewayProcess(lab, name="cut", ami_port=proxy.port)
        gateway.add_account()
        gateway.start()
        try:
            yield gateway, application, proxy
        finally:
            proxy.mend()
            assert gateway.stop() == 0


@pytest.mark.parametrize("moment", ["before the digits", "amid the digits", "while a document is fetched"])
def test_every_digit_reaches_the_application(road: Road, lab: Lab, moment: str) -> None:
    gateway, application, proxy = road
    line = lab.line("person-keys")
    fetched = "fetch" in moment
    # The callee keys some seven seconds after his hello: within the second document's fetch, where that is slow.
    application.pages["slow"] = (9.0, START.replace('next="keyed"', 'next="/slow/keyed"').encode())
    start_url = application.page_url("slow") if fetched else application.start_url
    call_id = gateway.queue_call(phone_number=line.number, start_url=start_url, result_url=application.result_url)
    if fetched:
        wait_for(lambda: gateway.logged("callee.detected", call_id))
    else:
        wait_for(lambda: call_id in application.starts)
    if "amid" in moment:
        typed = pbx_digits(lab)
        wait_for(lambda: pbx_digits(lab) > typed)
    proxy.cut()
    try:
        wait_for(lambda: application.keyed.get("slow" if fetched else call_id) == line.keys)
    finally:
        proxy.mend()
    wait_for(lambda: application.posts.get(call_id))
    assert application.posts[call_id][0]["callee_type"] == "voice"


def pbx_digits(lab: Lab) -> int:
    """Digits that the PBX has received over all calls."""
    return (lab.pbx.folder / "log/messages").read_text(errors="replace").count("DTMF end ")
