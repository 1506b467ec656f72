"""``voxgate metrics``: the running gateway's metrics."""

from __future__ import annotations

from gateway.cli.client import metrics as exposed
from gateway.cli.shared import ConfigOption, JsonOption, client_of, show_json


def metrics(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the running gateway's metrics in Prometheus' text format."""
    text = b"".join(client_of(config).pieces(exposed())).decode()
    if not as_json:
        print(text, end="")
        return
    from prometheus_client.parser import text_string_to_metric_families

    show_json(
        [
            {
                "name": family.name, "type": family.type, "meaning": family.documentation,
                "samples": [{"name": one.name, "labels": one.labels, "value": one.value} for one in family.samples],
            }
            for family in text_string_to_metric_families(text)
        ]
    )  # fmt: skip
