"""The page that documents every metric, made from the registry itself."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.metrics.instruments import Instruments

_HEAD = """# Metrics

`GET /metrics` in Prometheus' text format, or OpenMetrics where the scraper asks for it. It is served

- on a port of its own, where `[metrics] port` names one (`[metrics] host` is 127.0.0.1 unless given);
- on the public port, to the networks of `[metrics] allow` alone (none unless given; behind a reverse proxy every peer
  is the proxy);
- to `voxgate metrics` on the gateway's own machine, always.

[packaging/prometheus](../packaging/prometheus) has a scrape configuration and alert rules,
[packaging/grafana](../packaging/grafana) a dashboard.

No label is an account, a campaign, a number or a host: the number of series is bounded by the configuration.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Name as scraped, type, labels and meaning of each metric of ours, by name."""
    for metric in sorted(Instruments().ours(), key=lambda one: one.name):
        yield metric.name, metric.kind, ", ".join(metric.labels), metric.meaning


def markdown() -> str:
    lines = [f"| `{name}` | {kind} | {labels} | {meaning} |" for name, kind, labels, meaning in rows()]
    tail = "\nBeside these come the Python client's own `process_…` and `python_…` metrics.\n"
    return _HEAD + "\n".join(lines) + "\n" + tail
