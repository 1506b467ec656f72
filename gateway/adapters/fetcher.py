"""HTTP for documents, audio and posts, behind the SSRF guard: what was checked is what is connected to."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from gateway.adapters.guard import GuardedConnector, GuardRefused
from gateway.core.addresses import AllowList
from gateway.core.httpcache import Freshness, freshness
from gateway.core.model import AccountId
from gateway.happenings import Fetched, Observe, Stopwatch, current_call, unobserved
from gateway.ports import FetchError, FetchErrorKind, FetchPurpose, FetchRequest, FetchResponse, FilePart

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CACHE_BYTES = 64 * 1024 * 1024
#: Fetches of one account under way at once: its servers that hang hold up nobody else's. More wait.
OF_ONE_ACCOUNT = 50
#: Pre-flights of one account at once.
CHECKS_OF_ONE_ACCOUNT = 5


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _check(url: str, how: str) -> None:
    """Raises :class:`FetchError` where ``url``, as aiohttp reads it, is no address on the web."""
    try:
        read = URL(url)
        usable = read.scheme in ("http", "https") and bool(read.host) and bool(read.port)
    except ValueError:
        usable = False
    if not usable:
        raise FetchError(FetchErrorKind.PROTOCOL, f"{how} {url[:200]!r}, which is no http or https URL")


@dataclass(slots=True)
class _Cached:
    response: FetchResponse
    at: float
    life: Freshness


class HttpFetcher:
    """The Fetcher port. GETs are kept by HTTP's rules within VoiceXML's maxage and maxstale.

    ``headers`` are added to each request, as they are at that moment.
    """

    def __init__(
        self, allow: AllowList, *, resolver: AbstractResolver | None = None, user_agent: str = "Voxgate",
        observe: Observe = unobserved, headers: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:  # fmt: skip
        self._connector = GuardedConnector(allow, resolver)
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent},
        )
        self._cache: OrderedDict[str, _Cached] = OrderedDict()
        self._cached_bytes = 0
        self._shares: WeakValueDictionary[AccountId, asyncio.Semaphore] = WeakValueDictionary()
        self._checks: dict[tuple[AccountId, str], tuple[float, asyncio.Future[str | None]]] = {}
        self._checking: WeakValueDictionary[AccountId, asyncio.Semaphore] = WeakValueDictionary()
        self._observe = observe
        self._headers = headers

    def allow(self, allowed: AllowList) -> None:
        """Another list from the next connection on."""
        self._connector.allow = allowed

    async def close(self) -> None:
        checks = [check for _, check in self._checks.values()]
        for check in checks:
            check.cancel()
        await asyncio.gather(*checks, return_exceptions=True)
        await self._session.close()

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        watch, outcome = Stopwatch(), "abandoned"
        try:
            response, cached = await self._fetch(request)
            outcome = "cached" if cached else f"{response.status // 100}xx"
            return response
        except FetchError as error:
            outcome = str(error.kind)
            raise
        finally:
            host = _host_of(request.url)
            self._observe(
                Fetched(
                    current_call(),
                    request.purpose,
                    host,
                    self._connector.host_class(host),
                    request.method,
                    outcome,
                    watch.seconds,
                )
            )

    async def _fetch(self, request: FetchRequest) -> tuple[FetchResponse, bool]:
        """The answer, and whether it was kept from before without asking."""
        _check(request.url, "asked for")
        # What a cookie was sent for, or came with, is one session's own.
        own = request.cookies is not None and bool(request.cookies.header(request.url))
        cacheable = request.method == "GET" and not request.form and not own
        kept = self._cache.get(request.url) if cacheable else None
        if kept is not None and kept.life.usable(time.time() - kept.at, request.max_age, request.max_stale):
            self._cache.move_to_end(request.url)
            return kept.response, True
        headers = dict(request.headers)
        if kept is not None:
            headers |= kept.life.conditions
        try:
            async with asyncio.timeout(request.timeout), self._share(request.account):
                response, got, own = await self._follow(replace(request, headers=headers))
        except TimeoutError:
            raise FetchError(FetchErrorKind.TIMEOUT, f"no whole answer within {request.timeout:g} s") from None
        if kept is not None and response.status == 304:
            self._keep(request.url, kept.response, freshness(got))
            return kept.response, False
        if cacheable and response.status == 200 and not own:
            self._keep(request.url, response, freshness(got))
        return response, False

    def _share(self, account: AccountId | None) -> AbstractAsyncContextManager[None]:
        """A place among the account's fetches."""
        if account is None:
            return contextlib.nullcontext()
        return self._shares.setdefault(account, asyncio.Semaphore(OF_ONE_ACCOUNT))

    async def _follow(self, request: FetchRequest) -> tuple[FetchResponse, dict[str, str], bool]:
        """The last answer with its headers, and whether a cookie was sent or came on the way."""
        own = False
        for _ in range(MAX_REDIRECTS + 1):
            own |= request.cookies is not None and bool(request.cookies.header(request.url))
            response, headers = await self._once(request)
            own |= "set-cookie" in headers
            target = headers.get("location")
            changes_method = response.status not in (307, 308) and request.method != "GET"
            if response.status not in REDIRECTS or target is None or (request.keep_method and changes_method):
                return response, headers, own
            try:
                url = urljoin(request.url, target)
            except ValueError:
                url = target
            _check(url, "redirected to")
            if response.status in (307, 308):
                request = replace(request, url=url)
            else:  # RFC 9110 §15.4: clients turn a redirected POST into a GET
                request = replace(request, url=url, method="GET", form=None, body=None)
        raise FetchError(FetchErrorKind.PROTOCOL, f"more than {MAX_REDIRECTS} redirects")

    async def _once(self, request: FetchRequest) -> tuple[FetchResponse, dict[str, str]]:
        data: Any = request.body
        if request.form is not None:
            data = aiohttp.FormData(default_to_multipart=request.multipart)
            for name, value in request.form:
                if isinstance(value, FilePart):
                    data.add_field(name, value.body, filename=value.filename, content_type=value.content_type)
                else:
                    data.add_field(name, value)
        sent = {**request.headers, **({} if self._headers is None else self._headers())}
        if request.cookies is not None and (cookie := request.cookies.header(request.url)):
            sent["Cookie"] = cookie
        try:
            async with self._session.request(
                request.method, request.url, data=data, headers=sent, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None),
            ) as answer:  # fmt: skip
                if request.cookies is not None:
                    request.cookies.store(request.url, answer.headers.getall("Set-Cookie", ()))
                body = bytearray()
                async for piece in answer.content.iter_chunked(65536):
                    body += piece
                    if len(body) > request.max_bytes:
                        raise FetchError(
                            FetchErrorKind.TOO_LARGE, f"the answer is larger than {request.max_bytes} bytes"
                        )
                headers = {name.lower(): value for name, value in answer.headers.items()}
                response = FetchResponse(request.url, answer.status, answer.content_type, answer.charset, bytes(body))
                return response, headers
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, GuardRefused):
                raise FetchError(FetchErrorKind.REFUSED, str(error.os_error)) from None
            raise FetchError(FetchErrorKind.CONNECT, f"cannot connect: {error.os_error}") from None
        except GuardRefused as error:
            raise FetchError(FetchErrorKind.REFUSED, str(error)) from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise FetchError(FetchErrorKind.PROTOCOL, f"{type(error).__name__}: {error}"[:300]) from None

    def _keep(self, url: str, response: FetchResponse, life: Freshness) -> None:
        old = self._cache.pop(url, None)
        if old is not None:
            self._cached_bytes -= len(old.response.body)
        if not life.storable or len(response.body) > CACHE_BYTES // 8:
            return
        self._cache[url] = _Cached(response, time.time(), life)
        self._cached_bytes += len(response.body)
        while self._cached_bytes > CACHE_BYTES:
            _, gone = self._cache.popitem(last=False)
            self._cached_bytes -= len(gone.response.body)

    # --- pre-flight ---

    async def preflight(self, url: str, account: AccountId) -> str | None:
        """GET ``url`` and say why it is not usable (None: it answered 200). An account's calls to a URL share one.

        What hangs holds up no other account's.
        """
        now, key = time.monotonic(), (account, url)
        kept = self._checks.get(key)
        if kept is None or kept[0] < now:
            if len(self._checks) > 10_000:
                self._checks.clear()
            kept = (now + 30, asyncio.ensure_future(self._check(url, account)))
            self._checks[key] = kept
        why = await asyncio.shield(kept[1])
        if why is not None:
            self._checks.pop(key, None)  # a mended page is found at once
        return why

    async def _check(self, url: str, account: AccountId) -> str | None:
        async with self._checking.setdefault(account, asyncio.Semaphore(CHECKS_OF_ONE_ACCOUNT)):
            try:
                answer = await self.fetch(FetchRequest(url, timeout=10.0, max_age=0.0, purpose=FetchPurpose.PREFLIGHT))
            except FetchError as error:
                return f"cannot be fetched: {error}"
        return None if answer.status == 200 else f"answers HTTP {answer.status} instead of 200"
