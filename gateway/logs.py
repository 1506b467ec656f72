"""Structured logs: stable event names, JSON or console, the call of every line; no secret, nothing keyed or said.

An event's name begins with its area (``ami.up``): levels are set for all and for single areas.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

#: Fields whose values are nobody's business, should they ever be logged.
SECRET = frozenset({"pin", "secret", "token", "password", "authorization", "cookie", "digits", "keyed", "transcript"})
#: A URL's user and password, and its query: forms that are sent by GET hold what callees keyed.
_USERINFO = re.compile(r"(\bhttps?://)[^/\s@]*@")
_QUERY = re.compile(r"(\bhttps?://[^\s?#'\"<>]*)\?[^\s'\"<>]*")
MASK = "***"


def configure(
    *, as_json: bool, level: str = "info", areas: Mapping[str, str] | None = None, stream: TextIO | None = None
) -> None:
    """Log to stderr, other libraries' warnings too. ``areas`` are levels of single areas, as ``{"ami": "debug"}``."""
    set_levels(level, areas or {})
    to = cast(TextIO, stream or _Stderr())
    renderer = structlog.processors.JSONRenderer() if as_json else _on_console
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    structlog.configure(
        processors=[_levels, *shared, renderer],
        logger_factory=structlog.PrintLoggerFactory(to),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_library, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)  # the adapter logs what matters, with its context


_console = structlog.dev.ConsoleRenderer(colors=False)


def _on_console(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """One line an event, whatever its values hold: nothing in them ends the line, begins another or moves the cursor.

    The lines of a traceback are indented, so that none looks like an event's.
    """
    shown = {name: _escaped(value) if isinstance(value, str) else value for name, value in event.items()}
    if isinstance(trace := event.get("exception"), str):
        shown["exception"] = "\n".join(f"  | {_escaped(line)}" for line in trace.split("\n"))
    return str(_console(logger, method, shown))


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class _Stderr:
    """What stderr is at the time of a line: a test's, which has one for each command, is closed afterwards.

    A file on a full disk costs lines, and no call.
    """

    def write(self, text: str) -> int:
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def set_levels(level: str, areas: Mapping[str, str]) -> None:
    """Other levels from the next line on, for loggers that are in use too."""
    _levels.least = LEVELS[level]
    _levels.areas = {area: LEVELS[name] for area, name in areas.items()}


class _ByArea:
    """Drops what is below its area's level, or below the level of all where its area has none."""

    least = logging.INFO
    areas: Mapping[str, int] = {}

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        area = str(event.get("event", "")).partition(".")[0]
        if LEVELS.get(method, logging.ERROR) < self.areas.get(area, self.least):
            raise structlog.DropEvent
        return event


_levels = _ByArea()


def _library(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Another library's line: its text is no event name."""
    record = event["_record"]
    return {**event, "event": "library.said", "library": record.name, "text": event["event"]}


def without_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Mask what must not be in a log: the last of the guards, for what should not have been logged at all."""
    return {name: MASK if name.lower() in SECRET else _masked(value) for name, value in event.items()}


def _masked(value: object) -> object:
    if isinstance(value, str) and "://" in value:
        return _QUERY.sub(r"\1?" + MASK, _USERINFO.sub(rf"\1{MASK}@", value))
    return value
