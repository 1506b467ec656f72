"""What every page stands on: templates, headers, who is asking, and the proof that a form is ours."""

from __future__ import annotations

import functools
import hashlib
import hmac
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import aiohttp_jinja2
import jinja2
import structlog
from aiohttp import web

from gateway.core import saying
from gateway.core.model import Account, Millis
from gateway.core.states import CALL_WORDS
from gateway.core.visiting import Visitor
from gateway.ports import Clock, Store, StoreError
from gateway.services.audit import Audit
from gateway.services.intake.form import MALFORMED
from gateway.services.origin import same_origin
from gateway.services.pages.sessions import Sessions

log = structlog.get_logger()

Handler = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]
Open = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Nothing is loaded from elsewhere, no script or style stands in a page, and no other page may frame ours.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: Bytes of a form without a list.
MAX_FORM = 1024 * 1024
CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF"
_PACKAGE = "gateway.services.pages"


class NotHere(Exception):
    """There is no such thing, or it is another account's; the page does not tell which."""


class Refused(Exception):
    """Not allowed, or not now: the message says why and what to do."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Static:
    body: bytes
    kind: str
    version: str


@functools.cache
def _statics() -> dict[str, _Static]:
    found = {}
    for path in (files(_PACKAGE) / "static").iterdir():
        if path.is_file():
            body = path.read_bytes()
            kind = mimetypes.guess_type(path.name)[0] or "text/plain"
            found[path.name] = _Static(body, kind, hashlib.sha256(body).hexdigest()[:12])
    return found


class Site:
    """``page`` and ``action`` turn a handler that knows its visitor into one of aiohttp's."""

    def __init__(
        self, store: Store, sessions: Sessions, clock: Clock, audit: Audit, state: Callable[[], Mapping[str, Any]]
    ) -> None:  # fmt: skip
        self._store = store
        self._audit = audit
        self.sessions = sessions
        self._clock = clock
        self._state = state

    def setup(self, app: web.Application) -> None:
        environment = aiohttp_jinja2.setup(
            app,
            loader=jinja2.PackageLoader(_PACKAGE),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "capitalize_first": lambda text: text[:1].upper() + text[1:],
            "talk": saying.talk,
            "span": saying.span,
            "thousands": thousands,
            "word": CALL_WORDS.get,
        }
        environment.globals |= {"static": _static_url, "csrf_field": CSRF_FIELD}
        app.router.add_get("/static/{name}", _serve_static)

    def base_of(self, request: web.Request) -> str:
        """Where the service is reached, as the browser reached it."""
        return f"{'https' if self.sessions.https(request) else 'http'}://{request.host}"

    # --- handlers ---

    def page(self, handler: Handler, *, operator: bool = False, upload: bool = False) -> Open:
        """``upload``: a body may be as large as lists are, and is not read into memory."""

        async def serve(request: web.Request) -> web.StreamResponse:
            if not upload:
                request = _bounded(request)
            visitor = await self.sessions.visitor(request)
            if visitor is None:
                return self._to_sign_in(request)
            try:
                _check_role(visitor, operator)
                return await handler(request, visitor)
            except NotHere:
                return self._fault(request, visitor, 404, "There is nothing here", "It was removed, or never was.")
            except Refused as refused:
                if request.method != "GET" and refused.status == 403:
                    await self._audit.refused(visitor.account.login, "page.post", request.path, str(refused))
                return self._fault(request, visitor, refused.status, "This cannot be done", str(refused))
            except StoreError as error:
                return self._fault(request, visitor, 409, "This cannot be done", str(error))

        return serve

    def action(self, handler: Handler, *, operator: bool = False, upload: bool = False) -> Open:
        """A POST that changes something: only from our own page, with the session's token."""

        async def checked(request: web.Request, visitor: Visitor) -> web.StreamResponse:
            given = request.headers.get(CSRF_HEADER) or ""
            if not upload or not (given or request.content_type == "multipart/form-data"):
                form = await _form(request)
                given = given or str(form.get(CSRF_FIELD, ""))
                visitor = await self.again(request)
                _check_role(visitor, operator)
            self.check(request, visitor, given)
            return await handler(request, visitor)

        return self.page(checked, operator=operator, upload=upload)

    async def again(self, request: web.Request) -> Visitor:
        """Who asks once a body was read, which may take hours. Raises :class:`Refused`."""
        visitor = await self.sessions.visitor(request)
        if visitor is None:
            raise Refused("You were signed out meanwhile: sign in again.", 401)
        return visitor

    def check(self, request: web.Request, visitor: Visitor, given: str) -> None:
        """Raises :class:`Refused` where ``given`` does not prove that our own page sent the request."""
        if not same_origin(request):
            raise Refused("The request came from another site.")
        if not hmac.compare_digest(given.encode(errors="surrogatepass"), visitor.session.csrf.encode()):
            raise Refused("The form is too old, or not ours. Load the page again and repeat.")

    def open_action(self, handler: Open) -> Open:
        """A POST of somebody who is not signed in yet."""

        async def serve(request: web.Request) -> web.StreamResponse:
            if not same_origin(request):
                return web.Response(status=403, text="The request came from another site.", headers=HEADERS)
            request = _bounded(request)
            try:
                await _form(request)
            except Refused as refused:
                return web.Response(status=refused.status, text=str(refused), headers=HEADERS)
            return await handler(request)

        return serve

    def _to_sign_in(self, request: web.Request) -> web.Response:
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            back = "" if request.path_qs == "/" else f"?next={quote(request.path_qs, safe='')}"
            return see(f"/signin{back}")
        return web.Response(status=401, text="Sign in again.", headers=HEADERS)

    # --- answers ---

    def render(
        self, template: str, request: web.Request, visitor: Visitor | None, status: int = 200, **context: Any
    ) -> web.Response:
        now = self._clock.now()
        zone = zone_of(visitor.account) if visitor is not None else ZoneInfo("UTC")
        context |= {
            "visitor": visitor,
            "path": request.path,
            "gateway": self._state(),
            "now": now,
            "zone": zone,
            "clock": lambda at: saying.clock(at, zone),
            "short": lambda at: saying.short_clock(at, zone, now),
            "away": lambda at: saying.distance(at, now),
            "iso": lambda at: saying.iso(at),
        }
        answer = aiohttp_jinja2.render_template(template, request, context, status=status)
        answer.headers.update(HEADERS)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _fault(self, request: web.Request, visitor: Visitor, status: int, title: str, text: str) -> web.Response:
        if "text/html" not in request.headers.get("Accept", ""):
            return web.Response(status=status, text=text, headers=HEADERS)
        return self.render("fault.html", request, visitor, status, title=title, text=text)


def _bounded(request: web.Request) -> web.Request:
    """The request, whose form is read into memory, with that much room."""
    if request.method == "GET":
        return request
    # A clone asks the connection again who came, and how: what a proxy of ours told is to stay.
    return request.clone(client_max_size=MAX_FORM, remote=request.remote or "", scheme=request.scheme)


def _check_role(visitor: Visitor, operator: bool) -> None:
    if operator and not visitor.operator:
        raise Refused("This page is for operators.")


async def _form(request: web.Request) -> Mapping[str, object]:
    """The form, which the request keeps for its handler. Raises :class:`Refused` where it is none."""
    try:
        form = await request.post()
        for value in form.values():
            str(value).encode()  # some charsets have halves of characters, which no database takes
    except MALFORMED:
        raise Refused("The form cannot be read: send it as UTF-8.", 400) from None
    return form


def zone_of(account: Account) -> ZoneInfo:
    return ZoneInfo(account.settings.time_zone)


def see(path: str) -> web.Response:
    """What follows a POST: the page to look at."""
    return web.Response(status=303, headers={**HEADERS, "Location": path})


def back(request: web.Request, otherwise: str) -> web.Response:
    """To the page that the form stood on."""
    try:
        came = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # as of ``http://[``
        return see(otherwise)
    if came.netloc != request.host:
        return see(otherwise)
    return see(inside(came.path + (f"?{came.query}" if came.query else ""), otherwise))


def inside(path: str, otherwise: str = "/") -> str:
    """A path of ours: where we lead must not be another site, nor end the header that says so."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return otherwise
    foreign = parts.scheme or parts.netloc or not path.startswith("/") or path.startswith("//")
    return otherwise if foreign or "\\" in path or not path.isprintable() else path


def plain(value: object, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, headers={**HEADERS, "Cache-Control": "no-store"})


def number_of(request: web.Request, name: str = "id") -> int:
    """A number in the path. Raises :class:`NotHere` where SQLite could not hold it."""
    text = request.match_info[name]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotHere
    return int(text)


def thousands(value: int) -> str:
    """12 345, with a space that does not break."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def since(now: Millis, at: Millis) -> float:
    return (now - at) / 1000


def _static_url(name: str) -> str:
    return f"/static/{name}?v={_statics()[name].version}"


async def _serve_static(request: web.Request) -> web.Response:
    found = _statics().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound(headers=HEADERS)
    fresh = request.query.get("v") == found.version
    return web.Response(
        body=found.body,
        content_type=found.kind,
        charset="utf-8" if found.kind.startswith("text/") or found.kind.endswith(("javascript", "xml")) else None,
        headers={**HEADERS, "Cache-Control": "public, max-age=31536000, immutable" if fresh else "no-cache"},
    )
