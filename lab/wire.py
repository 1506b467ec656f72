"""The carrier's own log of what reached it over SIP: a capture of every packet, read back as INVITEs."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Invite:
    """A new INVITE: one Call-ID, not a retransmission and not a re-INVITE."""

    number: str  # the request URI's user
    call_id: str
    at: float  # Unix seconds
    caller: str  # the From user


def invites(captures: Iterable[Path]) -> list[Invite]:
    """Every new INVITE, over all captures, in order. A number's count is how often its phone was rung."""
    seen: dict[str, Invite] = {}
    for at, payload in (packet for capture in captures for packet in _packets(capture)):
        if not payload.startswith(b"INVITE "):
            continue
        text = payload.decode("utf-8", "replace")
        head = text.split("\r\n\r\n", 1)[0]
        to = _header(head, "To", "t")
        call_id = _header(head, "Call-ID", "i")
        if ";tag=" in to or call_id in seen:
            continue
        user = re.match(r"INVITE sips?:([^@;>\s]+)@", head)
        caller = re.search(r"sips?:([^@;>\s]+)@", _header(head, "From", "f"))
        seen[call_id] = Invite(user[1] if user else "", call_id, at, caller[1] if caller else "")
    return list(seen.values())


def _header(head: str, name: str, short: str) -> str:
    found = re.search(rf"^(?:{name}|{short})\s*:\s*(.*)$", head, re.I | re.M)
    return found[1].strip() if found else ""


def _packets(capture: Path) -> Iterator[tuple[float, bytes]]:
    """(time, UDP payload) of a pcap file with Ethernet or raw IPv4 frames."""
    if not capture.exists():
        return
    data = capture.read_bytes()
    if len(data) < 24:
        return
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack_from(order + "I", data, 20)[0]
    offset = 24
    while offset + 16 <= len(data):
        seconds, micros, length, _ = struct.unpack_from(order + "IIII", data, offset)
        frame = data[offset + 16 : offset + 16 + length]
        offset += 16 + length
        packet = frame[14:] if link == 1 else frame
        if len(packet) < 28 or packet[0] >> 4 != 4:
            continue
        start = (packet[0] & 15) * 4
        yield seconds + micros / 1e6, packet[start + 8 :]
