"""The AMI server: logins, answers and events, and what goes wrong between it and its clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.fakes.asterisk.faults import Faults

Fields = dict[str, str]
SHUTTING_DOWN = "Asterisk is shutting down"
STALL_SECONDS = 5.0
SLOW_SECONDS = 0.2


def answer(action: Fields, text: str = "", *, error: str = "") -> bytes:
    """A response; ``text`` are further headers, each with its line end."""
    ident = f"ActionID: {action['ActionID']}\r\n" if "ActionID" in action else ""
    if error:
        return f"Response: Error\r\n{ident}Message: {error}\r\n\r\n".encode()
    return f"Response: Success\r\n{ident}{text}\r\n".encode()


def listed(action: Fields, message: str, event: str, ends: str, rows: list[str]) -> bytes:
    """A response that is a list: ``rows`` are the headers of one ``event`` each, ``ends`` is the last event."""
    ident = f"ActionID: {action['ActionID']}\r\n" if "ActionID" in action else ""
    head = f"Response: Success\r\n{ident}EventList: start\r\nMessage: {message}\r\n\r\n"
    body = "".join(f"Event: {event}\r\n{ident}{row}\r\n" for row in rows)
    return f"{head}{body}Event: {ends}\r\n{ident}EventList: Complete\r\nListItems: {len(rows)}\r\n\r\n".encode()


class Manager:
    """``carry_out`` is given each action of a client that is logged in, and returns what it is answered."""

    def __init__(self, user: str, secret: str, faults: Faults, carry_out: Callable[[Fields], bytes]) -> None:
        self.user = user
        self.secret = secret
        self.faults = faults
        self.carry_out = carry_out
        self.links: set[Link] = set()
        self.stalled_until = 0.0
        self._closed_until = 0.0
        self._kept: bytes | None = None  # an event that is told after the next one
        self._server: asyncio.Server | None = None

    async def listen(self, port: int) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: Link(self), "127.0.0.1", port)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in list(self.links):
            link.transport.close()

    @property
    def open(self) -> bool:
        return time.monotonic() >= self._closed_until

    # --- events ---

    def tell(self, name: str, headers: str, privilege: str = "call,all") -> None:
        """Tell every client an event; ``headers`` each with its line end."""
        event = f"Event: {name}\r\nPrivilege: {privilege}\r\n{headers}\r\n".encode()
        faults = self.faults
        if faults.strike("lose", event=name) is not None:
            return
        if self._kept is None and faults.strike("reorder", event=name) is not None:
            self._kept = event
            return
        kept, self._kept = self._kept, None
        for one in (event,) if kept is None else (event, kept):
            self._send(one)
            if faults.strike("duplicate", event=name) is not None:
                self._send(one)

    def _send(self, data: bytes) -> None:
        for link in self.links:
            if link.logged_in:
                link.write(data)

    # --- faults of the link ---

    def cut(self, closed_for: float = 0.0) -> None:
        self._closed_until = time.monotonic() + closed_for
        for link in list(self.links):
            link.transport.abort()

    def stall(self, seconds: float) -> None:
        """Take and tell nothing for so long."""
        self.stalled_until = time.monotonic() + seconds
        for link in self.links:
            link.stall(seconds)


class Link(asyncio.Protocol):
    """One client."""

    transport: asyncio.Transport

    def __init__(self, manager: Manager) -> None:
        self.logged_in = False
        self._manager = manager
        self._bytes = bytearray()
        self._held: list[bytes] = []
        self._due = 0.0  # when the last message that is late goes out, on the loop's clock

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if not self._manager.open:
            transport.abort()
            return
        self._manager.links.add(self)
        if (left := self._manager.stalled_until - time.monotonic()) > 0:
            self.stall(left)
        self.write(b"Asterisk Call Manager/11.0.0\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self._manager.links.discard(self)

    def stall(self, seconds: float) -> None:
        self.transport.pause_reading()
        asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        if self.transport.is_closing() or time.monotonic() < self._manager.stalled_until:
            return
        held, self._held = self._held, []
        for one in held:
            self.transport.write(one)
        self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send, or hold, as the faults in force have it."""
        if time.monotonic() < self._manager.stalled_until:
            self._held.append(data)
            return
        loop = asyncio.get_running_loop()
        slow = self._manager.faults.strike("slow")
        if slow is None and loop.time() >= self._due:
            self.transport.write(data)
            return
        delay = 0.0 if slow is None else float(slow.more.get("delay", SLOW_SECONDS))
        self._due = max(self._due, loop.time() + delay)  # what is late holds up what follows
        loop.call_at(self._due, self.transport.write, data)

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        while (end := self._bytes.find(b"\r\n\r\n")) >= 0 and not self.transport.is_closing():
            raw = self._bytes[:end].decode("utf-8", "replace").lstrip("\r\n")
            del self._bytes[: end + 4]
            self._one({name: value for name, _, value in (line.partition(": ") for line in raw.split("\r\n"))})

    def _one(self, action: Fields) -> None:
        name, faults = action.get("Action", "").lower(), self._manager.faults
        if faults.strike("shutting_down") is not None:
            self.write(answer(action, error=SHUTTING_DOWN))
        elif name == "login":
            self._login(action)
        elif not self.logged_in:
            self.write(answer(action, error="Permission denied"))
        elif name == "originate" and not action.get("Channel", "").startswith("AudioSocket/"):
            self._originate(action)
        elif name == "logoff":
            self.transport.write(answer(action).replace(b"Success", b"Goodbye"))
            self.transport.close()
        else:
            self.write(self._manager.carry_out(action))

    def _originate(self, action: Fields) -> None:
        faults = self._manager.faults
        if faults.strike("cut_in_originate") is not None:
            self.transport.abort()  # Asterisk has read half of it
        elif faults.strike("refuse_originate") is not None:
            self.write(answer(action, error="Originate failed"))
        elif faults.strike("originate_unheard") is not None:
            self.write(answer(action, "Message: Originate successfully queued\r\n"))
        else:
            said = self._manager.carry_out(action)
            if faults.strike("cut_in_answer") is None:
                self.write(said)
            else:
                self.transport.write(said[: len(said) // 2])
                self.transport.close()
                self.logged_in = False  # it is told no more

    def _login(self, action: Fields) -> None:
        manager = self._manager
        right = (action.get("Username"), action.get("Secret")) == (manager.user, manager.secret)
        if not right or manager.faults.strike("refuse_login") is not None:
            self.transport.write(answer(action, error="Authentication failed"))
            self.transport.close()
            return
        self.logged_in = True
        self.write(answer(action, "Message: Authentication accepted\r\n"))
        self.write(
            b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 3\r\nLastReload: 3\r\nStatus: Fully Booted\r\n\r\n"
        )
