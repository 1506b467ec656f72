"""Every metric that the gateway has, with its unit, labels and meaning: docs/metrics.md is made from this.

Names follow https://prometheus.io/docs/practices/naming/. Every label has few values: those of an enumeration, or the
names of trunks in the configuration. None is an account, a campaign, a number or a host.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

#: Seconds. QUICK is for what a database or Asterisk does, SLOW for what people and networks do.
QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TALK = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Described:
    """One metric as it is scraped. A histogram's series are ``name_bucket``, ``name_sum`` and ``name_count``."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


class Instruments:
    """The metrics in a registry of their own: two gateways in one process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._ours: list[Described] = []
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

        # --- the queue ---
        self.build = self._gauge("build_info", "Always 1; the label tells the version.", "version")
        self.calls = self._gauge("calls", "Calls in the database by state; pending and retrying ones wait.", "state")
        self.claim = self._histogram("claim_duration_seconds", "How long a claim of due calls took.", QUICK)
        self.claimed = self._counter("calls_claimed", "Calls that were claimed for dialing.")
        self.accepted = self._histogram(
            "call_intake_duration_seconds", "From the request of a single call to its being queued, durably.", SLOW
        )

        self.http = self._histogram(
            "http_request_duration_seconds", "Requests to the public port, by the part that answers, and status.", SLOW,
            "part", "status",
        )  # fmt: skip

        # --- dialing ---
        self.dialing = self._gauge("dialing_allowed", "1 while calls may start, 0 while nothing at all is dialed.")
        self.originates = self._counter(
            "originates", "Originates by trunk, and by what is certain of each; its rate is the CPS.", "trunk", "placed"
        )
        self.originate = self._histogram(
            "originate_duration_seconds", "From sending an Originate to Asterisk's acknowledgement.", QUICK
        )
        self.setup = self._histogram("call_setup_seconds", "From a call's claim to its channel in Asterisk.", QUICK)
        self.cps_limit = self._gauge("cps_limit", "Calls that may start per second over all trunks.")
        self.trunk_cps_limit = self._gauge("trunk_cps_limit", "Calls that may start per second on a trunk.", "trunk")
        self.live_limit = self._gauge("live_channels_limit", "Calls that may be live at once over all trunks.")
        self.trunk_live = self._gauge("trunk_live_channels", "Calls that are live on a trunk.", "trunk")
        self.trunk_live_limit = self._gauge(
            "trunk_live_channels_limit", "Calls that may be live at once on a trunk.", "trunk"
        )
        self.trunk_suspended = self._gauge(
            "trunk_suspended", "1 while a trunk rests after ten faults in a row.", "trunk"
        )
        self.attempts = self._counter(
            "attempts_ended", "Attempts by trunk, how they ended and who answered.", "trunk", "kind", "callee_type"
        )
        self.ended = self._counter(
            "calls_ended", "Calls whose last attempt ended, by state and who answered.", "state", "callee_type"
        )
        self.talk = self._histogram("call_duration_seconds", "From the answer to the hang-up.", TALK)

        # --- Asterisk ---
        self.ami_up = self._gauge("ami_up", "1 while the AMI link is up.")
        self.ami_reconnects = self._counter("ami_reconnects", "Times the AMI link came up again after it was lost.")
        self.ami_lag = self._histogram("ami_ping_duration_seconds", "Round trip of the Ping on the AMI link.", QUICK)
        self.ami_waiting = self._gauge("ami_events_waiting", "AMI events that came and are not taken in yet.")
        self.taps = self._gauge("taps_open", "Media taps that bring a call's audio now.")
        self.verdicts = self._counter(
            "verdicts", "Answered calls by who answered and by what judged it.", "callee_type", "detector"
        )
        self.judging = self._histogram("verdict_duration_seconds", "From a call's answer to its verdict.", SLOW)

        # --- sessions ---
        self.sessions = self._counter("sessions_ended", "VoiceXML sessions by how they ended.", "outcome")
        self.turns = self._histogram(
            "session_turn_duration_seconds", "Turns of VoiceXML sessions: one action and its event.", SLOW, "action"
        )
        self.fetches = self._histogram(
            "fetch_duration_seconds", "HTTP fetches by purpose, where the host is, and outcome.", SLOW,
            "purpose", "host_class", "outcome",
        )  # fmt: skip
        self.speech = self._counter("speech_requests", "Texts to be spoken, by where the audio came from.", "source")
        self.rendering = self._histogram("speech_render_duration_seconds", "How long it took to render a text.", SLOW)
        self.speech_cache = self._gauge("speech_cache_bytes", "Audio of spoken texts that is kept in memory.")

        # --- results ---
        self.outbox = self._gauge("outbox_results", "Results in the outbox by state.", "state")
        self.outbox_oldest = self._gauge("outbox_oldest_seconds", "Age of the oldest result that still waits.")
        self.posts = self._counter("result_posts", "Result posts by outcome; given_up is posted no more.", "outcome")
        self.posting = self._histogram("result_post_duration_seconds", "How long a result post took.", SLOW)

        # --- the process ---
        self.database = self._gauge("database_bytes", "Size of the database and of its write-ahead log.", "file")
        self.disk = self._gauge("disk_free_bytes", "Free space where the database and the media lie.", "folder")
        self.tasks = self._gauge("event_loop_tasks", "Tasks of the event loop that have not ended.")
        self.loop_lag = self._histogram(
            "event_loop_lag_seconds", "How late the event loop was when it was looked at, four times a second.", QUICK
        )

    def ours(self) -> Iterator[Described]:
        """Every metric but those that the Python client brings."""
        yield from self._ours

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        self._ours.append(Described(f"voxgate_{name}", "gauge", labels, meaning))
        return Gauge(f"voxgate_{name}", meaning, labels, registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self._ours.append(Described(f"voxgate_{name}_total", "counter", labels, meaning))
        return Counter(f"voxgate_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
        self._ours.append(Described(f"voxgate_{name}", "histogram", labels, meaning))
        return Histogram(f"voxgate_{name}", meaning, labels, registry=self.registry, buckets=buckets)
