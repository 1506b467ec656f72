"""AudioSocket's frames without a socket: a kind, a length and a payload, cut out of bytes that come in any pieces.

The protocol is Asterisk's res_audiosocket: one byte of kind, two of length (big-endian), the payload.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

HEAD: Final = 3
#: A frame of Asterisk's holds 20 ms, 320 bytes at 8 kHz; so much would be two seconds, and no peer of ours sends it.
LONGEST: Final = 32_000
UUID_BYTES: Final = 16


class Kind(IntEnum):
    TERMINATE = 0x00
    UUID = 0x01
    DTMF = 0x03
    AUDIO = 0x10  # signed 16-bit little-endian mono at 8 kHz
    ERROR = 0xFF


@dataclass(frozen=True, slots=True)
class Frame:
    """``kind`` is a number where the protocol has a kind that is not used here, as audio of other rates."""

    kind: int
    payload: bytes


class FrameReader:
    """Collects bytes. The first frame of a connection must be the UUID.

    ``fault`` says why what came is no AudioSocket, from when on nothing is taken; it is empty until then.
    """

    def __init__(self) -> None:
        self.fault = ""
        self._bytes = bytearray()
        self._first = True

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now."""
        if self.fault:
            return []
        self._bytes += data
        frames: list[Frame] = []
        at = 0
        while len(self._bytes) - at >= HEAD:
            kind, length = self._bytes[at], int.from_bytes(self._bytes[at + 1 : at + HEAD], "big")
            if self._first and (kind, length) != (Kind.UUID, UUID_BYTES):
                self.fault = f"the first frame is no UUID (kind {kind:#04x}, {length} bytes)"
                break
            if length > LONGEST:
                self.fault = f"a frame of {length} bytes"
                break
            if len(self._bytes) - at < HEAD + length:
                break
            self._first = False
            frames.append(Frame(kind, bytes(self._bytes[at + HEAD : at + HEAD + length])))
            at += HEAD + length
        del self._bytes[:at]
        return frames


def encode(kind: Kind, payload: bytes = b"") -> bytes:
    return bytes((kind,)) + len(payload).to_bytes(2, "big") + payload


#: 20 ms.
SILENCE: Final = encode(Kind.AUDIO, bytes(320))
