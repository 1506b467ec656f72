"""What callees say: 16-bit samples at 8 kHz, made once."""

from __future__ import annotations

from functools import cache

from tests.core.audio import joined, pcm, silence, tone, words

RATE = 8000
#: 20 ms.
FRAME_BYTES = 320


@cache
def sound(says: str) -> bytes:
    """``hello``, ``greeting`` (with its beep) or nothing."""
    match says:
        case "hello":
            return pcm(joined(silence(0.5), words((0.6,))))
        case "greeting":
            return pcm(joined(silence(0.5), words((3.0, 0.5)), tone(0.6, 1000)))
        case "":
            return b""
    raise ValueError(f"no callee says {says!r}")
