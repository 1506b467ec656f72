"""The alert rules and the dashboard that are shipped: they name what there is, and Prometheus' own tool accepts them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from gateway.metrics import Instruments
from tests.metrics.test_meter import READING

ROOT = Path(__file__).parents[2]
RULES = ROOT / "packaging/prometheus/voxgate-alerts.yml"
DASHBOARD = ROOT / "packaging/grafana/voxgate.json"
#: Labels that Prometheus itself gives.
GIVEN = {"job", "instance", "le"}


def run(promtool: Path, *words: str, given: bytes | None = None) -> None:
    done = subprocess.run([str(promtool), *words], input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def queries(instance: str = "g") -> Iterator[str]:
    """Every expression of the dashboard, its variables filled in as Grafana does."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$instance", instance)


def used(text: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric of ours that a text names, and the labels that it selects by."""
    for name, selectors in re.findall(r"\b(voxgate_[a-z_]+)(?:\{([^{}]*)\})?", text):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selectors))


@pytest.mark.parametrize("text", [RULES.read_text(), "\n".join(queries())], ids=["alerts", "dashboard"])
def test_every_metric_and_label_that_is_named_exists(text: str) -> None:
    ours = {one.name: set(one.labels) for one in Instruments().ours()}
    histograms = {one.name for one in Instruments().ours() if one.kind == "histogram"}
    found = list(used(text))
    assert len(found) > 10
    for name, labels in found:
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        assert name in ours or base in histograms, name
        assert labels <= ours[name if name in ours else base] | GIVEN, name


def test_the_dashboard_shows_every_metric() -> None:
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for name, _ in used(DASHBOARD.read_text())}
    assert {one.name for one in Instruments().ours()} <= shown


def test_prometheus_accepts_the_configuration_and_each_alert_is_raised_when_it_should(promtool: Path) -> None:
    run(promtool, "check", "config", str(ROOT / "packaging/prometheus/prometheus.yml"))
    run(promtool, "test", "rules", str(Path(__file__).parent / "alerts.yml"))
    tried = (Path(__file__).parent / "alerts.yml").read_text()
    for alert in re.findall(r"alert: (\w+)", RULES.read_text()):
        assert f'alertname="{alert}"' in tried


def test_prometheus_understands_every_query_of_the_dashboard(promtool: Path, tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(queries())]
    file = tmp_path / "rules.yml"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    run(promtool, "check", "rules", str(file))


def test_prometheus_finds_nothing_to_say_of_our_names(promtool: Path) -> None:
    instruments = Instruments()
    READING.show_on(instruments)
    text = generate_latest(instruments.registry).decode()
    ours = re.split(r"(?=^# HELP )", text, flags=re.M)
    run(promtool, "check", "metrics", given="".join(one for one in ours if one.startswith("# HELP voxgate_")).encode())
