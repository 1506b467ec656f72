"""One AMI connection through panoramisk 1.4, with each of its defects mended.

A link lives exactly as long as its TCP connection and is never reused, so nothing can be sent again on the next one.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from gateway.adapters.ami.recording import Recorder

log = structlog.get_logger()

EOL2 = b"\r\n\r\n"
#: Longer than any AMI message; more without a blank line is not AMI.
MAX_MESSAGE = 1_000_000
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_EVENT_NAME = re.compile(rb"(?:^|\n)Event: ([^\r\n]*)")


class AmiError(Exception):
    """Asterisk could not be asked, or did not answer."""


class AmiLoginRefused(AmiError):
    """Asterisk refuses the user or the password: trying again cannot help."""


class AmiGone(AmiError):
    """The connection is lost. ``sent`` tells whether the action may have reached Asterisk."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class AmiTimeout(AmiError):
    """No answer in time; the action may have been carried out."""


class UnsafeHeader(ValueError):
    """A header value would end its line and begin a second action."""


def checked(fields: Mapping[str, str]) -> dict[str, str]:
    """``fields``, refused where a control character would break out of a header."""
    for name, value in fields.items():
        if _CONTROL.search(name) or _CONTROL.search(value):
            raise UnsafeHeader(f"AMI header {name!r} holds a control character")
        if len(value.encode()) > 1000:  # a line over 1,024 bytes fails in Asterisk
            raise UnsafeHeader(f"AMI header {name} is longer than 1,000 bytes")
    return dict(fields)


class _Protocol(AMIProtocol):  # type: ignore[misc]
    """Frames bytes, not decoded chunks, and parses only the events that are wanted."""

    version: str | None
    closed: bool

    def __init__(self, wanted: frozenset[bytes], recorder: Recorder | None = None) -> None:
        self._wanted = wanted
        self._recorder = recorder
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self.version is None and (end := self._buffer.find(b"\r\n")) >= 0:
            banner = bytes(self._buffer[:end]).decode("ascii", "replace")
            if not banner.startswith("Asterisk Call Manager/"):
                self._fail(f"this is not AMI: it greets with {banner[:60]!r}")
                return
            self.version = banner.partition("/")[2].strip()
            del self._buffer[: end + 2]
        if self.version is None:
            return
        while (end := self._buffer.find(EOL2)) >= 0:
            raw = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            if self._recorder is not None:
                self._recorder.received(raw)
            name = _EVENT_NAME.search(raw)
            if name is not None and name[1] not in self._wanted:
                continue
            self._one(raw)
        if len(self._buffer) > MAX_MESSAGE:
            self._fail("a message without an end")

    def _one(self, raw: bytes) -> None:
        # A fault in one message or its handler must cost neither the connection nor the next message.
        try:
            message = Message.from_line(raw.decode("utf-8", "replace").strip("\r\n"))
            if message is not None:
                self.handle_message(message)
        except Exception:
            log.exception("ami.message_failed")

    def handle_message(self, message: Message) -> None:
        # An OriginateResponse carries its action's id, and is an event of its own, not the answer to the action.
        if message.event == "OriginateResponse":
            self.factory.dispatch(message)
            return
        # panoramisk closes at a Shutdown event; Asterisk closes the connection itself when it is down.
        action = self.responses.get(message.id) or self.responses.get(message.action_id)
        if action is not None:
            if action.add_message(message):
                self.forget(action)
        elif "event" in message:
            self.factory.dispatch(message)

    def forget(self, action: Action) -> None:
        """Drop an action that was answered or given up; a late answer finds nothing and is dropped too."""
        self.responses.pop(action.id, None)
        self.responses.pop(action.action_id, None)

    def _fail(self, why: str) -> None:
        log.error("ami.protocol", why=why)
        self.transport.abort()

    def close(self) -> None:
        # Unlike panoramisk's, which queues what was not answered and sends it again on the next connection.
        for action in list(self.responses.values()):
            if not action.future.done():
                action.future.set_exception(AmiGone("the AMI connection was lost", sent=True))
                action.future.exception()  # nobody need be waiting any more
        self.responses.clear()
        if not self.closed:
            self.closed = True
            self.transport.close()


class Link(Manager):  # type: ignore[misc]
    """A logged-in connection. ``on_event`` gets the wanted events; :attr:`lost` is set when the connection ends."""

    def __init__(
        self,
        host: str,
        port: int,
        wanted: frozenset[str],
        on_event: Callable[[Message], None],
        tls: ssl.SSLContext | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        names = frozenset(name.encode() for name in wanted)
        super().__init__(
            host=host,
            port=port,
            ssl=tls,
            loop=asyncio.get_running_loop(),
            encoding="utf8",
            ping_delay=10**8,  # our own ping reads its reply
            protocol_factory=lambda: _Protocol(names, recorder),
        )
        self._on_event = on_event
        self._recorder = recorder
        self.lost = asyncio.Event()
        self.answered_at = float("-inf")  # when an action was answered last, on the loop's clock

    async def open(self, username: str, secret: str, timeout: float) -> None:
        """Connect and log in. Raises :class:`AmiError`, :class:`AmiLoginRefused` where trying again is in vain."""
        try:
            async with asyncio.timeout(timeout):
                await self.connect()
        except (OSError, TimeoutError) as error:
            why = str(error) or "no answer in time"
            raise AmiError(f"cannot connect to {self.config['host']}:{self.config['port']}: {why}") from None
        answer = await self.ask({"Action": "Login", "Username": username, "Secret": secret, "Events": "on"}, timeout)
        if not answer.success:
            said = answer.message or "no reason given"
            if "shutting down" in said.lower():
                raise AmiError(f"Asterisk says: {said}")
            raise AmiLoginRefused(
                f"Asterisk refuses the AMI login of user {username!r}: {said}. "
                "Check [ami] user and secret in the configuration against manager.conf, and its permit lines"
            )

    def connection_made(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled() or future.exception() is not None:
            return  # open() raises it; panoramisk would try again by itself
        super().connection_made(future)
        if self.pinger is not None:
            self.pinger.cancel()
        # The transport may have been lost before panoramisk told the protocol its factory.
        if self.protocol.transport.is_closing():
            self.lost.set()

    def connection_lost(self, exc: object) -> None:
        self._connected = False
        self.lost.set()

    def dispatch(self, event: Message) -> list[str]:
        self._on_event(event)
        return []

    async def ask(self, fields: Mapping[str, str], timeout: float) -> Message:
        """Send an action and return its one response. Raises :class:`AmiGone`, :class:`AmiTimeout`."""
        answer = await self._send(fields, timeout, as_list=False)
        assert not isinstance(answer, list)
        return answer

    async def ask_list(self, fields: Mapping[str, str], timeout: float) -> list[Message]:
        """Send an action whose answer is a list of events, and return those events."""
        answers = await self._send(fields, timeout, as_list=True)
        assert isinstance(answers, list)
        return [one for one in answers if "event" in one]

    async def _send(self, fields: Mapping[str, str], timeout: float, *, as_list: bool) -> Message | list[Message]:
        action = Action(checked(fields), as_list=as_list)
        if self.lost.is_set() or self.protocol is None or self.protocol.transport.is_closing():
            raise AmiGone("no AMI connection", sent=False)
        if self._recorder is not None:
            self._recorder.sent({**fields, "ActionID": action.action_id})
        future = self.protocol.send(action, as_list=as_list)
        try:
            async with asyncio.timeout(timeout):
                answer: Message | list[Message] = await future
                self.answered_at = asyncio.get_running_loop().time()
                return answer
        except TimeoutError:
            raise AmiTimeout(f"no answer to {fields['Action']} within {timeout:g} s") from None
        finally:
            self.protocol.forget(action)

    def close(self) -> None:
        super().close()
        self.lost.set()
