"""Idempotency keys: a request that is sent again is answered as it was the first time, and carried out once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.services.api.callers import Caller
from gateway.services.api.problems import KEY_HEADER, invalid
from gateway.services.receipts import Receipts, Stamp

REPLAYED = "Idempotency-Replayed"
MAX_KEY = 200


def key_of(request: web.Request) -> str | None:
    """Raises :class:`Problem`."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise invalid(KEY_HEADER, f"must be 1 to {MAX_KEY} printable ASCII characters")
    return key


def fingerprint(request: web.Request, *parts: bytes) -> str:
    """What makes two requests the same: method, address and body."""
    found = hashlib.sha256(f"{request.method} {request.path_qs}\n".encode())
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


async def answer_once(
    receipts: Receipts, who: Caller, request: web.Request, mark: str, status: int,
    work: Callable[[Stamp | None], Awaitable[object]],
) -> web.Response:  # fmt: skip
    body, replayed = await receipts.once(who.owner, key_of(request), mark, status, work)
    headers = {REPLAYED: "true"} if replayed else {}
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
