"""Structured logs: stable event names, call ids, JSON or console; never digits, PINs or what was said."""

from __future__ import annotations

import logging
import sys

import structlog

from gateway.recent import RECENT


def configure(*, as_json: bool, level: str = "info") -> None:
    """Log to stderr. Other libraries' warnings come through the same stream."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)  # the adapter logs what matters, with its context
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            RECENT,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
