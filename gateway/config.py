"""The configuration: one TOML file, overridable by environment, every key known, every fault named with its mend."""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gateway.core.routes import NumberFormat, Route, Trunk, check_template

ENVIRONMENT = "VOXGATE__"
Port = Annotated[int, Meta(ge=0, le=65535)]


class ConfigError(Exception):
    """A configuration that cannot be used; the message says which file, which key, and what is wrong."""


class Section(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; a key that it does not know is refused."""


class Server(Section):
    host: str = "127.0.0.1"
    port: Port = 8080
    max_body_mb: Annotated[int, Meta(ge=1)] = 256
    socket: str = ""  # empty: voxgate.sock beside the database


class DatabaseSection(Section):
    path: str = "voxgate.db"


class Ami(Section):
    secret: str
    host: str = "127.0.0.1"
    port: Port = 5038
    user: str = "voxgate"


class Agi(Section):
    host: str = "127.0.0.1"
    port: Port = 4573
    advertise: str = ""  # what Asterisk dials: HOST:PORT; empty: host and port above
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")


class MediaSection(Section):
    gateway_dir: str = "media"
    asterisk_dir: str = ""  # the same folder as Asterisk sees it; empty: under the same name
    keep_days: float = 7.0


class FetchSection(Section):
    allow: list[str] = []
    timeout: Annotated[float, Meta(gt=0, le=120)] = 15.0


class Intake(Section):
    preflight: bool = True
    echo_pin: bool = False


class Dial(Section):
    cps: Annotated[float, Meta(gt=0, le=500)] = 5.0
    max_calls: Annotated[int, Meta(ge=1)] = 50
    ring_timeout: Annotated[int, Meta(ge=10, le=120)] = 45
    max_call_seconds: Annotated[int, Meta(ge=10, le=86400)] = 1800
    fault_give_up_after: Annotated[float, Meta(ge=0)] = 3600.0
    retry_unknown_outcome: bool = False
    stop_within: Annotated[float, Meta(ge=0)] = 30.0


class Numbers(Section):
    allowed: list[str] = []
    blocked: list[str] = []
    emergency: bool = False
    premium: bool = False


class SessionSection(Section):
    apology: str = "We are sorry. This call cannot be continued. Good bye."
    language: str = "en-US"


class TrunkSection(Section):
    name: str
    dial: str
    format: NumberFormat = NumberFormat.E164
    strip: str = ""
    prefix: str = ""
    cps: Annotated[float, Meta(gt=0)] = 5.0
    max_calls: Annotated[int, Meta(ge=1)] = 20
    caller_id: str | None = None


class RouteSection(Section):
    trunk: str
    prefix: str = ""
    extensions: bool = False
    sip: bool = False


class Results(Section):
    give_up_after: Annotated[float, Meta(ge=0)] = 86_400.0


class Metrics(Section):
    """Where Prometheus may scrape. Without a port and an allowed network only `voxgate metrics` can."""

    host: str = "127.0.0.1"
    port: Port | None = None  # a listener of its own
    allow: tuple[str, ...] = ()  # networks that may GET /metrics on the public port


class LabSection(Section):
    """Only the lab sets this: retry gaps are multiplied by it."""

    retry_gap_scale: Annotated[float, Meta(gt=0, le=1)] = 1.0
    min_ring_timeout: Annotated[int, Meta(ge=1)] = 10


class Config(Section):
    installation: Annotated[str, Meta(pattern=r"^[a-z0-9]{1,16}$")]
    ami: Ami
    server: Server = msgspec.field(default_factory=Server)
    database: DatabaseSection = msgspec.field(default_factory=DatabaseSection)
    agi: Agi = msgspec.field(default_factory=Agi)
    media: MediaSection = msgspec.field(default_factory=MediaSection)
    fetch: FetchSection = msgspec.field(default_factory=FetchSection)
    intake: Intake = msgspec.field(default_factory=Intake)
    dial: Dial = msgspec.field(default_factory=Dial)
    numbers: Numbers = msgspec.field(default_factory=Numbers)
    session: SessionSection = msgspec.field(default_factory=SessionSection)
    results: Results = msgspec.field(default_factory=Results)
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    lab: LabSection = msgspec.field(default_factory=LabSection)
    trunk: list[TrunkSection] = []
    route: list[RouteSection] = []

    @property
    def trunks(self) -> dict[str, Trunk]:
        return {one.name: Trunk(**msgspec.structs.asdict(one)) for one in self.trunk}

    @property
    def routes(self) -> list[Route]:
        return [Route(**msgspec.structs.asdict(one)) for one in self.route]

    @property
    def socket_path(self) -> Path:
        return Path(self.server.socket) if self.server.socket else Path(self.database.path).parent / "voxgate.sock"


def find(given: Path | None) -> Path:
    """The configuration file in force. Raises :class:`ConfigError` naming where it was looked for."""
    if given is None and (named := os.environ.get("VOXGATE_CONFIG")):
        given = Path(named)
    if given is not None:
        if not given.is_file():
            raise ConfigError(f"{given} does not exist: run `voxgate init` to make a configuration")
        return given
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places = [Path("voxgate.toml"), home / "voxgate/voxgate.toml", Path("/etc/voxgate/voxgate.toml")]
    for place in places:
        if place.is_file():
            return place
    raise ConfigError(
        f"no configuration in {', '.join(str(place) for place in places)}: run `voxgate init`, or name one by --config"
    )


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read, override from the environment, and check. Relative paths count from the file's folder."""
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    for name, value in (os.environ if environment is None else environment).items():
        if name.startswith(ENVIRONMENT):
            _override(raw, name, value)
    _known(raw, Config, str(path), "")
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from None
    _consistent(config, path)
    return _absolute(config, path.resolve().parent)


def _override(raw: dict[str, Any], name: str, text: str) -> None:
    """``VOXGATE__DIAL__CPS=20``: the value is read as TOML, or as a string where it is none."""
    *sections, key = name.removeprefix(ENVIRONMENT).lower().split("__")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    holder = raw
    for section in sections:
        holder = holder.setdefault(section, {})
        if not isinstance(holder, dict):
            raise ConfigError(f"the environment variable {name} names no section of the configuration")
    holder[key] = value


def _known(raw: Mapping[str, Any], kind: type[msgspec.Struct], file: str, where: str) -> None:
    fields = {one.name: one.type for one in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(fields))}"
            raise ConfigError(f"{file}: there is no setting {where}{key!r}{hint}")
        inner: Any = fields[key]
        inner = getattr(inner, "__args__", (inner,))[0] if isinstance(value, list) else inner
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    _known(one, inner, file, f"[{key}] ")


def _consistent(config: Config, path: Path) -> None:
    _networks(config.metrics.allow, "[metrics] allow", path)
    names = [trunk.name for trunk in config.trunk]
    for trunk in config.trunk:
        if names.count(trunk.name) > 1:
            raise ConfigError(f"{path}: there are two trunks named {trunk.name!r}")
        try:
            check_template(trunk.dial)
        except ValueError as error:
            raise ConfigError(f"{path}: trunk {trunk.name}: {error}") from None
    for route in config.route:
        if route.trunk not in names:
            raise ConfigError(f"{path}: a route names trunk {route.trunk!r}, and there is no such [[trunk]]")


def _networks(entries: Iterable[str], where: str, path: Path) -> None:
    for entry in entries:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise ConfigError(f"{path}: {where}: {entry!r} is no network; write it as 192.168.1.0/24") from None


def _absolute(config: Config, base: Path) -> Config:
    replace = msgspec.structs.replace
    media = str(base / config.media.gateway_dir)
    return replace(
        config,
        database=replace(config.database, path=str(base / config.database.path)),
        media=replace(config.media, gateway_dir=media, asterisk_dir=config.media.asterisk_dir or media),
    )
