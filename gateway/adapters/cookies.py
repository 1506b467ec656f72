"""One VoiceXML session's cookies (RFC 6265), by aiohttp's jar."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

import aiohttp
from yarl import URL


class CookieStore:
    """Applications are addressed by IP address, too: their cookies are kept as well."""

    def __init__(self) -> None:
        self._jar = aiohttp.CookieJar(unsafe=True)

    def header(self, url: str) -> str:
        """The Cookie header for a request to ``url``; empty where no cookie applies."""
        found = self._jar.filter_cookies(URL(url))
        # As it was sent: decoded, a quoted value may hold a line break.
        return "; ".join(f"{name}={morsel.coded_value}" for name, morsel in found.items())

    def store(self, url: str, lines: Iterable[str]) -> None:
        """Take in the Set-Cookie headers of an answer from ``url``; what is none is passed over."""
        for line in lines:
            try:
                self._jar.update_cookies(SimpleCookie(line), URL(url))
            except CookieError:
                continue
