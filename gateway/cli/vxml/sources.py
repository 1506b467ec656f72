"""Where an application on the developer's desk comes from: files by path, everything else over HTTP."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from gateway.ports import Fetcher, FetchError, FetchErrorKind, FetchRequest, FetchResponse

WEB = ("http://", "https://")
MISSING = 404


def url_of(place: str) -> str:
    """A URL as it is, a path as file:///…; ``app.vxml#main`` names a dialog. Raises FileNotFoundError."""
    if place.lower().startswith((*WEB, "file:")):
        return place
    name, mark, dialog = (place, "", "") if Path(place).exists() else place.partition("#")
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {name}: name a VoiceXML file, or a URL with http:// or https://")
    return path.resolve().as_uri() + mark + dialog


def path_of(url: str) -> Path:
    """The file that a file: URL names; what is submitted to it is not asked for."""
    return Path(unquote(urlsplit(url).path))


class Sources:
    """The Fetcher port. Files are read while every document so far came from one: no server's page may read them."""

    def __init__(self, http: Fetcher, *, files: bool) -> None:
        self._http = http
        self._files = files

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        scheme = urlsplit(request.url).scheme.lower()
        if scheme in ("http", "https"):
            return await self._http.fetch(request)
        if scheme != "file":
            raise FetchError(FetchErrorKind.PROTOCOL, f"{scheme}: URLs are not fetched: use http:, https: or a file")
        if not self._files:
            raise FetchError(FetchErrorKind.REFUSED, "an application from a web server may not read files here")
        return _read(request)

    def close_files(self) -> None:
        """A document came over HTTP: from now on it might be the one that asks."""
        self._files = False


def _read(request: FetchRequest) -> FetchResponse:
    path = path_of(request.url)
    try:
        if path.is_file() and path.stat().st_size > request.max_bytes:
            raise FetchError(FetchErrorKind.TOO_LARGE, f"the file is larger than {request.max_bytes} bytes")
        body = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        # As a web server would say it: applications catch error.badfetch.http.404.
        return FetchResponse(urldefrag(request.url)[0], MISSING, "", None, b"")
    except OSError as error:
        raise FetchError(FetchErrorKind.CONNECT, f"{path} cannot be read: {error.strerror}") from None
    kind = mimetypes.guess_type(path.name)[0] or ""
    return FetchResponse(urldefrag(request.url)[0], 200, kind, None, body)
