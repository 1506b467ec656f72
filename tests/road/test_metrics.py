"""Every metric moves in a running gateway when its thing happens, with the real Asterisk."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from gateway.metrics import Instruments
from lab.application import SampleApplication
from lab.gateway import GatewayProcess
from lab.instance import free_port
from lab.lab import Lab
from lab.proxy import Proxy
from tests.metrics.samples import Samples, moved, samples, value
from tests.road.waiting import wait_for

#: What a healthy lab cannot show; tests/metrics shows it.
STILL = {"voxgate_trunk_suspended", "voxgate_ami_events_waiting"}

Road = tuple[GatewayProcess, SampleApplication, Proxy, int]


@pytest.fixture(scope="module")
def road(lab: Lab) -> Iterator[Road]:
    with Proxy(lab.ami_port) as proxy, SampleApplication() as application:
        gateway = GatewayProcess(lab, name="metrics", ami_port=proxy.port)
        port = free_port()
        gateway.config.write_text(gateway.config.read_text() + f"[metrics]\nport = {port}\n")
        gateway.add_account()
        gateway.start()
        try:
            yield gateway, application, proxy, port
        finally:
            proxy.mend()
            assert gateway.stop() == 0


def scrape(port: int) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return samples(answer.read().decode())


def test_every_metric_moves_when_its_thing_happens(road: Road, lab: Lab) -> None:
    gateway, application, proxy, port = road
    application.files["closed"] = ("text/plain", b"")  # answers a GET, and no POST
    before = scrape(port)
    person = gateway.queue_call(
        phone_number=lab.number("person-keys"), start_url=application.start_url, result_url=application.result_url
    )
    wait_for(lambda: value(scrape(port), "voxgate_trunk_live_channels", trunk="carrier") == 1)
    during = scrape(port)
    gateway.queue_call(
        phone_number=lab.number("busy"), start_url=application.start_url,
        result_url=f"http://127.0.0.1:{application.port}/file/closed",
    )  # fmt: skip
    wait_for(lambda: value(scrape(port), "voxgate_result_posts_total", outcome="failed"))
    wait_for(lambda: application.posts.get(person))
    wait_for(lambda: value(scrape(port), "voxgate_result_posts_total", outcome="accepted"))
    wait_for(lambda: value(scrape(port), "voxgate_ami_ping_duration_seconds_count"))
    met = scrape(port)
    proxy.cut()
    wait_for(lambda: value(scrape(port), "voxgate_ami_up") == 0)
    cut = scrape(port)
    assert value(cut, "voxgate_dialing_allowed") == 0
    proxy.mend()
    wait_for(lambda: value(scrape(port), "voxgate_ami_reconnects_total") == 1)

    names = {one.name for one in Instruments().ours()}
    changed = (
        moved({}, before) | moved(before, during) | moved(before, met) | moved(met, cut) | moved(cut, scrape(port))
    )
    assert names - changed == STILL
    assert value(met, "voxgate_attempts_ended_total", trunk="carrier", kind="reached", callee_type="voice") == 1
    assert value(met, "voxgate_attempts_ended_total", trunk="carrier", kind="not_reached", callee_type="busy") == 1
    assert value(met, "voxgate_calls_ended_total", state="completed", callee_type="voice") == 1
    assert value(met, "voxgate_originates_total", trunk="carrier", placed="queued") == 2
    assert value(met, "voxgate_calls", state="completed") == value(met, "voxgate_calls", state="failed") == 1
    assert value(met, "voxgate_outbox_results", state="waiting") == 1
    assert value(met, "voxgate_sessions_ended_total", outcome="exited") == 1
    assert value(met, "voxgate_verdicts_total", callee_type="voice", detector="tap") == 1
    for purpose, outcome, least in (("application", "2xx", 2), ("preflight", "2xx", 3), ("result", "4xx", 1)):
        assert least <= value(
            met, "voxgate_fetch_duration_seconds_count", purpose=purpose, host_class="loopback", outcome=outcome
        )


def test_the_command_shows_them_and_the_public_port_does_not(road: Road) -> None:
    gateway, _, _, _ = road
    assert "# HELP voxgate_ami_up" in gateway.voxgate("metrics")
    assert {"name": "voxgate_ami_up", "labels": {}, "value": 1.0} in [
        sample for family in gateway.json("metrics") for sample in family["samples"]
    ]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{gateway.base}/metrics", timeout=10)  # noqa: S310 - our own loopback URL
