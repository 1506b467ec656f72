"""The AGI commands that the gateway uses, with Asterisk's own answers."""

from __future__ import annotations

import shlex
import time
from collections.abc import Awaitable, Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.audio import wav_of_samples
from tests.fakes.asterisk.dial import dial
from tests.fakes.asterisk.sounds import RATE, sound

if TYPE_CHECKING:
    from tests.fakes.asterisk.agi import Session

DEAD = "511 Command Not Permitted on a dead channel or intercept routine"
BEEP_SECONDS = 0.26
#: Bytes a second of the files that Asterisk plays, by extension.
FORMATS = {".wav": 16_000, ".wav16": 32_000, ".sln": 16_000, ".sln16": 32_000, ".ulaw": 8_000}
#: What Asterisk's own detector says of what it hears, and how long it takes (AMD's parameters are the gateway's).
AMD = {"hello": ("HUMAN", "HUMAN-1000-1000", 2.2), "greeting": ("MACHINE", "LONGGREETING-1220-1200", 1.5)}
SILENCE = ("MACHINE", "INITIALSILENCE-4500-4500", 4.5)


class Answer(Enum):
    NONE = 0  # a command that the next one cuts short says nothing


async def carry_out(session: Session, line: str) -> str | Answer:
    """One line's answer."""
    try:
        words = shlex.split(line, posix=True)
    except ValueError:
        words = line.split()
    for count in (3, 2, 1):
        name = " ".join(words[:count]).upper()
        if (command := COMMANDS.get(name)) is not None:
            if session.channel.gone.is_set() and name not in DEATHLESS:
                return DEAD
            return await command(session, words[count:])
    return "510 Invalid or unknown command"


async def _answer(session: Session, words: list[str]) -> str:
    return "200 result=0"


async def _noop(session: Session, words: list[str]) -> str:
    return "200 result=0"


async def _verbose(session: Session, words: list[str]) -> str:
    return "200 result=1"


async def _channel_status(session: Session, words: list[str]) -> str:
    known = not words or words[0] in (session.channel.name, session.channel.id)
    return f"200 result={session.channel.state if known else -1}"


async def _get_variable(session: Session, words: list[str]) -> str:
    channel = session.channel
    known = {"UNIQUEID": channel.id, "TONE_DETECT(rx)": "0", **channel.variables}
    return f"200 result=1 ({known[words[0]]})" if words and words[0] in known else "200 result=0"


async def _set_variable(session: Session, words: list[str]) -> str:
    if "(" not in words[0]:  # a function, as TONE_DETECT, keeps its own counsel
        session.channel.variables[words[0]] = words[1]
    return "200 result=1"


async def _hangup(session: Session, words: list[str]) -> str:
    session.channel.hang_up()
    return "200 result=1"


async def _stream_file(session: Session, words: list[str]) -> str | Answer:
    seconds = _length(words[0])
    if seconds is None:
        return "200 result=-1 endpos=0"
    session.channel.prompted.set()
    began = time.monotonic()
    how = await session.wait(seconds / session.pbx.speed, words[1] if len(words) > 1 else "")
    place = round(RATE * min(seconds, (time.monotonic() - began) * session.pbx.speed))
    return Answer.NONE if how == "next" else f"200 result={_code(how)} endpos={place}"


async def _wait_for_digit(session: Session, words: list[str]) -> str | Answer:
    session.channel.prompted.set()
    how = await session.wait(int(words[0]) / 1000, "0123456789*#ABCD")
    return Answer.NONE if how == "next" else f"200 result={_code(how)}"


async def _record_file(session: Session, words: list[str]) -> str:
    name, kind, keys, milliseconds, *options = words
    path = Path(f"{name}.{kind}")
    if not path.parent.is_dir():
        return "200 result=-1 (writefile)"
    if "BEEP" in options:
        await session.last(BEEP_SECONDS)
    silence = next((float(one[2:]) for one in options if one.startswith("s=")), None)
    heard = sound(session.line.says)
    longest = int(milliseconds) / 1000
    if silence is not None and longest > len(heard) / 2 / RATE + silence:
        longest = len(heard) / 2 / RATE + silence  # nothing is said after it
    began = time.monotonic()
    how = await session.last(longest, keys)
    samples = 2 * round(RATE * (time.monotonic() - began))
    path.write_bytes(wav_of_samples(heard[:samples].ljust(samples, b"\0"), RATE))
    if how == "":
        return f"200 result=0 (timeout) endpos={samples // 2}"
    return f"200 result={_code(how)} ({'hangup' if how == 'gone' else 'dtmf'}) endpos={samples // 2}"


async def _exec(session: Session, words: list[str]) -> str:
    application, arguments = words[0].lower(), words[1] if len(words) > 1 else ""
    channel = session.channel
    channel.application, channel.data = words[0], arguments
    match application:
        case "wait":
            how = await session.last(float(arguments))
        case "waitforsilence":
            how = await session.last(int(arguments.partition(",")[0]) / 1000)
        case "senddtmf":
            how = await session.last(sum(0.5 if key in "wW" else 0.15 for key in arguments))
        case "amd":
            status, cause, seconds = AMD.get(session.line.says, SILENCE)
            if await session.last(seconds / session.pbx.speed) == "gone":
                status, cause = "HANGUP", ""
            channel.variables |= {"AMDSTATUS": status, "AMDCAUSE": cause}
            how = ""
        case "dial":
            how = await dial(session, arguments)
        case "noop" | "answer":
            how = ""
        case _:
            return "200 result=-2"
    return f"200 result={-1 if how == 'gone' else 0}"


def _code(how: str) -> int:
    return {"": 0, "gone": -1}[how] if len(how) != 1 else ord(how)


def _length(name: str) -> float | None:
    """Seconds of a prompt, None where there is none."""
    if name == "beep":
        return BEEP_SECONDS
    if name.startswith("http://"):
        return 1.0
    for kind, rate in FORMATS.items():
        if (path := Path(f"{name}{kind}")).exists():
            return path.stat().st_size / rate
    return None


COMMANDS: dict[str, Callable[[Session, list[str]], Awaitable[str | Answer]]] = {
    "ANSWER": _answer,
    "CHANNEL STATUS": _channel_status,
    "EXEC": _exec,
    "GET VARIABLE": _get_variable,
    "HANGUP": _hangup,
    "NOOP": _noop,
    "RECORD FILE": _record_file,
    "SET VARIABLE": _set_variable,
    "STREAM FILE": _stream_file,
    "VERBOSE": _verbose,
    "WAIT FOR DIGIT": _wait_for_digit,
}
#: What a channel that was hung up may still be asked.
DEATHLESS = frozenset({"EXEC", "GET VARIABLE", "NOOP", "SET VARIABLE", "VERBOSE"})
