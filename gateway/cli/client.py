"""Asks the running gateway over its Unix socket."""

from __future__ import annotations

import http.client
import json
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class GatewayDown(Exception):
    """No gateway answers on the socket."""


class ApiRefused(Exception):
    """The gateway refuses; the message is its own."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=3600)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


class Client:
    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Raises :class:`GatewayDown`, :class:`ApiRefused`."""
        with self._asked(method, path, body, headers) as answer:
            return json.loads(answer.read() or b"null")

    def lines(self, method: str, path: str, body: Any = None) -> Iterator[Any]:
        """An answer in JSON Lines, as it comes. Raises :class:`GatewayDown`, :class:`ApiRefused`."""
        with self._asked(method, path, body, None) as answer:
            for line in answer:
                yield json.loads(line)

    def pieces(self, path: str) -> Iterator[bytes]:
        """A file, as it comes. Raises :class:`GatewayDown`, :class:`ApiRefused`, also where it breaks off midway."""
        with self._asked("GET", path, None, None) as answer:
            while piece := answer.read(256 * 1024):
                yield piece

    def pieces_of_lines(self, path: str) -> Iterator[bytes]:
        """A stream's lines, as they come. Raises :class:`GatewayDown`, :class:`ApiRefused`."""
        with self._asked("GET", path, None, None) as answer:
            yield from answer

    @contextmanager
    def _asked(
        self, method: str, path: str, body: Any, headers: dict[str, str] | None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = _Connection(self._path)
        try:
            data = json.dumps(body).encode() if isinstance(body, dict) else body
            connection.request(method, f"/api/v1{path}", data, headers or {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status >= 400:
                raise ApiRefused(_told(answer))
            yield answer
        except (FileNotFoundError, ConnectionRefusedError):
            raise GatewayDown(f"no gateway answers at {self._path}: start it with `voxgate serve`") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ApiRefused(f"the gateway's answer was lost: {error}") from None
        finally:
            connection.close()

    def text(self, path: str) -> str:
        """What a plain GET answers. Raises :class:`GatewayDown`, :class:`ApiRefused`."""
        connection = _Connection(self._path)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (FileNotFoundError, ConnectionRefusedError):
            raise GatewayDown(f"no gateway answers at {self._path}: start it with `voxgate serve`") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ApiRefused(f"the gateway's answer was lost: {error}") from None
        finally:
            connection.close()
        if answer.status >= 400:
            raise ApiRefused(text.strip())
        return text

    def upload(self, path: str, fields: dict[str, str], file: Path, sent: Callable[[int], None]) -> Any:
        """POST a form with ``file`` as phone_list, streaming it."""
        mark = secrets.token_hex(16)
        head = b"".join(
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        )
        head += f'--{mark}\r\nContent-Disposition: form-data; name="phone_list"; filename="list"\r\n\r\n'.encode()
        tail = f"\r\n--{mark}--\r\n".encode()

        def pieces() -> Iterator[bytes]:
            yield head
            with file.open("rb") as source:
                while piece := source.read(256 * 1024):
                    yield piece
                    sent(len(piece))
            yield tail

        length = len(head) + file.stat().st_size + len(tail)
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Content-Length": str(length)}
        return self.ask("POST", path, pieces(), headers)


def _told(answer: http.client.HTTPResponse) -> str:
    content = json.loads(answer.read() or b"null")
    return str(content.get("detail") if isinstance(content, dict) else None) or f"HTTP {answer.status}"
