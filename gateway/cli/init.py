"""Writes a first configuration, and Asterisk's files with the secrets that both sides share."""

from __future__ import annotations

import ipaddress
import os
import pwd
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.config import ConfigError
from gateway.core.asteriskconf import fill

_TEMPLATE = """# Voxgate's configuration. Every key can be overridden by the environment: VOXGATE__DIAL__CPS=20
# This installation's own name: channel ids begin with it, and manager.conf's event filter lets only them through.
installation = "{installation}"

[server]
host = "127.0.0.1"        # the HTTP intake; put your reverse proxy or "0.0.0.0" here for other hosts
port = 8080
socket = "{socket}"

[database]
path = "{database}"

[ami]
host = "{ami_host}"
port = {ami_port}
user = "voxgate"
secret = "{ami_secret}"

[agi]                     # where Asterisk reaches the gateway for every answered call
host = "{agi_host}"
port = {agi_port}
allow = [{agi_allow}]

[audiosocket]             # where Asterisk brings the audio by which it is told who answered
host = "{agi_host}"
port = 0                  # any free one
allow = [{agi_allow}]

[media]                   # prompts and recordings: "folder", which Asterisk sees too, or "http", where none is shared
share = "{share}"
gateway_dir = "{media}"
# asterisk_dir = "/the/same/folder/as/Asterisk/sees/it"

[fetch]                   # private addresses that applications may be fetched from: networks or host names
allow = [{allow}]

[dial]
cps = 5                   # calls started per second, over all trunks
max_calls = 50            # at once, over all trunks
ring_timeout = 45         # seconds, 10-120
max_call_seconds = 1800

# A trunk is a pjsip endpoint of your Asterisk. format is e164, e164_no_plus or national.
[[trunk]]
name = "mytrunk"
dial = "PJSIP/{{number}}@mytrunk"
format = "e164"
cps = 5
max_calls = 20
# caller_id = "+15551230000"

[[route]]
prefix = ""
trunk = "mytrunk"

# The two test softphones of asterisk-conf/pjsip.conf, as extensions 901 and 902.
[[trunk]]
name = "softphones"
dial = "PJSIP/voxgate-phone{{number}}"
strip = "90"

[[route]]
prefix = "90"
trunk = "softphones"
extensions = true

[phone]                   # the pages' test phone, extension 909: asterisk/webphone/ has what Asterisk must include
# websocket = "ws://{ami_host}:8088/ws"
secret = "{phone_secret}"
"""


#: Whose service reads the configuration of a whole machine; packaging/systemd makes this user.
SERVICE_USER = "voxgate"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where an installation's files are; relative paths count from ``folder``, which holds voxgate.toml."""

    folder: Path
    database: str = "voxgate.db"
    socket: str = "voxgate.sock"
    media: str = "media"


#: Filesystem Hierarchy Standard 3.0: what is configured, kept, made anew, and gone with the process.
SYSTEM = Layout(
    Path("/etc/voxgate"), "/var/lib/voxgate/voxgate.db", "/run/voxgate/voxgate.sock", "/var/cache/voxgate/media"
)


def asterisk_conf() -> Path:
    """Where the files to copy lie: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "asterisk-conf", package.parent / "asterisk-conf"):
        if place.is_dir():
            return place
    raise ConfigError("asterisk-conf is missing from this installation: install Voxgate again")


def write(
    layout: Layout,
    ami_host: str,
    ami_port: int,
    agi_address: str,
    allow: list[str],
    *,
    force: bool,
    shared_folder: bool = True,
) -> Iterator[str]:
    """Write the files and tell of each. Raises :class:`ConfigError` where something is there already."""
    folder = layout.folder
    target, conf = folder / "voxgate.toml", folder / "asterisk"
    for place in (target, conf):
        if place.exists() and not force:
            raise ConfigError(f"{place} is there already: use --force to overwrite it")
    agi_host, _, agi_port = agi_address.rpartition(":")
    if not agi_host or not agi_port.isdigit():
        raise ConfigError(f"--agi-address {agi_address!r} must be HOST:PORT")
    values = {
        "AMI_SECRET": secrets.token_hex(16),
        "AGI_ADDRESS": agi_address,
        "GATEWAY_HOST": agi_host.strip("[]"),
        "INSTALLATION": secrets.token_hex(3),
        "PHONE1_SECRET": secrets.token_hex(8),
        "PHONE2_SECRET": secrets.token_hex(8),
        "PHONE9_SECRET": secrets.token_hex(8),
        "WEBPHONE_PORT": "8088",
    }
    folder.mkdir(parents=True, exist_ok=True)
    conf.mkdir(exist_ok=True)
    text = _TEMPLATE.format(
        installation=values["INSTALLATION"], ami_host=ami_host, ami_port=ami_port, ami_secret=values["AMI_SECRET"],
        agi_host=agi_host, agi_port=agi_port, allow=", ".join(f'"{one}"' for one in allow),
        database=layout.database, socket=layout.socket, media=layout.media, agi_allow=_asterisks(ami_host),
        share="folder" if shared_folder else "http", phone_secret=values["PHONE9_SECRET"],
    )  # fmt: skip
    target.touch(mode=0o600)
    target.write_text(text)
    _readable_by_the_service(target)
    yield f"{target}: the gateway's configuration"
    for source in sorted(asterisk_conf().rglob("*.conf")):
        name = source.relative_to(asterisk_conf())
        place = conf / name
        place.parent.mkdir(exist_ok=True)
        place.touch(mode=0o600)
        place.write_text(fill(source.read_text(), values))
        _readable_by_the_service(place)
        needed = "and include it" if name.parent == Path() else "and include it, if you want the pages' test phone"
        yield f"{place}: copy to Asterisk's folder as voxgate/{name} {needed}"
    yield f"Read {asterisk_conf() / 'README.md'} for what each file is for, then run `voxgate doctor`."


def _asterisks(ami_host: str) -> str:
    """The networks that Asterisk comes from: this host, and the one where AMI listens, if that is another."""
    try:
        found = {ipaddress.ip_address(one[4][0]) for one in socket.getaddrinfo(ami_host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise ConfigError(f"--ami-host {ami_host!r} is not found ({error}): name Asterisk's address") from None
    others = sorted(str(ipaddress.ip_network(one)) for one in found if not one.is_loopback)
    return ", ".join(f'"{one}"' for one in ("127.0.0.0/8", "::1/128", *others))


def _readable_by_the_service(path: Path) -> None:
    """Root writes for the service's user where there is one, who then reads the file and cannot change it."""
    try:
        group = pwd.getpwnam(SERVICE_USER).pw_gid
    except KeyError:
        return
    if os.geteuid() == 0:
        shutil.chown(path, group=group)
        path.chmod(0o640)
