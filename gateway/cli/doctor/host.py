"""What can be told without Asterisk: the configuration, the folders, the disk, time zones."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.cli.doctor import troubles
from gateway.cli.doctor.finding import Finding, good
from gateway.settings import Config

LOW_DISK = 1024**3
#: One of each continent: an incomplete installation has UTC and little more.
ZONES = ("America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Sydney")


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Host:
    """This host as far as the doctor asks it. ``now`` is Unix time in seconds, ``free`` is bytes.

    ``gateway`` tells whether a gateway of this configuration runs, ``gateway_links`` how many AMI links it has.
    ``channel`` is the unique id of the channel that is tried, and ``ask`` sends an AMI action.
    """

    now: Callable[[], float] = time.time
    free: Callable[[Path], int] = _free
    gateway: bool = False
    gateway_links: int = 0
    channel: str = ""
    ask: Callable[[Mapping[str, str]], Awaitable[object]] | None = None


def examine_host(config: Config, host: Host) -> list[Finding]:
    return [*_configuration(config), *_folders(config, host), _time_zones()]


def _configuration(config: Config) -> list[Finding]:
    findings = [good("configuration is read and consistent")]
    if not config.trunk or not config.route:
        findings.append(troubles.NO_ROUTE.found())
    for trunk in config.trunk:
        if trunk.dial.startswith("Local/"):
            lost = "its SIP causes are lost behind Local/: busy, out of service and declined may all look alike"
            findings.append(good(f"trunk {trunk.name} dials {trunk.dial}", f"{lost}; dial PJSIP/… where you can"))
    return findings


def _folders(config: Config, host: Host) -> list[Finding]:
    findings = []
    for name, text in (("database", str(Path(config.database.path).parent)), ("media", config.media.gateway_dir)):
        folder = Path(text)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder):
                pass
        except OSError as error:
            findings.append(troubles.FOLDER.found(name=name, folder=folder, error=error.strerror))
            continue
        free = host.free(folder)
        works = f"{name} folder {folder} is writable, {free // 1024**3} GB free"
        enough = free >= LOW_DISK
        findings.append(troubles.DISK.unless(enough, works, name=name, folder=folder, free=free // 1024**2))
    return findings


def _time_zones() -> Finding:
    for zone in ZONES:
        try:
            ZoneInfo.no_cache(zone)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            return troubles.TIME_ZONES.found(zone=zone)
    return good("time zone data are there")
