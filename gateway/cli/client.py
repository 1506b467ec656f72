"""The typed client on the gateway's Unix socket, and the requests that only our own commands make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voxgate.client import Client, Lost, Refused, Unreachable, VoxgateError
from voxgate.request import Request, post

__all__ = ["Client", "Lost", "Refused", "Unreachable", "VoxgateError", "on_socket"]

#: Seconds that a long list may take to be loaded.
TIMEOUT = 3600.0


def on_socket(path: Path) -> Client:
    """The gateway whose socket this is; who may open it is an operator."""
    return Client(socket=path, timeout=TIMEOUT)


def check(quick: bool) -> Request[dict[str, Any]]:
    return Request("GET", "/db/check", dict[str, Any], {"quick": "1" if quick else None})


def backup(target: Path) -> Request[dict[str, Any]]:
    """Ask for its lines: progress, then the copy."""
    return post("/db/backup", dict[str, Any], {"path": str(target)})


def retention() -> Request[dict[str, Any]]:
    return Request("GET", "/retention", dict[str, Any])


def sweep(dry_run: bool) -> Request[dict[str, Any]]:
    """Ask for its lines: what was removed, kind by kind."""
    return Request("POST", "/retention/run", dict[str, Any], {"dry_run": "1" if dry_run else None})


def export(**asked: Any) -> Request[bytes]:
    """Ask for its pieces: a file."""
    return Request("GET", "/export", bytes, {name: value for name, value in asked.items() if value})


def reload() -> Request[dict[str, Any]]:
    return post("/reload", dict[str, Any])


def metrics() -> Request[bytes]:
    """Ask for its pieces: Prometheus' text format."""
    return Request("GET", "/metrics", bytes, base="")


def lend(path: str, port: int) -> Request[dict[str, Any]]:
    """Let one FastAGI session that comes to the gateway be answered by the doctor, at ``port``."""
    return post("/doctor", dict[str, Any], {"path": path, "port": port})
