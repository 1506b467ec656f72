"""Every metric moves in a running gateway when its thing happens, with the real Asterisk."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.metrics import Instruments
from lab.application import SampleApplication
from lab.gateway import GatewayProcess
from lab.instance import free_port
from lab.lab import Lab
from lab.proxy import Proxy
from tests.metrics.samples import Samples, moved, samples, value
from tests.metrics.test_shipped import queries
from tests.road.waiting import wait_for

SHIPPED = Path(__file__).parents[2] / "packaging/prometheus"
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


def test_prometheus_itself_takes_them_and_answers_the_dashboard(road: Road, promtool: Path, tmp_path: Path) -> None:
    """With the configuration and the rules that are shipped, but for the port and the pace."""
    port, own = road[3], free_port()
    for name in ("prometheus.yml", "voxgate-alerts.yml"):
        text = (SHIPPED / name).read_text().replace("127.0.0.1:9464", f"127.0.0.1:{port}")
        (tmp_path / name).write_text(text.replace("scrape_interval: 15s", "scrape_interval: 1s"))
    command = [str(promtool.parent / "prometheus"), f"--config.file={tmp_path}/prometheus.yml"]
    command += [f"--web.listen-address=127.0.0.1:{own}", f"--storage.tsdb.path={tmp_path}/data", "--log.level=warn"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as prometheus:
        try:
            wait_for(lambda: asked(own, "up") == ["1"])
            wait_for(lambda: asked(own, "voxgate_ami_up") == ["1"])
            wait_for(lambda: asked(own, "voxgate_claim_duration_seconds_bucket") != [])
            for query in queries(instance=f"127.0.0.1:{port}"):
                assert asked(own, query) is not None, query
        finally:
            prometheus.terminate()
    assert "level=ERROR" not in (tmp_path / "log").read_text()


def asked(port: int, query: str) -> list[str] | None:
    """The values that Prometheus answers a query with; None where it does not answer."""
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [one["value"][1] for one in json.load(answer)["data"]["result"]]
    except (urllib.error.URLError, ConnectionError):
        return None


def test_the_command_shows_them_and_the_public_port_does_not(road: Road) -> None:
    gateway, _, _, _ = road
    assert "# HELP voxgate_ami_up" in gateway.voxgate("metrics")
    assert {"name": "voxgate_ami_up", "labels": {}, "value": 1.0} in [
        sample for family in gateway.json("metrics") for sample in family["samples"]
    ]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{gateway.base}/metrics", timeout=10)  # noqa: S310 - our own loopback URL
