"""A real call's trace as a collector gets it, over OTLP; and the application gets its id."""

from __future__ import annotations

from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.application import SampleApplication
from lab.gateway import GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for


class Collector(ThreadingHTTPServer):
    """Takes spans in as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Span] = []
        Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_one_trace_from_the_request_to_the_result(lab: Lab) -> None:
    gateway = GatewayProcess(lab, name="traces")
    collector = Collector()
    endpoint = f"http://127.0.0.1:{collector.server_address[1]}/v1/traces"
    gateway.config.write_text(gateway.config.read_text() + f'[traces]\nendpoint = "{endpoint}"\n')
    gateway.add_account()
    gateway.start()
    with SampleApplication() as application:
        call_id = gateway.queue_call(
            phone_number=lab.number("person-keys"), start_url=application.start_url, result_url=application.result_url
        )
        wait_for(lambda: application.posts.get(call_id), 60)
        assert gateway.stop() == 0  # sends what is left
        asked = application.traceparents
    collector.shutdown()
    collector.server_close()
    spans = collector.spans
    assert len({span.trace_id for span in spans}) == 1
    named = Counter(span.name for span in spans)
    for name in (
        "call", "intake", "queue", "claim", "attempt", "originate", "ring", "answered", "verdict", "session", "collect",
        "play", "result post",
    ):  # fmt: skip
        assert named[name] >= 1, (name, named)
    assert named["call"] == 1
    ids = {span.span_id for span in spans}
    assert [span.name for span in spans if not span.parent_span_id] == ["call"]
    assert all(span.parent_span_id in ids for span in spans if span.parent_span_id)
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    assert {one.split("-")[1] for one in asked} == {spans[0].trace_id.hex()}
