"""The lab: a PBX with exactly the files of asterisk-conf/, and a carrier whose numbers decide who answers."""

from __future__ import annotations

import random
import re
import secrets
import shutil
import socket
import tempfile
from pathlib import Path
from types import TracebackType

import trustme

from gateway.core.asteriskconf import fill
from lab import carrier, fetch, tones, wire
from lab.behaviours import SILENT_AREA, Line, NumberPlan, draw
from lab.hosts import OtherHost
from lab.instance import CORE_MODULES, Instance, free_port

REPOSITORY = Path(__file__).resolve().parent.parent
ASTERISK_CONF = REPOSITORY / "asterisk-conf"


class Lab:
    """Two private Asterisks on free loopback ports. ``agi_port`` is where the gateway will serve FastAGI.

    ``ring_timeout`` is when the callee of the race answers. ``bind`` lets a phone on the LAN register at the PBX.
    ``host`` is where both Asterisks run, if not here; ``media`` is then its folder.
    """

    def __init__(
        self,
        *,
        plan: NumberPlan | None = None,
        agi_port: int | None = None,
        ring_timeout: float = 10.0,
        bind: str = "127.0.0.1",
        folder: Path | None = None,
        host: OtherHost | None = None,
    ) -> None:
        self.plan = plan or draw()
        self.installation = secrets.token_hex(3)
        self.agi_port = agi_port or free_port()
        self.ring_timeout = ring_timeout
        self.bind = bind
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="voxgate-lab-")) if folder is None else folder
        self.run = self.folder / "run"
        self.host = host
        self.media = self.folder / "media" if host is None else host.media
        self.ami_host = "127.0.0.1" if host is None else host.address
        self.gateway_host = "127.0.0.1" if host is None else host.gateway_address
        self.run.mkdir(parents=True)
        self.media.mkdir(exist_ok=True)
        self.ami_port, self.ami_tls_port = free_port(), free_port()
        self.ami_ca, certificate = self.folder / "ami-ca.pem", self.folder / "ami.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ami_ca)
        authority.issue_cert(self.ami_host).private_key_and_cert_chain_pem.write_to_path(certificate)
        self.ami_user, self.ami_secret = "voxgate", secrets.token_hex(16)
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.carrier_port = free_port(socket.SOCK_DGRAM)
        self.phone_secrets = (secrets.token_hex(8), secrets.token_hex(8))
        self.web_port, self.webphone_secret = free_port(), secrets.token_hex(8)
        self._silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._silent.bind(("127.0.0.1", 0))
        self._captures: list[Path] = []
        install = fetch.asterisk()
        tones.write_sit(self.run)
        base = random.SystemRandom().randrange(20000, 56000, 4000)
        on_host = [] if host is None else host.command
        self.carrier = Instance("carrier", self.folder / "carrier", install, self._carrier(base), on_host)
        self.pbx = Instance("PBX", self.folder / "pbx", install, self._pbx(base + 2000), on_host)
        (self.pbx.folder / "log/cdr-csv").mkdir()

    # --- configuration ---

    @property
    def placeholders(self) -> dict[str, str]:
        """The values that asterisk-conf/ is filled with here."""
        return {
            "AMI_SECRET": self.ami_secret,
            "AGI_ADDRESS": f"{self.gateway_host}:{self.agi_port}",
            "GATEWAY_HOST": self.gateway_host,
            "INSTALLATION": self.installation,
            "PHONE1_SECRET": self.phone_secrets[0],
            "PHONE2_SECRET": self.phone_secrets[1],
            "PHONE9_SECRET": self.webphone_secret,
            "WEBPHONE_PORT": str(self.web_port),
        }

    def _carrier(self, rtp: int) -> dict[str, str]:
        confs = carrier.configuration(self.plan, self.run, self.carrier_port, rtp, self.ring_timeout)
        return {**confs, **self._modules()}

    def _modules(self) -> dict[str, str]:
        core = "\n".join(f"load = {name}.so" for name in (*CORE_MODULES, "cdr_csv"))
        included = (ASTERISK_CONF / "modules.conf").read_text()
        return {
            "modules.conf": f"[modules]\nautoload = no\n{core}\n#include voxgate/modules.conf\n"
            "#include voxgate/webphone/modules.conf\n",
            "voxgate/modules.conf": included,
            "voxgate/webphone/modules.conf": (ASTERISK_CONF / "webphone/modules.conf").read_text(),
        }

    def _pbx(self, rtp: int) -> dict[str, str]:
        """Our own files, whole and unchanged, each included by a main file as an operator would."""
        ours = {
            f"voxgate/{path.relative_to(ASTERISK_CONF)}": fill(path.read_text(), self.placeholders)
            for path in ASTERISK_CONF.rglob("*.conf")
        }
        silent_port = self._silent.getsockname()[1]
        return {
            **ours,
            **self._modules(),
            "amd.conf": "#include voxgate/amd.conf\n",
            # As an office's PBX has them.
            "cdr.conf": "[general]\nenable = yes\nunanswered = yes\n[csv]\nloguniqueid = yes\n",
            "manager.conf": f"[general]\nenabled = yes\nport = {self.ami_port}\nbindaddr = {self.ami_host}\n"
            f"tlsenable = yes\ntlsbindaddr = {self.ami_host}:{self.ami_tls_port}\n"
            f"tlscertfile = {self.folder}/ami.pem\ntlsprivatekey = {self.folder}/ami.pem\n"
            "#include voxgate/manager.conf\n",
            "extensions.conf": "#include voxgate/extensions.conf\n",
            "http.conf": "#include voxgate/webphone/http.conf\n",
            "rtp.conf": carrier.rtp_conf(rtp, ice=True),
            "pjsip.conf": f"""[global]
type = global
default_from_user = voxgate
[udp]
type = transport
protocol = udp
bind = {self.bind}:{self.sip_port}
#include voxgate/pjsip.conf
#include voxgate/webphone/pjsip.conf
[carrier](voxgate-trunk)
aors = carrier
[carrier]
type = aor
contact = sip:127.0.0.1:{self.carrier_port}
[silent](voxgate-trunk)
aors = silent
[silent]
type = aor
contact = sip:127.0.0.1:{silent_port}
""",
        }

    # --- life ---

    def start(self) -> Lab:
        self.carrier.start()
        self._rotate_capture()
        self.carrier.cli("pjsip set logger on")
        self.carrier.cli("pjsip set logger verbose off")
        self.pbx.start()
        return self

    def stop(self) -> None:
        self.pbx.stop()
        self.carrier.remove()
        self._silent.close()
        self.pbx.remove()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Lab:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    # --- what the PBX wrote ---

    @property
    def call_records(self) -> list[str]:
        """The call detail records, one a line."""
        path = self.pbx.folder / "log/cdr-csv/Master.csv"
        return path.read_text().splitlines() if path.exists() else []

    # --- what the carrier saw and heard ---

    def _rotate_capture(self) -> None:
        """Asterisk buffers its capture; a new file has it write out the old one."""
        self._captures.append(self.run / f"sip-{len(self._captures)}.pcap")
        self.carrier.cli(f"pjsip set logger pcap {self._captures[-1]}")

    @property
    def silent_prefix(self) -> str:
        """Numbers that begin so are to be routed to the trunk that never answers."""
        return f"+1{SILENT_AREA}"

    def line(self, key: str) -> Line:
        return self.plan.line(key)

    def number(self, key: str) -> str:
        return self.plan.line(key).number

    def invites(self, number: str | None = None) -> list[wire.Invite]:
        """New INVITEs that reached the carrier, all or one number's."""
        self._rotate_capture()
        found = wire.invites(self._captures)
        return found if number is None else [one for one in found if one.number.lstrip("+") == number.lstrip("+")]

    def heard(self, number: str) -> list[Path]:
        """Recordings of what the callee at ``number`` heard, one a call, in order."""
        return sorted(self.run.glob(f"rx-{number.lstrip('+')}-*.wav"), key=lambda path: path.stat().st_mtime)

    def said(self, number: str) -> list[Path]:
        """Recordings of what the callee at ``number`` said, each as long as the one of what it heard."""
        return [path.with_name(path.name.replace("rx-", "tx-", 1)) for path in self.heard(number)]

    def keyed_to(self, number: str) -> str:
        """The digits that the callee at ``number`` was sent (``postd``), over all its calls."""
        log = self.carrier.folder / "log/messages"
        text = log.read_text(errors="replace") if log.exists() else ""
        channels = set(re.findall(rf"LAB call {number.lstrip('+')} (\S+)", text))
        ends = re.findall(r"DTMF end '(.)' received on (\S+), duration", text)
        return "".join(digit for digit, channel in ends if channel in channels)
