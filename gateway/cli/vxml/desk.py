"""Puts a walk together, and tells how it ended."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.adapters.cookies import CookieStore
from gateway.adapters.fetcher import HttpFetcher
from gateway.adapters.speech import EspeakSpeech
from gateway.cli.vxml.callers import Script, ScriptFault, Terminal
from gateway.cli.vxml.hearing import Hearing
from gateway.cli.vxml.recordings import Recordings
from gateway.cli.vxml.sources import Sources
from gateway.cli.vxml.walk import Walk
from gateway.core.addresses import AllowList
from gateway.ports import SpeechError
from gateway.services.dialog.service import session_variables
from vxml import Exit, Fetch, Session

#: What the developer's own machine reaches; on a call the gateway's list decides.
EVERYTHING = ("0.0.0.0/0", "::/0")
CALLER, CALLEE, CALL_ID = "+15550100", "+15550101", "1"
#: What to do about an event that ended the application, by the longest name that fits.
MENDS = {
    "error": "Catch it with <catch>, or see with --trace what led there.",
    "error.badfetch": "See with --trace which URL it was; `voxgate vxml check` tells all faults of a document.",
    "error.badfetch.http": "The server refuses or has no such page: try the URL in a browser, and see its log.",
    "error.semantic": "See with --trace where it was; `voxgate vxml check` finds what cannot be compiled.",
    "error.noresource": 'Give the field keys, too: type=, <option dtmf=> or a <grammar mode="dtmf">.',
    "error.unsupported": 'Leave it out, or <catch event="error.unsupported"> it.',
    "error.connection": "Catch it, and tell the caller that nobody can be reached.",
    "error.voxgate.loop": "Nobody is asked for input in this loop: let it collect something, or end.",
}


def walk(
    url: str, fields: list[tuple[str, str]], script: Path | None, audio: Path | None, *, trace: bool, speech: bool,
    allow: Sequence[str],
) -> bool:  # fmt: skip
    """Whether the application ended regularly, and the script with it. What is wrong is told on stderr.

    ``allow`` are the addresses beside public ones that may be fetched from.
    """
    start = Fetch(url, method="POST" if fields else "GET", form=tuple(fields))
    variables = session_variables(CALLER, CALLEE, CALL_ID, "voice")
    caller = Terminal() if script is None else Script(str(script), script.read_text(encoding="utf-8"))
    recordings = Recordings()
    voice = None if audio is None else EspeakSpeech()
    if audio is not None:
        audio.mkdir(parents=True, exist_ok=True)
    with asyncio.Runner() as runner:
        http = runner.run(http_fetcher(allow))
        sources = Sources(http, files=url.startswith("file:"))
        hearing = Hearing(sources, recordings, voice, audio)
        try:
            session = Session(start, variables, speech=speech)
            cookies = runner.run(_cookies())
            ended = Walk(session, caller, sources, recordings, hearing, cookies, runner, trace).run()
            regular = _tell(ended)
            if isinstance(caller, Script):
                caller.finish()
        except (ScriptFault, SpeechError) as error:
            print(error, file=sys.stderr)
            regular = False
        finally:
            runner.run(http.close())
            if voice is not None:
                runner.run(voice.close())
    if audio is not None:
        print(f"{hearing.files} WAV files in {audio}")
    return regular


async def http_fetcher(allow: Sequence[str] = EVERYTHING) -> HttpFetcher:
    """aiohttp's session is made within a loop."""
    return HttpFetcher(AllowList.of(allow))


async def _cookies() -> CookieStore:
    """aiohttp's jar is made within a loop."""
    return CookieStore()


def _tell(ended: Exit) -> bool:
    if ended.error is None:
        values = dict(ended.values)
        told = json.dumps(values.get("") if list(values) == [""] else values)
        print("[the application has ended" + (f" with {told}]" if values else "]"))
        return True
    print(f"The application failed with {ended.error}: {ended.message or 'it says no more'}", file=sys.stderr)
    fitting = [name for name in MENDS if ended.error == name or ended.error.startswith(f"{name}.")]
    print(MENDS[max(fitting, key=len)] if fitting else MENDS["error"], file=sys.stderr)
    return False
