"""The simulated carrier's configuration: a dialplan made from the number plan, on real PJSIP and RTP."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab.behaviours import Line, NumberPlan


def dialplan(plan: NumberPlan, run: Path, ring_timeout: float) -> str:
    """``run`` is the folder for what callees hear; ``ring_timeout`` is when the race's callee answers, in seconds."""
    parts = ["[globals]"]
    parts += [f"LAB_CALLS_{line.number.lstrip('+')}=0" for line in plan.lines]
    parts.append("[carrier]")
    parts += [_extension(line, run, ring_timeout) for line in plan.lines]
    parts.append("exten => _[+0-9].,1,PJSIPHangup(404)")
    return "\n".join(parts) + "\n"


def _extension(line: Line, run: Path, ring_timeout: float) -> str:
    digits = line.number.lstrip("+")
    values = {
        "number": digits,
        "run": str(run),
        "ring": f"{line.ring:g}",
        "think": f"{line.think:g}",
        "keys": line.keys,
        "sit": line.sit,
        "timeout": f"{ring_timeout:g}",
    }
    steps = [
        f"Set(GLOBAL(LAB_CALLS_{digits})=$[${{LAB_CALLS_{digits}}} + 1])",
        f"Log(NOTICE,LAB call {digits} ${{CHANNEL}} ${{UNIQUEID}} cid=${{CALLERID(num)}})",
        *(step.format(**values) for step in line.behaviour.steps),
    ]
    lines = [f"exten => _[+]{digits},1,Goto({digits},1)", f"exten => {digits},1,{steps[0]}"]
    lines += [f" same => n,{step}" for step in steps[1:]]
    lines += [" same => n,Hangup()", f" same => {len(steps) + 10}(busy),PJSIPHangup(486)"]
    return "\n".join(lines)


def configuration(plan: NumberPlan, run: Path, sip_port: int, rtp: int, ring_timeout: float) -> dict[str, str]:
    """The carrier's files. Every caller is let in: it listens on loopback only."""
    return {
        "modules.conf": "",  # filled by the lab: both instances load the same modules
        "extensions.conf": dialplan(plan, run, ring_timeout),
        "pjsip.conf": f"""[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{sip_port}
[anonymous]
type = endpoint
context = carrier
disallow = all
allow = ulaw
dtmf_mode = rfc4733
direct_media = no
rtp_timeout = 30
t38_udptl = no
""",
        "rtp.conf": rtp_conf(rtp),
        "manager.conf": "[general]\nenabled = no\n",
        "amd.conf": "[general]\n",
    }


def rtp_conf(first: int, *, ice: bool = False) -> str:
    """``ice``: for browsers; every candidate is the loopback address, the only one that the lab answers on."""
    on = "yes" if ice else "no"
    text = f"[general]\nrtpstart = {first}\nrtpend = {first + 1998}\nstrictrtp = no\nicesupport = {on}\n"
    if not ice:
        return text
    own = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    return text + "[ice_host_candidates]\n" + "".join(f"{address} => 127.0.0.1\n" for address in own)
