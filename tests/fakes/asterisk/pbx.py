"""The exchange: its channels, and the actions that AMI may ask of them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.asterisk import lines
from tests.fakes.asterisk.carrierlog import CarrierLog
from tests.fakes.asterisk.channel import STATES, Channel
from tests.fakes.asterisk.faults import Faults
from tests.fakes.asterisk.lines import Line
from tests.fakes.asterisk.manager import Fields, Manager, answer, listed

_DIAL = re.compile(r"PJSIP/([^@/]+)@(carrier|silent)")
_TAP = re.compile(r"AudioSocket/([^/:]+):(\d+)/([0-9a-fA-F-]{36})")
#: The extensions of asterisk-conf/extensions.conf, by context.
_EXTENSIONS = {"voxgate-answered": re.compile(r"\d"), "voxgate-tap": re.compile(r"vg-.")}
QUEUED = "Message: Originate successfully queued\r\n"


@dataclass
class Pbx:
    """``begin_call`` and ``begin_tap`` are the lives of a dialed channel and of a tap."""

    faults: Faults
    carrier: CarrierLog
    agi_port: int
    speed: float
    begin_call: Callable[[Pbx, Channel, Fields, str, Line], Coroutine[Any, Any, None]]
    begin_tap: Callable[[Pbx, Channel, str, int, str], Coroutine[Any, Any, None]]
    channels: dict[str, Channel] = field(default_factory=dict)  # by unique id
    sessions: int = 0
    peak: int = 0
    rung: int = 0
    manager: Manager = field(init=False)
    _started: float = field(default_factory=time.time)
    _made: int = 0
    _rung: dict[str, int] = field(default_factory=dict)  # how often each number that counts was rung
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- what AMI asks ---

    def carry_out(self, action: Fields) -> bytes:
        match action.get("Action", "").lower():
            case "ping":
                return answer(action, f"Ping: Pong\r\nTimestamp: {time.time():.6f}\r\n")
            case "corestatus":
                started = time.strftime("Date: %Y-%m-%d\r\n?Time: %H:%M:%S\r\n", time.localtime(self._started))
                text = f"CoreStartup{started.replace('?', 'CoreStartup')}CoreReload{started.replace('?', 'CoreReload')}"
                return answer(action, f"{text}CoreCurrentCalls: {self.calls}\r\nCoreProcessedCalls: {self._made}\r\n")
            case "coreshowchannels":
                rows = [one.row() for one in self.channels.values()]
                return listed(action, "Channels will follow", "CoreShowChannel", "CoreShowChannelsComplete", rows)
            case "status":
                return self._status(action)
            case "getvar":
                return self._getvar(action)
            case "hangup":
                if (channel := self.find(action.get("Channel", ""))) is None:
                    return answer(action, error="No such channel")
                channel.hang_up()
                return answer(action, "Message: Channel Hungup\r\n")
            case "playdtmf":
                return self._playdtmf(action)
            case "originate":
                return self._originate(action)
        said = f"Invalid/unknown command: {action.get('Action')}. Use Action: ListCommands to show available commands."
        return answer(action, error=said)

    @property
    def calls(self) -> int:
        return sum(one.context != "voxgate-tap" for one in self.channels.values())

    def find(self, name: str) -> Channel | None:
        """By unique id or by name."""
        if (channel := self.channels.get(name)) is not None:
            return channel
        return next((one for one in self.channels.values() if one.name == name), None)

    def _status(self, action: Fields) -> bytes:
        if (channel := self.find(action.get("Channel", ""))) is None:
            return answer(action, error="No such channel")
        return listed(
            action, "Channel status will follow", "Status", "StatusComplete", [f"Privilege: Call\r\n{channel.row()}"]
        )

    def _getvar(self, action: Fields) -> bytes:
        if (channel := self.find(action.get("Channel", ""))) is None:
            return answer(action, error="No such channel")
        name = action.get("Variable", "")
        value = STATES[channel.state] if name == "CHANNEL(state)" else channel.variables.get(name, "")
        return answer(action, f"Variable: {name}\r\nValue: {value}\r\n")

    def _playdtmf(self, action: Fields) -> bytes:
        if (channel := self.find(action.get("Channel", ""))) is None:
            return answer(action, error="Channel not found")
        if action.get("Receive", "").lower() == "true":
            asyncio.get_running_loop().call_soon(self.key, channel, action.get("Digit", ""))
        return answer(action, "Message: DTMF successfully queued\r\n")

    def key(self, channel: Channel, digit: str) -> None:
        """The far end keyed a digit."""
        if not channel.gone.is_set():
            self.manager.tell(
                "DTMFEnd",
                f"{channel.headers()}Digit: {digit}\r\nDurationMs: 120\r\nDirection: Received\r\n",
                "dtmf,all",
            )
            channel.digit(digit)

    # --- channels ---

    def _originate(self, action: Fields) -> bytes:
        way, context, exten = action.get("Channel", ""), action.get("Context", ""), action.get("Exten", "")
        if not way:
            return answer(action, error="Channel not specified")
        if "/" not in way:
            return answer(action, error="Invalid channel")
        if (extensions := _EXTENSIONS.get(context)) is None or not extensions.match(exten):
            return answer(action, error="Extension does not exist.")
        if (tap := _TAP.fullmatch(way)) is not None:
            self._tap(tap[1], int(tap[2]), tap[3], exten)
        elif (dial := _DIAL.fullmatch(way)) is None or action.get("ChannelId", "") in self.channels:
            # Neither an unknown endpoint nor an id that lives makes a channel.
            soon = asyncio.get_running_loop().call_soon
            soon(self.respond, action, action.get("ChannelId", "<unknown>"), "Failure", way, 0)
        else:
            self._call(action, dial[1], dial[2])
        return answer(action, QUEUED)

    def respond(self, action: Fields, ident: str, response: str, channel: str, reason: int) -> None:
        """Tell an OriginateResponse."""
        self.manager.tell(
            "OriginateResponse",
            f"ActionID: {action.get('ActionID', '')}\r\nResponse: {response}\r\nChannel: {channel}\r\n"
            f"Context: {action['Context']}\r\nExten: {action['Exten']}\r\nReason: {reason}\r\nUniqueid: {ident}\r\n"
            f"CallerIDNum: {action.get('CallerID', '<unknown>')}\r\nCallerIDName: <unknown>\r\n",
        )

    def _call(self, action: Fields, number: str, trunk: str) -> None:
        ident = action.get("ChannelId") or self.next_id()
        channel = self.new_channel(ident, f"PJSIP/{trunk}")
        line = lines.SILENT if trunk == "silent" else lines.line_of(number)
        channel.says = line.says
        self.spawn(self.begin_call(self, channel, action, number, line))

    def _tap(self, host: str, port: int, token: str, of: str) -> None:
        if self.faults.strike("tap_never") is not None:
            return
        channel = Channel(self.next_id(), f"AudioSocket/{host}:{port}-{token}", context="voxgate-tap", exten=of)
        channel.application, channel.data, channel.state, channel.priority = "ChanSpy", f"{of},uqoSE", 6, 2
        self.channels[channel.id] = channel
        self.spawn(self.begin_tap(self, channel, host, port, token))

    def new_channel(self, ident: str, endpoint: str) -> Channel:
        channel = Channel(ident, f"{endpoint}-{self._made:08x}")
        self._made += 1
        self.channels[ident] = channel
        self.peak = max(self.peak, len(self.channels))
        return channel

    def next_id(self) -> str:
        """As Asterisk makes unique ids."""
        self._made += 1
        return f"{time.time():.0f}.{self._made}"

    def ring(self, number: str, ident: str) -> int:
        """Ring a phone; how often its number was rung before, where its line asks for that."""
        self.carrier.ring(number, ident)
        self.rung += 1
        if not lines.line_of(number).busy_first:
            return 0
        before = self._rung.get(number, 0)
        self._rung[number] = before + 1
        return before

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the end ---

    async def stop(self) -> None:
        """As SIGTERM: every call is hung up and told, what does not end in a second is left."""
        for channel in list(self.channels.values()):
            channel.hang_up()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1.0)
        self.manager.tell("Shutdown", "Shutdown: Cleanly\r\nRestart: False\r\n", "system,all")
        await asyncio.sleep(0.05)
        self.manager.close()
