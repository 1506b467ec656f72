"""Serves prompts over HTTP to an Asterisk with which the gateway shares no folder."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from gateway.adapters.doors import Door
from gateway.adapters.strangers import Complaints
from gateway.core.addresses import networks_of, within

log = structlog.get_logger()

#: What a name holds beside the content's hash: whoever knows what is said cannot tell from it what the file is called.
MARK_BYTES = 16
_NAME = re.compile(r"([0-9a-f]{64})-([0-9a-f]{32})\.wav\Z")


@dataclass(frozen=True, slots=True)
class PromptServerSettings:
    """``advertise`` is the HOST:PORT that Asterisk fetches from, empty for the one listened on.

    ``allow`` are the networks that Asterisk may connect from. ``key`` makes the names unguessable; with the same
    key a prompt has the same name after a restart, and Asterisk's cache goes on being right.
    """

    host: str
    port: int
    allow: tuple[str, ...]
    key: bytes
    advertise: str = ""
    keep_days: float = 7.0


class PromptServer:
    """``folder`` holds ``DIGEST.wav``; :meth:`url` tells where Asterisk finds one."""

    def __init__(self, folder: Path, settings: PromptServerSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._networks = networks_of(settings.allow)
        self._complaints = Complaints()
        self._door: Door | None = None

    @property
    def port(self) -> int:
        assert self._door is not None
        return self._door.port

    def url(self, digest: str) -> str:
        """What STREAM FILE is given. The extension tells Asterisk the format."""
        host = self._settings.host
        host = f"[{host}]" if ":" in host else host
        address = self._settings.advertise or f"{host}:{self._settings.port or self.port}"
        return f"http://{address}/media/{digest}-{self._mark(digest)}.wav"

    async def start(self) -> None:
        """Listen. Raises OSError where the address cannot be had."""
        app = web.Application()
        app.router.add_get("/media/{name}", self._answer)
        self._door = Door("media", app)
        await self._door.open(self._settings.host, self._settings.port)

    async def close(self) -> None:
        if self._door is not None:
            await self._door.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.remote is None or not within(request.remote, self._networks):
            if self._complaints.may():
                log.warning("media.refused", peer=request.remote, why="address not in [agi] allow")
            raise web.HTTPForbidden
        found = _NAME.match(request.match_info["name"])
        if found is None or not hmac.compare_digest(found[2], self._mark(found[1])):
            raise web.HTTPNotFound
        path = self._folder / f"{found[1]}.wav"
        if not path.is_file():
            raise web.HTTPNotFound
        # The content never changes under its hash: Asterisk need not ask again while the file is kept.
        age = max(1, round(self._settings.keep_days * 86_400))
        return web.FileResponse(path, headers={"Cache-Control": f"max-age={age}", "Content-Type": "audio/wav"})

    def _mark(self, digest: str) -> str:
        return hmac.digest(self._settings.key, digest.encode(), hashlib.sha256)[:MARK_BYTES].hex()
