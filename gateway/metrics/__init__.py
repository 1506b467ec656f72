"""Prometheus metrics: made from happenings as they come, and from a reading of the gateway at each scrape."""

from gateway.metrics.endpoint import MetricsEndpoint
from gateway.metrics.http import timed
from gateway.metrics.instruments import Instruments
from gateway.metrics.looplag import watch_loop
from gateway.metrics.meter import Meter
from gateway.metrics.reading import Reading, TrunkReading

__all__ = ["Instruments", "Meter", "MetricsEndpoint", "Reading", "TrunkReading", "timed", "watch_loop"]
