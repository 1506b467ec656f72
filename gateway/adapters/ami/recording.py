"""Records what goes over the AMI link, fit for a bug report: no secret, no number, nothing that was keyed."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger()

#: Passwords, and what Asterisk computes of them.
_SECRET = frozenset({"secret", "key", "password", "challenge"})
#: Names of people.
_NAME = re.compile(r"(calleridname|connectedlinename|callerid)$")
#: Ids of channels and actions, times, and what Asterisk counts: they hold no number of a telephone.
_SAFE = frozenset(
    {"uniqueid", "linkedid", "destuniqueid", "destlinkedid", "actionid", "channelid", "timestamp", "timeout",
     "uptime", "lastreload", "asteriskversion", "corestartupdate", "corestartuptime", "duration", "durationms"}
)  # fmt: skip
#: Asterisk's own count at the end of a channel's name.
_COUNT = re.compile(r"-[0-9a-f]{8}(;[12])?$")
_NUMBER = re.compile(r"\+?\d{5,}")
_SIP_USER = re.compile(r"(sips?:)[^@\s>]+@")


class Mask:
    """Replaces numbers and names, the same by the same, by a key that is not kept."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def fields(self, fields: Mapping[str, str]) -> dict[str, str]:
        return {name: self.value(name, text) for name, text in fields.items()}

    def value(self, name: str, text: str) -> str:
        name = name.lower()
        if name in _SAFE or not text:
            return text
        if name in _SECRET:
            return "***"
        if name == "digit":
            return "0"
        if _NAME.search(name) and not text.startswith("<"):
            return f"name{self._digits(text, 6)}"
        count = found[0] if (found := _COUNT.search(text)) is not None else ""
        bare = _SIP_USER.sub(lambda found: f"{found[1]}{self._digits(found[0], 7)}@", text.removesuffix(count))
        return _NUMBER.sub(self._number, bare) + count

    def message(self, raw: bytes) -> str:
        """A whole AMI message, header by header."""
        lines = []
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, text = line.partition(": ")
            lines.append(f"{name}: {self.value(name, text)}" if colon else self.value("", line))
        return "\n".join(lines)

    def _number(self, found: re.Match[str]) -> str:
        text = found[0]
        return "+" * text.startswith("+") + self._digits(text.lstrip("+"), len(text.lstrip("+")))

    def _digits(self, text: str, count: int) -> str:
        told = int.from_bytes(hmac.digest(self._key, text.encode(), hashlib.sha256))
        return str(told % 10**count).zfill(count)


class Recorder:
    """JSON Lines: ``[seconds, "<" or ">", message]``, until ``limit`` bytes are written."""

    def __init__(self, path: Path, *, limit: int, version: str) -> None:
        self._limit = limit
        self._began = time.monotonic()
        self._mask = Mask()
        self._written = 0
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
        self._line({"recorded by": f"voxgate {version}", "masked": "secrets, numbers, names, digits"})

    def received(self, raw: bytes) -> None:
        self._line([self._seconds, "<", self._mask.message(raw)])

    def sent(self, fields: Mapping[str, str]) -> None:
        masked = self._mask.fields(fields)
        self._line([self._seconds, ">", "\n".join(f"{name}: {text}" for name, text in masked.items())])

    def close(self) -> None:
        self._file.close()

    @property
    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 4)

    def _line(self, value: object) -> None:
        if self._file.closed:
            return
        text = json.dumps(value, ensure_ascii=False) + "\n"
        self._written += len(text.encode())
        if self._written > self._limit:
            log.warning("ami.recording_full", bytes=self._limit)
            self._file.close()
            return
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:  # a full disk costs the recording, and neither the link nor a call
            log.error("ami.recording_failed", error=str(error))
            with suppress(OSError):
                self._file.close()
