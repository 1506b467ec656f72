"""espeak-ng (GPL-3) in a process of its own: reads framed requests on stdin, writes framed samples to stdout.

A request is a line of JSON ``{"voice", "ssml"}``; the answer a line ``{"rate", "bytes"}`` or ``{"error"}``, and the
16-bit mono samples.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

import espeakng_loader

AUDIO_OUTPUT_SYNCHRONOUS = 2
CHARS_UTF8 = 1
SSML = 0x10
EE_OK = 0


def main() -> None:
    # espeak-ng may print; only answers belong on the pipe.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0)
    samples = bytearray()
    callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

    def hear(wave: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if wave and count > 0:
            samples.extend(ctypes.string_at(wave, count * 2))
        return 0

    callback = callback_type(hear)
    library.espeak_SetSynthCallback(callback)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        samples.clear()
        answer: dict[str, object]
        if library.espeak_SetVoiceByName(request["voice"].encode()) != EE_OK:
            library.espeak_SetVoiceByName(b"en-us")
        text = request["ssml"].encode() + b"\0"
        status = library.espeak_Synth(text, len(text), 0, 1, 0, CHARS_UTF8 | SSML, None, None)
        answer = {"rate": rate, "bytes": len(samples)} if status == EE_OK else {"error": f"espeak-ng status {status}"}
        out.write(json.dumps(answer).encode() + b"\n")
        if status == EE_OK:
            out.write(samples)
        out.flush()


if __name__ == "__main__":
    main()
