"""/docs: the API's description to read and try out, with nothing loaded from elsewhere."""

from __future__ import annotations

import mimetypes
from importlib.resources import files
from typing import Any

import msgspec
from aiohttp import web

_STATIC = files("gateway.services.api") / "static"
#: Swagger UI writes style attributes; nothing else is laxer than the pages' own policy.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def add_docs(app: web.Application, document: dict[str, Any]) -> None:
    body = msgspec.json.encode(document)

    async def openapi(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", headers=_HEADERS)

    async def static(request: web.Request) -> web.Response:
        path = _STATIC / (request.match_info.get("name") or "index.html")
        if not path.is_file():
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(path.name)[0] or "text/plain"
        return web.Response(body=path.read_bytes(), content_type=kind, headers=_HEADERS)

    app.router.add_get("/api/v1/openapi.json", openapi)
    app.router.add_get("/docs", static)
    app.router.add_get("/docs/{name:[a-z-]+\\.(?:css|js)}", static)
