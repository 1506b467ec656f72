"""One FastAGI session as the AgiChannel port: commands out, one answer each, whatever else Asterisk says between."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from panoramisk.fast_agi import Request
from panoramisk.utils import parse_agi_result

from gateway.ports import ChannelGone, PlaybackFailed

_UNFIT = re.compile("[\r\n\0\ud800-\udfff]")
_CODE = re.compile(r"(\d{3})([ -])")


class AgiError(Exception):
    """Asterisk does not know the command, or its arguments: a fault of ours."""


def quoted(argument: str) -> str:
    """``argument`` as one AGI word. Raises :class:`ValueError` where it would end the command."""
    if _UNFIT.search(argument):
        raise ValueError("an AGI argument holds a line break, NUL or half a character")
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class AgiSession(Request):  # type: ignore[misc]
    """``headers`` are the ``agi_*`` variables of the greeting."""

    def __init__(
        self, headers: Mapping[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
    ) -> None:
        super().__init__(None, headers, reader, writer)
        self._path = path
        self._gone = False
        self._turn = asyncio.Lock()

    @property
    def path(self) -> str:
        return self._path

    @property
    def hung_up(self) -> bool:
        return self._gone

    # --- the wire ---

    async def command(self, line: str, timeout: float) -> tuple[str, str]:
        """Send one command and return ``(result, value in parentheses)``. Raises :class:`ChannelGone`."""
        async with self._turn:
            if self._gone:
                raise ChannelGone("the callee hung up")
            try:
                self.writer.write(line.encode() + b"\n")
                async with asyncio.timeout(timeout):
                    await self.writer.drain()
                    return await self._answer()
            except (OSError, EOFError, ValueError) as error:
                self._gone = True
                raise ChannelGone(f"the FastAGI link is lost: {error}") from error
            except TimeoutError:
                # An answer that comes later would be taken for the next command's: the session is of no more use.
                self._gone = True
                self.writer.close()
                raise ChannelGone(f"no answer to {line.split(' ', 1)[0]} within {timeout:g} s") from None
            except asyncio.CancelledError:
                self._gone = True
                self.writer.close()
                raise

    async def _answer(self) -> tuple[str, str]:
        while True:
            line = await self._line()
            if line == "HANGUP":  # asynchronous: it answers no command
                self._gone = True
                continue
            code = _CODE.match(line)
            if code is None or code[1] == "100":
                continue
            if code[1] == "511":
                self._gone = True
                raise ChannelGone("the callee hung up")
            if code[1] == "520":
                said = [line]
                while code[2] == "-" and not (last := await self._line()).startswith("520 "):
                    said.append(last)
                raise AgiError(" ".join(said)[:400])
            if code[1] != "200":
                raise AgiError(line[:400])
            parsed = parse_agi_result(line)
            # panoramisk reports a result of -1 as an error without a result; what it means depends on the command.
            result = parsed.get("result", ("-1", ""))
            return str(result[0]), str(result[1] or "")

    async def _line(self) -> str:
        raw = await self.reader.readline()
        if not raw.endswith(b"\n"):
            raise EOFError("Asterisk closed it")
        return str(raw.decode("utf-8", "replace").rstrip("\r\n"))

    # --- the port ---

    async def stream_file(self, file: str, escape_digits: str = "") -> str:
        result, _ = await self.command(f"STREAM FILE {quoted(file)} {quoted(escape_digits)}", 3600)
        if result == "-1":
            self._hung_up_or(PlaybackFailed(f"Asterisk cannot play {file}"), await self._alive())
        return _digit(result)

    async def until_hung_up(self) -> None:
        async with self._turn:
            while not self._gone:
                try:
                    self._gone = await self._line() == "HANGUP"  # res_agi sends it to an idle session, too
                except (OSError, EOFError, ValueError):
                    self._gone = True

    async def wait_for_digit(self, timeout_ms: int) -> str:
        result, _ = await self.command(f"WAIT FOR DIGIT {timeout_ms:d}", timeout_ms / 1000 + 30)
        if result == "-1":
            self._gone = True
            raise ChannelGone("the callee hung up")
        return _digit(result)

    async def record_file(
        self, file: str, fmt: str, escape_digits: str, timeout_ms: int, *, beep: bool, silence: int = 0
    ) -> str:
        line = f"RECORD FILE {quoted(file)} {quoted(fmt)} {quoted(escape_digits)} {timeout_ms:d}"
        result, rest = await self.command(
            line + (" BEEP" if beep else "") + (f" s={silence:d}" if silence else ""), timeout_ms / 1000 + 60
        )
        if rest == "hangup":
            self._gone = True
            raise ChannelGone("the callee hung up")
        if result == "-1":
            self._hung_up_or(PlaybackFailed(f"Asterisk cannot record {file}: {rest}"), await self._alive())
        return _digit(result) if rest == "dtmf" else ""  # with "timeout" the result is no digit, but a time left

    async def execute(self, application: str, arguments: str = "", timeout: float = 600.0) -> str:
        result, _ = await self.command(f"EXEC {application} {quoted(arguments)}", timeout)
        if result == "-2":
            raise AgiError(f"Asterisk knows no application {application}")
        return result

    async def get_variable(self, name: str) -> str | None:
        result, value = await self.command(f"GET VARIABLE {quoted(name)}", 30)
        return value if result == "1" else None

    async def set_variable(self, name: str, value: str) -> None:
        await self.command(f"SET VARIABLE {quoted(name)} {quoted(value)}", 30)

    async def hangup(self) -> None:
        await self.command("HANGUP", 30)
        self._gone = True

    async def _alive(self) -> bool:
        """Whether the channel still is up: -1 says both that it is gone and that a file is missing."""
        if self._gone:
            return False
        result, _ = await self.command("CHANNEL STATUS", 30)
        return result not in ("-1", "")

    def _hung_up_or(self, fault: Exception, alive: bool) -> None:
        if alive:
            raise fault
        self._gone = True
        raise ChannelGone("the callee hung up")


def _digit(result: str) -> str:
    """An AGI result is the ASCII code of the digit that ended the command, 0 for none."""
    return chr(int(result)) if result.isdigit() and int(result) > 0 else ""
