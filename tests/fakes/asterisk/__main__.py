"""The fake Asterisk's process: ``python -m tests.fakes.asterisk``; its log is stderr."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.fakes.asterisk.call import begin_call
from tests.fakes.asterisk.carrierlog import CarrierLog
from tests.fakes.asterisk.faults import Faults
from tests.fakes.asterisk.manager import STALL_SECONDS, Manager
from tests.fakes.asterisk.pbx import Pbx
from tests.fakes.asterisk.tap import begin_tap


class Control:
    """What :class:`tests.fakes.asterisk.FakeAsterisk` asks, a JSON array a line over a Unix socket."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        word, *arguments = json.loads(await reader.readline())
        try:
            reply = {"reply": self._do(word, *arguments)}
        except (ValueError, TypeError) as error:
            reply = {"refused": str(error)}
        writer.write(json.dumps(reply).encode() + b"\n")
        writer.close()

    def _do(self, word: str, *arguments: Any) -> Any:
        pbx = self._pbx
        match word, arguments:
            case "fault", ("cut", args):
                pbx.faults.struck["cut"] += 1
                pbx.manager.cut(float(args.get("seconds", 0.0)))
            case "fault", ("stall", args):
                pbx.faults.struck["stall"] += 1
                pbx.manager.stall(float(args.get("seconds", STALL_SECONDS)))
            case "fault", (name, args):
                pbx.faults.set(name, **args)
            case "heal", (name,):
                pbx.faults.heal(name)
            case "state", ():
                return {
                    "channels": sorted(one.id for one in pbx.channels.values() if one.context != "voxgate-tap"),
                    "taps": len(pbx.channels) - pbx.calls,
                    "sessions": pbx.sessions,
                    "links": len(pbx.manager.links),
                    "rung": pbx.rung,
                    "struck": dict(pbx.faults.struck),
                    "peak": pbx.peak,
                }
            case _:
                raise ValueError(f"not understood: {word}")
        return None


async def run(options: argparse.Namespace) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    faults = Faults(options.seed)
    carrier = CarrierLog(options.folder / "carrier.jsonl")
    pbx = Pbx(faults, carrier, options.agi_port, options.speed, begin_call, begin_tap)
    pbx.manager = Manager(options.user, os.environ["VOXGATE_FAKE_SECRET"], faults, pbx.carry_out)
    await pbx.manager.listen(options.ami_port)
    control = await asyncio.start_unix_server(Control(pbx).serve, options.folder / "control.sock")
    await done.wait()
    control.close()
    await pbx.stop()
    carrier.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ami-port", type=int, required=True)
    parser.add_argument("--agi-port", type=int, required=True, help="where the gateway serves FastAGI")
    parser.add_argument("--folder", type=Path, required=True, help="for the carrier's log and the control socket")
    parser.add_argument("--user", default="voxgate", help="of AMI; its password is in VOXGATE_FAKE_SECRET")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
